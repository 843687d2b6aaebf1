/* exchange/take.c -- what the other side tells of a case: filed through intake's own door, or followed by moves of the pack. */
#include "exchange/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/moves.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "intake/channels.h"
#include "intake/intake.h"
#include "store/store.h"
#include "task/task.h"
#include "twin/twin.h"

struct taking {
        struct work work;
        const struct status *status;
        const struct exchange_message *message;
        const char *body;
        const char *filed; /* number of the case just filed for it; NULL */
        bool again;        /* ... which had been filed before */
        bool hold;         /* the moves could not be taken: a person decides */
        struct err cause;  /* why */
        /* results */
        bool missing, stuck;
        struct taken *out;
};

/* --- answers ----------------------------------------------------------------------------------------------------------------- */
static const char *answer_text(const struct taking *t, const struct link *l, const char *result, const char *detail)
{
        struct buf b = BUF_LIMIT(16 << 10);
        struct json j = json_to(&b);
        exchange_answer_write(&(struct exchange_answer){result, l->number, l->word, detail, l->received}, &j);
        const char *text = arena_copy(t->work.arena, b.at, b.length);
        buf_free(&b);
        return text;
}

/* The link has heard this revision, and what it is answered. */
static void hear(const struct taking *t, struct link *l, const char *result, const char *detail)
{
        l->received = t->message->revision;
        l->received_word = t->message->status;
        l->changed_at = t->work.now;
        l->peer_number = t->message->number;
        l->answer = answer_text(t, l, result, detail);
        t->out->answer = l->answer;
}

static bool is_here(const struct peer *p, const struct case_facts *f)
{
        return text_is(f->unit, p->unit) || text_is(f->channel, p->channel);
}

/* --- following --------------------------------------------------------------------------------------------------------------- */
static const char *form_text(const struct taking *t)
{
        const struct exchange_message *m = t->message;
        struct buf b = BUF_LIMIT(256 << 10);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "peer", t->work.peer->code);
        json_text(&j, "peer_number", m->number);
        json_text(&j, "status", m->status);
        if (m->result)
                json_text(&j, "result", m->result);
        if (m->reason)
                json_text(&j, "reason", m->reason);
        if (m->note)
                json_text(&j, "note", m->note);
        json_object_end(&j);
        const char *text = arena_copy(t->work.arena, b.at, b.length);
        buf_free(&b);
        return text;
}

static bool stuck(struct taking *t, const struct case_facts *f, struct err *e)
{
        const char *word = peer_word(t->work.peer, "", f->state, false);
        if (t->status->n_moves == 0 || (word && text_is(word, t->status->word)))
                return true;
        t->stuck = true;
        return err_both(e, ERR_CONFLICT, "status", "case %s is in state %s, from where no move leads to the status \"%s\"",
                        "案件%s处于“%s”状态，无法转为“%s”", f->number, f->state, t->status->word);
}

/* Takes, in their order, the moves of the list that start where the case then is: so it catches up with several steps at once. */
static bool follow(struct taking *t, struct link *l, const struct case_facts *f, struct err *e)
{
        const struct work *w = &t->work;
        const char *form = form_text(t), *state = f->state;
        const struct mover mover = {.name = arena_format(w->arena, "peer:%s", w->peer->code),
                                    .unit = w->peer->unit,
                                    .role = w->peer->role};
        struct moving m = {.district = w->district, .arena = w->arena, .tx = w->tx, .mover = &mover, .now = w->now};
        const struct rulebook *rules = district_rules_of(w->district, f->version, e);
        const struct workflow *flow = rules ? workflow_find(rules->workflows, f->workflow) : NULL;
        bool any = false;
        m.form = json_parse(w->arena, form, strlen(form), e);
        if (!flow || !m.form)
                return err_set(e, ERR_FAULT, "the workflow of case %s is gone", f->number);
        l->told = f->seq;
        for (size_t i = 0; i < t->status->n_moves; i++) {
                const struct move *move = move_find(flow, t->status->moves[i]);
                if (!move || !move_starts_at(move, state))
                        continue;
                if (!case_move_within(&m, f->number, move->name, e)) {
                        t->stuck = e->kind == ERR_CONFLICT || e->kind == ERR_DENIED;
                        return false;
                }
                state = m.row.state;
                l->told = m.row.tip.seq;
                l->state = m.row.open ? LINK_OPEN : LINK_SETTLED;
                any = true;
        }
        return any || stuck(t, f, e);
}

static void agree(struct link *l, const struct case_facts *f)
{
        if (text_is(l->state, LINK_CONFLICT))
                l->state = f->open ? LINK_OPEN : LINK_SETTLED;
        l->held = NULL;
        l->error = "";
}

/* --- both changed it --------------------------------------------------------------------------------------------------------- */
static bool hold(struct taking *t, struct link *l, const struct err *why, struct err *e)
{
        l->state = LINK_CONFLICT;
        l->held = t->body;
        l->error = why ? why->text : "both sides changed the case";
        t->out->held = true;
        hear(t, l, "conflict", why ? why->text : "both sides changed the case; a person decides here");
        return link_save(t->work.tx, l, e);
}

/* Ours stands: said again, so that the other side follows. */
static bool keep_ours(struct taking *t, struct link *l, const struct case_facts *f, struct err *e)
{
        agree(l, f);
        l->insisted = true;
        hear(t, l, "kept", "both sides changed the case; by rule ours stands");
        return (text_empty(l->word) || tell_again(&t->work, l, f, l->word, false, e)) && link_save(t->work.tx, l, e);
}

static bool take_theirs(struct taking *t, struct link *l, const struct case_facts *f, bool both, struct err *e)
{
        agree(l, f);
        if (!follow(t, l, f, e))
                return false;
        l->insisted = both;
        l->word = t->message->status;
        hear(t, l, "updated", NULL);
        return (!both || tell_again(&t->work, l, f, l->word, false, e)) && link_save(t->work.tx, l, e);
}

static bool take_change(struct taking *t, struct link *l, const struct case_facts *f, bool fresh, struct err *e)
{
        if (!tell_news(&t->work, l, f, e))
                return false;
        const bool both = fresh || t->message->seen < l->sent;
        if (t->hold)
                return hold(t, l, &t->cause, e);
        if (text_is(l->word, t->message->status)) {
                agree(l, f);
                l->insisted = false;
                hear(t, l, "updated", NULL);
                return link_save(t->work.tx, l, e);
        }
        if (case_gone(&t->work, l, f) && !l->insisted)
                return keep_ours(t, l, f, e);
        if (!both)
                return take_theirs(t, l, f, false, e);
        if (l->insisted || t->status->rule == RULE_ASK)
                return hold(t, l, NULL, e);
        return t->status->rule == RULE_OURS ? keep_ours(t, l, f, e) : take_theirs(t, l, f, true, e);
}

/* --- one message ------------------------------------------------------------------------------------------------------------- */
/* Known already: 1; new: 0; another message under the same revision: -1. */
static int known(const struct taking *t, const struct link *l, struct err *e)
{
        const struct exchange_message *m = t->message;
        if (m->revision > l->received)
                return 0;
        if (m->revision < l->received) {
                t->out->answer = answer_text(t, l, "older", NULL);
                return 1;
        }
        t->out->answer = l->answer;
        if (text_is(m->status, l->received_word))
                return 1;
        (void)err_both(e, ERR_CONFLICT, "revision", "revision %lld of %s came before with the status \"%s\"; count on",
                       "第%lld版（对方编号%s）此前状态为“%s”，请递增 revision", (long long)m->revision, m->number,
                       l->received_word);
        return -1;
}

/* A case of theirs that is here without a link: just filed, or the link was lost. */
static bool link_anew(struct taking *t, const struct case_facts *f, struct link *l, struct err *e)
{
        const struct work *w = &t->work;
        const char *word = peer_word(w->peer, "", f->state, false);
        const bool first = t->message->seen == 0; /* they have never heard of us: nothing to differ about */
        *l = (struct link){.peer = w->peer->code,
                           .case_id = f->id,
                           .number = f->number,
                           .peer_number = t->message->number,
                           .ours = text_is(f->unit, w->peer->unit) && !text_is(f->channel, w->peer->channel),
                           .sent = t->message->seen,
                           .acked = t->message->seen,
                           .told = f->seq,
                           .word = first || !word ? t->message->status : word,
                           .received_word = "",
                           .answer = "",
                           .state = f->open ? LINK_OPEN : LINK_SETTLED,
                           .error = "",
                           .changed_at = w->now};
        if (!link_add(w->tx, l, e))
                return false;
        if (!first)
                return take_change(t, l, f, true, e);
        t->out->created = true;
        hear(t, l, "created", NULL);
        return (!word || text_is(word, l->word) || tell_again(w, l, f, word, false, e)) && link_save(w->tx, l, e);
}

static int find_link(struct taking *t, struct link *l, struct err *e)
{
        const struct work *w = &t->work;
        const struct exchange_message *m = t->message;
        int found = link_by_theirs(w->tx, w->arena, w->peer->code, m->number, l, e);
        if (found == 0 && m->peer_number)
                found = link_by_ours(w->tx, w->arena, w->peer->code, m->peer_number, l, e);
        if (found <= 0)
                return found;
        if ((l->peer_number && !text_is(l->peer_number, m->number)) || (m->peer_number && !text_is(l->number, m->peer_number))) {
                (void)err_both(e, ERR_CONFLICT, "number", "%s here belongs to %s there", "本平台%s对应对方%s", l->number,
                               l->peer_number ? l->peer_number : m->number);
                return -1;
        }
        return 1;
}

static bool take_once(struct tx *tx, void *ctx, struct err *e)
{
        struct taking *t = ctx;
        struct link l;
        struct case_facts f;
        const char *ours = t->filed ? t->filed : t->message->peer_number;
        t->work.tx = tx;
        t->missing = t->stuck = false;
        *t->out = (struct taken){0};
        const int linked = find_link(t, &l, e);
        if (linked < 0)
                return false;
        const int found = linked || ours ? case_facts_read(tx, t->work.arena, linked ? l.number : ours, &f, e) : 0;
        if (found < 0)
                return false;
        if (linked && !found)
                return err_set(e, ERR_FAULT, "case %s is gone", l.number);
        if (!linked) {
                t->missing = !found || !is_here(t->work.peer, &f);
                return t->missing || link_anew(t, &f, &l, e);
        }
        const int old = known(t, &l, e);
        return old == 0 ? take_change(t, &l, &f, false, e) : old > 0;
}

/* Moves that cannot be taken leave nothing behind; then, in a transaction of its own, the message is kept for a person. */
static bool take_it(struct taking *t, struct err *e)
{
        struct store *store = t->work.district->store;
        if (store_write(store, take_once, t, e))
                return true;
        if (!t->stuck)
                return false;
        t->cause = *e;
        t->hold = true;
        return store_write(store, take_once, t, e);
}

/* Codes of another platform that this one does not know are left out: a dispatcher decides then. */
static bool file(struct taking *t, struct err *e)
{
        const struct work *w = &t->work;
        const struct told_case *c = &t->message->told;
        struct receipt receipt;
        const struct report report = {
                .channel = w->peer->channel,
                .external_id = arena_format(w->arena, "%s:%s", w->peer->code, t->message->number),
                .source = text_empty(c->source) ? w->peer->name : c->source,
                .title = c->title,
                .text = c->text,
                .occurred = c->occurred,
                .has_point = c->has_point,
                .point = c->point,
                .address = c->address,
                .area_code = c->area && area_find(w->rules->twin, c->area) ? c->area : NULL,
                .item = c->item && item_find(w->rules->catalogue, c->item) ? c->item : NULL,
                .property = c->property && property_find(w->rules->channels, c->property) ? c->property : NULL,
                .urgent = c->urgent,
        };
        if (!w->peer->in)
                return err_both(e, ERR_NOT_FOUND, "number",
                                "there is no case %s of %s here, and exchange/peers.csv takes none from it",
                                "本平台没有编号为%s的案件（%s），且 exchange/peers.csv 规定不接收其案件", t->message->number,
                                w->peer->code);
        if (!t->message->has_case)
                return err_both(e, ERR_NOT_FOUND, "case", "there is no case %s here; send it whole, with \"case\"",
                                "本平台没有对方编号为%s的案件，请附 case 一并发送", t->message->number);
        if (!intake_accept(w->district, w->arena, &report, w->now, &receipt, e))
                return false;
        t->filed = receipt.number;
        t->again = receipt.again;
        return !receipt.waiting
               || err_both(e, ERR_BUSY, NULL, "the case is kept as %s and filed soon; send it again then",
                           "案件已保存为%s，稍后立案，请稍后重发", receipt.number);
}

bool exchange_take(struct district *d, struct arena *a, const struct peer *peer, const struct exchange_message *m, const char *body,
                   int64_t now, struct taken *out, struct err *e)
{
        struct taking t = {.work = {.district = d, .rules = district_rules(d, e), .peer = peer, .arena = a, .now = now},
                           .message = m,
                           .body = body,
                           .out = out};
        if (!t.work.rules)
                return false;
        t.status = peer_status(peer, m->status, e);
        if (!t.status || !take_it(&t, e) || (t.missing && (!file(&t, e) || !take_it(&t, e))))
                return false;
        if (t.missing)
                return err_set(e, ERR_FAULT, "the case %s was filed and is not there", t.filed);
        if (d->scheduler)
                scheduler_nudge(d->scheduler);
        return true;
}

/* --- a person decides -------------------------------------------------------------------------------------------------------- */
struct settling {
        struct taking taking;
        struct exchange_message held;
        const struct decision *decision;
        const struct mover *mover;
        struct taken ignored;
};

static bool remark(const struct settling *s, const struct link *l, struct err *e)
{
        const struct work *w = &s->taking.work;
        struct buf b = BUF_LIMIT(64 << 10);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "peer", l->peer);
        json_text(&j, "peer_number", l->peer_number);
        json_text(&j, "decision", s->decision->theirs ? "theirs" : "ours");
        json_text(&j, "ours", l->word);
        json_text(&j, "theirs", l->received_word);
        json_text(&j, "reason", s->decision->reason);
        json_object_end(&j);
        const char *text = arena_copy(w->arena, b.at, b.length);
        buf_free(&b);
        struct moving m = {.district = w->district, .arena = w->arena, .tx = w->tx, .mover = s->mover, .now = w->now};
        m.form = json_parse(w->arena, text, strlen(text), e);
        return m.form && case_remark_within(&m, l->number, "settle_exchange", e);
}

static bool read_held(struct settling *s, const struct link *l, struct err *e)
{
        struct taking *t = &s->taking;
        if (!exchange_message_parse(t->work.arena, l->held, strlen(l->held), &s->held, e))
                return err_set(e, ERR_FAULT, "the message kept of case %s cannot be read", l->number);
        t->message = &s->held;
        t->status = peer_status(t->work.peer, s->held.status, e);
        return t->status != NULL;
}

/* In both cases the other side hears it, so that a conflict it has noted too ends there. */
static bool settle_once(struct tx *tx, void *ctx, struct err *e)
{
        struct settling *s = ctx;
        struct taking *t = &s->taking;
        struct link l;
        struct case_facts f;
        t->work.tx = tx;
        const int found = link_by_ours(tx, t->work.arena, s->decision->peer, s->decision->number, &l, e);
        if (found < 0)
                return false;
        if (found == 0 || !l.held)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no conflict about case %s with %s", "案件%s与%s之间没有待决冲突",
                                s->decision->number, s->decision->peer);
        if (!remark(s, &l, e) || !read_held(s, &l, e) || case_facts_read(tx, t->work.arena, l.number, &f, e) != 1)
                return false;
        const int64_t sent = l.sent;
        agree(&l, &f);
        if (s->decision->theirs) {
                if (!follow(t, &l, &f, e))
                        return false;
                l.word = s->held.status;
        } else if (!tell_news(&t->work, &l, &f, e)) {
                return false;
        }
        l.insisted = false;
        if (l.sent == sent && !text_empty(l.word) && !tell_again(&t->work, &l, &f, l.word, false, e))
                return false;
        return link_save(tx, &l, e);
}

bool exchange_settle(struct district *d, struct arena *a, const struct decision *decision, const struct mover *mover, int64_t now,
                     struct err *e)
{
        struct settling s = {.decision = decision, .mover = mover};
        s.taking =
                (struct taking){.work = {.district = d, .rules = district_rules(d, e), .arena = a, .now = now}, .out = &s.ignored};
        if (!s.taking.work.rules)
                return false;
        s.taking.work.peer = peer_find(s.taking.work.rules->peers, decision->peer);
        if (!s.taking.work.peer)
                return err_both(e, ERR_NOT_FOUND, "peer", "there is no platform \"%.40s\" in exchange/peers.csv",
                                "exchange/peers.csv 中没有平台“%.40s”", decision->peer);
        if (!store_write(d->store, settle_once, &s, e))
                return false;
        if (d->scheduler)
                scheduler_nudge(d->scheduler);
        return true;
}
