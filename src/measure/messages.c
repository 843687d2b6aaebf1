/* measure/messages.c -- see messages.h. */
#include "measure/messages.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "pack/csv.h"
#include <stdio.h>

enum { COLUMNS = 7, FILE_MOST = 1 << 30 };

struct reading {
        struct arena *arena;
        struct messages *out;
        size_t room;
        int column[COLUMNS]; /* where each name of `names` stands; -1: nowhere */
        bool has_head;
};
enum column { ID, REPORTER, SUBJECT, TIME, DETAIL, OPPOSE, SUPPORT };
static const char *const names[COLUMNS] = {"msg_id", "user_id", "subject", "created_at", "detail", "oppose", "support"};

static bool read_head(struct reading *r, const struct csv_record *record, struct err *e)
{
        for (size_t k = 0; k < COLUMNS; k++) {
                r->column[k] = -1;
                for (size_t i = 0; i < record->n; i++)
                        if (text_is(record->cells[i], names[k]))
                                r->column[k] = (int)i;
                if (k <= DETAIL && r->column[k] < 0)
                        return err_both(e, ERR_INVALID, names[k], "the table has no column \"%s\"", "表中缺少“%s”列", names[k]);
        }
        r->has_head = true;
        return true;
}

static const char *cell(const struct reading *r, const struct csv_record *record, enum column which)
{
        const int i = r->column[which];
        return i >= 0 && (size_t)i < record->n ? arena_text(r->arena, record->cells[i]) : "";
}

static int64_t number(const struct reading *r, const struct csv_record *record, enum column which)
{
        int64_t n = 0;
        return text_to_int(cell(r, record, which), &n) && n > 0 ? n : 0;
}

static bool read_record(void *ctx, const struct csv_record *record, struct err *e)
{
        struct reading *r = ctx;
        if (!r->has_head)
                return read_head(r, record, e);
        if (r->out->n == r->room) {
                struct message *more = NEW_ARRAY(r->arena, struct message, r->room * 2 + 1024);
                if (r->out->n > 0)
                        memcpy(more, r->out->at, r->out->n * sizeof *more);
                r->out->at = more;
                r->room = r->room * 2 + 1024;
        }
        struct message *m = &r->out->at[r->out->n++];
        *m = (struct message){
                .id = cell(r, record, ID),
                .reporter = cell(r, record, REPORTER),
                .subject = cell(r, record, SUBJECT),
                .detail = cell(r, record, DETAIL),
                .support = number(r, record, SUPPORT),
                .oppose = number(r, record, OPPOSE),
        };
        if (!time_parse(cell(r, record, TIME), ZONE_SHANGHAI, &m->time))
                m->time = 0;
        m->text = arena_format(r->arena, "%s\n%s", m->subject, m->detail);
        return true;
}

static bool read_file(const char *path, struct buf *b, struct err *e)
{
        char piece[1 << 16];
        size_t n;
        FILE *f = fopen(path, "rb");
        if (!f)
                return err_both(e, ERR_NOT_FOUND, "input", "%s cannot be opened", "无法打开 %s", path);
        while ((n = fread(piece, 1, sizeof piece, f)) > 0)
                buf_add(b, piece, n);
        const bool ok = !ferror(f) && !b->overflow;
        (void)fclose(f);
        return ok
               || err_both(e, ERR_INVALID, "input", "%s cannot be read, or is larger than 1 GiB", "%s 无法读取，或大于1 GiB", path);
}

bool messages_read(struct arena *a, const char *path, struct messages *out, struct err *e)
{
        struct buf b = BUF_LIMIT(FILE_MOST);
        struct reading r = {.arena = a, .out = out};
        *out = (struct messages){0};
        bool ok = read_file(path, &b, e) && csv_read(b.at ? b.at : "", b.length, ',', read_record, &r, e);
        buf_free(&b);
        if (ok && out->n == 0)
                ok = err_both(e, ERR_INVALID, "input", "%s has no messages", "%s 中没有留言", path);
        return ok;
}

uint64_t draw_next(struct draw *d)
{
        uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

size_t draw_below(struct draw *d, size_t n)
{
        return (size_t)((double)(draw_next(d) >> 11) * 0x1p-53 * (double)n);
}

bool draw_chance(struct draw *d, double share)
{
        return (double)(draw_next(d) >> 11) * 0x1p-53 < share;
}
