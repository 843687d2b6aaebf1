/* exchange/fuzz_exchange.c -- messages of another platform: what is read is plain and within its bounds, and says the same when it
 * is written and read again; answers and signatures of any form are judged.  Input: message, NUL, answer, NUL, signature header. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "exchange/message.h"
#include "notify/notify.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *piece(struct arena *a, const uint8_t **bytes, size_t *n, size_t *length)
{
        const uint8_t *end = memchr(*bytes, 0, *n);
        const size_t k = end ? (size_t)(end - *bytes) : *n;
        const char *out = arena_copy(a, *bytes, k);
        *bytes += end ? k + 1 : k;
        *n -= end ? k + 1 : k;
        *length = k;
        return out;
}

static void check_plain(const char *text)
{
        assert(text[0] && text_characters(text) <= 64);
        for (const unsigned char *c = (const unsigned char *)text; *c; c++)
                assert(*c > ' ' && *c != 0x7f);
}

static const char *written(struct arena *a, const struct exchange_message *m)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        exchange_message_write(m, &j);
        assert(!b.overflow);
        const char *out = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return out;
}

static void check_message(struct arena *a, const struct exchange_message *m)
{
        struct exchange_message again;
        struct err e;
        check_plain(m->number);
        check_plain(m->status);
        if (m->peer_number)
                check_plain(m->peer_number);
        assert(m->revision >= 0 && m->seen >= 0 && m->revision <= 1000000000 && m->seen <= 1000000000 && m->at != 0);
        assert(!m->has_case || !text_empty(m->told.text));
        assert(!m->has_case || !m->told.has_point || (m->told.point.lon >= -180 && m->told.point.lon <= 180));
        const char *text = written(a, m);
        assert(exchange_message_parse(a, text, strlen(text), &again, &e));
        assert(text_is(text, written(a, &again)));
        assert(again.revision == m->revision && again.seen == m->seen && again.at == m->at && again.has_case == m->has_case);
}

/* A header that passes is the one we would have written. */
static void check_signature(const char *header, const char *body)
{
        const int64_t now = INT64_C(1790000000) * USEC_SECOND;
        char right[100];
        struct err e = {0};
        webhook_signature("a secret of both", body, now, right);
        assert(exchange_signature_check(right, "a secret of both", body, now, &e));
        assert(!exchange_signature_check(right, "a secret of both", body, now + 6 * USEC_MINUTE, &e) && e.kind == ERR_DENIED);
        assert(!exchange_signature_check(right, "another secret", body, now, &e));
        if (!text_is(header, right))
                assert(!exchange_signature_check(header, "a secret of both", body, now, &e) && e.text[0] && e.zh[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct exchange_message m;
        struct exchange_answer x;
        struct err e = {0};
        size_t length;
        const char *message = piece(a, &bytes, &n, &length);
        if (exchange_message_parse(a, message, length, &m, &e))
                check_message(a, &m);
        else
                assert(e.kind == ERR_INVALID && e.text[0]);
        const char *answer = piece(a, &bytes, &n, &length);
        if (exchange_answer_parse(a, answer, length, &x, &e))
                check_plain(x.number);
        else
                assert(e.kind == ERR_INVALID && e.text[0]);
        check_signature(piece(a, &bytes, &n, &length), message);
        arena_free(&a);
        return 0;
}
