/* privacy/privacy_test.c -- masks and numbers; and, on both engines: whichever call of the store fails while a reporter is opened,
 * found, sealed anew, erased or expires, all of it is there or nothing, and the repeat succeeds. */
#include "cases/world_test.h"
#include "crypto/crypto.h"
#include "privacy/inside.h"
#include "privacy/mask.h"
#include <unistd.h>

/* --- masks ------------------------------------------------------------------------------------------------------------------ */
static void masks_show_little(void **state)
{
        static const struct {
                char *(*mask)(struct arena *, const char *);
                const char *text, *masked;
        } cases[] = {
                {mask_name, NULL, NULL},
                {mask_name, "李", "李*"},
                {mask_name, "李小明", "李*"},
                {mask_name, "John Smith", "J*"},
                {mask_name, "𠮷野家", "𠮷*"},
                {mask_name, "", "*"},
                {mask_phone, NULL, NULL},
                {mask_phone, "13900000001", "139****0001"},
                {mask_phone, "+86 139-0000-0001", "139****0001"},
                {mask_phone, "0755-12345678", "075****5678"},
                {mask_phone, "12345678", "****78"},
                {mask_phone, "12345", "****45"},
                {mask_phone, "1234", "****"},
                {mask_phone, "no number", "****"},
                {mask_email, NULL, NULL},
                {mask_email, "li@example.org", "l***@example.org"},
                {mask_email, "李@example.org", "李***@example.org"},
                {mask_email, "a@b@example.org", "a***@example.org"},
                {mask_email, "@example.org", "***"},
                {mask_email, "no address", "***"},
        };
        struct arena *a = arena_new();
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                const char *masked = cases[i].mask(a, cases[i].text);
                if (!text_is(masked, cases[i].masked))
                        fail_msg("%s: %s", cases[i].text, masked);
        }
        arena_free(&a);
}

static void one_number_has_one_form(void **state)
{
        static const struct {
                const char *text, *normal;
        } cases[] = {
                {NULL, NULL},
                {"", NULL},
                {"1234", NULL},
                {"12345", "12345"},
                {"13900000001", "13900000001"},
                {"+86 139-0000-0001", "13900000001"},
                {"008613900000001", "13900000001"},
                {"8613900000001", "13900000001"},
                {"１３９００００ ０００１", "13900000001"},
                {"86123456", "86123456"}, /* a number at home may begin so */
                {"(0755) 8612 3456", "075586123456"},
                {"123456789012345678901", NULL},
                {"0086123456789012345678901", NULL},
                {"电话：13900000001（李）", "13900000001"},
        };
        struct arena *a = arena_new();
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                if (!text_is(phone_normal(a, cases[i].text), cases[i].normal))
                        fail_msg("%s: %s", cases[i].text, phone_normal(a, cases[i].text));
        arena_free(&a);
}

/* --- reporters ---------------------------------------------------------------------------------------------------------------- */
static const struct reporter li = {"李小明", "13900000001", "li@example.org", false};
static const struct purpose verify = {"verify", "核实"};
static const int64_t NOW = INT64_C(1795575600000000);

static bool keep_once(struct tx *tx, void *ctx, struct err *e)
{
        return reporter_keep(tx, ctx, e);
}

/* A case with a reporter; its number. */
static const char *reported(struct world *w, const struct reporter *r)
{
        const char *number = case_new(w, "0201", "990101001", false, NOW);
        struct sealed_reporter *sealed;
        struct err e;
        ok(reporter_seal(&w->district, w->arena, read_case(w, number).view.id, r, &sealed, &e), &e);
        assert_non_null(sealed);
        ok(store_write(w->district.store, keep_once, sealed, &e), &e);
        return number;
}

static int64_t count(struct world *w, const char *sql)
{
        return test_number(w->district.store, sql);
}

static void change(struct world *w, const char *sql)
{
        assert_true(test_script(w->district.store, arena_format(w->arena, "%s;", sql)));
}

static const char
        *const whole = "SELECT COUNT(*) FROM reporter WHERE name IS NOT NULL AND phone IS NOT NULL AND phone_index IS NOT NULL",
               *const records = "SELECT COUNT(*) FROM personal_access";

static void opens(struct world *w, const char *number, const struct reporter *wanted)
{
        struct reporter r;
        struct err e;
        ok(reporter_unmask(&w->district, w->arena, number, &a_clerk, &verify, NOW, &r, &e), &e);
        assert_true(text_is(r.name, wanted->name) && text_is(r.phone, wanted->phone) && text_is(r.email, wanted->email));
}

/* A look that cannot be recorded shows nothing. */
static void no_look_without_its_record(struct world *w)
{
        const char *number = reported(w, &li);
        for (int n = 1;; n++) {
                struct reporter r = {0};
                struct found_case *found;
                struct err e = {0};
                size_t n_found;
                bool complete;
                const int64_t before = count(w, records);
                store_fail_at(w->district.store, n);
                const bool good = reporter_unmask(&w->district, w->arena, number, &a_clerk, &verify, NOW, &r, &e)
                                  && reporter_search(&w->district, w->arena, li.phone, &a_clerk, &verify, NOW, &found, &n_found,
                                                     &complete, &e);
                const bool failed = store_failed(w->district.store);
                store_fail_at(w->district.store, 0);
                assert_int_equal(count(w, records), before + (r.phone != NULL) + good);
                if (good) {
                        assert_true(!failed && n > 8 && n_found == 1 && complete);
                        assert_string_equal(found[0].number, number);
                        break;
                }
                assert_true(failed);
                assert_int_equal(e.kind, ERR_BUSY);
        }
}

static void key_path(char path[60])
{
        snprintf(path, 60, "/tmp/yiwang-test-%d.key", (int)getpid()); /* district/testing.c */
}

static void sealed_anew_or_as_it_was(struct world *w)
{
        const char *numbers[3];
        char path[60];
        struct err e = {0};
        int key;
        key_path(path);
        for (int i = 0; i < 3; i++)
                numbers[i] = reported(w, &li);
        ok(key_file_add(path, SEAL_SM4, NOW, &key, &e), &e);
        for (int n = 1;; n++) {
                struct resealing r = {.more = true};
                store_fail_at(w->district.store, n);
                const bool good = reporters_reseal(&w->district, &r, &e);
                store_fail_at(w->district.store, 0);
                assert_int_equal(count(w, whole), 3);
                assert_int_equal(count(w, "SELECT COUNT(*) FROM reporter WHERE sealed_by = 2"), good ? 3 : 0);
                for (int i = 0; i < 3; i++)
                        opens(w, numbers[i], &li);
                if (good) {
                        assert_true(n > 2 && r.done == 3 && r.failed == 0 && !r.more);
                        break;
                }
                assert_int_equal(e.kind, ERR_BUSY);
        }
        ok(key_file_remove(path, 1, &e), &e);
        for (int i = 0; i < 3; i++)
                opens(w, numbers[i], &li);
}

/* What was altered, or lost its key, is left as it is and counted; the rest goes on. */
static void what_does_not_open_is_left_alone(struct world *w)
{
        struct resealing r = {.more = true};
        char path[60];
        struct err e;
        int key;
        key_path(path);
        const char *good = reported(w, &li);
        (void)reported(w, &li);
        change(w, "UPDATE reporter SET name = phone WHERE report_id = (SELECT MAX(report_id) FROM reporter)");
        ok(key_file_add(path, SEAL_AES, NOW, &key, &e), &e);
        ok(reporters_reseal(&w->district, &r, &e), &e);
        assert_true(r.done == 1 && r.failed == 1 && !r.more);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM reporter WHERE sealed_by = 1"), 1);
        opens(w, good, &li);
}

/* A batch that was read before somebody was erased must not bring him back. */
static void who_is_erased_stays_erased(struct world *w)
{
        const char *number = reported(w, &li), *other = reported(w, &li);
        struct resealing r = {.more = true};
        struct reporter out;
        struct err e = {0};
        char path[60];
        int64_t n;
        int key;
        key_path(path);
        for (int i = 1;; i++) {
                store_fail_at(w->district.store, i);
                const bool good = reporter_erase(&w->district, number, NULL, "asked", NOW, &n, &e);
                store_fail_at(w->district.store, 0);
                assert_int_equal(count(w, whole), good ? 1 : 2);
                assert_int_equal(count(w, records), good);
                if (good)
                        break;
                assert_int_equal(e.kind, ERR_BUSY);
        }
        assert_int_equal(n, 1);
        ok(key_file_add(path, SEAL_AES, NOW, &key, &e), &e);
        ok(reporters_reseal(&w->district, &r, &e), &e);
        assert_int_equal(count(w, whole), 1);
        assert_false(reporter_unmask(&w->district, w->arena, number, &a_clerk, &verify, NOW, &out, &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
        opens(w, other, &li);
        ok(reporter_erase(&w->district, NULL, "139 0000 0001", "asked", NOW, &n, &e), &e);
        assert_int_equal(n, 1);
        assert_int_equal(count(w, whole), 0);
        ledger_is_whole(w);
}

static void time_takes_what_it_may(struct world *w)
{
        struct err e = {0};
        const struct timer timer = {.kind = "reporter-expiry", .key = "all"};
        const char *old = reported(w, &li), *young = reported(w, &li), *open = reported(w, &li);
        const struct reporter rest = {li.name, NULL, li.email, false};
        change(w, arena_format(w->arena, "UPDATE cases SET open = 0, closed_at = %lld WHERE number = '%s'",
                               (long long)(NOW - 3 * 366 * USEC_DAY), old));
        change(w, arena_format(w->arena, "UPDATE cases SET open = 0, closed_at = %lld WHERE number = '%s'",
                               (long long)(NOW - 1000 * USEC_DAY), young));
        ok(reporter_expiry_timer.run(&w->district, &timer, NOW, &e), &e); /* the pack says nothing: everybody is kept */
        assert_int_equal(count(w, whole), 3);
        change(w, arena_format(w->arena, "INSERT INTO retention(version, years, fields, place) VALUES (%lld, 3, 'phone', 'x')",
                               (long long)w->rules->version));
        for (int n = 1;; n++) {
                store_fail_at(w->district.store, n);
                const bool good = reporter_expiry_timer.run(&w->district, &timer, NOW, &e);
                store_fail_at(w->district.store, 0);
                const int64_t expired = 3 - count(w, whole);
                assert_true(expired == 0 || expired == 1);
                assert_int_equal(count(w, "SELECT COUNT(*) FROM retention_mark"), expired);
                assert_int_equal(count(w, "SELECT COUNT(*) FROM personal_access WHERE action = 'expire'"), expired);
                if (good)
                        break;
                assert_int_equal(e.kind, ERR_BUSY);
        }
        assert_int_equal(count(w, whole), 2);
        opens(w, old, &rest);
        opens(w, young, &li);
        opens(w, open, &li);
        assert_int_equal(count(w, "SELECT due FROM timer WHERE kind = 'reporter-expiry'"), NOW + USEC_DAY);
        /* A year later the young one is old. */
        ok(reporter_expiry_timer.run(&w->district, &timer, NOW + 365 * USEC_DAY, &e), &e);
        assert_int_equal(count(w, whole), 1);
        opens(w, open, &li);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(masks_show_little), cmocka_unit_test(one_number_has_one_form), BOTH(no_look_without_its_record),
                BOTH(sealed_anew_or_as_it_was),      BOTH(what_does_not_open_is_left_alone),    BOTH(who_is_erased_stays_erased),
                BOTH(time_takes_what_it_may),
        };
        log_least(LOG_ERROR + 1); /* the failures are meant */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
