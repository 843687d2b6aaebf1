/* server/figures.c -- see figures.h. */
#include "server/figures.h"
#include "archive/archive.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/log.h"
#include "calendar/calendar.h"
#include "cases/cases.h"
#include "district/district.h"
#include "exchange/exchange.h"
#include "intake/intake.h"
#include "notify/notify.h"
#include "store/store.h"
#include "task/task.h"
#include "triage/triage.h"
#include <stdio.h>
#include <unistd.h>

static void write_store(struct store *store, struct buf *out)
{
        const struct store_figures s = store_figures(store);
        figure(out, "yiwang_store_commits_total", "counter", "Commits; one may hold many writes.", s.commits);
        figure(out, "yiwang_store_writes_total", "counter", "Writes that were committed.", s.members);
        figure(out, "yiwang_store_retries_total", "counter", "Writes that ran again after a conflict.", s.retries);
        figure(out, "yiwang_store_alone_total", "counter", "Writes that ran again since one beside them was refused.", s.alone);
        figure(out, "yiwang_store_refused_total", "counter", "Writes refused by a rule, or failed.", s.refused);
        figure(out, "yiwang_store_busy_total", "counter", "Writes refused because the store was busy.", s.busy);
        figure(out, "yiwang_store_reconnects_total", "counter", "Connections to the database made anew.", s.reconnects);
        figure(out, "yiwang_store_queue", "gauge", "Writes that wait.", s.queue_now);
        figure_head(out, "yiwang_store_write_seconds", "histogram", "From asking for a write to its durable commit.");
        histogram_write(store_times(store), "yiwang_store_write_seconds", "", out);
}

static void write_archive(struct store *store, struct buf *out)
{
        struct archive_figures a;
        if (!store_archive(store, &a))
                return;
        figure(out, "yiwang_archive_keeps", "gauge", "1: this program keeps the archive; 0: another does.", a.keeps);
        figure(out, "yiwang_archive_failing", "gauge", "1: the last attempt to write the archive failed.", a.failing);
        figure(out, "yiwang_archive_commits_total", "counter", "Commits archived since the start.", a.commits);
        figure(out, "yiwang_archive_bytes_total", "counter", "Bytes archived since the start.", a.bytes);
        figure(out, "yiwang_archive_waiting", "gauge", "Commits that are not archived yet.", a.waiting);
        figure(out, "yiwang_archive_last_timestamp_seconds", "gauge", "Instant of the last archived commit; 0 = none.",
               a.instant / USEC_SECOND);
}

static void write_tasks(struct store *store, const struct consumer *const *consumers, int64_t now, struct buf *out)
{
        struct timer_counts t = {0};
        struct err e;
        if (timers_counts(store, now, &t, &e)) {
                figure(out, "yiwang_timers_waiting", "gauge", "Timers that are set, up to 100000.", t.waiting);
                figure(out, "yiwang_timers_overdue", "gauge", "Timers whose time has come, up to 100000.", t.overdue);
                figure(out, "yiwang_timers_parked", "gauge", "Timers given up after too many failures, up to 100000.", t.parked);
                figure(out, "yiwang_timers_lag_seconds", "gauge", "How long the oldest overdue timer has waited.",
                       t.lag / USEC_SECOND);
        }
        figure_head(out, "yiwang_outbox_waiting", "gauge", "Events a consumer has not read yet.");
        for (size_t i = 0; consumers[i]; i++) {
                int64_t events, lag;
                if (outbox_behind(store, consumers[i]->name, now, &events, &lag, &e))
                        buf_format(out, "yiwang_outbox_waiting{consumer=\"%s\"} %lld\n", consumers[i]->name, (long long)events);
        }
        figure_head(out, "yiwang_outbox_lag_seconds", "gauge", "Age of the oldest event a consumer has not read.");
        for (size_t i = 0; consumers[i]; i++) {
                int64_t events, lag;
                if (outbox_behind(store, consumers[i]->name, now, &events, &lag, &e))
                        buf_format(out, "yiwang_outbox_lag_seconds{consumer=\"%s\"} %lld\n", consumers[i]->name,
                                   (long long)(lag / USEC_SECOND));
        }
}

static void write_cases(struct store *store, int64_t now, struct buf *out)
{
        int64_t open, late;
        struct err e;
        if (!cases_counts(store, now, &open, &late, &e))
                return;
        figure(out, "yiwang_cases_open", "gauge", "Open cases, up to 100000.", open);
        figure(out, "yiwang_cases_late", "gauge", "Open cases whose deadline has passed, up to 100000.", late);
}

static void write_memory(struct buf *out)
{
        long pages = 0;
        FILE *f = fopen("/proc/self/statm", "re");
        if (f && fscanf(f, "%*s %18ld", &pages) == 1)
                figure(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
                       (int64_t)pages * (int64_t)sysconf(_SC_PAGESIZE));
        if (f)
                (void)fclose(f);
}

void district_figures(struct district *d, struct store *store, const struct consumer *const *consumers, struct buf *out)
{
        struct err e = {0};
        int last, fallback;
        const int64_t now = clock_now();
        write_store(store, out);
        write_archive(store, out);
        write_tasks(store, consumers, now, out);
        write_cases(store, now, out);
        notify_figures(d, store, out);
        exchange_figures(store, out);
        if (d->reports)
                intake_figures_write(d->reports, out);
        triage_figures(d, out);
        const struct rulebook *rules = district_rules(d, &e);
        if (rules) {
                calendar_years(rules->calendar, &last, &fallback);
                figure(out, "yiwang_pack_version", "gauge", "Version of the pack in force.", rules->version);
                figure(out, "yiwang_calendar_last_year", "gauge", "Last year whose holidays the pack knows.", last);
        }
        figure(out, "yiwang_log_lost_total", "counter", "Log lines that could not be written.", log_lost());
        write_memory(out);
}
