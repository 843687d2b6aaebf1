/* server/systemd.h -- telling the service manager how we are: the datagrams of sd_notify(3), without its library. */
#ifndef SERVER_SYSTEMD_H
#define SERVER_SYSTEMD_H
#include "base/base.h"

/* Sends the lines ("READY=1\nSTATUS=...") to $NOTIFY_SOCKET, a path or, with @ in front, an abstract name.  Nothing when it is not set;
 * a failure is logged. */
void systemd_tell(const char *lines);
/* How often WATCHDOG=1 must be sent at the latest, microseconds: half of $WATCHDOG_USEC; 0 = nobody watches this process. */
int64_t systemd_watchdog(void);
#endif
