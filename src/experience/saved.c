/* experience/saved.c -- an estimator as bytes, and back.
 *
 * "YWEX", version, then all numbers little-endian, in the order of save(); last a checksum of everything before.  The reader trusts
 * nothing: each number is looked at before it is used, so bytes with a right checksum that nobody wrote do no harm either.
 */
#include "base/map.h"
#include "base/text.h"
#include "experience/inside.h"
#include <math.h>
#include <stdlib.h>

enum { VERSION = 1, NAME_MOST = 4096, SUM_BYTES = 8, COUNT_BYTES = 20, CELL_BYTES = 32, CELLS_LIMIT = 1 << 26 };
static const char MAGIC[] = "YWEX";

/* --- writing -------------------------------------------------------------------------------------------------------------- */

static void put(struct buf *b, uint64_t value, size_t bytes)
{
        char out[8];
        for (size_t i = 0; i < bytes; i++)
                out[i] = (char)(value >> (8 * i) & 0xFF);
        buf_add(b, out, bytes);
}

static void put_real(struct buf *b, double value)
{
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        put(b, bits, 8);
}

static void put_small(struct buf *b, float value)
{
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        put(b, bits, 4);
}

/* NULL and "" differ: the length is one more. */
static void put_text(struct buf *b, const char *text)
{
        put(b, text ? strlen(text) + 1 : 0, 4);
        if (text)
                buf_text(b, text);
}

static void put_home(struct buf *b, const struct home *h)
{
        for (size_t i = 0; i < HOME_SLOTS; i++) {
                put(b, h->area[i], 8);
                put_small(b, h->cases[i]);
        }
        put_small(b, h->total);
}

static void put_cell(struct buf *b, const struct cell *c)
{
        put(b, c->key, 8);
        put(b, (uint64_t)c->at, 8);
        put(b, (uint64_t)c->since, 8);
        put(b, c->last, 4);
        put(b, c->n, 4);
        for (size_t i = 0; i < c->n; i++) {
                put(b, c->counts[i].of, 4);
                put_small(b, c->counts[i].all);
                put_small(b, c->counts[i].recent);
                put_small(b, c->counts[i].lean);
                put_small(b, c->counts[i].slope);
        }
}

static void put_learned(struct buf *b, const struct experience *x)
{
        for (size_t j = 0; j < CONTEXTS; j++)
                for (size_t k = 0; k < FEATURES; k++) {
                        put_real(b, x->weight[j][k]);
                        put_real(b, x->slope[j][k]);
                }
        for (size_t k = 0; k < SURE_FEATURES; k++) {
                put_real(b, x->sure[k]);
                put_real(b, x->sure_slope[k]);
        }
        put_real(b, x->novel);
        put(b, (uint64_t)x->learned, 8);
}

static void save(struct buf *b, const struct experience *x)
{
        put_real(b, x->options.half_life);
        put_real(b, x->options.recent_half_life);
        put(b, x->options.cells_most, 8);
        put(b, x->options.without, 4);
        put(b, CONTEXTS, 4);
        put_learned(b, x);
        for (size_t level = 0; level < CIRCUMSTANCE_AREAS; level++)
                put_home(b, &x->everybody[level]);
        put(b, x->n_units, 4);
        for (size_t i = 0; i < x->n_units; i++) {
                put_text(b, x->units[i].name);
                put_text(b, x->units[i].role);
                for (size_t level = 0; level < CIRCUMSTANCE_AREAS; level++)
                        put_home(b, &x->units[i].home[level]);
        }
        put(b, x->cells.n, 8);
        for (size_t i = 0; i < x->cells.room; i++)
                if (x->cells.at[i].key != 0)
                        put_cell(b, &x->cells.at[i]);
}

void experience_write(const struct experience *x, struct buf *out)
{
        pthread_rwlock_t *lock = (pthread_rwlock_t *)&x->lock;
        const size_t from = out->length;
        (void)pthread_rwlock_rdlock(lock);
        buf_text(out, MAGIC);
        put(out, VERSION, 4);
        save(out, x);
        (void)pthread_rwlock_unlock(lock);
        if (!out->overflow)
                put(out, hash_bytes(out->at + from, out->length - from, 0), SUM_BYTES);
}

/* --- reading -------------------------------------------------------------------------------------------------------------- */

struct reading {
        const unsigned char *at;
        size_t left;
        bool bad; /* once something is wrong everything reads as 0 */
};

static uint64_t get(struct reading *r, size_t bytes)
{
        uint64_t value = 0;
        r->bad |= r->left < bytes;
        if (r->bad)
                return 0;
        for (size_t i = 0; i < bytes; i++)
                value |= (uint64_t)r->at[i] << (8 * i);
        r->at += bytes;
        r->left -= bytes;
        return value;
}

static double get_real(struct reading *r)
{
        const uint64_t bits = get(r, 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        r->bad |= !isfinite(value) || fabs(value) > 1e9;
        return r->bad ? 0 : value;
}

static double get_positive(struct reading *r)
{
        const double value = get_real(r);
        r->bad |= value < 0;
        return value;
}

static float get_small(struct reading *r)
{
        const uint32_t bits = (uint32_t)get(r, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        r->bad |= !isfinite(value) || fabsf(value) > 1e9F;
        return r->bad ? 0 : value;
}

static float get_amount(struct reading *r)
{
        const float value = get_small(r);
        r->bad |= value < 0;
        return value;
}

/* NULL when it is none; malloced. */
static char *get_text(struct reading *r)
{
        const size_t n = (size_t)get(r, 4);
        if (n == 0)
                return NULL;
        r->bad |= n - 1 > NAME_MOST || r->left < n - 1 || text_utf8_fault((const char *)r->at, n - 1) != n - 1;
        if (r->bad)
                return NULL;
        char *text = calloc(n, 1);
        if (!text)
                abort();
        memcpy(text, r->at, n - 1);
        r->at += n - 1;
        r->left -= n - 1;
        return text;
}

static void get_home(struct reading *r, struct home *h)
{
        for (size_t i = 0; i < HOME_SLOTS; i++) {
                h->area[i] = get(r, 8);
                h->cases[i] = get_amount(r);
        }
        h->total = get_amount(r);
}

static void get_learned(struct reading *r, struct experience *x)
{
        for (size_t j = 0; j < CONTEXTS; j++)
                for (size_t k = 0; k < FEATURES; k++) {
                        x->weight[j][k] = get_real(r);
                        x->slope[j][k] = get_positive(r);
                }
        for (size_t k = 0; k < SURE_FEATURES; k++) {
                x->sure[k] = get_real(r);
                x->sure_slope[k] = get_positive(r);
        }
        x->novel = get_positive(r);
        x->learned = (int64_t)get(r, 8);
        r->bad |= x->novel > 1 || x->learned < 0;
}

static void get_units(struct reading *r, struct experience *x)
{
        const size_t n = (size_t)get(r, 4);
        r->bad |= n > UNITS_MOST;
        for (size_t i = 0; i < n && !r->bad; i++) {
                char *name = get_text(r), *role = get_text(r);
                r->bad |= !name || known_unit(x, name) != UINT32_MAX;
                if (!r->bad) {
                        const uint32_t at = take_unit(x, name); /* may move all units */
                        struct unit *u = &x->units[at];
                        u->role = role;
                        role = NULL;
                        for (size_t level = 0; level < CIRCUMSTANCE_AREAS; level++)
                                get_home(r, &u->home[level]);
                }
                free(name);
                free(role);
        }
}

/* So that the difference of two is one too. */
static bool instant(int64_t t)
{
        return t > -(INT64_C(1) << 61) && t < INT64_C(1) << 61;
}

/* Whether a cell counts units or roles cannot be seen from its key: who takes a number for a unit's index looks first. */
static void get_cell(struct reading *r, struct experience *x)
{
        const uint64_t key = get(r, 8);
        const int64_t at = (int64_t)get(r, 8), since = (int64_t)get(r, 8);
        const uint32_t last = (uint32_t)get(r, 4), n = (uint32_t)get(r, 4);
        r->bad |= key == 0 || !instant(at) || !instant(since) || n == 0 || n > COUNTS_MOST || r->left / COUNT_BYTES < n
                  || cells_find(&x->cells, key);
        if (r->bad)
                return;
        struct cell *c = cells_put(&x->cells, key);
        c->at = at;
        c->since = since;
        c->last = last;
        c->n = c->room = n;
        c->counts = calloc(n, sizeof *c->counts);
        if (!c->counts)
                abort();
        for (size_t i = 0; i < n; i++) {
                c->counts[i].of = (uint32_t)get(r, 4);
                c->counts[i].all = get_amount(r);
                c->counts[i].recent = get_amount(r);
                c->counts[i].lean = get_small(r);
                c->counts[i].slope = get_amount(r);
        }
}

static void get_cells(struct reading *r, struct experience *x)
{
        const uint64_t n = get(r, 8);
        r->bad |= n > x->cells.most || r->left / (CELL_BYTES + COUNT_BYTES) < n;
        for (uint64_t i = 0; i < n && !r->bad; i++)
                get_cell(r, x);
}

static struct experience *get_all(struct reading *r)
{
        struct experience_options o = {.half_life = get_positive(r), .recent_half_life = get_positive(r)};
        o.cells_most = (size_t)get(r, 8);
        o.without = (unsigned)get(r, 4);
        r->bad |= o.half_life < 1e-3 || o.recent_half_life < 1e-3 || o.cells_most > CELLS_LIMIT || o.cells_most <= CONTEXTS;
        r->bad |= get(r, 4) != CONTEXTS;
        if (r->bad)
                return NULL;
        struct experience *x = experience_new(&o);
        get_learned(r, x);
        for (size_t level = 0; level < CIRCUMSTANCE_AREAS; level++)
                get_home(r, &x->everybody[level]);
        get_units(r, x);
        get_cells(r, x);
        r->bad |= r->left != 0;
        return x;
}

static bool refuse(struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "the saved experience is damaged or cut: it must be learned anew from the history",
                        "已保存的经验数据已损坏或不完整，须从历史案件重新学习");
}

bool experience_read(const void *bytes, size_t n, struct experience **out, struct err *e)
{
        struct reading r = {.at = bytes, .left = n};
        const size_t head = strlen(MAGIC);
        *out = NULL;
        if (n < head + 4 + SUM_BYTES || memcmp(bytes, MAGIC, head) != 0)
                return refuse(e);
        r.at += head;
        r.left -= head;
        const uint32_t version = (uint32_t)get(&r, 4);
        if (version != VERSION)
                return err_both(e, ERR_INVALID, NULL, "the saved experience has the form %u, this program knows %d: learn anew",
                                "已保存的经验数据格式为%u，本程序只认识%d：请重新学习", version, (int)VERSION);
        struct reading sum = {.at = (const unsigned char *)bytes + n - SUM_BYTES, .left = SUM_BYTES};
        if (get(&sum, SUM_BYTES) != hash_bytes(bytes, n - SUM_BYTES, 0))
                return refuse(e);
        r.left -= SUM_BYTES;
        *out = get_all(&r);
        if (!r.bad)
                return true;
        experience_free(out);
        return refuse(e);
}
