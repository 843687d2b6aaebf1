/* classify/file.c -- a classifier as bytes and back.  Numbers are little-endian; reading trusts nothing. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/text.h"
#include "classify/inside.h"
#include "crypto/crypto.h"
#include <math.h>

static const char magic[16] = "yiwang model  1";
enum {
        HEAD = 16 + 8 + SHA256_SIZE,
        DEEPEST = 16,
        CLASSES_MOST = 1 << 20,
        CODE_MOST = 1000,
        LINE_MOST = 1000,
        REPORT_WHOLE = 6,
        REPORT_REAL = 6
};

/* --- writing -------------------------------------------------------------------------------------------------------------- */

static void put_whole(struct buf *b, uint64_t v, int bytes)
{
        for (int i = 0; i < bytes; i++)
                buf_byte(b, (char)(v >> (8 * i)));
}

static void put_real(struct buf *b, float v)
{
        uint32_t bits;
        memcpy(&bits, &v, sizeof bits);
        put_whole(b, bits, 4);
}

static void put_reals(struct buf *b, const float *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                put_real(b, v[i]);
}

static void put_double(struct buf *b, double v)
{
        uint64_t bits;
        memcpy(&bits, &v, sizeof bits);
        put_whole(b, bits, 8);
}

static void put_node(struct buf *b, const struct node *node)
{
        const size_t width = (size_t)node->n_children + 1;
        put_whole(b, (uint32_t)node->class, 4);
        put_whole(b, (uint32_t)node->n_children, 4);
        for (int l = 0; l < node->n_children; l++)
                put_whole(b, (uint32_t)node->children[l], 4);
        put_real(b, node->slope);
        put_reals(b, node->shift, width - 1);
        put_reals(b, node->bias, width - 1);
        put_whole(b, node->n_rows, 4);
        struct arena *a = arena_new();
        uint32_t *keys = NEW_ARRAY(a, uint32_t, node->n_rows + 1);
        for (uint32_t s = 0; s < node->room; s++)
                if (node->keys[s])
                        keys[node->at[s]] = node->keys[s];
        for (uint32_t r = 0; r < node->n_rows; r++) {
                put_whole(b, keys[r], 4);
                put_reals(b, node->rows + r * width, width);
        }
        arena_free(&a);
}

/* Texts as they are remembered: the corrections among them are not the model's. */
static void put_recall(struct buf *b, const struct recall *r, size_t texts)
{
        struct arena *a = arena_new();
        struct recall_key *keys = NEW_ARRAY(a, struct recall_key, r->n_keys + 1);
        uint32_t n = 0;
        for (uint32_t s = 0; s < r->room; s++)
                if (r->keys[s].key)
                        keys[n++] = r->keys[s];
        put_real(b, r->most_idf);
        put_whole(b, texts, 4);
        for (size_t i = 0; i < texts; i++)
                put_whole(b, (uint32_t)r->class_of[i], 4);
        put_whole(b, n, 4);
        for (uint32_t i = 0; i < n; i++) {
                uint32_t posts = 0;
                for (int32_t p = keys[i].first; p >= 0; p = r->posts[p].next)
                        posts += (size_t)r->posts[p].text < texts;
                put_whole(b, keys[i].key, 4);
                put_real(b, keys[i].idf);
                put_whole(b, posts, 4);
                for (int32_t p = keys[i].first; p >= 0; p = r->posts[p].next)
                        if ((size_t)r->posts[p].text < texts) {
                                put_whole(b, (uint32_t)r->posts[p].text, 4);
                                put_real(b, r->posts[p].weight);
                        }
        }
        arena_free(&a);
}

static void put_report(struct buf *b, const struct training_report *r)
{
        const int64_t whole[REPORT_WHOLE] = {r->at, r->examples, r->made, r->classes, r->features, r->elapsed};
        const double real[REPORT_REAL] = {r->accuracy, r->macro_f1, r->ece, r->threshold, r->coverage, r->precision};
        for (size_t i = 0; i < REPORT_WHOLE; i++)
                put_whole(b, (uint64_t)whole[i], 8);
        for (size_t i = 0; i < REPORT_REAL; i++)
                put_double(b, real[i]);
}

void classifier_write(const struct classifier *c, struct buf *out)
{
        struct buf b = BUF_LIMIT(out->limit);
        put_whole(&b, c->classes.n, 4);
        for (size_t i = 0; i < c->classes.n; i++) {
                const size_t n = strlen(c->classes.code[i]);
                put_whole(&b, (uint32_t)c->classes.parent[i], 4);
                put_whole(&b, n, 2);
                buf_add(&b, c->classes.code[i], n);
                put_real(&b, c->threshold[i]);
        }
        put_whole(&b, c->n_line, 4);
        put_reals(&b, c->line_p, c->n_line);
        put_reals(&b, c->line_certainty, c->n_line);
        put_whole(&b, c->n_nodes, 4);
        for (size_t k = 0; k < c->n_nodes; k++)
                put_node(&b, &c->nodes[k]);
        put_recall(&b, &c->recall, c->recall.n_texts > c->corrections ? c->recall.n_texts - c->corrections : 0);
        put_report(&b, &c->report);
        unsigned char digest[SHA256_SIZE];
        sha256(b.at, b.length, digest);
        buf_add(out, magic, sizeof magic);
        put_whole(out, b.length, 8);
        buf_add(out, digest, sizeof digest);
        buf_add(out, b.at, b.length);
        out->overflow = out->overflow || b.overflow;
        buf_free(&b);
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

struct reader {
        const unsigned char *at, *end;
        bool bad;
};

static uint64_t whole(struct reader *r, int bytes)
{
        uint64_t v = 0;
        if (r->end - r->at < bytes) {
                r->bad = true;
                return 0;
        }
        for (int i = 0; i < bytes; i++)
                v |= (uint64_t)*r->at++ << (8 * i);
        return v;
}

static int index_below(struct reader *r, int64_t least, int64_t n)
{
        const int32_t v = (int32_t)whole(r, 4);
        if (v < least || v >= n)
                r->bad = true;
        return r->bad ? 0 : v;
}

static float real(struct reader *r)
{
        const uint32_t bits = (uint32_t)whole(r, 4);
        float v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
                r->bad = true;
        return v;
}

static void reals(struct reader *r, float *to, size_t n)
{
        for (size_t i = 0; i < n && !r->bad; i++)
                to[i] = real(r);
}

static double real8(struct reader *r)
{
        const uint64_t bits = whole(r, 8);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
                r->bad = true;
        return v;
}

/* How many things of at least that many bytes each follow. */
static size_t number_of(struct reader *r, size_t most, size_t bytes)
{
        const size_t n = (size_t)whole(r, 4);
        if (n > most || n > (size_t)(r->end - r->at) / bytes)
                r->bad = true;
        return r->bad ? 0 : n;
}

static bool well_founded(const struct classes *c)
{
        for (size_t i = 0; i < c->n; i++) {
                int depth = 0;
                for (int k = (int)i; k >= 0 && depth <= DEEPEST; k = c->parent[k])
                        depth++;
                if (depth > DEEPEST)
                        return false;
        }
        return true;
}

static void read_classes(struct reader *r, struct classifier *c)
{
        const size_t n = number_of(r, CLASSES_MOST, 10);
        c->classes = (struct classes){n, NEW_ARRAY(c->arena, const char *, n + 1), NEW_ARRAY(c->arena, int, n + 1)};
        c->threshold = NEW_ARRAY(c->arena, float, n + 1);
        c->by_code = map_new(c->arena, n);
        for (size_t i = 0; i < n && !r->bad; i++) {
                c->classes.parent[i] = index_below(r, -1, (int64_t)n);
                const size_t length = (size_t)whole(r, 2);
                if (r->bad || length > CODE_MOST || length > (size_t)(r->end - r->at)
                    || text_utf8_fault((const char *)r->at, length) < length) {
                        r->bad = true;
                        return;
                }
                c->classes.code[i] = arena_copy(c->arena, r->at, length);
                r->at += length;
                c->threshold[i] = real(r);
                (void)map_put(c->by_code, c->classes.code[i], &c->classes.parent[i]);
        }
        r->bad = r->bad || !well_founded(&c->classes);
}

static void read_rows(struct reader *r, struct arena *a, struct node *node)
{
        const size_t width = (size_t)node->n_children + 1;
        node->n_rows = (uint32_t)number_of(r, UINT32_MAX / 4, 4 + 4 * width);
        for (node->room = 64; node->room < 2 * node->n_rows;)
                node->room *= 2;
        node->keys = NEW_ARRAY(a, uint32_t, node->room);
        node->at = NEW_ARRAY(a, uint32_t, node->room);
        node->rows = NEW_ARRAY(a, float, (node->n_rows + 1) * width);
        for (uint32_t i = 0, before = 0; i < node->n_rows && !r->bad; i++) {
                const uint32_t key = (uint32_t)whole(r, 4);
                if (key <= before) /* they ascend, so that none is there twice */
                        r->bad = true;
                before = key;
                uint32_t s = key & (node->room - 1);
                while (node->keys[s])
                        s = (s + 1) & (node->room - 1);
                node->keys[s] = key;
                node->at[s] = i;
                reals(r, node->rows + i * width, width);
        }
}

static void read_node(struct reader *r, struct classifier *c, size_t k)
{
        struct node *node = &c->nodes[k];
        const int64_t n = (int64_t)c->classes.n;
        node->class = index_below(r, -1, n);
        node->n_children = (int)number_of(r, CHILDREN_MOST, 12);
        node->children = NEW_ARRAY(c->arena, int, node->n_children + 1);
        for (int l = 0; l < node->n_children && !r->bad; l++) {
                node->children[l] = index_below(r, 0, n);
                /* Only downwards: guessing then ends. */
                r->bad = r->bad || c->classes.parent[node->children[l]] != node->class;
        }
        node->slope = real(r);
        node->shift = NEW_ARRAY(c->arena, float, node->n_children + 1);
        node->bias = NEW_ARRAY(c->arena, float, node->n_children + 1);
        reals(r, node->shift, (size_t)node->n_children);
        reals(r, node->bias, (size_t)node->n_children);
        if (r->bad || node->n_children == 0 || node->slope <= 0 || c->node_of[node->class + 1] >= 0) {
                r->bad = true;
                return;
        }
        c->node_of[node->class + 1] = (int)k;
        read_rows(r, c->arena, node);
}

static void read_nodes(struct reader *r, struct classifier *c)
{
        c->n_line = number_of(r, LINE_MOST, 8);
        c->line_p = NEW_ARRAY(c->arena, float, c->n_line + 1);
        c->line_certainty = NEW_ARRAY(c->arena, float, c->n_line + 1);
        reals(r, c->line_p, c->n_line);
        reals(r, c->line_certainty, c->n_line);
        c->n_nodes = number_of(r, c->classes.n + 1, 24);
        c->nodes = NEW_ARRAY(c->arena, struct node, c->n_nodes + 1);
        c->node_of = NEW_ARRAY(c->arena, int, c->classes.n + 1);
        for (size_t i = 0; i <= c->classes.n; i++)
                c->node_of[i] = -1;
        for (size_t k = 0; k < c->n_nodes && !r->bad; k++)
                read_node(r, c, k);
        r->bad = r->bad || c->n_nodes == 0 || c->node_of[0] < 0;
}

static void read_recall(struct reader *r, struct classifier *c)
{
        struct recall *to = &c->recall;
        to->most_idf = real(r);
        to->n_texts = to->texts_room = (uint32_t)number_of(r, UINT32_MAX / 8, 4);
        to->class_of = NEW_ARRAY(c->arena, int, to->n_texts + 1);
        for (uint32_t i = 0; i < to->n_texts && !r->bad; i++)
                to->class_of[i] = index_below(r, 0, (int64_t)c->classes.n);
        const size_t keys = number_of(r, UINT32_MAX / 8, 12);
        to->posts_room = (uint32_t)((size_t)(r->end - r->at) / 8 + 1);
        to->posts = NEW_ARRAY(c->arena, struct recall_post, keys > 0 ? to->posts_room : 1);
        for (size_t i = 0; i < keys && !r->bad; i++) {
                const uint32_t key = (uint32_t)whole(r, 4);
                const float idf = real(r);
                const size_t posts = number_of(r, to->posts_room, 8), known = to->n_keys;
                int32_t first = -1;
                for (size_t p = 0; p < posts && !r->bad; p++) {
                        const int32_t text = index_below(r, 0, to->n_texts);
                        to->posts[to->n_posts] = (struct recall_post){text, first, real(r)};
                        first = (int32_t)to->n_posts++;
                }
                recall_key(c->arena, to, key, idf);
                r->bad = r->bad || key == 0 || to->n_keys == known;
                if (!r->bad)
                        recall_first(to, key, first);
        }
        to->room = to->n_keys > 0 ? to->room : 0;
        to->posts_room = to->n_posts;
}

static void read_report(struct reader *r, struct training_report *to)
{
        int64_t n[REPORT_WHOLE];
        double v[REPORT_REAL];
        for (size_t i = 0; i < REPORT_WHOLE; i++)
                n[i] = (int64_t)whole(r, 8);
        for (size_t i = 0; i < REPORT_REAL; i++)
                v[i] = real8(r);
        *to = (struct training_report){n[0], n[1], n[2], n[3], n[4], n[5], v[0], v[1], v[2], v[3], v[4], v[5]};
}

static bool head_fits(const unsigned char *bytes, size_t n, struct err *e)
{
        unsigned char digest[SHA256_SIZE];
        if (n < HEAD || memcmp(bytes, magic, sizeof magic) != 0)
                return err_both(e, ERR_INVALID, NULL, "this is no model of this version; train it again",
                                "这不是本版本的模型，请重新训练");
        struct reader r = {bytes + sizeof magic, bytes + n, false};
        if (whole(&r, 8) != n - HEAD)
                return err_both(e, ERR_INVALID, NULL, "the model is cut or has bytes behind its end; train it again",
                                "模型长度不符，请重新训练");
        sha256(bytes + HEAD, n - HEAD, digest);
        return memcmp(digest, bytes + HEAD - SHA256_SIZE, SHA256_SIZE) == 0
               || err_both(e, ERR_INVALID, NULL, "the model is damaged: its digest differs; train it again",
                           "模型已损坏：摘要不符，请重新训练");
}

bool classifier_read(const void *bytes, size_t n, struct classifier **out, struct err *e)
{
        *out = NULL;
        if (!head_fits(bytes, n, e))
                return false;
        struct arena *a = arena_new();
        struct classifier *c = NEW(a, struct classifier);
        struct reader r = {(const unsigned char *)bytes + HEAD, (const unsigned char *)bytes + n, false};
        c->arena = a;
        read_classes(&r, c);
        if (!r.bad)
                read_nodes(&r, c);
        if (!r.bad)
                read_recall(&r, c);
        if (!r.bad)
                read_report(&r, &c->report);
        if (r.bad || r.at != r.end) {
                arena_free(&a);
                return err_both(e, ERR_INVALID, NULL, "the model is damaged: its parts do not fit; train it again",
                                "模型已损坏：内容不一致，请重新训练");
        }
        *out = c;
        return true;
}
