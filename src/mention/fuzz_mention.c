/* mention/fuzz_mention.c -- any bytes as a citizen's text: what is found lies in it, and what is masked is not in the copy. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "mention/mention.h"
#include "text/fold.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct area_name areas[] = {{"坪山区", "1"}, {"坪山", "1"}, {"坪山街道", "2"}, {"六联社区", "3"}, {"六联", "3"}};

static bool border(const char *text, size_t n, size_t at)
{
        return at == n || (at < n && ((unsigned char)text[at] & 0xC0) != 0x80);
}

static void check(const struct mention *m, size_t n, const char *text, size_t length)
{
        uint32_t end[MENTION_KINDS] = {0};
        for (size_t i = 0; i < n; i++) {
                assert(m[i].kind < MENTION_KINDS && m[i].from < m[i].to && m[i].to <= length);
                assert(border(text, length, m[i].from) && border(text, length, m[i].to));
                assert(m[i].from >= end[m[i].kind] && (i == 0 || m[i - 1].from <= m[i].from));
                end[m[i].kind] = m[i].to;
                assert(m[i].personal == (m[i].kind >= MENTION_PHONE && m[i].kind <= MENTION_PLATE));
                assert(m[i].kind != MENTION_TIME || m[i].begin < m[i].end);
                assert((m[i].kind == MENTION_PLACE) == (m[i].place != PLACE_NONE) && (!m[i].code || m[i].kind == MENTION_PLACE));
                assert(mention_kind_name(m[i].kind) && place_kind_name(m[i].place));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static struct fold *fold; /* made once: it takes longer than a thousand inputs */
        static struct vocabulary *v;
        struct err e;
        if (!fold && !fold_new(&fold, &e))
                abort();
        if (!v)
                v = vocabulary_new(fold, areas, COUNT_OF(areas));
        struct arena *a = arena_new();
        struct folded f;
        struct mention *m;
        struct buf masked = BUF_LIMIT(1 << 20);
        char *given = arena_copy(a, n > 0 ? (const char *)bytes : "", n);
        /* Texts are checked to be UTF-8 before anybody reads them. */
        const size_t length = strlen(text_mend(given));
        char *text = malloc(length + (length == 0)); /* ends where the text ends */
        assert(text);
        memcpy(text, given, length);
        /* 28 February of a leap year, in the evening of Shanghai. */
        const int64_t now = INT64_C(1709121600) * USEC_SECOND;
        fold_text(fold, a, text, length, &f);
        const size_t found = mentions_find(v, &f, text, now, ZONE_SHANGHAI, a, &m);
        check(m, found, text, length);
        mentions_mask(text, length, m, found, &masked);
        assert(!masked.overflow && text_utf8_fault(masked.at ? masked.at : "", masked.length) == masked.length);
        buf_free(&masked);
        const char *told = mentions_masked(fold, a, given);
        bool any = f.cut;
        for (size_t i = 0; i < found; i++)
                any |= m[i].personal;
        assert(any || told == given);
        assert(text_utf8_fault(told, strlen(told)) == strlen(told));
        free(text);
        arena_free(&a);
        return 0;
}
