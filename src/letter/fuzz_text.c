/* letter/fuzz_text.c -- texts of a pack: what is found faultless is filled without a hole left over; values never become holes; the
 * link's mark comes only from us; a mail made of it is ASCII with short lines.  Input: text, NUL, value. */
#include "base/arena.h"
#include "base/text.h"
#include "letter/mail.h"
#include "letter/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_mail(struct arena *a, const char *subject, const char *body)
{
        const char *mail = mail_bytes(a, &(struct mail){"a@b.c", "d@e.f", subject, body, 1, 0});
        for (const char *line = mail; *line;) {
                const char *end = strstr(line, "\r\n");
                assert(end && end - line <= 76);
                for (; line < end; line++)
                        assert(*line >= ' ' && *line <= '~');
                line = end + 2;
        }
        assert(!strstr(mail, "\r\nBcc:"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        enum { HOLES_MOST = 20 };
        struct fill values[HOLES_MOST] = {{0}};
        struct arena *a = arena_new();
        const uint8_t *end = memchr(bytes, 0, n);
        const size_t k = end ? (size_t)(end - bytes) : n;
        const char *value = end ? arena_copy(a, end + 1, n - k - 1) : "x", *subject, *body;
        char *text = text_mend(arena_copy(a, bytes, k));
        struct text_fault f;
        int line = 1;
        bool good = true;
        value = text_mend(arena_text(a, value));
        for (size_t at = 0; text_fault_next(text, strlen(text), &at, &f); line = f.line, good = false)
                assert(f.line >= line && f.en[0] && f.zh[0]);
        for (int i = 0; text_holes[i].name && i + 1 < HOLES_MOST; i++)
                values[i] = (struct fill){text_holes[i].name, value, false};
        for (size_t most = 0; most < 20; most += 7) {
                const char *filled = text_fill(a, text, values, most);
                assert(text_utf8_fault(filled, strlen(filled)) == strlen(filled));
                assert(!good || !strchr(filled, LINK_MARK[0]));
                for (const struct fill *v = values; good && v->name && !strchr(value, '{') && !strstr(text, "{{"); v++)
                        assert(!text_has(filled, v->name));
                check_mail(a, filled, filled);
        }
        if (mail_text_split(a, text, &subject, &body))
                check_mail(a, subject, body);
        (void)mail_address_usable(value);
        arena_free(&a);
        return 0;
}
