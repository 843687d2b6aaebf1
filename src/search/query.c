/* search/query.c -- see query.h. */
#include "search/query.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "text/fold.h"

/* --- pieces of the text -------------------------------------------------------------------------------------------------- */

struct piece {
        const char *at;
        size_t n;
};
struct reader {
        const struct fold *fold;
        struct arena *arena;
        const char *at;
        struct asked *out;
};

static const char *const blanks[] = {" ", "\t", "\n", "\r", "　", NULL};
static const char *const opening[] = {"\"", "“", "「", "＂", NULL};
static const char *const closing[] = {"\"", "”", "」", "＂", NULL};
static const char *const minus[] = {"-", "－", NULL};
static const char *const colons[] = {":", "：", NULL};

/* Bytes of the first of these that the text begins with; 0 = none.  which may be NULL. */
static size_t begins(const char *text, const char *const *with, size_t *which)
{
        for (size_t i = 0; with[i]; i++)
                if (text_starts(text, with[i])) {
                        if (which)
                                *which = i;
                        return strlen(with[i]);
                }
        return 0;
}

static void skip_blanks(struct reader *r)
{
        for (size_t n; (n = begins(r->at, blanks, NULL)) > 0;)
                r->at += n;
}

/* Up to the next blank, or what stands between quotation marks. */
static bool read_piece(struct reader *r, struct piece *out, struct err *e)
{
        size_t which = 0;
        const size_t mark = begins(r->at, opening, &which);
        if (mark) {
                const char *from = r->at + mark, *end = strstr(from, closing[which]);
                if (!end)
                        return err_both(e, ERR_INVALID, "q", "a quotation mark is not closed: %.60s", "引号没有配对：%.60s", r->at);
                *out = (struct piece){from, (size_t)(end - from)};
                r->at = end + strlen(closing[which]);
                return true;
        }
        const char *end = r->at;
        while (*end && !begins(end, blanks, NULL))
                end++;
        *out = (struct piece){r->at, (size_t)(end - r->at)};
        r->at = end;
        return true;
}

/* --- words --------------------------------------------------------------------------------------------------------------- */

const char *number_term(struct arena *a, const struct atoms *number)
{
        struct buf b = BUF_LIMIT(1 << 12);
        if (number->n == 0)
                return NULL;
        buf_text(&b, "_n");
        for (size_t i = 0; i < number->n; i++)
                fold_write(number->text, number->at[i].from, number->at[i].to, &b);
        const char *term = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return term;
}

static bool is_personal(const struct atoms *words)
{
        for (size_t i = 0; i < words->n; i++)
                if (words->at[i].personal)
                        return true;
        return false;
}

/* One word with letters, or with more digits than a telephone or an account has. */
static bool may_be_number(const struct atoms *w)
{
        enum { NUMBER_DIGITS = 18 };
        const struct atom *a = &w->at[0];
        for (uint32_t p = a->from; p < a->to; p++)
                if (letter_kind(w->text->c[p]) != LETTER_DIGIT)
                        return w->n == 1;
        return w->n == 1 && a->to - a->from >= NUMBER_DIGITS;
}

static bool add_phrase(struct reader *r, const struct piece *p, bool without, struct err *e)
{
        struct asked *out = r->out;
        struct folded *f = NEW(r->arena, struct folded);
        struct phrase ph = {.without = without, .exact = true, .needed = {.arena = r->arena}};
        fold_text(r->fold, r->arena, p->at, p->n, f);
        atoms_of(r->arena, f, &ph.words);
        if (ph.words.n == 0)
                return true; /* marks only */
        if (out->n == PHRASES_MOST || ph.words.n > PHRASE_ATOMS_MOST)
                return err_both(e, ERR_INVALID, "q", "at most %d words, and %d characters in one", "最多%d个词，每个词最多%d个字",
                                PHRASES_MOST, PHRASE_ATOMS_MOST);
        if (!is_personal(&ph.words)) {
                terms_needed(&ph.needed, &ph.words, &ph.exact);
        } else if (may_be_number(&ph.words)) {
                ph.number = true;
                terms_put(&ph.needed, number_term(r->arena, &ph.words));
        } else {
                return err_both(
                        e, ERR_INVALID, "q",
                        "telephone, identity and account numbers and mail addresses are not searched for here; who may, finds a"
                        " reporter by POST /api/v1/reporters/search",
                        "此处不能搜索电话、证件、账号或邮箱；有权限者请使用 POST /api/v1/reporters/search 查找来电人");
        }
        out->exact = out->exact && ph.exact;
        out->at[out->n++] = ph;
        return true;
}

/* --- fields -------------------------------------------------------------------------------------------------------------- */

static const struct field {
        const char *name, *zh;
        size_t value; /* offset in struct asked */
} fields[] = {
        {"unit", "单位", offsetof(struct asked, unit)},
        {"item", "事项", offsetof(struct asked, item)},
        {"state", "状态", offsetof(struct asked, state)},
        {"area", "区域", offsetof(struct asked, area)},
};

/* Length of the name in front of a colon that begins the text, all letters a-z or all of a Chinese field; 0 = none. */
static size_t name_length(const char *text, const struct field **known, size_t *colon)
{
        *known = NULL;
        for (size_t i = 0; i < COUNT_OF(fields); i++) {
                const char *const names[] = {fields[i].name, fields[i].zh};
                for (size_t k = 0; k < COUNT_OF(names); k++) {
                        const size_t n = strlen(names[k]);
                        if (strncmp(text, names[k], n) == 0 && (*colon = begins(text + n, colons, NULL)) > 0) {
                                *known = &fields[i];
                                return n;
                        }
                }
        }
        const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
        *colon = n ? begins(text + n, colons, NULL) : 0;
        return *colon ? n : 0;
}

static bool take_field(struct reader *r, const struct field *field, const char *name, size_t n, struct err *e)
{
        const char *earlier, *value;
        struct piece p;
        if (!field)
                return err_both(
                        e, ERR_INVALID, "q",
                        "there is no field \"%.*s\"; there are unit, item, state and area.  Words with a colon go into quotes",
                        "没有“%.*s”字段，可用：单位、事项、状态、区域；含冒号的词请加引号", (int)(n < 40 ? n : 40), name);
        if (!read_piece(r, &p, e))
                return false;
        memcpy(&earlier, (const char *)r->out + field->value, sizeof earlier);
        if (p.n == 0 || earlier)
                return err_both(e, ERR_INVALID, "q", "the field \"%s\" is said once, with a value right behind the colon",
                                "字段“%s”只能出现一次，冒号后紧跟取值", field->name);
        value = arena_copy(r->arena, p.at, p.n);
        memcpy((char *)r->out + field->value, &value, sizeof value);
        return true;
}

static bool read_one(struct reader *r, struct err *e)
{
        const struct field *field;
        struct piece p;
        size_t colon;
        const size_t name = name_length(r->at, &field, &colon);
        if (name) {
                const char *at = r->at;
                r->at += name + colon;
                return take_field(r, field, at, name, e);
        }
        const size_t without = begins(r->at, minus, NULL);
        r->at += without;
        return read_piece(r, &p, e) && add_phrase(r, &p, without > 0, e);
}

bool asked_parse(const struct fold *fold, struct arena *a, const char *text, struct asked *out, struct err *e)
{
        struct reader r = {.fold = fold, .arena = a, .at = text, .out = out};
        *out = (struct asked){.exact = true};
        for (skip_blanks(&r); *r.at; skip_blanks(&r))
                if (!read_one(&r, e))
                        return false;
        for (size_t i = 0; i < out->n; i++)
                if (!out->at[i].without)
                        return true;
        return err_both(e, ERR_INVALID, "q", "say a word to look for, such as 路灯; fields and words left out only narrow",
                        "请输入要搜索的词，如“路灯”；字段和排除词只用于缩小范围");
}
