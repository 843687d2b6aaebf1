/* server/fuzz_request_api.c -- whole requests against a small district: "METHOD ADDRESS", a line end, and the body.
 *
 * Whatever comes, a handler answers with JSON or refuses with a sentence; a request that the program itself must answer for
 * (ERR_FAULT) is a find.  The caller is an administrator, so that every list with its query and its place ("after") is reached;
 * with forms he is a channel's key, as only that may send them.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "cases/cases.h"
#include "catalogue/catalogue.h"
#include "district/testing.h"
#include "form/form.h"
#include "http/inside.h"
#include "intake/channels.h"
#include "intake/intake.h"
#include "media/media.h"
#include "open311/open311.h"
#include "pack/pack.h"
#include "people/people.h"
#include "routing/routing.h"
#include "server/serve.h"
#include "store/store.h"
#include "twin/twin.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { REPORTS = 60 };
static struct district district;
static struct server server;

static bool identify(struct request *rq, struct err *e)
{
        const bool form = rq->route && rq->route->form_body;
        rq->actor = form ? (struct actor){.role = ROLE_CHANNEL, .name = "key", .channel = "open311"}
                         : (struct actor){.role = ROLE_ADMIN, .account = 1, .name = "admin"};
        return rq->arena != NULL || err_set(e, ERR_FAULT, "a request without an arena");
}

/* Cases enough for pages that are not the last. */
static bool fill(void)
{
        struct err e;
        for (int i = 0; i < REPORTS; i++) {
                struct arena *a = arena_new();
                struct receipt receipt;
                const struct report r = {.channel = "hotline",
                                         .external_id = arena_format(a, "%d", i),
                                         .text = "a lamp is out",
                                         .item = i % 2 ? "010101" : NULL,
                                         .area_code = "990101001"};
                const bool ok = intake_accept(&district, a, &r, clock_now(), &receipt, &e);
                arena_free(&a);
                if (!ok)
                        return false;
        }
        return true;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        static const struct pack_part *const parts[] = {&people_pack,  &calendar_pack, &catalogue_pack, &twin_pack,
                                                        &routing_pack, &cases_pack,    &intake_pack,    NULL};
        static const struct rulebook_readers readers = {.workflows = workflows_load, .channels = channels_load};
        static const struct route *tables[9];
        (void)argc, (void)argv;
        log_least(LOG_ERROR + 1);
        if (!test_district_open(&district, false, parts, &readers, TEST_PACK) || !fill())
                return 1;
        server.options = (struct server_options){.store = district.store, .app = &district, .identify = identify};
        server.arena = arena_new();
        tables[0] = intake_routes;
        tables[1] = cases_routes;
        tables[2] = events_routes;
        tables[3] = people_routes;
        tables[4] = catalogue_routes;
        tables[5] = twin_routes;
        tables[6] = open311_routes;
        tables[7] = media_routes;
        server.routes = routes_compile(server.arena, tables, NULL);
        return 0;
}

static void well_formed(struct arena *a, const struct buf *body)
{
        struct err e;
        const struct json_value *v = body->length ? json_parse(a, body->at, body->length, &e) : NULL;
        if (body->overflow || (body->length && !v)) {
                fprintf(stderr, "the answer is no JSON: %s\n%s\n", e.text, body->at);
                abort();
        }
}

static void refused(const struct err *e)
{
        if (e->kind != ERR_NONE && e->kind != ERR_FAULT && e->text[0] && e->zh[0])
                return;
        fprintf(stderr, "refused with kind %d: \"%s\" \"%s\"\n", (int)e->kind, e->text, e->zh);
        abort();
}

static void listen_once(const struct reply *rp)
{
        struct buf out = BUF_LIMIT((size_t)64 << 20);
        struct err e = {0};
        const bool ok = rp->stream->next(rp->stream_ctx, &out, &e);
        assert(ok);
        rp->stream->close(rp->stream_ctx);
        buf_free(&out);
}

/* The type of the body stands in a header, which a connection would have: the rest of what exchange_check() asks of a body. */
static bool check_body(struct exchange *x, struct err *e)
{
        if (!x->body.length)
                return err_both(e, ERR_INVALID, NULL, "no body", "缺少正文");
        if (x->rq.route->form_body) {
                struct form *form = NEW(x->arena, struct form);
                x->rq.form = form;
                return form_parse(x->arena, "application/x-www-form-urlencoded", x->body.at, x->body.length, form, e)
                       && identify(&x->rq, e);
        }
        x->rq.body = json_parse(x->arena, x->body.at, x->body.length, e);
        return x->rq.body && identify(&x->rq, e) && shape_check(x->rq.body, x->rq.route->body, e);
}

static void answer(struct exchange *x)
{
        struct err e = {0};
        int status = 0;
        const bool good = x->rq.route->body ? check_body(x, &e) : exchange_check(x, &status, &e);
        if (!good || !x->rq.route->run(&x->rq, &x->rp, &e))
                refused(&e);
        else if (x->rp.stream)
                listen_once(&x->rp);
        else if (!x->rp.type)
                well_formed(x->arena, &x->rp.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        char *text = arena_copy(a, bytes, n), *line_end = strchr(text, '\n'), *space = strchr(text, ' ');
        struct exchange *x = NEW(a, struct exchange);
        char allow[64];
        if (line_end)
                *line_end = '\0';
        if (space && (!line_end || space < line_end)) {
                *space = '\0';
                *x = (struct exchange){.server = &server, .arena = a, .body = BUF_LIMIT(64 << 10)};
                x->rp = (struct reply){.body = BUF_LIMIT((size_t)64 << 20), .inside = x};
                x->rp.json = json_to(&x->rp.body);
                x->rq = (struct request){.arena = a,
                                         .app = &district,
                                         .now = clock_now(),
                                         .inside = x,
                                         .id = "1",
                                         .language = "en",
                                         .address = "192.0.2.1",
                                         .method = text,
                                         .path = space + 1};
                x->rq.store = text_is(text, "GET") ? store_readonly(district.store) : district.store;
                if (uri_parse(a, space + 1, &x->uri, &x->uri_fault))
                        x->compiled = routes_find(&server.routes, text, &x->uri, allow);
                if (line_end)
                        buf_add(&x->body, line_end + 1, n - (size_t)(line_end + 1 - text));
                /* What hashes passwords would take all the time. */
                if (x->compiled && !x->compiled->route->slow && !x->body.overflow) {
                        x->rq.route = x->compiled->route;
                        answer(x);
                }
                buf_free(&x->body);
                buf_free(&x->rp.body);
        }
        arena_free(&a);
        return 0;
}
