/* notify/notices.c -- see notices.h; and what notify reads from a pack. */
#include "notify/notices.h"
#include "base/arena.h"
#include "base/text.h"
#include "notify/notify.h"
#include "pack/pack.h"
#include "store/store.h"

static const char SQL_ADD_NOTICE[] = "INSERT INTO notice(version, place, topic, audience, text) VALUES ($1, $2, $3, $4, $5)";
static const char SQL_NOTICES[] =
        "SELECT n.topic, n.audience,"
        " (SELECT f.content FROM pack_file f WHERE f.version = n.version AND f.path = 'texts/zh/' || n.text || '.txt'),"
        " (SELECT f.content FROM pack_file f WHERE f.version = n.version AND f.path = 'texts/en/' || n.text || '.txt')"
        " FROM notice n WHERE n.version = $1 ORDER BY n.place LIMIT $2";

enum { MOST = 512 };
static const char *const audiences[] = {[TELL_UNIT] = "unit", [TELL_REPORTER] = "reporter", [TELL_WEBHOOK] = "webhook", NULL};

static enum audience audience_of(const char *name)
{
        int i = 0;
        while (i + 1 < AUDIENCES && !text_is(audiences[i], name))
                i++;
        return (enum audience)i;
}

bool notices_load(struct tx *tx, struct arena *a, int64_t version, struct notices **out, struct err *e)
{
        struct notices *all = NEW(a, struct notices);
        struct rows r;
        size_t n;
        *all = (struct notices){.at = NEW_ARRAY(a, struct notice, MOST)};
        if (!tx_rows(tx, &r, e, SQL_NOTICES, ARGS(V(version), V((int)MOST))))
                return false;
        while (all->n < MOST && rows_next(&r))
                all->at[all->n++] = (struct notice){.topic = rows_text(&r, a, 0),
                                                    .audience = audience_of(rows_text(&r, a, 1)),
                                                    .zh = rows_blob(&r, a, 2, &n),
                                                    .en = rows_blob(&r, a, 3, &n)};
        *out = all;
        return rows_done(&r, e);
}

static const struct pack_column notice_columns[] = {
        {"topic", PACK_TEXT, true, NULL, "A move's name, or warning, overdue."},
        {"audience", PACK_TEXT, true, audiences, "Who is told."},
        {"text", PACK_TEXT, true, NULL, "Name of the text below texts/LANG/."},
        {0},
};
static const struct pack_table tables[] = {
        {"notices.csv", true, notice_columns, SQL_ADD_NOTICE},
        {0},
};
static const char SQL_NO_SUCH_MOVE[] =
        "SELECT n.place, 'topic ' || n.topic || ' is neither a move of a workflow nor warning or overdue',"
        " '主题' || n.topic || '既不是流转动作，也不是 warning 或 overdue' FROM notice n WHERE n.version = $1"
        " AND n.topic NOT IN ('warning', 'overdue')"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = n.version AND m.name = n.topic)";
static const char SQL_NO_SUCH_TEXT[] =
        "SELECT n.place, 'the text texts/zh/' || n.text || '.txt is missing', '缺少文本 texts/zh/' || n.text || '.txt' FROM notice n"
        " WHERE n.version = $1 AND NOT EXISTS (SELECT 1 FROM pack_file f WHERE f.version = n.version"
        " AND f.path = 'texts/zh/' || n.text || '.txt')";
static const char *const checks[] = {SQL_NO_SUCH_MOVE, SQL_NO_SUCH_TEXT, NULL};
const struct pack_part notify_pack = {.capability = "notify", .tables = tables, .checks = checks};
