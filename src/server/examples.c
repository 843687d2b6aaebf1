/* server/examples.c -- a pack's own tests: item, place and time go in; unit, step and due instant are compared. */
#include "server/examples.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/cases.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "pack/pack.h"
#include "pack/yaml.h"
#include "people/people.h"
#include "routing/routing.h"
#include "twin/twin.h"

static const char FILE_NAME[] = "examples.yaml";

struct example {
        struct stage *stage;
        const struct rulebook *rules;
        const struct yaml *node;
        const char *name;
        const struct item *item;
        struct place place;
        bool urgent;
        int64_t at;
        struct answer answer;
};

/* Keys that may stand in an example and in its `expect`. */
static const char *const keys[] = {"name", "item", "area", "point", "at", "urgent", "expect", NULL};
static const char *const expect_keys[] = {"unit", "step", "due", "assists", NULL};

static bool only(const struct example *x, const struct yaml *map, const char *const *known)
{
        for (const struct yaml *y = map->first; y; y = y->next) {
                size_t i = 0;
                while (known[i] && !text_is(known[i], y->key))
                        i++;
                if (!known[i]) {
                        stage_fault(x->stage, FILE_NAME, y->key_line, "an example has no \"%s\"", "示例没有“%s”这一项", y->key);
                        return false;
                }
        }
        return true;
}

static bool read_point(const char *text, struct arena *a, struct point *out)
{
        char **parts;
        return text && text_split(a, text, ',', &parts) == 2 && text_to_real(parts[0], &out->lon)
               && text_to_real(parts[1], &out->lat);
}

static bool read_example(struct example *x)
{
        struct stage *s = x->stage;
        struct point point;
        struct err e;
        const char *item = yaml_text(x->node, "item", NULL), *at = yaml_text(x->node, "at", NULL),
                   *where = yaml_text(x->node, "point", NULL);
        x->name = yaml_text(x->node, "name", "");
        x->urgent = text_is(yaml_text(x->node, "urgent", "no"), "yes");
        x->item = item ? item_find(x->rules->catalogue, item) : NULL;
        if (!only(x, x->node, keys))
                return false;
        if (item && !x->item) {
                stage_fault(s, FILE_NAME, x->node->line, "example \"%s\": there is no item %s", "示例“%s”：没有事项 %s", x->name,
                            item);
                return false;
        }
        if (!at || !time_parse(at, ZONE_SHANGHAI, &x->at)) {
                stage_fault(s, FILE_NAME, x->node->line, "example \"%s\": at must be a time such as 2026-11-23 09:00",
                            "示例“%s”：at 应为时间，如 2026-11-23 09:00", x->name);
                return false;
        }
        if (where && !read_point(where, s->arena, &point)) {
                stage_fault(s, FILE_NAME, x->node->line, "example \"%s\": point must be \"longitude, latitude\"",
                            "示例“%s”：point 应为“经度, 纬度”", x->name);
                return false;
        }
        if (!twin_locate(x->rules->twin, where ? &point : NULL, yaml_text(x->node, "area", NULL), &x->place, &e)) {
                stage_fault(s, FILE_NAME, x->node->line, "example \"%s\": %s%.0s", "示例“%s”：%.0s%s", x->name, e.text,
                            e.zh[0] ? e.zh : e.text);
                return false;
        }
        return true;
}

/* --- comparing ---------------------------------------------------------------------------------------------------------- */
static void differs(const struct example *x, const struct yaml *expect, const char *what, const char *wanted, const char *came)
{
        stage_fault(x->stage, FILE_NAME, expect->line, "example \"%s\": %s should be %s but is %s; %s%.0s",
                    "示例“%s”：%s 应为 %s，实为 %s；%.0s%s", x->name, what, wanted, came, x->answer.why, x->answer.why_zh);
}

static const char *assists_text(const struct example *x)
{
        const char *list = "";
        for (size_t i = 0; i < x->answer.n_assists; i++)
                list = arena_format(x->stage->arena, "%s%s%s", list, *list ? "|" : "", x->answer.assists[i]->code);
        return list;
}

static bool due_of(const struct example *x, int64_t *due, struct err *e)
{
        struct filing_plan *plan;
        const struct filing f = {.id = 1,
                                 .rules = x->rules,
                                 .urgent = x->urgent,
                                 .item = x->item,
                                 .place = &x->place,
                                 .answer = &x->answer,
                                 .occurred = x->at,
                                 .now = x->at,
                                 .channel = "",
                                 .title = "",
                                 .track = ""};
        if (!cases_plan(x->stage->arena, &f, &plan, e))
                return false;
        *due = filing_plan_due(plan);
        return true;
}

static void compare_due(const struct example *x, const struct yaml *expect, const char *wanted)
{
        struct err e;
        int64_t due, instant;
        char came[TIME_TEXT_SIZE];
        if (!time_parse(wanted, ZONE_SHANGHAI, &instant))
                stage_fault(x->stage, FILE_NAME, expect->line, "example \"%s\": due must be a time", "示例“%s”：due 应为时间",
                            x->name);
        else if (!due_of(x, &due, &e))
                differs(x, expect, "due", wanted, e.text);
        else if (due != instant)
                differs(x, expect, "due", wanted, time_text(came, due, ZONE_SHANGHAI));
}

static void compare(struct example *x, const struct yaml *expect)
{
        const char *unit = yaml_text(expect, "unit", NULL), *step = yaml_text(expect, "step", NULL),
                   *due = yaml_text(expect, "due", NULL);
        const char *assists = yaml_text(expect, "assists", NULL);
        routing_resolve(x->rules->routing, &(struct question){.item = x->item, .area = x->place.area, .turn = x->name}, &x->answer);
        x->answer.sure = x->answer.sure && x->item != NULL;
        if (unit && !text_is(unit, x->answer.lead->code))
                differs(x, expect, "unit", unit, x->answer.lead->code);
        if (step && !text_is(step, routing_step_name(x->answer.step)))
                differs(x, expect, "step", step, routing_step_name(x->answer.step));
        if (assists && !text_is(assists, assists_text(x)))
                differs(x, expect, "assists", assists, assists_text(x));
        if (due)
                compare_due(x, expect, due);
}

static void run_all(struct stage *s, const struct rulebook *rules, const struct yaml *list)
{
        for (const struct yaml *node = list->first; node; node = node->next) {
                struct example x = {.stage = s, .rules = rules, .node = node};
                const struct yaml *expect = yaml_get(node, "expect");
                if (node->kind != YAML_MAP || !expect || expect->kind != YAML_MAP)
                        stage_fault(s, FILE_NAME, node->line, "an example is a map with an \"expect\" map",
                                    "示例应为映射，并含有 expect 映射");
                else if (only(&x, expect, expect_keys) && read_example(&x))
                        compare(&x, expect);
        }
}

bool examples_run(struct stage *s, void *ctx, struct err *e)
{
        char *bytes;
        size_t n;
        struct err why;
        struct rulebook *rules;
        if (!pack_file(s->tx, s->arena, s->version, FILE_NAME, &bytes, &n, e))
                return false;
        if (!bytes)
                return true;
        const struct yaml *list = yaml_parse(s->arena, bytes, n, &why);
        if (!list || list->kind != YAML_LIST) {
                stage_fault(s, FILE_NAME, 1, "%s%.0s", "%.0s%s", list ? "examples are a list" : why.text,
                            list        ? "示例应为列表"
                            : why.zh[0] ? why.zh
                                        : why.text);
                return true;
        }
        if (!rulebook_load(s->tx, s->version, ctx, &rules, e))
                return false;
        run_all(s, rules, list);
        rulebook_free(&rules);
        return true;
}
