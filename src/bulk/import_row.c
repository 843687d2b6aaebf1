/* bulk/import_row.c -- a row becomes a report, as the map says.
 *
 * What the pack does not know of item, area or property is left open and noted: such a row is still somebody's matter.  What
 * would be stored wrongly (a time that is none, a coordinate out of range, no text) rejects the row.
 */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "intake/channels.h"
#include "people/people.h"
#include "twin/twin.h"

struct making {
        const struct import_map *map;
        const struct rulebook *rules;
        struct arena *arena;
        const struct table_row *row;
};

/* --- texts --------------------------------------------------------------------------------------------------------------- */

static const char *joined(const struct making *m, const struct map_value *v, bool keep_empty)
{
        struct buf b = BUF_LIMIT((size_t)1 << 20);
        bool any = false;
        for (size_t i = 0; i < v->columns.n; i++) {
                const char *cell = m->row->values[v->columns.at[i]];
                if (text_empty(cell) && !keep_empty)
                        continue;
                if (keep_empty ? i > 0 : b.length > 0)
                        buf_text(&b, v->join);
                buf_text(&b, cell);
                any |= !text_empty(cell);
        }
        const char *text = any ? arena_copy(m->arena, b.at, b.length) : "";
        buf_free(&b);
        return text;
}

/* "" when the row or the map says nothing. */
static const char *text_of(const struct making *m, enum import_field f)
{
        const struct map_value *v = &m->map->fields[f];
        if (!v->given)
                return "";
        /* Of an id every part counts, also an empty one: "a" + "" is not "" + "a". */
        const char *text = v->constant ? v->constant : joined(m, v, f == FIELD_EXTERNAL_ID);
        const char *found = v->table ? map_get(v->table, text) : NULL;
        if (found)
                return found;
        return v->otherwise ? v->otherwise : text;
}

/* The same lengths as POST /api/v1/reports takes. */
static bool short_enough(enum import_field f, const char *text, struct err *e)
{
        static const size_t most[IMPORT_FIELDS] = {
                [FIELD_CHANNEL] = 40,  [FIELD_EXTERNAL_ID] = 200, [FIELD_TEXT] = 10000, [FIELD_TITLE] = 200, [FIELD_SOURCE] = 100,
                [FIELD_ADDRESS] = 400, [FIELD_NAME] = 100,        [FIELD_PHONE] = 40,   [FIELD_EMAIL] = 200,
        };
        return most[f] == 0 || text_characters(text) <= most[f]
               || err_both(e, ERR_INVALID, import_field_name(f), "the text is longer than %zu characters", "文本超过%zu个字",
                           most[f]);
}

/* "1.23457E+11", as Excel shows and saves a number too long for its cell: the digits are lost, and two ids become one. */
static bool shortened(const char *cell)
{
        const size_t whole = strspn(cell, "0123456789");
        const size_t fraction = cell[whole] == '.' ? 1 + strspn(cell + whole + 1, "0123456789") : 0;
        const char *power = cell + whole + fraction;
        return whole > 0 && (strncmp(power, "E+", 2) == 0 || strncmp(power, "e+", 2) == 0) && power[2]
               && power[2 + strspn(power + 2, "0123456789")] == '\0';
}

static bool whole_id(const struct making *m, struct err *e)
{
        const struct map_columns *c = &m->map->fields[FIELD_EXTERNAL_ID].columns;
        for (size_t i = 0; i < c->n; i++)
                if (shortened(m->row->values[c->at[i]]))
                        return err_both(e, ERR_INVALID, "external_id",
                                        "\"%.40s\" was shortened by a spreadsheet: format the column \"%s\" as text and save again",
                                        "“%.40s”已被电子表格截短，请将列“%s”设为文本格式后重新保存", m->row->values[c->at[i]],
                                        m->map->columns[c->at[i]]);
        return true;
}

static bool fill_texts(const struct making *m, struct report *r, struct err *e)
{
        const struct {
                enum import_field field;
                const char **out;
                bool needed;
        } parts[] = {
                {FIELD_CHANNEL, &r->channel, true}, {FIELD_EXTERNAL_ID, &r->external_id, true},
                {FIELD_TEXT, &r->text, true},       {FIELD_TITLE, &r->title, false},
                {FIELD_SOURCE, &r->source, false},  {FIELD_ADDRESS, &r->address, false},
                {FIELD_NAME, &r->name, false},      {FIELD_PHONE, &r->phone, false},
                {FIELD_EMAIL, &r->email, false},
        };
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
                const char *text = text_of(m, parts[i].field);
                if (parts[i].needed && text_empty(text))
                        return err_both(e, ERR_INVALID, import_field_name(parts[i].field), "the row gives none", "本行未给出");
                if (!short_enough(parts[i].field, text, e))
                        return false;
                *parts[i].out = text_empty(text) ? NULL : text;
        }
        return true;
}

/* --- times --------------------------------------------------------------------------------------------------------------- */

/* "2018/2/8 15:34" and "2018.02.08" as the form that time_parse() takes; NULL when it is neither. */
static const char *plain_time(struct arena *a, const char *text)
{
        int year, month, day, hour = 0, minute = 0, second = 0, used = 0;
        char first, second_mark;
        if (sscanf(text, "%4d%c%2d%c%2d%n", &year, &first, &month, &second_mark, &day, &used) != 5 || first != second_mark
            || !strchr("-/.", first))
                return NULL;
        int more = 0;
        if (text[used] && (sscanf(text + used, " %2d:%2d%n", &hour, &minute, &more) != 2 || more == 0))
                return NULL;
        used += more;
        more = 0;
        if (text[used] && (sscanf(text + used, ":%2d%n", &second, &more) != 1 || text[used + more]))
                return NULL;
        return arena_format(a, "%04d-%02d-%02d %02d:%02d:%02d", year, month, day, hour, minute, second);
}

static bool time_of(const struct making *m, enum import_field f, int64_t now, int64_t *out, struct err *e)
{
        const char *text = text_of(m, f), *plain;
        *out = 0;
        if (text_empty(text))
                return !m->map->fields[f].given || f != FIELD_RECEIVED
                       || err_both(e, ERR_INVALID, import_field_name(f), "the row gives none", "本行未给出");
        if (!time_parse(text, m->map->zone, out)
            && !((plain = plain_time(m->arena, text)) != NULL && time_parse(plain, m->map->zone, out)))
                return err_both(e, ERR_INVALID, import_field_name(f), "\"%.40s\" is not a time; write 2026-11-23 09:30",
                                "“%.40s”不是时间，请写作 2026-11-23 09:30", text);
        return *out <= now + USEC_DAY
               || err_both(e, ERR_INVALID, import_field_name(f), "\"%.40s\" lies in the future", "“%.40s”晚于现在", text);
}

static bool yes_no(const struct making *m, enum import_field f, bool *out, struct err *e)
{
        static const char *const yes[] = {"yes", "true", "1", "是", "urgent", "紧急"};
        static const char *const no[] = {"", "no", "false", "0", "否", "ordinary", "一般", "普通"};
        const char *text = text_of(m, f);
        for (size_t i = 0; i < COUNT_OF(yes); i++)
                if ((*out = text_is(text, yes[i])) == true)
                        return true;
        for (size_t i = 0; i < COUNT_OF(no); i++)
                if (text_is(text, no[i]))
                        return true;
        return err_both(e, ERR_INVALID, import_field_name(f), "\"%.40s\" is neither yes nor no", "“%.40s”既不是“是”也不是“否”",
                        text);
}

/* --- what the pack must know -------------------------------------------------------------------------------------------- */

/* The names up to the last that is said; empty ones above it count as unknown. */
size_t row_names(const struct table_row *row, const struct map_columns *columns, const char *names[MAP_PARTS_MOST])
{
        size_t n = 0;
        for (size_t i = 0; i < columns->n; i++) {
                names[i] = row->values[columns->at[i]];
                if (!text_empty(names[i]))
                        n = i + 1;
        }
        return n;
}

static void find_item(const struct making *m, struct report *r, struct row_notes *notes)
{
        const char *names[MAP_PARTS_MOST];
        size_t n = row_names(m->row, &m->map->item_path, names);
        const char *code = text_of(m, FIELD_ITEM);
        const struct item *item = n ? item_by_path(m->rules->catalogue, names, n) : item_find(m->rules->catalogue, code);
        r->item = item ? item->code : NULL;
        notes->unknown_item = !item && (n > 0 || !text_empty(code));
}

static void find_area(const struct making *m, struct report *r, struct row_notes *notes)
{
        const char *names[MAP_PARTS_MOST], *code = text_of(m, FIELD_AREA);
        size_t n = row_names(m->row, &m->map->area_names, names);
        const struct area *area = text_empty(code) ? NULL : area_find(m->rules->twin, code);
        notes->unknown_area = !area && !text_empty(code);
        for (size_t i = 0; i < n; i++) {
                const struct area *within = text_empty(names[i]) ? NULL : area_by_name(m->rules->twin, names[i], area);
                if (within)
                        area = within;
                else if (!text_empty(names[i]))
                        notes->unknown_area = true;
        }
        r->area_code = area ? area->code : NULL;
}

static void find_property(const struct making *m, struct report *r, struct row_notes *notes)
{
        const char *name = text_of(m, FIELD_PROPERTY);
        const struct property *p = text_empty(name) ? NULL : property_find(m->rules->channels, name);
        r->property = p ? p->code : NULL;
        notes->unknown_property = !p && !text_empty(name);
}

static bool find_point(const struct making *m, struct report *r, struct err *e)
{
        const struct import_map *map = m->map;
        if (!map->has_point)
                return true;
        const char *lon = m->row->values[map->lon], *lat = m->row->values[map->lat];
        if (text_empty(lon) && text_empty(lat))
                return true;
        if (!text_to_real(lon, &r->point.lon) || !text_to_real(lat, &r->point.lat) || !point_valid(r->point))
                return err_both(e, ERR_INVALID, "point", "\"%.20s\", \"%.20s\" are not degrees of longitude and latitude",
                                "“%.20s”“%.20s”不是经纬度", lon, lat);
        if (map->system == SYSTEM_GCJ02)
                r->point = point_from_gcj02(r->point);
        else if (map->system == SYSTEM_BD09)
                r->point = point_from_bd09(r->point);
        r->has_point = true;
        return true;
}

const char *row_text(const struct import_map *map, struct arena *a, const struct table_row *row, enum import_field f)
{
        return text_of(&(struct making){.map = map, .arena = a, .row = row}, f);
}

bool row_time(const struct import_map *map, struct arena *a, const struct table_row *row, enum import_field f, int64_t now,
              int64_t *out, struct err *e)
{
        return time_of(&(struct making){.map = map, .arena = a, .row = row}, f, now, out, e);
}

bool row_report(const struct import_map *map, const struct rulebook *rules, struct arena *a, const struct table_row *row,
                int64_t now, struct report *r, struct row_notes *notes, struct err *e)
{
        const struct making m = {map, rules, a, row};
        *r = (struct report){0};
        *notes = (struct row_notes){0};
        if (!whole_id(&m, e) || !fill_texts(&m, r, e) || !time_of(&m, FIELD_RECEIVED, now, &r->received, e)
            || !time_of(&m, FIELD_OCCURRED, now, &r->occurred, e) || !yes_no(&m, FIELD_URGENT, &r->urgent, e)
            || !yes_no(&m, FIELD_CONFIDENTIAL, &r->confidential, e) || !find_point(&m, r, e))
                return false;
        find_item(&m, r, notes);
        find_area(&m, r, notes);
        find_property(&m, r, notes);
        const char *unit = text_of(&m, FIELD_COMPARE_UNIT);
        notes->unit = text_empty(unit) ? NULL : unit;
        return true;
}
