/* ledger/digest.c -- see digest.h. */
#include "ledger/digest.h"
#include "base/buf.h"

static void add_number(struct buf *b, int64_t number)
{
        unsigned char bytes[8];
        for (int i = 0; i < 8; i++)
                bytes[i] = (unsigned char)((uint64_t)number >> (56 - 8 * i));
        buf_add(b, bytes, sizeof bytes);
}

static void add_text(struct buf *b, const char *text)
{
        size_t n = text ? strlen(text) : 0;
        add_number(b, (int64_t)n);
        buf_add(b, text ? text : "", n);
}

void ledger_digest(const unsigned char *previous, const struct ledger_entry *entry, const struct ledger_place *place,
                   unsigned char out[SHA256_SIZE])
{
        static const unsigned char none[SHA256_SIZE];
        struct buf b = BUF_LIMIT((size_t)64 << 20);
        buf_add(&b, previous ? previous : none, SHA256_SIZE);
        add_number(&b, entry->subject);
        add_number(&b, place->seq);
        add_number(&b, place->lane);
        add_number(&b, place->ordinal);
        add_number(&b, entry->at);
        const char *texts[] = {
                entry->move, entry->origin, entry->dest, entry->actor, entry->role, entry->unit, entry->form ? entry->form : "{}"};
        for (size_t i = 0; i < COUNT_OF(texts); i++)
                add_text(&b, texts[i]);
        assert(!b.overflow);
        sha256(b.at, b.length, out);
        buf_free(&b);
}
