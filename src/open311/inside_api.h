/* open311/inside_api.h -- what the files of this folder share. */
#ifndef OPEN311_INSIDE_API_H
#define OPEN311_INSIDE_API_H
#include "district/district.h"
#include "form/form.h"
#include "http/http.h"
#include "open311/document.h"
#include "open311/open311.h"
#include "sight/sight_api.h"
struct item;
struct state;
struct case_view;

#define OPEN311_BASE "/open311/v2"
enum { ROWS_MOST = 1000, DAYS_MOST = 90, DESCRIPTION_MOST = 4000 };

/* --- common_api.c: what every call does ---------------------------------------------------------------------- */
const struct open311_settings *settings_of(const struct request *);
bool wants_xml(const struct request *);                 /* by the ending of the address */
bool wants_english(const struct request *);             /* asked for with ?lang= or Accept-Language; else names are Chinese */
/* The answer's document; it sets the media type. */
struct document answer_begin(const struct request *, struct reply *);
/* "https://host/open311/v2": where clients reach us; in the arena. */
const char *public_url(const struct request *);
/* Refusals of http/ in the standard's form; a wrong or missing key is 403 there. */
refuse_fn open311_refuse;

/* What is wrong with a request, each fault with its own code; the status is that of the first. */
enum { FAULTS_MOST = 64 };
struct faults {
        struct { int code; const char *text; } at[FAULTS_MOST];
        int n;
        const struct request *rq;
};
/* Notes a fault; both sentences take the same arguments. */
void faults_add(struct faults *, int code, const char *en, const char *zh, ...) PRINTF_LIKE(3, 5) PRINTF_LIKE(4, 5);
bool faults_answer(const struct faults *, struct reply *);      /* writes them when there are any; then it is true */
/* jurisdiction_id, of the form or the query. */
void check_jurisdiction(struct faults *);
/* A time with its zone (W3C note, RFC 3339); a '+' that a client left unescaped in a query has become a blank.  0 when absent. */
int64_t time_given(struct faults *, const char *name, const char *text);
/* start_date and end_date of the query: at most 90 days; what is longer loses its older part. */
void span_given(struct faults *, int64_t *from, int64_t *to);
int64_t whole_given(struct faults *, const char *name, int64_t most, int64_t otherwise);        /* of the query: 1..most */
size_t list_given(struct faults *, const char *name, const char *const **out);  /* of the query: a comma list's pieces; none when absent */
/* A field of the form; NULL when absent, empty or (a fault) longer than `most` characters. */
const char *line_given(struct faults *, const char *name, size_t most);
/* A field that takes one value but stands more than once is a fault. */
void check_doubles(struct faults *);
/* All media_url of the form as the JSON text of a list; NULL when absent. */
const char *media_given(struct faults *);
/* The first address among the media of a report (JSON text of a list, or NULL); NULL when there is none. */
const char *media_url(const struct request *, const char *media);
const char *picture_url(const struct request *, const char *hash);
/* The channel a key reports for; NULL, with a fault noted, for who has no such key. */
const char *key_channel(struct faults *, const struct rulebook *);

/* For the standard a case is closed once its clocks are off for good or it has ended, though a clerk may still archive it. */
bool state_closes(const struct state *);

/* --- the calls ---------------------------------------------------------------------------------------------------- */
handler_fn get_discovery, get_services, get_definition, post_request, get_token, get_requests, get_request, get_updates, post_update,
        get_changes;
#endif
