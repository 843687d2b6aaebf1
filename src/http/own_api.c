/* http/own_api.c -- the addresses every server has: /healthz, /readyz, /metrics, /api/openapi.json. */
#include "http/inside.h"

static struct server *server_of(const struct request *rq)
{
        return ((const struct exchange *)rq->inside)->server;
}

static bool get_health(struct request *rq, struct reply *rp, struct err *e)
{
        (void)rq, (void)e;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "status", "ok");
        json_object_end(&rp->json);
        return true;
}

static bool get_ready(struct request *rq, struct reply *rp, struct err *e)
{
        const struct server_options *o = &server_of(rq)->options;
        struct err why = {0};
        if (o->ready && !o->ready(o->app, &why))
                return err_set(e, ERR_BUSY, "%s", why.text);
        json_object(&rp->json, NULL);
        json_text(&rp->json, "status", "ready");
        json_object_end(&rp->json);
        return true;
}

static bool get_metrics(struct request *rq, struct reply *rp, struct err *e)
{
        struct server *s = server_of(rq);
        (void)e;
        rp->type = "text/plain; version=0.0.4; charset=utf-8";
        figures_write(s, &rp->body);
        if (s->options.metrics)
                s->options.metrics(s->options.app, &rp->body);
        return true;
}

static bool get_openapi(struct request *rq, struct reply *rp, struct err *e)
{
        const struct server *s = server_of(rq);
        (void)e;
        buf_add(&rp->body, s->openapi.at, s->openapi.length);
        rp->etag = s->openapi_etag;
        return true;
}

static const struct shape status_answer[] = {
        {.name = "status", .type = SHAPE_TEXT, .required = true, .about = "\"ok\" or \"ready\"."}, {0}};
static const struct route table[] = {
        {.method = "GET",
         .path = "/healthz",
         .roles = ROLE_ALL,
         .uncounted = true,
         .run = get_health,
         .answer = status_answer,
         .about = "The program is alive."},
        {.method = "GET",
         .path = "/readyz",
         .roles = ROLE_ALL,
         .uncounted = true,
         .run = get_ready,
         .answer = status_answer,
         .about = "The program can take reports: store, pack and calendar are there."},
        {.method = "GET",
         .path = "/metrics",
         .roles = ROLE_ALL,
         .uncounted = true,
         .run = get_metrics,
         .about = "Figures in Prometheus' text form."},
        {.method = "GET",
         .path = "/api/openapi.json",
         .roles = ROLE_ALL,
         .run = get_openapi,
         .about = "This interface, as OpenAPI 3.1."},
        {0},
};
const struct route *const server_routes = table;
