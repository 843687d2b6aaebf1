/* notify/notices.c -- see notices.h; and what notify reads from a pack. */
#include "notify/notices.h"
#include "base/arena.h"
#include "base/text.h"
#include "notify/notify.h"
#include "pack/pack.h"
#include "store/store.h"

static const char SQL_ADD_NOTICE[] = "INSERT INTO notice(version, place, topic, audience, text, media, asks)"
                                     " VALUES ($1, $2, $3, $4, $5, COALESCE($6, 'sms|mail'), COALESCE($7, 0))";
static const char SQL_NOTICES[] =
        "SELECT n.topic, n.audience, n.text, n.media, n.asks, (SELECT COUNT(*) FROM workflow_move m WHERE m.version = n.version"
        " AND m.name = n.topic AND '|' || m.effects || '|' LIKE '%|tell|%')"
        " FROM notice n WHERE n.version = $1 ORDER BY n.place LIMIT $2";
static const char SQL_SILENT[] = "SELECT COUNT(*) FROM notice WHERE version = $1 AND text = $2 AND asks = 0";
static const char SQL_BAD_MEDIUM[] = "SELECT place, media FROM notice WHERE version = $1 AND audience = 'reporter'";

enum { MOST = 512 };
static const char *const audiences[] = {[TELL_UNIT] = "unit", [TELL_REPORTER] = "reporter", [TELL_WEBHOOK] = "webhook", NULL};
const char *const language_names[LANGUAGES] = {"zh", "en"};

static enum audience audience_of(const char *name)
{
        int i = 0;
        while (i + 1 < AUDIENCES && !text_is(audiences[i], name))
                i++;
        return (enum audience)i;
}

/* "sms|mail|web"; false: a word in it is none of them, or stands twice. */
static bool read_media(struct arena *a, const char *list, struct notice *n)
{
        char **words;
        const size_t count = text_split(a, list, '|', &words);
        for (size_t i = 0; i < count; i++) {
                int m = 0;
                while (m < MEDIUM_WEBHOOK && !text_is(words[i], medium_name((enum medium)m)))
                        m++;
                if (m == MEDIUM_WEBHOOK || n->media[m])
                        return false;
                n->media[m] = true;
                if (m != MEDIUM_WEB)
                        n->order[n->n_order++] = (enum medium)m;
        }
        return count > 0;
}

static bool read_text(struct tx *tx, struct arena *a, int64_t version, const char *path, const char **out, struct err *e)
{
        char *bytes = NULL;
        size_t n = 0;
        if (!pack_file(tx, a, version, path, &bytes, &n, e))
                return false;
        *out = bytes ? arena_copy(a, bytes, n) : NULL;
        return true;
}

static bool read_texts(struct tx *tx, struct arena *a, int64_t version, struct notice *n, struct err *e)
{
        for (int l = 0; l < LANGUAGES; l++) {
                const char *all, *own;
                if (!read_text(tx, a, version, arena_format(a, "texts/%s/%s.txt", language_names[l], n->text), &all, e))
                        return false;
                for (int m = 0; m < MEDIA; m++) {
                        const char *path =
                                arena_format(a, "texts/%s/%s.%s.txt", language_names[l], n->text, medium_name((enum medium)m));
                        own = NULL;
                        if (m != MEDIUM_WEBHOOK && !read_text(tx, a, version, path, &own, e))
                                return false;
                        n->texts[l][m] = own ? own : all;
                        n->own_mail[l] = n->own_mail[l] || (own && m == MEDIUM_MAIL);
                }
        }
        return true;
}

bool notices_load(struct tx *tx, struct arena *a, int64_t version, struct notices **out, struct err *e)
{
        struct notices *all = NEW(a, struct notices);
        struct rows r;
        *all = (struct notices){.at = NEW_ARRAY(a, struct notice, MOST)};
        if (!tx_rows(tx, &r, e, SQL_NOTICES, ARGS(V(version), V((int)MOST))))
                return false;
        while (all->n < MOST && rows_next(&r)) {
                struct notice *n = &all->at[all->n];
                *n = (struct notice){.topic = rows_text(&r, a, 0),
                                     .text = rows_text(&r, a, 2),
                                     .audience = audience_of(rows_text(&r, a, 1)),
                                     .asks = rows_int(&r, 4) != 0,
                                     .tells = rows_int(&r, 5) != 0};
                (void)read_media(a, rows_text(&r, a, 3), n); /* checked when it was loaded */
                all->n++;
        }
        *out = all;
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < all->n; i++)
                if (!read_texts(tx, a, version, &all->at[i], e))
                        return false;
        return true;
}

/* --- loading a pack ---------------------------------------------------------------------------------------------------------- */
static const struct pack_column notice_columns[] = {
        {"topic", PACK_TEXT, true, NULL, "A move's name, or accept, warning, overdue, escalation, supervision_overdue."},
        {"audience", PACK_TEXT, true, audiences, "Who is told."},
        {"text", PACK_TEXT, true, NULL, "Name of the text below texts/LANG/."},
        {"media", PACK_TEXT, false, NULL, "Reporter: list of sms, mail, web."},
        {"asks", PACK_BOOL, false, NULL, "Reporter: asked how it was, by link and by SMS."},
        {0},
};
static const struct pack_table tables[] = {
        {"notices.csv", true, notice_columns, SQL_ADD_NOTICE},
        {0},
};

/* "texts/zh/reply.mail.txt" -> "reply", MEDIUM_MAIL; MEDIA: for all. */
static const char *name_of(struct arena *a, const char *path, enum medium *medium)
{
        const char *file = strrchr(path, '/') + 1;
        const size_t n = strlen(file) - strlen(".txt");
        *medium = MEDIA;
        for (int m = 0; m < MEDIUM_WEBHOOK; m++) {
                const char *end = arena_format(a, ".%s", medium_name((enum medium)m));
                const size_t k = strlen(end);
                if (n > k && memcmp(file + n - k, end, k) == 0) {
                        *medium = (enum medium)m;
                        return arena_copy(a, file, n - k);
                }
        }
        return arena_copy(a, file, n);
}

static int line_of_hole(const char *text, const char *hole)
{
        const char *at = strstr(text, hole);
        int line = 1;
        for (const char *p = text; at && p < at; p++)
                line += *p == '\n';
        return line;
}

static bool check_link(struct stage *s, const char *file, const char *text, const char *name, enum medium medium, struct err *e)
{
        int64_t silent;
        if (!text_has(text, "callback_link"))
                return true;
        if (!tx_int(s->tx, &silent, 0, e, SQL_SILENT, ARGS(V(s->version), V(name))))
                return false;
        const int line = line_of_hole(text, "{callback_link}");
        if (medium == MEDIUM_WEB)
                stage_fault(s, file, line, "{callback_link} is for mail and SMS: the page is open to whoever has the tracking code",
                            "{callback_link} 只能用于邮件和短信：持查询码者都能看到网页");
        else if (silent)
                stage_fault(s, file, line, "{callback_link} needs asks = yes in notices.csv",
                            "使用 {callback_link} 时，notices.csv 中 asks 应为 yes");
        return true;
}

static bool stage_text(struct stage *s, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *e)
{
        const char *text = arena_copy(s->arena, bytes, n), *subject, *body;
        struct text_fault f;
        enum medium medium;
        const char *name = name_of(s->arena, file, &medium);
        (void)root;
        const size_t fault = text_utf8_fault(bytes, n);
        if (fault < n) {
                stage_fault(s, file, 0, "not UTF-8 at byte %zu", "第%zu字节起不是 UTF-8", fault);
                return true;
        }
        for (size_t at = 0; text_fault_next(text, n, &at, &f);)
                stage_fault(s, file, f.line, "%s%.0s", "%.0s%s", f.en, f.zh);
        if (medium == MEDIUM_MAIL && !mail_text_split(s->arena, text, &subject, &body))
                stage_fault(s, file, 1, "a mail begins with \"Subject: ...\" and an empty line",
                            "邮件首行应为 \"Subject: …\"，其后空一行");
        if (medium == MEDIUM_SMS && text_characters(text) > SMS_TEXT_MOST)
                stage_fault(s, file, 1, "an SMS has at most %d characters", "短信最多%d个字", (int)SMS_TEXT_MOST);
        return check_link(s, file, text, name, medium, e);
}

/* The lists in the column media. */
static bool stage_media(struct stage *s, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *e)
{
        struct rows r;
        (void)file, (void)root, (void)bytes, (void)n;
        if (!tx_rows(s->tx, &r, e, SQL_BAD_MEDIUM, ARGS(V(s->version))))
                return false;
        while (rows_next(&r)) {
                struct notice notice = {0};
                const char *place = rows_text(&r, s->arena, 0), *list = rows_text(&r, s->arena, 1), *colon = strrchr(place, ':');
                int64_t line = 0;
                if (colon && !text_to_int(colon + 1, &line))
                        line = 0;
                if (!read_media(s->arena, list, &notice))
                        stage_fault(s, "notices.csv", (int)line, "media: \"%.60s\" is no list of sms, mail, web",
                                    "media：“%.60s”应为 sms、mail、web 的列表", list);
        }
        return rows_done(&r, e);
}

static const struct pack_document documents[] = {
        {"notices.csv", false, stage_media},
        {"texts/zh/*.txt", false, stage_text},
        {"texts/en/*.txt", false, stage_text},
        {0},
};

static const char SQL_NO_SUCH_MOVE[] =
        "SELECT n.place, 'topic ' || n.topic || ' is neither a move of a workflow nor accept, warning, overdue, escalation or"
        " supervision_overdue',"
        " '主题' || n.topic || '既不是流转动作，也不是 accept、warning、overdue、escalation 或 supervision_overdue'"
        " FROM notice n WHERE n.version = $1"
        " AND n.topic NOT IN ('accept', 'warning', 'overdue', 'escalation', 'supervision_overdue')"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = n.version AND m.name = n.topic)";
static const char SQL_NO_SUCH_TEXT[] =
        "SELECT n.place, 'the text texts/zh/' || n.text || '.txt is missing', '缺少文本 texts/zh/' || n.text || '.txt' FROM notice n"
        " WHERE n.version = $1 AND NOT EXISTS (SELECT 1 FROM pack_file f WHERE f.version = n.version"
        " AND f.path IN ('texts/zh/' || n.text || '.txt', 'texts/zh/' || n.text || '.sms.txt',"
        " 'texts/zh/' || n.text || '.mail.txt', 'texts/zh/' || n.text || '.web.txt'))";
static const char *const checks[] = {SQL_NO_SUCH_MOVE, SQL_NO_SUCH_TEXT, NULL};
const struct pack_part notify_pack = {.capability = "notify", .tables = tables, .documents = documents, .checks = checks};
