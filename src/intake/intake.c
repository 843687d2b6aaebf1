/* intake/intake.c -- the walk of a report, from what was said to number, unit and due instant. */
#include "intake/intake.h"
#include "intake/channels.h"
#include "intake/keep.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "cases/cases.h"
#include "catalogue/catalogue.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "people/people.h"
#include "privacy/privacy.h"
#include "routing/routing.h"
#include "store/store.h"
#include "task/task.h"
#include "triage/triage.h"
#include "twin/twin.h"
#include <stdio.h>

enum { TITLE_CHARACTERS = 40 };

/* --- before the transaction: pure and bounded ------------------------------------------------------------------ */

static bool check_words(const struct rulebook *rules, struct arena *a, const struct report *r, struct err *e)
{
        if (!channel_find(rules->channels, r->channel))
                return err_both(e, ERR_INVALID, "channel", "there is no channel \"%s\" in this district's pack",
                                "本区没有“%s”这个渠道", r->channel);
        if (r->property && !property_find(rules->channels, r->property))
                return err_both(e, ERR_INVALID, "property", "there is no property \"%s\"; see properties.csv of the pack",
                                "没有“%s”这种问题性质", r->property);
        if (text_empty(r->text) || text_empty(text_trim(a, r->text)))
                return err_both(e, ERR_INVALID, "text", "say what the matter is", "请填写诉求内容");
        return true;
}

static bool find_item(const struct rulebook *rules, const struct report *r, const struct item **item, struct err *e)
{
        *item = NULL;
        if (text_empty(r->item))
                return true;
        *item = item_find(rules->catalogue, r->item);
        if (*item)
                return true;
        const struct item *near = item_near(rules->catalogue, r->item);
        if (near)
                return err_both(e, ERR_INVALID, "item", "there is no item \"%s\"; did you mean \"%s\" (%s)? See /api/v1/items",
                                "没有编码为“%s”的事项，是否为“%s”（%s）？可查 /api/v1/items", r->item, near->code, near->name);
        return err_both(e, ERR_INVALID, "item", "there is no item \"%s\"; see /api/v1/items",
                        "没有编码为“%s”的事项，可查 /api/v1/items", r->item);
}

static bool check_time(const struct report *r, int64_t now, struct err *e)
{
        if (r->occurred > now + USEC_DAY)
                return err_both(e, ERR_INVALID, "occurred_at", "the matter cannot have occurred in the future",
                                "发生时间不能晚于现在");
        return true;
}

/* The first words of the text, cut between characters. */
static const char *title_of(struct arena *a, const struct report *r)
{
        if (!text_empty(r->title))
                return r->title;
        const char *end = r->text;
        for (int n = 0; *end && *end != '\n' && n < TITLE_CHARACTERS; n++)
                do
                        end++;
                while (((unsigned char)*end & 0xC0) == 0x80);
        return arena_copy(a, r->text, (size_t)(end - r->text));
}

/* Everything about a report that can be known without the database. */
struct walk {
        struct district *district;
        struct arena *arena;
        const struct report *report;
        struct kept kept;
        struct place place;
        struct answer answer;
        struct opinion opinion; /* of a report without item; read says whether there is one */
        bool read;
        struct route_opinion route;
        struct entities named; /* in the text */
        bool placed;           /* by an area that the text names */
        struct filing filing;
        struct filing_plan *plan; /* NULL: cannot be filed now; the report is kept all the same */
        struct err cause;         /* why not */
        char turn[24];
        struct receipt *receipt;
        bool again;
};

/* A report that names no item is read by the machine: it takes the item it is sure of, and urgency it finds is never taken away. */
static const struct item *read_text(struct walk *w, const struct rulebook *rules)
{
        const struct report *r = w->report;
        const int64_t began = clock_steady();
        triage_read(w->district, rules, w->arena, r->title, r->text, 1, &w->opinion);
        triage_count(w->district, &w->opinion, clock_steady() - began);
        w->read = w->district->triage != NULL;
        return w->opinion.sure ? w->opinion.at[0].item : NULL;
}

/* Where it is: as the report says; else, the one area that its text names. */
static bool find_place(struct walk *w, const struct rulebook *rules, int64_t received, struct err *e)
{
        const struct report *r = w->report;
        const char *code = r->area_code;
        const bool unsaid = !r->has_point && text_empty(code);
        if (unsaid || r->occurred == 0)
                triage_entities(w->district, rules, w->arena, r->title, r->text, received, &w->named);
        w->placed = unsaid && w->named.area;
        return twin_locate(rules->twin, r->has_point ? &r->point : NULL, w->placed ? w->named.area->code : code, &w->place, e);
}

static int64_t occurred_at(const struct walk *w)
{
        if (w->report->occurred)
                return w->report->occurred;
        return w->named.occurred ? w->named.occurred : w->kept.received;
}

static void plan_filing(struct walk *w, const struct rulebook *rules, const struct item *item, const char *track, int64_t now)
{
        const struct report *r = w->report;
        const struct opinion *o = &w->opinion;
        w->filing = (struct filing){
                .id = w->kept.id,
                .rules = rules,
                .channel = r->channel,
                .source = r->source,
                .property = r->property,
                .title = w->kept.title,
                .track = track,
                .urgent = r->urgent || o->urgent,
                .item = item,
                .certainty = !w->read   ? (item ? 1.0 : 0.0)
                             : o->n > 0 ? o->at[0].p
                                        : 0.0,
                .place = &w->place,
                .address = r->address,
                .answer = &w->answer,
                .occurred = occurred_at(w),
                .now = w->kept.received,
                .told = now,
        };
        if (w->read && o->n > 0) {
                w->filing.item_why = o->why;
                w->filing.item_why_zh = o->why_zh;
        }
        if (w->placed) {
                w->filing.place_why = arena_format(w->arena, "The place %s was read from the text: %s.", w->named.area->name,
                                                   w->named.area_phrase);
                w->filing.place_why_zh =
                        arena_format(w->arena, "位置“%s”由内容得出：%s。", w->named.area->name, w->named.area_phrase);
        }
        if (!cases_plan(w->arena, &w->filing, &w->plan, &w->cause))
                w->plan = NULL;
}

static void find_unit(struct walk *w, const struct rulebook *rules, const struct item *item, int64_t received)
{
        const struct report *r = w->report;
        const struct area *area = w->place.area;
        district_route(w->district, rules, &(struct question){.item = item, .area = area, .turn = w->turn}, &w->answer);
        const struct route_question q = {
                .item = item, .area = area, .source = r->source, .property = r->property, .time = received};
        triage_route(w->district, rules, w->arena, &q, &w->answer, &w->route);
        /* With an item but no place the list may still know the unit; without an item a person looks first. */
        w->answer.sure = w->answer.sure && item != NULL;
}

static bool prepare(struct walk *w, const struct rulebook *rules, int64_t now, struct err *e)
{
        const struct report *r = w->report;
        const struct item *item;
        const int64_t received = r->received ? r->received : now;
        if (!check_words(rules, w->arena, r, e) || !check_time(r, now, e) || !find_item(rules, r, &item, e)
            || !find_place(w, rules, received, e))
                return false;
        char *track = arena_alloc(w->arena, TRACK_CHARACTERS + 1);
        w->kept = (struct kept){
                .id = id_new(w->district->ids, now), .report = r, .title = title_of(w->arena, r), .received = received};
        const struct reporter who = {r->name, r->phone, r->email, r->confidential};
        if (!random_token(track, TRACK_CHARACTERS, e)
            || !reporter_seal(w->district, w->arena, w->kept.id, &who, &w->kept.reporter, e))
                return false;
        if (!item)
                item = read_text(w, rules);
        (void)snprintf(w->turn, sizeof w->turn, "%lld", (long long)w->kept.id);
        find_unit(w, rules, item, received);
        plan_filing(w, rules, item, track, now);
        return true;
}

/* --- the transaction ---------------------------------------------------------------------------------------------- */

static bool accept_once(struct tx *tx, void *ctx, struct err *e)
{
        struct walk *w = ctx;
        bool stored;
        w->again = false;
        if (!keep_report(tx, &w->kept, &stored, e))
                return false;
        if (!stored) {
                w->again = true;
                return receipt_again(tx, w->district, w->arena, w->report, w->receipt, e);
        }
        /* Behind the news of the case: heard also where there is too much news to look at every case. */
        return cases_file(tx, w->district, &w->filing, w->plan, e)
               && (text_empty(w->report->same_as) || outbox_put(tx, "same", w->filing.number, "{}", w->filing.told, e))
               && (!w->read || triage_keep(tx, w->kept.id, &w->opinion, w->filing.told, e))
               && (!w->route.said || triage_keep_route(tx, w->kept.id, &w->route, w->filing.told, e));
}

/* Filing is impossible now: the report is kept and gets its number; a timer files it as soon as that works. */
static bool keep_once(struct tx *tx, void *ctx, struct err *e)
{
        struct walk *w = ctx;
        bool stored;
        w->again = false;
        if (!keep_report(tx, &w->kept, &stored, e))
                return false;
        if (!stored) {
                w->again = true;
                return receipt_again(tx, w->district, w->arena, w->report, w->receipt, e);
        }
        return keep_queued(tx, &w->kept, w->filing.number, w->filing.track, w->cause.text, e);
}

bool intake_accept(struct district *d, struct arena *a, const struct report *report, int64_t now, struct receipt *receipt,
                   struct err *e)
{
        struct walk w = {.district = d, .arena = a, .report = report, .receipt = receipt};
        const struct rulebook *rules = district_rules(d, e);
        const int64_t started = clock_steady();
        if (!rules || !prepare(&w, rules, now, e))
                return false;
        bool filed = w.plan && store_write(d->store, accept_once, &w, &w.cause);
        if (!filed && w.plan && w.cause.kind == ERR_BUSY) {
                *e = w.cause; /* the store takes nothing now: nothing was acknowledged, the channel tries again */
                return false;
        }
        if (!filed) {
                log_err(LOG_ERROR, "intake.kept", &w.cause);
                if (text_empty(w.filing.number))
                        (void)number_new(d->ids, rules->number_prefix, w.filing.now, w.filing.number);
                if (!store_write(d->store, keep_once, &w, e))
                        return false;
        }
        if (!w.again)
                receipt_new(a, &w.filing, filed, receipt);
        if (d->scheduler)
                scheduler_nudge(d->scheduler);
        if (d->reports && !w.again)
                intake_figures_count(d->reports, report->channel, clock_steady() - started);
        return true;
}
