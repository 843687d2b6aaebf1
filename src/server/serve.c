/* server/serve.c -- a running district: what is opened, in which order, and closed in the other. */
#include "server/serve.h"
#include "archive/archive.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "capabilities.h"
#include "http/http.h"
#include "people/people.h"
#include "privacy/privacy.h"
#include "proof/proof.h"
#include "search/search.h"
#include "hotspots/hotspots.h"
#include "intake/intake.h"
#include "matters/matters.h"
#include "server/figures.h"
#include "server/settings.h"
#include "server/systemd.h"
#include "routing/routing.h"
#include "store/store.h"
#include "task/task.h"
#include "triage/triage.h"
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* No statement of a request takes as long, unless the database server hangs. */
enum { SILENCE_MS = 15000 };

struct running {
        struct district district; /* first: handlers get it as their app */
        struct arena *arena;
        struct store *store;
        struct identity_cache *identities;
        struct scheduler *slow, *idle, *aside; /* of timers that wait long, that compute long; of consumers that do */
        const struct settings *settings;       /* in force; after a reload in settings_arena */
        struct arena *settings_arena;
        const struct consumer *const *consumers;
        struct intake_figures *reports;
        pthread_mutex_t waking; /* the scheduler wakes the server's streams until the server goes */
};

/* --- what HTTP asks of us ------------------------------------------------------------------------------------------------ */
static bool identify(struct request *rq, struct err *e)
{
        const struct running *r = rq->app;
        return people_identify(r->identities, rq, e);
}

static bool ready(void *app, struct err *e)
{
        struct running *r = app;
        int last, fallback;
        if (!store_alive(r->store, e))
                return false;
        const struct rulebook *rules = district_rules(&r->district, e);
        if (!rules)
                return false;
        calendar_years(rules->calendar, &last, &fallback);
        const int year = civil_of(clock_now(), ZONE_SHANGHAI).year;
        return year <= last || year <= fallback
               || err_set(e, ERR_FAULT, "the calendar ends with %d: add the holidays of %d to the pack and load it", last, year);
}

static void metrics(void *app, struct buf *out)
{
        struct running *r = app;
        district_figures(&r->district, r->store, r->consumers, out);
}

/* So many requests at once, and what may wait is put off. */
enum { BUSY_REQUESTS = 8 };

static bool busy(void *ctx)
{
        struct running *r = ctx;
        (void)pthread_mutex_lock(&r->waking);
        const bool is = r->district.server && server_requests(r->district.server) >= BUSY_REQUESTS;
        (void)pthread_mutex_unlock(&r->waking);
        return is;
}

static void news(void *ctx)
{
        struct running *r = ctx;
        struct err e;
        if (!precedents_refresh(r->district.precedents, r->store, &e))
                log_err(LOG_WARN, "precedents.refresh", &e);
        if (!triage_refresh(&r->district, &e))
                log_err(LOG_WARN, "triage.refresh", &e);
        proof_news(&r->district, clock_now());
        scheduler_nudge(r->aside);
        (void)pthread_mutex_lock(&r->waking);
        if (r->district.server)
                server_wake_streams(r->district.server);
        (void)pthread_mutex_unlock(&r->waking);
}

/* --- opening and closing --------------------------------------------------------------------------------------------------- */
static const struct consumer *const *both(struct arena *a, const struct consumer *const *one, const struct consumer *const *other)
{
        size_t n = 0, m = 0;
        while (one[n])
                n++;
        while (other[m])
                m++;
        const struct consumer **all = NEW_ARRAY(a, const struct consumer *, n + m + 1);
        memcpy(all, one, n * sizeof *all);
        memcpy(all + n, other, m * sizeof *all);
        return all;
}

static bool open_district(struct running *r, const struct settings *s, const struct capabilities *c, struct err *e)
{
        const struct archive_options archive = {.folder = s->archive, .days = s->archive_days, .copies = true};
        const struct store_options options = {
                .dsn = settings_dsn(r->arena, s),
                .migrations = all_migrations,
                .readers = s->store_readers,
                .writers = s->store_writers,
                .silence_ms = SILENCE_MS,
                .archive = s->archive ? &archive : NULL,
        };
        if (!store_open(&r->store, &options, e))
                return false;
        const struct district_options district = {
                .store = r->store,
                .key_file = arena_format(r->arena, "%s/seal.key", s->data),
                .cipher = s->cipher,
                .readers = c->readers,
        };
        if (!district_open(&r->district, &district, e)
            || (s->triage && (!triage_open(&r->district, e) || !matters_open(&r->district, e) || !hotspots_open(&r->district, e))))
                return false;
        r->district.notify = &s->notify;
        r->district.open311 = &s->open311;
        r->district.ledger = &s->ledger;
        r->district.exchange = &s->exchange;
        r->district.data = s->data;
        r->district.scan_command = s->scan_command;
        r->district.scan_seconds = s->scan_seconds;
        r->district.personal_hourly = s->personal_hourly;
        r->district.key_channel = s->key_channel;
        r->district.reports = r->reports;
        r->consumers = both(r->arena, c->consumers, c->aside);
        const struct rulebook *rules = district_rules(&r->district, e);
        if (!rules)
                return false;
        int last, fallback;
        calendar_years(rules->calendar, &last, &fallback);
        if (civil_of(clock_now(), ZONE_SHANGHAI).year > last)
                log_event(LOG_WARN, "calendar.old", "last_year=%d weekends_only_until=%d", last, fallback);
        return true;
}

static bool start_schedulers(struct running *r, const struct capabilities *c, struct err *e)
{
        static const struct consumer *const none[] = {NULL};
        const struct scheduler_options usual = {
                .name = "scheduler", .store = r->store, .kinds = c->timers, .consumers = c->consumers, .ctx = r, .news = news};
        const struct scheduler_options slow = {
                .name = "slow", .store = r->store, .kinds = c->slow_timers, .consumers = none, .ctx = r};
        const struct scheduler_options idle = {.name = "idle",
                                               .store = r->store,
                                               .kinds = c->idle_timers,
                                               .consumers = none,
                                               .ctx = r,
                                               .yields = true,
                                               .busy = busy};
        const struct scheduler_options aside = {.name = "aside",
                                                .store = r->store,
                                                .kinds = NULL,
                                                .consumers = c->aside,
                                                .ctx = r,
                                                .keep = -1,
                                                .yields = true,
                                                .busy = busy};
        struct scheduler *started = NULL;
        const bool ok = privacy_start(&r->district, clock_now(), e) && triage_start(&r->district, clock_now(), e)
                        && hotspots_start(&r->district, clock_now(), e) && proof_start(&r->district, clock_now(), e)
                        && search_start(&r->district, clock_now(), e) && scheduler_start(&r->slow, &slow, e)
                        && scheduler_start(&r->idle, &idle, e) && scheduler_start(&r->aside, &aside, e)
                        && scheduler_start(&started, &usual, e);
        atomic_store(&r->district.scheduler, started); /* the server's workers look at it already */
        return ok;
}

static struct server_options server_options_of(const struct settings *s)
{
        return (struct server_options){
                .address = s->address,
                .port = s->port,
                .workers = s->workers,
                .queue = s->queue,
                .connections = s->connections,
                .connections_per_address = s->connections_per_address,
                .idle_seconds = s->idle_seconds,
                .rate_reads = s->rate_reads,
                .rate_writes = s->rate_writes,
                .rate_key = s->rate_key,
                .tls_certificate = s->tls_certificate,
                .tls_key = s->tls_key,
                .streams = s->streams,
                .title = "yiwang",
                .release = YIWANG_VERSION,
                .trusted_proxy = s->trusted_proxy,
                .access_log = s->access_log,
        };
}

static bool start_server(struct running *r, const struct settings *s, const struct capabilities *c, struct server **out,
                         struct err *e)
{
        size_t n = 0;
        while (c->routes[n])
                n++;
        const struct route **tables = NEW_ARRAY(r->arena, const struct route *, n + 1);
        for (size_t i = 0; i < n; i++)
                tables[i] = *c->routes[i];
        struct server_options options = server_options_of(s);
        options.routes = tables;
        options.store = r->store;
        options.app = r;
        options.identify = identify;
        options.metrics = metrics;
        options.ready = ready;
        return server_start(out, &options, e);
}

static void close_all(struct running *r)
{
        struct server *server = r->district.server;
        (void)pthread_mutex_lock(&r->waking);
        r->district.server = NULL;
        (void)pthread_mutex_unlock(&r->waking);
        triage_stop(&r->district);
        server_stop(&server); /* finishes what was accepted; that may still nudge the scheduler */
        struct scheduler *usual = atomic_exchange(&r->district.scheduler, NULL);
        if (usual)
                scheduler_stop(&usual);
        if (r->slow)
                scheduler_stop(&r->slow);
        if (r->idle)
                scheduler_stop(&r->idle);
        if (r->aside)
                scheduler_stop(&r->aside);
        sender_stop(&r->district);
        hotspots_close(&r->district);
        matters_close(&r->district);
        triage_close(&r->district);
        district_close(&r->district);
        if (r->store)
                store_close(&r->store);
        identity_cache_free(&r->identities);
        if (r->settings_arena)
                arena_free(&r->settings_arena);
        intake_figures_free(&r->reports);
        arena_free(&r->arena);
}

/* Every open connection is a descriptor. */
static void raise_descriptors(void)
{
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

/* Every thread would keep a heap of its own with what its largest answers once needed: after long lists that was three quarters of
 * the memory of the program. */
static void share_heaps(void)
{
        (void)mallopt(M_ARENA_MAX, 8);
}

/* Names of what changed, for the log. */
static const char *changes(struct arena *a, const struct settings *was, const struct settings *is, bool wanted)
{
        const char *list = "", *name;
        bool live;
        for (size_t i = 0; (name = settings_changed(was, is, &i, &live));)
                if (live == wanted)
                        list = arena_format(a, "%s%s%s", list, *list ? "," : "", name);
        return *list ? list : "none";
}

/* The old settings' arena goes: nothing that runs points into it, since what was started with the first ones keeps those. */
static bool reload_settings(struct running *r, const struct settings_source *source, struct err *e)
{
        struct arena *a = arena_new();
        struct settings *now = NEW(a, struct settings);
        if (!source->read(source->ctx, a, now, e)) {
                arena_free(&a);
                return false;
        }
        const struct server_options options = server_options_of(now);
        if (!server_reload(r->district.server, &options, e)) {
                arena_free(&a);
                return false;
        }
        log_named(now->log_level ? now->log_level : "info");
        log_event(LOG_INFO, "serve.reload", "changed=%s needs_restart=%s", changes(a, r->settings, now, true),
                  changes(a, r->settings, now, false));
        if (r->settings_arena)
                arena_free(&r->settings_arena);
        r->settings_arena = a;
        r->settings = now;
        return true;
}

/* --- signals ----------------------------------------------------------------------------------------------------------------- */
static bool write_nothing(struct tx *tx, void *ctx, struct err *e)
{
        (void)tx, (void)ctx, (void)e;
        return true;
}

/* The store answers when it reads, and when it writes or, being busy, has committed something since we looked. */
static bool store_answers(struct running *r, int64_t *commits)
{
        struct err e = {0};
        const int64_t before = *commits;
        bool ok = store_alive(r->store, &e) && store_write(r->store, write_nothing, NULL, &e);
        *commits = store_figures(r->store).commits;
        ok = ok || (e.kind == ERR_BUSY && *commits > before);
        if (!ok)
                log_err(LOG_ERROR, "serve.watchdog", &e);
        return ok;
}

static void reload(struct running *r, const struct settings_source *source)
{
        struct err e = {0};
        char lines[80];
        (void)snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_steady());
        systemd_tell(lines);
        if (!reload_settings(r, source, &e))
                log_err(LOG_ERROR, "serve.reload", &e);
        if (!district_reload(&r->district, &e))
                log_err(LOG_ERROR, "serve.reload", &e);
        systemd_tell("READY=1");
}

static void wait_for_the_end(struct running *r, const struct settings_source *source, const sigset_t *signals)
{
        const int64_t feed = systemd_watchdog();
        const struct timespec every = {.tv_sec = feed / USEC_SECOND, .tv_nsec = feed % USEC_SECOND * 1000};
        int64_t commits = 0;
        for (;;) {
                if (feed > 0 && store_answers(r, &commits))
                        systemd_tell("WATCHDOG=1");
                const int number = feed > 0 ? sigtimedwait(signals, NULL, &every) : sigwaitinfo(signals, NULL);
                if (number == SIGHUP) {
                        reload(r, source);
                } else if (number > 0) {
                        log_event(LOG_INFO, "serve.stop", "signal=%d", number);
                        return;
                }
        }
}

/* Whoever asks again does not want to wait.  Commits are whole or not there, so nothing acknowledged is lost. */
static void *end_at_once(void *ctx)
{
        sigset_t signals;
        int number;
        (void)ctx;
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        while (sigwait(&signals, &number) != 0)
                ;
        log_event(LOG_WARN, "serve.stop_now", "signal=%d", number);
        _exit(1);
}

static void begin_the_end(void)
{
        pthread_t thread;
        systemd_tell("STOPPING=1");
        if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
                (void)pthread_detach(thread);
}

bool serve(const struct settings *s, const struct settings_source *source, const struct capabilities *c, struct err *e)
{
        struct running r = {.arena = arena_new(),
                            .identities = identity_cache_new(),
                            .reports = intake_figures_new(),
                            .settings = s,
                            .waking = PTHREAD_MUTEX_INITIALIZER};
        struct server *server = NULL;
        sigset_t signals;
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGHUP);
        (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* threads started from here on leave them to us */
        raise_descriptors();
        share_heaps();
        bool ok = open_district(&r, s, c, e) && start_server(&r, s, c, &server, e);
        r.district.server = server;
        ok = ok && sender_start(&r.district, e) && start_schedulers(&r, c, e);
        if (ok) {
                printf("listening on %s://%s:%d\n", s->tls_certificate ? "https" : "http", s->address, server_port(server));
                (void)fflush(stdout);
                systemd_tell("READY=1\nSTATUS=serving");
                wait_for_the_end(&r, source, &signals);
                begin_the_end();
        }
        close_all(&r);
        return ok;
}

bool serve_check(const struct settings *s, const struct capabilities *c, struct err *e)
{
        struct running r = {.arena = arena_new(),
                            .identities = identity_cache_new(),
                            .reports = intake_figures_new(),
                            .waking = PTHREAD_MUTEX_INITIALIZER};
        const struct server_options options = server_options_of(s);
        const bool ok = server_check(&options, e) && open_district(&r, s, c, e) && ready(&r, e);
        close_all(&r);
        return ok;
}
