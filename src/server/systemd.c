/* server/systemd.c -- see systemd.h. */
#include "server/systemd.h"
#include "base/log.h"
#include "base/text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool send_to(const char *name, const char *lines)
{
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        const size_t n = strlen(name);
        if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof to.sun_path) {
                errno = EINVAL;
                return false;
        }
        memcpy(to.sun_path, name, n);
        if (name[0] == '@')
                to.sun_path[0] = '\0';
        const int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (s < 0)
                return false;
        /* An abstract name has no NUL at its end. */
        const bool sent = sendto(s, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)(const void *)&to,
                                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n))
                          == (ssize_t)strlen(lines);
        const int cause = errno;
        (void)close(s);
        errno = cause;
        return sent;
}

void systemd_tell(const char *lines)
{
        const char *name = getenv("NOTIFY_SOCKET");
        if (name && *name && !send_to(name, lines))
                log_event(LOG_WARN, "systemd.tell", "errno=%d", errno);
}

int64_t systemd_watchdog(void)
{
        const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
        int64_t n, whose;
        if (text_empty(getenv("NOTIFY_SOCKET")) || text_empty(usec) || !text_to_int(usec, &n) || n <= 0)
                return 0;
        if (!text_empty(pid) && (!text_to_int(pid, &whose) || whose != getpid()))
                return 0;
        return n / 2 > 0 ? n / 2 : 1;
}
