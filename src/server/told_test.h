/* server/told_test.h -- what the clocks of a case must tell, counted anew from its limits and the ladder, and what was told. */
#ifndef SERVER_TOLD_TEST_H
#define SERVER_TOLD_TEST_H
#include "server/process_test.h"

enum { TOLD_TEXT = 80, TOLD_MOST = 200 };
/* What escalation.csv says, told here again. */
static const struct { const char *clock; int percent; const char *to; int times; struct limit again; } ladder[] = {
        {"dispatch", 100, "dispatcher", 4, {2, LIMIT_WORK_HOUR}}, {"sign", 100, "dispatcher", 4, {4, LIMIT_WORK_HOUR}},
        {"contact", 100, "dispatcher", 0, {0, LIMIT_NONE}},       {"handle", 50, "unit", 0, {0, LIMIT_NONE}},
        {"handle", 100, "dispatcher", 0, {0, LIMIT_NONE}},        {"handle", 150, "supervisor", 0, {0, LIMIT_NONE}},
        {"handle", 200, "supervisor", 10, {1, LIMIT_WORK_DAY}},   {"total", 100, "supervisor", 10, {1, LIMIT_WORK_DAY}},
};

static inline int64_t behind(const struct calendar *c, int64_t from, int64_t usec, enum limit_unit unit)
{
        int64_t out;
        struct err e;
        ok(calendar_after(c, from, usec, unit, &out, &e), &e);
        return out;
}

static const char SQL_TOLD[] =
        "SELECT time, topic, payload FROM outbox WHERE key = $1 AND topic IN ('warning', 'overdue', 'escalation')"
        " ORDER BY seq";

struct told {
        int64_t at;
        char text[TOLD_TEXT];
};
struct telling {
        struct world *w;
        const struct calendar *calendar;
        const char *number;
        struct told at[TOLD_MOST];
        size_t n;
};

static inline void tell(struct telling *t, int64_t at, const char *topic, const char *clock, int percent, const char *to)
{
        assert_true(t->n < TOLD_MOST);
        t->at[t->n].at = at;
        (void)snprintf(t->at[t->n].text, TOLD_TEXT, "%s %s %d %s", topic, clock, percent, to);
        t->n++;
}

static inline bool read_told(struct tx *tx, void *ctx, struct err *e)
{
        struct telling *t = ctx;
        struct arena *a = t->w->arena;
        struct rows r;
        t->n = 0;
        if (!tx_rows(tx, &r, e, SQL_TOLD, ARGS(V(t->number))))
                return false;
        while (rows_next(&r)) {
                const char *topic = rows_text(&r, a, 1), *text = rows_text(&r, a, 2);
                const struct json_value *v = json_parse(a, text, strlen(text), e);
                assert_non_null(v);
                tell(t, rows_int(&r, 0), topic, json_get_text(v, "clock", "?"), (int)json_get_int(v, "percent", 0),
                     json_get_text(v, "to", "-"));
                assert_true(t->n == 1 || t->at[t->n - 1].at >= t->at[t->n - 2].at); /* in their order */
        }
        return rows_done(&r, e);
}

static inline int by_instant(const void *a, const void *b)
{
        const struct told *x = a, *y = b;
        return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : strcmp(x->text, y->text);
}

/* A clock of this limit that begins then; nothing is told of it any more at or behind `stop` (0 = it is never stopped). */
static inline void tell_clock(struct telling *t, const char *clock, struct limit limit, int64_t start, int64_t stop)
{
        const int64_t length = calendar_length(t->calendar, limit), due = behind(t->calendar, start, length, limit.unit);
        struct telling all = {.n = 0};
        tell(&all, behind(t->calendar, start, length * 4 / 5, limit.unit), "warning", clock, 0, "-");
        tell(&all, due, "overdue", clock, 0, "-");
        for (size_t i = 0; i < COUNT_OF(ladder); i++) {
                const int percent = ladder[i].percent;
                if (!text_is(ladder[i].clock, clock))
                        continue;
                int64_t at = percent < 100 ? behind(t->calendar, start, length / 100 * percent, limit.unit)
                                           : behind(t->calendar, due, length / 100 * (percent - 100), limit.unit);
                tell(&all, at, "escalation", clock, percent, ladder[i].to);
                for (int again = 0; again < ladder[i].times; again++) {
                        at = behind(t->calendar, at, calendar_length(t->calendar, ladder[i].again), ladder[i].again.unit);
                        tell(&all, at, "escalation", clock, percent, ladder[i].to);
                }
        }
        for (size_t i = 0; i < all.n; i++)
                if (stop == 0 || all.at[i].at < stop)
                        t->at[t->n++] = all.at[i];
}
#endif
