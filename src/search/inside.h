/* search/inside.h -- what the files of this folder share. */
#ifndef SEARCH_INSIDE_H
#define SEARCH_INSIDE_H
#include "cases/view.h"
#include "search/query.h"
#include "search/search.h"
#include "sight/sight.h"
#include "text/fold.h"
struct json;

/* --- what is known of a case (doc.c) ------------------------------------------------------------------------------------- */
enum { DOCS_ONCE = 256, PARTS_MOST = 40 };
struct doc {                                    /* texts are the arena's */
        int64_t id, version, created;
        const char *number, *title, *text, *address, *item, *subdistrict, *community, *grid, *channel, *unit;
        struct names notes, units, persons;     /* units and persons: of all its tasks */
        uint64_t raw;                           /* of all of it: the same while nothing has changed */
};
/* Of these cases, at most DOCS_ONCE, those that are there; newest first. */
bool docs_read(struct tx *, struct arena *, const int64_t *ids, size_t n, struct doc *out, size_t *n_out, struct err *) MUST_CHECK;

/* A text of a case that is searched. */
struct part { const char *field, *text; int weight; struct folded folded; struct atoms atoms; };
struct parts { struct part at[PARTS_MOST]; size_t n; struct folded number_folded; struct atoms number; };
/* rules: of the version the case was opened under. */
void doc_parts(const struct fold *, struct arena *, const struct rulebook *rules, const struct doc *, struct parts *);
/* All terms of the index, sorted, with a blank between. */
const char *doc_terms(struct arena *, const struct doc *, const struct parts *);

/* Under which term the index knows what belongs to a unit, a person, an item, an area, a channel or a month. */
enum belonging {
        TO_UNIT = 'u', TO_PERSON = 'p', TO_ITEM = 'i', TO_SUBDISTRICT = 's', TO_COMMUNITY = 'c', TO_GRID = 'g', TO_CHANNEL = 'h'
};
const char *belonging_term(struct arena *, enum belonging, const char *code);
const char *month_term(struct arena *, int64_t instant);        /* in Shanghai */

/* --- the index (feed.c) -------------------------------------------------------------------------------------------------- */
/* Brings these cases, at most DOCS_ONCE, into the index as they stand now.  always: also when nothing has changed. */
bool feed_cases(struct district *, const int64_t *ids, size_t n, bool always, struct err *) MUST_CHECK;

/* --- finding (find.c) ---------------------------------------------------------------------------------------------------- */
struct search_filter {                          /* NULL and 0 mean "any" */
        const char *state, *unit, *item, *subdistrict, *community, *grid;
        int64_t from, to;                       /* of the instant it was recorded: from <= created < to */
        bool rank;                              /* best first, of the newest RANK_MOST; else newest first */
        int64_t after_id, after_score;          /* where the page before ended; 0 = first page */
        int limit;
        int look, near;                         /* 0 = LOOK_MOST; 0 = WINDOW_NEAR */
        const struct sight *sight;
};
enum {
        LOOK_MOST = 5000,       /* cases that the index names and that are looked at for one page */
        PROVE_MOST = 2000,      /* of them those whose texts are read */
        RANK_MOST = 1000,       /* cases that are ranked */
        WINDOW_NEAR = 4000      /* the newest cases, which PostgreSQL is asked for first (find.c) */
};
struct hit { struct case_view view; int64_t score; struct parts *parts; };
/* more: there may be more behind after_id; a page may hold fewer than `limit`, even none, and still have more. */
struct search_page { struct hit *at; size_t n; bool more, complete; int64_t after_id, after_score; };
bool search_find(struct district *, struct store *, struct arena *, const struct asked *, const struct search_filter *,
                 struct search_page *, struct err *) MUST_CHECK;
/* The expression given to either engine, for the tests. */
const char *search_expression(struct arena *, const struct asked *, const struct search_filter *, bool postgres);

/* --- one text (match.c) -------------------------------------------------------------------------------------------------- */
/* Whether the case is one of those asked for, by its texts. */
bool parts_match(const struct parts *, const struct asked *);
/* How well, in millionths: see match.c.  length: the mean of words of the texts it is compared with. */
int64_t parts_score(const struct parts *, const struct asked *, double length);
size_t parts_length(const struct parts *);
/* "matches": an array of {field, text, start, marks}. */
void matches_json(const struct parts *, const struct asked *, struct arena *, struct json *);
#endif
