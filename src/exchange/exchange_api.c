/* exchange/exchange_api.c -- the routes of the exchange: what a peer calls, and what staff see of it; the only file here that knows
 * HTTP. */
#include "exchange/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/cases.h"
#include "district/district.h"
#include "http/http.h"
#include "sight/sight_api.h"
#include "store/store.h"

enum { LINKS_MOST = 500, LINKS_USUAL = 100 };

/* --- what a peer calls ------------------------------------------------------------------------------------------------------- */
/* The platform of the address, when the key is its own: one that reports for another channel is another's. */
static const struct peer *caller_of(const struct request *rq, struct err *e)
{
        struct district *d = rq->app;
        const struct rulebook *rules = district_rules(d, e);
        const struct peer *peer = rules ? peer_find(rules->peers, request_param(rq, "peer")) : NULL;
        if (!rules)
                return NULL;
        if (!peer) {
                (void)err_both(e, ERR_NOT_FOUND, NULL, "there is no platform \"%.40s\" in exchange/peers.csv of the pack",
                               "场景包 exchange/peers.csv 中没有平台“%.40s”", request_param(rq, "peer"));
                return NULL;
        }
        if (rq->actor.role == ROLE_CHANNEL && !text_is(rq->actor.channel, peer->channel)) {
                (void)err_both(e, ERR_DENIED, NULL, "this key is not that of the platform %s: it needs the channel %s",
                               "此密钥不属于平台%s：其渠道应为%s", peer->code, peer->channel);
                return NULL;
        }
        return peer;
}

static bool post_case(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        struct exchange_message m;
        struct taken taken;
        struct err ignored;
        const struct peer *peer = caller_of(rq, e);
        const struct peer_access *access = peer ? peer_access_find(d->exchange, peer->code) : NULL;
        if (!peer)
                return false;
        if (!access)
                return err_both(e, ERR_DENIED, NULL, "no secret is agreed on with %s: the setting exchange_peers does not name it",
                                "尚未与%s约定密钥：设置 exchange_peers 中没有该平台", peer->code);
        if (!exchange_signature_check(request_header(rq, "X-Yiwang-Signature"), access->secret, rq->raw, rq->now, e)
            || !exchange_message_read(rq->body, &m, e) || !exchange_take(d, rq->arena, peer, &m, rq->raw, rq->now, &taken, e))
                return false;
        rp->status = taken.created ? 201 : taken.held ? 202 : 200;
        json_copy(&rp->json, NULL, json_parse(rq->arena, taken.answer, strlen(taken.answer), &ignored));
        return true;
}

struct listing {
        struct request *rq;
        struct reply *rp;
        const struct peer *peer;
        const struct link_filter *filter;
        const struct sight *sight; /* whose lists these are; NULL: the peer's own */
};

/* What we know of each case both have; after: the case behind which the next page begins. */
static bool list_cases(struct tx *tx, void *ctx, struct err *e)
{
        const struct listing *g = ctx;
        struct json *j = &g->rp->json;
        struct link *links;
        size_t n;
        if (!links_page(tx, g->rq->arena, g->filter, &links, &n, e))
                return false;
        buf_clear(&g->rp->body); /* a transaction function may run again */
        *j = json_to(&g->rp->body);
        json_object(j, NULL);
        json_array(j, "cases");
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_text(j, "number", links[i].number);
                json_text(j, "peer_number", links[i].peer_number);
                json_text(j, "status", links[i].word);
                json_int(j, "revision", links[i].sent);
                json_int(j, "seen", links[i].received);
                json_bool(j, "conflict", text_is(links[i].state, LINK_CONFLICT));
                json_object_end(j);
        }
        json_array_end(j);
        json_int(j, "after", n == (size_t)g->filter->limit ? links[n - 1].case_id : 0);
        json_object_end(j);
        return true;
}

static bool get_cases(struct request *rq, struct reply *rp, struct err *e)
{
        const struct peer *peer = caller_of(rq, e);
        struct link_filter filter = {.limit = request_limit(rq, LINKS_USUAL, LINKS_MOST)};
        const char *after = request_query(rq, "after");
        if (!peer || (after && !text_to_int(after, &filter.after)))
                return false;
        filter.peer = peer->code;
        return store_read(rq->store, list_cases, &(struct listing){rq, rp, peer, &filter, NULL}, e);
}

/* The message of one case as it would be said now: what a platform fetches that lacks it. */
static bool show_case(struct tx *tx, void *ctx, struct err *e)
{
        const struct listing *g = ctx;
        const char *number = request_param(g->rq, "number");
        struct arena *a = g->rq->arena;
        struct link l;
        struct case_facts f;
        int found = link_by_ours(tx, a, g->peer->code, number, &l, e);
        found = found > 0 ? case_facts_read(tx, a, number, &f, e) : found;
        if (found < 0)
                return false;
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "case %s is not exchanged with %s", "案件%s未与%s交换", number,
                                g->peer->code);
        buf_clear(&g->rp->body);
        return tell_preview(&l, &f, &g->rp->body, e);
}

static bool get_case(struct request *rq, struct reply *rp, struct err *e)
{
        const struct peer *peer = caller_of(rq, e);
        return peer && store_read(rq->store, show_case, &(struct listing){rq, rp, peer, NULL, NULL}, e);
}

/* --- what staff see ---------------------------------------------------------------------------------------------------------- */
static void link_json(const struct link *l, struct arena *a, struct json *j)
{
        struct err ignored;
        json_object(j, NULL);
        json_text(j, "peer", l->peer);
        json_text(j, "number", l->number);
        json_text(j, "peer_number", l->peer_number);
        json_text(j, "direction", l->ours ? "out" : "in");
        json_text(j, "state", l->state);
        json_text(j, "status", l->word);
        json_text(j, "peer_status", l->received_word);
        json_int(j, "sent", l->sent);
        json_int(j, "acknowledged", l->acked);
        json_int(j, "received", l->received);
        json_text(j, "error", l->error);
        json_time(j, "changed", l->changed_at);
        if (l->held)
                json_copy(j, "held", json_parse(a, l->held, strlen(l->held), &ignored));
        else
                json_null(j, "held");
        json_object_end(j);
}

static bool part_json(struct tx *tx, struct arena *a, int64_t case_id, const struct sight *sight, struct json *j, struct err *e)
{
        (void)sight; /* who sees the case sees with whom it is shared */
        struct link *links;
        size_t n;
        if (!links_of_case(tx, a, case_id, &links, &n, e))
                return false;
        for (size_t i = 0; i < n; i++)
                link_json(&links[i], a, j);
        return true;
}
const struct case_part exchange_part = {.name = "exchange",
                                        .some = "EXISTS (SELECT 1 FROM exchange_link k WHERE k.case_id = $1)",
                                        .json = part_json};

static bool list_links(struct tx *tx, void *ctx, struct err *e)
{
        const struct listing *g = ctx;
        struct json *j = &g->rp->json;
        struct link *links;
        size_t n;
        if (!links_page(tx, g->rq->arena, g->filter, &links, &n, e))
                return false;
        buf_clear(&g->rp->body);
        *j = json_to(&g->rp->body);
        json_object(j, NULL);
        json_array(j, "links");
        for (size_t i = 0; i < n; i++) {
                bool seen;
                if (!sight_sees(tx, g->rq->arena, g->sight, links[i].case_id, &seen, e))
                        return false;
                if (seen)
                        link_json(&links[i], g->rq->arena, j);
        }
        json_array_end(j);
        if (g->filter->conflicts && n == (size_t)g->filter->limit)
                json_text(j, "after", arena_format(g->rq->arena, "%s:%lld", links[n - 1].peer, (long long)links[n - 1].case_id));
        else
                json_null(j, "after");
        json_object_end(j);
        return true;
}

static bool get_links(struct request *rq, struct reply *rp, struct err *e)
{
        const struct link_filter filter = {.number = request_query(rq, "number"), .limit = LINKS_USUAL};
        const struct sight *sight = sight_of(rq, e);
        return sight && store_read(rq->store, list_links, &(struct listing){rq, rp, NULL, &filter, sight}, e);
}

static bool get_conflicts(struct request *rq, struct reply *rp, struct err *e)
{
        struct link_filter filter = {.conflicts = true, .after_peer = "", .limit = request_limit(rq, LINKS_USUAL, LINKS_MOST)};
        const char *after = request_query(rq, "after"), *colon = after ? strrchr(after, ':') : NULL;
        if (after && (!colon || !text_to_int(colon + 1, &filter.after)))
                return err_both(e, ERR_INVALID, "after", "give the \"after\" of the page before", "请填写上一页返回的 after");
        if (colon)
                filter.after_peer = arena_copy(rq->arena, after, (size_t)(colon - after));
        const struct sight *sight = sight_of(rq, e);
        return sight && store_read(rq->store, list_links, &(struct listing){rq, rp, NULL, &filter, sight}, e);
}

static bool post_decision(struct request *rq, struct reply *rp, struct err *e)
{
        const struct decision decision = {.peer = request_param(rq, "peer"),
                                          .number = request_param(rq, "number"),
                                          .reason = json_get_text(rq->body, "reason", ""),
                                          .theirs = text_is(json_get_text(rq->body, "decision", ""), "theirs")};
        const struct sight *sight = sight_of(rq, e);
        const struct mover mover = {.name = rq->actor.name, .unit = rq->actor.unit, .role = (int)rq->actor.role, .sight = sight};
        const struct link_filter filter = {.number = decision.number, .limit = LINKS_USUAL};
        return sight && exchange_settle(rq->app, rq->arena, &decision, &mover, rq->now, e)
               && store_read(rq->store, list_links, &(struct listing){rq, rp, NULL, &filter, sight}, e);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------ */
static const struct shape listed_shape[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true, .about = "Of the platform that is asked."},
        {.name = "peer_number", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "Of the platform that asks."},
        {.name = "status", .type = SHAPE_TEXT, .required = true, .about = "The last one both were told of."},
        {.name = "revision", .type = SHAPE_INT, .required = true, .about = "The last one that was said."},
        {.name = "seen", .type = SHAPE_INT, .required = true, .about = "The asker's last one that was taken."},
        {.name = "conflict", .type = SHAPE_BOOL, .required = true},
        {0},
};
static const struct shape listed_element[] = {{.type = SHAPE_OBJECT, .fields = listed_shape}, {0}};
static const struct shape list_shape[] = {
        {.name = "cases", .type = SHAPE_ARRAY, .required = true, .fields = listed_element},
        {.name = "after", .type = SHAPE_INT, .required = true, .about = "For the next page; 0 = this is the last."},
        {0},
};
static const struct shape link_shape[] = {
        {.name = "peer", .type = SHAPE_TEXT, .required = true},
        {.name = "number", .type = SHAPE_TEXT, .required = true, .about = "Ours."},
        {.name = "peer_number", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "Theirs; null: not known yet."},
        {.name = "direction", .type = SHAPE_TEXT, .required = true, .about = "out: we sent it; in: it came from them."},
        {.name = "state", .type = SHAPE_TEXT, .required = true, .about = "open, conflict, settled."},
        {.name = "status", .type = SHAPE_TEXT, .required = true, .about = "The last one both were told of."},
        {.name = "peer_status", .type = SHAPE_TEXT, .required = true, .about = "Of their last message."},
        {.name = "sent", .type = SHAPE_INT, .required = true, .about = "Our last revision."},
        {.name = "acknowledged", .type = SHAPE_INT, .required = true, .about = "The last of ours that they took."},
        {.name = "received", .type = SHAPE_INT, .required = true, .about = "Their last revision."},
        {.name = "error", .type = SHAPE_TEXT, .required = true, .about = "What went wrong last; empty = nothing."},
        {.name = "changed", .type = SHAPE_TIME, .required = true},
        {.name = "held",
         .type = SHAPE_OBJECT,
         .required = true,
         .nullable = true,
         .fields = exchange_message_shape,
         .about = "Their message that waits for a decision."},
        {0},
};
static const struct shape link_element[] = {{.type = SHAPE_OBJECT, .fields = link_shape}, {0}};
static const struct shape links_shape[] = {
        {.name = "links", .type = SHAPE_ARRAY, .required = true, .fields = link_element},
        {.name = "after", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "For the next page; null = the last."},
        {0},
};
static const char *const decisions[] = {"ours", "theirs", NULL};
static const struct shape decision_shape[] = {
        {.name = "decision", .type = SHAPE_TEXT, .required = true, .choices = decisions, .about = "Whose status stands."},
        {.name = "reason", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 2000, .about = "Kept in the case's history."},
        {0},
};
static const struct query_param page_query[] = {
        {.name = "after", .type = SHAPE_INT, .least = 0, .most = 9e18, .about = "Of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = LINKS_MOST},
        {0},
};
static const struct query_param conflict_query[] = {
        {.name = "after", .type = SHAPE_TEXT, .about = "Of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = LINKS_MOST},
        {0},
};
static const struct query_param number_query[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 64, .about = "Theirs or ours."},
        {0},
};

static const struct route table[] = {
        {.method = "POST",
         .path = "/api/v1/exchange/{peer}/cases",
         .roles = ROLE_CHANNEL,
         .run = post_case,
         .body = exchange_message_shape,
         .answer = exchange_answer_shape,
         .about = "Another platform tells of a case: makes it here or changes it; signed (X-Yiwang-Signature); doc/exchange.md."},
        {.method = "GET",
         .path = "/api/v1/exchange/{peer}/cases",
         .roles = ROLE_CHANNEL | ROLE_ADMIN,
         .run = get_cases,
         .query = page_query,
         .answer = list_shape,
         .about = "The cases both have, for comparing."},
        {.method = "GET",
         .path = "/api/v1/exchange/{peer}/cases/{number}",
         .roles = ROLE_CHANNEL | ROLE_ADMIN,
         .run = get_case,
         .answer = exchange_message_shape,
         .about = "The last message of one case, with all that a platform needs which lacks it."},
        {.method = "GET",
         .path = "/api/v1/exchange/links",
         .roles = ROLE_STAFF & ~(unsigned)ROLE_UNIT,
         .run = get_links,
         .query = number_query,
         .answer = links_shape,
         .about = "Finds a case by the other platform's number, or ours."},
        {.method = "GET",
         .path = "/api/v1/exchange/conflicts",
         .roles = ROLE_STAFF & ~(unsigned)ROLE_UNIT,
         .run = get_conflicts,
         .query = conflict_query,
         .answer = links_shape,
         .about = "Cases that both platforms changed, or whose status cannot be followed; a person decides."},
        {.method = "POST",
         .path = "/api/v1/exchange/conflicts/{peer}/{number}",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = post_decision,
         .body = decision_shape,
         .answer = links_shape,
         .about = "Decides a conflict, with a reason that the case's history keeps."},
        {0},
};
const struct route *const exchange_routes = table;
