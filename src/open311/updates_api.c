/* open311/updates_api.c -- extension: what happened to reports, as FixMyStreet asks for it, and the notes it sends back. */
#include "open311/inside_api.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/workflow.h"
#include "crypto/crypto.h"
#include "intake/intake.h"
#include "json/json.h"
#include <stdio.h>

enum { NOTE_MOST = 4000 };

/* --- what is read ---------------------------------------------------------------------------------------------------- */
struct update {
        int64_t at, version;
        const char *id, *number, *workflow, *state, *text, *media;
        const char *move, *form; /* of a move that is seen whole */
};
struct wish {
        struct request *rq;
        const struct sight *sight;
        const char *const *numbers;
        size_t n_numbers;
        int64_t from, to;
        struct query moves, notes;
        struct update *at;
        size_t n;
};

/* The first row of a case is its coming in, which is no update. */
static const char MOVES[] = "SELECT h.at, c.version, c.number, h.seq, c.workflow, h.dest, h.form, h.move, CASE WHEN ";
static const char MOVES_FROM[] = " THEN 1 ELSE 0 END FROM history h JOIN cases c ON c.id = h.subject WHERE h.seq > 1 AND ";
static const char NOTES[] = "SELECT n.received_at, c.version, c.number, n.id, c.workflow, c.state, n.text, n.media"
                            " FROM report_note n JOIN cases c ON c.id = n.case_id WHERE ";

static void add_span(struct query *q, const struct wish *w, const char *column, const char *order)
{
        query_text(q, " AND ");
        query_text(q, column);
        query_text(q, " >= ");
        query_arg(q, V(w->from));
        query_text(q, " AND ");
        query_text(q, column);
        query_text(q, " <= ");
        query_arg(q, V(w->to));
        if (w->n_numbers > 0) {
                query_text(q, " AND c.number IN ");
                query_texts(q, w->numbers, w->n_numbers);
        }
        query_text(q, order);
        query_arg(q, V((int64_t)ROWS_MOST));
}

static void write_queries(struct wish *w)
{
        w->moves = query_new(w->rq->arena);
        query_text(&w->moves, MOVES);
        sight_seen(&w->moves, w->sight);
        query_text(&w->moves, MOVES_FROM);
        sight_visible(&w->moves, w->sight);
        add_span(&w->moves, w, "h.at", " ORDER BY h.at, h.subject, h.seq LIMIT ");
        w->notes = query_new(w->rq->arena);
        query_text(&w->notes, NOTES);
        sight_seen(&w->notes, w->sight);
        add_span(&w->notes, w, "n.received_at", " ORDER BY n.received_at, n.id LIMIT ");
}

/* What the reporter was told with it; reasons among units stay inside. */
static const char *said(struct arena *a, const struct workflow *w, const struct update *u)
{
        struct err ignored;
        const struct move *m = w && u->move ? move_find(w, u->move) : NULL;
        if (!m || !move_tells(m))
                return u->text;
        const struct json_value *v = json_parse(a, u->form, strlen(u->form), &ignored);
        const char *text = json_get_text(v, "result", json_get_text(v, "reason", NULL));
        return text_empty(text) ? NULL : text;
}

static bool read_moves(struct tx *tx, struct wish *w, struct err *e)
{
        struct arena *a = w->rq->arena;
        struct rows r;
        if (!tx_rows(tx, &r, e, w->moves.text.at, query_args(&w->moves)))
                return false;
        while (w->n < ROWS_MOST && rows_next(&r)) {
                struct update *u = &w->at[w->n++];
                *u = (struct update){.at = rows_int(&r, 0),
                                     .version = rows_int(&r, 1),
                                     .number = rows_text(&r, a, 2),
                                     .workflow = rows_text(&r, a, 4),
                                     .state = rows_text(&r, a, 5)};
                u->id = arena_format(a, "%s-%lld", u->number, (long long)rows_int(&r, 3));
                if (rows_int(&r, 8) != 0) {
                        u->form = rows_text(&r, a, 6);
                        u->move = rows_text(&r, a, 7);
                }
        }
        return rows_done(&r, e);
}

static bool read_notes(struct tx *tx, struct wish *w, struct err *e)
{
        struct arena *a = w->rq->arena;
        struct rows r;
        if (!tx_rows(tx, &r, e, w->notes.text.at, query_args(&w->notes)))
                return false;
        for (size_t i = 0; i < ROWS_MOST && rows_next(&r); i++) {
                struct update u = {.at = rows_int(&r, 0),
                                   .version = rows_int(&r, 1),
                                   .number = rows_text(&r, a, 2),
                                   .workflow = rows_text(&r, a, 4),
                                   .state = rows_text(&r, a, 5),
                                   .text = rows_text(&r, a, 6),
                                   .media = rows_text(&r, a, 7)};
                u.id = arena_format(a, "n%lld", (long long)rows_int(&r, 3));
                size_t at = w->n++;
                for (; at > 0 && w->at[at - 1].at > u.at; at--)
                        w->at[at] = w->at[at - 1];
                w->at[at] = u;
        }
        return rows_done(&r, e);
}

static bool read_updates(struct tx *tx, void *ctx, struct err *e)
{
        struct wish *w = ctx;
        w->n = 0;
        return read_moves(tx, w, e) && read_notes(tx, w, e);
}

/* --- what is written --------------------------------------------------------------------------------------------------- */
static void update_write(const struct wish *w, const struct update *u, const struct rulebook *rules, struct document *d)
{
        const struct workflow *workflow = workflow_find(rules->workflows, u->workflow);
        const struct state *state = workflow ? state_find(workflow, u->state) : NULL;
        doc_object(d, NULL);
        doc_text(d, "update_id", u->id);
        doc_text(d, "service_request_id", u->number);
        doc_text(d, "status", state && state_closes(state) ? "closed" : "open");
        doc_time(d, "updated_datetime", u->at);
        doc_text(d, "description", said(w->rq->arena, workflow, u));
        doc_text(d, "media_url", media_url(w->rq, u->media));
        doc_text(d, "external_status_code", u->state);
        doc_object_end(d);
}

bool get_updates(struct request *rq, struct reply *rp, struct err *e)
{
        struct faults f = {.rq = rq};
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        struct wish w = {.rq = rq, .sight = sight_of(rq, e), .at = NEW_ARRAY(rq->arena, struct update, 2 * ROWS_MOST)};
        check_jurisdiction(&f);
        w.n_numbers = list_given(&f, "service_request_id", &w.numbers);
        span_given(&f, &w.from, &w.to);
        if (faults_answer(&f, rp))
                return true;
        write_queries(&w);
        const bool ok = store_read(rq->store, read_updates, &w, e);
        buf_free(&w.moves.text);
        buf_free(&w.notes.text);
        if (!ok)
                return false;
        struct document d = answer_begin(rq, rp);
        doc_array(&d, "service_request_updates", "request_update");
        for (size_t i = 0; i < w.n && i < ROWS_MOST; i++) {
                if (rules->version != w.at[i].version)
                        rules = district_rules_of(rq->app, w.at[i].version, e);
                if (!rules)
                        return false;
                update_write(&w, &w.at[i], rules, &d);
        }
        doc_array_end(&d);
        return true;
}

/* Senders repeat what got no answer: the same is what has their id and says the same of the same case. */
static const char *note_identity(struct faults *f, const struct note *n)
{
        unsigned char hash[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        const char *id = line_given(f, "update_id", 200);
        if (!id || !n->number || !n->text)
                return NULL;
        const char *whole = arena_format(f->rq->arena, "%s\n%s\n%s", n->number, n->media ? n->media : "", n->text);
        sha256(whole, strlen(whole), hash);
        hex_text(hash, sizeof hash, hex);
        return arena_format(f->rq->arena, "%s/%s", id, hex);
}

/* --- a note comes in ------------------------------------------------------------------------------------------------------ */
bool post_update(struct request *rq, struct reply *rp, struct err *e)
{
        struct faults f = {.rq = rq};
        int64_t id = 0;
        bool again = false;
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        struct note note = {.channel = key_channel(&f, rules), .sender = rq->actor.name};
        if (note.channel) {
                check_jurisdiction(&f);
                check_doubles(&f);
                note.number = line_given(&f, "service_request_id", 60);
                note.text = line_given(&f, "description", NOTE_MOST);
                note.media = media_given(&f);
                if (!note.text)
                        note.text = line_given(&f, "status", 60);
                if (rq->form->n_files > 0)
                        faults_add(&f, 400, "%.60s: a note takes no files; give a media_url",
                                   "%.60s：补充说明不接受文件，请提供 media_url", rq->form->files[0].name);
                if (!note.number)
                        faults_add(&f, 400, "service_request_id: is missing", "service_request_id：缺失");
                if (!note.text)
                        faults_add(&f, 400, "description: is missing", "description：缺失");
                note.external_id = note_identity(&f, &note);
        }
        if (faults_answer(&f, rp))
                return true;
        if (!intake_note(rq->app, &note, rq->now, &id, &again, e))
                return false;
        rp->status = again ? 200 : 201;
        struct document d = answer_begin(rq, rp);
        doc_array(&d, "service_request_updates", "request_update");
        doc_object(&d, NULL);
        doc_text(&d, "update_id", arena_format(rq->arena, "n%lld", (long long)id));
        doc_object_end(&d);
        doc_array_end(&d);
        return true;
}
