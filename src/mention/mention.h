/* mention/mention.h -- what a citizen's text names: times, numbers that are somebody's, places, organisations.
 *
 * Pure, and linear in the text.  All of it works on the folded text (text/fold.h), so full-width forms, Traditional characters and
 * hidden marks make no difference; what is told are bytes of the text as it was written.  Which words mean what is a table
 * (words.c, time_rules.c, place_words.c); the rules are:
 *
 *   times         a rule is a row of slots: a day (昨天, 11月3日, 上周五, 半小时前), a part of the day (下午), a clock (三点半, 9:30).
 *                 A whole hour alone (三点) is a time only when something else says so (左右, 到, 早上, 在), or "三点建议" were one.
 *                 What is not said is taken from `now`: a date without its year is the last one, unless it is less than a month ahead;
 *                 a clock without its day was at its last turn.  Impossible dates and hours are no times, nor are years of laws.
 *                 Two times joined by 到, 至, - or ~ are one; the second takes from the first what it does not say.
 *   numbers       by length, first digits and check digits (GB 11643, Luhn); blanks and hyphens between the digits do not matter.
 *   places        a name before 路, 街, 小区, 村 ...: the name begins behind the last word that no name contains (在, 我们, 投诉), or a mark.
 *                 Areas are those of the vocabulary.  What follows one another is one place (区, 路, 12号, 花园, 3栋, 2单元); two roads with
 *                 交叉口 behind them are a crossing.  附近, 对面 ... behind it are no part of it, but told.
 *   organisations as places, by 公司, 物业, 医院, 派出所 ...
 */
#ifndef MENTION_MENTION_H
#define MENTION_MENTION_H
#include "base/base.h"
struct arena;
struct buf;
struct fold;
struct folded;
struct vocabulary;

/* The rules' words and the areas, folded: some 100 KiB, immutable, for all threads.  `code` is kept by pointer, `name` is not. */
struct area_name { const char *name, *code; };
struct vocabulary *vocabulary_new(const struct fold *, const struct area_name *, size_t n);
void vocabulary_free(struct vocabulary **);     /* sets NULL */

enum mention_kind {
        MENTION_TIME,
        MENTION_PHONE, MENTION_IDENTITY, MENTION_CARD, MENTION_MAIL, MENTION_PLATE,     /* personal */
        MENTION_PLACE, MENTION_ORGAN,
        MENTION_KINDS
};
/* From the least exact to the most; a place of several parts has the most exact one's. */
enum place_kind { PLACE_NONE, PLACE_AREA, PLACE_ROAD, PLACE_CROSSING, PLACE_ESTATE, PLACE_NUMBER, PLACE_BUILDING };
enum place_relation { RELATION_NONE, RELATION_NEAR, RELATION_OPPOSITE, RELATION_BESIDE, RELATION_BEFORE, RELATION_BEHIND, RELATION_ALONG };

struct mention {
        enum mention_kind kind;
        uint32_t from, to;              /* bytes of the text, at borders of characters */
        bool personal;                  /* to be masked before others read it */
        /* times: [begin, end) in microseconds UTC; INT64_MIN and INT64_MAX are open ends */
        int64_t begin, end;
        bool certain;                   /* exactly what was said; false: 左右, 几, 下午 without a clock, a clock without a day */
        bool repeats;                   /* every day, week, month (每晚); the interval is the last turn that began */
        /* places */
        enum place_kind place;
        enum place_relation relation;
        const char *code;               /* of the last area in it; NULL */
};
enum { MENTIONS_MOST = 200 };           /* times, places and organisations each, the first ones; what is personal is told without end */

/* `f` is `text` folded; zone in minutes east of UTC.  Sorted by `from`; mentions of one kind do not overlap.  In the arena.  What
 * lies behind f->at[f->n], when f->cut, was not read. */
size_t mentions_find(const struct vocabulary *, const struct folded *f, const char *text, int64_t now, int zone, struct arena *,
                     struct mention **out);

/* The text of n bytes with the personal ones masked: "138****5678", "l***@example.org", an identity card or bank card by its last four,
 * a plate by its first two characters.  What the mentions do not name stays as it is. */
void mentions_mask(const char *text, size_t n, const struct mention *, size_t mentions, struct buf *out);
/* What was written to one person, for another to read: the text without what is somebody's, as mentions_mask(); numbers of offices
 * (landlines, 400) stay.  What lies behind FOLD_MOST characters is left out, and "…" says so.  In the arena; `text` itself when nothing
 * was to be masked. */
const char *mentions_masked(const struct fold *, struct arena *, const char *text);
const char *mention_kind_name(enum mention_kind);       /* "time", "phone", "identity", "card", "mail", "plate", "place", "organisation" */
const char *place_kind_name(enum place_kind);           /* "", "area", "road", "crossing", "estate", "number", "building" */
#endif
