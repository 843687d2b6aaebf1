/* mention/times.c -- times: rules are rows of slots; the longest row that fits is what was said. */
#include "mention/inside.h"

struct word scan_word(const struct scan *s, size_t i, enum word_class class)
{
        return word_at(s->v, s->f, i, class);
}

/* A unit behind a number; or nothing when the unit stands only behind the second of two ("3到5点").  SIZE_MAX: neither. */
static size_t unit_end(const struct scan *s, size_t i, const char32_t *units)
{
        const size_t at = skip_blank(s->f, i);
        int second;
        if (at < s->f->n && char_in(s->f->c[at], units))
                return at + 1;
        const struct word range = scan_word(s, at, WORD_RANGE);
        if (range.n == 0)
                return SIZE_MAX;
        const size_t next = skip_blank(s->f, at + range.n), n = numeral_at(s->f, next, &second);
        return n > 0 && char_in(char_at(s->f, next + n), units) ? i : SIZE_MAX;
}

/* A number and its unit: 11月. */
static size_t counted(const struct scan *s, size_t i, const char32_t *units, int *value)
{
        const size_t n = numeral_at(s->f, i, value), end = n > 0 ? unit_end(s, i + n, units) : SIZE_MAX;
        return end == SIZE_MAX ? 0 : end;
}

/* --- slots: dates -------------------------------------------------------------------------------------------------- */

/* 2018年初, 今年下半年. */
static size_t season_end(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_SEASON);
        m->season = w.value;
        m->vague = m->vague || w.n > 0;
        return i + w.n;
}

static size_t slot_year(const struct scan *s, size_t i, struct moment *m)
{
        enum { CENTURY = 2000, FOUR = 4 };
        int month;
        const size_t n = numeral_at(s->f, i, &m->year), end = n > 0 ? unit_end(s, i + n, U"年") : SIZE_MAX;
        if (end == SIZE_MAX || end == i + n || scan_word(s, end, WORD_LAW).n > 0)
                return 0;
        m->base = BASE_DATE;
        if (n == FOUR && m->year > 1900 && m->year < 2100)
                return season_end(s, end, m);
        /* 18年5月 */
        if (n != 2 || counted(s, skip_blank(s->f, end), U"月", &month) == 0)
                return 0;
        m->year += CENTURY;
        return end;
}

static size_t slot_that_year(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_YEAR);
        m->year = civil_of(s->when->now, s->when->zone).year + w.value;
        m->base = BASE_DATE;
        return w.n > 0 ? season_end(s, i + w.n, m) : 0;
}

/* 月初, 下旬: a third of the month, more or less. */
static size_t third_end(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_THIRD);
        m->third = w.value;
        m->vague = m->vague || w.n > 0;
        return i + w.n;
}

static size_t slot_month(const struct scan *s, size_t i, struct moment *m)
{
        const size_t end = counted(s, i, U"月", &m->month);
        if (end == 0 || m->season > 0 || m->month < 1 || s->f->c[i] == U'两' || char_in(char_at(s->f, end), U"租供票薪嫂饼球亮花"))
                return 0;
        if (i > 0 && char_in(s->f->c[i - 1], U"元块每毛度角千")) /* 几十元一月 */
                return 0;
        m->base = m->year > 0 ? BASE_DATE : BASE_MONTH_DAY;
        return third_end(s, char_at(s->f, end) == U'份' ? end + 1 : end, m);
}

static size_t slot_that_month(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_MONTH);
        const struct civil c = civil_of(s->when->now, s->when->zone);
        const int months = c.year * 12 + c.month - 1 + w.value;
        m->year = months / 12;
        m->month = months % 12 + 1;
        m->base = BASE_DATE;
        return w.n > 0 ? third_end(s, i + w.n, m) : 0;
}

/* Not of a house, a line, a document. */
static bool day_follows_well(const struct scan *s, size_t end)
{
        return !char_in(char_at(s->f, end), U"楼栋线院门路铺店地房室厂口车机通道文令桥井墙元层座幢井苑村公馆令站台厅塔球");
}

size_t slot_day(const struct scan *s, size_t i, struct moment *m)
{
        const size_t end = (m->month > 0 && m->third == 0) || m->every == GRAIN_MONTH ? counted(s, i, U"日号", &m->day) : 0;
        if (end == 0 || m->day < 1 || (char_at(s->f, end - 1) == U'号' && !day_follows_well(s, end)))
                return 0;
        return end;
}

static size_t slot_numeric(const struct scan *s, size_t i, struct moment *m)
{
        const struct folded *f = s->f;
        size_t at = i;
        int *const to[] = {&m->year, &m->month, &m->day};
        uint32_t mark = 0;
        for (size_t k = 0; k < COUNT_OF(to); k++) {
                const size_t n = digit_value(char_at(f, at), false) < 0 ? 0 : numeral_at(f, at, to[k]);
                if (n == 0 || (k == 0 ? n != 4 : n > 2))
                        return 0;
                at += n;
                if (k == 2)
                        break;
                if (!char_in(char_at(f, at), U"-/.") || (mark && mark != f->c[at]))
                        return 0;
                mark = f->c[at++];
        }
        m->base = BASE_DATE;
        return m->year < 1900 || m->month < 1 || m->day < 1 || digit_value(char_at(f, at), false) >= 0 ? 0 : at;
}

/* 23日; 23号 only where it can be no house. */
static size_t slot_bare_day(const struct scan *s, size_t i, struct moment *m)
{
        const size_t end = counted(s, i, U"日号", &m->day);
        if (end == 0 || m->day < 1 || m->day > 31 || !day_follows_well(s, end))
                return 0;
        m->base = BASE_DAY_OF_MONTH;
        const uint32_t before = i > 0 ? s->f->c[i - 1] : ',', unit = s->f->c[end - 1];
        if (s->joined || (unit == U'日' && !char_in(before, U"至-~年月")))
                return end;
        return i == 0 || word_before(s->v, s->f, 0, i, WORD_LEAD).n > 0 ? end : 0;
}

/* 目前天气 has no 前天. */
static size_t slot_day_word(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_DAY);
        if (w.n == 0 || (i > 0 && char_in(s->f->c[i - 1], U"目以之提眼当说证表声然生先")))
                return 0;
        if (char_at(s->f, i + w.n) == U'性' || char_at(s->f, i + w.n) == U'气')
                return 0;
        m->base = BASE_OFFSET;
        m->days = w.value;
        return i + w.n;
}

static size_t slot_day_part(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_DAY_PART);
        m->base = BASE_OFFSET;
        m->days = w.value / 16 - 8;
        m->part = (enum part)(w.value % 16);
        return w.n > 0 ? i + w.n : 0;
}

int weekday_of(uint32_t c)
{
        static const char32_t names[] = U"一二三四五六日末";
        if (c == U'天')
                return 7;
        if (c >= '1' && c <= '6')
                return (int)(c - '0');
        for (int i = 0; names[i]; i++)
                if (names[i] == c)
                        return i + 1;
        return 0;
}

static size_t slot_week(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_WEEK);
        if (w.n == 0 || (i > 0 && (numeral_like(s->f->c[i - 1]) || char_in(s->f->c[i - 1], U"几个每半"))))
                return 0;
        m->base = BASE_WEEKDAY;
        m->weeks = w.value;
        m->weekday = weekday_of(char_at(s->f, i + w.n));
        if (m->weekday > 0)
                return i + w.n + 1;
        return w.value == NO_WEEK ? 0 : i + w.n;
}

/* 3月30日(周六): the weekday says nothing new. */
static size_t slot_aside(const struct scan *s, size_t i, struct moment *m)
{
        const size_t at = i + (char_at(s->f, i) == '(');
        const struct word w = m->day > 0 || m->base == BASE_OFFSET ? scan_word(s, at, WORD_WEEK) : (struct word){0, 0};
        if (w.n == 0 || weekday_of(char_at(s->f, at + w.n)) == 0)
                return 0;
        const size_t end = at + w.n + 1;
        return at > i && char_at(s->f, end) == ')' ? end + 1 : at > i ? 0 : end;
}

/* --- slots: times of the day --------------------------------------------------------------------------------------- */

static size_t slot_part(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_PART);
        if (w.n == 0)
                return 0;
        /* 早8点, but neither 早一点 nor 早已 */
        const size_t next = i + w.n;
        if (w.n == 1
            && (next >= s->f->n || !numeral_like(s->f->c[next]) || (s->f->c[next] == U'一' && char_at(s->f, next + 1) == U'点')))
                return 0;
        m->part = (enum part)w.value;
        return next;
}

/* Whether a whole hour is a time for what follows it. */
static bool hour_goes_on(const struct scan *s, size_t end)
{
        const struct word range = scan_word(s, end, WORD_RANGE);
        int second;
        if (range.n > 0 && numeral_at(s->f, skip_blank(s->f, end + range.n), &second) > 0)
                return true;
        return scan_word(s, end, WORD_AROUND).n > 1 || scan_word(s, end, WORD_AFTER).n > 1 || scan_word(s, end, WORD_BEFORE).n > 1;
}

/* 9:30, 9:30:00; `at` is the colon. */
static size_t colon_end(const struct folded *f, size_t at, struct moment *m)
{
        if (digit_value(char_at(f, at + 1), false) < 0 || numeral_at(f, at + 1, &m->minute) != 2)
                return 0;
        const size_t end = at + 3;
        m->has_minute = true;
        int second;
        return char_at(f, end) == ':' && digit_value(char_at(f, end + 1), false) >= 0 && numeral_at(f, end + 1, &second) == 2
                       ? end + 3
                       : end;
}

/* Behind 点: 半, 一刻, 20分, 30, 钟, 多.  *proof: it is a time, whatever stands around it. */
static size_t minutes_end(const struct scan *s, size_t i, struct moment *m, bool *proof)
{
        const struct folded *f = s->f;
        const uint32_t c = char_at(f, i);
        int minute;
        if (char_in(c, U"半钟整多许")) {
                *proof = true;
                m->minute = c == U'半' ? 30 : 0;
                m->has_minute = c == U'半';
                if (c == U'多' || c == U'许') {
                        m->minute = 30;
                        m->side = SIDE_AROUND;
                        m->vague = true;
                        return char_at(f, i + 1) == U'钟' ? i + 2 : i + 1;
                }
                return i + 1;
        }
        const size_t at = skip_blank(f, i), n = numeral_at(f, at, &minute);
        if (n == 0)
                return i;
        const uint32_t unit = char_at(f, at + n);
        if (unit == U'刻' && (minute == 1 || minute == 3))
                minute *= 15;
        else if (unit != U'分' && !(n == 2 && at == i && !char_in(unit, U"元米%万亿.个条人号户年月日天岁平")))
                return i;
        *proof = m->has_minute = true;
        m->minute = minute;
        return at + n + (unit == U'分' || unit == U'刻');
}

static size_t clock_end(const struct scan *s, size_t i, struct moment *m, bool *proof)
{
        const struct folded *f = s->f;
        const size_t n = numeral_at(f, i, &m->hour);
        m->has_clock = true;
        /* 两三点 */
        if (n == 2 && spelled_pair(f, i)) {
                m->hour = digit_value(f->c[i], true);
                m->minute = 30;
                m->side = SIDE_AROUND;
                m->vague = *proof = true;
                return char_in(char_at(f, i + n), U"点时") ? i + n + 1 + (char_at(f, i + n + 1) == U'钟') : 0;
        }
        if (n == 0 || n > 3 || m->hour > 24)
                return 0;
        if (char_at(f, i + n) == ':') {
                *proof = true;
                return colon_end(f, i + n, m);
        }
        const size_t end = unit_end(s, i + n, U"点时");
        if (end == SIZE_MAX || char_in(char_at(f, end), U"间候速尚代期"))
                return 0;
        return end == i + n ? end : minutes_end(s, end, m, proof);
}

static size_t slot_clock(const struct scan *s, size_t i, struct moment *m)
{
        bool proof = false;
        return clock_end(s, i, m, &proof);
}

/* A clock without a day or a part of it: "三点建议" is none, nor is "一点". */
static size_t slot_bare_clock(const struct scan *s, size_t i, struct moment *m)
{
        bool proof = false;
        const size_t end = clock_end(s, i, m, &proof);
        if (end == 0 || (i > 0 && char_in(s->f->c[i - 1], U"比第有这那几例")))
                return 0;
        if (proof || s->joined || hour_goes_on(s, end))
                return end;
        const bool one = s->f->c[i] == U'一' && end == i + 2;
        const bool goes_on =
                letter_kind(char_at(s->f, end)) == LETTER_HAN && !char_in(char_at(s->f, end), U"就才还的了后前开起在到");
        return !one && !goes_on && word_before(s->v, s->f, 0, i, WORD_LEAD).n > 0 ? end : 0;
}

/* --- rules --------------------------------------------------------------------------------------------------------- */

static slot_fn *slot_of(char name)
{
        static const struct {
                char name;
                slot_fn *fn;
        } slots[] = {
                {'Y', slot_year},    {'y', slot_that_year}, {'M', slot_month},      {'m', slot_that_month}, {'D', slot_day},
                {'N', slot_numeric}, {'b', slot_bare_day},  {'d', slot_day_word},   {'k', slot_day_part},   {'w', slot_week},
                {'p', slot_part},    {'c', slot_clock},     {'t', slot_bare_clock}, {'e', slot_every},      {'a', slot_ago},
                {'W', slot_aside},   {'r', slot_recent},    {'j', slot_just},
        };
        for (size_t i = 0; i < COUNT_OF(slots); i++)
                if (slots[i].name == name)
                        return slots[i].fn;
        return NULL;
}

/* Slots in order; one with ? behind it may be missing.  Joined by 到, a part of the day and a month may stand alone. */
static const char *const rules[] = {
        "YM?D?W?p?c?", "yM?D?W?p?c?", "mD?W?p?c?", "MD?W?p?c?", "NW?p?c?", "bW?p?c?", "dW?p?c?", "kc?",
        "wp?c?",       "pc",          "t",         "ep?c?",     "a",       "r",       "j",
};

static size_t rule_end(const struct scan *s, const char *rule, size_t i, struct moment *m)
{
        size_t at = i;
        for (const char *p = rule; *p; p++) {
                const bool may_miss = p[1] == '?';
                struct moment tried = *m;
                const size_t next = slot_of(*p)(s, at > i ? skip_blank(s->f, at) : at, &tried);
                if (next > 0 && moment_possible(&tried)) {
                        at = next;
                        *m = tried;
                } else if (!may_miss || next > 0) {
                        return 0; /* impossible: "11月35日" is not November */
                }
                p += may_miss;
        }
        return at;
}

static size_t longest_rule(const struct scan *s, size_t i, struct moment *m)
{
        size_t end = 0;
        for (size_t r = 0; r < COUNT_OF(rules); r++) {
                struct moment tried = {0};
                const size_t e = rule_end(s, rules[r], i, &tried);
                if (e > end) {
                        end = e;
                        *m = tried;
                }
        }
        return end;
}

static size_t side_end(const struct scan *s, size_t i, struct moment *m)
{
        static const struct {
                enum word_class class;
                int side;
        } sides[] = {{WORD_AROUND, SIDE_AROUND}, {WORD_AFTER, SIDE_AFTER}, {WORD_BEFORE, SIDE_BEFORE}};
        if (m->base == BASE_INTERVAL)
                return i;
        for (size_t k = 0; k < COUNT_OF(sides); k++) {
                const size_t at = skip_blank(s->f, i);
                const struct word w = scan_word(s, at, sides[k].class);
                if (w.n == 0 || (w.n == 1 && char_in(char_at(s->f, at + 1), U"面方来果续勤期台往几任提天年诉诸码床伏草重点因可")))
                        continue;
                m->side = sides[k].side;
                return at + w.n;
        }
        return i;
}

/* A number begins where it does: not within another, a model or a decimal. */
static bool may_begin(const struct vocabulary *v, const struct folded *f, size_t i)
{
        if (!numeral_like(f->c[i]))
                return char_in(f->c[i], U"半几数好") || word_may_begin(v, f->c[i], WORD_DAY, WORD_RECENT);
        if (i == 0)
                return true;
        const uint32_t before = f->c[i - 1];
        return !numeral_like(before) && letter_kind(before) != LETTER_WORD && !char_in(before, U".:/-第¥$");
}

static size_t joined_end(const struct scan *s, size_t i, const struct moment *a, struct moment *b)
{
        const size_t at = skip_blank(s->f, i);
        const struct word range = scan_word(s, at, WORD_RANGE);
        if (range.n == 0 || a->base == BASE_INTERVAL)
                return 0;
        const struct scan second = {s->v, s->f, s->when, true};
        const size_t from = skip_blank(s->f, at + range.n), end = longest_rule(&second, from, b);
        return end > 0 && b->every == GRAIN_NONE ? end : 0;
}

/* Where the time that begins at i ends; 0: none. */
static size_t time_at(const struct scan *s, size_t i, struct mention *out)
{
        struct moment a, b = {0};
        struct span span;
        size_t end = longest_rule(s, i, &a);
        if (end == 0)
                return 0;
        end = side_end(s, end, &a);
        const size_t joined = joined_end(s, end, &a, &b);
        bool found = false;
        if (joined > 0) {
                moment_inherit(&a, &b);
                const size_t both = side_end(s, joined, &b);
                found = moments_span(&a, &b, s->when, &span);
                end = found ? both : end;
        }
        if (!found && !moment_span(&a, s->when, &span))
                return 0;
        *out = (struct mention){.kind = MENTION_TIME,
                                .begin = span.begin,
                                .end = span.end,
                                .certain = span.certain,
                                .repeats = a.every != GRAIN_NONE};
        return end;
}

/* The name of a law or a document ends soon. */
static size_t title_end(const struct folded *f, size_t i)
{
        enum { TITLE_MOST = 60 };
        for (size_t k = i + 1; k < f->n && k < i + TITLE_MOST; k++)
                if (f->c[k] == U'》')
                        return k + 1;
        return i + 1;
}

void times_find(const struct vocabulary *v, const struct folded *f, const struct when *when, struct finds *out)
{
        for (size_t i = 0; i < f->n;) {
                struct mention m;
                const struct scan s = {v, f, when, false};
                if (f->c[i] == U'《') {
                        i = title_end(f, i);
                        continue;
                }
                const size_t end = may_begin(v, f, i) ? time_at(&s, i, &m) : 0;
                if (end > 0)
                        find_add(out, i, end, &m);
                i = end > i ? end : i + 1;
        }
}
