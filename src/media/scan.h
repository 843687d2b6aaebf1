/* media/scan.h -- asks a virus scanner about a file.  Inside this folder. */
#ifndef MEDIA_SCAN_H
#define MEDIA_SCAN_H
#include "base/base.h"

enum scan_result { SCAN_CLEAN, SCAN_INFECTED };
/* Runs `command` (words between blanks, no shell) with the file's name behind them, as clamscan and clamdscan are called: it exits with 0
 * when the file is clean and with 1 when it is infected.  ERR_BUSY: it says anything else, cannot be started, or takes longer than
 * `seconds` (then it is killed, with all it has started). */
bool scan_file(const char *command, const char *file, int seconds, enum scan_result *, struct err *) MUST_CHECK;
#endif
