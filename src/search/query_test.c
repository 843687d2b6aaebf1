/* Queries: words, phrases, what is left out, fields, and each way to be wrong. */
#include "search/query.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "text/fold.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct world {
        struct fold *fold;
        struct arena *arena;
};

/* "+噪音 -垃圾": each phrase by its terms; "?" behind those the index alone does not tell. */
static const char *said(const struct world *w, const char *text)
{
        struct asked q;
        struct err e;
        struct buf b = BUF_LIMIT(1 << 14);
        if (!asked_parse(w->fold, w->arena, text, &q, &e))
                fail_msg("%s: %s", text, e.text);
        for (size_t i = 0; i < q.n; i++) {
                buf_text(&b, i ? " " : "");
                buf_text(&b, q.at[i].without ? "-" : "+");
                for (size_t k = 0; k < q.at[i].needed.n; k++)
                        buf_format(&b, "%s%s", k ? "," : "", q.at[i].needed.at[k]);
                buf_text(&b, q.at[i].exact ? "" : "?");
        }
        const char *out = arena_copy(w->arena, b.at ? b.at : "", b.length);
        buf_free(&b);
        return out;
}

static void refused(const struct world *w, const char *text, const char *part)
{
        struct asked q;
        struct err e = {0};
        assert_false(asked_parse(w->fold, w->arena, text, &q, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_string_equal(e.field, "q");
        assert_true(e.zh[0]);
        if (!strstr(e.text, part))
                fail_msg("%s: %s", text, e.text);
}

static void words(void **state)
{
        const struct world *w = *state;
        assert_string_equal(said(w, "噪音"), "+噪音");
        assert_string_equal(said(w, " 噪音　路燈 "), "+噪音 +路灯");
        assert_string_equal(said(w, "施工噪音 -KTV"), "+施工,工噪,噪音? -ktv");
        assert_string_equal(said(w, "路 －“垃圾 桶”"), "+路 -垃圾,桶?");
        assert_string_equal(said(w, "\"street light\""), "+street,light?");
        assert_string_equal(said(w, "12:30 ！！"), "+12,30?");
        assert_string_equal(said(w, "szps202503011200000001"), "+_nszps202503011200000001");
}

static void fields_are_read(void **state)
{
        const struct world *w = *state;
        struct asked q;
        struct err e;
        assert_true(asked_parse(w->fold, w->arena, "unit:city 路灯 事项：\"02 01\" state:closed 区域:990101", &q, &e));
        assert_string_equal(q.unit, "city");
        assert_string_equal(q.item, "02 01");
        assert_string_equal(q.state, "closed");
        assert_string_equal(q.area, "990101");
        assert_int_equal(q.n, 1);
        assert_true(q.exact);
}

static void wrong(void **state)
{
        const struct world *w = *state;
        refused(w, "", "say a word");
        refused(w, "，。", "say a word");
        refused(w, "-垃圾 unit:city", "say a word");
        refused(w, "\"路灯", "not closed");
        refused(w, "「路灯\"", "not closed");
        refused(w, "colour:red 路灯", "no field \"colour\"");
        refused(w, "unit: 路灯", "said once");
        refused(w, "unit:a unit:b 路灯", "said once");
        refused(w, "13800138000", "telephone");
        refused(w, "\"138-0013-8000\"", "telephone");
        refused(w, "li@qq.com", "mail");
        refused(w, "a b c d e f g h i j k l m", "at most 12");
}

static int begin(void **state)
{
        struct arena *a = arena_new();
        struct world *w = NEW(a, struct world);
        struct err e;
        w->arena = a;
        *state = w;
        return fold_new(&w->fold, &e) ? 0 : -1;
}

static int end(void **state)
{
        struct world *w = *state;
        struct arena *a = w->arena;
        fold_free(&w->fold);
        arena_free(&a);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(fields_are_read), cmocka_unit_test(wrong)};
        return cmocka_run_group_tests(tests, begin, end);
}
