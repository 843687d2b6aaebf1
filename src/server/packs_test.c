/* server/packs_test.c -- whole packs with all parts: the ones we ship are faultless, the broken one is told fault by fault. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "asks/asks.h"
#include "cases/cases.h"
#include "cases/moves.h"
#include "dispute/dispute.h"
#include "links/links.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "intake/channels.h"
#include "intake/intake.h"
#include "notify/notices.h"
#include "notify/notify.h"
#include "pack/pack.h"
#include "people/people.h"
#include "evidence/evidence.h"
#include "replay/replay.h"
#include "routing/routing.h"
#include "server/examples.h"
#include "store/store.h"
#include "store/testing.h"
#include "triage/triage.h"
#include "twin/twin.h"

static const struct pack_part *const parts[] = {&people_pack,  &calendar_pack, &catalogue_pack, &twin_pack,
                                                &routing_pack, &cases_pack,    &asks_pack,      &evidence_pack,
                                                &notify_pack,  &triage_pack,   &intake_pack,    NULL};
const struct vocabulary *const all_vocabularies[] = {&case_words,     &ask_words,    &link_words, &dispute_words,
                                                     &evidence_words, &replay_words, NULL};
static struct rulebook_readers readers = {.workflows = workflows_load, .channels = channels_load, .notices = notices_load};

static bool check(struct store *s, const char *dir, struct fault_list *faults, struct err *e)
{
        const struct pack_loading loading = {.parts = parts, .examples = examples_run, .ctx = &readers, .only_check = true};
        int64_t version;
        return pack_load(s, &loading, dir, 1, faults, &version, e);
}

static void is_faultless(const char *dir, bool postgres)
{
        struct arena *a = arena_new();
        struct fault_list *faults = fault_list_new(a);
        struct store *s;
        struct err e;
        assert_true(test_store_open(&s, postgres, all_migrations));
        const bool good = check(s, dir, faults, &e);
        for (size_t i = 0; i < fault_count(faults); i++)
                fprintf(stderr, "%s/%s: %s\n", dir, fault_at(faults, i)->place, fault_at(faults, i)->en);
        if (!good)
                fail_msg("%s: %s", dir, e.text);
        store_close(&s);
        arena_free(&a);
}

static void the_small_pack_is_faultless(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++)
                is_faultless("test/packs/small", pg);
}

static void shipped_packs_are_faultless(void **state)
{
        DIR *d = opendir("packs");
        int n = 0;
        (void)state;
        assert_non_null(d);
        for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
                char dir[300];
                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(dir, sizeof dir, "packs/%s", entry->d_name);
                is_faultless(dir, test_store_engines() == 2);
                n++;
        }
        assert_int_equal(closedir(d), 0);
        assert_true(n > 0);
}

/* The list of what is wrong, as a user sees it. */
static char *told(struct arena *a, struct store *s, const char *dir)
{
        struct fault_list *faults = fault_list_new(a);
        struct buf b = BUF_LIMIT(1 << 20);
        struct err e;
        assert_false(check(s, dir, faults, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        for (size_t i = 0; i < fault_count(faults); i++) {
                buf_format(&b, "%s: %s\n", fault_at(faults, i)->place, fault_at(faults, i)->en);
                assert_true(*fault_at(faults, i)->zh);
        }
        char *text = arena_text(a, b.at);
        buf_free(&b);
        return text;
}

static char *read_file(struct arena *a, const char *path)
{
        enum { ROOM = 1 << 16 };
        char *text = arena_alloc(a, ROOM);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        assert_true(fread(text, 1, ROOM - 1, f) > 0);
        assert_int_equal(fclose(f), 0);
        return text;
}

/* Line by line, so that a difference is seen at once. */
static void same_lines(struct arena *a, const char *got, const char *wanted)
{
        char **x, **y;
        const size_t n = text_split(a, got, '\n', &x), m = text_split(a, wanted, '\n', &y);
        for (size_t i = 0; i < n || i < m; i++)
                if (i >= n || i >= m || !text_is(x[i], y[i]))
                        fail_msg("line %zu\n  told:   %s\n  wanted: %s\n\n%s", i + 1, i < n ? x[i] : "", i < m ? y[i] : "", got);
}

static void every_kind_of_fault_is_told(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct arena *a = arena_new();
                struct store *s;
                assert_true(test_store_open(&s, pg, all_migrations));
                same_lines(a, told(a, s, "test/packs/broken"), read_file(a, "test/packs/broken.faults"));
                assert_int_equal(test_number(s, "SELECT COUNT(*) FROM pack_version"), 0);
                assert_int_equal(test_number(s, "SELECT COUNT(*) FROM unit"), 0);
                store_close(&s);
                arena_free(&a);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_small_pack_is_faultless),
                cmocka_unit_test(shipped_packs_are_faultless),
                cmocka_unit_test(every_kind_of_fault_is_told),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
