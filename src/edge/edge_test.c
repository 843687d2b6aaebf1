/* edge/edge_test.c -- addresses, token buckets, guests that are late, and heads. */
#include "base/clock.h"
#include "base/text.h"
#include "edge/address.h"
#include "edge/buckets.h"
#include "edge/guests.h"
#include "edge/head.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* --- addresses ----------------------------------------------------------------------------------------------------------- */
static void addresses_are_read_and_compared(void **state)
{
        static const struct {
                const char *text, *shown; /* NULL: refused */
        } table[] = {
                {"192.0.2.1", "192.0.2.1"},
                {" 192.0.2.1\t", "192.0.2.1"},
                {"192.0.2.1:8080", "192.0.2.1"},
                {"::ffff:192.0.2.1", "192.0.2.1"},
                {"[::ffff:192.0.2.1]:80", "192.0.2.1"},
                {"2001:DB8:0::1", "2001:db8::1"},
                {"[2001:db8::1]", "2001:db8::1"},
                {"[2001:db8::1]:443", "2001:db8::1"},
                {"", NULL},
                {" ", NULL},
                {"unknown", NULL},
                {"_hidden", NULL},
                {"192.0.2", NULL},
                {"192.0.2.256", NULL},
                {"192.0.2.1.1", NULL},
                {"[2001:db8::1", NULL},
                {"[2001:db8::1]x", NULL},
                {"2001:db8::1::2", NULL},
                {"fe80::1%eth0", NULL},
                {"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222", NULL},
        };
        char text[ADDRESS_TEXT_SIZE];
        struct address a;
        (void)state;
        for (size_t i = 0; i < COUNT_OF(table); i++) {
                const bool read = address_parse(table[i].text, strlen(table[i].text), &a);
                assert_int_equal(read, table[i].shown != NULL);
                assert_string_equal(address_text(&a, text), read ? table[i].shown : "?");
        }
        assert_false(address_parse("1\0", 2, &a));
        const struct address unknown = address_of(NULL);
        assert_false(address_same(&unknown, &unknown));
}

static uint64_t key_of(const char *text)
{
        struct address a;
        assert_true(address_parse(text, strlen(text), &a));
        return address_key(&a, 7);
}

static void limits_count_a_64_as_one(void **state)
{
        (void)state;
        assert_true(key_of("2001:db8:1:2::1") == key_of("2001:db8:1:2:ffff::"));
        assert_true(key_of("2001:db8:1:2::1") != key_of("2001:db8:1:3::1"));
        assert_true(key_of("192.0.2.1") == key_of("::ffff:192.0.2.1"));
        assert_true(key_of("192.0.2.1") != key_of("192.0.2.2"));
}

static void the_last_address_is_the_proxys(void **state)
{
        struct address a;
        char text[ADDRESS_TEXT_SIZE];
        (void)state;
        assert_true(address_forwarded("10.0.0.1, 192.0.2.7", &a));
        assert_string_equal(address_text(&a, text), "192.0.2.7");
        assert_true(address_forwarded("2001:db8::9", &a));
        assert_string_equal(address_text(&a, text), "2001:db8::9");
        assert_false(address_forwarded("192.0.2.7,", &a));
        assert_false(address_forwarded("", &a));
}

/* --- buckets ------------------------------------------------------------------------------------------------------------- */
static void a_bucket_empties_and_fills(void **state)
{
        struct buckets *b = buckets_new();
        struct allowance a;
        int64_t now = 1000 * USEC_SECOND;
        (void)state;
        for (int left = 3; left >= 0; left--) {
                assert_true(bucket_take(b, 1, 4, now, &a));
                assert_int_equal(a.limit, 4);
                assert_int_equal(a.left, left);
                assert_int_equal(a.reset, 15 * (4 - left));
        }
        assert_false(bucket_take(b, 1, 4, now, &a));
        assert_int_equal(a.left, 0);
        assert_int_equal(a.wait, 15);
        assert_true(bucket_take(b, 3, 4, now, &a)); /* somebody else */
        now += 14 * USEC_SECOND;
        assert_false(bucket_take(b, 1, 4, now, &a));
        assert_int_equal(a.wait, 1);
        now += USEC_SECOND;
        assert_true(bucket_take(b, 1, 4, now, &a)); /* after as long as it said */
        assert_false(bucket_take(b, 1, 4, now, &a));
        now += USEC_MINUTE;
        assert_true(bucket_take(b, 1, 4, now, &a));
        assert_int_equal(a.left, 3);
        buckets_free(&b);
        assert_null(b);
}

/* Ten thousand a second for a minute, as fast as it may: no more than the bucket and what flows in. */
static void nobody_gets_more_than_his_rate(void **state)
{
        struct buckets *b = buckets_new();
        struct allowance a;
        int64_t got = 0;
        (void)state;
        for (int64_t now = 0; now < USEC_MINUTE; now += 100)
                got += bucket_take(b, 5, 600, now, &a);
        assert_in_range(got, 1195, 1200);
        buckets_free(&b);
}

/* More strangers than places: they share, and each is counted. */
static void memory_is_bounded_and_nobody_passes_uncounted(void **state)
{
        enum { STRANGERS = 400000 };
        struct buckets *b = buckets_new();
        struct allowance a;
        int64_t got = 0;
        (void)state;
        for (uint64_t i = 0; i < STRANGERS; i++)
                got += bucket_take(b, (i * 0x9E3779B97F4A7C15U) | 1, 1, USEC_MINUTE, &a);
        assert_in_range(got, 60000, 65536);
        assert_true(bucket_take(b, 12345, 1, 3 * USEC_MINUTE, &a)); /* later there is room again */
        buckets_free(&b);
}

/* --- guests -------------------------------------------------------------------------------------------------------------- */
static struct address named(const char *text)
{
        struct address a;
        assert_true(address_parse(text, strlen(text), &a));
        return a;
}

/* Seconds until the other end of `socket` is shut; -1 = not within `most`. */
static double shut_after(int socket, int most)
{
        const int64_t from = clock_steady();
        const struct timeval patience = {.tv_sec = most};
        char byte;
        assert_int_equal(setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
        return recv(socket, &byte, 1, 0) == 0 ? (double)(clock_steady() - from) / 1e6 : -1;
}

static void who_is_late_is_cut_and_others_stay(void **state)
{
        struct guests *g = guests_new(0, NULL, state);
        const struct address a = named("192.0.2.1");
        int late[2], early[2], free_one[2];
        long long open, cut, refused;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, late), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, early), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, free_one), 0);
        struct guest *x = guest_new(g, late[0], &a, clock_steady() + USEC_SECOND);
        struct guest *y = guest_new(g, early[0], &a, clock_steady() + 300 * USEC_SECOND);
        struct guest *z = guest_new(g, free_one[0], &a, clock_steady() + USEC_SECOND);
        assert_ptr_equal(guest_owner(x), state);
        guest_until(z, 0);
        const double seconds = shut_after(late[1], 5);
        assert_true(seconds > 0.8 && seconds < 2.5);
        assert_true(shut_after(early[1], 1) < 0);
        assert_true(shut_after(free_one[1], 1) < 0);
        guests_figures(g, &open, &cut, &refused);
        assert_int_equal(open, 3);
        assert_int_equal(cut, 1);
        guest_free(g, &y);
        guest_free(g, &x);
        guest_free(g, &z);
        assert_null(x);
        guests_free(&g);
        for (int i = 0; i < 2; i++) {
                (void)close(late[i]);
                (void)close(early[i]);
                (void)close(free_one[i]);
        }
}

static void an_address_has_a_number_of_connections(void **state)
{
        const struct address proxy = named("127.0.0.1"), one = named("2001:db8::1"), neighbour = named("2001:db8::2"),
                             other = named("2001:db8:0:1::1");
        struct guests *g = guests_new(2, &proxy, NULL);
        struct guest *of[4];
        long long open, cut, refused;
        (void)state;
        of[0] = guest_new(g, -1, &one, 0);
        assert_true(guests_room(g, &neighbour));
        of[1] = guest_new(g, -1, &neighbour, 0);
        assert_false(guests_room(g, &one));
        assert_true(guests_room(g, &other));
        of[2] = guest_new(g, -1, &proxy, 0);
        of[3] = guest_new(g, -1, &proxy, 0);
        assert_true(guests_room(g, &proxy));
        guests_limit(g, 3);
        assert_true(guests_room(g, &one));
        guests_limit(g, 2);
        guest_free(g, &of[0]);
        assert_true(guests_room(g, &one));
        for (int i = 1; i < 4; i++)
                guest_free(g, &of[i]);
        guests_figures(g, &open, &cut, &refused);
        assert_int_equal(open, 0);
        assert_int_equal(refused, 1);
        guests_free(&g);
}

/* --- heads --------------------------------------------------------------------------------------------------------------- */
/* As the library leaves it: "|" stands for a NUL that it has put in the place of what it took apart. */
struct memory {
        char bytes[512];
        struct head head;
};

static void lay_out(struct memory *m, const char *pattern)
{
        const size_t n = strlen(pattern);
        (void)snprintf(m->bytes, sizeof m->bytes, "%s", pattern);
        for (size_t i = 0; i < n; i++)
                if (m->bytes[i] == '|')
                        m->bytes[i] = '\0';
        struct head *h = &m->head;
        *h = (struct head){.method = m->bytes, .size = n};
        h->uri = h->asked = h->method + strlen(h->method) + 1;
        h->version = h->uri + strlen(h->uri) + 1;
        for (char *at = m->bytes + (h->version - m->bytes) + strlen(h->version) + 2; at < m->bytes + n - 2;) {
                char *value = at + strlen(at) + 1;
                value += strspn(value, " \t");
                h->lines[h->n++] = (struct head_line){at, value};
                at = value + strlen(value) + 2;
        }
}

static int status_of(const char *pattern)
{
        struct memory m;
        struct err e = {0};
        int status = 0;
        lay_out(&m, pattern);
        if (head_check(&m.head, &status, &e))
                return 200;
        assert_true(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        return status;
}

static void heads_are_plain_or_refused(void **state)
{
        (void)state;
        assert_int_equal(status_of("GET|/|HTTP/1.1||Host| a||||"), 200);
        assert_int_equal(status_of("GET|/|HTTP/1.1||Host|a||X|||Y|\t z||||"), 200);
        assert_int_equal(status_of("GET|/|HTTP/1.0||||"), 200);
        assert_int_equal(status_of("GET|/|HTTP/1.1||||"), 400);
        assert_int_equal(status_of("GET|/|HTTP/1.1||Host|a||Host|a||||"), 400);
        assert_int_equal(status_of("GET|/|HTTP/1.1||Host|a||X y|z||||"), 400);
        assert_int_equal(status_of("GET|/|HTTP/1.1||Host|a||Content-Length|1||Content-Length|1||||"), 400);
        assert_int_equal(status_of("POST|/|HTTP/1.1||Host|a||Content-Length|12||||"), 200);
        assert_int_equal(status_of("POST|/|HTTP/1.1||Host|a||Content-Length|1a||||"), 400);
        assert_int_equal(status_of("POST|/|HTTP/1.1||Host|a||Transfer-Encoding|chunked||||"), 411);
        assert_int_equal(status_of("POST|/|HTTP/1.1||Host|a||Content-Length|1||transfer-encoding|x||||"), 400);
        assert_int_equal(status_of("POST|/|HTTP/1.1||Host|a||Expect|100-Continue||||"), 200);
        assert_int_equal(status_of("POST|/|HTTP/1.1||Host|a||Expect|x||||"), 417);
}

/* Whatever byte more or less lies between the texts, the head is refused. */
static void no_byte_is_skipped(void **state)
{
        struct memory m;
        struct err e;
        int status;
        (void)state;
        for (int shift = -2; shift <= 2; shift++) {
                lay_out(&m, "GET|/|HTTP/1.1||Host|a||X|y||||    ");
                m.head.n = 2;
                m.head.size = strlen("GET|/|HTTP/1.1||Host|a||X|y||||") + (size_t)shift;
                assert_int_equal(head_check(&m.head, &status, &e), shift == 0);
                lay_out(&m, "GET|/|HTTP/1.1||Host|a||X|y||||");
                m.head.lines[1].name += shift;
                assert_int_equal(head_check(&m.head, &status, &e), shift == 0);
        }
        lay_out(&m, "GET|/|HTTP/1.1||Host|a||||");
        m.head.asked = "/longer";
        assert_false(head_check(&m.head, &status, &e));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(addresses_are_read_and_compared),
                cmocka_unit_test(limits_count_a_64_as_one),
                cmocka_unit_test(the_last_address_is_the_proxys),
                cmocka_unit_test(a_bucket_empties_and_fills),
                cmocka_unit_test(nobody_gets_more_than_his_rate),
                cmocka_unit_test(memory_is_bounded_and_nobody_passes_uncounted),
                cmocka_unit_test(who_is_late_is_cut_and_others_stay),
                cmocka_unit_test(an_address_has_a_number_of_connections),
                cmocka_unit_test(heads_are_plain_or_refused),
                cmocka_unit_test(no_byte_is_skipped),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
