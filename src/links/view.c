/* links/view.c -- what a case's answer says of the cases it belongs with. */
#include "base/arena.h"
#include "cases/cases.h"
#include "json/json.h"
#include "links/links.h"
#include "sight/sight.h"
#include "store/store.h"

/* As the condition of sight/ wants it, each other case is a row c.  What is out of sight is told without its number. */
static const char LINKS[] = "SELECT c.kind, c.is_to, c.number, c.state, c.actor, c.made_at, c.undone_at, CASE WHEN ";
static const char LINKS_TO[] =
        " THEN 1 ELSE 0 END FROM (SELECT l.kind AS kind, 1 AS is_to, x.number AS number, x.state AS state, l.actor AS actor,"
        " l.made_at AS made_at, l.undone_at AS undone_at, x.id AS id, x.unit AS unit, x.subdistrict AS subdistrict,"
        " x.community AS community, x.grid AS grid"
        " FROM case_link l JOIN cases x ON x.id = l.target WHERE l.case_id = ";
static const char LINKS_FROM[] =
        " UNION ALL SELECT l.kind, 0, x.number, x.state, l.actor, l.made_at, l.undone_at, x.id, x.unit, x.subdistrict, x.community,"
        " x.grid FROM case_link l JOIN cases x ON x.id = l.case_id WHERE l.undone_at = 0 AND l.target = ";
static const char LINKS_ORDER[] = ") c ORDER BY 6, 3";

enum { LINKS_MOST = 500 };

static struct query links_query(struct arena *a, int64_t case_id, const struct sight *sight)
{
        struct query q = query_new(a);
        query_text(&q, LINKS);
        sight_seen(&q, sight);
        query_text(&q, LINKS_TO);
        query_arg(&q, V(case_id));
        query_text(&q, LINKS_FROM);
        query_arg(&q, V(case_id));
        query_text(&q, LINKS_ORDER);
        return q;
}

static bool links_json(struct tx *tx, struct arena *a, int64_t case_id, const struct sight *sight, struct json *j, struct err *e)
{
        struct rows r;
        struct query q = links_query(a, case_id, sight);
        const struct value *args = query_args(&q);
        const bool asked = tx_rows(tx, &r, e, q.text.at, args);
        buf_free(&q.text);
        if (!asked)
                return false;
        for (int i = 0; i < LINKS_MOST && rows_next(&r); i++) {
                json_object(j, NULL);
                json_text(j, "kind", rows_text(&r, a, 0));
                json_text(j, "direction", rows_int(&r, 1) ? "to" : "from");
                json_text(j, "number", rows_int(&r, 7) ? rows_text(&r, a, 2) : NULL);
                json_text(j, "state", rows_text(&r, a, 3));
                json_text(j, "actor", rows_text(&r, a, 4));
                json_time(j, "made", rows_int(&r, 5));
                json_time(j, "undone", rows_int(&r, 6));
                json_object_end(j);
        }
        return rows_done(&r, e);
}

const struct case_part links_part = {.name = "links",
                                     .some = "EXISTS (SELECT 1 FROM case_link k WHERE k.case_id = $1)"
                                             " OR EXISTS (SELECT 1 FROM case_link k WHERE k.target = $1 AND k.undone_at = 0)",
                                     .json = links_json};
