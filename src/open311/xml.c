/* open311/xml.c -- see xml.h. */
#include "open311/xml.h"

static const char REPLACEMENT[] = "\xEF\xBF\xBD"; /* U+FFFD */

struct xml xml_to(struct buf *out)
{
        buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        return (struct xml){.out = out};
}

/* What stands for the character that begins here, and how many bytes it has; NULL: it stands for itself. */
static const char *instead(const char *at, size_t *n)
{
        const unsigned char c = (unsigned char)*at;
        *n = 1;
        switch (c) {
        case '&':
                return "&amp;";
        case '<':
                return "&lt;";
        case '>':
                return "&gt;";
        case '\r':
                return "&#13;";
        default:
                break;
        }
        if (c < 0x20 && c != '\t' && c != '\n')
                return REPLACEMENT;
        if (c == 0xEF && (unsigned char)at[1] == 0xBF && ((unsigned char)at[2] == 0xBE || (unsigned char)at[2] == 0xBF)) {
                *n = 3;
                return REPLACEMENT;
        }
        return NULL;
}

static void add_escaped(struct buf *b, const char *text)
{
        const char *run = text;
        while (*text) {
                size_t n;
                const char *other = instead(text, &n);
                if (other) {
                        buf_add(b, run, (size_t)(text - run));
                        buf_text(b, other);
                        run = text + n;
                }
                text += n;
        }
        buf_add(b, run, (size_t)(text - run));
}

void xml_open(struct xml *x, const char *name)
{
        assert(x->depth < XML_DEEPEST);
        x->open[x->depth++] = name;
        buf_format(x->out, "<%s>", name);
}

void xml_close(struct xml *x)
{
        assert(x->depth > 0);
        buf_format(x->out, "</%s>", x->open[--x->depth]);
        if (x->depth == 0)
                buf_byte(x->out, '\n');
}

void xml_text(struct xml *x, const char *name, const char *text)
{
        if (!text || !*text) {
                buf_format(x->out, "<%s/>", name);
                return;
        }
        buf_format(x->out, "<%s>", name);
        add_escaped(x->out, text);
        buf_format(x->out, "</%s>", name);
}
