/* exchange/reconcile.c -- both lists of what is exchanged are compared, a page at a time; nothing is held open while the peer
 * answers. */
#include "exchange/inside.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"
#include <stdlib.h>

enum { PAGE = 500 };

struct listed { /* a row of their list; texts live in the page's arena */
        const char *number, *peer_number, *status;
        int64_t revision, seen;
        bool conflict;
        struct link link; /* ours of the same case */
        bool linked;
        int64_t waits; /* our messages of it that are still on their way */
};
struct comparing {
        struct work work;
        const struct reconcile *how;
        struct caller *caller;
        struct reconcile_result *out;
        bool fix;
        struct listed *page;
        size_t n;
        int64_t *seen; /* cases that both have */
        size_t n_seen, room;
        int64_t started;
        struct link *links; /* a page of ours */
        size_t n_links;
        int64_t after;
};

/* --- asking ------------------------------------------------------------------------------------------------------------------ */
static const struct json_value *ask(struct comparing *c, const char *path, struct err *e)
{
        struct buf answer = BUF_LIMIT(CALL_ANSWER_MOST);
        long status;
        const struct json_value *v = NULL;
        if (caller_ask(c->caller, path, NULL, c->work.now, &status, &answer, e)) {
                if (status == 200)
                        v = json_parse(c->work.arena, answer.at ? answer.at : "", answer.length, e);
                else
                        (void)err_both(e, ERR_BUSY, NULL, "%s answers %s with status %ld", "%s对 %s 的回复状态为 %ld",
                                       c->work.peer->code, path, status);
        }
        buf_free(&answer);
        return v;
}

static bool read_page(struct comparing *c, struct err *e)
{
        const struct json_value *v =
                ask(c, arena_format(c->work.arena, "/cases?limit=%d&after=%lld", PAGE, (long long)c->after), e);
        if (!v)
                return false;
        c->page = NEW_ARRAY(c->work.arena, struct listed, PAGE);
        c->n = 0;
        for (const struct json_value *x = json_first(json_get(v, "cases")); x && c->n < PAGE; x = json_next(x))
                c->page[c->n++] = (struct listed){.number = json_get_text(x, "number", ""),
                                                  .peer_number = json_get_text(x, "peer_number", NULL),
                                                  .status = json_get_text(x, "status", ""),
                                                  .revision = json_get_int(x, "revision", 0),
                                                  .seen = json_get_int(x, "seen", 0),
                                                  .conflict = json_get_bool(x, "conflict", false)};
        const int64_t next = json_get_int(v, "after", 0);
        if (next != 0 && next <= c->after)
                return err_both(e, ERR_INVALID, "after", "the list of %s does not go on", "%s的清单分页有误", c->work.peer->code);
        c->after = next;
        return true;
}

static bool find_ours(struct tx *tx, void *ctx, struct err *e)
{
        struct comparing *c = ctx;
        for (size_t i = 0; i < c->n; i++) {
                struct listed *x = &c->page[i];
                int found = link_by_theirs(tx, c->work.arena, c->work.peer->code, x->number, &x->link, e);
                if (found == 0 && x->peer_number)
                        found = link_by_ours(tx, c->work.arena, c->work.peer->code, x->peer_number, &x->link, e);
                if (found < 0)
                        return false;
                x->linked = found == 1;
                if (x->linked && !queue_waits(tx, c->work.peer->code, x->link.case_id, &x->waits, e))
                        return false;
        }
        return true;
}

/* --- mending ----------------------------------------------------------------------------------------------------------------- */
struct saying {
        struct comparing *c;
        const struct link *link;
        int64_t seen; /* our revision they have; more than we know of after a restore */
};

static bool say_again(struct tx *tx, void *ctx, struct err *e)
{
        const struct saying *s = ctx;
        struct work w = s->c->work;
        struct link l;
        struct case_facts f;
        w.tx = tx;
        const int found = link_by_ours(tx, w.arena, w.peer->code, s->link->number, &l, e);
        if (found <= 0)
                return found == 0;
        if (case_facts_read(tx, w.arena, l.number, &f, e) != 1)
                return false;
        l.sent = s->seen > l.sent ? s->seen : l.sent;
        return text_empty(l.word) || (tell_again(&w, &l, &f, l.word, true, e) && link_save(tx, &l, e));
}

static bool tell(struct comparing *c, const struct link *l, int64_t seen, struct err *e)
{
        return store_write(c->work.district->store, say_again, &(struct saying){c, l, seen}, e);
}

static bool pull(struct comparing *c, const char *number, struct err *e)
{
        struct buf path = BUF_LIMIT(512), body = BUF_LIMIT(CALL_ANSWER_MOST);
        struct json j = json_to(&body);
        struct exchange_message m;
        struct taken taken;
        buf_text(&path, "/cases/");
        for (const char *p = number; *p; p++)
                buf_format(&path, "%%%02X", (unsigned char)*p);
        const struct json_value *v = ask(c, path.at, e);
        bool ok = v && shape_check(v, exchange_message_shape, e) && exchange_message_read(v, &m, e);
        if (ok) {
                json_copy(&j, NULL, v);
                ok = exchange_take(c->work.district, c->work.arena, c->work.peer, &m,
                                   arena_copy(c->work.arena, body.at, body.length), c->work.now, &taken, e);
        }
        buf_free(&path);
        buf_free(&body);
        return ok;
}

/* What cannot be mended is told with its cause and does not keep the others from being mended. */
static void tell_of(struct comparing *c, const struct difference *d, bool mended, const struct err *why)
{
        struct difference told = *d;
        told.error = mended || !c->fix ? NULL : why;
        c->out->differences++;
        c->how->found(c->how->ctx, &told);
}

/* --- comparing --------------------------------------------------------------------------------------------------------------- */
static void note_seen(struct comparing *c, int64_t case_id)
{
        if (c->n_seen == c->room) {
                c->room = c->room ? 2 * c->room : PAGE;
                int64_t *more = realloc(c->seen, c->room * sizeof *more);
                if (!more)
                        abort(); /* out of memory */
                c->seen = more;
        }
        c->seen[c->n_seen++] = case_id;
}

static int by_id(const void *x, const void *y)
{
        const int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
        return (a > b) - (a < b);
}

/* What they said last, when we have not heard it; what we said last, when they have not; where both have heard all and still differ
 * the rule says whether ours stands. */
static bool mend(struct comparing *c, const struct listed *x, struct err *e)
{
        const struct link *l = &x->link;
        const struct status *s;
        if (x->conflict || text_is(l->state, LINK_CONFLICT))
                return err_both(e, ERR_CONFLICT, NULL, "a person must decide the conflict", "冲突待人工裁定");
        if (x->revision > l->received)
                return pull(c, x->number, e);
        if (x->revision < l->received)
                return err_both(e, ERR_CONFLICT, NULL, "they have lost their count: run their reconcile",
                                "对方版本号落后，请在对方运行核对");
        if (x->seen != l->sent)
                return tell(c, l, x->seen, e);
        s = peer_status(c->work.peer, x->status, e);
        if (!s)
                return false;
        return s->rule == RULE_OURS ? tell(c, l, x->seen, e)
                                    : err_both(e, ERR_CONFLICT, NULL, "by rule ours does not stand: run their reconcile",
                                               "按规则应以对方为准，请在对方运行核对");
}

static void compare(struct comparing *c, const struct listed *x)
{
        const struct link *l = &x->link;
        struct difference d = {DIFFERENT, l->number, x->number, l->word, x->status, NULL};
        struct err why;
        if (!x->linked) {
                d = (struct difference){MISSING_HERE, x->peer_number ? x->peer_number : "", x->number, "", x->status, NULL};
                tell_of(c, &d, c->fix && pull(c, x->number, &why), &why);
                return;
        }
        note_seen(c, l->case_id);
        if (x->waits == 0 && !(text_is(x->status, l->word) && x->revision == l->received && x->seen == l->sent))
                tell_of(c, &d, c->fix && mend(c, x, &why), &why);
}

static bool their_list(struct comparing *c, struct err *e)
{
        do {
                arena_reset(c->work.arena);
                if (!read_page(c, e) || !store_read(c->work.district->store, find_ours, c, e))
                        return false;
                for (size_t i = 0; i < c->n; i++)
                        compare(c, &c->page[i]);
                c->out->compared += (int64_t)c->n;
                c->how->progress(c->how->ctx, c->out->compared);
        } while (c->after > 0);
        return true;
}

static bool read_ours(struct tx *tx, void *ctx, struct err *e)
{
        struct comparing *c = ctx;
        const struct link_filter filter = {.peer = c->work.peer->code, .after = c->after, .limit = PAGE};
        return links_page(tx, c->work.arena, &filter, &c->links, &c->n_links, e);
}

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct comparing *c = ctx;
        return queue_waits(tx, c->work.peer->code, c->links[0].case_id, &c->page[0].waits, e);
}

/* A link made while we compared is none that is missing, nor one whose message is on its way. */
static bool missing_there(struct comparing *c, const struct link *l, struct err *e)
{
        struct difference d = {MISSING_THERE, l->number, l->peer_number ? l->peer_number : "", l->word, "", NULL};
        struct listed waiting = {0};
        struct comparing one = *c;
        struct err why;
        if ((c->n_seen > 0 && bsearch(&l->case_id, c->seen, c->n_seen, sizeof *c->seen, by_id)) || l->changed_at >= c->started)
                return true;
        one.links = NEW(c->work.arena, struct link);
        one.links[0] = *l;
        one.page = &waiting;
        if (!store_read(c->work.district->store, look, &one, e))
                return false;
        if (waiting.waits == 0)
                tell_of(c, &d, c->fix && tell(c, l, 0, &why), &why);
        return true;
}

static bool our_list(struct comparing *c, struct err *e)
{
        if (c->n_seen > 0)
                qsort(c->seen, c->n_seen, sizeof *c->seen, by_id);
        c->after = 0;
        do {
                arena_reset(c->work.arena);
                if (!store_read(c->work.district->store, read_ours, c, e))
                        return false;
                for (size_t i = 0; i < c->n_links; i++)
                        if (!missing_there(c, &c->links[i], e))
                                return false;
                c->after = c->n_links ? c->links[c->n_links - 1].case_id : 0;
        } while (c->n_links == PAGE);
        return true;
}

/* Both lists, once. */
static bool pass(struct comparing *c, bool fix, struct err *e)
{
        *c->out = (struct reconcile_result){0};
        c->fix = fix;
        c->after = 0;
        c->n_seen = 0;
        c->started = c->work.now = clock_now();
        return their_list(c, e) && our_list(c, e);
}

bool exchange_reconcile(struct district *d, const struct reconcile *how, struct reconcile_result *out, struct err *e)
{
        const struct rulebook *rules = district_rules(d, e);
        const struct peer *peer = rules ? peer_find(rules->peers, how->peer) : NULL;
        const struct peer_access *access = peer_access_find(d->exchange, how->peer);
        if (!rules)
                return false;
        if (!peer)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no platform \"%.40s\" in exchange/peers.csv of the pack",
                                "场景包 exchange/peers.csv 中没有平台“%.40s”", how->peer);
        if (!access)
                return err_both(e, ERR_INVALID, NULL, "the setting exchange_peers does not name \"%.40s\"",
                                "设置 exchange_peers 中没有“%.40s”", how->peer);
        struct comparing c = {.work = {.district = d, .rules = rules, .peer = peer, .arena = arena_new()}, .how = how, .out = out};
        c.caller = caller_new(d->exchange, access);
        bool ok = pass(&c, how->fix, e);
        if (ok && how->fix && out->differences > 0) {
                const struct timer now = {.kind = exchange_send_timer.name, .key = how->peer, .payload = NULL};
                const int64_t found = out->differences;
                ok = exchange_send_timer.run(d, &now, clock_now(), e) && pass(&c, false, e);
                out->mended = found - out->differences;
        }
        caller_free(&c.caller);
        free(c.seen);
        arena_free(&c.work.arena);
        return ok;
}
