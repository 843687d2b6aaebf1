/* letter/letter_test.c -- texts, pace, gateway, mail, reach: what needs neither store nor network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "letter/gateway.h"
#include "letter/mail.h"
#include "letter/pace.h"
#include "letter/reach.h"
#include "letter/texts.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static int64_t at(const char *text)
{
        int64_t instant;
        assert_true(time_parse(text, ZONE_SHANGHAI, &instant));
        return instant;
}

/* --- texts ------------------------------------------------------------------------------------------------------------------- */
static void holes_are_filled_and_lines_without_a_link_left_out(void **state)
{
        struct arena *a = arena_new();
        const struct fill values[] = {{"title", "a\x1b[1m\x1a{number}\nb", false},
                                      {"number", "N1", true},
                                      {"tracking_link", NULL, true},
                                      {"callback_link", LINK_MARK, true},
                                      {0}};
        (void)state;
        assert_string_equal(text_fill(a, "{number}: {title}.\nx {tracking_link}\n{{ok} {unknown} {", values, 0),
                            "N1: a[1m{number}\nb.\n{ok} {unknown} {");
        assert_string_equal(text_fill(a, "{title}", values, 6), "a[1m{n…");
        assert_string_equal(text_fill(a, "{title}", values, 60), "a[1m{number} b");
        assert_string_equal(text_fill(a, "", values, 0), "");
        const char *linked = text_fill(a, "{title}\n{callback_link}!", values, 0);
        assert_string_equal(text_link(a, linked, "https://x"), "a[1m{number}\nb\nhttps://x!");
        assert_true(text_has("a {{title} {title}", "title"));
        assert_false(text_has("a {{title} { title}", "title"));
        assert_false(text_has("{titles}", "title"));
        arena_free(&a);
}

static void a_value_is_cut_between_characters(void **state)
{
        struct arena *a = arena_new();
        const struct fill values[] = {{"title", "坪山区一网统管", false}, {0}};
        (void)state;
        assert_string_equal(text_fill(a, "{title}", values, 3), "坪山区…");
        assert_string_equal(text_fill(a, "{title}", values, 7), "坪山区一网统管");
        arena_free(&a);
}

static void faults_of_a_text_are_told_with_their_line(void **state)
{
        static const char text[] = "{number} {{\n{numbre}\n{\n\x07";
        struct text_fault f;
        size_t from = 0;
        (void)state;
        assert_true(text_fault_next(text, strlen(text), &from, &f));
        assert_int_equal(f.line, 2);
        assert_non_null(strstr(f.en, "{numbre}"));
        assert_true(text_fault_next(text, strlen(text), &from, &f));
        assert_int_equal(f.line, 3);
        assert_true(text_fault_next(text, strlen(text), &from, &f));
        assert_int_equal(f.line, 4);
        assert_false(text_fault_next(text, strlen(text), &from, &f));
        for (const struct hole *h = text_holes; h->name; h++) {
                char one[60];
                (void)snprintf(one, sizeof one, "{%s}", h->name);
                from = 0;
                assert_false(text_fault_next(one, strlen(one), &from, &f));
        }
}

static void a_mail_text_has_a_subject(void **state)
{
        struct arena *a = arena_new();
        const char *subject, *body;
        (void)state;
        assert_true(mail_text_split(a, "Subject:  x y \r\n\r\nz\n", &subject, &body));
        assert_string_equal(subject, "x y");
        assert_string_equal(body, "z\n");
        assert_false(mail_text_split(a, "Subject: x\nz\n", &subject, &body));
        assert_false(mail_text_split(a, "Subject:  \n\nz\n", &subject, &body));
        assert_false(mail_text_split(a, "x\n\nz\n", &subject, &body));
        assert_false(mail_text_split(a, "Subject: x", &subject, &body));
        arena_free(&a);
}

static void the_manual_lists_every_hole_and_no_other(void **state)
{
        enum { ROOM = 1 << 16 };
        struct arena *a = arena_new();
        char *text = arena_alloc(a, ROOM);
        size_t holes = 0, rows = 0;
        FILE *f = fopen("doc/notify.md", "r");
        (void)state;
        assert_non_null(f);
        assert_true(fread(text, 1, ROOM - 1, f) > 0);
        assert_int_equal(fclose(f), 0);
        for (const struct hole *h = text_holes; h->name; h++, holes++)
                assert_non_null(strstr(text, arena_format(a, "\n| `{%s}` | ", h->name)));
        for (const char *p = text; (p = strstr(p, "\n| `{")) != NULL; p++)
                rows++;
        assert_int_equal(rows, holes);
        arena_free(&a);
}

/* --- pace -------------------------------------------------------------------------------------------------------------------- */
static void quiet_hours_end(void **state)
{
        struct quiet q;
        struct err e;
        (void)state;
        assert_true(quiet_parse("22:00-08:00", &q, &e));
        assert_int_equal(quiet_end(&q, at("2026-11-25 21:59:59")), at("2026-11-25 21:59:59"));
        assert_int_equal(quiet_end(&q, at("2026-11-25 22:00:00")), at("2026-11-26 08:00:00"));
        assert_int_equal(quiet_end(&q, at("2026-12-31 23:59:59.5")), at("2027-01-01 08:00:00"));
        assert_int_equal(quiet_end(&q, at("2026-11-25 00:00:00")), at("2026-11-25 08:00:00"));
        assert_int_equal(quiet_end(&q, at("2026-11-25 07:59:59")), at("2026-11-25 08:00:00"));
        assert_int_equal(quiet_end(&q, at("2026-11-25 08:00:00")), at("2026-11-25 08:00:00"));
        assert_true(quiet_parse("12:30-13:45", &q, &e));
        assert_int_equal(quiet_end(&q, at("2026-11-25 12:29:59")), at("2026-11-25 12:29:59"));
        assert_int_equal(quiet_end(&q, at("2026-11-25 12:30:10")), at("2026-11-25 13:45:00"));
        assert_true(quiet_parse("none", &q, &e));
        assert_int_equal(quiet_end(&q, at("2026-11-25 00:00:00")), at("2026-11-25 00:00:00"));
        static const char *const wrong[] = {
                "", "22:00", "22-8", "24:00-08:00", "22:60-08:00", "08:00-08:00", "22:00-08:000", "2:000-08:00"};
        for (size_t i = 0; i < COUNT_OF(wrong); i++) {
                assert_false(quiet_parse(wrong[i], &q, &e));
                assert_int_equal(e.kind, ERR_INVALID);
                assert_true(e.zh[0]);
        }
}

static void pauses_grow_and_differ(void **state)
{
        (void)state;
        assert_int_equal(pace_backoff(1, USEC_HOUR, 0), USEC_SECOND * 3 / 4);
        assert_int_equal(pace_backoff(1, USEC_HOUR, UINT32_MAX), USEC_SECOND * 5 / 4);
        for (int i = 1; i < 12; i++)
                assert_int_equal(pace_backoff(i + 1, USEC_HOUR, 0), 2 * pace_backoff(i, USEC_HOUR, 0));
        assert_int_equal(pace_backoff(40, USEC_HOUR, 0), USEC_HOUR * 3 / 4);
        assert_int_equal(pace_backoff(INT32_MAX, USEC_MINUTE, UINT32_MAX), USEC_MINUTE * 5 / 4);
        assert_int_equal(pace_backoff(0, USEC_HOUR, 0), USEC_SECOND * 3 / 4);
}

/* --- gateway ----------------------------------------------------------------------------------------------------------------- */
static bool parses(struct arena *a, const char *text, struct gateway *g, struct err *e)
{
        return gateway_parse(a, "sms.yaml", text, strlen(text), g, e);
}

static void a_gateway_is_read_and_filled(void **state)
{
        struct arena *a = arena_new();
        struct gateway g;
        struct err e;
        const struct gateway_values v = {"138", "a\"b\\c\n{phone}&=%é", "7", "zh", "s\r\nX: y"};
        (void)state;
        assert_true(parses(a,
                           "url: \"https://x/{phone}?t={text}\"\nheaders:\n  - \"X-Key: {secret}\"\n"
                           "body: '{\"t\":\"{text}\",\"p\":[\"{phone}\"]}'\n",
                           &g, &e));
        assert_string_equal(gateway_fill(a, g.url, GATEWAY_URL, &v), "https://x/138?t=a%22b%5Cc%0A%7Bphone%7D%26%3D%25%C3%A9");
        assert_string_equal(gateway_fill(a, g.headers[0], GATEWAY_HEADER, &v), "X-Key: sX: y");
        assert_string_equal(g.headers[1], "Content-Type: application/json");
        assert_string_equal(gateway_fill(a, g.body, GATEWAY_JSON, &v), "{\"t\":\"a\\\"b\\\\c\\n{phone}&=%é\",\"p\":[\"138\"]}");
        assert_true(parses(
                a, "url: http://x\nheaders:\n  - 'Content-Type: application/x-www-form-urlencoded'\nbody: to={phone}&text={text}\n",
                &g, &e));
        assert_true(g.form);
        assert_string_equal(gateway_fill(a, g.body, GATEWAY_FORM, &v), "to=138&text=a%22b%5Cc%0A%7Bphone%7D%26%3D%25%C3%A9");
        arena_free(&a);
}

static void the_gateways_answer_is_judged(void **state)
{
        static const struct {
                const char *success, *answer;
                int status;
                bool taken;
        } cases[] = {
                {"", "", 200, true},
                {"", "nonsense", 204, true},
                {"", "", 302, false},
                {"", "", 500, false},
                {"success: {status: 201}\n", "", 200, false},
                {"success: {status: 201}\n", "", 201, true},
                {"success: {pointer: /a/1/b~1c, equals: \"0\"}\n", "{\"a\":[1,{\"b/c\":0}]}", 200, true},
                {"success: {pointer: /a/1/b~1c, equals: \"0\"}\n", "{\"a\":[1,{\"b/c\":\"0\"}]}", 200, true},
                {"success: {pointer: /a/1/b~1c, equals: \"0\"}\n", "{\"a\":[1,{\"b/c\":1}]}", 200, false},
                {"success: {pointer: /a/1/b~1c, equals: \"0\"}\n", "{\"a\":[1]}", 200, false},
                {"success: {pointer: /a, equals: \"true\"}\n", "{\"a\":true}", 200, true},
                {"success: {pointer: /a, equals: ok}\n", "{\"a\":null}", 200, false},
                {"success: {pointer: /a, equals: ok}\n", "<html>", 200, false},
                {"success: {pointer: \"\", equals: ok}\n", "\"ok\"", 200, true},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct arena *a = arena_new();
                struct gateway g;
                struct err e;
                char text[200];
                (void)snprintf(text, sizeof text, "url: http://x\n%s", cases[i].success);
                if (!parses(a, text, &g, &e))
                        fail_msg("%s: %s", text, e.text);
                if (gateway_accepts(a, &g, cases[i].status, cases[i].answer, strlen(cases[i].answer), &e) != cases[i].taken)
                        fail_msg("%s with %s", cases[i].success, cases[i].answer);
                arena_free(&a);
        }
}

static void phones_and_replies(void **state)
{
        static const struct {
                const char *text, *phone;
        } phones[] = {
                {"13800138000", "13800138000"},
                {"+86 138-0013-8000", "13800138000"},
                {"008613800138000", "13800138000"},
                {"8613800138000", "13800138000"},
                {"+852 5123 4567", "+85251234567"},
                {"0755-12345678", NULL},
                {"123", NULL},
                {"", NULL},
                {"138001380x0", NULL},
                {"+", NULL},
                {"+86", NULL},
                {"123456789012345678901", NULL},
        };
        static const struct {
                const char *text;
                int rating, solved;
        } replies[] = {
                {"1", 1, -1},         {" ４ ", 4, -1},    {"3是", 3, 1},        {"否，2。", 2, 0},
                {"已解决", 0, 1},     {"没有解决", 0, 0}, {"NO 4", 4, 0},       {"y", 0, 1},
                {"", 0, -1},          {"5", 0, -1},       {"12", 0, -1},        {"1 2", 0, -1},
                {"1号楼没水", 0, -1}, {"是否", 0, -1},    {"yesterday", 0, -1}, {"是 是", 0, -1},
        };
        struct arena *a = arena_new();
        (void)state;
        for (size_t i = 0; i < COUNT_OF(phones); i++) {
                const char *got = sms_number(a, phones[i].text);
                if (!text_is(got, phones[i].phone))
                        fail_msg("%s: %s", phones[i].text, got ? got : "NULL");
        }
        for (size_t i = 0; i < COUNT_OF(replies); i++) {
                struct reply_text r;
                const bool understood = reply_text_parse(replies[i].text, &r);
                if (r.rating != replies[i].rating || r.solved != replies[i].solved || understood != (r.rating > 0 || r.solved >= 0))
                        fail_msg("%s: %d %d", replies[i].text, r.rating, r.solved);
        }
        arena_free(&a);
}

/* --- mail -------------------------------------------------------------------------------------------------------------------- */
static void a_mail_is_ascii_with_short_lines(void **state)
{
        struct arena *a = arena_new();
        struct mail m = {"a@b.c",      "x@y.z", "结果：坪山区一网统管平台关于小区南门垃圾清理的答复（SZPS20261125）\nBcc: evil@x",
                         "行一\n行二", 42,      at("2026-11-25 09:05:07")};
        (void)state;
        const char *bytes = mail_bytes(a, &m);
        assert_non_null(strstr(bytes, "Message-ID: <42.yiwang@b.c>\r\n"));
        assert_non_null(strstr(bytes, "Date: Wed, 25 Nov 2026 09:05:07 +0800\r\n"));
        assert_non_null(strstr(bytes, "\r\n\r\n6KGM5LiADQrooYzkuow=\r\n"));
        assert_null(strstr(bytes, "Bcc"));
        for (const char *line = bytes; *line;) {
                const char *end = strstr(line, "\r\n");
                assert_non_null(end);
                assert_true(end - line <= 76);
                for (; line < end; line++)
                        assert_true(*line >= ' ' && *line <= '~');
                line = end + 2;
        }
        m.subject = "plain";
        assert_non_null(strstr(mail_bytes(a, &m), "Subject: plain\r\n"));
        m.subject = "=?UTF-8?B?eA==?=";
        assert_null(strstr(mail_bytes(a, &m), "Subject: =?UTF-8?B?eA==?=\r\n"));
        static const char *const wrong[] = {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\n", "<a@b>", "a,b@c", "-a@b", "a\"@b"};
        for (size_t i = 0; i < COUNT_OF(wrong); i++)
                assert_false(mail_address_usable(wrong[i]));
        assert_true(mail_address_usable("first.last+x@sub.example.org"));
        arena_free(&a);
}

/* --- reach ------------------------------------------------------------------------------------------------------------------- */
static void private_networks_are_known(void **state)
{
        static const struct {
                const char *address;
                bool is_private;
        } cases[] = {
                {"127.0.0.1", true},
                {"10.1.2.3", true},
                {"172.16.0.1", true},
                {"172.31.255.255", true},
                {"172.32.0.1", false},
                {"172.15.0.1", false},
                {"192.168.1.1", true},
                {"169.254.169.254", true},
                {"100.64.0.1", true},
                {"100.128.0.1", false},
                {"0.0.0.0", true},
                {"224.0.0.1", true},
                {"255.255.255.255", true},
                {"8.8.8.8", false},
                {"198.19.0.1", true},
                {"198.20.0.1", false},
                {"::1", true},
                {"::", true},
                {"fe80::1", true},
                {"fd00::1", true},
                {"ff02::1", true},
                {"2001:db8::1", false},
                {"2400:3200::1", false},
                {"::ffff:10.0.0.1", true},
                {"::ffff:8.8.8.8", false},
                {"64:ff9b::a00:1", true},
                {"2002:a00:1::", true},
                {"2002:808:808::", false},
                {"2001::1", true},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                union {
                        struct sockaddr any;
                        struct sockaddr_in v4;
                        struct sockaddr_in6 v6;
                } s = {.v6 = {0}};
                const bool six = strchr(cases[i].address, ':') != NULL;
                s.any.sa_family = six ? AF_INET6 : AF_INET;
                assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, cases[i].address,
                                           six ? (void *)&s.v6.sin6_addr : (void *)&s.v4.sin_addr),
                                 1);
                if (address_private(&s.any) != cases[i].is_private)
                        fail_msg("%s", cases[i].address);
        }
        assert_true(address_private(&(struct sockaddr){.sa_family = AF_UNIX}));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(holes_are_filled_and_lines_without_a_link_left_out),
                cmocka_unit_test(a_value_is_cut_between_characters),
                cmocka_unit_test(faults_of_a_text_are_told_with_their_line),
                cmocka_unit_test(a_mail_text_has_a_subject),
                cmocka_unit_test(the_manual_lists_every_hole_and_no_other),
                cmocka_unit_test(quiet_hours_end),
                cmocka_unit_test(pauses_grow_and_differ),
                cmocka_unit_test(a_gateway_is_read_and_filled),
                cmocka_unit_test(the_gateways_answer_is_judged),
                cmocka_unit_test(phones_and_replies),
                cmocka_unit_test(a_mail_is_ascii_with_short_lines),
                cmocka_unit_test(private_networks_are_known),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
