/* letter/mail.c -- see mail.h. */
#include "letter/mail.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

enum { MAIL_MOST = 1 << 20, WORD_BYTES = 39, LINE_BYTES = 57 }; /* of what is encoded: 39 -> 52 characters, 57 -> 76 */

bool mail_address_usable(const char *address)
{
        const char *at = strchr(address, '@');
        if (!at || at == address || !at[1] || strchr(at + 1, '@') || strlen(address) > 254 || address[0] == '-')
                return false;
        for (const char *p = address; *p; p++)
                if ((unsigned char)*p <= ' ' || *p == '\x7f' || strchr("<>()[],;:\\\"", *p))
                        return false;
        return true;
}

static void base64(struct buf *b, const unsigned char *at, size_t n)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (size_t i = 0; i < n; i += 3) {
                const size_t left = n - i;
                const unsigned v = (unsigned)at[i] << 16 | (left > 1 ? (unsigned)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0U);
                buf_byte(b, digits[v >> 18]);
                buf_byte(b, digits[v >> 12 & 63]);
                buf_byte(b, (char)(left > 1 ? digits[v >> 6 & 63] : '='));
                buf_byte(b, (char)(left > 2 ? digits[v & 63] : '='));
        }
}

static bool plain(const char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
                        return false;
        return true;
}

/* Encoded words of whole characters, one a line of at most 76 characters with "Subject: " before the first (RFC 2047, 2 and 5). */
static void add_subject(struct buf *b, const char *subject)
{
        const size_t n = strlen(subject);
        if (plain(subject) && n < 66 && !strstr(subject, "=?")) {
                buf_text(b, subject);
                return;
        }
        for (size_t from = 0; from < n;) {
                size_t k = n - from < WORD_BYTES ? n - from : WORD_BYTES;
                while (from + k < n && ((unsigned char)subject[from + k] & 0xc0) == 0x80)
                        k--;
                buf_text(b, from ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
                base64(b, (const unsigned char *)subject + from, k);
                buf_text(b, "?=");
                from += k;
        }
}

static void add_date(struct buf *b, int64_t instant)
{
        static const char *const days[] = {"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
        static const char *const months[] = {"",    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        const struct civil c = civil_of(instant, ZONE_SHANGHAI);
        buf_format(b, "Date: %s, %02d %s %04d %02d:%02d:%02d +0800\r\n", days[c.weekday], c.day, months[c.month], c.year, c.hour,
                   c.minute, c.second);
}

/* Line ends become CR LF, as text wants them (RFC 2046, 4.1.1), then all is base64. */
static void add_body(struct buf *b, const char *body)
{
        struct buf lines = BUF_LIMIT(MAIL_MOST);
        for (; *body; body++) {
                if (*body == '\n')
                        buf_byte(&lines, '\r');
                if (*body != '\r')
                        buf_byte(&lines, *body);
        }
        for (size_t i = 0; i < lines.length; i += LINE_BYTES) {
                base64(b, (const unsigned char *)lines.at + i, lines.length - i < LINE_BYTES ? lines.length - i : LINE_BYTES);
                buf_text(b, "\r\n");
        }
        buf_free(&lines);
}

char *mail_bytes(struct arena *a, const struct mail *m)
{
        struct buf b = BUF_LIMIT((size_t)2 * MAIL_MOST);
        const char *domain = strchr(m->from, '@');
        char *subject = arena_text(a, m->subject);
        for (char *p = subject; *p; p++)
                if ((unsigned char)*p < ' ' || *p == '\x7f')
                        *p = ' ';
        buf_format(&b, "From: <%s>\r\nTo: <%s>\r\nSubject: ", m->from, m->to);
        add_subject(&b, subject);
        buf_text(&b, "\r\n");
        add_date(&b, m->date);
        buf_format(&b, "Message-ID: <%lld.yiwang@%s>\r\n", (long long)m->id, domain && domain[1] ? domain + 1 : "localhost");
        buf_text(&b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n");
        add_body(&b, m->body);
        char *out = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return out;
}
