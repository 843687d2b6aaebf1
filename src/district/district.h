/* district/district.h -- one open district: its store, its pack versions in memory, its ids and keys. */
#ifndef DISTRICT_DISTRICT_H
#define DISTRICT_DISTRICT_H
#include "base/base.h"
#include "crypto/seal.h"
struct arena;
struct calendar;
struct catalogue;
struct channels;
struct id_source;
struct intake_figures;
struct ledger_settings;
struct hotspots;
struct matters;
struct notices;
struct notify_settings;
struct peers;
struct exchange_settings;
struct fold;
struct open311_settings;
struct answer;
struct pack_part;
struct precedents;
struct question;
struct routing;
struct scheduler;
struct sender;
struct server;
struct store;
struct triage;
struct twin;
struct tx;
struct units;
struct workflows;

/* One pack version in memory: immutable, shared by all threads. */
struct rulebook {
        int64_t version;
        const char *name, *title, *title_en, *number_prefix;
        struct units *units;
        struct calendar *calendar;
        struct catalogue *catalogue;
        struct twin *twin;
        struct routing *routing;
        struct workflows *workflows;    /* of cases/, made by rulebook_readers.workflows */
        struct channels *channels;      /* of intake/, made by rulebook_readers.channels */
        struct notices *notices;        /* of notify/, made by rulebook_readers.notices */
        struct peers *peers;            /* of exchange/, made by rulebook_readers.peers; NULL = none */
        struct arena *arena;
};

struct district {
        struct store *store;
        struct id_source *ids;
        struct keyring *keys;           /* what reporters are sealed with; each use asks keyring_now() */
        _Atomic(struct scheduler *) scheduler;   /* NULL in commands that run none */
        struct server *server;          /* NULL in commands */
        const struct notify_settings *notify;   /* NULL: messages go to the log only */
        struct sender *sender;          /* of notify/; NULL: nothing is sent */
        const struct open311_settings *open311; /* NULL in commands */
        const struct ledger_settings *ledger;   /* how checkpoints are signed; NULL: none are made */
        const struct exchange_settings *exchange; /* NULL: no other platform is reached */
        int personal_hourly;            /* reporters one person may look up in an hour; 0 = any number */
        const char *scan_command;       /* examines pictures (media/scan.h); NULL */
        int scan_seconds;
        const char *data;               /* folder of the district's files; NULL in tests */
        const char *key_channel;        /* what keys without a channel of their own report through at the open edges; NULL */
        struct precedents *precedents;  /* rulings of disputes, see routing/ */
        struct hotspots *hotspots;      /* of hotspots/; NULL: topics are not looked for */
        struct matters *matters;        /* of matters/; NULL: nothing is compared */
        struct triage *triage;          /* of triage/; NULL: nothing is read by the machine */
        struct intake_figures *reports; /* of intake/; NULL: reports are not counted */
        int64_t sweep_asked;            /* of proof/: steady clock until which a sweep is asked for already */
        void *inside;                   /* the rulebooks by version */
};

/* These capabilities stand above this folder, so what reads their part of a pack comes from above.  notices may be NULL where
 * nobody is told anything, peers where nothing is exchanged. */
struct rulebook_readers {
        bool (*workflows)(struct tx *, struct arena *, int64_t version, struct workflows **, struct err *);
        bool (*channels)(struct tx *, struct arena *, int64_t version, struct channels **, struct err *);
        bool (*notices)(struct tx *, struct arena *, int64_t version, struct notices **, struct err *);
        bool (*peers)(struct tx *, struct arena *, int64_t version, struct peers **, struct err *);
};
struct district_options {
        struct store *store;
        const char *key_file;           /* sealing keys; made when absent */
        enum seal_cipher cipher;        /* of a key made now; 0 = SEAL_AES */
        struct rulebook_readers readers;
};
bool district_open(struct district *, const struct district_options *, struct err *) MUST_CHECK;
void district_close(struct district *);         /* not the store */

/* The active version's rulebook; stays valid until district_close() (versions are few and kept: old cases need theirs).
 * ERR_FAULT when no pack is loaded. */
const struct rulebook *district_rules(struct district *, struct err *);
/* The rulebook a case was opened under; loaded on first use. */
const struct rulebook *district_rules_of(struct district *, int64_t version, struct err *);
/* Who is responsible: by a precedent, else by the list of `rules`.  Never fails. */
void district_route(struct district *, const struct rulebook *rules, const struct question *, struct answer *);
/* Makes a newly loaded version the active one; earlier readers keep theirs. */
bool district_reload(struct district *, struct err *) MUST_CHECK;
/* How texts are folded (text/fold.h); made when first asked for, valid until district_close().  NULL: ERR_FAULT. */
const struct fold *district_fold(struct district *, struct err *);
/* A rulebook of a version being staged, inside its transaction (pack examples). Free with rulebook_free(). */
bool rulebook_load(struct tx *, int64_t version, const struct rulebook_readers *, struct rulebook **, struct err *) MUST_CHECK;
void rulebook_free(struct rulebook **);
#endif
