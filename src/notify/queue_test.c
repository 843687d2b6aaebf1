/* notify/queue_test.c -- messages are put in once, taken under a lease by one at a time, and end with a fate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "notify/contact.h"
#include "notify/queue.h"
#include "store/store.h"
#include "store/testing.h"

#define NOW (INT64_C(1764000000) * USEC_SECOND)
static const struct lane_name sms = {MEDIUM_SMS, TARGET_REPORTER}, hook = {MEDIUM_WEBHOOK, "http://x"};

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

struct putting {
        const struct message *message;
        bool added;
};

static bool put(struct tx *tx, void *ctx, struct err *e)
{
        struct putting *p = ctx;
        return message_put(tx, p->message, &p->added, e);
}

static bool added(struct store *s, const struct message *m)
{
        struct putting p = {.message = m};
        struct err e;
        ok(store_write(s, put, &p, &e), &e);
        return p.added;
}

static struct message message(int64_t id)
{
        return (struct message){.id = id,
                                .event = {1, id},
                                .medium = MEDIUM_SMS,
                                .target = TARGET_REPORTER,
                                .number = "N1",
                                .topic = "reply",
                                .language = "zh",
                                .report = 7,
                                .title = "",
                                .body = "text",
                                .recipient = "",
                                .same = "",
                                .created = NOW,
                                .not_before = NOW + id,
                                .expires = NOW + USEC_HOUR,
                                .secret = "sealed",
                                .secret_n = 6};
}

static size_t taken(struct store *s, struct arena *a, const struct lane_name *lane, int64_t now, int most, struct message **out)
{
        struct err e;
        size_t n;
        ok(messages_take(s, a, lane, now, now + USEC_MINUTE, most, out, &n, &e), &e);
        return n;
}

static void the_same_is_put_in_once(struct store *s)
{
        struct message m = message(1), other = message(2), third = message(3);
        assert_true(added(s, &m));
        m.id = 9;
        assert_false(added(s, &m)); /* the event read again */
        m.report = 8;
        assert_true(added(s, &m)); /* another reporter of the case */
        other.recipient = third.recipient = "who";
        other.same = third.same = "what";
        assert_true(added(s, &other));
        assert_false(added(s, &third)); /* another event says the same to the same person */
        third.same = "something else";
        assert_true(added(s, &third));
        struct message later = message(4);
        later.recipient = "who";
        later.same = "what";
        later.created = NOW + 11 * USEC_MINUTE;
        assert_true(added(s, &later));
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM message"), 5);
        struct message page = message(5);
        page.medium = MEDIUM_WEB;
        assert_true(added(s, &page));
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM message WHERE medium = 'web' AND state = 'sent'"), 1);
}

static void a_lease_is_one_senders(struct store *s)
{
        struct arena *a = arena_new();
        struct message *at, *more;
        struct err e;
        int64_t due;
        for (int64_t i = 1; i <= 5; i++) {
                struct message m = message(i);
                assert_true(added(s, &m));
        }
        ok(messages_next(s, &hook, &due, &e), &e);
        assert_int_equal(due, INT64_MAX);
        assert_int_equal(taken(s, a, &hook, NOW + USEC_SECOND, 3, &at), 0);
        ok(messages_next(s, &sms, &due, &e), &e);
        assert_int_equal(due, NOW + 1);
        assert_int_equal(taken(s, a, &sms, NOW + 3, 9, &at), 3); /* the others are not due */
        assert_int_equal(taken(s, a, &sms, NOW + 5, 9, &more), 2);
        assert_int_equal(taken(s, a, &sms, NOW + 5, 9, &more), 0);
        assert_string_equal(at[0].body, "text");
        assert_int_equal(at[0].secret_n, 6);
        assert_int_equal(at[0].report, 7);
        /* The first sender dies; another takes over, and what the first says then counts no more. */
        assert_int_equal(taken(s, a, &sms, NOW + 2 * USEC_MINUTE, 9, &more), 5);
        ok(message_settle(s, &at[0], FATE_SENT, "", NOW, &e), &e);
        ok(message_put_off(s, &at[1], NOW, true, "late", &e), &e);
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM message WHERE state = 'waiting' AND tries = 0"), 5);
        arena_free(&a);
}

static void every_message_has_a_fate(struct store *s)
{
        struct arena *a = arena_new();
        struct message *at;
        struct err e;
        int64_t waiting;
        int n;
        for (int64_t i = 1; i <= 4; i++) {
                struct message m = message(i);
                assert_true(added(s, &m));
        }
        assert_int_equal(taken(s, a, &sms, NOW + USEC_SECOND, 9, &at), 4);
        ok(message_settle(s, &at[0], FATE_SENT, "", NOW + 5, &e), &e);
        ok(message_settle(s, &at[1], FATE_REFUSED, "no such number", NOW + 5, &e), &e);
        ok(message_put_off(s, &at[2], NOW + USEC_MINUTE, true, "busy", &e), &e);
        ok(messages_waiting(s, MEDIUM_SMS, &waiting, &e), &e);
        assert_int_equal(waiting, 2);
        assert_int_equal(test_number(s, "SELECT sent_at FROM message WHERE state = 'sent' AND secret IS NULL AND tries = 1"),
                         NOW + 5);
        assert_int_equal(
                test_number(s, "SELECT COUNT(*) FROM message WHERE state = 'refused' AND error = 'no such number' AND sent_at = 0"),
                1);
        ok(messages_expire(s, NOW + USEC_HOUR - 1, &n, &e), &e);
        assert_int_equal(n, 0);
        ok(messages_expire(s, NOW + USEC_HOUR, &n, &e), &e);
        assert_int_equal(n, 2);
        assert_int_equal(test_number(s, "SELECT COUNT(*) FROM message WHERE state = 'gave_up' AND error = 'busy'"), 1);
        ok(messages_waiting(s, MEDIUM_SMS, &waiting, &e), &e);
        assert_int_equal(waiting, 0);
        arena_free(&a);
}

/* Each takes one: no message is taken twice, however many there are. */
static void many_are_taken_in_order(struct store *s)
{
        struct arena *a = arena_new();
        struct message *at;
        int64_t last = 0, all = 0;
        for (int64_t i = 1; i <= 300; i++) {
                struct message m = message(i);
                m.not_before = NOW + (i * 37) % 300; /* distinct */
                assert_true(added(s, &m));
        }
        for (size_t n; (n = taken(s, a, &sms, NOW + USEC_SECOND, 8, &at)) > 0; all += (int64_t)n)
                for (size_t i = 0; i < n; i++) {
                        const int64_t due = (at[i].id * 37) % 300;
                        assert_true(all == 0 || due >= last / 8 * 8); /* by eights; within them RETURNING has no order */
                        last = due;
                }
        assert_int_equal(all, 300);
        arena_free(&a);
}

static void on_both(void (*test)(struct store *))
{
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct store *s;
                assert_true(test_store_open(&s, pg, all_migrations));
                test(s);
                store_close(&s);
        }
}

static void an_address_is_masked(void **state)
{
        struct arena *a = arena_new();
        (void)state;
        assert_string_equal(contact_masked(a, "13800138000"), "*******8000");
        assert_string_equal(contact_masked(a, "wang@example.org"), "w***@example.org");
        arena_free(&a);
}

static void put_test(void **state)
{
        (void)state;
        on_both(the_same_is_put_in_once);
}
static void lease_test(void **state)
{
        (void)state;
        on_both(a_lease_is_one_senders);
}
static void fate_test(void **state)
{
        (void)state;
        on_both(every_message_has_a_fate);
}
static void order_test(void **state)
{
        (void)state;
        on_both(many_are_taken_in_order);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_is_masked), cmocka_unit_test(put_test),
                cmocka_unit_test(lease_test),           cmocka_unit_test(fate_test),
                cmocka_unit_test(order_test),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
