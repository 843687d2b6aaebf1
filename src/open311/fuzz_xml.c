/* open311/fuzz_xml.c -- any texts go in; a parser that is not ours (Expat) must take the document and give the same texts back. */
#include "base/arena.h"
#include "base/text.h"
#include "open311/xml.h"
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { TEXTS_MOST = 64 };

/* What of a text XML 1.0 can hold, worked out in another way than the writer's: character by character. */
static void expected(const char *text, struct buf *out)
{
        while (*text) {
                unsigned long c = (unsigned char)*text;
                size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
                c = n == 1 ? c : c & (0x7FUL >> n);
                for (size_t i = 1; i < n; i++)
                        c = c << 6 | ((unsigned char)text[i] & 0x3F);
                const bool held =
                        c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
                if (held)
                        buf_add(out, text, n);
                else
                        buf_text(out, "\xEF\xBF\xBD");
                text += n;
        }
}

struct found {
        struct buf text;
        size_t elements;
};

static void XMLCALL start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
        struct found *f = ctx;
        (void)attributes;
        f->elements++;
        if (strcmp(name, "t") == 0)
                buf_byte(&f->text, '\1'); /* no text of a document can have it */
}

static void XMLCALL characters(void *ctx, const XML_Char *text, int n)
{
        struct found *f = ctx;
        buf_add(&f->text, text, (size_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct buf document = BUF_LIMIT((size_t)64 << 20), wanted = BUF_LIMIT((size_t)64 << 20);
        struct found found = {.text = BUF_LIMIT((size_t)64 << 20)};
        struct xml x = xml_to(&document);
        size_t texts = 0;
        xml_open(&x, "root");
        for (size_t i = 0; i < n && texts < TEXTS_MOST; texts++) { /* texts end with NUL; what is no UTF-8 comes in nowhere */
                const uint8_t *end = memchr(bytes + i, 0, n - i);
                const size_t length = end ? (size_t)(end - bytes) - i : n - i;
                const char *text = text_mend(arena_copy(a, bytes + i, length));
                xml_open(&x, "entry");
                xml_text(&x, "t", text);
                xml_close(&x);
                buf_byte(&wanted, '\1');
                expected(text, &wanted);
                i += length + 1;
        }
        xml_close(&x);
        XML_Parser parser = XML_ParserCreate(NULL);
        XML_SetUserData(parser, &found);
        XML_SetElementHandler(parser, start, NULL);
        XML_SetCharacterDataHandler(parser, characters);
        const bool good = XML_Parse(parser, document.at, (int)document.length, 1) == XML_STATUS_OK;
        const bool same =
                found.text.length == wanted.length && (wanted.length == 0 || memcmp(found.text.at, wanted.at, wanted.length) == 0);
        if (!good || !same || found.elements != 1 + 2 * texts) {
                fprintf(stderr, "%s: %s\n", good ? "other texts" : XML_ErrorString(XML_GetErrorCode(parser)), document.at);
                abort();
        }
        XML_ParserFree(parser);
        buf_free(&document);
        buf_free(&wanted);
        buf_free(&found.text);
        arena_free(&a);
        return 0;
}
