/* media/scan.c -- see scan.h. */
#include "media/scan.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* A group of its own, so that all of it can be killed; none of our blocked signals; nothing to read, nowhere to write. */
static int start(pid_t *child, char **words)
{
        posix_spawnattr_t how;
        posix_spawn_file_actions_t files;
        sigset_t none;
        (void)sigemptyset(&none);
        (void)posix_spawnattr_init(&how);
        (void)posix_spawn_file_actions_init(&files);
        (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
        (void)posix_spawnattr_setsigmask(&how, &none);
        for (int f = 0; f < 3; f++)
                (void)posix_spawn_file_actions_addopen(&files, f, "/dev/null", f ? O_WRONLY : O_RDONLY, 0);
        const int cause = posix_spawnp(child, words[0], &files, &how, words, environ);
        (void)posix_spawn_file_actions_destroy(&files);
        (void)posix_spawnattr_destroy(&how);
        return cause;
}

/* Its status; -1 when it had to be killed. */
static int wait_for(pid_t child, int seconds)
{
        struct pollfd end = {.fd = pidfd_open(child, 0), .events = POLLIN};
        int status = 0, ready = -1;
        if (end.fd >= 0) {
                do
                        ready = poll(&end, 1, seconds * 1000);
                while (ready < 0 && errno == EINTR);
                (void)close(end.fd);
        }
        if (ready <= 0)
                (void)kill(-child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        return ready > 0 ? status : -1;
}

static bool no_verdict(const char *why, int code, struct err *e)
{
        log_event(LOG_ERROR, "media.scan", "cause=\"%s\" code=%d", why, code);
        return err_both(e, ERR_BUSY, "media", "the picture cannot be examined for viruses now; try again later",
                        "暂时无法对图片进行病毒检查，请稍后再试");
}

bool scan_file(const char *command, const char *file, int seconds, enum scan_result *out, struct err *e)
{
        struct arena *a = arena_new();
        char **words;
        const size_t n = text_split(a, command, ' ', &words);
        char **all = NEW_ARRAY(a, char *, n + 2);
        size_t used = 0;
        pid_t child;
        for (size_t i = 0; i < n; i++)
                if (*words[i])
                        all[used++] = words[i];
        all[used] = arena_text(a, file);
        const int cause = used > 0 ? start(&child, all) : ENOENT;
        const int status = cause == 0 ? wait_for(child, seconds) : 0;
        arena_free(&a);
        if (cause != 0)
                return no_verdict("it cannot be started", cause, e);
        if (status == -1)
                return no_verdict("it took too long", seconds, e);
        if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
                return no_verdict("it failed", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), e);
        *out = WEXITSTATUS(status) == 0 ? SCAN_CLEAN : SCAN_INFECTED;
        return true;
}
