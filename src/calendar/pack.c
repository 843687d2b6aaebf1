/* calendar/pack.c -- what the calendar reads from a pack: calendar.yaml and calendar/days.csv. */
#include "calendar/calendar.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "pack/pack.h"
#include "pack/yaml.h"
#include "store/store.h"
#include <stdio.h>

static const char SQL_CALENDAR[] =
        "INSERT INTO calendar(version, zone_minutes, weekdays, first_year, last_year, weekends_only_until) VALUES ($1, $2, $3, $4,"
        " $5, $6)";
static const char SQL_PERIOD[] =
        "INSERT INTO calendar_period(version, starts, ends) VALUES ($1, $2, $3) ON CONFLICT (version, starts) DO NOTHING";
static const char SQL_DAY[] = "INSERT INTO calendar_day(version, place, day, name, works) VALUES ($1, $2, $3, $4, $5)";
static const char SQL_READ[] =
        "SELECT zone_minutes, weekdays, first_year, last_year, weekends_only_until FROM calendar WHERE version = $1";
static const char SQL_PERIODS[] = "SELECT starts, ends FROM calendar_period WHERE version = $1 ORDER BY starts";
static const char SQL_DAYS[] = "SELECT day, works FROM calendar_day WHERE version = $1 ORDER BY day";
static const char SQL_TWICE[] =
        "SELECT MAX(place), 'the day ' || day || ' stands twice', '日期' || day || '重复' FROM calendar_day WHERE version = $1"
        " GROUP BY day HAVING COUNT(*) > 1";
static const char SQL_OUTSIDE[] =
        "SELECT d.place, 'the day ' || d.day || ' lies outside the years of calendar.yaml', '日期' || d.day || '不在 calendar.yaml"
        " 的年份内'"
        " FROM calendar_day d JOIN calendar c ON c.version = d.version WHERE d.version = $1"
        " AND (d.day < c.first_year || '-01-01' OR d.day > c.last_year || '-12-31')";

static bool number_at(struct stage *s, const char *file, const struct yaml *root, const char *key, int64_t least, int64_t most,
                      int64_t *out)
{
        const struct yaml *v = yaml_get(root, key);
        if (v && v->kind == YAML_TEXT && text_to_int(v->text, out) && *out >= least && *out <= most)
                return true;
        stage_fault(s, file, v ? v->line : root->line, "%s must be a whole number between %lld and %lld", "%s应为%lld至%lld的整数",
                    key, (long long)least, (long long)most);
        return false;
}

static int64_t weekdays_at(struct stage *s, const char *file, const struct yaml *root)
{
        const struct yaml *list = yaml_get(root, "weekdays");
        int64_t bits = 0, day;
        for (const struct yaml *v = list && list->kind == YAML_LIST ? list->first : NULL; v; v = v->next) {
                if (v->kind == YAML_TEXT && text_to_int(v->text, &day) && day >= 1 && day <= 7)
                        bits |= INT64_C(1) << (day - 1);
                else
                        stage_fault(s, file, v->line, "a weekday is a number from 1 (Monday) to 7", "工作日应为1（周一）至7的数字");
        }
        if (bits == 0)
                stage_fault(s, file, root->line, "the list \"weekdays\" is missing", "缺少列表“weekdays”");
        return bits;
}

static bool period_of(const char *text, int *from, int *to)
{
        int h1, m1, h2, m2, used = 0;
        if (!text || sscanf(text, "%2d:%2d-%2d:%2d%n", &h1, &m1, &h2, &m2, &used) != 4 || text[used])
                return false;
        *from = h1 * 60 + m1;
        *to = h2 * 60 + m2;
        return h1 >= 0 && m1 >= 0 && m1 < 60 && h2 <= 24 && m2 >= 0 && m2 < 60 && *from < *to && *to <= 1440;
}

static bool stage_periods(struct stage *s, const char *file, const struct yaml *root, struct err *e)
{
        const struct yaml *list = yaml_get(root, "periods");
        int end = -1, from, to;
        if (!list || list->kind != YAML_LIST || !list->first) {
                stage_fault(s, file, root->line, "the list \"periods\" is missing", "缺少列表“periods”");
                return true;
        }
        for (const struct yaml *v = list->first; v; v = v->next) {
                if (v->kind != YAML_TEXT || !period_of(v->text, &from, &to) || from <= end) {
                        stage_fault(s, file, v->line, "a period is written 08:00-12:00, in order, without overlap",
                                    "时段应写成 08:00-12:00，按先后排列且不重叠");
                        continue;
                }
                end = to;
                if (tx_change(s->tx, e, SQL_PERIOD, ARGS(V(s->version), V(from), V(to))) < 0)
                        return false;
        }
        return true;
}

static bool stage_calendar(struct stage *s, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *e)
{
        static const char *const keys[] = {"zone_minutes",        "weekdays", "periods", "first_year", "last_year",
                                           "weekends_only_until", NULL};
        int64_t zone, first, last, fallback = 0;
        (void)bytes;
        (void)n;
        stage_keys(s, file, root, keys);
        bool good = number_at(s, file, root, "zone_minutes", -720, 840, &zone);
        good = number_at(s, file, root, "first_year", 1970, 2200, &first) && good;
        good = number_at(s, file, root, "last_year", 1970, 2200, &last) && good;
        if (yaml_get(root, "weekends_only_until"))
                good = number_at(s, file, root, "weekends_only_until", 1970, 2200, &fallback) && good;
        int64_t weekdays = weekdays_at(s, file, root);
        if (!stage_periods(s, file, root, e))
                return false;
        if (good && last < first)
                stage_fault(s, file, root->line, "last_year comes before first_year", "last_year 早于 first_year");
        if (!good || last < first)
                return true;
        return tx_change(s->tx, e, SQL_CALENDAR, ARGS(V(s->version), V(zone), V(weekdays), V(first), V(last), V(fallback))) == 1;
}

enum { OVERRIDES_MOST = 20000 };

static bool read_periods(struct tx *tx, int64_t version, struct period *periods, size_t *n, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_PERIODS, ARGS(V(version))))
                return false;
        for (*n = 0; *n < 8 && rows_next(&r); (*n)++)
                periods[*n] = (struct period){(int)rows_int(&r, 0), (int)rows_int(&r, 1)};
        return rows_done(&r, e);
}

static bool read_days(struct tx *tx, struct arena *a, int64_t version, struct day_override *days, size_t *n, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_DAYS, ARGS(V(version))))
                return false;
        for (*n = 0; *n < OVERRIDES_MOST && rows_next(&r);) {
                int year, month, day;
                if (sscanf(rows_text(&r, a, 0), "%4d-%2d-%2d", &year, &month, &day) == 3)
                        days[(*n)++] = (struct day_override){days_of(year, month, day), rows_int(&r, 1) != 0};
        }
        return rows_done(&r, e);
}

bool calendar_load(struct tx *tx, struct arena *a, int64_t version, struct calendar **out, struct err *e)
{
        struct period periods[8];
        struct calendar_rules rules = {.periods = periods};
        struct day_override *days = NEW_ARRAY(a, struct day_override, OVERRIDES_MOST);
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_READ, ARGS(V(version)));
        if (found <= 0)
                return found == 0 ? err_set(e, ERR_FAULT, "pack version %lld has no calendar", (long long)version) : false;
        rules.zone = (int)rows_int(&r, 0);
        rules.weekdays = (unsigned)rows_int(&r, 1);
        rules.first_year = (int)rows_int(&r, 2);
        rules.last_year = (int)rows_int(&r, 3);
        rules.weekends_only_until = (int)rows_int(&r, 4);
        rules.overrides = days;
        return rows_done(&r, e) && read_periods(tx, version, periods, &rules.n_periods, e)
               && read_days(tx, a, version, days, &rules.n_overrides, e) && calendar_new(a, &rules, out, e);
}

static const struct pack_column day_columns[] = {
        {"day", PACK_DATE, true, NULL, "The day."},
        {"name", PACK_TEXT, false, NULL, "Its name."},
        {"works", PACK_BOOL, true, NULL, "yes: make-up workday; no: holiday."},
        {0},
};
static const struct pack_table tables[] = {{"calendar/days.csv", true, day_columns, SQL_DAY}, {0}};
static const struct pack_document documents[] = {{"calendar.yaml", true, stage_calendar}, {0}};
static const char *const checks[] = {SQL_TWICE, SQL_OUTSIDE, NULL};
const struct pack_part calendar_pack = {.capability = "calendar", .tables = tables, .documents = documents, .checks = checks};
