/* intake/track_api.c -- GET /api/v1/track/{code}: the citizen's view of a report, like a parcel. */
#include "intake/intake.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/view.h"
#include "cases/workflow.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "http/http.h"
#include "mention/mention.h"
#include "people/people.h"
#include "store/store.h"

/* The case it was merged into, as far as a citizen may know it: how it stands and who has it. */
static const char SQL_JOINT[] =
        "SELECT x.version, x.workflow, x.state, x.unit, x.due, x.seq, x.id FROM case_link l JOIN cases x ON x.id = l.target"
        " WHERE l.case_id = $1 AND l.kind = 'merged' AND l.undone_at = 0";

struct joint {
        struct arena *arena;
        int64_t of, version, due, seq, id; /* version 0: it stands alone */
        const char *workflow, *state, *unit;
};

static bool read_joint(struct tx *tx, void *ctx, struct err *e)
{
        struct joint *t = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_JOINT, ARGS(V(t->of)));
        t->version = 0;
        if (found <= 0)
                return found == 0;
        t->version = rows_int(&r, 0);
        t->workflow = rows_text(&r, t->arena, 1);
        t->state = rows_text(&r, t->arena, 2);
        t->unit = rows_text(&r, t->arena, 3);
        t->due = rows_int(&r, 4);
        t->seq = rows_int(&r, 5);
        t->id = rows_int(&r, 6);
        return rows_done(&r, e);
}

static void both_names(struct json *j, const char *name, const char *zh, const char *en)
{
        json_object(j, name);
        json_text(j, "zh", zh);
        json_text(j, "en", en ? en : zh);
        json_object_end(j);
}

static void code_name_json(struct json *j, const char *key, const char *code, const char *name)
{
        json_object(j, key);
        json_text(j, "code", code);
        json_text(j, "name", name);
        json_object_end(j);
}

/* The program passes the answer of a joint case on to all who were merged: it was written to somebody else. */
static const char *answer_of(struct district *d, struct arena *a, const struct ledger_entry *entry, const struct json_value *form)
{
        struct err ignored;
        const char *said = json_get_text(form, "result", json_get_text(form, "reason", ""));
        if (!text_is(entry->role, "system"))
                return said;
        const struct fold *fold = district_fold(d, &ignored);
        return fold ? mentions_masked(fold, a, said) : "";
}

/* A citizen sees what happened, not who of the staff did it and not the forms. */
static void steps_json(const struct request *rq, const struct case_detail *d, const struct rulebook *rules,
                       const struct workflow *w, struct json *j)
{
        struct arena *a = rq->arena;
        json_array(j, "steps");
        for (size_t i = 0; i < d->n_history; i++) {
                const struct ledger_entry *entry = &d->history[i].entry;
                const struct move *m = w ? move_find(w, entry->move) : NULL;
                struct err ignored;
                const struct json_value *form = json_parse(a, entry->form, strlen(entry->form), &ignored);
                const char *code = json_get_text(form, "assigned", json_get_text(form, "unit", entry->unit));
                const struct unit *unit = text_empty(code) ? NULL : unit_find(rules->units, code);
                json_object(j, NULL);
                json_text(j, "move", entry->move);
                both_names(j, "name", m ? m->zh : entry->move, m ? m->en : NULL);
                json_text(j, "state", entry->dest);
                json_time(j, "at", entry->at);
                if (unit)
                        json_text(j, "unit_name", unit->name);
                if (m && move_tells(m))
                        json_text(j, "answer", answer_of(rq->app, a, entry, form));
                json_object_end(j);
        }
        json_array_end(j);
}

static void joint_json(const struct joint *t, const struct rulebook *rules, struct json *j)
{
        if (t->version == 0) {
                json_null(j, "joint");
                return;
        }
        const struct workflow *w = workflow_find(rules->workflows, t->workflow);
        const struct state *s = w ? state_find(w, t->state) : NULL;
        const struct unit *unit = unit_find(rules->units, t->unit);
        json_object(j, "joint");
        json_text(j, "state", t->state);
        both_names(j, "state_name", s ? s->zh : t->state, s ? s->en : NULL);
        code_name_json(j, "unit", t->unit, unit ? unit->name : t->unit);
        json_time(j, "due", t->due);
        json_object_end(j);
}

static void case_json(const struct request *rq, const struct case_detail *d, const struct rulebook *rules,
                      const struct joint *joint, struct json *j)
{
        const struct case_view *v = &d->view;
        const struct workflow *w = workflow_find(rules->workflows, v->workflow);
        const struct state *s = w ? state_find(w, v->state) : NULL;
        const struct unit *unit = unit_find(rules->units, v->unit);
        const struct item *item = text_empty(v->item) ? NULL : item_find(rules->catalogue, v->item);
        json_object(j, NULL);
        json_text(j, "number", v->number);
        json_text(j, "track", v->track);
        json_text(j, "state", v->state);
        both_names(j, "state_name", s ? s->zh : v->state, s ? s->en : NULL);
        json_bool(j, "open", v->open);
        code_name_json(j, "unit", v->unit, unit ? unit->name : v->unit);
        if (item)
                code_name_json(j, "item", item->code, item->name);
        else
                json_null(j, "item");
        json_time(j, "received", v->created);
        json_time(j, "due", v->due);
        json_time(j, "closed", v->closed);
        json_bool(j, "late", v->late || (v->open && v->due > 0 && v->due < rq->now));
        joint_json(joint, rules, j);
        steps_json(rq, d, rules, w, j);
        json_object_end(j);
}

/* Kept, but not filed yet: the citizen sees it received, with the unit that looks after what is not decided. */
static bool waiting_json(const struct request *rq, const struct waiting *waiting, struct json *j, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        const struct workflow *w = workflow_find(rules->workflows, "standard");
        const struct state *s = w ? state_first(w) : NULL;
        const struct unit *unit = unit_fallback(rules->units);
        json_object(j, NULL);
        json_text(j, "number", waiting->number);
        json_text(j, "track", waiting->track);
        json_text(j, "state", "received");
        both_names(j, "state_name", s ? s->zh : "received", s ? s->en : NULL);
        json_bool(j, "open", true);
        code_name_json(j, "unit", unit->code, unit->name);
        json_null(j, "item");
        json_time(j, "received", waiting->received);
        json_null(j, "due");
        json_null(j, "closed");
        json_bool(j, "late", false);
        json_null(j, "joint");
        json_array(j, "steps");
        json_array_end(j);
        json_object_end(j);
        return true;
}

static bool get_track(struct request *rq, struct reply *rp, struct err *e)
{
        struct waiting waiting;
        struct case_detail d;
        const char *code = request_param(rq, "code");
        /* In this order: what was filed in between is a case by the time it no longer waits. */
        const int waits = intake_waiting(rq->store, rq->arena, code, &waiting, e);
        if (waits != 0)
                return waits > 0 && waiting_json(rq, &waiting, &rp->json, e);
        if (!case_read_track(rq->store, rq->arena, code, &d, e))
                return false;
        const struct rulebook *rules = district_rules_of(rq->app, d.view.version, e);
        struct joint joint = {.arena = rq->arena, .of = d.view.id};
        if (!rules || (d.view.open && !store_read(rq->store, read_joint, &joint, e)))
                return false;
        case_json(rq, &d, rules, &joint, &rp->json);
        reply_header(rp, "Cache-Control", "no-store"); /* a shared browser keeps nothing of it */
        rp->etag = arena_format(rq->arena, "t%lld-%d-%lld-%lld", (long long)d.n_history, d.view.due > 0 && d.view.due < rq->now,
                                (long long)joint.id, (long long)joint.seq);
        return true;
}

static const struct shape names[] = {
        {.name = "zh", .type = SHAPE_TEXT, .required = true},
        {.name = "en", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape code_name[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape joint_answer[] = {
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "state_name", .type = SHAPE_OBJECT, .required = true, .fields = names},
        {.name = "unit", .type = SHAPE_OBJECT, .required = true, .fields = code_name},
        {.name = "due", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape any_element[] = {{.type = SHAPE_OBJECT, .open = true}, {0}};
static const struct shape track_answer[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true},
        {.name = "track", .type = SHAPE_TEXT, .required = true},
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "state_name", .type = SHAPE_OBJECT, .required = true, .fields = names},
        {.name = "open", .type = SHAPE_BOOL, .required = true},
        {.name = "unit", .type = SHAPE_OBJECT, .required = true, .fields = code_name},
        {.name = "item", .type = SHAPE_OBJECT, .required = true, .nullable = true, .fields = code_name},
        {.name = "received", .type = SHAPE_TIME, .required = true},
        {.name = "due", .type = SHAPE_TIME, .required = true, .nullable = true},
        {.name = "closed", .type = SHAPE_TIME, .required = true, .nullable = true},
        {.name = "late", .type = SHAPE_BOOL, .required = true},
        {.name = "joint",
         .type = SHAPE_OBJECT,
         .required = true,
         .nullable = true,
         .fields = joint_answer,
         .about = "How the case stands that this one was merged into; its answer is given here too."},
        {.name = "steps", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
        {0},
};

static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/track/{code}",
         .roles = ROLE_ALL,
         .run = get_track,
         .answer = track_answer,
         .per_minute = 240,
         .about = "Where a report stands, by its tracking code."},
        {0},
};

const struct route *const track_routes = routes;
