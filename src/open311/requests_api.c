/* open311/requests_api.c -- GET requests and GET requests/{id}: one statement for all of a page, whatever is asked for. */
#include "open311/inside_api.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/workflow.h"
#include "catalogue/catalogue.h"
#include "people/people.h"
#include <math.h>

/* What is asked for. */
struct wish {
        struct request *rq;
        const struct rulebook *rules;
        const struct sight *sight;
        const char *const *numbers, *const *codes;
        size_t n_numbers, n_codes;
        bool open, closed; /* both or neither: any */
        int64_t from, to;
        bool paged, extended;
        int64_t page, size;
};

struct shown {
        int64_t id, version, received, updated, due;
        const char *number, *workflow, *state, *item, *unit, *address, *grid, *community, *subdistrict;
        bool has_point, seen;
        double lon, lat;
        const char *text, *media, *picture, *answer; /* hash; form of the move that told last */
};

/* --- the statement ------------------------------------------------------------------------------------------------------ */
/* The rows that are wanted come from the index cases_created alone; only of these is the rest read. */
static const char HEAD[] =
        "SELECT c.id, c.version, c.number, c.workflow, c.state, c.item, c.unit, c.address, c.grid, c.community, c.subdistrict,"
        " c.lon, c.lat, c.created_at, c.due, h.at, r.text, r.media,"
        " (SELECT m.hash FROM report_media m WHERE m.report_id = " CASE_REPORT " ORDER BY m.n LIMIT 1), ";
static const char FROM[] = " FROM (SELECT c.id, c.created_at FROM cases c WHERE ";
static const char REST[] = ") k JOIN cases c ON c.id = k.id JOIN history h ON h.subject = c.id AND h.seq = c.seq"
                           " LEFT JOIN report r ON r.id = " CASE_REPORT " ORDER BY k.created_at DESC, k.id DESC";

/* States of all workflows in which the standard takes a case for closed. */
static size_t closed_states(const struct wish *w, const char *const **out)
{
        const struct workflows *all = w->rules->workflows;
        size_t n = 0, room = 0;
        for (size_t i = 0; i < all->n; i++)
                room += all->at[i].n_states;
        const char **list = NEW_ARRAY(w->rq->arena, const char *, room + 1);
        for (size_t i = 0; i < all->n; i++)
                for (size_t k = 0; k < all->at[i].n_states; k++)
                        if (state_closes(&all->at[i].states[k]))
                                list[n++] = all->at[i].states[k].name;
        if (n == 0)
                list[n++] = "closed";
        *out = list;
        return n;
}

static void add_status(struct query *q, const struct wish *w)
{
        const char *const *states;
        if (w->open == w->closed)
                return;
        const size_t n = closed_states(w, &states);
        query_text(q, w->open ? " AND c.open = 1 AND c.state NOT IN " : " AND (c.open = 0 OR c.state IN ");
        query_texts(q, states, n);
        query_text(q, w->open ? "" : ")");
}

static void add_conditions(struct query *q, const struct wish *w)
{
        if (w->n_numbers > 0) {
                query_text(q, "c.number IN ");
                query_texts(q, w->numbers, w->n_numbers);
        } else {
                query_text(q, "c.created_at >= ");
                query_arg(q, V(w->from));
                query_text(q, " AND c.created_at <= ");
                query_arg(q, V(w->to));
                if (w->n_codes > 0) { /* as an expression, lest the planner leave the index of this order for that of items */
                        query_text(q, " AND c.item || '' IN ");
                        query_texts(q, w->codes, w->n_codes);
                }
                add_status(q, w);
        }
        query_text(q, " AND ");
        sight_visible(q, w->sight);
}

/* What the reporter was told last; nothing for who sees no case whole. */
static void add_answer(struct query *q, const struct wish *w)
{
        const struct workflows *all = w->rules->workflows;
        size_t n = 0, room = 1;
        for (size_t i = 0; i < all->n; i++)
                room += all->at[i].n_moves;
        const char **moves = NEW_ARRAY(w->rq->arena, const char *, room);
        for (size_t i = 0; i < all->n; i++)
                for (size_t k = 0; k < all->at[i].n_moves; k++)
                        if (move_tells(&all->at[i].moves[k]))
                                moves[n++] = all->at[i].moves[k].name;
        if (n == 0 || sight_none(w->sight)) {
                query_text(q, "NULL");
                return;
        }
        query_text(q, "(SELECT x.form FROM history x WHERE x.subject = c.id AND x.move IN ");
        query_texts(q, moves, n);
        query_text(q, " ORDER BY x.seq DESC LIMIT 1)");
}

static void write_query(struct query *q, const struct wish *w, int64_t limit, int64_t offset)
{
        query_text(q, HEAD);
        add_answer(q, w);
        query_text(q, ", CASE WHEN ");
        sight_seen(q, w->sight);
        query_text(q, " THEN 1 ELSE 0 END");
        query_text(q, FROM);
        add_conditions(q, w);
        query_text(q, " ORDER BY c.created_at DESC, c.id DESC LIMIT ");
        query_arg(q, V(limit));
        query_text(q, " OFFSET ");
        query_arg(q, V(offset));
        query_text(q, REST);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */
struct reading {
        const struct wish *wish;
        struct query query;
        struct shown *at;
        size_t n, room;
        struct attribute_row *attributes;
        size_t n_attributes, attributes_room;
};
struct attribute_row {
        int64_t report;
        const char *code, *value;
};

static void read_row(const struct rows *r, struct arena *a, struct shown *s)
{
        *s = (struct shown){
                .id = rows_int(r, 0),
                .version = rows_int(r, 1),
                .number = rows_text(r, a, 2),
                .workflow = rows_text(r, a, 3),
                .state = rows_text(r, a, 4),
                .item = rows_text(r, a, 5),
                .unit = rows_text(r, a, 6),
                .address = rows_text(r, a, 7),
                .grid = rows_text(r, a, 8),
                .community = rows_text(r, a, 9),
                .subdistrict = rows_text(r, a, 10),
                .has_point = !rows_null(r, 11),
                .lon = rows_real(r, 11),
                .lat = rows_real(r, 12),
                .received = rows_int(r, 13),
                .due = rows_int(r, 14),
                .updated = rows_int(r, 15),
                .seen = rows_int(r, 20) != 0,
        };
        if (!s->seen)
                return;
        s->text = rows_text(r, a, 16);
        s->media = rows_text(r, a, 17);
        s->picture = rows_text(r, a, 18);
        s->answer = rows_text(r, a, 19);
}

static bool read_attributes(struct tx *tx, struct reading *g, struct err *e)
{
        struct arena *a = g->wish->rq->arena;
        int64_t *ids = NEW_ARRAY(a, int64_t, g->n);
        size_t n = 0;
        struct rows r;
        for (size_t i = 0; i < g->n; i++)
                if (g->at[i].seen)
                        ids[n++] = g->at[i].id;
        g->n_attributes = 0;
        if (n == 0)
                return true;
        struct query q = query_new(a);
        query_text(&q, "SELECT report_id, code, value FROM report_attribute WHERE report_id IN ");
        query_ints(&q, ids, n);
        query_text(&q, " ORDER BY report_id, n");
        bool ok = tx_rows(tx, &r, e, q.text.at, query_args(&q));
        for (; ok && rows_next(&r); g->n_attributes++) {
                if (g->n_attributes == g->attributes_room) {
                        const size_t room = g->attributes_room ? 2 * g->attributes_room : 256;
                        struct attribute_row *more = NEW_ARRAY(a, struct attribute_row, room);
                        if (g->n_attributes)
                                memcpy(more, g->attributes, g->n_attributes * sizeof *more);
                        g->attributes = more;
                        g->attributes_room = room;
                }
                g->attributes[g->n_attributes] = (struct attribute_row){rows_int(&r, 0), rows_text(&r, a, 1), rows_text(&r, a, 2)};
        }
        ok = ok && rows_done(&r, e);
        buf_free(&q.text);
        return ok;
}

static bool read_rows(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *g = ctx;
        struct rows r;
        g->n = 0;
        if (!tx_rows(tx, &r, e, g->query.text.at, query_args(&g->query)))
                return false;
        while (g->n < g->room && rows_next(&r))
                read_row(&r, g->wish->rq->arena, &g->at[g->n++]);
        return rows_done(&r, e) && (!g->wish->extended || read_attributes(tx, g, e));
}

static bool read_page(const struct wish *w, struct reading *g, struct err *e)
{
        /* One more than a page shows whether there is another. */
        const int64_t limit = w->n_numbers ? (int64_t)w->n_numbers : w->paged ? w->size + 1 : ROWS_MOST;
        *g = (struct reading){.wish = w, .query = query_new(w->rq->arena), .room = (size_t)limit};
        g->at = NEW_ARRAY(w->rq->arena, struct shown, limit);
        write_query(&g->query, w, limit, w->paged && !w->n_numbers ? (w->page - 1) * w->size : 0);
        const bool ok = store_read(w->rq->store, read_rows, g, e);
        buf_free(&g->query.text);
        return ok;
}

/* --- writing -------------------------------------------------------------------------------------------------------------- */
static const char *status_notes(const struct reading *g, const struct shown *s, const struct state *state)
{
        struct err ignored;
        const char *said = NULL;
        if (s->answer) {
                const struct json_value *form = json_parse(g->wish->rq->arena, s->answer, strlen(s->answer), &ignored);
                said = json_get_text(form, "result", json_get_text(form, "reason", NULL));
        }
        if (!text_empty(said))
                return said;
        if (!state)
                return s->state;
        return wants_english(g->wish->rq) ? state->en : state->zh;
}

/* About eleven metres: enough for a map, not for a door. */
static double rounded(double degrees, bool exact)
{
        return exact ? degrees : round(degrees * 1e4) / 1e4;
}

static const char *area_of(const struct shown *s)
{
        return !text_empty(s->grid) ? s->grid : !text_empty(s->community) ? s->community : s->subdistrict;
}

static void extended(const struct reading *g, const struct shown *s, struct document *d)
{
        size_t i = 0, end = g->n_attributes;
        while (i < end) { /* the first row of this report */
                const size_t middle = i + (end - i) / 2;
                if (g->attributes[middle].report < s->id)
                        i = middle + 1;
                else
                        end = middle;
        }
        doc_object(d, "extended_attributes");
        doc_text(d, "number", s->number);
        doc_text(d, "state", s->state);
        doc_text(d, "unit", s->unit);
        doc_array(d, "attributes", "attribute");
        for (; i < g->n_attributes && g->attributes[i].report == s->id; i++) {
                doc_object(d, NULL);
                doc_text(d, "code", g->attributes[i].code);
                doc_text(d, "value", g->attributes[i].value);
                doc_object_end(d);
        }
        doc_array_end(d);
        doc_object_end(d);
}

/* What only who sees the report whole is told. */
static void place_write(const struct reading *g, const struct shown *s, struct document *d)
{
        const struct request *rq = g->wish->rq;
        doc_text(d, "address", s->seen && !text_empty(s->address) ? s->address : NULL);
        doc_text(d, "address_id", s->seen && !text_empty(area_of(s)) ? area_of(s) : NULL);
        doc_text(d, "zipcode", NULL);
        if (s->has_point) {
                doc_real(d, "lat", rounded(s->lat, s->seen));
                doc_real(d, "long", rounded(s->lon, s->seen));
        } else {
                doc_text(d, "lat", NULL);
                doc_text(d, "long", NULL);
        }
        doc_text(d, "media_url", s->picture ? picture_url(rq, s->picture) : media_url(rq, s->media));
}

static const char *in_words(const struct reading *g, const char *name, const char *name_en)
{
        return !text_empty(name_en) && wants_english(g->wish->rq) ? name_en : name;
}

static void request_write(const struct reading *g, const struct shown *s, const struct rulebook *rules, struct document *d)
{
        const struct workflow *w = workflow_find(rules->workflows, s->workflow);
        const struct state *state = w ? state_find(w, s->state) : NULL;
        const struct item *item = text_empty(s->item) ? NULL : item_find(rules->catalogue, s->item);
        const struct unit *unit = unit_find(rules->units, s->unit);
        doc_object(d, NULL);
        doc_text(d, "service_request_id", s->number);
        doc_text(d, "status", state && state_closes(state) ? "closed" : "open");
        doc_text(d, "status_notes", status_notes(g, s, state));
        doc_text(d, "service_name", item ? in_words(g, item->name, item->name_en) : NULL);
        doc_text(d, "service_code", item ? item->code : NULL);
        doc_text(d, "description", s->text);
        doc_text(d, "agency_responsible", unit ? in_words(g, unit->name, unit->name_en) : s->unit);
        doc_text(d, "service_notice", NULL);
        doc_time(d, "requested_datetime", s->received);
        doc_time(d, "updated_datetime", s->updated);
        doc_time(d, "expected_datetime", s->due);
        place_write(g, s, d);
        if (g->wish->extended)
                extended(g, s, d);
        doc_object_end(d);
}

static bool page_write(const struct reading *g, size_t n, struct reply *rp, struct err *e)
{
        const struct wish *w = g->wish;
        struct document d = answer_begin(w->rq, rp);
        const struct rulebook *rules = w->rules;
        doc_array(&d, "service_requests", "request");
        for (size_t i = 0; i < n; i++) {
                if (rules->version != g->at[i].version)
                        rules = district_rules_of(w->rq->app, g->at[i].version, e);
                if (!rules)
                        return false;
                request_write(g, &g->at[i], rules, &d);
        }
        doc_array_end(&d);
        return true;
}

/* --- parameters ----------------------------------------------------------------------------------------------------------- */
static void read_status(struct wish *w, struct faults *f)
{
        const char *const *words;
        const size_t n = list_given(f, "status", &words);
        for (size_t i = 0; i < n; i++) {
                w->open = w->open || text_is(words[i], "open");
                w->closed = w->closed || text_is(words[i], "closed");
                if (!text_is(words[i], "open") && !text_is(words[i], "closed"))
                        faults_add(f, 400, "status: \"%.40s\" must be open or closed", "status：“%.40s”须为 open 或 closed",
                                   words[i]);
        }
}

static void read_wish(struct wish *w, struct faults *f)
{
        check_jurisdiction(f);
        w->n_numbers = list_given(f, "service_request_id", &w->numbers);
        w->extended = text_is(request_query(f->rq, "extensions"), "true");
        if (w->n_numbers > 0)
                return; /* overrides all else */
        w->n_codes = list_given(f, "service_code", &w->codes);
        read_status(w, f);
        span_given(f, &w->from, &w->to);
        w->paged = request_query(f->rq, "page") || request_query(f->rq, "page_size");
        w->page = whole_given(f, "page", 1000000, 1);
        w->size = whole_given(f, "page_size", ROWS_MOST, 100);
}

/* --- the calls ------------------------------------------------------------------------------------------------------------- */
static void add_query(struct buf *b, const char *name, const char *value)
{
        buf_format(b, "&%s=", name);
        for (; *value; value++)
                if ((*value >= '0' && *value <= '9') || (*value >= 'A' && *value <= 'Z') || (*value >= 'a' && *value <= 'z'))
                        buf_byte(b, *value);
                else
                        buf_format(b, "%%%02X", (unsigned)(unsigned char)*value);
}

/* The same address with the next page. */
static const char *next_page(const struct wish *w)
{
        static const char *const kept[] = {"service_code", "start_date",      "end_date", "status",
                                           "extensions",   "jurisdiction_id", "lang"};
        struct buf b = BUF_LIMIT(1 << 16);
        char end[TIME_TEXT_SIZE];
        const char *path = w->rq->path;
        buf_format(&b, "<%s%.*s?page=%lld&page_size=%lld", public_url(w->rq), (int)strcspn(path, "?"), path, (long long)w->page + 1,
                   (long long)w->size);
        for (size_t i = 0; i < COUNT_OF(kept); i++)
                if (request_query(w->rq, kept[i]))
                        add_query(&b, kept[i], request_query(w->rq, kept[i]));
        if (!request_query(w->rq, "end_date")) /* what comes in meanwhile must not push rows from page to page */
                add_query(&b, "end_date", time_text(end, w->to, 0));
        buf_text(&b, ">; rel=\"next\"");
        const char *text = arena_copy(w->rq->arena, b.at, b.length);
        buf_free(&b);
        return text;
}

bool get_requests(struct request *rq, struct reply *rp, struct err *e)
{
        struct faults f = {.rq = rq};
        struct reading g;
        struct wish w = {.rq = rq, .rules = district_rules(rq->app, e)};
        if (!w.rules)
                return false;
        w.sight = sight_of(rq, e);
        read_wish(&w, &f);
        if (faults_answer(&f, rp))
                return true;
        if (!read_page(&w, &g, e))
                return false;
        const bool more = w.paged && !w.n_numbers && g.n > (size_t)w.size;
        if (more)
                reply_header(rp, "Link", next_page(&w));
        return page_write(&g, more ? (size_t)w.size : g.n, rp, e);
}

bool get_request(struct request *rq, struct reply *rp, struct err *e)
{
        struct faults f = {.rq = rq};
        const char *number = request_param(rq, "service_request_id");
        struct wish w = {.rq = rq, .rules = district_rules(rq->app, e), .numbers = &number, .n_numbers = 1};
        struct reading g;
        if (!w.rules)
                return false;
        w.sight = sight_of(rq, e);
        w.extended = text_is(request_query(rq, "extensions"), "true");
        check_jurisdiction(&f);
        if (faults_answer(&f, rp))
                return true;
        if (!read_page(&w, &g, e))
                return false;
        if (g.n > 0)
                return page_write(&g, 1, rp, e);
        faults_add(&f, 404, "service_request_id: there is no request \"%.60s\"", "service_request_id：没有“%.60s”这件诉求", number);
        return faults_answer(&f, rp);
}
