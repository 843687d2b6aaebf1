/* intake/keep.c -- see keep.h.  The only writer of report, report_attribute, report_media, report_same and intake_queue. */
#include "intake/keep.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "privacy/privacy.h"
#include "store/store.h"
#include "task/task.h"
#include <stdio.h>

static const char SQL_REPORT[] =
        "INSERT INTO report(id, channel, external_id, source, title, text, property, urgent, item, area, lon, lat, address,"
        " occurred_at,"
        " received_at, media, language) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        " ON CONFLICT (channel, external_id) DO NOTHING";
static const char SQL_ATTRIBUTE[] = "INSERT INTO report_attribute(report_id, n, code, value) VALUES ($1, $2, $3, $4)";
static const char SQL_PICTURE[] = "INSERT INTO report_media(report_id, n, hash, type, bytes, lon, lat, taken_at)"
                                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char SQL_SAME[] = "INSERT INTO report_same(report_id, same_as) VALUES ($1, $2)";
static const char SQL_QUEUED[] = "INSERT INTO intake_queue(report_id, number, track, cause, queued_at) VALUES ($1, $2, $3, $4, $5)";

static const char *or_empty(const char *text)
{
        return text ? text : "";
}

static bool keep_attributes(struct tx *tx, const struct kept *k, struct err *e)
{
        const struct report *r = k->report;
        for (size_t i = 0; i < r->n_attributes; i++)
                if (!tx_send(tx, e, SQL_ATTRIBUTE,
                             ARGS(V(k->id), V((int64_t)i + 1), V(r->attributes[i].code), V(r->attributes[i].value))))
                        return false;
        return true;
}

static bool keep_pictures(struct tx *tx, const struct kept *k, struct err *e)
{
        const struct report *r = k->report;
        for (size_t i = 0; i < r->n_pictures; i++)
                if (!tx_send(tx, e, SQL_PICTURE,
                             ARGS(V(k->id), V((int64_t)i + 1), V(r->pictures[i].hash), V(r->pictures[i].type),
                                  V(r->pictures[i].bytes), r->pictures[i].has_point ? V(r->pictures[i].point.lon) : V_NULL,
                                  r->pictures[i].has_point ? V(r->pictures[i].point.lat) : V_NULL,
                                  r->pictures[i].taken ? V(r->pictures[i].taken) : V_NULL)))
                        return false;
        return true;
}

bool keep_report(struct tx *tx, const struct kept *k, bool *stored, struct err *e)
{
        const struct report *r = k->report;
        int added = tx_expect(tx, e, SQL_REPORT,
                              ARGS(V(k->id), V(r->channel), text_empty(r->external_id) ? V_NULL : V(r->external_id),
                                   V(or_empty(r->source)), V(k->title), V(r->text), V(or_empty(r->property)), V(r->urgent ? 1 : 0),
                                   V(or_empty(r->item)), V(or_empty(r->area_code)), r->has_point ? V(r->point.lon) : V_NULL,
                                   r->has_point ? V(r->point.lat) : V_NULL, V(or_empty(r->address)),
                                   V(r->occurred ? r->occurred : k->received), V(k->received), V(r->media ? r->media : "[]"),
                                   V(or_empty(r->language))),
                              1);
        if (added < 0)
                return false;
        *stored = added == 1;
        if (!*stored)
                return true;
        if (!keep_attributes(tx, k, e) || !keep_pictures(tx, k, e))
                return false;
        if (!text_empty(r->same_as) && !tx_send(tx, e, SQL_SAME, ARGS(V(k->id), V(r->same_as))))
                return false;
        return !k->reporter || reporter_keep(tx, k->reporter, e);
}

bool keep_queued(struct tx *tx, const struct kept *k, const char *number, const char *track, const char *cause, struct err *e)
{
        char key[24];
        (void)snprintf(key, sizeof key, "%lld", (long long)k->id);
        return tx_send(tx, e, SQL_QUEUED, ARGS(V(k->id), V(number), V(track), V(cause), V(k->received)))
               && timer_set(tx, intake_retry_timer.name, key, k->received, NULL, e);
}
