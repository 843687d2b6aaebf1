/* search/search_api.c -- the routes of searching; the only file here that knows HTTP. */
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "http/http.h"
#include "people/people.h"
#include "search/inside.h"
#include "search/suggest.h"
#include "sight/sight_api.h"
#include "twin/twin.h"

/* --- what is asked for --------------------------------------------------------------------------------------------------- */

/* A filter is said as a parameter or inside the query, not both. */
static bool one_of(const char *parameter, const char *field, const char *name, const char **out, struct err *e)
{
        if (parameter && field && !text_is(parameter, field))
                return err_both(e, ERR_INVALID, name, "%s is said twice, as a parameter and inside q", "%s在参数和 q 中重复指定",
                                name);
        *out = parameter ? parameter : field;
        return true;
}

static bool item_filter(const struct rulebook *rules, struct search_filter *f, struct err *e)
{
        const struct item *item = f->item ? item_find(rules->catalogue, f->item) : NULL;
        for (size_t i = 0; f->item && !item && i < item_count(rules->catalogue); i++) {
                const struct item *x = item_at(rules->catalogue, i);
                item = x->leaf && (text_is(x->name, f->item) || text_is(x->name_en, f->item)) ? x : NULL;
        }
        if (f->item && !item)
                return err_both(e, ERR_INVALID, "item", "there is no item \"%.60s\"; see /api/v1/items",
                                "没有编码或名称为“%.60s”的事项，可查 /api/v1/items", f->item);
        f->item = item ? item->code : NULL;
        return true;
}

static bool unit_filter(const struct rulebook *rules, struct search_filter *f, struct err *e)
{
        const struct unit *unit = f->unit ? unit_find(rules->units, f->unit) : NULL;
        unit = unit || !f->unit ? unit : unit_by_name(rules->units, f->unit);
        if (f->unit && !unit)
                return err_both(e, ERR_INVALID, "unit", "there is no unit \"%.60s\"; see /api/v1/units",
                                "没有编码或名称为“%.60s”的单位，可查 /api/v1/units", f->unit);
        f->unit = unit ? unit->code : NULL;
        return true;
}

static bool area_filter(const struct rulebook *rules, const char *said, struct search_filter *f, struct err *e)
{
        const struct area *area = said ? area_find(rules->twin, said) : NULL;
        area = area || !said ? area : area_by_name(rules->twin, said, NULL);
        if (!said || (area && area->level == AREA_DISTRICT))
                return true;
        if (!area || area->level == AREA_DUTY)
                return err_both(e, ERR_INVALID, "area", "there is no area \"%.60s\" that cases lie in; see /api/v1/areas",
                                "没有编码或名称为“%.60s”的行政区域，可查 /api/v1/areas", said);
        if (area->level == AREA_SUBDISTRICT)
                f->subdistrict = area->code;
        else if (area->level == AREA_COMMUNITY)
                f->community = area->code;
        else
                f->grid = area->code;
        return true;
}

static bool after_filter(const struct request *rq, struct search_filter *f, struct err *e)
{
        const char *after = request_query(rq, "after");
        char **parts;
        if (!after)
                return true;
        const size_t n = text_split(rq->arena, after, '.', &parts);
        if (n == (f->rank ? 2u : 1u) && text_to_int(parts[n - 1], &f->after_id) && f->after_id > 0
            && (n == 1 || text_to_int(parts[0], &f->after_score)))
                return true;
        return err_both(e, ERR_INVALID, "after", "\"%.60s\" is not a place in this list; take it from \"next\" of the page before",
                        "“%.60s”不是此列表的位置，请使用上一页返回的 next", after);
}

static bool read_filter(const struct request *rq, const struct rulebook *rules, const struct asked *q, struct search_filter *f,
                        struct err *e)
{
        const char *area;
        *f = (struct search_filter){
                .rank = text_is(request_query(rq, "order"), "rank"),
                .limit = request_limit(rq, 20, 100),
                .from = request_instant(request_query(rq, "from"), 0),
                .to = request_instant(request_query(rq, "to"), 0),
        };
        f->sight = sight_of(rq, e);
        return f->sight && one_of(request_query(rq, "state"), q->state, "state", &f->state, e)
               && one_of(request_query(rq, "unit"), q->unit, "unit", &f->unit, e)
               && one_of(request_query(rq, "item"), q->item, "item", &f->item, e)
               && one_of(request_query(rq, "area"), q->area, "area", &area, e) && item_filter(rules, f, e)
               && unit_filter(rules, f, e) && area_filter(rules, area, f, e) && after_filter(rq, f, e);
}

/* --- answers ------------------------------------------------------------------------------------------------------------- */

static void hit_json(const struct request *rq, const struct hit *h, const struct asked *q, const struct search_filter *f,
                     const struct rulebook *rules, struct json *j)
{
        json_object(j, NULL);
        json_object(j, "case");
        case_members_json(&h->view, rules, j);
        json_object_end(j);
        if (f->rank)
                json_real(j, "score", (double)h->score / 1e6);
        matches_json(h->parts, q, rq->arena, j);
        json_object_end(j);
}

static bool get_search(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *district = rq->app;
        const struct rulebook *rules = district_rules(district, e);
        const struct fold *fold = rules ? district_fold(district, e) : NULL;
        struct asked *q = NEW(rq->arena, struct asked);
        struct search_filter f;
        struct search_page page;
        if (!fold || !asked_parse(fold, rq->arena, request_query(rq, "q"), q, e) || !read_filter(rq, rules, q, &f, e)
            || !search_find(district, rq->store, rq->arena, q, &f, &page, e))
                return false;
        struct json *j = &rp->json;
        json_object(j, NULL);
        json_array(j, "hits");
        for (size_t i = 0; i < page.n; i++)
                hit_json(rq, &page.at[i], q, &f, rules, j);
        json_array_end(j);
        json_bool(j, "complete", page.complete);
        if (page.more)
                json_text(j, "next",
                          f.rank ? arena_format(rq->arena, "%lld.%lld", (long long)page.after_score, (long long)page.after_id)
                                 : arena_format(rq->arena, "%lld", (long long)page.after_id));
        json_object_end(j);
        return true;
}

static bool get_suggest(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *district = rq->app;
        const struct rulebook *rules = district_rules(district, e);
        const struct fold *fold = rules ? district_fold(district, e) : NULL;
        struct suggestion found[SUGGEST_MOST];
        if (!fold)
                return false;
        const size_t n = suggest(fold, rq->arena, rules, request_query(rq, "q"), found);
        struct json *j = &rp->json;
        json_object(j, NULL);
        json_array(j, "suggestions");
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_text(j, "text", found[i].text);
                json_text(j, "kind", found[i].kind);
                json_text(j, "code", found[i].code);
                json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
        return true;
}

/* --- tables -------------------------------------------------------------------------------------------------------------- */

static const char *const orders[] = {"newest", "rank", NULL};
static const struct query_param search_query[] = {
        {.name = "q",
         .type = SHAPE_TEXT,
         .required = true,
         .least = 1,
         .most = 200,
         .about = "What to look for: words separated by blanks must all be there; \"a phrase\"; -word is left out; unit:, item:,"
                  " state:, area: narrow, by code or name."},
        {.name = "state", .type = SHAPE_TEXT, .most = 40, .about = "Only cases in this state."},
        {.name = "unit", .type = SHAPE_TEXT, .most = 60, .about = "Only cases this unit is in charge of."},
        {.name = "item", .type = SHAPE_TEXT, .most = 60, .about = "Only cases of this item (a leaf)."},
        {.name = "area", .type = SHAPE_TEXT, .most = 60, .about = "Only cases in this area (subdistrict, community or grid)."},
        {.name = "from", .type = SHAPE_TIME, .about = "Only cases recorded at this instant or later."},
        {.name = "to", .type = SHAPE_TIME, .about = "Only cases recorded before this instant."},
        {.name = "order",
         .type = SHAPE_TEXT,
         .choices = orders,
         .about = "newest (unsaid), or rank: best first, of the newest 1,000 that were found."},
        {.name = "after", .type = SHAPE_TEXT, .most = 60, .about = "\"next\" of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 100, .about = "Cases in a page; 20 when unsaid."},
        {0},
};
static const struct shape mark_element[] = {{.type = SHAPE_INT}, {0}};
static const struct shape mark[] = {
        {.type = SHAPE_ARRAY, .fields = mark_element, .about = "From this character up to before that one."}, {0}};
static const struct shape match_members[] = {
        {.name = "field", .type = SHAPE_TEXT, .required = true, .about = "title, text, address, item, note."},
        {.name = "text",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "Of a long text at most 120 characters; telephone and other personal numbers are stars."},
        {.name = "start", .type = SHAPE_INT, .required = true, .about = "The character of the whole text at which it begins."},
        {.name = "length", .type = SHAPE_INT, .required = true, .about = "Characters of the whole text."},
        {.name = "marks",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = mark,
         .about = "Where in `text` the words stand, in characters (code points)."},
        {0},
};
static const struct shape match_element[] = {{.type = SHAPE_OBJECT, .fields = match_members}, {0}};
static const struct shape hit_members[] = {
        {.name = "case", .type = SHAPE_OBJECT, .required = true, .fields = case_members_shape},
        {.name = "score", .type = SHAPE_REAL, .about = "With order=rank."},
        {.name = "matches", .type = SHAPE_ARRAY, .required = true, .fields = match_element},
        {0},
};
static const struct shape hit_element[] = {{.type = SHAPE_OBJECT, .fields = hit_members}, {0}};
static const struct shape search_answer[] = {
        {.name = "hits", .type = SHAPE_ARRAY, .required = true, .fields = hit_element},
        {.name = "complete",
         .type = SHAPE_BOOL,
         .required = true,
         .about = "false: not all cases are in the index yet, or there are more than could be ranked."},
        {.name = "next",
         .type = SHAPE_TEXT,
         .about = "Give it as \"after\" for the next page; absent on the last.  A page may hold fewer cases than asked for, even"
                  " none, and still have a next: it looks at a limited number of cases."},
        {0},
};
static const struct query_param suggest_query[] = {
        {.name = "q", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 40, .about = "What was typed so far."},
        {0},
};
static const struct shape suggestion_members[] = {
        {.name = "text", .type = SHAPE_TEXT, .required = true},
        {.name = "kind", .type = SHAPE_TEXT, .required = true, .about = "item, area, unit."},
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape suggestion_element[] = {{.type = SHAPE_OBJECT, .fields = suggestion_members}, {0}};
static const struct shape suggest_answer[] = {
        {.name = "suggestions", .type = SHAPE_ARRAY, .required = true, .fields = suggestion_element},
        {0},
};

static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/search",
         .roles = ROLE_STAFF,
         .run = get_search,
         .query = search_query,
         .answer = search_answer,
         .about = "Cases by what was written: title, report, notes, address, item, number.  Only what the caller may see."},
        {.method = "GET",
         .path = "/api/v1/search/suggest",
         .roles = ROLE_STAFF,
         .run = get_suggest,
         .query = suggest_query,
         .answer = suggest_answer,
         .about = "At most 10 names of items, areas and units that the text may be part of."},
        {0},
};

const struct route *const search_routes = routes;
