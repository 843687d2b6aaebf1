/* test/faults/fail_alloc.c -- for LD_PRELOAD: once armed, the n-th allocation of the program gives NULL, as when memory is out.
 *
 * The file named by FAIL_ALLOC holds two numbers, read when the program gets SIGUSR2: which allocation fails, counted from then
 * on over all threads, and how many fail in a row.  0 disarms.  It is read at the program's start, too.  After the failure, or when it is disarmed, the number of
 * allocations seen is written into FAIL_ALLOC.seen, followed by "failed" or "whole".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long seen, first, last; /* fails: first <= seen < last */
static atomic_bool armed, failed;
static char plan[4096], told[4096], crash[4096];

/* Only what may be called in a signal handler. */
static void tell(void)
{
        char text[40];
        size_t n = sizeof text;
        long count = atomic_load(&seen);
        const char *word = atomic_load(&failed) ? " failed\n" : " whole\n";
        n -= strlen(word);
        memcpy(text + n, word, strlen(word));
        do
                text[--n] = (char)('0' + count % 10);
        while ((count /= 10) > 0);
        int f = open(told, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (f >= 0) {
                ssize_t written = write(f, text + n, sizeof text - n);
                (void)written;
                (void)close(f);
        }
}

static void read_plan(int number)
{
        const int kept = errno;
        char text[64] = "";
        (void)number;
        int f = open(plan, O_RDONLY | O_CLOEXEC);
        if (f >= 0) {
                ssize_t n = read(f, text, sizeof text - 1);
                text[n > 0 ? n : 0] = '\0';
                (void)close(f);
        }
        char *end;
        long at = strtol(text, &end, 10), times = strtol(end, NULL, 10);
        if (at <= 0) {
                atomic_store(&armed, false);
                tell();
        } else {
                atomic_store(&seen, 0);
                atomic_store(&failed, false);
                atomic_store(&first, at);
                atomic_store(&last, at + (times > 0 ? times : 1));
                atomic_store(&armed, true);
                (void)unlink(told);
        }
        errno = kept;
}

/* Whose fault a crash is: the first of the callers that is neither libc nor this library; written into FAIL_ALLOC.crash. */
static void crashed(int number)
{
        void *at[48];
        Dl_info where;
        const int n = backtrace(at, 48);
        for (int i = 0; i < n; i++) {
                if (!dladdr(at[i], &where) || !where.dli_fname)
                        continue;
                const char *name = strrchr(where.dli_fname, '/');
                name = name ? name + 1 : where.dli_fname;
                if (strncmp(name, "libc.so", 7) == 0 || strncmp(name, "fail_alloc", 10) == 0)
                        continue;
                const int f = open(crash, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                if (f >= 0) {
                        const ssize_t written = write(f, name, strlen(name));
                        (void)written;
                        (void)close(f);
                }
                break;
        }
        (void)signal(number, SIG_DFL); /* the faulty instruction runs again, and ends the program */
}

__attribute__((constructor)) static void begin(void)
{
        const char *path = getenv("FAIL_ALLOC");
        if (!path)
                return;
        (void)snprintf(plan, sizeof plan, "%s", path);
        (void)snprintf(told, sizeof told, "%.4000s.seen", path);
        (void)snprintf(crash, sizeof crash, "%.4000s.crash", path);
        void *warm[4];
        (void)backtrace(warm, 4); /* it loads a library the first time */
        (void)signal(SIGSEGV, crashed);
        (void)signal(SIGBUS, crashed);
        struct sigaction act = {.sa_handler = read_plan, .sa_flags = SA_RESTART};
        (void)sigaction(SIGUSR2, &act, NULL);
        read_plan(0);
}

static bool fails(void)
{
        if (!atomic_load(&armed))
                return false;
        const long n = atomic_fetch_add(&seen, 1) + 1;
        if (n < atomic_load(&first) || n >= atomic_load(&last))
                return false;
        if (!atomic_exchange(&failed, true))
                tell();
        errno = ENOMEM;
        return true;
}

void *malloc(size_t n)
{
        return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t each)
{
        return fails() ? NULL : __libc_calloc(n, each);
}

void *realloc(void *old, size_t n)
{
        return fails() ? NULL : __libc_realloc(old, n);
}

void *aligned_alloc(size_t align, size_t n)
{
        return fails() ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
        if (fails())
                return ENOMEM;
        *out = __libc_memalign(align, n);
        return *out ? 0 : ENOMEM;
}
