/* intake/retry.c -- files the reports that were kept but could not be filed when they came. */
#include "intake/keep.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/cases.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "people/people.h"
#include "routing/routing.h"
#include "store/store.h"
#include "task/task.h"
#include "twin/twin.h"
#include <stdio.h>

static const char SQL_WAITING[] =
        "SELECT q.number, q.track, r.channel, r.source, r.property, r.title, r.urgent, r.item, r.area, r.lon, r.lat, r.address,"
        " r.occurred_at, r.received_at FROM intake_queue q JOIN report r ON r.id = q.report_id WHERE q.report_id = $1";
static const char SQL_DONE[] = "DELETE FROM intake_queue WHERE report_id = $1";

struct retry {
        struct district *district;
        struct arena *arena;
        int64_t id, now;
        bool waiting;
        struct filing filing;
        struct place place;
        struct answer answer;
        const char *item, *area;
        bool has_point;
        struct point point;
        struct filing_plan *plan;
};

static bool read_waiting(struct tx *tx, void *ctx, struct err *e)
{
        struct retry *t = ctx;
        struct arena *a = t->arena;
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_WAITING, ARGS(V(t->id)));
        t->waiting = found == 1;
        if (found <= 0)
                return found == 0;
        t->filing = (struct filing){
                .id = t->id,
                .track = rows_text(&r, a, 1),
                .channel = rows_text(&r, a, 2),
                .source = rows_text(&r, a, 3),
                .property = rows_text(&r, a, 4),
                .title = rows_text(&r, a, 5),
                .urgent = rows_int(&r, 6) != 0,
                .address = rows_text(&r, a, 11),
                .occurred = rows_int(&r, 12),
                .now = rows_int(&r, 13),
        };
        (void)snprintf(t->filing.number, sizeof t->filing.number, "%s", rows_text(&r, a, 0));
        t->item = rows_text(&r, a, 7);
        t->area = rows_text(&r, a, 8);
        t->has_point = !rows_null(&r, 9);
        t->point = (struct point){rows_real(&r, 9), rows_real(&r, 10)};
        return rows_done(&r, e);
}

static bool plan(struct retry *t, struct err *e)
{
        char turn[24];
        const struct rulebook *rules = district_rules(t->district, e);
        if (!rules)
                return false;
        const struct item *item = text_empty(t->item) ? NULL : item_find(rules->catalogue, t->item);
        if (!twin_locate(rules->twin, t->has_point ? &t->point : NULL, text_empty(t->area) ? NULL : t->area, &t->place, e))
                return false;
        (void)snprintf(turn, sizeof turn, "%lld", (long long)t->id);
        district_route(t->district, rules, &(struct question){.item = item, .area = t->place.area, .turn = turn}, &t->answer);
        t->answer.sure = t->answer.sure && item != NULL;
        t->filing.rules = rules;
        t->filing.item = item;
        t->filing.certainty = item ? 1.0 : 0.0;
        t->filing.place = &t->place;
        t->filing.answer = &t->answer;
        t->filing.told = t->now;
        return cases_plan(t->arena, &t->filing, &t->plan, e);
}

static bool file_once(struct tx *tx, void *ctx, struct err *e)
{
        struct retry *t = ctx;
        int removed = tx_change(tx, e, SQL_DONE, ARGS(V(t->id)));
        if (removed < 0)
                return false;
        /* Another process was faster: its filing stands. */
        return removed == 0 || cases_file(tx, t->district, &t->filing, t->plan, e);
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct retry t = {.district = ctx, .arena = arena_new()};
        t.now = now;
        bool ok = text_to_int(timer->key, &t.id) || err_set(e, ERR_FAULT, "timer intake-retry has the key \"%s\"", timer->key);
        ok = ok && store_read(t.district->store, read_waiting, &t, e);
        if (ok && t.waiting)
                ok = plan(&t, e) && store_write(t.district->store, file_once, &t, e);
        arena_free(&t.arena);
        return ok;
}

const struct timer_kind intake_retry_timer = {
        .name = "intake-retry",
        .about = "Files reports that were kept but could not be filed when they came.",
        .run = run,
};
