/* matters/consume.c -- each new case is looked at once: whether it is the same matter as an earlier one. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cases/cases.h"
#include "cases/workflow.h"
#include "district/district.h"
#include "json/json.h"
#include "matters/inside.h"
#include "matters/matters.h"
#include "same/same.h"
#include "store/store.h"
#include "task/task.h"
#include <stdlib.h>

static const char SQL_NEW[] =
        "SELECT c.id, c.version, r.title, r.text, c.lon, c.lat, c.grid, c.community, c.item, c.created_at, c.urgent,"
        " s.same_as, c.workflow, c.state FROM cases c JOIN report r ON r.id = c.id LEFT JOIN report_same s ON s.report_id = c.id"
        " WHERE c.number = $1 AND c.open = 1 AND (c.created_at > $2 OR s.same_as IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM matter_look l WHERE l.case_id = c.id)";
static const char SQL_LOOKED[] = "INSERT INTO matter_look(case_id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
static const char SQL_LIKE[] = "INSERT INTO matter_like(case_id, n, other, probability, joins, metres, phrases, followed)"
                               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
/* What was merged stands for the case it belongs to. */
static const char SQL_TARGET[] =
        "SELECT COALESCE(x.number, c.number), COALESCE(x.urgent, c.urgent), COALESCE(x.workflow, c.workflow),"
        " COALESCE(x.state, c.state) FROM cases c LEFT JOIN case_link l ON l.case_id = c.id AND l.kind = 'merged'"
        " AND l.undone_at = 0 LEFT JOIN cases x ON x.id = l.target WHERE c.id = $1";

/* What came earlier, as by an import, is not looked at; nor what has waited so long since, when more comes than can be looked
 * at: who reports now goes first.  Where the reporter follows a case, his word is heard however late. */
static const int64_t fresh = USEC_HOUR, patience = 10 * USEC_MINUTE;
enum { PHRASES_ROOM = 8192 };

struct look {
        struct district *district;
        const char *number, *workflow, *state;
        struct arena *arena;
        const struct rulebook *rules;
        int64_t version, now;
        struct matter_question question;
        bool found, urgent;
        struct like likes[LIKE_MOST];
        const char *phrases[LIKE_MOST]; /* JSON */
        size_t n;
        const struct like *match; /* to merge into: target; NULL */
        const char *target;
};

static bool read_new(struct tx *tx, struct look *l, struct err *e)
{
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
                .follows = rows_null(&r, 11) ? 0 : matters_token_case(l->district, l->arena, rows_text(&r, l->arena, 11)),
        };
        l->urgent = rows_int(&r, 10) != 0;
        l->workflow = rows_text(&r, l->arena, 12);
        l->state = rows_text(&r, l->arena, 13);
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

/* The reporter's own word counts where the texts may be the same matter, the machine's alone where they surely are. */
static const struct like *match_of(const struct look *l)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->likes[i].followed && l->likes[i].probability >= same_limits().asks)
                        return &l->likes[i];
        return l->n > 0 && l->likes[0].joins ? &l->likes[0] : NULL;
}

/* The move that merges a case in that state; NULL: its workflow has none.  What might be merged itself may be merged into: its
 * answer is still to come. */
static const struct move *merge_from(const struct rulebook *rules, const char *workflow, const char *state)
{
        const struct workflow *w = workflow_find(rules->workflows, workflow);
        const struct move *merge = w ? move_find(w, "merge") : NULL;
        return merge && move_starts_at(merge, state) ? merge : NULL;
}

/* Whether the pack lets the program merge the case.  Asked before it is tried: a write that is refused makes its neighbours in the
 * same commit run again. */
static bool may_merge(const struct look *l)
{
        const struct move *merge = merge_from(l->rules, l->workflow, l->state);
        return merge && move_allows(merge, 0);
}

/* A merged case waits for the other one's answer: what is urgent does so only for what is urgent too. */
static bool find_target(struct tx *tx, void *ctx, struct err *e)
{
        struct look *l = ctx;
        struct rows r;
        l->target = NULL;
        l->match = match_of(l);
        if (!l->match || !may_merge(l))
                return true;
        const int found = tx_first(tx, &r, e, SQL_TARGET, ARGS(V(l->match->id)));
        if (found <= 0)
                return found == 0;
        if ((!l->urgent || rows_int(&r, 1) != 0) && merge_from(l->rules, rows_text(&r, l->arena, 2), rows_text(&r, l->arena, 3)))
                l->target = rows_text(&r, l->arena, 0);
        return rows_done(&r, e);
}

static bool keep_one(struct tx *tx, struct look *l, struct err *e)
{
        const int added = tx_change(tx, e, SQL_LOOKED, ARGS(V(l->question.id), V(l->now)));
        if (added <= 0)
                return added == 0; /* another process was faster */
        for (size_t i = 0; i < l->n; i++) {
                const struct like *like = &l->likes[i];
                if (!tx_send(tx, e, SQL_LIKE,
                             ARGS(V(l->question.id), V((int64_t)i + 1), V(like->id), V(like->probability), V(like->joins ? 1 : 0),
                                  V(like->metres), V(l->phrases[i]), V(like->followed ? 1 : 0))))
                        return false;
        }
        return true;
}

struct batch {
        struct district *district;
        const struct event *events;
        size_t n_events;
        struct arena *arena;
        int64_t now;
        struct look *at;
        size_t n;
};

static int by_id(const void *a, const void *b)
{
        const struct look *x = a, *y = b;
        return (x->question.id > y->question.id) - (x->question.id < y->question.id);
}

static bool keep(struct tx *tx, void *ctx, struct err *e)
{
        const struct batch *b = ctx;
        for (size_t i = 0; i < b->n; i++)
                if (!keep_one(tx, &b->at[i], e))
                        return false;
        return true;
}

static bool merge(struct district *d, const struct look *l, struct err *e)
{
        static const struct mover program = {.name = "system"};
        struct buf b = BUF_LIMIT(PHRASES_ROOM);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "case", l->target);
        json_text(&j, "reason",
                  arena_format(l->arena, "%s（把握%d%%）", l->match->followed ? "上报人认为是同一事项" : "同一事项",
                               (int)(100 * l->match->probability)));
        json_object_end(&j);
        const struct json_value *form = json_parse(l->arena, b.at, b.length, e);
        const bool moved = form && cases_move(d, l->arena, l->number, "merge", &program, form, l->now, e);
        buf_free(&b);
        if (moved)
                log_event(LOG_INFO, "matters.joined", "case=%s into=%s followed=%d", l->number, l->target, l->match->followed);
        return moved;
}

/* Into which case is decided one by one: the one it is like may have been merged a moment ago, of the same batch.  Where the pack
 * does not let the program merge, or somebody moves one of the two meanwhile, a person decides. */
static bool join(struct district *d, struct look *l, struct err *e)
{
        return store_read(d->store, find_target, l, e)
               && (!l->target || merge(d, l, e) || (e->kind != ERR_BUSY && e->kind != ERR_FAULT));
}

/* The new cases that the events tell of, in the order of their ids. */
static bool read_all(struct tx *tx, void *ctx, struct err *e)
{
        struct batch *b = ctx;
        b->n = 0;
        for (size_t i = 0; i < b->n_events; i++) {
                const struct event *event = &b->events[i];
                struct look *l = &b->at[b->n];
                const bool waits_not = event->time >= b->now - patience && case_event_files(b->arena, event);
                if (!waits_not && !text_is(event->topic, "same"))
                        continue;
                *l = (struct look){.district = b->district, .number = event->key, .arena = b->arena, .now = b->now};
                if (!read_new(tx, l, e))
                        return false;
                b->n += l->found;
        }
        qsort(b->at, b->n, sizeof *b->at, by_id);
        return true;
}

/* In a scratch arena; what is found then lives in the batch's. */
static bool look_at(struct district *d, struct look *l, struct arena *scratch, struct err *e)
{
        l->rules = district_rules_of(d, l->version, e);
        if (!l->rules || !matters_find(d, l->rules, scratch, &l->question, true, l->likes, &l->n, e))
                return false;
        for (size_t i = 0; i < l->n; i++) {
                l->phrases[i] = phrases_json(l->arena, &l->likes[i]);
                l->likes[i].n_phrases = 0;
        }
        return true;
}

/* What came before the first of them is fed; they themselves are in the index once each has been looked at. */
static bool look_at_all(struct district *d, struct batch *b, struct err *e)
{
        if (b->n == 0)
                return true;
        struct arena *scratch = arena_new();
        const struct rulebook *rules = district_rules(d, e);
        bool ok = rules && matters_feed(d, rules, true, b->at[0].question.id, e);
        for (size_t i = 0; ok && i < b->n; i++) {
                ok = look_at(d, &b->at[i], scratch, e);
                arena_reset(scratch);
        }
        arena_free(&scratch);
        return ok;
}

/* What was looked at is written last: until then all of it would be done again, and nothing is lost. */
static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct district *d = ctx;
        if (!d->matters)
                return true;
        struct batch b = {.district = d, .events = events, .n_events = n, .arena = arena_new(), .now = clock_now()};
        b.at = NEW_ARRAY(b.arena, struct look, n + 1);
        matters_look_begin(d);
        bool ok = store_read(d->store, read_all, &b, e) && look_at_all(d, &b, e);
        for (size_t i = 0; ok && i < b.n; i++)
                ok = join(d, &b.at[i], e);
        ok = ok && (b.n == 0 || store_write(d->store, keep, &b, e));
        matters_look_end(d);
        arena_free(&b.arena);
        return ok;
}

const struct consumer matters_consumer = {
        .name = "matters",
        .about = "Looks whether a new case is the same matter as an earlier one.",
        .take = take,
};
