/* intake/intake.h -- a report comes in: stored first, kept whatever fails after, and the right unit has it at once. */
#ifndef INTAKE_INTAKE_H
#define INTAKE_INTAKE_H
#include "base/base.h"
#include "geo/geo.h"
struct arena;
struct buf;
struct district;
struct pack_part;
struct route;
struct store;
struct timer_kind;

/* Kept already (media/media.h); where and when it was taken, as the camera wrote: taken 0 = unsaid. */
struct picture { const char *hash, *type; int64_t bytes; bool has_point; struct point point; int64_t taken; };
struct attribute_value { const char *code, *value; };

struct report {
        const char *channel, *external_id, *source;     /* external_id, source may be NULL */
        const char *title, *text;                       /* title may be NULL */
        int64_t occurred;                               /* 0 = unsaid */
        int64_t received;                               /* 0 = now (import gives the original instant) */
        bool has_point; struct point point;
        const char *address, *area_code, *item, *property;      /* may be NULL */
        bool urgent;
        const char *name, *phone, *email; bool confidential;    /* the reporter; may be NULL */
        const char *language;                           /* in which the reporter is written to: "zh", "en"; NULL = unsaid */
        const char *same_as;                            /* what POST /api/v1/alike called the case that the reporter follows; NULL */
        const char *media;                              /* JSON text of an array; NULL */
        const struct attribute_value *attributes; size_t n_attributes;  /* what the item asks; checked by the caller */
        const struct picture *pictures; size_t n_pictures;
};
struct receipt {                                        /* texts live in the arena */
        bool again;                                     /* the same report had come before; nothing new was stored */
        bool waiting;                                   /* kept, but not filed yet: the number is not that of a case so far */
        const char *number, *track, *state;
        const char *item_code, *item_name; double certainty;
        const char *unit_code, *unit_name;
        const char *assist_codes[8], *assist_names[8]; size_t n_assists;
        int64_t due;
        const char *why[8], *why_zh[8]; size_t n_why;
};
/* The walk of a report.  ERR_INVALID names the field; ERR_BUSY and ERR_FAULT: nothing was acknowledged. */
bool intake_accept(struct district *, struct arena *, const struct report *, int64_t now, struct receipt *, struct err *) MUST_CHECK;

/* What a channel says later about a case of its own: kept with the case, shown to staff beside the report.  *id is the note's, the
 * same again for the same external_id of the same sender.  ERR_NOT_FOUND: that channel has no such case. */
struct note { const char *number, *channel, *sender, *external_id, *text, *media; };     /* external_id, media may be NULL */
bool intake_note(struct district *, const struct note *, int64_t now, int64_t *id, bool *again, struct err *) MUST_CHECK;

/* A report that is kept but not filed yet, by its tracking code in any case of letters: 1 found, 0 none, -1 error. */
struct waiting { const char *number, *track; int64_t received; };
int intake_waiting(struct store *, struct arena *, const char *code, struct waiting *, struct err *) MUST_CHECK;

/* Reports since the start by channel, and how long they took (district.reports). */
struct intake_figures;
struct intake_figures *intake_figures_new(void);
void intake_figures_free(struct intake_figures **);
void intake_figures_count(struct intake_figures *, const char *channel, int64_t usec);         /* any thread */
void intake_figures_write(struct intake_figures *, struct buf *);       /* in Prometheus' text form */

extern const struct pack_part intake_pack;              /* channels.csv */
extern const struct timer_kind intake_retry_timer;      /* files what could not be filed at once */
extern const struct route *const intake_routes, *const track_routes;
#endif
