/* evidence/evidence.h -- proof of action: pictures from before and after, signatures and measurements that a unit adds to a case, and what
 * the pack demands of each item before a case may be handed over (evidence.csv).
 *
 * What is demanded can be waived by a second person with a reason (effect `waive_evidence`).  Once the citizen was answered he sees the
 * pictures from before and after, without what the camera wrote beside them.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H
#include "base/base.h"
struct arena;
struct case_part;
struct district;
struct media;
struct mover;
struct pack_part;
struct route;
struct sight;
struct tx;
struct vocabulary;

extern const struct vocabulary evidence_words;  /* need `evidence`, effect `waive_evidence` */
extern const struct pack_part evidence_pack;    /* evidence.csv */
extern const struct case_part evidence_part;    /* "evidence" of a case's answer */
extern const struct route *const evidence_routes;

/* One piece; texts live in the arena.  A measurement has a value, the others a picture. */
struct evidence {
        int64_t n;                      /* 1, 2, ... in the case */
        const char *kind;               /* photo_before, photo_after, photo, signature, measurement, waiver */
        const char *hash, *type;        /* of the picture; "" = none */
        int64_t bytes;
        bool has_point; double lon, lat;        /* where it was taken: as the picture says, else as the sender does */
        int64_t taken;                  /* as the picture says; 0 = it does not */
        bool has_metres; double metres; /* from the place of the case */
        bool has_value; double value;
        const char *note, *actor, *unit;
        int64_t at;
};
/* Adds a piece; kind, note, value, point, media are given, the rest is filled in.  The same picture of the same kind twice is one piece.
 * ERR_NOT_FOUND: no such case in sight; ERR_CONFLICT: it has ended; ERR_INVALID: too much, or no such kind. */
struct adding {
        const char *number;
        const struct mover *mover;      /* with its sight */
        const struct media *media;      /* kept already (media_keep); NULL for a measurement */
        int64_t now;
        struct evidence piece;
};
bool evidence_add(struct district *, struct arena *, struct adding *, struct err *) MUST_CHECK;
/* All pieces of a case, oldest first. */
bool evidence_of(struct tx *, struct arena *, int64_t case_id, struct evidence **, size_t *n, struct err *) MUST_CHECK;
#endif
