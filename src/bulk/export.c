/* bulk/export.c -- see bulk.h: cases and reports as CSV or JSON lines, page by page. */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/view.h"
#include "district/district.h"
#include "json/json.h"
#include "pack/csv.h"
#include "store/store.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const char SQL_COUNT_CASES[] = "SELECT COUNT(*) FROM cases";
static const char SQL_COUNT_REPORTS[] = "SELECT COUNT(*) FROM report";
static const char SQL_REPORTS[] =
        "SELECT r.id, COALESCE(c.number, ''), r.channel, COALESCE(r.external_id, ''), r.source, r.title, r.text, r.property,"
        " r.urgent, r.item, r.area, r.lon, r.lat, r.address, r.occurred_at, r.received_at"
        " FROM report r LEFT JOIN cases c ON c.id = r.id"
        " WHERE r.id < $1 ORDER BY r.id DESC LIMIT $2";

enum { PAGE = 1000, PAGE_BYTES_MOST = 256 << 20, MASK_DIGITS = 7 };

/* One row, named cell by named cell, in both formats. */
struct out {
        struct buf buf;
        struct json json;
        bool csv, names; /* names: the first line of the CSV is being written, not a row */
        bool first;
        struct arena *arena;
};

/* --- cells -------------------------------------------------------------------------------------------------------------- */

/* Digits from p on, and in *length the bytes they take; a single blank or hyphen between digits does not end a telephone number. */
static size_t digits_at(const char *p, size_t *length)
{
        size_t n = strspn(p, "0123456789"), at = n;
        if (n == 3 && *p == '1')
                while ((p[at] == '-' || p[at] == ' ') && isdigit((unsigned char)p[at + 1]) && n < 11) {
                        size_t more = strspn(p + at + 1, "0123456789");
                        at += more + 1;
                        n += more;
                }
        *length = at;
        return n;
}

static bool of_address(char c)
{
        return isalnum((unsigned char)c) || (c && strchr("._+-*", c));
}

/* Phone, identity and account numbers and mail addresses that people wrote into their text: "138****1234", "****@qq.com". */
static const char *masked(struct arena *a, const char *text)
{
        char *copy = arena_text(a, text);
        for (char *p = copy; *p;) {
                size_t length, n = digits_at(p, &length), end = n < 9 ? length : length - 4;
                for (size_t i = 3; n >= MASK_DIGITS && i < end; i++)
                        p[i] = '*';
                p += length ? length : 1;
        }
        for (char *at = copy; (at = strchr(at, '@')) != NULL; at++)
                for (char *p = at; isalnum((unsigned char)at[1]) && p > copy && of_address(p[-1]);)
                        *--p = '*';
        return copy;
}

/* A spreadsheet must not take a citizen's text for a formula. */
static const char *harmless(struct arena *a, const char *text)
{
        if (!text || !*text)
                return "";
        return strchr("=+-@\t\r", *text) ? arena_format(a, "'%s", text) : text;
}

static void put_text(struct out *o, const char *name, const char *text)
{
        if (o->csv)
                csv_cell(&o->buf, o->first ? 0 : ',', o->names ? name : harmless(o->arena, text));
        else
                json_text(&o->json, name, text);
        o->first = false;
}

static void put_flag(struct out *o, const char *name, bool value)
{
        if (o->csv)
                csv_cell(&o->buf, o->first ? 0 : ',', o->names ? name : value ? "yes" : "no");
        else
                json_bool(&o->json, name, value);
        o->first = false;
}

static void put_time(struct out *o, const char *name, int64_t instant)
{
        char text[TIME_TEXT_SIZE];
        if (o->csv)
                csv_cell(&o->buf, o->first ? 0 : ',', o->names ? name : instant ? time_text(text, instant, ZONE_SHANGHAI) : "");
        else
                json_time(&o->json, name, instant);
        o->first = false;
}

static void put_degrees(struct out *o, const char *name, bool known, double value)
{
        char text[32] = "";
        if (known)
                (void)snprintf(text, sizeof text, "%.7f", value);
        if (o->csv)
                csv_cell(&o->buf, o->first ? 0 : ',', o->names ? name : text);
        else if (known)
                json_real(&o->json, name, value);
        else
                json_null(&o->json, name);
        o->first = false;
}

static void begin_row(struct out *o)
{
        o->first = true;
        o->json = json_to(&o->buf);
        if (!o->csv)
                json_object(&o->json, NULL);
}

static void end_row(struct out *o)
{
        if (o->csv) {
                csv_end(&o->buf);
        } else {
                json_object_end(&o->json);
                buf_byte(&o->buf, '\n');
        }
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static void put_case(struct out *o, const struct case_view *v)
{
        begin_row(o);
        put_text(o, "number", v->number);
        put_text(o, "state", v->state);
        put_flag(o, "open", v->open);
        put_text(o, "channel", v->channel);
        put_text(o, "source", v->source);
        put_text(o, "property", v->property);
        put_text(o, "title", masked(o->arena, v->title));
        put_flag(o, "urgent", v->urgent);
        put_text(o, "item", v->item);
        put_text(o, "unit", v->unit);
        put_text(o, "subdistrict", v->subdistrict);
        put_text(o, "community", v->community);
        put_text(o, "grid", v->grid);
        put_text(o, "address", masked(o->arena, v->address));
        put_degrees(o, "lon", v->has_point, v->lon);
        put_degrees(o, "lat", v->has_point, v->lat);
        put_time(o, "occurred", v->occurred);
        put_time(o, "created", v->created);
        put_time(o, "closed", v->closed);
        put_time(o, "due", v->due);
        put_flag(o, "late", v->late);
        end_row(o);
}

struct report_view {
        int64_t id, occurred, received;
        const char *number, *channel, *external_id, *source, *title, *text, *property, *item, *area, *address;
        bool urgent, has_point;
        double lon, lat;
};

static void put_report(struct out *o, const struct report_view *v)
{
        begin_row(o);
        put_text(o, "number", v->number);
        put_text(o, "channel", v->channel);
        put_text(o, "external_id", v->external_id);
        put_text(o, "source", v->source);
        put_text(o, "property", v->property);
        put_text(o, "title", masked(o->arena, v->title));
        put_text(o, "text", masked(o->arena, v->text));
        put_flag(o, "urgent", v->urgent);
        put_text(o, "item", v->item);
        put_text(o, "area", v->area);
        put_text(o, "address", masked(o->arena, v->address));
        put_degrees(o, "lon", v->has_point, v->lon);
        put_degrees(o, "lat", v->has_point, v->lat);
        put_time(o, "occurred", v->occurred);
        put_time(o, "received", v->received);
        end_row(o);
}

static void read_report(const struct rows *r, struct arena *a, struct report_view *v)
{
        *v = (struct report_view){
                .id = rows_int(r, 0),
                .number = rows_text(r, a, 1),
                .channel = rows_text(r, a, 2),
                .external_id = rows_text(r, a, 3),
                .source = rows_text(r, a, 4),
                .title = rows_text(r, a, 5),
                .text = rows_text(r, a, 6),
                .property = rows_text(r, a, 7),
                .urgent = rows_int(r, 8) != 0,
                .item = rows_text(r, a, 9),
                .area = rows_text(r, a, 10),
                .has_point = !rows_null(r, 11),
                .lon = rows_real(r, 11),
                .lat = rows_real(r, 12),
                .address = rows_text(r, a, 13),
                .occurred = rows_int(r, 14),
                .received = rows_int(r, 15),
        };
}

/* --- pages --------------------------------------------------------------------------------------------------------------- */

struct export
{
        struct district *district;
        const char *file;
        FILE *to;
        struct out out;
        int64_t after, rows, total; /* after: the last id written; INT64_MAX before the first page */
        size_t page;                /* rows of the last page */
        const char *count;
};

static bool count_rows(struct tx *tx, void *ctx, struct err *e)
{
        struct export *x = ctx;
        return tx_int(tx, &x->total, 0, e, x->count, NO_ARGS);
}

static bool read_reports(struct tx *tx, void *ctx, struct err *e)
{
        struct export *x = ctx;
        struct rows r;
        const int64_t after = x->after;
        x->page = 0;
        buf_clear(&x->out.buf);
        if (!tx_rows(tx, &r, e, SQL_REPORTS, ARGS(V(after), V((int)PAGE))))
                return false;
        for (; rows_next(&r); x->page++) {
                struct report_view v;
                read_report(&r, x->out.arena, &v);
                put_report(&x->out, &v);
                x->after = v.id;
        }
        bool ok = rows_done(&r, e);
        if (!ok)
                x->after = after;
        return ok;
}

static bool read_cases(struct export *x, struct err *e)
{
        struct case_page page;
        const struct case_filter f = {.after_id = x->after == INT64_MAX ? 0 : x->after, .limit = PAGE};
        if (!case_page(x->district->store, x->out.arena, &f, &page, e))
                return false;
        for (size_t i = 0; i < page.n; i++)
                put_case(&x->out, &page.at[i]);
        x->page = page.n;
        if (page.n > 0)
                x->after = page.after_id;
        return true;
}

static bool write_pages(struct export *x, enum export_what what, const struct bulk_progress *p, struct err *e)
{
        do {
                arena_reset(x->out.arena);
                if (!(what == EXPORT_CASES ? read_cases(x, e) : store_read(x->district->store, read_reports, x, e))
                    || !write_all(x->to, &x->out.buf, x->file, e))
                        return false;
                x->rows += (int64_t)x->page;
                if (p && p->show)
                        p->show(p->ctx, x->rows, x->total);
        } while (x->page == PAGE);
        return true;
}

/* The byte order mark tells Excel that the file is UTF-8. */
static bool write_names(struct export *x, enum export_what what, struct err *e)
{
        if (!x->out.csv)
                return true;
        buf_text(&x->out.buf, "\xEF\xBB\xBF");
        x->out.names = true;
        if (what == EXPORT_CASES)
                put_case(&x->out, &(struct case_view){.title = "", .address = ""});
        else
                put_report(&x->out, &(struct report_view){.title = "", .text = "", .address = ""});
        x->out.names = false;
        return write_all(x->to, &x->out.buf, x->file, e);
}

static bool open_new(struct export *x, struct err *e)
{
        int fd = open(x->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
                return err_both(e, ERR_CONFLICT, NULL, "%s is there already; choose another name", "%s 已存在，请换一个文件名",
                                x->file);
        if (fd >= 0 && (x->to = fdopen(fd, "wb")) != NULL)
                return true;
        if (fd >= 0)
                (void)close(fd);
        return err_both(e, ERR_INVALID, NULL, "%s cannot be written: %s", "无法写入 %s：%s", x->file, strerror(errno));
}

bool export_table(struct district *d, enum export_what what, enum export_format format, const char *file,
                  const struct bulk_progress *p, int64_t *rows, struct err *e)
{
        struct export x = {.district = d, .file = file, .after = INT64_MAX};
        x.count = what == EXPORT_CASES ? SQL_COUNT_CASES : SQL_COUNT_REPORTS;
        if (!open_new(&x, e))
                return false;
        x.out = (struct out){.buf = BUF_LIMIT(PAGE_BYTES_MOST), .csv = format == EXPORT_CSV, .arena = arena_new()};
        bool ok = store_read(d->store, count_rows, &x, e) && write_names(&x, what, e) && write_pages(&x, what, p, e);
        if (fclose(x.to) != 0 && ok)
                ok = err_both(e, ERR_FAULT, NULL, "%s cannot be written: %s", "无法写入 %s：%s", file, strerror(errno));
        if (!ok)
                (void)unlink(file);
        buf_free(&x.out.buf);
        arena_free(&x.out.arena);
        *rows = x.rows;
        return ok;
}
