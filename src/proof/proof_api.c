/* proof/proof_api.c -- GET /api/v1/track/{code}/proof: what a citizen needs to see that the history of
 * his report is still the one it was.
 *
 * Who knows the code learns digests, moves and times; no text, no name, no unit.
 */
#include "http/http.h"
#include "proof/proof.h"
#include "district/district.h"
#include <stdlib.h>

enum { ROWS_MOST = 100 };

static int64_t number_of(const struct request *rq, const char *name)
{
        const char *text = request_query(rq, name);
        return text ? strtoll(text, NULL, 10) : 0;
}

static bool get_proof(struct request *rq, struct reply *rp, struct err *e)
{
        const struct proof_wanted want = {.track = request_param(rq, "code"),
                                          .after = number_of(rq, "after"),
                                          .since = number_of(rq, "since"),
                                          .most = ROWS_MOST};
        reply_header(rp, "Cache-Control", "no-store");
        return proof_json(rq->store, rq->arena, &want, &rp->json, e);
}

static const struct query_param query[] = {
        {.name = "after", .type = SHAPE_INT, .least = 0, .most = 1e15, .about = "rows behind this one"},
        {.name = "since",
         .type = SHAPE_INT,
         .least = 1,
         .most = 1e15,
         .about = "size of an earlier checkpoint: the answer proves that its tree is a part of the present one"},
        {0},
};
static const struct shape hash[] = {{.type = SHAPE_TEXT}, {0}};
static const struct shape row[] = {
        {.name = "row", .type = SHAPE_INT, .required = true},
        {.name = "move", .type = SHAPE_TEXT, .required = true},
        {.name = "at", .type = SHAPE_TIME, .required = true},
        {.name = "digest", .type = SHAPE_TEXT, .required = true},
        {.name = "leaf", .type = SHAPE_INT, .required = true, .nullable = true},
        {.name = "path", .type = SHAPE_ARRAY, .fields = hash},
        {0},
};
static const struct shape any_row[] = {{.type = SHAPE_OBJECT, .fields = row}, {0}};
static const struct shape answer[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true},
        {.name = "checkpoint", .type = SHAPE_TEXT, .required = true, .least = 1, .most = NOTE_MOST},
        {.name = "size", .type = SHAPE_INT, .required = true},
        {.name = "rows", .type = SHAPE_ARRAY, .required = true, .fields = any_row},
        {.name = "more", .type = SHAPE_BOOL, .required = true},
        {.name = "since", .type = SHAPE_INT},
        {.name = "growth", .type = SHAPE_ARRAY, .fields = hash},
        {0},
};

static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/track/{code}/proof",
         .roles = ROLE_ALL,
         .run = get_proof,
         .query = query,
         .answer = answer,
         .per_minute = 60,
         .about = "Proof that the history of a report stands in the signed ledger (doc/ledger.md), by its tracking code."},
        {0},
};

const struct route *const proof_routes = routes;
