/* intake/intake_test.c -- the walk of a report on both engines: told once, kept whatever fails, with the right unit at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/role.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "cases/cases.h"
#include "cases/view.h"
#include "catalogue/catalogue.h"
#include "district/testing.h"
#include "intake/channels.h"
#include "intake/intake.h"
#include "intake/keep.h"
#include "json/json.h"
#include "ledger/ledger.h"
#include "pack/testing.h"
#include "people/people.h"
#include "privacy/privacy.h"
#include "routing/routing.h"
#include "store/store.h"
#include "store/testing.h"
#include "task/task.h"
#include "twin/twin.h"
#include <pthread.h>

static const struct pack_part *const all_parts[] = {&people_pack,  &calendar_pack, &catalogue_pack, &twin_pack,
                                                    &routing_pack, &cases_pack,    &intake_pack,    NULL};
static const struct rulebook_readers readers = {.workflows = workflows_load, .channels = channels_load};
static const char *const reports = "SELECT COUNT(*) FROM report", *const cases = "SELECT COUNT(*) FROM cases",
                         *const queued = "SELECT COUNT(*) FROM intake_queue", *const timers = "SELECT COUNT(*) FROM timer",
                         *const events = "SELECT COUNT(*) FROM outbox", *const history = "SELECT COUNT(*) FROM history",
                         *const reporters = "SELECT COUNT(*) FROM reporter";

struct world {
        struct district district;
        struct store *store;
        struct arena *arena;
        int64_t now;
};

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

static int64_t at(const char *text)
{
        int64_t instant;
        assert_true(time_parse(text, ZONE_SHANGHAI, &instant));
        return instant;
}

static struct report rubbish(const char *external_id)
{
        return (struct report){.channel = "hotline",
                               .external_id = external_id,
                               .text = "门口有一堆垃圾\n请处理",
                               .item = "010102",
                               .has_point = true,
                               .point = {114.15, 22.3},
                               .property = "complaint",
                               .name = "张三",
                               .phone = "13800000000"};
}

static struct receipt accepted(struct world *w, const struct report *r)
{
        struct receipt receipt;
        struct err e;
        ok(intake_accept(&w->district, w->arena, r, w->now, &receipt, &e), &e);
        return receipt;
}

static int64_t count(struct world *w, const char *sql)
{
        return test_number(w->store, sql);
}

static void ledger_is_whole(struct world *w)
{
        struct ledger_verdict v;
        struct err e;
        ok(ledger_verify(w->store, NULL, NULL, NULL, &v, &e), &e);
        assert_string_equal(v.first, "");
}

/* Runs the one waiting retry; its fail_at-th statement fails (0: none). */
static bool retry(struct world *w, int fail_at, struct err *e)
{
        const int64_t id = count(w, "SELECT MIN(report_id) FROM intake_queue");
        assert_int_equal(count(w, "SELECT COUNT(*) FROM timer WHERE kind = 'intake-retry'"), 1);
        const struct timer t = {.kind = "intake-retry", .key = arena_format(w->arena, "%lld", (long long)id)};
        store_fail_at(w->store, fail_at);
        const bool good = intake_retry_timer.run(&w->district, &t, w->now, e);
        store_fail_at(w->store, 0);
        return good;
}

/* --- the plain walk -------------------------------------------------------------------------------------------------- */

static void a_report_gets_number_unit_and_due(struct world *w)
{
        const struct report r = rubbish("a-1");
        const struct receipt x = accepted(w, &r);
        assert_false(x.again);
        assert_int_equal(strncmp(x.number, "XY20261123090000", 16), 0);
        assert_int_equal(strlen(x.track), 12);
        assert_string_equal(x.state, "dispatched");
        assert_string_equal(x.item_code, "010102");
        assert_string_equal(x.item_name, "积存垃圾");
        assert_true(x.certainty == 1.0);
        assert_string_equal(x.unit_code, "north-law");
        assert_string_equal(x.unit_name, "北街道执法队");
        assert_int_equal(x.n_assists, 2);
        assert_string_equal(x.assist_codes[0], "city");
        assert_string_equal(x.assist_codes[1], "ecology");
        assert_int_equal(x.due, at("2026-11-24 09:00"));
        assert_int_equal(x.n_why, 2);
        assert_non_null(strstr(x.why[1], "routes.csv:4"));
        assert_non_null(strstr(x.why_zh[1], "北街道执法队"));
        struct case_detail d;
        struct err e;
        ok(case_read_track(w->store, w->arena, x.track, &d, &e), &e);
        assert_string_equal(d.view.number, x.number);
        assert_string_equal(d.view.title, "门口有一堆垃圾");
        assert_string_equal(d.view.property, "complaint");
        assert_string_equal(d.view.grid, "990101001002");
        assert_true(d.view.has_point && d.view.lon == 114.15 && d.view.lat == 22.3);
        assert_int_equal(d.view.due, x.due);
        assert_int_equal(d.view.id, count(w, "SELECT MAX(id) FROM report"));
        ledger_is_whole(w);
}

static void same_receipt(const struct receipt *a, const struct receipt *b)
{
        assert_string_equal(a->number, b->number);
        assert_string_equal(a->track, b->track);
        assert_string_equal(a->state, b->state);
        assert_true(text_is(a->item_code, b->item_code) && text_is(a->item_name, b->item_name));
        assert_true(a->certainty == b->certainty);
        assert_string_equal(a->unit_code, b->unit_code);
        assert_string_equal(a->unit_name, b->unit_name);
        assert_int_equal(a->due, b->due);
        assert_int_equal(a->n_assists, b->n_assists);
        for (size_t i = 0; i < a->n_assists; i++)
                assert_string_equal(a->assist_codes[i], b->assist_codes[i]);
        assert_int_equal(a->n_why, b->n_why);
        for (size_t i = 0; i < a->n_why; i++)
                assert_true(text_is(a->why[i], b->why[i]) && text_is(a->why_zh[i], b->why_zh[i]));
}

static void the_same_report_gets_the_same_receipt(struct world *w)
{
        struct report variants[] = {rubbish("b-1"), rubbish("b-2"), rubbish("b-3")};
        variants[1].item = NULL;
        variants[2].item = "0301";
        variants[2].has_point = false;
        for (size_t i = 0; i < COUNT_OF(variants); i++) {
                const struct receipt first = accepted(w, &variants[i]);
                const int64_t before[] = {count(w, reports), count(w, cases),  count(w, history),
                                          count(w, events),  count(w, timers), count(w, reporters)};
                /* The case has moved on meanwhile: the receipt is still that of the first time. */
                struct err e;
                const struct mover clerk = {.name = "clerk", .role = ROLE_DISPATCHER};
                const char form[] = "{\"reason\": \"no\"}";
                if (text_is(first.state, "filed"))
                        ok(cases_move(&w->district, w->arena, first.number, "reject", &clerk,
                                      json_parse(w->arena, form, sizeof form - 1, &e), w->now, &e),
                           &e);
                w->now += USEC_DAY;
                const struct receipt again = accepted(w, &variants[i]);
                assert_true(again.again);
                same_receipt(&first, &again);
                const bool moved = text_is(first.state, "filed");
                assert_int_equal(count(w, reports), before[0]);
                assert_int_equal(count(w, cases), before[1]);
                assert_int_equal(count(w, history), before[2] + moved);
                assert_int_equal(count(w, reporters), before[5]);
                if (!moved) {
                        assert_int_equal(count(w, events), before[3]);
                        assert_int_equal(count(w, timers), before[4]);
                }
        }
        struct report other = rubbish("b-1");
        other.channel = "patrol"; /* the id belongs to its channel */
        assert_false(accepted(w, &other).again);
        other = rubbish(NULL);
        assert_false(accepted(w, &other).again);
        assert_false(accepted(w, &other).again);
        ledger_is_whole(w);
}

static void wrong_reports_are_refused_with_the_field(struct world *w)
{
        static const struct {
                const char *field;
                const char *says;
        } wanted[] = {
                {"channel", "post"}, {"property", "joke"},   {"text", ""},           {"occurred_at", "future"},
                {"item", "010101"},  {"location", "114.15"}, {"location.lat", "95"}, {"area_code", "990101001"},
        };
        struct report r[] = {rubbish("c"), rubbish("c"), rubbish("c"), rubbish("c"),
                             rubbish("c"), rubbish("c"), rubbish("c"), rubbish("c")};
        r[0].channel = "post";
        r[1].property = "joke";
        r[2].text = "";
        r[3].occurred = w->now + 2 * USEC_DAY;
        r[4].item = "010109";
        r[5].point = (struct point){22.3, 114.15};
        r[6].point = (struct point){114.15, 95};
        r[7].has_point = false;
        r[7].area_code = "990101009";
        for (size_t i = 0; i < COUNT_OF(r); i++) {
                struct receipt receipt;
                struct err e;
                assert_false(intake_accept(&w->district, w->arena, &r[i], w->now, &receipt, &e));
                assert_int_equal(e.kind, ERR_INVALID);
                assert_string_equal(e.field, wanted[i].field);
                assert_non_null(strstr(e.text, wanted[i].says));
                assert_true(*e.zh);
        }
        assert_int_equal(count(w, reports), 0);
}

static void a_report_of_the_past_counts_from_then(struct world *w)
{
        struct report r = rubbish("d-1");
        r.received = at("2026-03-02 10:00");
        const struct receipt x = accepted(w, &r);
        assert_int_equal(strncmp(x.number, "XY20260302100000", 16), 0);
        assert_int_equal(x.due, at("2026-03-03 10:00"));
        assert_int_equal(count(w, "SELECT created_at FROM cases"), r.received);
        assert_int_equal(count(w, "SELECT received_at FROM report"), r.received);
        /* The outbox forgets by the instant it was told, else who follows it would miss what is brought in later. */
        assert_true(count(w, "SELECT MIN(time) FROM outbox") > r.received);
}

static void what_comes_with_a_report_is_kept_with_it(struct world *w)
{
        static const struct attribute_value attributes[] = {{"kind", "green"}, {"kind", "building"}};
        static const struct picture picture = {.hash = "00ff", .type = "image/png", .bytes = 12};
        struct report r = rubbish("with-1");
        r.attributes = attributes;
        r.n_attributes = COUNT_OF(attributes);
        r.pictures = &picture;
        r.n_pictures = 1;
        for (int i = 0; i < 2; i++)
                (void)accepted(w, &r);
        assert_int_equal(
                count(w, "SELECT COUNT(*) FROM report_attribute a JOIN report r ON r.id = a.report_id AND a.value = 'green'"), 1);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM report_attribute"), 2);
        assert_int_equal(count(w, "SELECT SUM(bytes) FROM report_media WHERE hash = '00ff'"), 12);
}

static void a_note_is_kept_once_and_only_for_its_own_channel(struct world *w)
{
        struct report r = rubbish("noted");
        struct note n = {
                .number = accepted(w, &r).number, .channel = r.channel, .sender = "key", .external_id = "1", .text = "谢谢"};
        struct err e;
        int64_t first, second;
        bool again;
        ok(intake_note(&w->district, &n, 1, &first, &again, &e), &e);
        assert_false(again);
        ok(intake_note(&w->district, &n, 2, &second, &again, &e), &e);
        assert_true(again);
        assert_int_equal(first, second);
        n.external_id = NULL;
        for (int i = 0; i < 2; i++)
                ok(intake_note(&w->district, &n, 3, &second, &again, &e) && !again, &e);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM report_note"), 3);
        n.channel = "patrol";
        assert_false(intake_note(&w->district, &n, 4, &second, &again, &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
}

static void titles_are_cut_between_characters(struct world *w)
{
        struct report r = rubbish("e-1");
        struct case_detail d;
        struct err e;
        r.text = "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五";
        ok(case_read(w->store, w->arena, accepted(w, &r).number, NULL, &d, &e), &e);
        assert_int_equal(text_characters(d.view.title), 40);
        assert_int_equal(text_utf8_fault(d.view.title, strlen(d.view.title)), strlen(d.view.title));
        r = rubbish("e-2");
        r.title = "给定的标题";
        ok(case_read(w->store, w->arena, accepted(w, &r).number, NULL, &d, &e), &e);
        assert_string_equal(d.view.title, "给定的标题");
}

/* --- the reporter is sealed --------------------------------------------------------------------------------------------- */

struct masking {
        struct world *world;
        const char *number;
        struct masked_reporter out;
};

static bool read_masked(struct tx *tx, void *ctx, struct err *e)
{
        struct masking *m = ctx;
        return reporter_masked(tx, &m->world->district, m->world->arena, m->number, &m->out, e);
}

static struct masked_reporter masked(struct world *w, const char *number)
{
        struct masking m = {.world = w, .number = number};
        struct err e;
        ok(store_read(w->store, read_masked, &m, &e), &e);
        return m.out;
}

static void the_reporter_is_sealed(struct world *w)
{
        struct report r = rubbish("f-1");
        struct masked_reporter m = masked(w, accepted(w, &r).number);
        assert_true(m.any && !m.confidential && m.erased == 0);
        assert_string_equal(m.name, "张*");
        assert_string_equal(m.phone, "138****0000");
        assert_null(m.email);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM reporter WHERE LENGTH(phone) > 11"), 1);
        r = rubbish("f-2");
        r.confidential = true;
        m = masked(w, accepted(w, &r).number);
        assert_true(m.any && m.confidential && !m.name && !m.phone && !m.email);
        r = rubbish("f-3");
        r.name = r.phone = NULL;
        assert_false(masked(w, accepted(w, &r).number).any);
        assert_int_equal(count(w, reporters), 2);
}

/* --- when things fail ----------------------------------------------------------------------------------------------------- */

/* Whatever statement fails: either all of it is there, or nothing. */
static void no_failure_leaves_a_half(struct world *w)
{
        for (int n = 1;; n++) {
                const struct report r = rubbish(arena_format(w->arena, "g-%d", n));
                const int64_t had[] = {count(w, reports), count(w, cases), count(w, history), count(w, events), count(w, timers)};
                struct receipt x;
                struct err e;
                store_fail_at(w->store, n);
                const bool good = intake_accept(&w->district, w->arena, &r, w->now, &x, &e);
                const bool failed = store_failed(w->store);
                store_fail_at(w->store, 0);
                if (!good)
                        assert_int_equal(e.kind, ERR_BUSY);
                assert_int_equal(count(w, reports), had[0] + good);
                assert_int_equal(count(w, cases), had[1] + good);
                assert_int_equal(count(w, history), had[2] + 3 * good);
                assert_int_equal(count(w, events), had[3] + good);
                assert_int_equal(count(w, timers), had[4] + good);
                const struct receipt again = accepted(w, &r);
                assert_int_equal(again.again, good);
                if (good)
                        same_receipt(&x, &again);
                if (!failed) {
                        assert_true(n > 8);
                        break;
                }
        }
        assert_int_equal(count(w, queued), 0);
        ledger_is_whole(w);
}

static void what_cannot_be_filed_is_kept_and_filed_later(struct world *w)
{
        const struct report r = rubbish("h-1");
        struct err e;
        assert_true(test_script(w->store, "ALTER TABLE case_task RENAME TO case_task_away;"));
        const struct receipt kept = accepted(w, &r);
        assert_string_equal(kept.state, "received");
        assert_int_equal(kept.due, 0);
        assert_int_equal(strlen(kept.number), 20);
        assert_int_equal(count(w, reports), 1);
        assert_int_equal(count(w, reporters), 1);
        assert_int_equal(count(w, queued), 1);
        assert_int_equal(count(w, cases) + count(w, history) + count(w, events), 0);
        const struct receipt waiting = accepted(w, &r);
        assert_true(waiting.again);
        assert_string_equal(waiting.number, kept.number);
        assert_string_equal(waiting.track, kept.track);
        assert_string_equal(waiting.state, "received");
        assert_false(retry(w, 0, &e));
        assert_int_equal(count(w, queued), 1);

        assert_true(test_script(w->store, "ALTER TABLE case_task_away RENAME TO case_task;"));
        for (int n = 1; count(w, queued) == 1; n++) {
                const bool filed = retry(w, n, &e);
                assert_int_equal(count(w, cases), filed);
                assert_int_equal(count(w, queued), !filed);
                assert_true(n < 100);
        }
        const struct receipt filed = accepted(w, &r);
        assert_true(filed.again);
        assert_string_equal(filed.number, kept.number);
        assert_string_equal(filed.track, kept.track);
        assert_string_equal(filed.unit_code, "north-law");
        assert_int_equal(filed.due, at("2026-11-24 09:00"));
        /* Once more: nothing is filed twice. */
        const struct timer t = {.kind = "intake-retry",
                                .key = arena_format(w->arena, "%lld", (long long)count(w, "SELECT id FROM report"))};
        ok(intake_retry_timer.run(&w->district, &t, w->now, &e), &e);
        assert_int_equal(count(w, cases), 1);
        ledger_is_whole(w);
}

static const char LONGER[] = "zone_minutes: 480\nweekdays: [1, 2, 3, 4, 5]\nperiods: [\"08:00-12:00\", \"14:00-18:00\"]\n"
                             "first_year: 2024\nlast_year: 2028\n";

static void a_year_without_data_waits_for_the_pack(struct world *w)
{
        struct report r = rubbish("i-1");
        char copy[TEST_PACK_PATH];
        int64_t version;
        struct err e;
        w->now = at("2028-02-16 09:00");
        const struct receipt kept = accepted(w, &r);
        assert_string_equal(kept.state, "received");
        assert_int_equal(count(w, "SELECT COUNT(*) FROM intake_queue WHERE cause LIKE '%2028%'"), 1);
        assert_false(retry(w, 0, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_true(test_pack_copy(TEST_PACK, "calendar.yaml", LONGER, copy));
        assert_true(test_pack_load(w->store, all_parts, copy, &version));
        test_pack_remove(copy);
        ok(district_reload(&w->district, &e), &e);
        ok(retry(w, 0, &e), &e);
        const struct receipt filed = accepted(w, &r);
        assert_string_equal(filed.number, kept.number);
        assert_int_equal(filed.due, at("2028-02-17 09:00"));
        assert_int_equal(count(w, "SELECT version FROM cases"), version);
        assert_int_equal(count(w, queued), 0);
}

/* --- many at once ------------------------------------------------------------------------------------------------------------ */

enum { CALLERS = 8, EACH = 12 };
struct caller {
        struct world *world;
        pthread_barrier_t *start;
        int i;
        int fresh;
};

static void *call(void *ctx)
{
        struct caller *c = ctx;
        (void)pthread_barrier_wait(c->start);
        for (int i = 0; i < EACH; i++) {
                struct arena *a = arena_new();
                /* Half of the ids are everybody's, half are the caller's own. */
                struct report r = rubbish(i % 2 ? arena_format(a, "own-%d-%d", c->i, i) : arena_format(a, "all-%d", i));
                struct receipt x;
                struct err e;
                if (intake_accept(&c->world->district, a, &r, c->world->now, &x, &e))
                        c->fresh += !x.again;
                else
                        c->fresh -= 1000;
                arena_free(&a);
        }
        return NULL;
}

static void many_callers_one_receipt_each(struct world *w)
{
        pthread_barrier_t start;
        pthread_t threads[CALLERS];
        struct caller callers[CALLERS];
        int fresh = 0;
        (void)pthread_barrier_init(&start, NULL, CALLERS);
        for (int i = 0; i < CALLERS; i++) {
                callers[i] = (struct caller){w, &start, i, 0};
                assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
        }
        for (int i = 0; i < CALLERS; i++) {
                (void)pthread_join(threads[i], NULL);
                fresh += callers[i].fresh;
        }
        (void)pthread_barrier_destroy(&start);
        assert_int_equal(fresh, CALLERS * EACH / 2 + EACH / 2);
        assert_int_equal(count(w, reports), fresh);
        assert_int_equal(count(w, cases), fresh);
        assert_int_equal(count(w, "SELECT COUNT(DISTINCT number) FROM cases"), fresh);
        assert_int_equal(count(w, "SELECT COUNT(DISTINCT track) FROM cases"), fresh);
        ledger_is_whole(w);
}

static void on_both(void **state)
{
        void (*test)(struct world *) = *(void (**)(struct world *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = {.arena = arena_new(), .now = at("2026-11-23 09:00")};
                assert_true(test_district_open(&w.district, pg, all_parts, &readers, TEST_PACK));
                w.store = w.district.store;
                test(&w);
                test_district_close(&w.district);
                arena_free(&w.arena);
        }
}
int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(a_report_gets_number_unit_and_due),
                BOTH(the_same_report_gets_the_same_receipt),
                BOTH(wrong_reports_are_refused_with_the_field),
                BOTH(a_report_of_the_past_counts_from_then),
                BOTH(what_comes_with_a_report_is_kept_with_it),
                BOTH(a_note_is_kept_once_and_only_for_its_own_channel),
                BOTH(titles_are_cut_between_characters),
                BOTH(the_reporter_is_sealed),
                BOTH(no_failure_leaves_a_half),
                BOTH(what_cannot_be_filed_is_kept_and_filed_later),
                BOTH(a_year_without_data_waits_for_the_pack),
                BOTH(many_callers_one_receipt_each),
        };
        log_least(LOG_ERROR + 1); /* the failures are meant */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
