/* measure/paraphrase.c -- see paraphrase.h. */
#include "measure/paraphrase.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "text/fold.h"
#include "text/phrases.h"
#include "text/shingles.h"
#include <stdio.h>

enum { TEXT_MOST = 1 << 22, SENTENCES_MOST = 400 };
static const double RARE = 0.5; /* of 4,000 texts at most 60 name it */

static const struct pair {
        const char *one, *other;
} synonyms[] = {
        {"投诉", "举报"},         {"噪音", "噪声"},     {"扰民", "影响居民休息"}, {"尽快", "早日"},       {"解决", "处理"},
        {"希望", "盼望"},         {"严重", "厉害"},     {"小区", "住宅区"},       {"居民", "住户"},       {"业主", "住户"},
        {"施工", "动工"},         {"晚上", "夜里"},     {"早上", "清晨"},         {"非常", "十分"},       {"没有", "未"},
        {"相关部门", "有关单位"}, {"政府", "有关方面"}, {"导致", "造成"},         {"拖欠", "不发"},       {"退还", "退回"},
        {"价格", "价钱"},         {"购买", "买"},       {"附近", "旁边"},         {"垃圾", "废弃物"},     {"臭味", "异味"},
        {"损坏", "坏了"},         {"道路", "路面"},     {"车辆", "车子"},         {"停车", "泊车"},       {"老百姓", "群众"},
        {"为什么", "为何"},       {"什么时候", "何时"}, {"怎么", "如何"},         {"但是", "不过"},       {"因为", "由于"},
        {"孩子", "小孩"},         {"学校", "校方"},     {"要求", "请求"},         {"电话", "来电"},       {"公司", "企业"},
        {"多次", "屡次"},         {"已经", "早已"},     {"现在", "如今"},         {"我们", "大家"},       {"noise", "din"},
        {"broken", "damaged"},    {"street", "road"},   {"please", "kindly"},     {"rubbish", "garbage"}, {"children", "kids"},
};
static const struct pair traditional[] = {
        {"们", "們"}, {"这", "這"}, {"来", "來"}, {"个", "個"}, {"时", "時"}, {"车", "車"}, {"业", "業"}, {"问", "問"},
        {"题", "題"}, {"请", "請"}, {"严", "嚴"}, {"区", "區"}, {"门", "門"}, {"没", "沒"}, {"为", "為"}, {"过", "過"},
        {"对", "對"}, {"说", "說"}, {"电", "電"}, {"间", "間"}, {"处", "處"}, {"关", "關"}, {"办", "辦"}, {"东", "東"},
};
static const char *const greetings[] = {"您好！", "尊敬的领导：您好，", "领导好，", "你好，", "各位领导，打扰了。"};
static const char *const additions[] = {
        "以上情况属实，请核查。",         "大家都很有意见。",     "之前也打过热线，没有结果。", "请给一个明确的答复。",
        "家里有老人和小孩，实在受不了。", "希望能到现场看一看。", "已经拍了照片，可以提供。",   "这件事拖了很久了。",
};
static const char *const ends[] = {"。", "！", "？", "；", "\n", "!", "?", ";"};

const char *retelling_name(enum retelling r)
{
        static const char *const all[RETELLINGS] = {"copy", "light", "strong"};
        return all[r];
}

/* --- sentences ------------------------------------------------------------------------------------------------------------ */

struct sentence {
        const char *at;
        size_t n;
};

static size_t end_at(const char *p)
{
        for (size_t i = 0; i < COUNT_OF(ends); i++)
                if (text_starts(p, ends[i]))
                        return strlen(ends[i]);
        return 0;
}

/* The last one takes what does not fit. */
static size_t sentences_of(const char *text, struct sentence s[SENTENCES_MOST])
{
        size_t n = 0;
        const char *from = text, *p = text;
        while (*p) {
                const size_t end = end_at(p);
                p += end > 0 ? end : 1;
                if ((end > 0 && n < SENTENCES_MOST - 1 && !end_at(p)) || !*p) {
                        s[n++] = (struct sentence){from, (size_t)(p - from)};
                        from = p;
                }
        }
        return n;
}

static bool is_greeting(const struct sentence *s, const char *text)
{
        static const char *const words[] = {"您好", "你好", "尊敬的", "领导好"};
        for (size_t i = 0; i < COUNT_OF(words) && s->n < 60; i++) {
                const char *found = strstr(s->at, words[i]);
                if (found && found < s->at + s->n && s->at != text)
                        return true;
        }
        return false;
}

static void shuffle(struct sentence *s, size_t n, struct draw *d)
{
        for (size_t i = n; i > 1; i--) {
                const size_t k = draw_below(d, i);
                const struct sentence one = s[i - 1];
                s[i - 1] = s[k];
                s[k] = one;
        }
}

/* --- words ---------------------------------------------------------------------------------------------------------------- */

static void replace_words(struct buf *out, const char *text, const struct pair *pairs, size_t n, double share, struct draw *d)
{
        for (const char *p = text; *p;) {
                size_t used = 0;
                for (size_t i = 0; i < n && used == 0; i++) {
                        const bool is_one = text_starts(p, pairs[i].one), is_other = !is_one && text_starts(p, pairs[i].other);
                        if ((is_one || is_other) && draw_chance(d, share)) {
                                used = strlen(is_one ? pairs[i].one : pairs[i].other);
                                buf_text(out, is_one ? pairs[i].other : pairs[i].one);
                        }
                }
                if (used == 0)
                        buf_byte(out, *p);
                p += used > 0 ? used : 1;
        }
}

static size_t character(const char *p)
{
        size_t n = 1;
        while (((unsigned char)p[n] & 0xC0) == 0x80)
                n++;
        return n;
}

/* One slip of the hand: a character left out, twice, or exchanged with the next. */
static size_t slip(struct buf *out, const char *p, size_t n, struct draw *d)
{
        const size_t next = p[n] ? character(p + n) : 0;
        switch (draw_below(d, 3)) {
        case 0:
                return n;
        case 1:
                buf_add(out, p, n);
                buf_add(out, p, n);
                return n;
        default:
                buf_add(out, p + n, next);
                buf_add(out, p, n);
                return n + next;
        }
}

static void noise(struct buf *out, const char *text, double typos, double digits, struct draw *d)
{
        static const char *const marks[] = {" ", "！！！", "…", "~", "，"};
        for (const char *p = text; *p;) {
                const size_t n = character(p), end = end_at(p);
                if (*p >= '0' && *p <= '9' && draw_chance(d, digits)) {
                        buf_byte(out, (char)('0' + draw_below(d, 10)));
                        p += n;
                } else if (draw_chance(d, typos))
                        p += slip(out, p, n, d);
                else {
                        buf_add(out, p, n);
                        p += n;
                        if (end > 0 && draw_chance(d, 0.2))
                                buf_text(out, marks[draw_below(d, COUNT_OF(marks))]);
                }
        }
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

static void put_sentences(struct buf *out, const char *text, enum retelling how, struct draw *d)
{
        struct sentence s[SENTENCES_MOST];
        const size_t n = sentences_of(text, s);
        const double dropped = how == RETOLD_STRONG && n > 2 ? 0.5 : 0;
        bool any = false;
        if (how != RETOLD_COPY && n > 2)
                shuffle(s + 1, n - 1, d); /* the first is the subject */
        if (draw_chance(d, 0.3))
                buf_text(out, greetings[draw_below(d, COUNT_OF(greetings))]);
        for (size_t i = 0; i < n; i++) {
                if ((is_greeting(&s[i], text) && draw_chance(d, 0.7)) || (draw_chance(d, dropped) && (any || i + 1 < n)))
                        continue;
                buf_add(out, s[i].at, s[i].n);
                any = true;
        }
        if (!any)
                buf_text(out, text);
        if (how != RETOLD_COPY && draw_chance(d, 0.7))
                buf_text(out, additions[draw_below(d, COUNT_OF(additions))]);
}

char *retell(struct arena *a, const char *text, enum retelling how, struct draw *d)
{
        static const double words[RETELLINGS] = {0, 0.4, 0.7}, typos[RETELLINGS] = {0.004, 0.01, 0.03},
                            digits[RETELLINGS] = {0, 0.1, 0.3};
        struct buf one = BUF_LIMIT(TEXT_MOST), other = BUF_LIMIT(TEXT_MOST);
        put_sentences(&one, text, how, d);
        buf_text(&one, "");
        replace_words(&other, one.at ? one.at : "", synonyms, COUNT_OF(synonyms), words[how], d);
        buf_clear(&one);
        if (draw_chance(d, 0.15))
                replace_words(&one, other.at ? other.at : "", traditional, COUNT_OF(traditional), 1, d);
        else
                buf_text(&one, other.at ? other.at : "");
        buf_clear(&other);
        noise(&other, one.at ? one.at : "", typos[how], digits[how], d);
        char *result = arena_text(a, other.length > 0 ? other.at : text);
        buf_free(&one);
        buf_free(&other);
        return result;
}

static bool names(const struct place_phrase *p, size_t n, uint32_t hash)
{
        for (size_t i = 0; i < n; i++)
                if (p[i].hash == hash)
                        return true;
        return false;
}

/* Keeps the places that few texts name, and of these only what `not` (may be NULL) does not have. */
static size_t keep_rare(struct place_phrase *p, size_t n, const struct rare *rare, const struct place_phrase * not, size_t n_not)
{
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
                if (rare_weight(rare, p[i].hash) >= RARE && !names(not, n_not, p[i].hash))
                        p[kept++] = p[i];
        return kept;
}

static uint32_t begin_of_name(const struct folded *f, const struct place_phrase *p)
{
        uint32_t from = p->from;
        while (from > 0 && p->from - from < 3 && letter_kind(f->c[from - 1]) == LETTER_HAN)
                from--;
        return from;
}

char *retell_elsewhere(struct arena *a, const struct fold *fold, const struct rare *rare, const char *text, const char *other,
                       struct draw *d)
{
        struct folded from, to;
        struct place_phrase *places, *others;
        struct buf b = BUF_LIMIT(TEXT_MOST);
        fold_text(fold, a, text, strlen(text), &from);
        fold_text(fold, a, other, strlen(other), &to);
        size_t n = place_phrases(&from, a, &places), m = place_phrases(&to, a, &others), at = 0;
        m = keep_rare(others, m, rare, places, n);
        n = keep_rare(places, n, rare, NULL, 0);
        if (n == 0 || m == 0 || from.at[places[0].from] >= strcspn(text, "\n"))
                return NULL;
        const size_t shift = draw_below(d, m);
        for (size_t i = 0; i < n; i++) {
                size_t k = 0;
                while (places[k].hash != places[i].hash)
                        k++; /* the same place becomes the same place again */
                const struct place_phrase *new = &others[(k + shift) % m];
                const size_t begin = from.at[begin_of_name(&from, &places[i])];
                if (begin < at)
                        continue;
                buf_add(&b, text + at, begin - at);
                buf_add(&b, other + to.at[new->from], to.at[new->to] - to.at[new->from]);
                at = from.at[places[i].to];
        }
        buf_text(&b, text + at);
        char *result = arena_text(a, b.at);
        buf_free(&b);
        return result;
}
