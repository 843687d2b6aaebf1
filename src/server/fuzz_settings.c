/* server/fuzz_settings.c -- the settings file: numbers within their bounds, needed texts there, or a sentence that names
 * the file. */
#include "base/arena.h"
#include "base/text.h"
#include "server/settings.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_settings(const struct settings *s)
{
        assert(s->port >= 0 && s->port <= 65535 && s->workers >= 1 && s->workers <= 1024 && s->queue >= 1);
        assert(s->store_readers >= 1 && s->store_readers <= 256 && s->store_writers >= 1 && s->store_writers <= 256);
        assert(!text_empty(s->data) && !text_empty(s->address) && !text_empty(s->notify.from));
        assert(text_is(s->language, "zh") || text_is(s->language, "en"));
        assert(s->notify.n_webhooks <= 1 && (s->notify.n_webhooks == 0 || s->notify.webhooks[0].secret));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct settings s;
        struct err e = {0};
        const int fd = memfd_create("settings", MFD_CLOEXEC);
        /* Secrets are files: names in the input must not lead to a terminal or a pipe. */
        if (n && memmem(bytes, n, "/dev/", 5))
                n = 0;
        assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
        struct arena *a = arena_new();
        if (settings_read(a, arena_format(a, "/proc/self/fd/%d", fd), NULL, NULL, &s, &e))
                check_settings(&s);
        else
                assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        (void)close(fd);
        arena_free(&a);
        return 0;
}
