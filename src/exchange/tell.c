/* exchange/tell.c -- what the other side is told: from the case's history to messages. */
#include "exchange/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "district/district.h"
#include "ledger/ledger.h"
#include "store/store.h"
#include "task/task.h"

static const char SQL_FACTS[] =
        "SELECT c.id, c.number, c.state, c.workflow, c.unit, c.channel, c.seq, c.version, c.open, c.title, c.property, c.item,"
        " c.address, c.source, c.urgent, c.occurred_at, c.lon, c.lat, c.subdistrict, c.community, c.grid,"
        " r.text, r.external_id FROM cases c"
        " LEFT JOIN report r ON r.id = CASE WHEN c.report <> 0 THEN c.report ELSE c.id END WHERE c.number = $1";
static const char SQL_CONCERNED[] =
        "SELECT c.unit, (SELECT COUNT(*) FROM exchange_link l WHERE l.case_id = c.id) FROM cases c WHERE c.number = $1";

enum { MESSAGE_MOST = 256 << 10, TITLE_MOST = 200, TEXT_MOST = 10000 };

static const char *smallest(const struct rows *r, struct arena *a, int from)
{
        const char *area = "";
        for (int i = from; i < from + 3; i++) { /* subdistrict, community, grid */
                const char *code = rows_text(r, a, i);
                area = text_empty(code) ? area : code;
        }
        return area;
}

int case_facts_read(struct tx *tx, struct arena *a, const char *number, struct case_facts *f, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_FACTS, ARGS(V(number)));
        if (found <= 0)
                return found;
        *f = (struct case_facts){
                .id = rows_int(&r, 0),
                .number = rows_text(&r, a, 1),
                .state = rows_text(&r, a, 2),
                .workflow = rows_text(&r, a, 3),
                .unit = rows_text(&r, a, 4),
                .channel = rows_text(&r, a, 5),
                .seq = rows_int(&r, 6),
                .version = rows_int(&r, 7),
                .open = rows_int(&r, 8) != 0,
                .area = smallest(&r, a, 18),
                .external_id = rows_text(&r, a, 22),
        };
        f->told = (struct told_case){
                .title = rows_text(&r, a, 9),
                .property = rows_text(&r, a, 10),
                .item = rows_text(&r, a, 11),
                .address = rows_text(&r, a, 12),
                .source = rows_text(&r, a, 13),
                .urgent = rows_int(&r, 14) != 0,
                .occurred = rows_int(&r, 15),
                .has_point = !rows_null(&r, 16) && !rows_null(&r, 17),
                .point = {rows_real(&r, 16), rows_real(&r, 17)},
                .area = f->area,
                .text = rows_text(&r, a, 21),
        };
        if (text_empty(f->told.text))
                f->told.text = f->told.title;
        return rows_done(&r, e) ? 1 : -1;
}

bool case_gone(const struct work *w, const struct link *l, const struct case_facts *f)
{
        return l->ours && !text_is(f->unit, w->peer->unit);
}

/* --- one message ------------------------------------------------------------------------------------------------------------- */
static void compose(const struct link *l, const struct case_facts *f, struct exchange_message *m, bool whole, struct buf *out)
{
        struct json j = json_to(out);
        m->number = l->number;
        m->peer_number = l->peer_number;
        m->revision = l->sent;
        m->seen = l->received;
        m->has_case = whole || !l->peer_number;
        m->told = f->told;
        exchange_message_write(m, &j);
}

static bool put(const struct work *w, struct link *l, const struct case_facts *f, struct exchange_message *m, bool whole,
                struct err *e)
{
        struct buf body = BUF_LIMIT(MESSAGE_MOST);
        l->sent++;
        l->word = m->status;
        l->changed_at = w->now;
        compose(l, f, m, whole, &body);
        const bool ok = body.overflow ? err_set(e, ERR_FAULT, "the message of case %s is too long", l->number)
                                      : queue_put(w->tx, id_new(w->district->ids, w->now), l, body.at, w->now, e);
        buf_free(&body);
        return ok;
}

bool tell_again(const struct work *w, struct link *l, const struct case_facts *f, const char *word, bool whole, struct err *e)
{
        return put(w, l, f, &(struct exchange_message){.status = word, .at = w->now}, whole, e);
}

bool tell_preview(const struct link *l, const struct case_facts *f, struct buf *out, struct err *e)
{
        struct exchange_message m = {.status = l->word, .at = l->changed_at};
        compose(l, f, &m, true, out);
        return !out->overflow || err_set(e, ERR_FAULT, "the message of case %s is too long", l->number);
}

/* --- news -------------------------------------------------------------------------------------------------------------------- */
/* What a row's form says.  What was done is told with every later status too: whoever answers and closes needs it. */
static void read_form(struct arena *a, const struct ledger_entry *entry, struct exchange_message *m)
{
        struct err ignored;
        const struct json_value *form = json_parse(a, entry->form, strlen(entry->form), &ignored);
        m->result = json_get_text(form, "result", m->result);
        m->reason = json_get_text(form, "reason", NULL);
        m->note = json_get_text(form, "note", NULL);
        m->at = entry->at;
}

bool tell_news(const struct work *w, struct link *l, const struct case_facts *f, struct err *e)
{
        struct exchange_message m = {0};
        struct ledger_row *rows;
        size_t n;
        const bool gone = case_gone(w, l, f);
        if (text_is(l->state, LINK_CONFLICT) || l->told >= f->seq)
                return true;
        if (!ledger_rows(w->tx, w->arena, f->id, &rows, &n, e))
                return false;
        for (size_t i = 0; i < n; i++) {
                const struct ledger_entry *entry = &rows[i].entry;
                read_form(w->arena, entry, &m);
                if (rows[i].seq <= l->told)
                        continue;
                const char *word = peer_word(w->peer, entry->move, entry->dest, gone);
                l->told = rows[i].seq;
                m.status = word;
                if (word && !text_is(word, l->word) && !put(w, l, f, &m, false, e))
                        return false;
        }
        l->state = f->open && !gone ? LINK_OPEN : LINK_SETTLED;
        return true;
}

/* A case that is with the peer's unit for the first time, in a state there is a word for. */
static bool begin(const struct work *w, const struct case_facts *f, struct err *e)
{
        const struct case_kind kind = {f->told.item, f->area, f->told.property, f->channel};
        struct ledger_row *rows;
        struct link l = {.peer = w->peer->code,
                         .case_id = f->id,
                         .number = f->number,
                         .ours = true,
                         .told = f->seq,
                         .word = "",
                         .received_word = "",
                         .answer = "",
                         .state = LINK_OPEN,
                         .error = "",
                         .changed_at = w->now};
        size_t n;
        if (!peer_covers(w->peer, w->rules, &kind))
                return true;
        if (!ledger_rows(w->tx, w->arena, f->id, &rows, &n, e))
                return false;
        const char *word = n ? peer_word(w->peer, rows[n - 1].entry.move, rows[n - 1].entry.dest, false) : NULL;
        return !word || (tell_again(w, &l, f, word, true, e) && link_add(w->tx, &l, e));
}

/* --- the consumer ------------------------------------------------------------------------------------------------------------ */
struct news {
        struct work work;
        const char **numbers;
        bool *concern;
        size_t n;
        bool any;
};

static bool find_concerned(struct tx *tx, void *ctx, struct err *e)
{
        struct news *news = ctx;
        news->any = false;
        for (size_t i = 0; i < news->n; i++) {
                struct rows r;
                const int found = tx_first(tx, &r, e, SQL_CONCERNED, ARGS(V(news->numbers[i])));
                if (found < 0)
                        return false;
                news->concern[i] = false;
                if (found == 0)
                        continue;
                news->concern[i] =
                        rows_int(&r, 1) > 0 || peer_of_unit(news->work.rules->peers, rows_text(&r, news->work.arena, 0)) != NULL;
                news->any = news->any || news->concern[i];
                if (!rows_done(&r, e))
                        return false;
        }
        return true;
}

static bool tell_case(struct work *w, const char *number, struct err *e)
{
        struct case_facts f;
        struct link *links;
        size_t n;
        const int found = case_facts_read(w->tx, w->arena, number, &f, e);
        if (found <= 0)
                return found == 0;
        const struct peer *to = peer_of_unit(w->rules->peers, f.unit);
        if (!links_of_case(w->tx, w->arena, f.id, &links, &n, e))
                return false;
        for (size_t i = 0; i < n; i++) {
                w->peer = peer_find(w->rules->peers, links[i].peer);
                to = w->peer == to ? NULL : to;
                if (w->peer && (!tell_news(w, &links[i], &f, e) || !link_save(w->tx, &links[i], e)))
                        return false;
        }
        w->peer = to;
        return !to || begin(w, &f, e);
}

static bool tell_all(struct tx *tx, void *ctx, struct err *e)
{
        struct news *news = ctx;
        news->work.tx = tx;
        for (size_t i = 0; i < news->n; i++)
                if (news->concern[i] && !tell_case(&news->work, news->numbers[i], e))
                        return false;
        return true;
}

static void collect(struct news *news, const struct event *events, size_t n)
{
        struct arena *a = news->work.arena;
        news->numbers = NEW_ARRAY(a, const char *, n);
        news->concern = NEW_ARRAY(a, bool, n);
        for (size_t i = 0; i < n; i++) {
                size_t k = 0;
                while (k < news->n && !text_is(news->numbers[k], events[i].key))
                        k++;
                if (k == news->n && text_is(events[i].topic, "case"))
                        news->numbers[news->n++] = events[i].key;
        }
}

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct district *d = ctx;
        struct news news = {.work = {.district = d, .rules = district_rules(d, e), .now = clock_now()}};
        if (!news.work.rules)
                return false;
        if (!news.work.rules->peers || news.work.rules->peers->n == 0)
                return true;
        news.work.arena = arena_new();
        collect(&news, events, n);
        const bool ok = store_read(d->store, find_concerned, &news, e) && (!news.any || store_write(d->store, tell_all, &news, e));
        arena_free(&news.work.arena);
        return ok;
}

const struct consumer exchange_consumer = {
        .name = "exchange",
        .about = "Tells other platforms of the cases they have too, and sends them those dispatched to them.",
        .take = take,
};
