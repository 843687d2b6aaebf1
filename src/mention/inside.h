/* mention/inside.h -- what the finders share.  They see characters of the folded text only; mention.c makes bytes of them. */
#ifndef MENTION_INSIDE_H
#define MENTION_INSIDE_H
#include "base/clock.h"
#include "mention/mention.h"
#include "text/fold.h"
#include <uchar.h>

/* --- words.c: which words mean what --------------------------------------------------------------------------------------------- */
enum word_class {
        WORD_DAY,               /* 昨天: days from today */
        WORD_DAY_PART,          /* 昨晚: (days from today + 8) * 16 + part */
        WORD_PART,              /* 下午: part */
        WORD_YEAR, WORD_MONTH, WORD_WEEK,       /* 去年, 上个月, 上周: how many from this one */
        WORD_EVERY,             /* 每天, 每月: grain */
        WORD_EVERY_PART,        /* 每晚: part */
        WORD_JUST,              /* 刚才: minutes back from now */
        WORD_RECENT,            /* 最近, 近: what leads "3天" of the past */
        WORD_UNIT,              /* 天, 小时, 个月: grain, behind a number */
        WORD_AGO,               /* 前, 以前 */
        WORD_AROUND, WORD_AFTER, WORD_BEFORE,   /* 左右, 以后, 之前 */
        WORD_RANGE,             /* 到, - */
        WORD_LEAD,              /* 在, 从: what may stand before a bare hour or day */
        WORD_THIRD,             /* 初, 中旬, 底, of a month: 1 to 3 */
        WORD_SEASON,            /* 初, 下半年, of a year: first month * 16 + last month */
        WORD_LAW,               /* 修订, 版: not the year of what happened */
        WORD_STOP,              /* no name contains it */
        WORD_KEEP,              /* a name may contain it, though it contains a stop word */
        WORD_PLACE,             /* 路: place_kind */
        WORD_NOT_PLACE,         /* 马路: ends like a place, is none */
        WORD_AFTER_PLACE,       /* 灯, behind 路: then it is none */
        WORD_HOUSE,             /* 号, 栋: place_kind, behind a number */
        WORD_CROSSING,          /* 交叉口 */
        WORD_JOIN,              /* 与 */
        WORD_RELATION,          /* 附近: place_relation */
        WORD_ORGAN, WORD_NOT_ORGAN,     /* 公司; what is none, though it ends so */
        WORD_AREA,              /* of the vocabulary: index of its code */
        WORD_CLASSES
};
struct rule_word { const char *words; enum word_class class; int value; };     /* words: several, parted by blanks */
extern const struct rule_word time_words[], place_words[];     /* end with words = NULL */

struct word { size_t n; int value; };           /* n = 0: none */
/* The longest word of the class that begins at character i. */
struct word word_at(const struct vocabulary *, const struct folded *, size_t i, enum word_class);
/* The longest that ends before character `end`, and does not begin before `from`. */
struct word word_before(const struct vocabulary *, const struct folded *, size_t from, size_t end, enum word_class);
/* False: no word of these classes begins with the character. */
bool word_may_begin(const struct vocabulary *, uint32_t c, enum word_class first, enum word_class last);
const char *area_code(const struct vocabulary *, int value);

/* --- numerals.c ------------------------------------------------------------------------------------------------------------------ */
/* A whole number in Arabic digits (at most 4), or Chinese: digits (二〇二六) or with 十, 百 (二十三, 廿三).  How many characters; 0: none. */
size_t numeral_at(const struct folded *, size_t i, int *value);
int digit_value(uint32_t c, bool chinese);     /* -1 */
bool numeral_like(uint32_t c);                  /* a digit of either script, or 十 百 千 万 */
bool spelled_pair(const struct folded *, size_t i);     /* 两三: two digits that are no number */
uint32_t char_at(const struct folded *, size_t i);     /* 0 behind the end */
size_t skip_blank(const struct folded *, size_t i);
bool char_in(uint32_t c, const char32_t *set);  /* ends with 0 */

/* --- what is found ---------------------------------------------------------------------------------------------------------------- */
struct find { size_t from, to; struct mention m; };     /* characters */
struct finds { struct arena *arena; struct find *at; size_t n, room, most; };           /* nothing is added beyond `most` */
void find_add(struct finds *, size_t from, size_t to, const struct mention *);

struct when { int64_t now; int zone; };
void times_find(const struct vocabulary *, const struct folded *, const struct when *, struct finds *);
void numbers_find(const struct folded *, struct finds *);
/* These alone, as mentions_find() tells them. */
size_t numbers_mentioned(const struct folded *, const char *text, struct arena *, struct mention **out);
void places_find(const struct vocabulary *, const struct folded *, struct finds *);
void organs_find(const struct vocabulary *, const struct folded *, struct finds *);

/* --- places.c, organs.c: where a name may begin ------------------------------------------------------------------------------------ */
/* Steps over a word or mark that no name contains.  0: none at i; else *name_goes_on says whether it is a kept one. */
size_t barrier_at(const struct vocabulary *, const struct folded *, size_t i, bool *name_goes_on);

/* --- moments: time_rules.c fills, interval.c makes an interval of it ---------------------------------------------------------------- */
enum grain { GRAIN_NONE, GRAIN_MINUTE, GRAIN_HOUR, GRAIN_PART, GRAIN_DAY, GRAIN_WEEK, GRAIN_MONTH, GRAIN_YEAR };
enum part { PART_NONE, PART_DAWN, PART_EARLY, PART_MORNING, PART_NOON, PART_AFTERNOON, PART_DUSK, PART_EVENING, PART_NIGHT, PART_LIGHT };
enum day_base { BASE_NONE, BASE_DATE, BASE_MONTH_DAY, BASE_DAY_OF_MONTH, BASE_OFFSET, BASE_WEEKDAY, BASE_INTERVAL };
struct moment {
        int year, month, day;           /* 0: not said */
        int days;                       /* BASE_OFFSET: from today */
        int weeks, weekday;             /* BASE_WEEKDAY: weeks from this one; weekday 0: the whole week; weeks NO_WEEK: the last such day */
        int third;                      /* of the month: 1 to 3; 0: not said */
        int season;                     /* of the year: first month * 16 + last month; 0: not said */
        enum day_base base;
        enum part part;
        bool has_clock, has_minute;     /* has_minute: 3点半, 9:30 */
        int hour, minute;
        enum grain every;               /* GRAIN_NONE: once */
        int64_t begin, end;             /* BASE_INTERVAL */
        bool vague;
        enum { SIDE_AT, SIDE_AROUND, SIDE_AFTER, SIDE_BEFORE } side;
};
enum { NO_WEEK = 99 };

/* --- times.c, ago.c: slots ---------------------------------------------------------------------------------------------------------- */
struct scan {
        const struct vocabulary *v; const struct folded *f; const struct when *when;
        bool joined;                    /* behind 到: what is bare is proved by what stands before */
};
/* A slot reads from i on into the moment; where it ends, 0: it is not there. */
typedef size_t slot_fn(const struct scan *, size_t i, struct moment *);
slot_fn slot_day, slot_every, slot_ago, slot_recent, slot_just;
int weekday_of(uint32_t c);                             /* 0: none */
struct word scan_word(const struct scan *, size_t i, enum word_class);

/* --- interval.c ---------------------------------------------------------------------------------------------------------------------- */
bool moment_possible(const struct moment *);            /* days of the month, hours of the day */
struct span { int64_t begin, end; bool certain; };
/* False: no such time in the years 1900 to 2400. */
bool moment_span(const struct moment *, const struct when *, struct span *);
/* From a to b, which has taken over from a what it does not say (moment_inherit). */
bool moments_span(const struct moment *a, const struct moment *b, const struct when *, struct span *);
void moment_inherit(const struct moment *a, struct moment *b);
int64_t grain_back(int64_t now, int zone, enum grain, int n);   /* now less n of them */
#endif
