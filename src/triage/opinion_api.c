/* triage/opinion_api.c -- what the machine says, as answers write it. */
#include "base/text.h"
#include "cases/view.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "people/people.h"
#include "routing/routing.h"
#include "triage/inside_api.h"
#include "twin/twin.h"

static void reasons_json(const struct candidate *c, bool against, struct json *j)
{
        json_array(j, against ? "against" : "for");
        for (size_t i = 0; i < c->n_reasons; i++)
                if ((c->reasons[i].weight < 0) == against)
                        json_text(j, NULL, c->reasons[i].phrase);
        json_array_end(j);
}

static void candidate_json(const struct asked *q, const struct candidate *c, struct json *j)
{
        struct answer answer;
        district_route(q->district, q->rules, &(struct question){.item = c->item, .area = q->area, .turn = q->turn}, &answer);
        json_object(j, NULL);
        json_text(j, "item", c->item->code);
        json_text(j, "name", c->item->name);
        json_text(j, "name_en", c->item->name_en);
        json_real(j, "certainty", c->p);
        reasons_json(c, false, j);
        reasons_json(c, true, j);
        json_text(j, "unit", answer.lead->code);
        json_text(j, "unit_name", answer.lead->name);
        json_text(j, "why", answer.why);
        json_text(j, "why_zh", answer.why_zh);
        json_object_end(j);
}

void opinion_json(const struct asked *q, const struct opinion *o, struct json *j)
{
        json_array(j, "candidates");
        for (size_t i = 0; i < o->n; i++)
                candidate_json(q, &o->at[i], j);
        json_array_end(j);
        json_bool(j, "sure", o->sure);
        json_text(j, "urgent", o->urgent);
        json_int(j, "model", o->model);
}

static const struct shape phrase_element[] = {{.type = SHAPE_TEXT}, {0}};
static const struct shape candidate_members[] = {
        {.name = "item", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "name_en", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "certainty", .type = SHAPE_REAL, .required = true, .about = "0 to 1; of the first one calibrated."},
        {.name = "for", .type = SHAPE_ARRAY, .required = true, .fields = phrase_element, .about = "Phrases that speak for it."},
        {.name = "against", .type = SHAPE_ARRAY, .required = true, .fields = phrase_element},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .about = "Who would be responsible."},
        {.name = "unit_name", .type = SHAPE_TEXT, .required = true},
        {.name = "why", .type = SHAPE_TEXT, .required = true, .about = "Why that unit."},
        {.name = "why_zh", .type = SHAPE_TEXT, .required = true},
        {0},
};
const struct shape triage_candidate_element[] = {{.type = SHAPE_OBJECT, .fields = candidate_members}, {0}};

const struct area *case_area(const struct rulebook *rules, const struct case_view *v)
{
        const char *code = !text_empty(v->grid) ? v->grid : !text_empty(v->community) ? v->community : v->subdistrict;
        return text_empty(code) ? NULL : area_find(rules->twin, code);
}
