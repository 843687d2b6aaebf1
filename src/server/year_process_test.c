/* server/year_process_test.c -- a year of a district: reports by day and night, a small population that works on them in office
 * hours, and timers that ring at their instants; all by a clock that is given.  Once a week, and at the end, the invariants hold.
 *
 * What becomes of a report is a fate: a list of acts, each so many working minutes behind the one before.  Some are left alone; of
 * those everything the clocks must tell is counted here anew.  YIWANG_YEAR=20000 are so many reports; unsaid, as many as take about
 * half a minute under AddressSanitizer on a machine that does little else.
 */
#include "server/invariants_test.h"
#include "server/told_test.h"
#include "ledger/checkpoint.h"
#include "proof/sweep.h"
#include <unistd.h>

enum { REPORTS = 1500, REPORTS_POSTGRES = 250, RINGS = 200, PERSONS = 3 };

enum who { UNIT, CHIEF, CLERK, DISPATCHER, SUPERVISOR, WHO_COUNT };
enum must { TAKEN, REFUSED, UNTIL_REFUSED };
struct act {
        const char *move;
        enum who who;
        const char *form;
        int least, most; /* working minutes behind the act before */
        enum must must;
};
struct fate {
        const char *name;
        int share; /* of 100 */
        const struct act *acts;
        bool unsure;    /* the report names no item */
        bool ordinary;  /* never urgent: what is asked in time must come before the deadline */
        bool forgotten; /* nobody does any more than the acts say */
};

/* --- fates ------------------------------------------------------------------------------------------------------------------- */
static const char done[] = "{\"result\": \"done\", \"reason\": \"no help was needed\"}", why[] = "{\"reason\": \"parts\"}",
                  solved[] = "{\"solved\": true}", unsolved[] = "{\"solved\": false}",
                  not_ours[] = "{\"reason_code\": \"not_mine\", \"reason\": \"not ours\"}",
                  theirs[] = "{\"unit\": \"city-management\", \"reason\": \"theirs\"}",
                  others[] = "{\"unit\": \"traffic-police\", \"reason\": \"theirs\"}",
                  contested[] = "{\"reason\": \"not ours\", \"facts\": \"something new\"}",
                  positions[] = "{\"units\": [\"traffic-police\", \"city-management\"]}",
                  ruling[] = "{\"unit\": \"traffic-police\", \"reason_code\": \"can_act\", \"result\": \"they can act\"}",
                  known[] = "{\"item\": \"c01005\", \"unit\": \"power-supply\"}",
                  repeated[] = "{\"reason_code\": \"repeated\", \"reason\": \"settled\"}";
/* clang-format off */
#define SIGNS {"sign", UNIT, NULL, 5, 20, TAKEN}, {"handle", UNIT, NULL, 5, 20, TAKEN}
#define HANDS {"hand_over", UNIT, done, 10, 200, TAKEN}
#define REPLIES {"pass_review", CLERK, NULL, 10, 200, TAKEN}, {"reply", CLERK, done, 10, 200, TAKEN}, \
                {"answer_supervision", UNIT, done, 1, 5, UNTIL_REFUSED}
#define CLOSES REPLIES, {"call_back", CLERK, solved, 30, 900, TAKEN}, {"archive", CLERK, NULL, 10, 2000, TAKEN}, {0}
#define ASKS {"request_extension", UNIT, why, 5, 15, TAKEN}
#define PASSES {"pass_extension", CHIEF, NULL, 1, 8, TAKEN}
#define GRANTS {"grant_extension", DISPATCHER, NULL, 1, 8, TAKEN}

static const struct act prompt[] = {SIGNS, HANDS, CLOSES};
static const struct act slow[] = {{"sign", UNIT, NULL, 200, 700, TAKEN}, {"handle", UNIT, NULL, 100, 1600, TAKEN},
        {"urge", CLERK, NULL, 10, 400, TAKEN}, {"urge", CLERK, NULL, 0, 0, REFUSED},
        {"hand_over", UNIT, done, 600, 4800, TAKEN}, CLOSES};
static const struct act returned[] = {{"return", UNIT, not_ours, 5, 200, TAKEN}, {"redispatch", DISPATCHER, theirs, 10, 100, TAKEN},
        SIGNS, HANDS, CLOSES};
static const struct act returned_twice[] = {{"return", UNIT, not_ours, 5, 200, TAKEN},
        {"redispatch", DISPATCHER, theirs, 10, 100, TAKEN},
        {"return", UNIT, not_ours, 5, 200, TAKEN}, {"redispatch", DISPATCHER, others, 10, 100, TAKEN},
        {"return", UNIT, not_ours, 5, 200, REFUSED}, SIGNS, HANDS, CLOSES};
static const struct act suspended[] = {SIGNS, {"suspend", SUPERVISOR, "", 5, 30, TAKEN},
        {"suspend", SUPERVISOR, "", 1, 30, REFUSED}, HANDS, CLOSES};
static const struct act extended[] = {SIGNS, ASKS, PASSES, GRANTS, ASKS, PASSES, GRANTS,
        {"request_extension", UNIT, why, 1, 8, REFUSED}, HANDS, CLOSES};
static const struct act not_extended[] = {SIGNS, ASKS, {"refuse_extension", CHIEF, why, 1, 8, TAKEN}, ASKS, PASSES,
        {"refuse_extension", DISPATCHER, why, 1, 8, TAKEN}, ASKS, PASSES, GRANTS, ASKS, PASSES, GRANTS, HANDS, CLOSES};
static const struct act ruled[] = {{"contest", UNIT, contested, 5, 60, TAKEN}, {"contest", UNIT, contested, 0, 5, REFUSED},
        {"hear", DISPATCHER, positions, 5, 60, TAKEN}, {"rule", SUPERVISOR, ruling, 5, 900, TAKEN}, SIGNS, HANDS, CLOSES};
static const struct act withdrawn[] = {SIGNS, {"contest", UNIT, contested, 5, 60, TAKEN},
        {"withdraw_dispute", UNIT, NULL, 5, 100, TAKEN}, HANDS, CLOSES};
static const struct act redone[] = {SIGNS, HANDS, REPLIES, {"call_back", CLERK, unsolved, 30, 900, TAKEN}, HANDS, CLOSES};
static const struct act redone_twice[] = {SIGNS, HANDS, REPLIES, {"call_back", CLERK, unsolved, 30, 900, TAKEN}, HANDS, REPLIES,
        {"call_back", CLERK, unsolved, 30, 900, TAKEN}, HANDS, CLOSES};
static const struct act reworked[] = {SIGNS, HANDS, {"rework", SUPERVISOR, why, 10, 100, TAKEN}, HANDS, CLOSES};
static const struct act unsure[] = {{"dispatch", DISPATCHER, known, 10, 200, TAKEN}, SIGNS, HANDS, CLOSES};
static const struct act rejected[] = {{"reject", CLERK, repeated, 10, 100, TAKEN}, {"archive", CLERK, NULL, 10, 2000, TAKEN}, {0}};
static const struct act never[] = {{0}}, signed_only[] = {{"sign", UNIT, NULL, 5, 400, TAKEN}, {0}}, begun_only[] = {SIGNS, {0}};

static const struct fate fates[] = {
        {"prompt", 34, prompt, false, false, false},       {"slow", 12, slow, false, false, false},
        {"returned", 6, returned, false, false, false},    {"returned twice", 4, returned_twice, false, false, false},
        {"suspended", 7, suspended, false, false, false},  {"extended", 6, extended, false, true, false},
        {"not extended", 4, not_extended, false, true, false}, {"ruled", 4, ruled, false, false, false},
        {"withdrawn", 3, withdrawn, false, false, false},  {"redone", 4, redone, false, false, false},
        {"redone twice", 2, redone_twice, false, false, false}, {"reworked", 3, reworked, false, false, false},
        {"unsure", 4, unsure, true, false, false},         {"rejected", 2, rejected, true, false, false},
        {"never seen", 2, never, false, false, true},      {"signed only", 1, signed_only, false, false, true},
        {"begun only", 1, begun_only, false, false, true}, {"never dispatched", 1, never, true, false, true},
};
/* clang-format on */

/* --- the year ---------------------------------------------------------------------------------------------------------------- */
struct life {
        const struct fate *fate;
        const char *number, *item, *unit; /* unit: in charge */
        int64_t id, began, next;          /* next: of its next act, or of the report itself */
        int64_t until;                    /* of its suspension; 0 = none */
        size_t step;
        bool urgent, touched;
};
struct year {
        struct world *w;
        const struct workflow *workflow;
        const struct calendar *calendar;
        struct arena *lasting;
        struct signers *signers;
        uint64_t seed;
        int64_t now, week; /* week: when the next one ends */
        struct life *lives, **heap;
        size_t n, n_heap, acts, rings, checks;
};

static void sink(struct year *y, size_t i)
{
        for (;;) {
                size_t least = i;
                for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < y->n_heap; k++)
                        if (y->heap[k]->next < y->heap[least]->next)
                                least = k;
                if (least == i)
                        return;
                struct life *other = y->heap[i];
                y->heap[i] = y->heap[least];
                y->heap[least] = other;
                i = least;
        }
}

/* The instant of the next act, or none: then the life leaves the heap.  It is the first of it. */
static void go_on(struct year *y, struct life *l, int64_t from)
{
        const struct act *a = &l->fate->acts[l->step];
        if (!a->move) {
                y->heap[0] = y->heap[--y->n_heap];
        } else {
                const int64_t minutes = a->least + (int64_t)drawn(&y->seed, (size_t)(a->most - a->least) + 1);
                l->next = behind(y->calendar, from, minutes * USEC_MINUTE, LIMIT_WORK_HOUR);
        }
        sink(y, 0);
}

static struct mover mover_of_year(const struct year *y, const struct life *l, enum who who)
{
        static const char *const names[WHO_COUNT][PERSONS] = {{"wang", "li", "zhao"},
                                                              {"chief wu", "chief sun", "chief he"},
                                                              {"carl", "cora", "chen"},
                                                              {"dora", "dan", "deng"},
                                                              {"sue", "sam", "shi"}};
        static const int roles[WHO_COUNT] = {ROLE_UNIT, ROLE_UNIT, ROLE_CLERK, ROLE_DISPATCHER, ROLE_SUPERVISOR};
        return (struct mover){.name = names[who][(size_t)(l - y->lives) % PERSONS],
                              .role = roles[who],
                              .unit = roles[who] == ROLE_UNIT ? l->unit : NULL};
}

static void report(struct year *y, struct life *l)
{
        static const char *const items[] = {"c01001", "c01005", "m06022", "m06026"};
        static const char *const areas[] = {"440310001001", "440310005001", "440310003001"};
        l->item = l->fate->unsure ? NULL : items[drawn(&y->seed, COUNT_OF(items))];
        l->urgent = !l->fate->ordinary && drawn(&y->seed, 8) == 0;
        l->began = l->next;
        l->number = arena_text(y->lasting, case_new(y->w, l->item, areas[drawn(&y->seed, COUNT_OF(areas))], l->urgent, l->next));
        const struct case_detail d = read_case(y->w, l->number);
        l->id = d.view.id;
        l->unit = arena_text(y->lasting, d.view.unit);
        if (!text_is(d.view.state, l->item ? "dispatched" : "filed"))
                fail_msg("%s of item %s is %s", l->number, l->item ? l->item : "-", d.view.state);
}

static const char *form_of(struct year *y, struct life *l, const struct act *a)
{
        char text[TIME_TEXT_SIZE];
        if (!text_is(a->move, "suspend"))
                return a->form;
        const int64_t until =
                l->next + (int64_t)(1 + drawn(&y->seed, 60)) * USEC_DAY + (int64_t)drawn(&y->seed, 1440) * USEC_MINUTE;
        if (a->must == TAKEN)
                l->until = until;
        return arena_format(y->w->arena, "{\"reason\": \"road works\", \"until\": \"%s\"}", time_text(text, until, ZONE_SHANGHAI));
}

/* An extension adds one original limit behind the deadline there was. */
static void extended_by_one_limit(const struct year *y, const struct life *l, int64_t before)
{
        const struct item *item = item_find(y->w->rules->catalogue, l->item);
        assert_int_equal(read_case(y->w, l->number).view.due,
                         behind(y->calendar, before, calendar_length(y->calendar, item->handle), item->handle.unit));
}

static void act(struct year *y, struct life *l)
{
        const struct act *a = &l->fate->acts[l->step];
        const struct mover mover = mover_of_year(y, l, a->who);
        const char *form = form_of(y, l, a);
        const bool grants = text_is(a->move, "grant_extension");
        const int64_t due = grants ? read_case(y->w, l->number).view.due : 0;
        struct err e;
        bool taken;
        do {
                taken = try_move(y->w, l->number, a->move, &mover, form, l->next, &e);
                y->acts++;
        } while (taken && a->must == UNTIL_REFUSED);
        if (taken != (a->must == TAKEN) || (!taken && e.kind != ERR_CONFLICT))
                fail_msg("%s, %s: %s by %s: %s", l->number, l->fate->name, a->move, mover.name, taken ? "was taken" : e.text);
        const struct json_value *v = form ? json_parse(y->w->arena, form, strlen(form), &e) : NULL;
        if (taken && v && json_get_text(v, "unit", NULL))
                l->unit = arena_text(y->lasting, json_get_text(v, "unit", NULL));
        if (grants)
                extended_by_one_limit(y, l, due);
}

/* --- timers ------------------------------------------------------------------------------------------------------------------ */
static const char SQL_TIMERS[] = "SELECT kind, key, due FROM timer WHERE parked = 0 AND due < $1 ORDER BY due, kind, key LIMIT 200";

struct bell {
        const char *kind;
        int64_t id, due;
};
struct belfry {
        struct arena *arena;
        int64_t until;
        struct bell at[RINGS];
        size_t n;
};

static bool read_timers(struct tx *tx, void *ctx, struct err *e)
{
        struct belfry *b = ctx;
        struct rows r;
        b->n = 0;
        if (!tx_rows(tx, &r, e, SQL_TIMERS, ARGS(V(b->until))))
                return false;
        while (b->n < RINGS && rows_next(&r)) {
                struct bell *one = &b->at[b->n++];
                *one = (struct bell){.kind = rows_text(&r, b->arena, 0), .due = rows_int(&r, 2)};
                assert_true(text_to_int(rows_text(&r, b->arena, 1), &one->id));
        }
        return rows_done(&r, e);
}

static struct life *life_of(const struct year *y, int64_t id)
{
        size_t low = 0, high = y->n; /* ids grow with the instants of the reports */
        while (low < high) {
                const size_t middle = (low + high) / 2;
                if (y->lives[middle].id == 0 || y->lives[middle].id >= id)
                        high = middle;
                else
                        low = middle + 1;
        }
        assert_true(low < y->n && y->lives[low].id == id);
        return &y->lives[low];
}

static bool rang(const struct belfry *b, size_t n, int64_t id)
{
        for (size_t i = 0; i < n; i++)
                if (b->at[i].id == id)
                        return true;
        return false;
}

/* Every timer before `until`, each at its instant; of one case one behind the other, since one may set another. */
static void ring_until(struct year *y, int64_t until)
{
        static const struct timer_kind *const kinds[] = {&case_clock_timer, &ask_timer};
        struct belfry *b = NEW(y->w->arena, struct belfry);
        struct err e;
        *b = (struct belfry){.arena = y->w->arena, .until = until};
        do {
                ok(store_read(y->w->district.store, read_timers, b, &e), &e);
                for (size_t i = 0; i < b->n; i++) {
                        const struct timer_kind *kind = kinds[text_is(b->at[i].kind, kinds[1]->name)];
                        const char *key = arena_format(y->w->arena, "%lld", (long long)b->at[i].id);
                        assert_string_equal(kind->name, b->at[i].kind);
                        if (rang(b, i, b->at[i].id))
                                continue;
                        ok(kind->run(&y->w->district, &(struct timer){.kind = kind->name, .key = key, .due = b->at[i].due},
                                     b->at[i].due, &e),
                           &e);
                        life_of(y, b->at[i].id)->touched = true;
                        y->rings++;
                }
        } while (b->n > 0);
        y->now = until;
}

/* --- what must hold ---------------------------------------------------------------------------------------------------------- */

static size_t times(const struct case_detail *d, const char *move)
{
        size_t n = 0;
        for (size_t i = 0; i < d->n_history; i++)
                n += text_is(d->history[i].entry.move, move);
        return n;
}

/* A suspension whose end has come was ended by the program, at that instant. */
static void resumed_by_itself(const struct year *y, const struct life *l, const struct case_detail *d)
{
        size_t n = 0;
        for (size_t i = 0; i < d->n_history; i++)
                if (text_is(d->history[i].entry.move, "resume")) {
                        assert_string_equal(d->history[i].entry.actor, "system");
                        assert_int_equal(d->history[i].entry.at, l->until);
                        n++;
                }
        if (n != (l->until > 0 && l->until < y->now))
                fail_msg("%s was resumed %zu times", l->number, n);
        if (l->until >= y->now)
                assert_string_equal(d->view.state, "suspended");
}

static void holds(struct year *y, struct life *l)
{
        const struct case_detail d = read_case(y->w, l->number);
        invariants(y->w, y->workflow, &d);
        resumed_by_itself(y, l, &d);
        assert_true(times(&d, "grant_extension") <= 2 && times(&d, "return") <= 2 && times(&d, "suspend") <= 1);
        assert_true(times(&d, "redo") <= 1);
        l->touched = false;
        y->checks++;
}

static void nothing(const struct year *y, const char *what, const char *sql)
{
        const int64_t n = test_number(y->w->district.store, sql);
        if (n != 0)
                fail_msg("%lld %s", (long long)n, what);
}

/* Over all cases: what is told is told once, of every clock that was overrun and of no other, and no timer is left behind. */
static void all_hold(struct year *y)
{
        nothing(y, "warnings or overruns told twice",
                "SELECT COUNT(*) FROM (SELECT 1 AS one FROM outbox WHERE topic IN ('warning', 'overdue')"
                " GROUP BY key, topic, payload HAVING COUNT(*) > 1) t");
        nothing(y, "steps told twice",
                "SELECT COUNT(*) FROM (SELECT 1 AS one FROM outbox WHERE topic = 'escalation' GROUP BY key, time, payload"
                " HAVING COUNT(*) > 1) t");
        nothing(y, "clocks that were overrun and not told of, or told of and not overrun",
                "SELECT COUNT(*) FROM case_clock WHERE (state = 'missed') <> (overdue = 1) AND state IN ('met', 'missed')");
        nothing(y, "timers of cases that have ended",
                "SELECT COUNT(*) FROM timer t JOIN cases c ON CAST(c.id AS TEXT) = t.key WHERE c.open = 0");
        const char *sql = arena_format(y->w->arena, "SELECT COUNT(*) FROM timer WHERE parked = 1 OR due < %lld", (long long)y->now);
        nothing(y, "timers left behind", sql);
}

static void sign_ledger(struct year *y)
{
        struct sweep s = {0};
        struct err e;
        const char *note;
        ok(sweep_all(y->w->district.store, y->now, &s, &e), &e);
        ok(checkpoint_make(y->w->district.store, y->w->arena, "year", y->signers, y->now, &note, &e), &e);
}

static void end_week(struct year *y)
{
        struct err e;
        for (size_t i = 0; i < y->n && y->lives[i].id; i++)
                if (y->lives[i].touched)
                        holds(y, &y->lives[i]);
        all_hold(y);
        sign_ledger(y);
        ok(precedents_refresh(y->w->district.precedents, y->w->district.store, &e), &e);
        if (y->w->arena != y->lasting)
                arena_free(&y->w->arena);
        y->w->arena = arena_new(); /* what the week needs no more goes */
        y->week += 7 * USEC_DAY;
}

/* --- what is told of those left alone --------------------------------------------------------------------------------------- */

static int64_t when(const struct case_detail *d, const char *move)
{
        for (size_t i = 0; i < d->n_history; i++)
                if (text_is(d->history[i].entry.move, move))
                        return d->history[i].entry.at;
        return 0;
}

/* The limits of clocks.csv, told here again. */
static void tell_all(struct telling *t, const struct life *l, const struct case_detail *d)
{
        const bool urgent = l->urgent;
        const struct item *item = l->item ? item_find(t->w->rules->catalogue, l->item) : NULL;
        const struct limit half_hour = {0.5, LIMIT_URGENT_HOUR};
        tell_clock(t, "total", urgent ? (struct limit){5, LIMIT_NATURAL_DAY} : (struct limit){20, LIMIT_WORK_DAY}, l->began, 0);
        if (!item) {
                tell_clock(t, "dispatch", urgent ? half_hour : (struct limit){2, LIMIT_WORK_HOUR}, l->began, 0);
                return;
        }
        tell_clock(t, "sign", urgent ? half_hour : (struct limit){4, LIMIT_WORK_HOUR}, l->began, when(d, "sign"));
        tell_clock(t, "contact", (struct limit){urgent ? 2 : 24, LIMIT_URGENT_HOUR}, l->began, when(d, "handle"));
        tell_clock(t, "handle", urgent ? item->handle_urgent : item->handle, l->began, 0);
}

static void told_as_it_must(struct year *y, const struct life *l)
{
        struct telling *wanted = NEW(y->w->arena, struct telling), *got = NEW(y->w->arena, struct telling);
        const struct case_detail d = read_case(y->w, l->number);
        struct err e;
        *wanted = (struct telling){.w = y->w, .calendar = y->calendar};
        *got = (struct telling){.w = y->w, .number = l->number};
        tell_all(wanted, l, &d);
        ok(store_read(y->w->district.store, read_told, got, &e), &e);
        qsort(wanted->at, wanted->n, sizeof wanted->at[0], by_instant);
        qsort(got->at, got->n, sizeof got->at[0], by_instant);
        for (size_t i = 0; i < wanted->n || i < got->n; i++) {
                char text[TIME_TEXT_SIZE], other[TIME_TEXT_SIZE];
                if (i >= wanted->n || i >= got->n || by_instant(&wanted->at[i], &got->at[i]) != 0)
                        fail_msg("%s, %s%s: \"%s\" at %s, not \"%s\" at %s", l->number, l->fate->name, l->urgent ? ", urgent" : "",
                                 i < got->n ? got->at[i].text : "nothing",
                                 i < got->n ? time_text(text, got->at[i].at, ZONE_SHANGHAI) : "-",
                                 i < wanted->n ? wanted->at[i].text : "nothing",
                                 i < wanted->n ? time_text(other, wanted->at[i].at, ZONE_SHANGHAI) : "-");
        }
        /* Each step of the handling clock that orders supervision has ordered it: once at 150 %, eleven times at 200 %. */
        assert_int_equal(times(&d, "supervise"), l->item ? 12 : 0);
}

/* --- living through it ------------------------------------------------------------------------------------------------------- */

static int by_next(const void *a, const void *b)
{
        const struct life *x = a, *y = b;
        return (x->next > y->next) - (x->next < y->next);
}

/* Two of three come between 7 and 22 o'clock. */
static int64_t any_instant(struct year *y, int64_t begins, int days)
{
        const int64_t day = begins + (int64_t)drawn(&y->seed, (size_t)days) * USEC_DAY;
        const int64_t second =
                drawn(&y->seed, 3) ? 7 * 3600 + (int64_t)drawn(&y->seed, 15 * 3600) : (int64_t)drawn(&y->seed, 86400);
        return day + second * USEC_SECOND;
}

static void be_born(struct year *y, int64_t begins, int days)
{
        y->lives = calloc(y->n, sizeof *y->lives);
        y->heap = calloc(y->n, sizeof(struct life *));
        assert_true(y->lives && y->heap);
        for (size_t i = 0; i < y->n; i++) {
                int share = (int)drawn(&y->seed, 100);
                const struct fate *f = fates;
                while (share >= f->share)
                        share -= f++->share;
                f = i < COUNT_OF(fates) ? &fates[i] : f; /* each is somebody's */
                y->lives[i] = (struct life){.fate = f, .next = any_instant(y, begins, days)};
        }
        qsort(y->lives, y->n, sizeof *y->lives, by_next);
        for (size_t i = 0; i < y->n; i++)
                y->heap[y->n_heap++] = &y->lives[i];
}

static void live(struct year *y, int64_t end)
{
        while (y->n_heap > 0 || y->now < end) {
                struct life *l = y->n_heap > 0 ? y->heap[0] : NULL;
                if (!l || l->next >= y->week) {
                        ring_until(y, y->week);
                        end_week(y);
                        continue;
                }
                ring_until(y, l->next);
                l->touched = true;
                if (!l->number) {
                        report(y, l);
                        go_on(y, l, l->next);
                        continue;
                }
                act(y, l);
                l->step++;
                go_on(y, l, l->until > l->next ? l->until : l->next);
        }
}

static void everybody_has_come_to_his_end(struct year *y)
{
        size_t by_fate[COUNT_OF(fates)] = {0};
        for (size_t i = 0; i < y->n; i++) {
                struct life *l = &y->lives[i];
                by_fate[l->fate - fates]++;
                if (l->fate->forgotten)
                        told_as_it_must(y, l);
                else
                        assert_string_equal(read_case(y->w, l->number).view.state, "archived");
        }
        for (size_t i = 0; i < COUNT_OF(fates); i++)
                if (by_fate[i] == 0)
                        fail_msg("nobody was %s", fates[i].name);
}

static struct signers *new_signers(void)
{
        char folder[] = "/tmp/yiwang-year-XXXXXX", path[60];
        struct signers *s;
        struct err e;
        assert_non_null(mkdtemp(folder));
        (void)snprintf(path, sizeof path, "%s/key", folder);
        ok(signers_open(&s, path, true, SIGN_ED25519, &e), &e);
        (void)unlink(path);
        (void)rmdir(folder);
        return s;
}

static void the_ledger_is_whole(struct year *y)
{
        const struct ledger_proofs proofs = {.signers = y->signers};
        struct ledger_verdict v;
        struct err e;
        ok(ledger_verify(y->w->district.store, &proofs, NULL, NULL, &v, &e), &e);
        assert_string_equal(v.first, "");
        assert_int_equal(v.faults, 0);
        assert_int_equal(v.cases, y->n);
        assert_true(v.checkpoints > 52);
}

static void a_year_of_reports_acts_and_timers(struct world *w)
{
        const char *said = getenv("YIWANG_YEAR");
        int64_t reports = store_is_postgres(w->district.store) ? REPORTS_POSTGRES : REPORTS;
        assert_true(!said || (text_to_int(said, &reports) && reports >= (int64_t)COUNT_OF(fates)));
        const int64_t begins = at("2026-01-01 00:00"), end = at("2027-03-01 00:00"), started = clock_steady();
        struct year y = {
                .w = w, .lasting = w->arena, .seed = 2026, .now = begins, .week = begins + 7 * USEC_DAY, .n = (size_t)reports};
        y.workflow = workflow_find(w->rules->workflows, "standard");
        y.calendar = w->rules->calendar;
        y.signers = new_signers();
        be_born(&y, begins, 365);
        live(&y, end);
        everybody_has_come_to_his_end(&y);
        the_ledger_is_whole(&y);
        print_message("%zu reports, %zu acts, %zu timers, %zu checks, %lld s\n", y.n, y.acts, y.rings, y.checks,
                      (long long)((clock_steady() - started) / USEC_SECOND));
        arena_free(&w->arena);
        w->arena = y.lasting;
        signers_close(&y.signers);
        free(y.heap);
        free(y.lives);
}

int main(void)
{
        const struct CMUnitTest tests[] = {RULE(a_year_of_reports_acts_and_timers)};
        log_least(LOG_ERROR);
        /* What survives a crash is tested elsewhere: here thousands of commits need not wait for the disk. */
        assert_int_equal(setenv("PGOPTIONS", "-c synchronous_commit=off", 0), 0);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
