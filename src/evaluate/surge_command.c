/* evaluate/surge_command.c -- yiwang eval surge: how often the test for surges alarms on the days of a table, and on days dealt by
 * chance, where every alarm is false.
 *
 * Each value of a column is a series of counts by day.  Every day each series is asked as a topic is: the last seven days against
 * the seven before, alone and as a share of all.  Days dealt anew among the rows keep the total of each day, as when a new channel
 * opens; even days do not.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "evaluate/classify.h"
#include "evaluate/commands.h"
#include "json/json.h"
#include "measure/messages.h"
#include "topics/topics.h"
#include <math.h>
#include <stdio.h>

enum { WEEK = 7, CELLS_MOST = 1 << 26, YEAR = 365 };
enum deal { AS_IT_WAS, SHUFFLED, EVEN, DEALS };
static const char *const deal_names[] = {"real", "shuffled", "even"};

struct series {
        struct arena *arena;
        size_t n, *of;       /* rows, and of each its series, */
        int64_t *day, first; /* and its day since `first` */
        size_t n_series, days;
        double false_alarms;
        bool plain; /* without the share of all */
        uint32_t *counts, *all;
};
struct alarms {
        double a_year, beginnings; /* days with an alarm of a series; of them, those with none in the seven days before */
};

static size_t week_of(const uint32_t *counts, size_t end)
{
        size_t sum = 0;
        for (size_t i = end + 1 - WEEK; i <= end; i++)
                sum += counts[i];
        return sum;
}

static bool alarms_on(const struct series *s, const uint32_t *counts, size_t day)
{
        const double limit = s->false_alarms / (YEAR * (double)s->n_series);
        const size_t now = week_of(counts, day), before = week_of(counts, day - WEEK);
        return now > before && topics_surge(now, before) < limit
               && (s->plain || topics_surge_share(now, before, week_of(s->all, day), week_of(s->all, day - WEEK)) < limit);
}

static struct alarms count_alarms(const struct series *s)
{
        const size_t first = 2 * WEEK - 1;
        struct alarms a = {0};
        for (size_t k = 0; k < s->n_series; k++) {
                size_t last = 0;
                for (size_t day = first; day < s->days; day++) {
                        if (!alarms_on(s, s->counts + k * s->days, day))
                                continue;
                        a.a_year++;
                        a.beginnings += last == 0 || day - last > WEEK;
                        last = day;
                }
        }
        const double years = (double)(s->days - first) / YEAR;
        return (struct alarms){a.a_year / years, a.beginnings / years};
}

static void deal_days(const struct series *s, enum deal how, struct draw *d, int64_t *day)
{
        memcpy(day, s->day, s->n * sizeof *day);
        for (size_t i = s->n; how == SHUFFLED && i-- > 1;) {
                const size_t k = draw_below(d, i + 1);
                const int64_t other = day[k];
                day[k] = day[i];
                day[i] = other;
        }
        for (size_t i = 0; how == EVEN && i < s->n; i++)
                day[i] = (int64_t)draw_below(d, s->days);
}

static struct alarms measure(struct series *s, enum deal how, int64_t rounds, struct draw *d)
{
        int64_t *day = NEW_ARRAY(s->arena, int64_t, s->n);
        struct alarms sum = {0};
        for (int64_t i = 0; i < rounds; i++) {
                deal_days(s, how, d, day);
                memset(s->counts, 0, s->n_series * s->days * sizeof *s->counts);
                memset(s->all, 0, s->days * sizeof *s->all);
                for (size_t k = 0; k < s->n; k++) {
                        s->counts[s->of[k] * s->days + (size_t)day[k]]++;
                        s->all[day[k]]++;
                }
                const struct alarms a = count_alarms(s);
                sum.a_year += a.a_year / (double)rounds;
                sum.beginnings += a.beginnings / (double)rounds;
        }
        return sum;
}

/* Rows whose time cannot be read are left out. */
static bool read_series(struct arena *a, const struct labelled *table, struct series *s, struct err *e)
{
        int64_t last = INT64_MIN, time;
        *s = (struct series){.arena = a, .n_series = table->n_names, .first = INT64_MAX};
        s->of = NEW_ARRAY(a, size_t, table->n + 1);
        s->day = NEW_ARRAY(a, int64_t, table->n + 1);
        for (size_t i = 0; i < table->n; i++) {
                if (!time_parse(table->text[i], ZONE_SHANGHAI, &time))
                        continue;
                s->of[s->n] = (size_t)table->label[i];
                s->day[s->n] = (time + ZONE_SHANGHAI * USEC_MINUTE) / USEC_DAY;
                s->first = s->day[s->n] < s->first ? s->day[s->n] : s->first;
                last = s->day[s->n] > last ? s->day[s->n] : last;
                s->n++;
        }
        if (s->n == 0 || last - s->first < 3 * WEEK || (double)(last - s->first + 1) * (double)s->n_series > CELLS_MOST)
                return err_both(e, ERR_INVALID, "time",
                                "the times of the table do not say three weeks or more, or there are too many series",
                                "表中时间不足三周，或序列过多");
        s->days = (size_t)(last - s->first) + 1;
        for (size_t i = 0; i < s->n; i++)
                s->day[i] -= s->first;
        s->counts = NEW_ARRAY(a, uint32_t, s->n_series * s->days);
        s->all = NEW_ARRAY(a, uint32_t, s->days);
        return true;
}

static bool read_number(const struct command_line *line, const char *name, double least, double most, double *out, struct err *e)
{
        const char *text = option_value(line, name);
        return !text || (text_to_real(text, out) && *out >= least && *out <= most)
               || err_both(e, ERR_INVALID, name, "--%s needs a number from %g to %g", "--%s 应为%g至%g的数", name, least, most);
}

static void print_json(const struct series *s, const struct alarms a[DEALS])
{
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_int(&j, "rows", (int64_t)s->n);
        json_int(&j, "series", (int64_t)s->n_series);
        json_int(&j, "days", (int64_t)s->days);
        for (int how = 0; how < DEALS; how++) {
                json_object(&j, deal_names[how]);
                json_real(&j, "alarms_a_year", a[how].a_year);
                json_real(&j, "beginnings_a_year", a[how].beginnings);
                json_object_end(&j);
        }
        json_object_end(&j);
        printf("%s\n", b.at);
        buf_free(&b);
}

static void print_table(const struct command_line *line, const struct series *s, const struct alarms a[DEALS])
{
        printf(say(line, "rows: %zu, series: %zu, days: %zu\n", "行数：%zu，序列：%zu，天数：%zu\n"), s->n, s->n_series, s->days);
        for (int how = 0; how < DEALS; how++)
                printf(say(line, "  %-8s  alarms a year: %.2f, of these a series' first in a week: %.2f\n",
                           "  %-8s  每年报警：%.2f，其中一周内首次：%.2f\n"),
                       deal_names[how], a[how].a_year, a[how].beginnings);
}

static bool run(struct command_line *line, struct err *e)
{
        const char *time = option_value(line, "time") ? option_value(line, "time") : "created_at";
        const struct columns columns = {.text = &time, .n_text = 1, .label = option_value(line, "by")};
        double rounds = 20, seed = 1, budget = 4;
        struct labelled table = {.n = 0};
        struct series s;
        if (text_empty(option_value(line, "input")) || text_empty(columns.label))
                return err_both(e, ERR_INVALID, "input",
                                "say with --input which CSV file, and with --by which column makes the series",
                                "请用 --input 指明CSV文件，用 --by 指明构成序列的列");
        if (!read_number(line, "rounds", 1, 10000, &rounds, e) || !read_number(line, "seed", 0, 1e9, &seed, e)
            || !read_number(line, "false-alarms", 0.001, 1000, &budget, e)
            || !labelled_read(line->arena, option_value(line, "input"), &columns, NULL, &table, e)
            || !read_series(line->arena, &table, &s, e))
                return false;
        s.false_alarms = budget;
        s.plain = option_value(line, "plain") != NULL;
        struct draw d = {(uint64_t)seed};
        struct alarms a[DEALS];
        for (int how = 0; how < DEALS; how++)
                a[how] = measure(&s, (enum deal)how, how == AS_IT_WAS ? 1 : (int64_t)rounds, &d);
        if (option_value(line, "json"))
                print_json(&s, a);
        else
                print_table(line, &s, a);
        return true;
}

const struct command eval_surge_command = {
        .name = "eval surge",
        .words = "",
        .about = "Measures how often the test for surges alarms, and how often falsely, on a table with times.",
        .about_zh = "用带时间的表检验异常升高的报警与误报次数。",
        .options =
                (const struct option[]){
                        {"input", "FILE", "CSV file (UTF-8)", "CSV文件（UTF-8）"},
                        {"by", "COLUMN", "each value of this column is a series", "该列每个取值为一个序列"},
                        {"time", "COLUMN", "column of the time (created_at)", "时间列（created_at）"},
                        {"rounds", "N", "how often days are dealt anew (20)", "随机重排次数（20）"},
                        {"false-alarms", "N", "false alarms allowed a year, over all series (4)", "全部序列每年允许的误报数（4）"},
                        {"plain", NULL, "without the share of all, for comparison", "不比较占比，作对照"},
                        {"seed", "N", "of the choices by chance (1)", "随机种子（1）"},
                        {"json", NULL, "print JSON", "输出JSON"},
                        {0},
                },
        .run = run,
};
