/* matters/consume.c -- each new case is looked at once: whether it is the same matter as an earlier one. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cases/cases.h"
#include "district/district.h"
#include "json/json.h"
#include "matters/matters.h"
#include "store/store.h"
#include "task/task.h"
#include <stdlib.h>

static const char SQL_NEW[] =
        "SELECT c.id, c.version, r.title, r.text, c.lon, c.lat, c.grid, c.community, c.item, c.created_at FROM cases c"
        " JOIN report r ON r.id = c.id WHERE c.number = $1 AND c.open = 1 AND c.created_at > $2"
        " AND NOT EXISTS (SELECT 1 FROM matter_look l WHERE l.case_id = c.id)";
static const char SQL_LOOKED[] = "INSERT INTO matter_look(case_id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
static const char SQL_LIKE[] =
        "INSERT INTO matter_like(case_id, n, other, probability, joins, metres, phrases) VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char SQL_NUMBER[] = "SELECT number FROM cases WHERE id = $1";

/* Reports that come later than this, as of an import, are not looked at: there is no hurry, and they would hold up the others. */
static const int64_t fresh = USEC_HOUR;
enum { PHRASES_ROOM = 8192 };

struct look {
        const char *number;
        struct arena *arena;
        int64_t version, now;
        struct matter_question question;
        bool found, first;
        struct like likes[LIKE_MOST];
        size_t n;
        const char *target;
};

static bool read_new(struct tx *tx, void *ctx, struct err *e)
{
        struct look *l = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_NEW, ARGS(V(l->number), V(l->now - fresh)));
        l->found = found > 0;
        if (found <= 0)
                return found == 0;
        l->version = rows_int(&r, 1);
        l->question = (struct matter_question){
                .id = rows_int(&r, 0),
                .title = rows_text(&r, l->arena, 2),
                .text = rows_text(&r, l->arena, 3),
                .has_point = !rows_null(&r, 4),
                .point = {rows_real(&r, 4), rows_real(&r, 5)},
                .grid = rows_text(&r, l->arena, 6),
                .community = rows_text(&r, l->arena, 7),
                .item = rows_text(&r, l->arena, 8),
                .time = rows_int(&r, 9),
        };
        return rows_done(&r, e);
}

static char *phrases_json(struct arena *a, const struct like *like)
{
        struct buf b = BUF_LIMIT(PHRASES_ROOM);
        struct json j = json_to(&b);
        json_array(&j, NULL);
        for (size_t i = 0; i < like->n_phrases; i++)
                json_text(&j, NULL, like->phrases[i]);
        json_array_end(&j);
        char *text = b.overflow ? arena_text(a, "[]") : arena_copy(a, b.at, b.length);
        buf_free(&b);
        return text;
}

static bool keep(struct tx *tx, void *ctx, struct err *e)
{
        struct look *l = ctx;
        struct rows r;
        const int added = tx_change(tx, e, SQL_LOOKED, ARGS(V(l->question.id), V(l->now)));
        l->first = added == 1;
        l->target = NULL;
        if (added <= 0)
                return added == 0; /* another process was faster */
        for (size_t i = 0; i < l->n; i++) {
                const struct like *like = &l->likes[i];
                if (tx_change(tx, e, SQL_LIKE,
                              ARGS(V(l->question.id), V((int64_t)i + 1), V(like->id), V(like->probability), V(like->joins ? 1 : 0),
                                   V(like->metres), V(phrases_json(l->arena, like))))
                    != 1)
                        return false;
        }
        if (l->n == 0 || !l->likes[0].joins)
                return true;
        const int found = tx_first(tx, &r, e, SQL_NUMBER, ARGS(V(l->likes[0].id)));
        if (found <= 0)
                return found == 0;
        l->target = rows_text(&r, l->arena, 0);
        return rows_done(&r, e);
}

/* Where the pack does not let the program merge, or somebody has moved one of the two meanwhile, a person decides. */
static bool join(struct district *d, const struct look *l, struct err *e)
{
        static const struct mover program = {.name = "system"};
        struct buf b = BUF_LIMIT(PHRASES_ROOM);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "case", l->target);
        json_text(&j, "reason", arena_format(l->arena, "同一事项（把握%d%%）", (int)(100 * l->likes[0].probability)));
        json_object_end(&j);
        const struct json_value *form = json_parse(l->arena, b.at, b.length, e);
        const bool moved = form && cases_move(d, l->arena, l->number, "merge", &program, form, l->now, e);
        buf_free(&b);
        if (moved)
                log_event(LOG_INFO, "matters.joined", "case=%s into=%s", l->number, l->target);
        return moved || (e->kind != ERR_BUSY && e->kind != ERR_FAULT);
}

static bool look_at(struct district *d, struct look *l, struct err *e)
{
        if (!store_read(d->store, read_new, l, e))
                return false;
        if (!l->found)
                return true;
        const struct rulebook *rules = district_rules_of(d, l->version, e);
        return rules && matters_find(d, rules, l->arena, &l->question, true, true, l->likes, &l->n, e)
               && store_write(d->store, keep, l, e) && (!l->target || join(d, l, e));
}

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct district *d = ctx;
        struct arena *a = arena_new();
        bool ok = true;
        for (size_t i = 0; ok && i < n && d->matters; i++) {
                struct look l = {.number = events[i].key, .arena = a, .now = clock_now()};
                if (text_is(events[i].topic, "case"))
                        ok = look_at(d, &l, e);
                arena_reset(a);
        }
        arena_free(&a);
        return ok;
}

const struct consumer matters_consumer = {
        .name = "matters",
        .about = "Looks whether a new case is the same matter as an earlier one.",
        .take = take,
};
