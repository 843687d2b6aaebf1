/* text/fold.c -- see fold.h.  ICU is asked once for every character of the first two planes; what it said is a table. */
#include "text/fold.h"
#include "base/arena.h"
#include "base/buf.h"
#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>
#include <unicode/utrans.h>

/* An entry is the folded character itself, or one of the surrogates, which are no characters. */
enum {
        PLANES = 0x20000,
        DROPPED = 0,
        ITSELF = 0xDC00,
        LONGER = 0xD800, /* LONGER + i: the i-th of the longer foldings */
        LONGER_MOST = 0x400,
        LONGER_UNITS = 8,
        HAN_FROM = 0x3400,
        HAN_TO = 0x9FFF,
};
struct fold {
        uint16_t to[PLANES];
        uint16_t longer[LONGER_MOST][LONGER_UNITS]; /* each ends with 0 */
        size_t n_longer;
};

/* --- making the table --------------------------------------------------------------------------------------------------- */

static bool icu_failed(UErrorCode code, struct err *e)
{
        return err_set(e, ERR_FAULT, "ICU: %s", u_errorName(code));
}

/* Pictures and dingbats say nothing that words do not, and are put between characters to hide words.  Accents are dropped, so that
 * a letter with its accent in one character is the same as in two. */
static bool is_noise(uint32_t c)
{
        return (U_MASK((uint32_t)u_charType((UChar32)c))
                & (U_GC_C_MASK | U_GC_SO_MASK | U_GC_SK_MASK | U_GC_MN_MASK | U_GC_ME_MASK))
               != 0;
}

static uint16_t remember(struct fold *f, const uint16_t *text, size_t n)
{
        if (n >= LONGER_UNITS || f->n_longer == LONGER_MOST)
                return ITSELF;
        memcpy(f->longer[f->n_longer], text, n * sizeof *text);
        return (uint16_t)(LONGER + f->n_longer++);
}

/* What ICU made of c, without noise.  Characters beyond the first plane that become others stay as they are: there are none but
 * letters for formulas, which become Latin ones. */
static uint16_t entry_of(struct fold *f, uint32_t c, const UChar *text, int32_t n)
{
        uint16_t kept[16];
        size_t n_kept = 0;
        for (int32_t i = 0; i < n && n_kept < COUNT_OF(kept); i++) {
                if (U16_IS_LEAD(text[i]) || is_noise(text[i]))
                        continue;
                kept[n_kept++] = u_isUWhiteSpace(text[i]) ? ' ' : text[i];
        }
        if (n == 2 && U16_IS_LEAD(text[0]))
                return is_noise(c) ? DROPPED : ITSELF;
        if (n_kept > 1)
                return remember(f, kept, n_kept);
        return n_kept == 0 ? DROPPED : kept[0] == c ? ITSELF : kept[0];
}

static bool fill_cases(struct fold *f, struct err *e)
{
        UErrorCode code = U_ZERO_ERROR;
        const UNormalizer2 *form = unorm2_getNFKCCasefoldInstance(&code);
        const UNormalizer2 *apart = unorm2_getNFDInstance(&code);
        if (U_FAILURE(code))
                return icu_failed(code, e);
        for (uint32_t c = 1; c < PLANES; c++) {
                enum { ALPHABETS = 0x2000 };
                UChar from[2], to[64], letters[64];
                int32_t n = 0;
                if (U_IS_SURROGATE(c))
                        continue;
                U16_APPEND_UNSAFE(from, n, c);
                code = U_ZERO_ERROR;
                const int32_t got = unorm2_normalize(form, from, n, to, COUNT_OF(to), &code);
                const bool alphabet = got > 0 && to[0] < ALPHABETS;
                n = alphabet ? unorm2_normalize(apart, to, got, letters, COUNT_OF(letters), &code) : got;
                f->to[c] = U_FAILURE(code) ? DROPPED : entry_of(f, c, alphabet ? letters : to, n);
        }
        return true;
}

/* Each ideograph on a line of its own, so that none is read as part of a word with its neighbours. */
static bool fill_simplified(struct fold *f, struct err *e)
{
        enum { HANS = HAN_TO - HAN_FROM + 1, ROOM = HANS * 8 };
        static const UChar id[] = u"Hant-Hans";
        UErrorCode code = U_ZERO_ERROR;
        UTransliterator *t = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &code);
        if (U_FAILURE(code))
                return icu_failed(code, e);
        UChar *text = calloc(ROOM, sizeof *text);
        if (!text)
                abort();
        int32_t n = HANS * 2, limit = n;
        for (int32_t i = 0; i < HANS; i++) {
                text[2 * i] = (UChar)(HAN_FROM + i);
                text[2 * i + 1] = '\n';
        }
        utrans_transUChars(t, text, &n, ROOM, 0, &limit, &code);
        utrans_close(t);
        for (int32_t i = 0, at = 0; U_SUCCESS(code) && i < HANS; i++) {
                const int32_t from = at;
                while (at < n && text[at] != '\n')
                        at++;
                if (at - from == 1 && text[from] != (UChar)(HAN_FROM + i))
                        f->to[HAN_FROM + i] = text[from];
                at++;
        }
        free(text);
        return U_SUCCESS(code) || icu_failed(code, e);
}

static uint16_t simplified(const struct fold *f, uint16_t c)
{
        const bool changes = c >= HAN_FROM && c <= HAN_TO && f->to[c] >= HAN_FROM && f->to[c] <= HAN_TO;
        return changes ? f->to[c] : c;
}

/* What was folded to a Traditional ideograph becomes the Simplified one, also inside the longer foldings. */
static void follow(struct fold *f)
{
        for (size_t c = 1; c < PLANES; c++)
                f->to[c] = simplified(f, f->to[c]);
        for (size_t i = 0; i < f->n_longer; i++)
                for (size_t k = 0; k < LONGER_UNITS; k++)
                        f->longer[i][k] = simplified(f, f->longer[i][k]);
}

bool fold_new(struct fold **out, struct err *e)
{
        struct fold *f = calloc(1, sizeof *f);
        if (!f)
                abort();
        *out = NULL;
        if (!fill_cases(f, e) || !fill_simplified(f, e)) {
                free(f);
                return false;
        }
        follow(f);
        *out = f;
        return true;
}

void fold_free(struct fold **f)
{
        free(*f);
        *f = NULL;
}

/* --- folding -------------------------------------------------------------------------------------------------------------- */

static bool is_han(uint32_t c)
{
        return (c >= HAN_FROM && c <= HAN_TO) || c == 0x3007 || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

enum letter letter_kind(uint32_t c)
{
        if (c >= '0' && c <= '9')
                return LETTER_DIGIT;
        if (is_han(c))
                return LETTER_HAN;
        return u_isalnum((UChar32)c) ? LETTER_WORD : LETTER_NONE;
}

/* Blanks and marks that repeat, and blanks at the beginning, are left out. */
static void put(struct folded *out, uint32_t c, size_t at)
{
        if (c == ' ' && out->n == 0)
                return;
        if (out->n > 0 && out->c[out->n - 1] == c && letter_kind(c) == LETTER_NONE)
                return;
        out->c[out->n] = c;
        out->at[out->n++] = (uint32_t)at;
}

static void put_folded(const struct fold *f, struct folded *out, uint32_t c, size_t at)
{
        const uint16_t to = c < PLANES ? f->to[c] : ITSELF;
        if (to == DROPPED)
                return;
        if (to == ITSELF) {
                put(out, c, at);
        } else if (to >= LONGER && to < LONGER + LONGER_MOST) {
                for (const uint16_t *p = f->longer[to - LONGER]; *p && out->n < FOLD_MOST; p++)
                        put(out, *p, at);
        } else {
                put(out, to, at);
        }
}

void fold_text(const struct fold *f, struct arena *a, const char *text, size_t n, struct folded *out)
{
        /* Three bytes become at most seven characters. */
        const size_t room = (n < FOLD_MOST / 3 ? 3 * n : FOLD_MOST) + LONGER_UNITS;
        *out = (struct folded){.c = arena_alloc(a, room * sizeof *out->c), .at = arena_alloc(a, (room + 1) * sizeof *out->at)};
        size_t i = 0;
        while (i < n && out->n + LONGER_UNITS < room) {
                const size_t at = i;
                UChar32 c;
                U8_NEXT((const uint8_t *)text, i, n, c);
                if (c > 0)
                        put_folded(f, out, (uint32_t)c, at);
        }
        out->cut = i < n;
        if (out->n > 0 && out->c[out->n - 1] == ' ')
                out->n--;
        out->at[out->n] = (uint32_t)i;
}

void fold_write(const struct folded *f, size_t from, size_t to, struct buf *out)
{
        for (size_t i = from; i < to; i++) {
                uint8_t bytes[U8_MAX_LENGTH];
                int32_t n = 0;
                U8_APPEND_UNSAFE(bytes, n, f->c[i]);
                buf_add(out, bytes, (size_t)n);
        }
}
