/* sight/query.c -- see query.h. */
#include "sight/query.h"
#include "base/arena.h"

enum { TEXT_MOST = 1 << 17, ROOM = 64 };

struct query query_new(struct arena *a)
{
        struct query q = {.arena = a, .text = BUF_LIMIT(TEXT_MOST), .room = ROOM};
        q.args = NEW_ARRAY(a, struct value, ROOM);
        return q;
}

void query_text(struct query *q, const char *text)
{
        buf_text(&q->text, text);
}

static void put(struct query *q, struct value v)
{
        if (q->n + 1 >= q->room) {
                struct value *more = NEW_ARRAY(q->arena, struct value, 2 * q->room);
                memcpy(more, q->args, sizeof *more * (size_t)q->n);
                q->args = more;
                q->room *= 2;
        }
        q->args[q->n++] = v;
        buf_format(&q->text, "$%d", q->n);
}

void query_arg(struct query *q, struct value v)
{
        put(q, v);
}

static size_t padded(size_t n)
{
        size_t length = 1;
        while (length < n)
                length *= 2;
        return length;
}

void query_texts(struct query *q, const char *const *values, size_t n)
{
        const size_t length = padded(n);
        for (size_t i = 0; i < length; i++) {
                query_text(q, i ? ", " : "(");
                put(q, V(values[i < n ? i : n - 1]));
        }
        query_text(q, ")");
}

void query_ints(struct query *q, const int64_t *values, size_t n)
{
        const size_t length = padded(n);
        for (size_t i = 0; i < length; i++) {
                query_text(q, i ? ", " : "(");
                put(q, V(values[i < n ? i : n - 1]));
        }
        query_text(q, ")");
}

const struct value *query_args(struct query *q)
{
        assert(!q->text.overflow);
        q->args[q->n] = (struct value){.kind = VALUE_END};
        return q->args;
}
