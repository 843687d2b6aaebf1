/* pack/encoding_test.c -- encodings found by the bytes alone, also of short files; decoding in pieces and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "pack/encoding.h"
#include <unicode/ucnv.h>

struct bytes {
        const char *at;
        size_t n, piece;
};

static bool pass(void *ctx, struct fit *f, struct err *e)
{
        const struct bytes *b = ctx;
        char window[64];
        size_t kept = 0, at = 0, got = 1;
        (void)e;
        while (got > 0) {
                got = b->n - at < b->piece ? b->n - at : b->piece;
                memcpy(window + kept, b->at + at, got);
                at += got;
                const size_t used = fit_add(f, window, kept + got, got == 0);
                assert_true(kept + got - used < 4);
                kept = kept + got - used;
                memmove(window, window + used, kept);
        }
        assert_int_equal(f->bytes, b->n);
        return true;
}

static bool find(const char *bytes, size_t n, enum encoding wanted, struct fit *f, struct err *e)
{
        bool found = false;
        for (size_t piece = 1; piece < 20; piece++) {
                struct fit now;
                struct bytes b = {bytes, n, piece};
                const bool ok = encoding_find("f.csv", wanted, pass, &b, &now, e);
                if (piece > 1) {
                        assert_int_equal(ok, found);
                        assert_memory_equal(&now, f, sizeof now);
                }
                found = ok;
                *f = now;
        }
        return found;
}

static enum encoding found(const char *bytes, size_t n)
{
        struct fit f;
        struct err e = {0};
        if (!find(bytes, n, ENCODING_NONE, &f, &e)) {
                assert_true(e.kind == ERR_INVALID && e.zh[0]);
                return ENCODING_NONE;
        }
        return f.encoding;
}

/* The UTF-8 text in another encoding, as ICU writes it. */
static size_t written(const char *text, const char *encoding, char *out, size_t room)
{
        UErrorCode code = U_ZERO_ERROR;
        const int32_t n = ucnv_convert(encoding, "UTF-8", out, (int32_t)room, text, (int32_t)strlen(text), &code);
        assert_true(U_SUCCESS(code));
        return (size_t)n;
}

static const char *const texts[] = {
        "编号,内容\n1,垃圾\n",
        "ID,AT\n",
        "ID\n一\n",
        "一,二\n",
        "\"上\",\"下\"\n",
        "ID,街道\n7,坑梓\n",
        "编号;街道;社区\r\n1;龙田;老坑\r\n",
        "{\"id\":1,\"text\":\"井盖\"}\n",
        "编号\t时间\n九一四八\t2018/2/8 15:34\n",
        "a,b\n1,\xF0\xA0\x80\x8B\xF0\x9F\x98\x80\n", /* beyond the BMP */
        "编号,内容\n1,街道办事处门前的路灯自上月起一直不亮，多次反映未解决，请尽快处理，谢谢！该路段夜间行人较多，存在安全隐患。\n",
};

static void written_texts_are_found(void **state)
{
        (void)state;
        static const enum encoding all[] = {ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE, ENCODING_GB18030};
        for (size_t t = 0; t < COUNT_OF(texts); t++) {
                for (size_t i = 0; i < COUNT_OF(all); i++) {
                        char bytes[1000];
                        const size_t n = written(texts[t], encoding_name(all[i]), bytes, sizeof bytes);
                        bool ascii = true;
                        for (size_t k = 0; k < n; k++)
                                ascii = ascii && (unsigned char)bytes[k] < 0x80;
                        /* Plain ASCII is the same in both; only four-byte forms are not usual Chinese. */
                        const enum encoding wanted = all[i] == ENCODING_GB18030 && ascii                      ? ENCODING_UTF8
                                                     : all[i] == ENCODING_GB18030 && strstr(texts[t], "\xF0") ? ENCODING_NONE
                                                                                                              : all[i];
                        if (found(bytes, n) != wanted)
                                fail_msg("%s as %s is taken for %d", texts[t], encoding_name(all[i]), (int)found(bytes, n));
                }
        }
}

#define FOUND(bytes) found(bytes, sizeof(bytes) - 1)

static void odd_texts(void **state)
{
        (void)state;
        assert_int_equal(FOUND(""), ENCODING_UTF8);
        assert_int_equal(FOUND("\xEF\xBB\xBFID"), ENCODING_UTF8);
        assert_int_equal(FOUND("\xFF\xFEI\0D\0"), ENCODING_UTF16LE);
        assert_int_equal(FOUND("\xFE\xFF\0I\0D"), ENCODING_UTF16BE);
        assert_int_equal(FOUND("caf\xC3\xA9,M\xC3\xBCller\n"), ENCODING_UTF8);
        assert_int_equal(FOUND("\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82\n"), ENCODING_UTF8); /* Russian */
        assert_int_equal(FOUND("\xD6\xD0\xCE\xC4"), ENCODING_GB18030);
        assert_int_equal(FOUND("a\n\xC1\xAA\xCD\xA8\n"), ENCODING_GB18030); /* a word that is nearly UTF-8 */
        assert_int_equal(FOUND("\xC4\xA3\xD0\xB3\n"), ENCODING_GB18030);    /* is UTF-8 too: Latin and Cyrillic in one word */
        assert_int_equal(FOUND("a,\xB0\xA1\x81\x30\x81\x30"), ENCODING_GB18030);
        assert_int_equal(FOUND("M\xFCller,caf\xE9\n"), ENCODING_NONE); /* Latin-1 */
        assert_int_equal(FOUND("\xFF\xFF\xFF"), ENCODING_NONE);
        assert_int_equal(FOUND("ok\xC6"), ENCODING_NONE);
        assert_int_equal(FOUND("\xFF\xFE\x00\xD8"), ENCODING_NONE);
        assert_int_equal(FOUND("I\0D\0,\0x"), ENCODING_NONE); /* UTF-16 cut in the middle of a character */
        assert_int_equal(FOUND("ID,TEXT\n1,a\0b\n2,\xE5\x9D\xAA\n"), ENCODING_UTF8);
        assert_int_equal(FOUND("1,\0,x\n1,\0,x\n1,\0,x\n1,\0,x\n1,yy,x\n1,zz,x\n1,aaa,x\n1,bbb,x\n"), ENCODING_UTF8);
        assert_int_equal(FOUND("\xE5\x9D\xAA\xE5\xB1\xB1,\xE5\x8C\n"), ENCODING_UTF8); /* damaged, still UTF-8 */
}

static void faults_say_where(void **state)
{
        (void)state;
        struct fit f;
        struct err e = {0};
        assert_false(find("ID\nM\xFCller\n", 10, ENCODING_NONE, &f, &e));
        assert_non_null(strstr(e.text, "not UTF-8 (byte 4, line 2)"));
        assert_false(find("ID\nM\xFCller\n", 10, ENCODING_UTF8, &f, &e));
        assert_non_null(strstr(e.text, "f.csv is not UTF-8: byte 4 (line 2)"));
        assert_true(find("ID\nM\xFCller\n", 10, ENCODING_GB18030, &f, &e)); /* as told, though it looks odd */
        assert_false(find("PK\3\4\xFF\xFF\xFF\0", 8, ENCODING_NONE, &f, &e));
        assert_non_null(strstr(e.text, "is a workbook"));
        assert_true(find("a\r\nb\rc\n\nd", 9, ENCODING_NONE, &f, &e));
        assert_int_equal(f.lines, 5);
        assert_true(find("a\n", 2, ENCODING_NONE, &f, &e));
        assert_int_equal(f.lines, 1);
}

static void names(void **state)
{
        (void)state;
        assert_int_equal(encoding_named("utf-8"), ENCODING_UTF8);
        assert_int_equal(encoding_named("UTF_16LE"), ENCODING_UTF16LE);
        assert_int_equal(encoding_named("GBK"), ENCODING_GB18030);
        assert_int_equal(encoding_named("latin1"), ENCODING_NONE);
        assert_int_equal(encoding_named("utf-8-and-something-long"), ENCODING_NONE);
        assert_int_equal(encoding_named(""), ENCODING_NONE);
}

/* --- decoding -------------------------------------------------------------------------------------------------------------- */

static void decodes(enum encoding encoding, const char *bytes, size_t n, const char *wanted)
{
        for (size_t piece = 1; piece <= n; piece++) {
                struct buf text = BUF_LIMIT(1 << 20);
                struct decoder *d = decoder_new(encoding);
                size_t used = 0;
                buf_text(&text, "");
                for (size_t seen = piece; used < n; seen = seen + piece < n ? seen + piece : n)
                        used += decoder_add(d, bytes + used, (seen < n ? seen : n) - used, seen >= n, &text);
                assert_string_equal(text.at, wanted);
                /* Back at each character. */
                for (size_t t = 0; t <= text.length; t++) {
                        const size_t back = decoder_back(encoding, bytes, n, text.at, t);
                        if (t < text.length && ((unsigned char)text.at[t] & 0xC0) == 0x80)
                                continue;
                        struct buf again = BUF_LIMIT(1 << 20);
                        buf_text(&again, "");
                        assert_int_equal(decoder_add(d, bytes + back, n - back, true, &again), n - back);
                        assert_string_equal(again.at, wanted + t);
                        buf_free(&again);
                }
                decoder_free(&d);
                buf_free(&text);
        }
}

static void decoding_in_pieces_and_back(void **state)
{
        (void)state;
        static const enum encoding all[] = {ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE, ENCODING_GB18030};
        for (size_t t = 0; t < COUNT_OF(texts); t++) {
                for (size_t i = 0; i < COUNT_OF(all); i++) {
                        char bytes[1000];
                        decodes(all[i], bytes, written(texts[t], encoding_name(all[i]), bytes, sizeof bytes), texts[t]);
                }
        }
}

static void damage_shows(void **state)
{
        (void)state;
        decodes(ENCODING_GB18030,
                "a\xFF"
                "b\x81,\xB0\xA1\x81\x30\x81\n\xB0",
                12,
                "a\xFF"
                "b\xFF,啊\xFF"
                "0\xFF\n\xFF");
        decodes(ENCODING_UTF16LE,
                "a\0\x00\xD8"
                "b\0\x00\xDC"
                "c",
                9,
                "a\xFF"
                "b\xFF\xFF");
        decodes(ENCODING_UTF16BE, "\0a\xD8\x00\0b\xD8\x40", 8,
                "a\xFF"
                "b\xFF");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(written_texts_are_found),
                cmocka_unit_test(odd_texts),
                cmocka_unit_test(faults_say_where),
                cmocka_unit_test(names),
                cmocka_unit_test(damage_shows),
                cmocka_unit_test(decoding_in_pieces_and_back),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
