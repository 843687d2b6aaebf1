/* evaluate/labelled.c -- texts with labels from CSV files. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/text.h"
#include "evaluate/classify.h"
#include "pack/csv.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_COLUMNS_MOST = 8, FILE_MOST = 1 << 30, LABEL_MOST = 900 };

struct reading {
        struct arena *arena;
        const char *file;
        const struct columns *columns;
        int text_at[TEXT_COLUMNS_MOST], label_at;
        bool header;
        struct map *labels; /* name -> its index */
        struct labelled *out;
        size_t room, name_room;
};

static bool read_bytes(struct arena *a, const char *file, char **text, size_t *n, struct err *e)
{
        struct buf b = BUF_LIMIT(FILE_MOST);
        char piece[1 << 16];
        FILE *f = fopen(file, "rbe");
        if (!f)
                return err_both(e, ERR_NOT_FOUND, NULL, "%s cannot be read: %s", "无法读取 %s：%s", file, strerror(errno));
        for (size_t got; (got = fread(piece, 1, sizeof piece, f)) > 0;)
                buf_add(&b, piece, got);
        const bool failed = ferror(f) != 0;
        (void)fclose(f);
        if (failed || b.overflow) {
                buf_free(&b);
                return err_both(e, ERR_INVALID, NULL, "%s cannot be read, or is larger than 1 GiB", "%s 无法读取或超过1GiB", file);
        }
        *n = b.length;
        *text = arena_copy(a, b.at ? b.at : "", b.length);
        buf_free(&b);
        const size_t fault = text_utf8_fault(*text, *n);
        return fault == *n
               || err_both(e, ERR_INVALID, NULL, "%s is not in UTF-8: byte %zu", "%s 不是UTF-8编码：第%zu字节", file, fault);
}

static int column_of(const struct csv_record *r, const char *name)
{
        for (size_t i = 0; i < r->n; i++)
                if (text_is(r->cells[i], name))
                        return (int)i;
        return -1;
}

static bool read_header(struct reading *r, const struct csv_record *rec, struct err *e)
{
        const struct columns *c = r->columns;
        r->header = true;
        r->label_at = column_of(rec, c->label);
        if (r->label_at < 0)
                return err_both(e, ERR_INVALID, "label", "%s has no column \"%s\"", "%s 没有“%s”列", r->file, c->label);
        for (size_t i = 0; i < c->n_text; i++) {
                r->text_at[i] = column_of(rec, c->text[i]);
                if (r->text_at[i] < 0)
                        return err_both(e, ERR_INVALID, "text", "%s has no column \"%s\"", "%s 没有“%s”列", r->file, c->text[i]);
        }
        return true;
}

static void *larger(struct arena *a, const void *old, size_t n, size_t *room, size_t size)
{
        *room = *room > 0 ? 2 * *room : 1024;
        void *p = arena_alloc(a, *room * size);
        if (n > 0)
                memcpy(p, old, n * size);
        return p;
}

static int label_of(struct reading *r, const char *name)
{
        struct labelled *out = r->out;
        const int *known = map_get(r->labels, name);
        if (known)
                return *known;
        if (out->n_names == r->name_room)
                out->names = larger(r->arena, out->names, out->n_names, &r->name_room, sizeof *out->names);
        out->names[out->n_names++] = arena_text(r->arena, name);
        int *number = NEW(r->arena, int);
        *number = (int)out->n_names - 1;
        (void)map_put(r->labels, out->names[*number], number);
        return (int)out->n_names - 1;
}

static bool each(void *ctx, const struct csv_record *rec, struct err *e)
{
        struct reading *r = ctx;
        struct labelled *out = r->out;
        if (!r->header)
                return read_header(r, rec, e);
        const char *label = (size_t)r->label_at < rec->n ? text_trim(r->arena, rec->cells[r->label_at]) : "";
        if (text_empty(label) || strlen(label) > LABEL_MOST) {
                out->left_out += rec->n > 1 || !text_empty(rec->cells[0]);
                return true;
        }
        struct buf b = BUF_LIMIT(CSV_RECORD_MOST + 64);
        for (size_t i = 0; i < r->columns->n_text; i++) {
                if (i > 0)
                        buf_byte(&b, '\n');
                if ((size_t)r->text_at[i] < rec->n)
                        buf_text(&b, rec->cells[r->text_at[i]]);
        }
        if (out->n == r->room) {
                size_t same = r->room;
                out->label = larger(r->arena, out->label, out->n, &same, sizeof *out->label);
                out->text = larger(r->arena, out->text, out->n, &r->room, sizeof *out->text);
        }
        ((int *)out->label)[out->n] = label_of(r, label);
        out->text[out->n++] = arena_copy(r->arena, b.at ? b.at : "", b.length);
        buf_free(&b);
        return true;
}

bool labelled_read(struct arena *a, const char *file, const struct columns *columns, const struct labelled *known,
                   struct labelled *out, struct err *e)
{
        struct reading r = {.arena = a, .file = file, .columns = columns, .labels = map_new(a, 64), .out = out};
        char *text;
        size_t n;
        *out = (struct labelled){.n = 0};
        if (columns->n_text == 0 || columns->n_text > TEXT_COLUMNS_MOST)
                return err_both(e, ERR_INVALID, "text", "one to eight columns can be the text", "文本列应为一至八列");
        for (size_t i = 0; known && i < known->n_names; i++)
                (void)label_of(&r, known->names[i]);
        if (!read_bytes(a, file, &text, &n, e))
                return false;
        if (!csv_read(text, n, 0, each, &r, e)) {
                err_within(e, file);
                return false;
        }
        return out->n > 0 || err_both(e, ERR_INVALID, NULL, "%s has no row with a label", "%s 中没有带标签的行", file);
}
