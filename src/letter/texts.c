/* letter/texts.c -- see texts.h. */
#include "letter/texts.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include <stdio.h>

const struct hole text_holes[] = {
        {"number", "number of the case"},
        {"track", "tracking code of the report"},
        {"title", "title of the report"},
        {"item", "name of the item"},
        {"unit", "name of the unit in charge"},
        {"state", "name of the state"},
        {"due", "when it is due; empty when no clock runs"},
        {"result", "what the citizen is answered (form field result)"},
        {"reason", "why (form field reason)"},
        {"note", "form field note"},
        {"until", "the new end of an extension or suspension (form field until)"},
        {"district", "title of the pack"},
        {"tracking_link", "page on which the report is followed; needs public_url"},
        {"callback_link", "page that asks how it was, once; needs public_url and asks = yes"},
        {0},
};

const char *medium_name(enum medium m)
{
        static const char *const names[MEDIA] = {"sms", "mail", "web", "webhook"};
        return names[m];
}

/* Length of the name in "{name}" at this place, which must be a '{'; 0: no hole begins here. */
static size_t hole_at(const char *text, size_t n)
{
        size_t i = 1;
        while (i < n && ((text[i] >= 'a' && text[i] <= 'z') || text[i] == '_'))
                i++;
        return i > 1 && i < n && text[i] == '}' ? i - 1 : 0;
}

static bool hole_known(const char *name, size_t n)
{
        for (const struct hole *h = text_holes; h->name; h++)
                if (strlen(h->name) == n && memcmp(h->name, name, n) == 0)
                        return true;
        return false;
}

static int line_of(const char *text, size_t at)
{
        int line = 1;
        for (size_t i = 0; i < at; i++)
                line += text[i] == '\n';
        return line;
}

static bool is_control(char c)
{
        return ((unsigned char)c < ' ' && c != '\n' && c != '\t' && c != '\r') || c == '\x7f';
}

bool text_fault_next(const char *text, size_t n, size_t *at, struct text_fault *f)
{
        for (size_t i = *at; i < n; i++) {
                const size_t hole = text[i] == '{' ? hole_at(text + i, n - i) : 0;
                const bool doubled = text[i] == '{' && i + 1 < n && text[i + 1] == '{';
                const int name = (int)(hole < 60 ? hole : 60);
                *at = i + 1;
                f->line = line_of(text, i);
                if (doubled) {
                        i++;
                } else if (hole && !hole_known(text + i + 1, hole)) {
                        (void)snprintf(f->en, sizeof f->en, "there is no hole {%.*s}; doc/notify.md lists them", name,
                                       text + i + 1);
                        (void)snprintf(f->zh, sizeof f->zh, "没有占位符 {%.*s}，可用的见 doc/notify.md", name, text + i + 1);
                        return true;
                } else if (text[i] == '{' && !hole) {
                        (void)snprintf(f->en, sizeof f->en, "a \"{\" begins no hole; write \"{{\" for a brace");
                        (void)snprintf(f->zh, sizeof f->zh, "此处“{”不是占位符；要写花括号请用“{{”");
                        return true;
                } else if (is_control(text[i])) {
                        (void)snprintf(f->en, sizeof f->en, "a control character stands in the text");
                        (void)snprintf(f->zh, sizeof f->zh, "文本中有控制字符");
                        return true;
                }
        }
        *at = n;
        return false;
}

bool mail_text_split(struct arena *a, const char *text, const char **subject, const char **body)
{
        static const char head[] = "Subject: ";
        const char *end = strchr(text, '\n');
        if (!text_starts(text, head) || !end)
                return false;
        const char *from = text + strlen(head), *rest = end + 1;
        *subject = text_trim(a, arena_copy(a, from, (size_t)(end - from)));
        rest += *rest == '\r';
        if (*rest != '\n' || text_empty(*subject))
                return false;
        *body = rest + 1;
        return true;
}

/* --- filling ----------------------------------------------------------------------------------------------------------------- */
static void add_value(struct buf *b, const char *value, size_t most)
{
        size_t characters = 0;
        for (const char *p = value; *p; p++) {
                const bool begins = ((unsigned char)*p & 0xc0) != 0x80;
                if (is_control(*p) || *p == '\r')
                        continue;
                if (begins && most > 0 && ++characters > most) {
                        buf_text(b, "…");
                        return;
                }
                buf_byte(b, (char)(most > 0 && (*p == '\n' || *p == '\t') ? ' ' : *p));
        }
}

static const struct fill *value_of(const struct fill *values, const char *name, size_t n)
{
        for (; values->name; values++)
                if (strlen(values->name) == n && memcmp(values->name, name, n) == 0)
                        return values;
        return NULL;
}

/* One line with its end; false: it asks for something that is not there. */
static bool fill_line(struct buf *b, const char *text, size_t n, const struct fill *values, size_t most)
{
        for (size_t i = 0; i < n;) {
                const size_t hole = text[i] == '{' ? hole_at(text + i, n - i) : 0;
                const struct fill *f = hole ? value_of(values, text + i + 1, hole) : NULL;
                if (f && !f->value)
                        return false;
                if (f && f->ours)
                        buf_text(b, f->value);
                else if (f)
                        add_value(b, f->value, most);
                else
                        buf_byte(b, text[i]);
                i += f ? hole + 2 : text[i] == '{' && i + 1 < n && text[i + 1] == '{' ? 2 : 1;
        }
        return true;
}

char *text_fill(struct arena *a, const char *text, const struct fill *values, size_t value_most)
{
        struct buf all = BUF_LIMIT(TEXT_MOST), line = BUF_LIMIT(TEXT_MOST);
        while (*text) {
                const char *end = strchr(text, '\n');
                const size_t n = end ? (size_t)(end - text) + 1 : strlen(text);
                buf_clear(&line);
                if (fill_line(&line, text, n, values, value_most) && line.length)
                        buf_add(&all, line.at, line.length);
                text += n;
        }
        char *out = arena_copy(a, all.at ? all.at : "", all.length);
        buf_free(&all);
        buf_free(&line);
        return text_mend(out);
}

bool text_has(const char *text, const char *hole)
{
        const size_t wanted = strlen(hole);
        for (const char *p = text; (p = strchr(p, '{')) != NULL; p += p[1] == '{' ? 2 : 1)
                if (hole_at(p, strlen(p)) == wanted && memcmp(p + 1, hole, wanted) == 0)
                        return true;
        return false;
}

char *text_link(struct arena *a, const char *text, const char *link)
{
        struct buf b = BUF_LIMIT((size_t)2 * TEXT_MOST);
        for (; *text; text++)
                if (*text == LINK_MARK[0])
                        buf_text(&b, link);
                else
                        buf_byte(&b, *text);
        char *out = arena_copy(a, b.at ? b.at : "", b.length);
        buf_free(&b);
        return out;
}
