/* form/form_test.c -- forms taken apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "form/form.h"

static const char URLENCODED[] = "application/x-www-form-urlencoded";
static const char MULTIPART[] = "multipart/form-data; boundary=xYz";

static struct form parsed(struct arena *a, const char *type, const char *body, size_t n)
{
        struct form f;
        struct err e = {0};
        if (!form_parse(a, type, body, n, &f, &e))
                fail_msg("%s", e.text);
        return f;
}

static void is_refused(const char *type, const char *body, size_t n)
{
        struct arena *a = arena_new();
        struct form f;
        struct err e = {0};
        if (form_parse(a, type, body, n, &f, &e))
                fail_msg("taken: %s", body);
        assert_int_equal(e.kind, ERR_INVALID);
        assert_true(e.text[0] && e.zh[0]);
        arena_free(&a);
}

static void types_of_forms(void **state)
{
        (void)state;
        assert_true(form_is(URLENCODED));
        assert_true(form_is("Application/X-WWW-Form-URLEncoded; charset=UTF-8"));
        assert_true(form_is(MULTIPART));
        assert_false(form_is("application/json"));
        assert_false(form_is("multipart/form-data-2"));
        assert_false(form_is(NULL));
}

static void urlencoded_fields(void **state)
{
        struct arena *a = arena_new();
        static const char body[] = "a=1&b=%E5%9E%83+%26&&c&a[]=x%3Dy&a=2&=z";
        const struct form f = parsed(a, URLENCODED, body, strlen(body));
        (void)state;
        assert_int_equal(f.n_fields, 6);
        assert_string_equal(form_value(&f, "a"), "1");
        assert_string_equal(form_value(&f, "b"), "垃 &");
        assert_string_equal(form_value(&f, "c"), "");
        assert_string_equal(form_value(&f, "a[]"), "x=y");
        assert_string_equal(f.fields[4].value, "2");
        assert_string_equal(f.fields[5].name, "");
        assert_null(form_value(&f, "d"));
        assert_null(form_value(NULL, "a"));
        arena_free(&a);
}

static void broken_urlencoded(void **state)
{
        static const char *const bodies[] = {"a=%", "a=%2", "a=%zz", "%ff=1", "a=%00", "a=%C0%80"};
        struct buf many = BUF_LIMIT(4096);
        (void)state;
        for (size_t i = 0; i < COUNT_OF(bodies); i++)
                is_refused(URLENCODED, bodies[i], strlen(bodies[i]));
        for (int i = 0; i < 257; i++)
                buf_text(&many, "a=1&");
        is_refused(URLENCODED, many.at, many.length);
        buf_free(&many);
}

static void multipart_fields_and_files(void **state)
{
        struct arena *a = arena_new();
        static const char body[] =
                "what comes before is for old mail readers\r\n--xYz\r\n"
                "Content-Disposition: form-data; name=\"a\"\r\n\r\n一 行\r\n二\r\n--xYz  \r\n"
                "content-type: image/png\r\nCONTENT-DISPOSITION: form-data; filename=\"na\\\"me; name=b.png\"; name=\"f\"\r\n\r\n"
                "\0\r\n--xY\r\n\r\n--xYz\r\n"
                "Content-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n--xYz\r\n"
                "Content-Disposition: form-data; name=plain\r\n\r\n\r\n--xYz--\r\nand after";
        const struct form f = parsed(a, MULTIPART, body, sizeof body - 1);
        (void)state;
        assert_int_equal(f.n_fields, 2);
        assert_string_equal(form_value(&f, "a"), "一 行\r\n二");
        assert_string_equal(form_value(&f, "plain"), "");
        assert_int_equal(f.n_files, 1);
        assert_string_equal(f.files[0].name, "f");
        assert_string_equal(f.files[0].filename, "na\"me; name=b.png");
        assert_string_equal(f.files[0].type, "image/png");
        assert_int_equal(f.files[0].n, 9);
        assert_memory_equal(f.files[0].bytes, "\0\r\n--xY\r\n", 9);
        arena_free(&a);
}

static void multipart_without_parts(void **state)
{
        struct arena *a = arena_new();
        (void)state;
        assert_int_equal(parsed(a, "multipart/form-data; boundary=\"a b\"", "--a b--", 7).n_fields, 0);
        arena_free(&a);
}

static void broken_multipart(void **state)
{
        static const char *const bodies[] = {
                "",
                "--xYz",
                "--xYz\r\n",
                "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end",
                "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xYz\r\n",
                "--xYz\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--xYz--",
                "--xYz\r\nContent-Type: text/plain\r\n\r\n1\r\n--xYz--",
                "--xYz\r\nno empty line\r\n--xYz--",
                "--xYzContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xYz--",
                "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xff\r\n--xYz--",
                "--xYz\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n1\r\n--xYz--",
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(bodies); i++)
                is_refused(MULTIPART, bodies[i], strlen(bodies[i]));
        is_refused("multipart/form-data", "--x--", 5);
        is_refused("multipart/form-data; boundary=", "--x--", 5);
        is_refused("multipart/form-data; boundary=\"x", "--x--", 5);
        is_refused("multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789x", "--x--",
                   5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(types_of_forms),    cmocka_unit_test(urlencoded_fields),
                cmocka_unit_test(broken_urlencoded), cmocka_unit_test(multipart_fields_and_files),
                cmocka_unit_test(broken_multipart),  cmocka_unit_test(multipart_without_parts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
