/* triage/inside_api.h -- what the files of this folder that know HTTP share. */
#ifndef TRIAGE_INSIDE_API_H
#define TRIAGE_INSIDE_API_H
#include "http/http.h"
#include "triage/inside.h"

/* Where and for what the machine is asked; turn: what a rota is drawn by. */
struct asked {
        struct district *district;
        const struct rulebook *rules;
        const struct area *area;
        const char *turn;
};
/* Members of an answer's object: "candidates", "sure", "urgent", "model". */
void opinion_json(const struct asked *, const struct opinion *, struct json *);
extern const struct shape triage_candidate_element[];
struct case_view;
const struct area *case_area(const struct rulebook *, const struct case_view *);        /* the smallest it lies in; NULL */
#endif
