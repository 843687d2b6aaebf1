/* exchange/table.h -- peers and their words of status, one pack version in memory.  Inside this folder. */
#ifndef EXCHANGE_TABLE_H
#define EXCHANGE_TABLE_H
#include "exchange/exchange.h"
struct rulebook;

enum rule { RULE_OURS, RULE_THEIRS, RULE_ASK, RULES };
struct status {                         /* one row of exchange/statuses.csv */
        bool out;
        const char *ours;               /* out: a state or a move */
        const char *word;
        char **moves; size_t n_moves;   /* in */
        enum rule rule;                 /* in: when both sides changed the case */
};
struct peer {
        const char *code, *name, *name_en;
        bool in, out;                   /* cases come from it; go to it */
        const char *unit;               /* stands for it here; NULL */
        int role;                       /* its moves are taken as if by this role */
        const char *channel;            /* NULL */
        char **items, **areas, **properties, **channels; size_t n_items, n_areas, n_properties, n_channels;   /* none = all */
        struct status *statuses; size_t n_statuses;
};
struct peers { struct peer *at; size_t n; };

const struct peer *peer_find(const struct peers *, const char *code);          /* NULL when unknown; peers may be NULL */
const struct peer *peer_of_unit(const struct peers *, const char *unit);       /* one that cases go to; NULL */
/* The word for a row of history: by its move, else (unless only_move) by the state it led to; NULL: the other side is not told. */
const char *peer_word(const struct peer *, const char *move, const char *state, bool only_move);
/* The row for a word that comes in.  NULL: ERR_INVALID says which words are known. */
const struct status *peer_status(const struct peer *, const char *word, struct err *);
/* Whether the case is one that goes to the peer. */
struct case_kind { const char *item, *area, *property, *channel; };
bool peer_covers(const struct peer *, const struct rulebook *, const struct case_kind *);
#endif
