/* measure/topics.c -- see topics.h. */
#include "measure/topics.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "json/json.h"
#include "text/fold.h"
#include "text/shingles.h"
#include <stdlib.h>

enum { DAYS = 400, LEAST_REPORTERS = 3, CHRONIC_WEEKS = 3, PLACES_SHOWN = 20 };

/* The name of a message as a number, so that nothing depends on where it stands in the file. */
static int64_t id_of(const struct message *m)
{
        int64_t n;
        if (text_to_int(m->id, &n))
                return n;
        return (int64_t)(hash_bytes(m->id, strlen(m->id), 41) >> 1);
}

struct row {
        const struct message *message;
        int64_t id, minute;
        uint64_t place; /* in the file, or shuffled */
};

static int by_minute(const void *a, const void *b)
{
        const struct row *x = a, *y = b;
        if (x->minute != y->minute)
                return x->minute < y->minute ? -1 : 1;
        return (x->place > y->place) - (x->place < y->place);
}

static int by_id(const void *a, const void *b)
{
        const struct row *x = a, *y = b;
        return (x->id > y->id) - (x->id < y->id);
}

static struct row *rows_of(struct arena *a, const struct messages *m, const struct topics_run *run)
{
        struct row *rows = NEW_ARRAY(a, struct row, m->n);
        struct draw d = {(uint64_t)run->seed};
        for (size_t i = 0; i < m->n; i++)
                rows[i] = (struct row){&m->at[i], id_of(&m->at[i]), m->at[i].time - m->at[i].time % USEC_MINUTE,
                                       run->shuffles ? draw_next(&d) : i};
        qsort(rows, m->n, sizeof *rows, by_minute);
        return rows;
}

static void fold_row(const struct fold *fold, struct arena *a, const struct row *r, struct topic_message *m)
{
        struct folded *f = NEW(a, struct folded), subject;
        const struct message *from = r->message;
        fold_text(fold, a, from->text, strlen(from->text), f);
        fold_text(fold, a, from->subject, strlen(from->subject), &subject);
        *m = (struct topic_message){
                .id = r->id,
                .text = f,
                .subject = subject.n,
                .time = from->time,
                .reporter = text_empty(from->reporter) ? 0 : hash_bytes(from->reporter, strlen(from->reporter), 43),
                .support = from->support,
                .oppose = from->oppose,
        };
}

static struct topics *gather(const struct fold *fold, const struct row *rows, size_t n, const struct topics_run *run)
{
        struct arena *a = arena_new();
        struct rare *rare = rare_new();
        struct topic_message m;
        const struct topics_options o = {
                .window = (run->days > 0 ? run->days : DAYS) * USEC_DAY,
                .half_life = run->half_life_days * USEC_DAY,
                .joins = run->joins,
                .merges = run->merges,
        };
        struct topics *t = topics_new(&rare, &o);
        for (size_t i = 0; i < n; i++) {
                fold_row(fold, a, &rows[i], &m);
                topics_add(t, &m);
                arena_reset(a);
        }
        arena_free(&a);
        return t;
}

static void explain(struct arena *a, struct found_topic *f)
{
        const struct topic *t = &f->topic;
        char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE], peak[TIME_TEXT_SIZE];
        (void)time_text(from, t->from, ZONE_SHANGHAI);
        (void)time_text(to, t->to, ZONE_SHANGHAI);
        (void)time_text(peak, t->peak_at, ZONE_SHANGHAI);
        f->why = arena_format(
                a,
                "%zu people wrote %zu messages from %.10s to %.10s, %lld agreed; heat %.1f on %.10s: %.1f by who wrote, "
                "%.1f by who agreed%s",
                t->reporters, t->n_members, from, to, (long long)t->supporters, t->peak, peak, t->of_reporters, t->of_supporters,
                t->surge.is ? "; more than chance this week" : "");
        f->why_zh = arena_format(a, "%zu人留言%zu条，%.10s至%.10s，%lld人赞同；热度%.1f（%.10s）：留言者%.1f，赞同者%.1f%s",
                                 t->reporters, t->n_members, from, to, (long long)t->supporters, t->peak, peak, t->of_reporters,
                                 t->of_supporters, t->surge.is ? "；本周异常升高" : "");
}

static void name_members(struct arena *a, struct found_topic *f, const struct row *by_number, size_t n)
{
        f->members = NEW_ARRAY(a, const char *, f->topic.n_members + 1);
        for (size_t i = 0; i < f->topic.n_members; i++) {
                const struct row wanted = {.id = f->topic.members[i]};
                const struct row *found = bsearch(&wanted, by_number, n, sizeof *by_number, by_id);
                f->members[i] = found ? found->message->id : "";
        }
}

bool evaluate_topics(struct arena *a, const struct messages *m, const struct topics_run *run, struct topics_found *out,
                     struct err *e)
{
        struct fold *fold;
        struct topic *topics;
        if (!fold_new(&fold, e))
                return false;
        struct row *rows = rows_of(a, m, run);
        struct topics *t = gather(fold, rows, m->n, run);
        out->n = topics_list(t, a, LEAST_REPORTERS, run->most, &topics);
        out->at = NEW_ARRAY(a, struct found_topic, out->n + 1);
        qsort(rows, m->n, sizeof *rows, by_id);
        for (size_t i = 0; i < out->n; i++) {
                out->at[i].topic = topics[i];
                name_members(a, &out->at[i], rows, m->n);
                explain(a, &out->at[i]);
        }
        out->n_places = topics_places(t, a, CHRONIC_WEEKS, &out->places);
        topics_free(&t);
        fold_free(&fold);
        return true;
}

static void topic_json(struct json *j, const struct found_topic *f, bool chinese)
{
        const struct topic *t = &f->topic;
        json_object(j, NULL);
        json_text(j, "name", t->name);
        json_real(j, "heat", t->peak);
        json_real(j, "heat_now", t->heat);
        json_time(j, "from", t->from);
        json_time(j, "to", t->to);
        json_int(j, "reporters", (int64_t)t->reporters);
        json_int(j, "supporters", t->supporters);
        json_array(j, "phrases");
        for (size_t i = 0; i < t->n_phrases; i++)
                json_text(j, NULL, t->phrases[i]);
        json_array_end(j);
        json_array(j, "members");
        for (size_t i = 0; i < t->n_members; i++)
                json_text(j, NULL, f->members[i]);
        json_array_end(j);
        json_object(j, "surge");
        json_int(j, "now", (int64_t)t->surge.now);
        json_int(j, "before", (int64_t)t->surge.before);
        json_int(j, "year_before", (int64_t)t->surge.year_before);
        json_real(j, "p", t->surge.p);
        json_bool(j, "is", t->surge.is);
        json_object_end(j);
        json_text(j, "why", chinese ? f->why_zh : f->why);
        json_object_end(j);
}

void topics_found_json(const struct topics_found *found, bool chinese, struct buf *out)
{
        struct json j = json_to(out);
        json_object(&j, NULL);
        json_array(&j, "topics");
        for (size_t i = 0; i < found->n; i++)
                topic_json(&j, &found->at[i], chinese);
        json_array_end(&j);
        json_array(&j, "chronic_places");
        for (size_t i = 0; i < found->n_places && i < PLACES_SHOWN; i++) {
                json_object(&j, NULL);
                json_text(&j, "name", found->places[i].name);
                json_int(&j, "weeks", (int64_t)found->places[i].weeks);
                json_int(&j, "reporters", (int64_t)found->places[i].reporters);
                json_object_end(&j);
        }
        json_array_end(&j);
        json_object_end(&j);
}
