/* privacy/pack.c -- what a pack says about reporters' data: privacy.yaml. */
#include "privacy/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "pack/pack.h"
#include "pack/yaml.h"
#include "store/store.h"

static const char SQL_RULE[] = "INSERT INTO retention(version, years, fields, place) VALUES ($1, $2, $3, $4)";

static bool known_field(const char *text)
{
        for (size_t i = 0; i < FIELDS; i++)
                if (text_is(text, field_names[i]))
                        return true;
        return false;
}

static bool lists(const struct yaml *list, const char *field)
{
        for (const struct yaml *v = list->first; v; v = v->next)
                if (v->kind == YAML_TEXT && text_is(v->text, field))
                        return true;
        return false;
}

/* "name|phone|email" in this order, so that the same choice is the same text; all three when unsaid. */
static const char *fields_of(struct stage *s, const char *file, const struct yaml *root)
{
        const struct yaml *list = yaml_get(root, "fields");
        const char *out = "";
        const bool good = !list || list->kind == YAML_LIST;
        for (const struct yaml *v = good && list ? list->first : NULL; v; v = v->next)
                if (v->kind != YAML_TEXT || !known_field(v->text))
                        stage_fault(s, file, v->line, "a field is name, phone or email", "字段应为 name、phone 或 email");
        for (size_t i = 0; good && i < FIELDS; i++)
                if (!list || lists(list, field_names[i]))
                        out = arena_format(s->arena, "%s%s%s", out, *out ? "|" : "", field_names[i]);
        if (!*out)
                stage_fault(s, file, list ? list->line : root->line, "fields is a list of name, phone, email",
                            "fields 应为 name、phone、email 的列表");
        return out;
}

static bool stage_privacy(struct stage *s, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *e)
{
        static const char *const keys[] = {"years", "fields", NULL};
        const struct yaml *v = yaml_get(root, "years");
        int64_t years = 0;
        (void)bytes;
        (void)n;
        stage_keys(s, file, root, keys);
        if (!v || v->kind != YAML_TEXT || !text_to_int(v->text, &years) || years < 0 || years > 100)
                stage_fault(s, file, v ? v->line : root->line, "years must be a whole number between 0 and 100",
                            "years 应为0至100的整数");
        const char *fields = fields_of(s, file, root);
        return tx_change(s->tx, e, SQL_RULE,
                         ARGS(V(s->version), V(years), V(fields), V(arena_format(s->arena, "%s:%d", file, v ? v->line : 1))))
               == 1;
}

static const struct pack_document documents[] = {{"privacy.yaml", false, stage_privacy}, {0}};
const struct pack_part privacy_pack = {.capability = "privacy", .documents = documents};
