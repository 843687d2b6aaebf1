/* exchange/exchange_test.c -- messages and signatures; words and settings; the queue keeps each case's order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/moves.h"
#include "exchange/rows.h"
#include "notify/notify.h"
#include "store/store.h"
#include "store/testing.h"
#include <unistd.h>

#define NOW (INT64_C(1790000000) * USEC_SECOND)

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

/* --- messages ---------------------------------------------------------------------------------------------------------------- */
static void a_message_says_the_same_when_read_again(void **state)
{
        struct arena *a = arena_new();
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        struct exchange_message m, again;
        struct err e;
        (void)state;
        m = (struct exchange_message){.number = "CS1",
                                      .peer_number = "QX1",
                                      .revision = 7,
                                      .seen = 3,
                                      .status = "handled",
                                      .at = NOW,
                                      .result = "done \"well\"",
                                      .has_case = true};
        m.told = (struct told_case){.text = "路灯", .urgent = true, .has_point = true, .point = {114.3, 22.7}, .occurred = NOW - 1};
        exchange_message_write(&m, &j);
        ok(exchange_message_parse(a, b.at, b.length, &again, &e), &e);
        assert_string_equal(again.number, "CS1");
        assert_string_equal(again.peer_number, "QX1");
        assert_string_equal(again.result, m.result);
        assert_null(again.reason);
        assert_true(again.revision == 7 && again.seen == 3 && again.at == NOW && again.has_case && again.told.urgent);
        assert_true(again.told.occurred == NOW - 1 && again.told.has_point && again.told.point.lat == 22.7);
        buf_free(&b);
        arena_free(&a);
}

static void a_bad_message_is_refused_by_field(void **state)
{
        static const struct {
                const char *text, *field;
        } bad[] = {
                {"{\"revision\":1,\"seen\":0,\"status\":\"x\",\"at\":\"2026-11-30T00:00:00Z\"}", "number"},
                {"{\"number\":\"a\",\"revision\":-1,\"seen\":0,\"status\":\"x\",\"at\":\"2026-11-30T00:00:00Z\"}", "revision"},
                {"{\"number\":\"a\",\"revision\":1,\"seen\":0,\"status\":\"x y\",\"at\":\"2026-11-30T00:00:00Z\"}", "status"},
                {"{\"number\":\"a\",\"revision\":1,\"seen\":0,\"status\":\"x\",\"at\":\"1970-01-01T00:00:00Z\"}", "at"},
                {"{\"number\":\"a\",\"revision\":1,\"seen\":0,\"status\":\"x\",\"at\":\"2026-11-30T00:00:00Z\",\"case\":{}}",
                 "case.text"},
                {"{\"number\":\"a\",\"revision\":1,\"seen\":0,\"status\":\"x\",\"at\":\"2026-11-30T00:00:00Z\",\"more\":1}",
                 "more"},
        };
        struct arena *a = arena_new();
        struct exchange_message m;
        struct exchange_answer x;
        struct err e;
        (void)state;
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                assert_false(exchange_message_parse(a, bad[i].text, strlen(bad[i].text), &m, &e));
                assert_true(e.kind == ERR_INVALID);
                assert_string_equal(e.field, bad[i].field);
        }
        assert_false(exchange_answer_parse(a, "{}", 2, &x, &e));
        assert_false(exchange_answer_parse(a, "<html>", 6, &x, &e));
        arena_free(&a);
}

static void only_the_right_signature_of_now_passes(void **state)
{
        char header[100];
        struct err e;
        (void)state;
        webhook_signature("secret", "{}", NOW, header);
        ok(exchange_signature_check(header, "secret", "{}", NOW + 299 * USEC_SECOND, &e), &e);
        ok(exchange_signature_check(header, "secret", "{}", NOW - 299 * USEC_SECOND, &e), &e);
        assert_false(exchange_signature_check(header, "secret", "{}", NOW + 301 * USEC_SECOND, &e));
        assert_true(e.kind == ERR_DENIED);
        assert_false(exchange_signature_check(header, "secret", "{} ", NOW, &e));
        assert_false(exchange_signature_check(header, "other", "{}", NOW, &e));
        assert_false(exchange_signature_check(NULL, "secret", "{}", NOW, &e));
        assert_false(exchange_signature_check("t=9223372036854775807,v1=", "secret", "{}", NOW, &e));
        header[strlen(header) - 1] ^= 1;
        assert_false(exchange_signature_check(header, "secret", "{}", NOW, &e));
}

/* --- words ------------------------------------------------------------------------------------------------------------------- */
static void a_move_has_the_word_before_its_state(void **state)
{
        struct status statuses[] = {{.out = true, .ours = "handling", .word = "handling"},
                                    {.out = true, .ours = "rework", .word = "again"},
                                    {.word = "accepted", .rule = RULE_ASK}};
        const struct peer p = {.code = "d", .unit = "north", .out = true, .statuses = statuses, .n_statuses = 3};
        const struct peers all = {(struct peer *)&p, 1};
        struct err e;
        (void)state;
        assert_string_equal(peer_word(&p, "rework", "handling", false), "again");
        assert_string_equal(peer_word(&p, "handle", "handling", false), "handling");
        assert_null(peer_word(&p, "handle", "handling", true));
        assert_null(peer_word(&p, "sign", "signed", false));
        assert_ptr_equal(peer_status(&p, "accepted", &e), &statuses[2]);
        assert_ptr_equal(peer_status(&p, "again", &e), &statuses[1]); /* ours, said back */
        assert_null(peer_status(&p, "frozen", &e));
        assert_non_null(strstr(e.text, "known are: accepted"));
        assert_ptr_equal(peer_of_unit(&all, "north"), &p);
        assert_null(peer_of_unit(&all, "south"));
        assert_null(peer_find(NULL, "d"));
}

static void peers_are_read_from_the_settings(void **state)
{
        char secret[] = "/tmp/yiwang-secret-XXXXXX", text[400];
        struct arena *a = arena_new();
        struct exchange_settings s = {.n = 0};
        struct err e = {0};
        const int fd = mkstemp(secret);
        (void)state;
        assert_true(fd >= 0 && write(fd, "0123456789abcdef\n", 17) == 17);
        (void)close(fd);
        (void)snprintf(text, sizeof text, "d:\n  url: https://d.example/x\n  secret_file: %s\n", secret);
        ok(exchange_peers_parse(a, "p.yaml", text, strlen(text), &s, &e), &e);
        assert_int_equal(s.n, 1);
        assert_string_equal(s.peers[0].secret, "0123456789abcdef");
        assert_null(s.peers[0].key);
        static const char *const bad[] = {"d:\n  url: ftp://d\n",
                                          "d:\n  url: http://d\n",
                                          "d:\n  secret_file: /nowhere\n",
                                          "d:\n  what: x\n",
                                          "d: x\n",
                                          "- d\n"};
        static const char *const says[] = {"p.yaml:2: url must",
                                           "p.yaml:1: needs url and secret_file",
                                           "p.yaml:2: cannot read /nowhere",
                                           "p.yaml:2: unknown",
                                           "p.yaml:1: needs",
                                           "p.yaml: write CODE"};
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                assert_false(exchange_peers_parse(a, "p.yaml", bad[i], strlen(bad[i]), &s, &e));
                assert_non_null(strstr(e.text, says[i]));
                assert_true(e.zh[0]);
        }
        (void)unlink(secret);
        arena_free(&a);
}

/* --- the queue --------------------------------------------------------------------------------------------------------------- */
struct doing {
        struct arena *arena;
        int64_t id, case_id, revision, now;
        struct queued queued;
        int found;
        bool lost;
};

static bool put(struct tx *tx, void *ctx, struct err *e)
{
        const struct doing *d = ctx;
        return queue_put(tx, d->id, &(struct link){.peer = "d", .case_id = d->case_id, .sent = d->revision}, "{}", d->now, e);
}

static bool take(struct tx *tx, void *ctx, struct err *e)
{
        struct doing *d = ctx;
        d->found = queue_take(tx, d->arena, "d", d->now, d->now + USEC_MINUTE, &d->queued, e);
        return d->found >= 0;
}

static bool settle(struct tx *tx, void *ctx, struct err *e)
{
        struct doing *d = ctx;
        return queue_settle(tx, &d->queued, "sent", "", d->now, &d->lost, e);
}

static bool forget(struct tx *tx, void *ctx, struct err *e)
{
        const struct doing *d = ctx;
        return queue_forget(tx, "d", d->now - 90 * USEC_DAY, e);
}

static bool rest(struct tx *tx, void *ctx, struct err *e)
{
        const struct doing *d = ctx;
        return queue_rest(tx, "d", &d->queued, "away", d->now + USEC_HOUR, e);
}

static void done(struct store *s, tx_fn *fn, struct doing *d)
{
        struct err e;
        ok(store_write(s, fn, d, &e), &e);
}

static void order_is_kept(struct store *s)
{
        struct doing d = {.arena = arena_new(), .now = NOW};
        static const int64_t puts[][3] = {{1, 10, 1}, {2, 10, 2}, {3, 20, 1}};
        for (size_t i = 0; i < COUNT_OF(puts); i++) {
                d.id = puts[i][0];
                d.case_id = puts[i][1];
                d.revision = puts[i][2];
                done(s, put, &d);
        }
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM timer WHERE kind = 'exchange-send' AND key = 'd'"), 1);
        done(s, take, &d);
        assert_true(d.found == 1 && d.queued.id == 1);
        const struct queued first = d.queued;
        done(s, take, &d);
        assert_true(d.found == 1 && d.queued.id == 3); /* not 2: 1 of the same case is on its way */
        done(s, settle, &d);
        assert_false(d.lost);
        done(s, take, &d);
        assert_int_equal(d.found, 0);
        d.now += 2 * USEC_MINUTE; /* whoever had 1 has died */
        done(s, take, &d);
        assert_true(d.found == 1 && d.queued.id == 1);
        const struct queued again = d.queued;
        d.queued = first;
        done(s, settle, &d);
        assert_true(d.lost);
        d.queued = again;
        done(s, rest, &d);
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM exchange_message WHERE state = 'waiting' AND tries = 1"), 1);
        done(s, take, &d);
        assert_int_equal(d.found, 0); /* the peer rests, with all that waits for it */
        d.now += USEC_HOUR;
        done(s, take, &d);
        assert_true(d.found == 1 && d.queued.id == 1 && d.queued.tries == 1);
        done(s, settle, &d);
        done(s, take, &d);
        assert_true(d.found == 1 && d.queued.id == 2);
        done(s, forget, &d);
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM exchange_message"), 3);
        d.now += 90 * USEC_DAY - USEC_MINUTE; /* 3 was taken longer ago than that; 1 was not, and 2 still waits */
        done(s, forget, &d);
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM exchange_message WHERE id IN (1, 2)"), 2);
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM exchange_message"), 2);
        arena_free(&d.arena);
}

static void order_test(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct store *s;
                assert_true(test_store_open(&s, pg, test_migrations(all_migrations, "task exchange", NULL)));
                order_is_kept(s);
                store_close(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_message_says_the_same_when_read_again), cmocka_unit_test(a_bad_message_is_refused_by_field),
                cmocka_unit_test(only_the_right_signature_of_now_passes),  cmocka_unit_test(a_move_has_the_word_before_its_state),
                cmocka_unit_test(peers_are_read_from_the_settings),        cmocka_unit_test(order_test),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
