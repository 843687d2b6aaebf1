/* bench/timers.c -- the scheduler under load: so many timers wait, some of them fall due within a minute; how late they run.
 * Then as many at once, as after a time in which nothing ran, beside one loop that takes timers away and writes their events,
 * 64 a transaction.
 *
 * bench_timers DSN [WAITING [DUE [SECONDS]]]     an empty store; prints one line of JSON
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "capabilities.h"
#include "store/store.h"
#include "task/task.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { A_TRANSACTION = 64, FILL = 1000, WAIT_MORE_SECONDS = 600 };

static void die(const char *what)
{
        fprintf(stderr, "bench_timers: %s\n", what);
        exit(1);
}

struct bench {
        struct store *store;
        atomic_size_t ran;
        size_t due;
        int64_t *late; /* microseconds, of each timer run */
};

/* --- filling ----------------------------------------------------------------------------------------------------------------- */

struct fill {
        const char *kind;
        int64_t first, n, from, step; /* keys first.., the instant of the first, between two */
};

static bool fill_some(struct tx *tx, void *ctx, struct err *e)
{
        const struct fill *f = ctx;
        char key[24];
        for (int64_t i = 0; i < f->n; i++) {
                (void)snprintf(key, sizeof key, "%lld", (long long)(f->first + i));
                if (!timer_set(tx, f->kind, key, f->from + (f->first + i) * f->step, NULL, e))
                        return false;
        }
        return true;
}

static void fill(struct store *s, const char *kind, int64_t n, int64_t from, int64_t step)
{
        struct err e;
        for (int64_t i = 0; i < n; i += FILL)
                if (!store_write(s, fill_some, &(struct fill){kind, i, n - i < FILL ? n - i : FILL, from, step}, &e))
                        die(e.text);
}

/* --- what a timer does: as a clock of a case that warns, it writes an event ------------------------------------------------- */

static bool put_event(struct tx *tx, void *ctx, struct err *e)
{
        return outbox_put(tx, "warning", ctx, "{\"number\":\"SZPS202611290000000001\",\"clock\":\"handle\",\"unit\":\"north\"}",
                          clock_now(), e);
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct bench *b = ctx;
        char key[24];
        (void)snprintf(key, sizeof key, "%s", timer->key);
        if (!store_write(b->store, put_event, key, e))
                return false;
        const size_t i = atomic_fetch_add(&b->ran, 1);
        if (i < b->due)
                b->late[i] = now - timer->due;
        return true;
}

static const struct timer_kind minute = {.name = "bench-due", .about = "Falls due.", .run = run};
static const struct timer_kind waiting = {.name = "bench-wait", .about = "Waits.", .run = run};

static int by_size(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

/* Runs what is due until all has run; seconds it took from `from` on. */
static double serve(struct bench *b, size_t due, int64_t from)
{
        static const struct timer_kind *const kinds[] = {&minute, &waiting, NULL};
        const struct scheduler_options options = {.store = b->store, .kinds = kinds, .ctx = b};
        struct scheduler *s;
        struct err e;
        atomic_store(&b->ran, 0);
        b->due = due;
        if (!scheduler_start(&s, &options, &e))
                die(e.text);
        while (atomic_load(&b->ran) < due && clock_now() < from + WAIT_MORE_SECONDS * USEC_SECOND)
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        const double seconds = (double)(clock_now() - from) / 1e6;
        scheduler_stop(&s);
        if (atomic_load(&b->ran) != due)
                die("not every timer ran once");
        qsort(b->late, due, sizeof *b->late, by_size);
        return seconds;
}

/* --- the raw limit ------------------------------------------------------------------------------------------------------------ */

static bool clear_some(struct tx *tx, void *ctx, struct err *e)
{
        const struct fill *f = ctx;
        char key[24];
        for (int64_t i = 0; i < f->n; i++) {
                (void)snprintf(key, sizeof key, "%lld", (long long)(f->first + i));
                if (!put_event(tx, key, e) || !timer_clear(tx, f->kind, key, e))
                        return false;
        }
        return true;
}

static double raw(struct store *s, int64_t n)
{
        struct err e;
        fill(s, minute.name, n, clock_now(), 0);
        const int64_t from = clock_steady();
        for (int64_t i = 0; i < n; i += A_TRANSACTION)
                if (!store_write(s, clear_some, &(struct fill){minute.name, i, n - i < A_TRANSACTION ? n - i : A_TRANSACTION, 0, 0},
                                 &e))
                        die(e.text);
        return (double)n * 1e6 / (double)(clock_steady() - from);
}

int main(int argc, char **argv)
{
        int64_t all = 1000000, due = 100000, seconds = 60;
        struct store_options o = {.dsn = argc > 1 ? argv[1] : NULL, .migrations = all_migrations};
        struct bench b = {0};
        struct err e;
        if (argc < 2 || (argc > 2 && !text_to_int(argv[2], &all)) || (argc > 3 && !text_to_int(argv[3], &due))
            || (argc > 4 && !text_to_int(argv[4], &seconds)))
                die("use: bench_timers DSN [WAITING [DUE [SECONDS]]]");
        log_least(LOG_ERROR);
        b.late = calloc((size_t)due, sizeof *b.late);
        if (!b.late || !store_open(&b.store, &o, &e))
                die(b.late ? e.text : "memory");
        fill(b.store, waiting.name, all, clock_now() + USEC_DAY, USEC_SECOND);
        const int64_t begin = clock_now() + 20 * USEC_SECOND + due * 100; /* by then they are there */
        fill(b.store, minute.name, due, begin, seconds * USEC_SECOND / due);
        if (clock_now() > begin)
                die("filling took too long");
        (void)serve(&b, (size_t)due, begin);
        const int64_t half = due / 2, most = due * 99 / 100;
        const double p50 = (double)b.late[half] / 1e3, p99 = (double)b.late[most] / 1e3, worst = (double)b.late[due - 1] / 1e3;
        fill(b.store, minute.name, due, clock_now(), 0);
        const double rate = (double)due / serve(&b, (size_t)due, clock_now()), limit = raw(b.store, due);
        printf("{\"waiting\":%lld,\"due\":%lld,\"seconds\":%lld,\"late_p50_ms\":%.0f,\"late_p99_ms\":%.0f,\"late_worst_ms\":%.0f,"
               "\"rate\":%.0f,\"raw\":%.0f,\"ratio\":%.2f}\n",
               (long long)all, (long long)due, (long long)seconds, p50, p99, worst, rate, limit, rate / limit);
        store_close(&b.store);
        free(b.late);
        return 0;
}
