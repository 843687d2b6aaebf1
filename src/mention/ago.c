/* mention/ago.c -- slots of times that come again, and of those counted back from now. */
#include "mention/inside.h"

size_t slot_every(const struct scan *s, size_t i, struct moment *m)
{
        const struct word part = scan_word(s, i, WORD_EVERY_PART), w = scan_word(s, i, WORD_EVERY);
        if (part.n > 0) {
                m->every = GRAIN_DAY;
                m->part = (enum part)part.value;
                return i + part.n;
        }
        if (w.n == 0)
                return 0;
        m->every = (enum grain)w.value;
        if (m->every == GRAIN_WEEK) {
                m->base = BASE_WEEKDAY;
                m->weeks = NO_WEEK;
                m->weekday = weekday_of(char_at(s->f, i + w.n));
                return m->weekday > 0 ? i + w.n + 1 : 0;
        }
        if (m->every == GRAIN_MONTH) {
                m->base = BASE_DAY_OF_MONTH;
                return slot_day(s, i + w.n, m);
        }
        return i + w.n;
}

/* 3, 几, 十多, 两三. */
static size_t number_end(const struct folded *f, size_t i, int *n, bool *vague)
{
        const size_t at = i + numeral_at(f, i, n);
        const uint32_t c = char_at(f, at);
        if (at == i && char_in(c, U"几数好")) {
                *n = 3;
                *vague = true;
                return c == U'好' && char_at(f, at + 1) == U'几' ? at + 2 : at + 1;
        }
        if (at == i + 2 && spelled_pair(f, i)) {
                *n = digit_value(f->c[i], true);
                *vague = true;
        }
        if (at == i || !char_in(c, U"多几来余"))
                return at;
        *vague = true;
        return at + 1;
}

/* 3, 半, 几, 十多, and a unit.  *half: of the unit. */
static size_t amount_end(const struct scan *s, size_t i, int *n, bool *half, bool *vague, enum grain *grain)
{
        size_t at = number_end(s->f, i, n, vague);
        *half = at == i && char_at(s->f, i) == U'半';
        if (at == i && !*half)
                return 0;
        at = skip_blank(s->f, at + *half);
        const struct word unit = at > i ? scan_word(s, at, WORD_UNIT) : (struct word){0, 0};
        *grain = (enum grain)unit.value;
        return unit.n > 0 ? at + unit.n : 0;
}

static int64_t amount_back(const struct scan *s, enum grain grain, int n, bool half)
{
        enum { HALF_HOUR = 30, HALF_DAY = 12, HALF_MONTH = 15, HALF_YEAR = 6 };
        const int64_t now = s->when->now;
        const int zone = s->when->zone;
        if (!half)
                return grain_back(now, zone, grain, n);
        return grain == GRAIN_HOUR    ? grain_back(now, zone, GRAIN_MINUTE, HALF_HOUR)
               : grain == GRAIN_DAY   ? grain_back(now, zone, GRAIN_HOUR, HALF_DAY)
               : grain == GRAIN_MONTH ? grain_back(now, zone, GRAIN_DAY, HALF_MONTH)
               : grain == GRAIN_YEAR  ? grain_back(now, zone, GRAIN_MONTH, HALF_YEAR)
                                      : now;
}

/* 3天前: that day; 半小时前: that minute, though nobody looked at a watch. */
size_t slot_ago(const struct scan *s, size_t i, struct moment *m)
{
        int n = 0;
        bool half, vague = false;
        enum grain grain;
        const size_t end = amount_end(s, i, &n, &half, &vague, &grain);
        const struct word ago = end > 0 ? scan_word(s, end, WORD_AGO) : (struct word){0, 0};
        if (ago.n == 0 || n > 2000 || char_in(char_at(s->f, end + ago.n), U"面方后台提往来期任"))
                return 0;
        m->base = BASE_INTERVAL;
        m->begin = amount_back(s, grain, n, half);
        m->vague = vague || half || grain != GRAIN_DAY;
        if (grain == GRAIN_MINUTE || grain == GRAIN_HOUR) {
                m->end = m->begin + USEC_MINUTE;
        } else {
                const struct civil c = civil_of(m->begin, s->when->zone);
                m->begin = (days_of(c.year, c.month, c.day) * 24 * 60 - s->when->zone) * USEC_MINUTE;
                m->end = m->begin + USEC_DAY;
        }
        return end + ago.n;
}

size_t slot_recent(const struct scan *s, size_t i, struct moment *m)
{
        int n = 0;
        bool half, vague = false;
        enum grain grain;
        const struct word lead = scan_word(s, i, WORD_RECENT);
        const size_t end = lead.n > 0 ? amount_end(s, i + lead.n, &n, &half, &vague, &grain) : 0;
        if (end == 0 || n > 2000 || (i > 0 && char_in(s->f->c[i - 1], U"将接靠附临")))
                return 0;
        m->base = BASE_INTERVAL;
        m->vague = true;
        m->begin = amount_back(s, grain, n, half);
        m->end = s->when->now;
        return m->begin < m->end ? end : 0;
}

size_t slot_just(const struct scan *s, size_t i, struct moment *m)
{
        const struct word w = scan_word(s, i, WORD_JUST);
        if (w.n == 0 || char_in(char_at(s->f, i + w.n), U"好合够"))
                return 0;
        m->base = BASE_INTERVAL;
        m->vague = true;
        m->begin = grain_back(s->when->now, s->when->zone, GRAIN_MINUTE, w.value);
        m->end = s->when->now;
        return i + w.n;
}
