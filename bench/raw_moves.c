/* bench/raw_moves.c -- the raw limit of moves: the rows a move writes, written by one loop, 64 moves a transaction, without HTTP,
 * JSON, guards or the chain of digests.
 *
 * bench_raw_moves DSN MOVES      a store that a run of the server has left; prints one line of JSON
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "capabilities.h"
#include "store/store.h"
#include "task/task.h"
#include <stdio.h>
#include <stdlib.h>

static const char SQL_CASES[] = "SELECT id FROM cases ORDER BY id DESC LIMIT $1";
static const char SQL_STATE[] =
        "UPDATE cases SET state = 'handling', unit = unit, item = item, due = due + 1, late = 0, seq = $2, tip = $3"
        " WHERE id = $1";
static const char SQL_HISTORY[] =
        "INSERT INTO history(subject, seq, lane, ordinal, move, origin, dest, actor, role, unit, form, at, hash)"
        " VALUES ($1, $2, -1, 0, 'handle', 'signed', 'handling', 'admin', 'admin', '',"
        " '{\"due\":\"2026-11-30T12:00:00+08:00\"}', $3, $4)";
static const char SQL_CLOCK[] = "UPDATE case_clock SET state = 'met', ended_at = $2, warn_at = warn_at, due = due, remaining = 0"
                                " WHERE case_id = $1 AND clock = 'contact' AND round = 1";
static const char TOLD[] =
        "{\"number\":\"SZPS202611290000000001\",\"track\":\"ABCDEFGHJKLM\",\"move\":\"handle\",\"state\":\"handling\","
        "\"unit\":\"pingshan-water\",\"area\":\"440310001001\",\"at\":\"2026-11-29T12:00:00.000000+08:00\"}";

enum { A_TRANSACTION = 64 };

static void die(const char *what)
{
        fprintf(stderr, "bench_raw_moves: %s\n", what);
        exit(1);
}

struct cases {
        int64_t *ids;
        size_t n, room;
};
struct part {
        const int64_t *ids;
        size_t n;
        int64_t seq;
};

static bool read_ids(struct tx *tx, void *ctx, struct err *e)
{
        struct cases *c = ctx;
        struct rows r;
        c->n = 0;
        if (!tx_rows(tx, &r, e, SQL_CASES, ARGS(V((int64_t)c->room))))
                return false;
        while (c->n < c->room && rows_next(&r))
                c->ids[c->n++] = rows_int(&r, 0);
        return rows_done(&r, e);
}

static bool one(struct tx *tx, int64_t id, int64_t seq, struct err *e)
{
        static const unsigned char hash[32] = {1, 2, 3};
        const int64_t now = clock_now();
        char key[24];
        (void)snprintf(key, sizeof key, "%lld", (long long)id);
        return tx_send(tx, e, SQL_CLOCK, ARGS(V(id), V(now))) && timer_set(tx, "case-clock", key, now + USEC_DAY, NULL, e)
               && tx_send(tx, e, SQL_HISTORY, ARGS(V(id), V(seq), V(now), V_BLOB(hash, sizeof hash)))
               && tx_send(tx, e, SQL_STATE, ARGS(V(id), V(seq), V_BLOB(hash, sizeof hash)))
               && outbox_put(tx, "case", "SZPS202611290000000001", TOLD, now, e);
}

static bool some(struct tx *tx, void *ctx, struct err *e)
{
        const struct part *p = ctx;
        for (size_t i = 0; i < p->n; i++)
                if (!one(tx, p->ids[i], p->seq, e))
                        return false;
        return true;
}

int main(int argc, char **argv)
{
        int64_t moves;
        struct store *s;
        struct err e;
        if (argc != 3 || !text_to_int(argv[2], &moves) || moves < 1)
                die("use: bench_raw_moves DSN MOVES");
        log_least(LOG_ERROR);
        struct cases c = {.ids = calloc((size_t)moves, sizeof *c.ids), .room = (size_t)moves};
        if (!c.ids || !store_open(&s, &(struct store_options){.dsn = argv[1], .migrations = all_migrations}, &e)
            || !store_read(s, read_ids, &c, &e))
                die(c.ids ? e.text : "memory");
        if (c.n == 0)
                die("the store has no case");
        const int64_t from = clock_steady();
        int64_t done = 0;
        for (int64_t round = 0; done < moves; round++)
                for (size_t i = 0; i < c.n && done < moves; i += A_TRANSACTION) {
                        const struct part p = {c.ids + i, c.n - i < A_TRANSACTION ? c.n - i : A_TRANSACTION, 1000 + round};
                        if (!store_write(s, some, (void *)&p, &e))
                                die(e.text);
                        done += (int64_t)p.n;
                }
        printf("{\"moves\":%lld,\"rate\":%.1f}\n", (long long)done, (double)done * 1e6 / (double)(clock_steady() - from));
        store_close(&s);
        free(c.ids);
        return 0;
}
