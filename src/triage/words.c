/* triage/words.c -- phrases that make a case urgent, and what packs say about them and about items. */
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "pack/pack.h"
#include "store/store.h"
#include "triage/inside.h"

static const char SQL_URGENT[] = "INSERT INTO urgent_phrase(version, place, phrase, kind, beside) VALUES ($1, $2, $3, $4, $5)";
static const char SQL_WORDS[] = "INSERT INTO item_words(version, place, item, words) VALUES ($1, $2, $3, $4)";
static const char SQL_LIST[] = "SELECT phrase, kind, COALESCE(beside, '') FROM urgent_phrase WHERE version = $1 ORDER BY place";
static const char SQL_NUMBER[] = "INSERT INTO triage_number(version, place, name, value) VALUES ($1, $2, $3, $4)";
static const char SQL_NUMBERS[] = "SELECT name, value FROM triage_number WHERE version = $1";
static const char SQL_SHARE[] =
        "SELECT place, name || ' is a share from 0.5 to 1', name || ' 应为0.5至1' FROM triage_number WHERE version = $1"
        " AND name <> 'contradiction_cases' AND (value < 0.5 OR value > 1)";
static const char SQL_ITEM_UNKNOWN[] =
        "SELECT w.place, 'the item ' || w.item || ' does not exist', '事项' || w.item || '不存在' FROM item_words w WHERE w.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM item i WHERE i.version = w.version AND i.code = w.item)";
static const char SQL_TWICE[] =
        "SELECT MAX(place), 'the phrase ' || phrase || ' stands twice', '短语“' || phrase || '”重复' FROM urgent_phrase"
        " WHERE version = $1 GROUP BY phrase HAVING COUNT(*) > 1";
static const char SQL_SHORT[] =
        "SELECT place, 'a phrase has at least two characters', '短语至少两个字' FROM urgent_phrase WHERE version = $1"
        " AND LENGTH(phrase) < 2";

static const char *const kinds[] = {"danger", "supply", "crowd", NULL};
static const struct pack_column urgent_columns[] = {
        {"phrase", PACK_TEXT, true, NULL, "What stands in the text."},
        {"kind", PACK_TEXT, true, kinds, "Danger to life, failure of supply, a crowd."},
        {"beside", PACK_TEXT, false, NULL, "Phrases, `|` between them, beside which it is not urgent."},
        {0},
};
static const struct pack_column word_columns[] = {
        {"item", PACK_TEXT, true, NULL, "Item."},
        {"words", PACK_TEXT, true, NULL, "What people say for it, as they would write it."},
        {0},
};
static const struct {
        const char *name;
        double usual;
} numbers[TRIAGE_NUMBERS] = {
        [NUMBER_PRECISION] = {"precision", 0.95},                   /* wanted of items taken without asking */
        [NUMBER_ROUTE] = {"route_certainty", 0.95},                 /* from which experience answers where the list has no row */
        [NUMBER_CONTRADICTION] = {"contradiction_certainty", 0.97}, /* from which it is heard against a row of the list */
        [NUMBER_CONTRADICTION_CASES] = {"contradiction_cases", 10}, /* if it has seen so many like cases (faded) */
};
static const char *const number_names[] = {"precision", "route_certainty", "contradiction_certainty", "contradiction_cases", NULL};
static const struct pack_column number_columns[] = {
        {"name", PACK_TEXT, true, number_names, "Which number."},
        {"value", PACK_REAL, true, NULL, "Its value."},
        {0},
};
static const struct pack_table tables[] = {
        {"urgent_words.csv", false, urgent_columns, SQL_URGENT},
        {"item_words.csv", false, word_columns, SQL_WORDS},
        {"triage.csv", false, number_columns, SQL_NUMBER},
        {0},
};
static const char *const checks[] = {SQL_ITEM_UNKNOWN, SQL_TWICE, SQL_SHORT, SQL_SHARE, NULL};
const struct pack_part triage_pack = {.capability = "triage", .tables = tables, .checks = checks};

/* --- a version's phrases, folded like the texts --------------------------------------------------------------------- */

struct listing {
        struct triage *t;
        struct triage_words *list;
};

static uint32_t *folded_phrase(struct triage *t, const char *text, size_t *n)
{
        struct folded f;
        fold_text(t->fold, t->arena, text, strlen(text), &f);
        *n = f.n;
        return f.c;
}

static bool read_numbers(struct tx *tx, struct listing *l, struct err *e)
{
        struct rows r;
        bool ok = tx_rows(tx, &r, e, SQL_NUMBERS, ARGS(V(l->list->version)));
        while (ok && rows_next(&r)) {
                const char *name = rows_text(&r, l->t->arena, 0);
                for (size_t i = 0; i < TRIAGE_NUMBERS; i++)
                        if (text_is(name, numbers[i].name))
                                l->list->number[i] = rows_real(&r, 1);
        }
        return ok && rows_done(&r, e);
}

static bool read_list(struct tx *tx, void *ctx, struct err *e)
{
        enum { PHRASES_MOST = 2000 };
        struct listing *l = ctx;
        struct arena *a = l->t->arena;
        struct rows r;
        struct urgent *all = NEW_ARRAY(a, struct urgent, PHRASES_MOST);
        l->list->n = 0;
        bool ok = tx_rows(tx, &r, e, SQL_LIST, ARGS(V(l->list->version)));
        while (ok && rows_next(&r) && l->list->n < PHRASES_MOST) {
                char **parts;
                struct urgent *u = &all[l->list->n++];
                u->c = folded_phrase(l->t, rows_text(&r, a, 0), &u->n);
                u->kind = rows_text(&r, a, 1);
                u->count = text_split(a, rows_text(&r, a, 2), '|', &parts);
                u->beside = NEW_ARRAY(a, const uint32_t *, u->count + 1);
                u->n_beside = NEW_ARRAY(a, size_t, u->count + 1);
                for (size_t i = 0; i < u->count; i++)
                        u->beside[i] = folded_phrase(l->t, parts[i], &u->n_beside[i]);
        }
        l->list->at = all;
        return ok && rows_done(&r, e) && read_numbers(tx, l, e);
}

const struct triage_words *words_of(struct triage *t, struct store *store, int64_t version)
{
        struct err e;
        for (const struct triage_words *l = atomic_load(&t->words); l; l = l->next)
                if (l->version == version)
                        return l;
        (void)pthread_mutex_lock(&t->refreshing);
        struct triage_words *l = atomic_load(&t->words);
        while (l && l->version != version)
                l = l->next;
        if (!l) {
                l = NEW(t->arena, struct triage_words);
                *l = (struct triage_words){.version = version, .next = atomic_load(&t->words)};
                for (size_t i = 0; i < TRIAGE_NUMBERS; i++)
                        l->number[i] = numbers[i].usual;
                struct listing listing = {t, l};
                if (store_read(store, read_list, &listing, &e))
                        atomic_store(&t->words, l);
                else
                        log_err(LOG_WARN, "triage.words", &e); /* looked at again with the next report */
        }
        (void)pthread_mutex_unlock(&t->refreshing);
        return l;
}

/* Where the phrase stands first; SIZE_MAX: nowhere. */
static size_t stands(const struct folded *f, const uint32_t *c, size_t n)
{
        for (size_t i = 0; n > 0 && i + n <= f->n; i++)
                if (f->c[i] == c[0] && memcmp(f->c + i, c, n * sizeof *c) == 0)
                        return i;
        return SIZE_MAX;
}

const struct urgent *urgent_find(const struct triage_words *l, const struct folded *f, uint32_t *from, uint32_t *to)
{
        const struct urgent *best = NULL;
        size_t first = SIZE_MAX;
        for (size_t k = 0; k < l->n; k++) {
                const struct urgent *u = &l->at[k];
                const size_t at = stands(f, u->c, u->n);
                bool calmed = at >= first;
                for (size_t i = 0; i < u->count && !calmed; i++)
                        calmed = stands(f, u->beside[i], u->n_beside[i]) != SIZE_MAX;
                if (calmed)
                        continue;
                best = u;
                first = at;
                *from = f->at[at];
                *to = f->at[at + u->n];
        }
        return best;
}
