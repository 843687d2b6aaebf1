/* command/packs.h -- loading a pack from a command.  Inside this folder. */
#ifndef COMMAND_PACKS_H
#define COMMAND_PACKS_H
#include "command/command.h"

/* Faults go to stderr, one a line; see pack_load(). */
bool load_pack(struct command_line *, struct store *, const char *dir, bool only_check, int64_t *version, struct err *) MUST_CHECK;
#endif
