/* links/view.c -- what a case's answer says of the cases it belongs with. */
#include "base/arena.h"
#include "cases/cases.h"
#include "json/json.h"
#include "links/links.h"
#include "store/store.h"

static const char SQL_LINKS[] =
        "SELECT l.kind, 1, c.number, c.state, l.actor, l.made_at, l.undone_at FROM case_link l JOIN cases c ON c.id = l.target"
        " WHERE l.case_id = $1"
        " UNION ALL SELECT l.kind, 0, c.number, c.state, l.actor, l.made_at, l.undone_at FROM case_link l"
        " JOIN cases c ON c.id = l.case_id WHERE l.target = $1 AND l.undone_at = 0 ORDER BY 6, 3";

enum { LINKS_MOST = 500 };

static bool links_json(struct tx *tx, struct arena *a, int64_t case_id, struct json *j, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_LINKS, ARGS(V(case_id))))
                return false;
        json_array(j, "links");
        for (int i = 0; i < LINKS_MOST && rows_next(&r); i++) {
                json_object(j, NULL);
                json_text(j, "kind", rows_text(&r, a, 0));
                json_text(j, "direction", rows_int(&r, 1) ? "to" : "from");
                json_text(j, "number", rows_text(&r, a, 2));
                json_text(j, "state", rows_text(&r, a, 3));
                json_text(j, "actor", rows_text(&r, a, 4));
                json_time(j, "made", rows_int(&r, 5));
                json_time(j, "undone", rows_int(&r, 6));
                json_object_end(j);
        }
        json_array_end(j);
        return rows_done(&r, e);
}

const struct case_part links_part = {.json = links_json};
