/* pack/load_test.c -- loading all or nothing, with a part of our own: places of faults, versions, export. */
#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "pack/inside.h"
#include "pack/testing.h"
#include "pack/yaml.h"
#include "store/store.h"
#include "store/testing.h"

static const char TABLES[] =
        "CREATE TABLE thing (version INTEGER NOT NULL, place TEXT NOT NULL, code TEXT NOT NULL, amount INTEGER, ratio REAL, day"
        " TEXT, flag INTEGER,"
        " kind TEXT);"
        "CREATE TABLE doc (version INTEGER NOT NULL, file TEXT NOT NULL, word TEXT NOT NULL);";
static const char SQL_THING[] =
        "INSERT INTO thing(version, place, code, amount, ratio, day, flag, kind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char SQL_DOC[] = "INSERT INTO doc(version, file, word) VALUES ($1, $2, $3)";
static const char SQL_TWICE[] =
        "SELECT MAX(place), 'thing ' || code || ' stands twice', '重复' FROM thing WHERE version = $1 GROUP BY code HAVING COUNT(*)"
        " > 1";

static const char *const kinds[] = {"small", "large", NULL};
static const struct pack_column columns[] = {
        {"code", PACK_TEXT, true, NULL, ""},
        {"amount", PACK_INT, false, NULL, ""},
        {"ratio", PACK_REAL, false, NULL, ""},
        {"day", PACK_DATE, false, NULL, ""},
        {"flag", PACK_BOOL, false, NULL, ""},
        {"kind", PACK_TEXT, false, kinds, ""},
        {0},
};

static bool stage_doc(struct stage *s, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *e)
{
        const char *word = root ? yaml_text(root, "word", "") : bytes;
        if (root && !*word)
                stage_fault(s, file, root->line, "the key \"%s\" is missing", "缺少“%s”", "word");
        return (root || n == strlen(bytes)) && tx_change(s->tx, e, SQL_DOC, ARGS(V(s->version), V(file), V(word))) == 1;
}

static const struct pack_table tables[] = {{"tables/things.csv", true, columns, SQL_THING}, {0}};
static const struct pack_document documents[] = {{"docs/*.yaml", true, stage_doc}, {"words.txt", false, stage_doc}, {0}};
static const char *const checks[] = {SQL_TWICE, NULL};
static const char *const in_force[] = {"INSERT INTO doc(version, file, word) VALUES ($1, 'after', 'in force')", NULL};
static const struct pack_part part = {
        .capability = "test", .tables = tables, .documents = documents, .checks = checks, .after = in_force};
static const struct pack_part *const parts[] = {&part, NULL};

static const char PACK_YAML[] = "name: toy\ntitle: 玩具\nrelease: \"1\"\nnumber_prefix: TY\n";
static const char THINGS[] =
        "code,amount,ratio,day,flag,kind\na,1,0.5,2026-02-28,yes,small\nb , ,,,,\n\"c,\"\"d\",-7,1e3,,no,large\n";

struct world {
        struct store *store;
        struct arena *arena;
        struct fault_list *faults;
        char dir[TEST_PACK_PATH];
        int64_t version;
        struct err e;
};

static void put(struct world *w, const char *path, const char *text)
{
        char full[200];
        (void)snprintf(full, sizeof full, "%s/%s", w->dir, path);
        FILE *f = fopen(full, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
        assert_int_equal(fclose(f), 0);
}

static void make_folder(struct world *w, const char *path)
{
        char full[200];
        (void)snprintf(full, sizeof full, "%s/%s", w->dir, path);
        assert_int_equal(mkdir(full, 0700), 0);
}

static void fresh_pack(struct world *w)
{
        (void)snprintf(w->dir, sizeof w->dir, "/tmp/yiwang-pack-XXXXXX");
        assert_non_null(mkdtemp(w->dir));
        make_folder(w, "tables");
        make_folder(w, "docs");
        put(w, "pack.yaml", PACK_YAML);
        put(w, "tables/things.csv", THINGS);
        put(w, "docs/b.yaml", "word: bee\n");
        put(w, "docs/a.yaml", "# the first\nword: ant\n");
        put(w, "words.txt", "plain\n");
        put(w, "README.md", "about\n");
        put(w, ".hidden", "not ours\n");
}

static bool load(struct world *w, bool only_check)
{
        const struct pack_loading loading = {.parts = parts, .only_check = only_check};
        w->version = -1;
        w->e = (struct err){0};
        return pack_load(w->store, &loading, w->dir, 5, w->faults, &w->version, &w->e);
}

static void loads(struct world *w, int64_t version)
{
        if (!load(w, false))
                fail_msg("%s %s", w->e.text, fault_count(w->faults) ? fault_at(w->faults, 0)->en : "");
        assert_int_equal(w->version, version);
}

static int64_t count(struct world *w, const char *sql)
{
        return test_number(w->store, sql);
}

static void nothing_of_it(struct world *w, int64_t active)
{
        assert_int_equal(count(w, "SELECT COUNT(*) FROM pack_version"), active ? 1 : 0);
        assert_int_equal(count(w, "SELECT COALESCE(MAX(id), 0) FROM pack_version WHERE active = 1"), active);
        assert_int_equal(count(w, "SELECT COUNT(DISTINCT version) FROM thing"), active ? 1 : 0);
        assert_int_equal(count(w, "SELECT COUNT(DISTINCT version) FROM doc"), active ? 1 : 0);
        assert_int_equal(count(w, "SELECT COUNT(DISTINCT version) FROM pack_file"), active ? 1 : 0);
}

/* faults: "place|begin of the sentence", ended by NULL. */
static void refused_with(struct world *w, const char *const *faults)
{
        assert_false(load(w, false));
        assert_int_equal(w->e.kind, ERR_INVALID);
        size_t n = 0;
        for (; faults[n]; n++) {
                const struct fault *f = n < fault_count(w->faults) ? fault_at(w->faults, n) : &(struct fault){"", "", ""};
                const char *wanted = faults[n], *bar = strchr(wanted, '|');
                if (strlen(f->place) != (size_t)(bar - wanted) || strncmp(f->place, wanted, strlen(f->place)) != 0
                    || !text_starts(f->en, bar + 1))
                        fail_msg("%s: %s -- wanted %s", f->place, f->en, wanted);
                assert_true(*f->zh);
        }
        if (fault_count(w->faults) > n)
                fail_msg("%s: %s -- not expected", fault_at(w->faults, n)->place, fault_at(w->faults, n)->en);
}

/* --- what a good pack leaves --------------------------------------------------------------------------------------------- */

static void rows_documents_and_files(struct world *w)
{
        loads(w, 1);
        assert_int_equal(fault_count(w->faults), 0);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM thing WHERE version = 1"), 3);
        assert_int_equal(
                count(w,
                      "SELECT COUNT(*) FROM thing WHERE place = 'tables/things.csv:2' AND code = 'a' AND amount = 1 AND ratio = 0.5"
                      " AND day = '2026-02-28' AND flag = 1 AND kind = 'small'"),
                1);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM thing WHERE place = 'tables/things.csv:3' AND code = 'b' AND amount IS NULL"
                                  " AND ratio IS NULL AND day IS NULL AND flag IS NULL AND kind IS NULL"),
                         1);
        assert_int_equal(count(w,
                               "SELECT COUNT(*) FROM thing WHERE place = 'tables/things.csv:4' AND code = 'c,\"d' AND amount = -7"
                               " AND ratio = 1000 AND flag = 0"),
                         1);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM doc"), 4);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM doc WHERE file = 'words.txt' AND word LIKE 'plain%'"), 1);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM pack_file"), 6);
}

struct reading {
        struct world *world;
        int64_t active;
        struct pack_about about;
        char *bytes, *none;
        size_t n, none_n;
};

static bool read_pack(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *r = ctx;
        struct arena *a = r->world->arena;
        return pack_active(tx, &r->active, e) && pack_describe(tx, a, r->active, &r->about, e)
               && pack_file(tx, a, r->active, "docs/a.yaml", &r->bytes, &r->n, e)
               && pack_file(tx, a, 1, "docs/z.yaml", &r->none, &r->none_n, e);
}

static bool read_none(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *r = ctx;
        return pack_describe(tx, r->world->arena, 99, &r->about, e);
}

static void what_was_loaded_can_be_read(struct world *w)
{
        struct reading r = {.world = w};
        struct err e;
        loads(w, 1);
        if (!store_read(w->store, read_pack, &r, &e))
                fail_msg("%s", e.text);
        assert_int_equal(r.active, 1);
        assert_string_equal(r.about.name, "toy");
        assert_string_equal(r.about.title, "玩具");
        assert_string_equal(r.about.title_en, "玩具");
        assert_string_equal(r.about.number_prefix, "TY");
        assert_string_equal(r.about.release, "1");
        assert_int_equal(r.about.loaded_at, 5);
        assert_int_equal(r.n, strlen("# the first\nword: ant\n"));
        assert_string_equal(r.bytes, "# the first\nword: ant\n");
        assert_null(r.none);
        assert_false(store_read(w->store, read_none, &r, &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
}

static void the_same_bytes_change_nothing(struct world *w)
{
        loads(w, 1);
        loads(w, 1);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM pack_version"), 1);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM thing"), 3);
        put(w, "words.txt", "plainer\n");
        loads(w, 2);
        assert_int_equal(count(w, "SELECT id FROM pack_version WHERE active = 1"), 2);
        assert_int_equal(count(w, "SELECT COUNT(*) FROM thing"), 6); /* old cases keep their version */
        put(w, "words.txt", "plain\n");
        loads(w, 3);
        /* The same bytes under another name are another pack. */
        char from[200], to[200];
        (void)snprintf(from, sizeof from, "%s/docs/b.yaml", w->dir);
        (void)snprintf(to, sizeof to, "%s/docs/c.yaml", w->dir);
        assert_int_equal(rename(from, to), 0);
        loads(w, 4);
}

static void checking_leaves_nothing(struct world *w)
{
        assert_true(load(w, true));
        nothing_of_it(w, 0);
        loads(w, 1);
        assert_true(load(w, true));
        nothing_of_it(w, 1);
        put(w, "docs/b.yaml", "wort: bee\n");
        assert_false(load(w, true));
        assert_int_equal(fault_count(w->faults), 1);
        nothing_of_it(w, 1);
}

/* --- faults ------------------------------------------------------------------------------------------------------------------- */

static void every_fault_has_its_place(struct world *w)
{
        loads(w, 1);
        put(w, "tables/things.csv",
            "code,amount,ratio,day,flag,kind\n"
            ",1,,,,\n"
            "b,x,,,,\n"
            "c,1.5,y,2026-02-30,maybe,huge\n"
            "\"long\ncell\",,,,,\n"
            "d,,,,\n"
            "e,,,26-1-1,,\n"
            "f,,,,,\n"
            "f,,,,,\n");
        put(w, "docs/a.yaml", "word:\n");
        put(w, "docs/b.yaml", "word: x\nword: y\n");
        put(w, "pack.yaml", "name: toy\ntitle: 玩具\ncolour: red\nnumber_prefix: TY\n");
        put(w, "docs/note.txt", "?");
        refused_with(w, (const char *const[]){"docs/a.yaml:1|the key \"word\" is missing",
                                              "docs/b.yaml:2|the key \"word\" stands twice", "docs/note.txt|nobody reads this file",
                                              "pack.yaml:1|the key \"release\" is missing",
                                              "pack.yaml:3|the key \"colour\" is not known", "tables/things.csv:2|code is empty",
                                              "tables/things.csv:3|amount: \"x\" is not a whole number",
                                              "tables/things.csv:4|amount: \"1.5\" is not a whole number",
                                              "tables/things.csv:4|day: \"2026-02-30\" is not a day",
                                              "tables/things.csv:4|flag: \"maybe\" is not yes or no",
                                              "tables/things.csv:4|kind: \"huge\" is not one of",
                                              "tables/things.csv:4|ratio: \"y\" is not a number",
                                              "tables/things.csv:7|the row has 5 cells; the header has 6",
                                              "tables/things.csv:8|day: \"26-1-1\" is not a day",
                                              "tables/things.csv:9|thing f stands twice", /* the greater place as a text */
                                              NULL});
        nothing_of_it(w, 1);
}

static void wrong_headers_and_files(struct world *w)
{
        put(w, "tables/things.csv", "cod,amount,amount,colour\na,1,2,3\n");
        refused_with(w, (const char *const[]){"tables/things.csv:1|the column \"amount\" stands twice",
                                              "tables/things.csv:1|the column \"cod\" is not known",
                                              "tables/things.csv:1|the column \"code\" is missing",
                                              "tables/things.csv:1|the column \"colour\" is not known", NULL});
        put(w, "tables/things.csv", "code\n\"a\n");
        refused_with(w, (const char *const[]){"tables/things.csv|line 2: a quote never ends", NULL});
        put(w, "tables/things.csv", "code\n\xFF\n");
        refused_with(w, (const char *const[]){"tables/things.csv|not UTF-8 at byte 5", NULL});
        put(w, "tables/things.csv", "");
        refused_with(w, (const char *const[]){"tables/things.csv|the file is empty", NULL});
        char path[200];
        for (size_t i = 0; i < 4; i++) {
                static const char *const files[] = {"tables/things.csv", "docs/a.yaml", "docs/b.yaml", "pack.yaml"};
                (void)snprintf(path, sizeof path, "%s/%s", w->dir, files[i]);
                assert_int_equal(unlink(path), 0);
        }
        refused_with(w, (const char *const[]){"docs/*.yaml|the file is missing", "pack.yaml|the file is missing",
                                              "tables/things.csv|the file is missing", NULL});
        nothing_of_it(w, 0);
        (void)snprintf(w->dir, sizeof w->dir, "/tmp/yiwang-not-there");
        assert_false(load(w, false));
        assert_int_equal(w->e.kind, ERR_INVALID);
        assert_int_equal(fault_count(w->faults), 0);
}

static void prefixes_of_numbers_are_letters_and_digits(struct world *w)
{
        static const char *const wrong[] = {"坪山", "A B", "ABCDEFGHIJK", "A/B"};
        char text[200];
        for (size_t i = 0; i < COUNT_OF(wrong); i++) {
                (void)snprintf(text, sizeof text, "name: toy\ntitle: 玩具\nrelease: \"1\"\nnumber_prefix: %s\n", wrong[i]);
                put(w, "pack.yaml", text);
                refused_with(w, (const char *const[]){"pack.yaml:4|number_prefix", NULL});
        }
        put(w, "pack.yaml", "- name\n");
        assert_false(load(w, false));
        assert_true(fault_count(w->faults) > 0);
        nothing_of_it(w, 0);
}

static void no_failure_leaves_a_half(struct world *w)
{
        loads(w, 1);
        put(w, "words.txt", "other\n");
        for (int n = 1;; n++) {
                store_fail_at(w->store, n);
                const bool good = load(w, false);
                const bool failed = store_failed(w->store);
                store_fail_at(w->store, 0);
                if (good) {
                        assert_int_equal(w->version, 2);
                        break;
                }
                assert_true(failed);
                assert_int_equal(w->e.kind, ERR_BUSY);
                assert_int_equal(fault_count(w->faults), 0);
                nothing_of_it(w, 1);
        }
        assert_int_equal(count(w, "SELECT COUNT(*) FROM thing WHERE version = 2"), 3);
        assert_int_equal(count(w, "SELECT id FROM pack_version WHERE active = 1"), 2);
}

/* --- the pack's own examples -------------------------------------------------------------------------------------------------- */

static bool examples(struct stage *s, void *ctx, struct err *e)
{
        int *runs = ctx;
        int64_t rows;
        (*runs)++;
        if (!tx_int(s->tx, &rows, 0, e, "SELECT COUNT(*) FROM thing WHERE version = $1", ARGS(V(s->version))))
                return false;
        if (rows != 3)
                stage_fault(s, "examples.yaml", 7, "%d rows", "%d行", (int)rows);
        return true;
}

static void examples_run_last_and_may_refuse(struct world *w)
{
        int runs = 0;
        const struct pack_loading loading = {.parts = parts, .examples = examples, .ctx = &runs};
        assert_true(pack_load(w->store, &loading, w->dir, 5, w->faults, &w->version, &w->e));
        assert_true(runs > 0);
        put(w, "tables/things.csv", "code\nx\n");
        runs = 0;
        assert_false(pack_load(w->store, &loading, w->dir, 5, w->faults, &w->version, &w->e));
        assert_true(runs > 0);
        assert_int_equal(fault_count(w->faults), 1);
        assert_string_equal(fault_at(w->faults, 0)->place, "examples.yaml:7");
        nothing_of_it(w, 1);
        put(w, "tables/things.csv", "code\n\"\"\nx,y\n");
        runs = 0;
        assert_false(pack_load(w->store, &loading, w->dir, 5, w->faults, &w->version, &w->e));
        assert_int_equal(runs, 0);
}

/* --- export ------------------------------------------------------------------------------------------------------------------- */

static void an_export_is_the_pack_byte_for_byte(struct world *w)
{
        static const char odd[] = "bytes: \xE5\x9D\xAA\r\n  without an end of line";
        struct pack_folder before = {0}, after = {0};
        struct err e;
        char out[TEST_PACK_PATH + 8], pack[TEST_PACK_PATH];
        put(w, "words.txt", odd);
        put(w, "README.md", "");
        loads(w, 1);
        (void)snprintf(out, sizeof out, "%s.out", w->dir);
        if (!pack_export(w->store, 1, out, &e))
                fail_msg("%s", e.text);
        assert_true(folder_read(w->arena, w->dir, &before, &e) && folder_read(w->arena, out, &after, &e));
        assert_true(before.n > 0 && before.n == after.n);
        assert(before.files && after.files); /* said for the checkers */
        for (size_t i = 0; i < before.n; i++) {
                assert_string_equal(before.files[i].path, after.files[i].path);
                assert_int_equal(before.files[i].n, after.files[i].n);
                assert_memory_equal(before.files[i].at, after.files[i].at, before.files[i].n);
        }
        memcpy(pack, w->dir, sizeof pack);
        (void)snprintf(w->dir, sizeof w->dir, "%.30s.out", pack);
        loads(w, 1); /* the export is the same pack */
        assert_false(pack_export(w->store, 1, out, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        test_pack_remove(out);
        memcpy(w->dir, pack, sizeof pack);
}

/* What could not be written whole, as on a full disk, is not there at all. */
static void a_part_of_a_pack_is_never_left(struct world *w)
{
        char out[TEST_PACK_PATH + 8];
        struct rlimit before, small;
        struct err e;
        put(w, "words.txt", arena_format(w->arena, "%0300d\n", 0));
        loads(w, 1);
        (void)snprintf(out, sizeof out, "%s.out", w->dir);
        void (*usual)(int) = signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        small = before;
        small.rlim_cur = 300;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const bool done = pack_export(w->store, 1, out, &e);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        (void)signal(SIGXFSZ, usual);
        assert_false(done);
        assert_non_null(strstr(e.text, "cannot be written"));
        assert_int_equal(rmdir(out), 0); /* it is empty */
}

static void a_folder_in_use_is_not_written_to(struct world *w)
{
        struct err e;
        loads(w, 1);
        put(w, "tables/things.csv", "mine");
        static const char *const gone[] = {"docs/a.yaml", "docs/b.yaml", "words.txt", "README.md", "pack.yaml", ".hidden"};
        for (size_t i = 0; i < COUNT_OF(gone); i++)
                assert_int_equal(unlink(arena_format(w->arena, "%s/%s", w->dir, gone[i])), 0);
        assert_int_equal(rmdir(arena_format(w->arena, "%s/docs", w->dir)), 0);
        assert_false(pack_export(w->store, 1, w->dir, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_int_not_equal(access(arena_format(w->arena, "%s/pack.yaml", w->dir), F_OK), 0);
        assert_false(pack_export(w->store, 9, arena_format(w->arena, "%s.out", w->dir), &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
        test_pack_remove(arena_format(w->arena, "%s.out", w->dir));
}

static void on_both(void **state)
{
        void (*test)(struct world *) = *(void (**)(struct world *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = {.arena = arena_new()};
                char dir[TEST_PACK_PATH];
                w.faults = fault_list_new(w.arena);
                assert_true(test_store_open(&w.store, pg, test_migrations(all_migrations, "pack", TABLES)));
                fresh_pack(&w);
                memcpy(dir, w.dir, sizeof dir);
                test(&w);
                store_close(&w.store);
                test_pack_remove(dir);
                arena_free(&w.arena);
        }
}
int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(rows_documents_and_files),
                BOTH(what_was_loaded_can_be_read),
                BOTH(the_same_bytes_change_nothing),
                BOTH(checking_leaves_nothing),
                BOTH(every_fault_has_its_place),
                BOTH(wrong_headers_and_files),
                BOTH(prefixes_of_numbers_are_letters_and_digits),
                BOTH(no_failure_leaves_a_half),
                BOTH(examples_run_last_and_may_refuse),
                BOTH(an_export_is_the_pack_byte_for_byte),
                BOTH(a_part_of_a_pack_is_never_left),
                BOTH(a_folder_in_use_is_not_written_to),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
