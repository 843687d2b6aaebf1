/* server/settings.h -- every setting of the program: one typed table, read from a YAML file, then the environment, then flags.
 *
 * The later wins.  A setting `store_readers` is `store_readers:` in the file, YIWANG_STORE_READERS in the environment and
 * --store-readers on the command line.  An unknown name, a wrong type or a value out of range is refused with its place.
 */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H
#include "crypto/seal.h"
#include "exchange/exchange.h"
#include "ledger/checkpoint.h"
#include "notify/notify.h"
#include "open311/open311.h"
struct arena;

struct settings {
        const char *data;               /* folder of the district's files; "./data" */
        const char *store;              /* DSN; NULL = sqlite:DATA/yiwang.db */
        int store_readers, store_writers;
        const char *archive;            /* folder of the archive (archive/archive.h); NULL = none */
        int archive_days;               /* 14 */
        const char *seal_cipher;        /* becomes cipher */
        enum seal_cipher cipher;        /* of sealing keys that are made */
        const char *ledger_signature;   /* becomes ledger.kind */
        struct ledger_settings ledger;  /* ledger_origin, ledger_signature, ledger_minutes */
        int personal_hourly;            /* 60 */
        bool triage;                    /* true */
        const char *scan_command;       /* NULL = pictures are not examined */
        int scan_seconds;               /* 30 */
        const char *address;            /* "127.0.0.1" */
        int port;                       /* 8080 */
        int workers, queue, connections, connections_per_address, idle_seconds, streams;
        const char *trusted_proxy;
        const char *tls_certificate, *tls_key;
        int rate_reads, rate_writes, rate_key;
        bool access_log;
        const char *log_level;          /* debug, info, warn, error */
        const char *log_format;         /* text, json */
        const char *language;           /* of notices and of the command line: "zh" or "en" */
        const char *webhook_url, *webhook_secret;       /* become notify.webhooks */
        const char *sms_gateway, *quiet_hours;          /* become notify.sms, notify.quiet */
        struct notify_settings notify;  /* smtp_*, sms_*, webhook_*, message_hours, callback_days, gateway_ca, private_addresses */
        struct open311_settings open311; /* public_url, open311_jurisdiction, open311_contact */
        const char *exchange_peers;     /* becomes exchange.peers */
        struct exchange_settings exchange;
        const char *key_channel;        /* open311_channel: of keys without a channel of their own; "open311" */
};

/* One line of `yiwang serve --help` and of the man page each. */
struct setting { const char *name, *about, *about_zh; };
const struct setting *setting_at(size_t i);             /* NULL behind the last */

/* file: NULL = DATA/yiwang.yaml when it is there.  flag(): the value of --NAME ("store-readers"), NULL when not given.
 * Secrets are read from the files that *_file settings name and never printed. */
bool settings_read(struct arena *, const char *file, const char *(*flag)(void *ctx, const char *name), void *ctx,
                   struct settings *, struct err *) MUST_CHECK;
/* The name of the next setting, from rule *i on (0 at first), that differs; NULL when no more do.  *live: it may change while the
 * program serves. */
const char *settings_changed(const struct settings *, const struct settings *, size_t *i, bool *live);
/* The DSN to open: settings.store or the SQLite file below settings.data. */
const char *settings_dsn(struct arena *, const struct settings *);
#endif
