/* bulk/demo.c -- see bulk.h: made-up reports for trying out and measuring.
 *
 * Everything about report I is drawn from a generator that begins at (seed, I), so threads, restarts and the order of work
 * change nothing.
 */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "intake/channels.h"
#include "twin/twin.h"
#include <stdatomic.h>

enum { DEMO_MOST = 10000000, DAYS = 365, POINT_TRIES = 8 };

struct draw {
        uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(struct draw *d)
{
        uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

static double share(struct draw *d) /* [0, 1) */
{
        return (double)(next(d) >> 11) * 0x1p-53;
}

static size_t one_of(struct draw *d, size_t n)
{
        return (size_t)(share(d) * (double)n);
}

struct demo {
        struct district *district;
        const struct rulebook *rules;
        const struct demo_options *options;
        const struct item **items;
        size_t n_items; /* leaves */
        const struct area **areas;
        size_t n_areas; /* communities; else whatever is smallest */
        _Atomic int64_t next, stored, again;
};

/* --- what is drawn from ------------------------------------------------------------------------------------------------- */

static void collect_items(struct demo *d, struct arena *a)
{
        const size_t n = item_count(d->rules->catalogue);
        d->items = NEW_ARRAY(a, const struct item *, n);
        for (size_t i = 0; i < n; i++)
                if (item_at(d->rules->catalogue, i)->leaf)
                        d->items[d->n_items++] = item_at(d->rules->catalogue, i);
}

static void collect_areas(struct demo *d, struct arena *a)
{
        const size_t n = area_count(d->rules->twin);
        static const enum area_level wanted[] = {AREA_COMMUNITY, AREA_SUBDISTRICT, AREA_DISTRICT};
        d->areas = NEW_ARRAY(a, const struct area *, n);
        for (size_t k = 0; k < COUNT_OF(wanted) && d->n_areas == 0; k++)
                for (size_t i = 0; i < n; i++)
                        if (area_at(d->rules->twin, i)->level == wanted[k])
                                d->areas[d->n_areas++] = area_at(d->rules->twin, i);
}

/* --- one report ---------------------------------------------------------------------------------------------------------- */

/* A few items make up most of what people report: the share of the i-th of n falls with i. */
static const struct item *draw_item(const struct demo *d, struct draw *r)
{
        double x = share(r);
        /* The order of the catalogue means nothing, so it is shuffled by a step that is prime to most counts. */
        size_t i = (size_t)(x * x * x * (double)d->n_items);
        return d->items[i * 7919 % d->n_items];
}

/* A place inside the area's outline; without one, or by bad luck, the area alone. */
static void draw_point(const struct demo *d, struct draw *r, const struct area *area, struct report *out)
{
        const double width = area->high.lon - area->low.lon, height = area->high.lat - area->low.lat;
        for (int i = 0; i < POINT_TRIES && width > 0 && !out->has_point; i++) {
                struct place place;
                struct err ignored;
                double x = share(r), y = share(r);
                out->point = (struct point){area->low.lon + x * width, area->low.lat + y * height};
                out->has_point = twin_locate(d->rules->twin, &out->point, NULL, &place, &ignored) && place.area
                                 && area_up(place.area, area->level) == area;
        }
}

/* Hours at which people report: share of a day's reports before the end of each hour, in thousandths. */
static int64_t in_the_day(double x)
{
        static const int until[24] = {6,   10,  13,  15,  17,  22,  35,  65,  145, 245, 345, 430,
                                      480, 530, 620, 710, 790, 855, 895, 925, 950, 970, 985, 1000};
        int hour = 0, before = 0;
        while (hour < 23 && x * 1000 >= until[hour])
                before = until[hour++];
        return (int64_t)(((double)hour + (x * 1000 - before) / (until[hour] - before)) * (double)USEC_HOUR);
}

/* Later reports have later instants, so that numbers follow time. */
static int64_t draw_time(const struct demo *d, struct draw *r, int64_t i)
{
        double x = ((double)i + share(r)) / (double)d->options->count * DAYS;
        int64_t day = (int64_t)x;
        int64_t instant = d->options->until - DAYS * USEC_DAY + day * USEC_DAY + in_the_day(x - (double)day);
        return instant - instant % USEC_SECOND;
}

struct sentence {
        const char *before, *between, *after;
}; /* before PLACE between MATTER after */
static const struct sentence sentences_zh[] = {
        {"", "附近有", "，影响居民生活，请尽快处理。"},     {"市民反映：", "存在", "，已持续多日，希望有关部门到场核实。"},
        {"", "，", "，请问由哪个部门负责？何时能够解决？"}, {"巡查发现", "有", "问题，现场已拍照，请及时处置。"},
        {"来电人称", "的", "多次反映未解决，要求回复。"},   {"建议加强", "的", "管理。"},
};
static const struct sentence sentences_en[] = {
        {"Near ", ": ", ". It disturbs the residents, please deal with it soon."},
        {"Residents of ", " report: ", ". It has lasted for days; somebody should come and look."},
        {"", ", ", ": which department is responsible, and when will it be solved?"},
        {"Found on patrol in ", ": ", ". Photographs were taken."},
        {"The caller from ", " has reported this several times: ", ". An answer is wanted."},
        {"In ", " there should be more attention to this: ", "."},
};

static const char *draw_text(struct arena *a, struct draw *r, const struct item *item, const struct area *area, bool chinese)
{
        const size_t i = one_of(r, COUNT_OF(sentences_zh));
        const struct sentence *s = chinese ? &sentences_zh[i] : &sentences_en[i];
        const char *place = chinese || !area->name_en ? area->name : area->name_en;
        const char *matter = chinese || !item->name_en ? item->name : item->name_en;
        return arena_format(a, "%s%s%s%s%s", s->before, place, s->between, matter, s->after);
}

static void make(const struct demo *d, struct arena *a, int64_t i, struct report *out)
{
        const struct demo_options *o = d->options;
        const struct channels *c = d->rules->channels;
        struct draw r = {(uint64_t)o->seed * UINT64_C(0xd1342543de82ef95) + (uint64_t)i};
        r.state = next(&r); /* neighbours begin far apart */
        const struct item *item = draw_item(d, &r);
        const struct area *area = d->areas[one_of(&r, d->n_areas)];
        *out = (struct report){
                .channel = c->at[one_of(&r, c->n)].code,
                .external_id = arena_format(a, "demo-%lld-%lld", (long long)o->seed, (long long)i),
                .item = item->code,
                .area_code = area->code,
                .source = "demo",
                .property = c->n_properties ? c->properties[one_of(&r, c->n_properties)].code : NULL,
        };
        out->urgent = share(&r) < 0.02;
        out->text = draw_text(a, &r, item, area, o->chinese);
        out->address = arena_format(a, o->chinese ? "%s%d号" : "%s %d", area->name, 1 + (int)one_of(&r, 300));
        draw_point(d, &r, area, out);
        out->received = draw_time(d, &r, i);
}

static bool take_turn(void *ctx, struct arena *a, bool *more, struct err *e)
{
        struct demo *d = ctx;
        struct report report;
        struct receipt receipt;
        int64_t i = atomic_fetch_add(&d->next, 1);
        *more = i < d->options->count;
        if (!*more)
                return true;
        make(d, a, i, &report);
        if (!accept_patiently(d->district, a, &report, &receipt, e))
                return false;
        atomic_fetch_add(receipt.again ? &d->again : &d->stored, 1);
        return true;
}

bool demo_reports(struct district *district, const struct demo_options *o, struct demo_result *result, struct err *e)
{
        const int64_t start = clock_steady();
        struct demo d = {.district = district, .options = o};
        *result = (struct demo_result){0};
        if (o->count < 1 || o->count > DEMO_MOST)
                return err_both(e, ERR_INVALID, "N", "the number of reports is between 1 and 10,000,000",
                                "数量应在1至10000000之间");
        d.rules = district_rules(district, e);
        if (!d.rules)
                return false;
        struct arena *a = arena_new();
        collect_items(&d, a);
        collect_areas(&d, a);
        bool ok = d.n_items > 0 && d.n_areas > 0 && d.rules->channels->n > 0;
        if (!ok)
                (void)err_both(e, ERR_INVALID, NULL, "the pack has no items, no areas or no channels",
                               "场景包缺少事项、区域或渠道");
        const struct crew crew = {.workers = o->workers, .total = o->count, .progress = &o->progress, .turn = take_turn, .ctx = &d};
        ok = ok && crew_run(&crew, e);
        arena_free(&a);
        *result = (struct demo_result){d.stored, d.again, clock_steady() - start};
        return ok;
}
