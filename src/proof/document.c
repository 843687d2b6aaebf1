/* proof/document.c -- the proof of one case: what is told, and what is proved. */
#include "base/arena.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "ledger/tree.h"
#include "proof/inside.h"
#include "store/store.h"

static const char SQL_NUMBER[] = "SELECT id, number FROM cases WHERE number = $1";
static const char SQL_TRACK[] = "SELECT id, number FROM cases WHERE track = $1";

struct proved {
        struct ledger_row row;
        int64_t leaf;
        struct merkle_proof path;
};
struct proving {
        struct arena *arena;
        const struct proof_wanted *want;
        int64_t subject;
        const char *number;
        struct checkpoint checkpoint;
        const char *note;
        struct proved *rows;
        size_t n;
        bool more;
        struct merkle_proof growth;
};

/* --- reading --------------------------------------------------------------------------------------------------------------- */
static bool find_case(struct tx *tx, struct proving *p, struct err *e)
{
        struct rows r;
        const char *number = p->want->number;
        const int found = number ? tx_first(tx, &r, e, SQL_NUMBER, ARGS(V(number)))
                                 : tx_first(tx, &r, e, SQL_TRACK, ARGS(V(text_upper(p->arena, p->want->track))));
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no case \"%s\"; check the number or code",
                                "没有找到“%s”，请核对编号或查询码", number ? number : p->want->track);
        if (found < 0)
                return false;
        p->subject = rows_int(&r, 0);
        p->number = rows_text(&r, p->arena, 1);
        return rows_done(&r, e);
}

static bool find_checkpoint(struct tx *tx, struct proving *p, struct err *e)
{
        const int found = checkpoint_newest(tx, p->arena, &p->checkpoint, &p->note, e);
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no checkpoint of the ledger yet; try again some minutes later",
                                "账本尚无检查点，请过几分钟再试");
        if (found == 1 && p->want->since > p->checkpoint.size)
                return err_both(e, ERR_INVALID, "since", "the newest checkpoint is of size %lld, less than that",
                                "最新检查点的大小为 %lld，小于所给的值", (long long)p->checkpoint.size);
        return found == 1 && (p->want->since == 0 || tree_prove_growth(tx, p->want->since, p->checkpoint.size, &p->growth, e));
}

static bool prove_row(struct tx *tx, struct proving *p, struct proved *row, struct err *e)
{
        if (!tree_place(tx, p->subject, row->row.seq, &row->leaf, e))
                return false;
        if (row->leaf >= p->checkpoint.size)
                row->leaf = -1;
        return row->leaf < 0 || tree_prove(tx, row->leaf, p->checkpoint.size, &row->path, e);
}

static bool read_proof(struct tx *tx, void *ctx, struct err *e)
{
        struct proving *p = ctx;
        struct ledger_row *rows;
        size_t n;
        if (!find_case(tx, p, e) || !find_checkpoint(tx, p, e) || !ledger_rows(tx, p->arena, p->subject, &rows, &n, e))
                return false;
        p->rows = NEW_ARRAY(p->arena, struct proved, n + 1);
        p->n = 0;
        p->more = false;
        for (size_t i = 0; i < n && !p->more; i++) {
                if (rows[i].seq <= p->want->after)
                        continue;
                p->more = p->want->most > 0 && p->n == (size_t)p->want->most;
                if (p->more)
                        break;
                struct proved *row = &p->rows[p->n++];
                row->row = rows[i];
                if (!prove_row(tx, p, row, e))
                        return false;
        }
        return true;
}

/* --- writing --------------------------------------------------------------------------------------------------------------- */
static void hex_json(struct json *j, const char *name, const void *bytes)
{
        char hex[2 * SHA256_SIZE + 1];
        hex_text(bytes, SHA256_SIZE, hex);
        json_text(j, name, hex);
}

static void path_json(struct json *j, const char *name, const struct merkle_proof *path)
{
        json_array(j, name);
        for (int i = 0; i < path->n; i++)
                hex_json(j, NULL, path->at[i].at);
        json_array_end(j);
}

void proof_fields_json(struct json *j, struct arena *a, const struct ledger_row *row)
{
        const struct ledger_entry *x = &row->entry;
        json_object(j, "fields");
        json_text(j, "subject", arena_format(a, "%lld", (long long)x->subject));
        json_int(j, "seq", row->seq);
        json_int(j, "lane", row->lane);
        json_int(j, "ordinal", row->ordinal);
        json_text(j, "at", arena_format(a, "%lld", (long long)x->at));
        json_text(j, "move", x->move);
        json_text(j, "origin", x->origin);
        json_text(j, "dest", x->dest);
        json_text(j, "actor", x->actor);
        json_text(j, "role", x->role);
        json_text(j, "unit", x->unit);
        json_text(j, "form", x->form);
        json_object_end(j);
}

static void row_json(struct json *j, const struct proving *p, const struct proved *row)
{
        json_object(j, NULL);
        json_int(j, "row", row->row.seq);
        json_text(j, "move", row->row.entry.move);
        json_time(j, "at", row->row.entry.at);
        hex_json(j, "digest", row->row.hash);
        if (row->leaf < 0) {
                json_null(j, "leaf");
        } else {
                json_int(j, "leaf", row->leaf);
                path_json(j, "path", &row->path);
        }
        if (p->want->whole)
                proof_fields_json(j, p->arena, &row->row);
        json_object_end(j);
}

bool proof_json(struct store *store, struct arena *a, const struct proof_wanted *want, struct json *j, struct err *e)
{
        struct proving p = {.arena = a, .want = want};
        if (!store_read(store, read_proof, &p, e))
                return false;
        json_object(j, NULL);
        json_text(j, "number", p.number);
        json_text(j, "checkpoint", p.note);
        json_int(j, "size", p.checkpoint.size);
        json_array(j, "rows");
        for (size_t i = 0; i < p.n; i++)
                row_json(j, &p, &p.rows[i]);
        json_array_end(j);
        json_bool(j, "more", p.more);
        if (want->since > 0) {
                json_int(j, "since", want->since);
                path_json(j, "growth", &p.growth);
        }
        json_object_end(j);
        return true;
}
