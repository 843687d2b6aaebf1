/* media/fuzz_picture.c -- pictures: a public copy is a picture of the same kind, says nothing of where and when, and is its own
 * public copy. */
#include "base/text.h"
#include "media/media.h"
#include "media/picture.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_copy(const struct buf *once, const char *type, size_t n)
{
        struct picture_facts f;
        struct buf again = BUF_LIMIT((size_t)1 << 26);
        assert(text_is(media_type(once->at, once->length), type));
        assert(once->length <= n + 36);
        picture_facts(once->at, once->length, &f);
        assert(!f.has_point && f.taken == 0);
        assert(text_is(type, "image/jpeg") || f.orientation == 0);
        const bool copied = picture_public(once->at, once->length, &again);
        assert(copied && again.length == once->length && memcmp(again.at, once->at, again.length) == 0);
        buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct buf once = BUF_LIMIT((size_t)1 << 26);
        struct picture_facts f;
        unsigned char *exact = malloc(n ? n : 1); /* so that one byte too many is seen */
        assert(exact);
        memcpy(exact, bytes, n);
        picture_facts(exact, n, &f);
        if (picture_public(exact, n, &once))
                check_copy(&once, media_type(exact, n), n);
        buf_free(&once);
        free(exact);
        return 0;
}
