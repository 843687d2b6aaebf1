/* cases/cases_api.c -- the routes of cases; the only file here that knows HTTP. */
#include "cases/cases.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/view.h"
#include "cases/workflow.h"
#include "cases/moves.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "http/http.h"
#include "people/people.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "task/task.h"
#include "twin/twin.h"
#include <stdio.h>

/* --- answers ---------------------------------------------------------------------------------------------------- */

/* Open tasks count for more than being in charge, and that for more than standing above who is. */
static int closeness(const struct case_detail *d, const struct rulebook *rules, const char *unit)
{
        if (text_empty(unit))
                return 0;
        for (size_t i = 0; i < d->n_tasks; i++)
                if (text_is(d->tasks[i].state, "open") && text_is(d->tasks[i].unit, unit))
                        return 3;
        return text_is(d->view.unit, unit) ? 2 : unit_within(rules->units, d->view.unit, unit);
}

/* For which of his units somebody acts on a case: the one he names, else the one that is nearest to it; his own before others, and
 * before those for whom he stands in; but never one that shows him nothing.  Who is bound to no unit acts for any. */
static const struct membership *acting(const struct request *rq, const struct case_detail *d, const struct rulebook *rules)
{
        const struct actor *who = &rq->actor;
        const char *named = json_get_text(rq->body, "acting_unit", NULL);
        const struct membership *best = NULL;
        int most = -1;
        for (size_t i = 0; i < who->n_memberships; i++) {
                const struct membership *m = &who->memberships[i];
                const int close = named ? text_is(m->unit, named) - 1 : closeness(d, rules, m->unit);
                if (close > most && m->range != RANGE_NONE) {
                        most = close;
                        best = m;
                }
                if (!named && i == 0 && text_empty(m->unit))
                        break;
        }
        return best;
}

struct mover mover_of(const struct request *rq, const struct case_detail *d, const struct rulebook *rules,
                      const struct sight *sight)
{
        struct mover mover = {.name = rq->actor.name, .unit = rq->actor.unit, .role = (int)rq->actor.role, .sight = sight};
        const struct membership *m = acting(rq, d, rules);
        if (m) {
                mover.unit = m->unit;
                mover.instead = m->login;
        }
        return mover;
}

static bool may_act(const struct request *rq, const struct case_detail *d, const struct rulebook *rules, struct err *e)
{
        const char *named = json_get_text(rq->body, "acting_unit", NULL);
        return !named || acting(rq, d, rules)
               || err_both(e, ERR_DENIED, "acting_unit", "you do not belong to the unit %s", "您不属于单位%s", named);
}

/* The moves this person could take now, each with its form, so that a screen offers no others. */
static bool moves_json(struct tx *tx, struct request *rq, const struct case_detail *d, const struct rulebook *rules,
                       const struct workflow *w, const struct case_part *const *missing, struct json *j, struct err *e)
{
        const struct mover mover = mover_of(rq, d, rules, NULL);
        const struct move **moves;
        size_t n;
        if (!cases_offer(tx, rq->app, rq->arena, d->view.number, &mover, missing, rq->now, &moves, &n, e))
                return false;
        json_array(j, "moves");
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_text(j, "name", moves[i]->name);
                names_json(j, "label", moves[i]->zh, moves[i]->en);
                move_form_json(w, moves[i], "form", j);
                json_object_end(j);
        }
        json_array_end(j);
        return true;
}

/* past: its history too. */
static bool find_case(struct request *rq, bool past, struct case_detail *d, const struct rulebook **rules, struct err *e)
{
        const char *number = request_param(rq, "number");
        const struct sight *sight = sight_of(rq, e);
        if (!sight
            || !(past ? case_read(rq->store, rq->arena, number, sight, d, e)
                      : case_read_now(rq->store, rq->arena, number, sight, d, e)))
                return false;
        *rules = district_rules_of(rq->app, d->view.version, e);
        return *rules != NULL;
}

struct answering {
        struct request *rq;
        struct reply *rp;
        const struct sight *sight; /* of the case */
        const struct sight *other; /* of those it belongs with */
        int64_t version;           /* of the case that was written */
};

/* All of it in one reading transaction: on PostgreSQL each costs two journeys. */
static bool write_case(struct tx *tx, void *ctx, struct err *e)
{
        struct answering *g = ctx;
        struct request *rq = g->rq;
        struct district *district = rq->app;
        struct case_detail d;
        if (!case_read_within(tx, rq->arena, request_param(rq, "number"), g->sight, &d, e))
                return false;
        const struct rulebook *rules = district_rules_of(district, d.view.version, e);
        if (!rules)
                return false;
        const struct workflow *w = workflow_find(rules->workflows, d.view.workflow);
        struct json *j = &g->rp->json;
        json_object(j, NULL);
        case_members_json(&d.view, rules, j);
        g->version = d.view.seq;
        json_int(j, "version", g->version);
        json_text(j, "track", d.view.track);
        case_tasks_json(&d, rules, j);
        case_clocks_json(&d, w, j);
        const struct case_part *missing[CASE_PARTS_MOST + 1];
        if (!case_parts_missing(tx, rq->arena, case_parts, d.view.id, missing, e)
            || !moves_json(tx, rq, &d, rules, w, missing, j, e))
                return false;
        for (const struct case_part *const *part = case_parts, *const *gap = missing; *part; part++) {
                json_array(j, (*part)->name);
                if (*gap == *part)
                        gap++;
                else if (!(*part)->json(tx, rq->arena, d.view.id, g->other, j, e))
                        return false;
                json_array_end(j);
        }
        json_object_end(j);
        return true;
}

/* Not the reply's own etag: tasks and clocks may change under the same version, and a 304 would hide it. */
static void tell_version(const struct request *rq, struct reply *rp, int64_t version)
{
        reply_header(rp, "ETag", arena_format(rq->arena, "\"%lld\"", (long long)version));
}

static bool write_answer(struct answering *g, struct err *e)
{
        if (!store_read(g->rq->store, write_case, g, e))
                return false;
        tell_version(g->rq, g->rp, g->version);
        return true;
}

static bool answer_case(struct request *rq, struct reply *rp, struct err *e)
{
        const struct sight *sight = sight_of(rq, e);
        return sight && write_answer(&(struct answering){.rq = rq, .rp = rp, .sight = sight, .other = sight}, e);
}

static bool get_history(struct request *rq, struct reply *rp, struct err *e)
{
        struct case_detail d;
        const struct rulebook *rules;
        if (!find_case(rq, true, &d, &rules, e))
                return false;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "number", d.view.number);
        case_history_json(&d, rules, workflow_find(rules->workflows, d.view.workflow), rq->arena, &rp->json);
        json_object_end(&rp->json);
        return true;
}

/* --- moving ---------------------------------------------------------------------------------------------------------- */

struct changes {
        struct case_detail d;
        const struct rulebook *rules;
        int64_t seen;
};

static void changes_json(const void *ctx, struct json *j)
{
        const struct changes *c = ctx;
        case_changes_json(&c->d, c->rules, c->seen, j);
}

/* A conflict says how the case stands now and what happened meanwhile, to whoever still sees it.  header: the version was named by
 * If-Match, and that it is another by now has a status of its own. */
static void tell_changes(const struct request *rq, struct reply *rp, const struct mover *mover, bool header, struct err *e)
{
        struct changes *c = NEW(rq->arena, struct changes);
        struct err ignored;
        *c = (struct changes){.seen = mover->seen > 0 ? mover->seen : 0};
        if (!case_read(rq->store, rq->arena, request_param(rq, "number"), mover->sight, &c->d, &ignored))
                return;
        c->rules = district_rules_of(rq->app, c->d.view.version, &ignored);
        if (!c->rules)
                return;
        if (case_unseen(&c->d, c->seen) < c->d.n_history)
                case_name_last(&c->d, c->rules, e);
        if (header && mover->seen != c->d.view.seq)
                rp->status = 412;
        rp->problem = changes_json;
        rp->problem_ctx = c;
        tell_version(rq, rp, c->d.view.seq);
}

/* Which version the mover says he has seen, by If-Match or else in the body; 0 = he does not say, or "any". */
static int64_t version_seen(const struct request *rq, const struct case_detail *d, bool *header)
{
        const int64_t now = d->view.seq;
        const char *named = request_header(rq, "If-Match");
        int64_t other;
        if (request_match(rq, arena_format(rq->arena, "%lld", (long long)now), header))
                return !*header ? json_get_int(rq->body, "seen", 0) : strchr(named, '*') ? 0 : now;
        named += strspn(named, "W/\"");
        return text_to_int(arena_copy(rq->arena, named, strspn(named, "0123456789")), &other) && other != now ? other : -1;
}

static bool post_move(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *district = rq->app;
        struct case_detail d;
        const struct rulebook *rules;
        const struct sight *sight = sight_of(rq, e);
        if (!sight || !find_case(rq, false, &d, &rules, e) || !may_act(rq, &d, rules, e))
                return false;
        bool header;
        struct mover mover = mover_of(rq, &d, rules, sight);
        mover.seen = version_seen(rq, &d, &header);
        if (!cases_move(district, rq->arena, request_param(rq, "number"), json_get_text(rq->body, "move", ""), &mover, rq->body,
                        rq->now, e)) {
                if (e->kind == ERR_CONFLICT)
                        tell_changes(rq, rp, &mover, header, e);
                return false;
        }
        if (district->scheduler)
                scheduler_nudge(district->scheduler);
        /* Who moved it is told how it stands now, though the move may have taken it out of his sight. */
        return write_answer(&(struct answering){.rq = rq, .rp = rp, .other = sight}, e);
}

/* --- pages of cases ------------------------------------------------------------------------------------------------ */

static bool area_filter(const struct request *rq, const struct rulebook *rules, struct case_filter *f, struct err *e)
{
        const char *code = request_query(rq, "area");
        if (!code)
                return true;
        const struct area *area = area_find(rules->twin, code);
        if (!area)
                return err_both(e, ERR_INVALID, "area", "there is no area \"%s\"; see /api/v1/areas",
                                "没有编码为“%s”的区域，可查 /api/v1/areas", code);
        if (area->level == AREA_SUBDISTRICT)
                f->subdistrict = code;
        else if (area->level == AREA_COMMUNITY)
                f->community = code;
        else if (area->level == AREA_GRID)
                f->grid = code;
        /* The grid has no index of its own: its community leads there. */
        if (area->level == AREA_GRID)
                f->community = area->parent->code;
        return true;
}

static bool after_filter(const struct request *rq, struct case_filter *f, struct err *e)
{
        const char *after = request_query(rq, "after");
        char **parts;
        if (!after)
                return true;
        size_t n = text_split(rq->arena, after, '.', &parts);
        if (n == (f->by_due ? 2u : 1u) && text_to_int(parts[n - 1], &f->after_id)
            && (n == 1 || text_to_int(parts[0], &f->after_due)) && f->after_id > 0)
                return true;
        return err_both(e, ERR_INVALID, "after", "\"%s\" is not a place in this list; take it from \"next\" of the page before",
                        "“%s”不是此列表的位置，请使用上一页返回的 next", after);
}

static bool read_filter(const struct request *rq, const struct rulebook *rules, struct case_filter *f, struct err *e)
{
        const char *item = request_query(rq, "item"), *unit = request_query(rq, "unit"), *sort = request_query(rq, "sort");
        const bool late = text_is(request_query(rq, "late"), "true");
        *f = (struct case_filter){
                .state = request_query(rq, "state"),
                .unit = unit,
                .item = item,
                .channel = request_query(rq, "channel"),
                .open = text_is(request_query(rq, "open"), "true"),
                .late_at = late ? rq->now : 0,
                .by_due = text_is(sort, "due") || (late && !sort),
                .limit = request_limit(rq, 50, 200),
        };
        if (item && !item_find(rules->catalogue, item))
                return err_both(e, ERR_INVALID, "item", "there is no item \"%s\"; see /api/v1/items",
                                "没有编码为“%s”的事项，可查 /api/v1/items", item);
        if (unit && !unit_find(rules->units, unit))
                return err_both(e, ERR_INVALID, "unit", "there is no unit \"%s\"; see /api/v1/units",
                                "没有编码为“%s”的单位，可查 /api/v1/units", unit);
        f->sight = sight_of(rq, e);
        return f->sight && area_filter(rq, rules, f, e) && after_filter(rq, f, e);
}

static void one_case_json(const struct case_view *view, const struct rulebook *rules, struct json *j)
{
        json_object(j, NULL);
        case_members_json(view, rules, j);
        json_object_end(j);
}

static bool get_cases(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *district = rq->app;
        const struct rulebook *rules = district_rules(district, e);
        struct case_filter f;
        struct case_page page;
        if (!rules || !read_filter(rq, rules, &f, e) || !case_page(rq->store, rq->arena, &f, &page, e))
                return false;
        struct json *j = &rp->json;
        json_object(j, NULL);
        json_array(j, "cases");
        for (size_t i = 0; i < page.n; i++)
                one_case_json(&page.at[i], rules, j);
        json_array_end(j);
        if (page.more)
                json_text(j, "next",
                          f.by_due ? arena_format(rq->arena, "%lld.%lld", (long long)page.after_due, (long long)page.after_id)
                                   : arena_format(rq->arena, "%lld", (long long)page.after_id));
        json_object_end(j);
        return true;
}

/* --- workflows ---------------------------------------------------------------------------------------------------------- */

static bool get_workflows(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *district = rq->app;
        const struct rulebook *rules = district_rules(district, e);
        if (!rules)
                return false;
        json_object(&rp->json, NULL);
        workflows_json(rules->workflows, &rp->json);
        json_object_end(&rp->json);
        return true;
}

/* --- tables ------------------------------------------------------------------------------------------------------------- */

static const char *const sort_choices[] = {"newest", "due", NULL};
static const struct query_param page_query[] = {
        {.name = "state", .type = SHAPE_TEXT, .most = 40, .about = "Only cases in this state."},
        {.name = "unit", .type = SHAPE_TEXT, .most = 40, .about = "Only cases this unit is in charge of."},
        {.name = "area", .type = SHAPE_TEXT, .most = 40, .about = "Only cases in this area (subdistrict, community or grid)."},
        {.name = "item", .type = SHAPE_TEXT, .most = 40, .about = "Only cases of this item (a leaf)."},
        {.name = "channel", .type = SHAPE_TEXT, .most = 40, .about = "Only cases recorded by this channel."},
        {.name = "open", .type = SHAPE_BOOL, .about = "true: only open cases."},
        {.name = "late", .type = SHAPE_BOOL, .about = "true: only open cases whose due instant has passed."},
        {.name = "sort",
         .type = SHAPE_TEXT,
         .choices = sort_choices,
         .about = "newest, or due: open cases, least time left first.  Unsaid: newest, but due with late=true."},
        {.name = "after", .type = SHAPE_TEXT, .most = 60, .about = "\"next\" of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 200, .about = "Cases in a page; 50 when unsaid."},
        {0},
};
static const struct shape text_element[] = {{.type = SHAPE_TEXT, .most = 40}, {0}};
static const struct shape ratings_body[] = {
        {.name = "speed", .type = SHAPE_INT, .required = true, .least = 1, .most = 5},
        {.name = "effect", .type = SHAPE_INT, .required = true, .least = 1, .most = 5},
        {.name = "service", .type = SHAPE_INT, .required = true, .least = 1, .most = 5},
        {.name = "answer", .type = SHAPE_INT, .required = true, .least = 1, .most = 5},
        {0},
};
static const struct shape move_body[] = {
        {.name = "move",
         .type = SHAPE_TEXT,
         .required = true,
         .least = 1,
         .most = 40,
         .about = "Name of the move, as in \"moves\" of the case."},
        {.name = "unit", .type = SHAPE_TEXT, .most = 40, .about = "Unit that takes charge."},
        {.name = "seen",
         .type = SHAPE_INT,
         .least = 1,
         .most = 1e9,
         .about = "\"version\" of the case that was read; when it is another by now: 409, and nothing is done.  As If-Match."},
        {.name = "acting_unit",
         .type = SHAPE_TEXT,
         .most = 40,
         .about = "For which of one's units; unsaid: the one nearest to the case.  The history names it."},
        {.name = "assists", .type = SHAPE_ARRAY, .most = 8, .fields = text_element, .about = "Units that assist."},
        {.name = "units", .type = SHAPE_ARRAY, .most = 20, .fields = text_element, .about = "Units whose position is wanted."},
        {.name = "item", .type = SHAPE_TEXT, .most = 40, .about = "Item of the case."},
        {.name = "reason", .type = SHAPE_TEXT, .most = 2000, .about = "Why."},
        {.name = "result", .type = SHAPE_TEXT, .most = 4000, .about = "What was done, or the answer to the reporter."},
        {.name = "note", .type = SHAPE_TEXT, .most = 2000, .about = "Anything else."},
        {.name = "reason_code", .type = SHAPE_TEXT, .most = 40, .about = "Why, from the move's list."},
        {.name = "person", .type = SHAPE_TEXT, .most = 100, .about = "Login of somebody of the unit in charge."},
        {.name = "until", .type = SHAPE_TIME, .about = "End of a suspension."},
        {.name = "level", .type = SHAPE_TEXT, .most = 40, .about = "Level of supervision."},
        {.name = "case", .type = SHAPE_TEXT, .most = 40, .about = "Number of another case."},
        {.name = "facts", .type = SHAPE_TEXT, .most = 4000, .about = "What is new, when the point was ruled before."},
        {.name = "can_act", .type = SHAPE_BOOL, .about = "The unit can act at once."},
        {.name = "solved", .type = SHAPE_BOOL, .about = "The citizen calls it solved."},
        {.name = "ratings", .type = SHAPE_OBJECT, .fields = ratings_body, .about = "What the citizen thinks, each from 1 to 5."},
        {0},
};
static const struct shape names[] = {
        {.name = "zh", .type = SHAPE_TEXT, .required = true},
        {.name = "en", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape code_name[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "certainty", .type = SHAPE_REAL},
        {0},
};
static const struct shape location[] = {
        {.name = "lon", .type = SHAPE_REAL, .required = true},
        {.name = "lat", .type = SHAPE_REAL, .required = true},
        {0},
};
#define CASE_MEMBERS \
        {.name = "number", .type = SHAPE_TEXT, .required = true, .about = "Case number."}, \
                {.name = "state", .type = SHAPE_TEXT, .required = true}, \
                {.name = "state_name", .type = SHAPE_OBJECT, .required = true, .fields = names}, \
                {.name = "open", .type = SHAPE_BOOL, .required = true}, \
                {.name = "title", .type = SHAPE_TEXT, .required = true, .most = 400}, \
                {.name = "channel", .type = SHAPE_TEXT, .required = true}, \
                {.name = "source", .type = SHAPE_TEXT, .required = true}, \
                {.name = "property", .type = SHAPE_TEXT, .required = true}, \
                {.name = "urgency", .type = SHAPE_TEXT, .required = true}, \
                {.name = "item", .type = SHAPE_OBJECT, .required = true, .nullable = true, .fields = code_name}, \
                {.name = "unit", .type = SHAPE_OBJECT, .required = true, .fields = code_name}, \
                {.name = "subdistrict", .type = SHAPE_TEXT, .required = true}, \
                {.name = "community", .type = SHAPE_TEXT, .required = true}, \
                {.name = "grid", .type = SHAPE_TEXT, .required = true}, \
                {.name = "address", .type = SHAPE_TEXT, .required = true, .most = 400}, \
                {.name = "location", .type = SHAPE_OBJECT, .required = true, .nullable = true, .fields = location}, \
                {.name = "occurred", .type = SHAPE_TIME, .required = true, .nullable = true}, \
                {.name = "created", .type = SHAPE_TIME, .required = true}, \
                {.name = "closed", .type = SHAPE_TIME, .required = true, .nullable = true}, \
                {.name = "due", .type = SHAPE_TIME, .required = true, .nullable = true}, \
        { \
                .name = "late", .type = SHAPE_BOOL, .required = true \
        }
const struct shape case_members_shape[] = {
        CASE_MEMBERS,
        {0},
};
static const struct shape case_element[] = {{.type = SHAPE_OBJECT, .fields = case_members_shape}, {0}};
static const struct shape any_element[] = {{.type = SHAPE_OBJECT, .open = true}, {0}};
static const struct shape page_answer[] = {
        {.name = "cases", .type = SHAPE_ARRAY, .required = true, .fields = case_element},
        {.name = "next",
         .type = SHAPE_TEXT,
         .about = "Give it as \"after\" for the next page; absent on the last.  A page of several filters may hold fewer cases"
                  " than asked for, even none, and still have a next: it looks at 1,000 cases at most."},
        {0},
};
static const struct shape detail_answer[] = {
        CASE_MEMBERS,
        {.name = "version",
         .type = SHAPE_INT,
         .required = true,
         .about = "Number of its last history row; also the ETag.  Say it in If-Match or \"seen\" to act on nothing else."},
        {.name = "track", .type = SHAPE_TEXT, .required = true},
        {.name = "tasks", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
        {.name = "clocks", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
        {.name = "moves",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = any_element,
         .about = "Moves the reader may take now; form: JSON Schema."},
        {.name = "asks",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = any_element,
         .about = "Extensions, suspensions, urges, supervision, appeals."},
        {.name = "topic_tasks",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = any_element,
         .about = "Tasks made of topics that it is in; their names are told to who sees every case."},
        {.name = "disputes",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = any_element,
         .about = "Disputes over responsibility, with positions and ruling."},
        {.name = "links",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = any_element,
         .about = "Cases merged into it, split from it, or it into them."},
        {.name = "evidence",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = any_element,
         .about = "Pictures, signatures, measurements and waivers, oldest first."},
        {.name = "exchange",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = any_element,
         .about = "Other platforms that have it too, with their numbers (see /api/v1/exchange/links)."},
        {0},
};
static const struct shape change_members[] = {
        {.name = "seq", .type = SHAPE_INT, .required = true},
        {.name = "move", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_OBJECT, .required = true, .fields = names},
        {.name = "from", .type = SHAPE_TEXT, .required = true},
        {.name = "to", .type = SHAPE_TEXT, .required = true},
        {.name = "actor", .type = SHAPE_TEXT, .required = true},
        {.name = "role", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "unit_name", .type = SHAPE_TEXT, .required = true},
        {.name = "at", .type = SHAPE_TIME, .required = true},
        {0},
};
static const struct shape change_element[] = {{.type = SHAPE_OBJECT, .fields = change_members}, {0}};
static const struct shape now_members[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true},
        {.name = "version", .type = SHAPE_INT, .required = true, .about = "For the next If-Match or \"seen\"."},
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "state_name", .type = SHAPE_OBJECT, .required = true, .fields = names},
        {.name = "open", .type = SHAPE_BOOL, .required = true},
        {.name = "unit", .type = SHAPE_OBJECT, .required = true, .fields = code_name},
        {0},
};
static const struct shape move_conflict[] = {
        {.name = "case",
         .type = SHAPE_OBJECT,
         .fields = now_members,
         .about = "How the case stands now; absent when the caller sees it no more."},
        {.name = "meanwhile",
         .type = SHAPE_ARRAY,
         .fields = change_element,
         .about = "History rows behind the version that was named, the last 20 at most; the last move when none was named."},
        {0},
};
static const struct shape history_answer[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true},
        {.name = "history", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
        {0},
};
static const struct shape workflows_answer[] = {{.name = "workflows", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
                                                {0}};

static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/cases",
         .roles = ROLE_STAFF,
         .run = get_cases,
         .query = page_query,
         .answer = page_answer,
         .about = "A page of cases."},
        {.method = "GET",
         .path = "/api/v1/cases/{number}",
         .roles = ROLE_STAFF,
         .run = answer_case,
         .answer = detail_answer,
         .versioned = true,
         .about = "One case with its tasks, clocks and the moves the reader may take."},
        {.method = "GET",
         .path = "/api/v1/cases/{number}/history",
         .roles = ROLE_STAFF,
         .run = get_history,
         .answer = history_answer,
         .about = "The append-only history of a case; each row carries the hash of the row before."},
        {.method = "POST",
         .path = "/api/v1/cases/{number}/moves",
         .roles = ROLE_STAFF,
         .run = post_move,
         .body = move_body,
         .answer = detail_answer,
         .versioned = true,
         .conflict = move_conflict,
         .about = "Takes a case along a move of its workflow.  Of several who move it at once one does; the others get 409."},
        {.method = "GET",
         .path = "/api/v1/workflows",
         .roles = ROLE_ALL,
         .run = get_workflows,
         .answer = workflows_answer,
         .about = "Workflows: states and moves."},
        {0},
};

const struct route *const cases_routes = routes;
