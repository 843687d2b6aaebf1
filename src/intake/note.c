/* intake/note.c -- what a channel says later about a report of its own. */
#include "intake/intake.h"
#include "base/id.h"
#include "base/text.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"

static const char SQL_CASE[] = "SELECT id FROM cases WHERE number = $1 AND channel = $2";
static const char SQL_NOTE[] =
        "INSERT INTO report_note(id, case_id, sender, external_id, text, media, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (sender, external_id) DO NOTHING";
static const char SQL_EARLIER[] = "SELECT id FROM report_note WHERE sender = $1 AND external_id = $2";

struct noting {
        const struct note *note;
        int64_t id, now;
        bool again;
};

static bool keep(struct tx *tx, void *ctx, struct err *e)
{
        struct noting *w = ctx;
        const struct note *n = w->note;
        int64_t found;
        if (!tx_int(tx, &found, 0, e, SQL_CASE, ARGS(V(n->number), V(n->channel))))
                return false;
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, "number", "the channel %s has no case \"%.40s\"", "%s渠道没有编号为“%.40s”的案件",
                                n->channel, n->number);
        const int added = tx_change(tx, e, SQL_NOTE,
                                    ARGS(V(w->id), V(found), V(n->sender), text_empty(n->external_id) ? V_NULL : V(n->external_id),
                                         V(n->text), V(n->media ? n->media : "[]"), V(w->now)));
        w->again = added == 0;
        if (added != 0)
                return added == 1 && outbox_put(tx, "note", n->number, "{}", w->now, e);
        return tx_int(tx, &w->id, 0, e, SQL_EARLIER, ARGS(V(n->sender), V(n->external_id)));
}

bool intake_note(struct district *d, const struct note *note, int64_t now, int64_t *id, bool *again, struct err *e)
{
        struct noting w = {.note = note, .id = id_new(d->ids, now), .now = now};
        if (!store_write(d->store, keep, &w, e))
                return false;
        *id = w.id;
        *again = w.again;
        return true;
}
