/* edge/fuzz_head.c -- a head as the HTTP library reads it, forgivingly: whatever head_check() lets pass was written plainly. */
#include "edge/head.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* The next line of the buffer, its end (CR LF, or LF alone) overwritten by NUL; NULL when there is none. */
static char *next_line(char **at, char *end)
{
        char *line = *at, *lf = memchr(line, '\n', (size_t)(end - line));
        if (!lf)
                return NULL;
        *lf = '\0';
        if (lf > line && lf[-1] == '\r')
                lf[-1] = '\0';
        *at = lf + 1;
        return line;
}

static bool first_line(struct head *h, char *line, size_t n)
{
        char *uri = memchr(line, ' ', n), *version = n > 0 ? memrchr(line, ' ', n) : NULL;
        if (!uri || !version || version == uri)
                return false;
        *uri++ = '\0';
        while (*uri == ' ')
                uri++;
        *version++ = '\0';
        h->method = line;
        h->uri = h->asked = uri;
        h->version = version;
        return version > uri && (strcmp(version, "HTTP/1.1") == 0 || strcmp(version, "HTTP/1.0") == 0);
}

static bool read_head(struct head *h, char *text, size_t n)
{
        char *at = text, *end = text + n, *line = next_line(&at, end);
        if (!line || !first_line(h, line, strlen(line)))
                return false;
        while ((line = next_line(&at, end)) && *line) {
                char *colon = strchr(line, ':');
                if (!colon)
                        return false;
                *colon++ = '\0';
                colon += strspn(colon, " \t");
                if (h->n < HEAD_LINES_MOST)
                        h->lines[h->n] = (struct head_line){line, colon};
                h->n++;
        }
        h->size = (size_t)(at - text);
        return line != NULL;
}

/* The bytes must be METHOD SP URI SP VERSION CRLF (NAME ":" blanks VALUE CRLF)* CRLF; for the one thing that cannot be seen see
 * head.h. */
static void written_plainly(const struct head *h, const uint8_t *bytes)
{
        const bool nul = memchr(bytes, '\0', h->size) != NULL;
        for (size_t i = 0; i < h->size; i++) {
                const int before = i > 0 ? bytes[i - 1] : -1, after = i + 1 < h->size ? bytes[i + 1] : -1;
                if (bytes[i] == '\n')
                        assert(nul || before == '\r');
                else if (bytes[i] == '\r')
                        assert(after == '\n');
                else if (bytes[i] == '\0') /* never between two ordinary bytes */
                        assert((before >= 0 && before <= '\r') || (after >= 0 && after <= '\r'));
        }
        if (nul)
                return;
        size_t lines = 0;
        for (size_t i = 0; i < h->size; i++)
                lines += bytes[i] == '\n';
        assert(lines == h->n + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct head *h = calloc(1, sizeof *h);
        char *text = malloc(n + 1);
        struct err e = {0};
        int status = 0;
        if (!h || !text)
                abort();
        memcpy(text, bytes, n);
        text[n] = '\0';
        if (read_head(h, text, n)) {
                if (head_check(h, &status, &e))
                        written_plainly(h, bytes);
                else
                        assert(status >= 400 && status < 500 && e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        }
        free(text);
        free(h);
        return 0;
}
