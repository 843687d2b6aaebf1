/* cases/words.c -- finds what data names, and describes the form of a move. */
#include "base/text.h"
#include "cases/moves.h"
#include "json/json.h"

const struct vocabulary case_words = {case_guards, case_effects};
/* Weak: a test that is linked with this folder alone knows no other words and parts; the program's lists are in
 * src/capabilities.c. */
__attribute__((weak)) const struct vocabulary *const all_vocabularies[] = {&case_words, NULL};
__attribute__((weak)) const struct case_part *const case_parts[] = {NULL};

const struct guard *guard_find(const char *name)
{
        for (const struct vocabulary *const *v = all_vocabularies; *v; v++)
                for (const struct guard *g = (*v)->guards; g->name; g++)
                        if (text_is(g->name, name))
                                return g;
        return NULL;
}

const struct effect *effect_find(const char *name)
{
        for (const struct vocabulary *const *v = all_vocabularies; *v; v++)
                for (const struct effect *x = (*v)->effects; x->name; x++)
                        if (text_is(x->name, name))
                                return x;
        return NULL;
}

/* --- the form of a move as JSON Schema ------------------------------------------------------------------------------------ */

static void choices_json(const struct workflow *w, const struct move *m, struct json *j)
{
        json_array(j, "oneOf");
        for (size_t i = 0; i < w->n_reasons; i++) {
                const struct reason *r = &w->reasons[i];
                if (!text_is(r->move, m->name))
                        continue;
                json_object(j, NULL);
                json_text(j, "const", r->code);
                json_text(j, "title", r->zh);
                json_text(j, "x-title-en", r->en);
                json_object_end(j);
        }
        json_array_end(j);
}

/* `format` tells a screen which list to offer: units, items and cases have routes of their own. */
static void kind_json(const struct field *f, struct json *j)
{
        static const char *const types[] = {
                [FIELD_TEXT] = "string",    [FIELD_UNIT] = "string",   [FIELD_UNITS] = "array",    [FIELD_ITEM] = "string",
                [FIELD_CASE] = "string",    [FIELD_REASON] = "string", [FIELD_INSTANT] = "string", [FIELD_YES] = "boolean",
                [FIELD_NUMBER] = "integer", [FIELD_OBJECT] = "object"};
        static const char *const formats[] = {[FIELD_UNIT] = "unit",
                                              [FIELD_ITEM] = "item",
                                              [FIELD_CASE] = "case",
                                              [FIELD_INSTANT] = "date-time",
                                              [FIELD_OBJECT] = NULL};
        json_text(j, "type", types[f->kind]);
        if (formats[f->kind])
                json_text(j, "format", formats[f->kind]);
        if (f->kind == FIELD_TEXT && f->wanted)
                json_int(j, "minLength", 1);
        if (f->kind == FIELD_UNITS) {
                json_object(j, "items");
                json_text(j, "type", "string");
                json_text(j, "format", "unit");
                json_object_end(j);
                json_bool(j, "uniqueItems", true);
        }
        if (f->kind == FIELD_NUMBER && f->most) {
                json_int(j, "minimum", f->least);
                json_int(j, "maximum", f->most);
        }
}

enum { FIELDS_MOST = 24 };
struct fields {
        const struct field *at[FIELDS_MOST];
        size_t n;
};

/* Two words of one move may take the same field; it is wanted when one of them wants it. */
static void collect(struct fields *all, const struct field *f)
{
        for (; f && f->name; f++) {
                size_t i = 0;
                while (i < all->n && !text_is(all->at[i]->name, f->name))
                        i++;
                if (i < all->n) {
                        if (f->wanted)
                                all->at[i] = f;
                } else if (all->n < FIELDS_MOST) {
                        all->at[all->n++] = f;
                }
        }
}

void move_form_json(const struct workflow *w, const struct move *m, const char *name, struct json *j)
{
        struct fields all = {.n = 0};
        for (const struct guard *const *g = m->needs; *g; g++)
                collect(&all, (*g)->fields);
        for (const struct effect *const *x = m->effects; *x; x++)
                collect(&all, (*x)->fields);
        json_object(j, name);
        json_text(j, "type", "object");
        json_array(j, "required");
        for (size_t i = 0; i < all.n; i++)
                if (all.at[i]->wanted)
                        json_text(j, NULL, all.at[i]->name);
        json_array_end(j);
        json_object(j, "properties");
        for (size_t i = 0; i < all.n; i++) {
                json_object(j, all.at[i]->name);
                kind_json(all.at[i], j);
                json_text(j, "title", all.at[i]->zh);
                json_text(j, "x-title-en", all.at[i]->en);
                if (all.at[i]->kind == FIELD_REASON)
                        choices_json(w, m, j);
                json_object_end(j);
        }
        json_object_end(j);
        json_object_end(j);
}
