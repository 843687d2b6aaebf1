/* edge/head.c -- see head.h. */
#include "edge/head.h"
#include "base/text.h"
#include <strings.h>

enum { METHOD_MOST = 16 };

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text)
{
        static const char allowed[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        return text[0] && !text[strspn(text, allowed)];
}

static bool is_digits(const char *text)
{
        return text[0] && !text[strspn(text, "0123456789")];
}

static bool has_controls(const char *text, size_t n, bool tab_allowed)
{
        for (size_t i = 0; i < n; i++) {
                const unsigned char c = (unsigned char)text[i];
                if ((c < ' ' && !(tab_allowed && c == '\t')) || c == 0x7f)
                        return true;
        }
        return false;
}

/* --- nothing was skipped -------------------------------------------------------------------------------------------------- */
/* Steps over a text that begins at *at and ends with `marks` bytes that are NUL now; false when it is not there. */
static bool step(const char **at, const char *end, const char *text, size_t marks)
{
        if (text != *at || text >= end)
                return false;
        *at += strnlen(text, (size_t)(end - text));
        for (; marks > 0; marks--, (*at)++)
                if (*at >= end || **at != '\0')
                        return false;
        return true;
}

/* The texts the library found, with the marks between them, must be all the bytes that came. */
static bool seamless(const struct head *h)
{
        const char *at = h->method, *end = h->method + h->size;
        if (!step(&at, end, h->method, 1) || h->uri != at || strlen(h->asked) >= (size_t)(end - at))
                return false;
        at += strlen(h->asked) + 1; /* the library has marked places within the uri */
        if (!step(&at, end, h->version, 2))
                return false;
        for (size_t i = 0; i < h->n; i++) {
                if (!step(&at, end, h->lines[i].name, 1))
                        return false;
                while (at < end && (*at == ' ' || *at == '\t'))
                        at++;
                if (!step(&at, end, h->lines[i].value, 2))
                        return false;
        }
        return end - at == 2 && at[0] == '\0' && at[1] == '\0';
}

/* --- single lines ------------------------------------------------------------------------------------------------------------ */
static const char *find(const struct head *h, const char *name)
{
        for (size_t i = 0; i < h->n; i++)
                if (strcasecmp(h->lines[i].name, name) == 0)
                        return h->lines[i].value;
        return NULL;
}

static size_t count(const struct head *h, const char *name)
{
        size_t n = 0;
        for (size_t i = 0; i < h->n; i++)
                n += strcasecmp(h->lines[i].name, name) == 0;
        return n;
}

static bool malformed(struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "the head of the request is not well-formed HTTP/1.1", "请求头不符合 HTTP/1.1 格式");
}

static bool check_characters(const struct head *h, struct err *e)
{
        bool good = is_token(h->method) && strlen(h->method) <= METHOD_MOST && !has_controls(h->asked, strlen(h->asked), false)
                    && !strchr(h->asked, ' ') && seamless(h);
        for (size_t i = 0; good && i < h->n; i++)
                good = is_token(h->lines[i].name) && !has_controls(h->lines[i].value, strlen(h->lines[i].value), true);
        return good || malformed(e);
}

static bool check_sizes(const struct head *h, int *status, struct err *e)
{
        if (strlen(h->asked) > HEAD_URI_MOST) {
                *status = 414;
                return err_both(e, ERR_INVALID, NULL, "the address may have at most %d bytes", "地址最多 %d 字节", HEAD_URI_MOST);
        }
        *status = 431;
        if (h->n > HEAD_LINES_MOST)
                return err_both(e, ERR_INVALID, NULL, "the request may have at most %d header lines", "请求头最多 %d 行",
                                HEAD_LINES_MOST);
        return h->size <= HEAD_BYTES_MOST
               || err_both(e, ERR_INVALID, NULL, "the head of the request may have at most %d bytes", "请求头最多 %d 字节",
                           HEAD_BYTES_MOST);
}

static bool check_single(const struct head *h, struct err *e)
{
        static const char *const single[] = {"Host", "Content-Length", "Content-Type", "Authorization", "X-CSRF-Token"};
        for (size_t i = 0; i < COUNT_OF(single); i++)
                if (count(h, single[i]) > 1)
                        return err_both(e, ERR_INVALID, NULL, "the header %s came twice", "请求头 %s 重复", single[i]);
        return true;
}

static bool check_host(const struct head *h, struct err *e)
{
        const char *host = find(h, "Host");
        if (!host)
                return text_is(h->version, "HTTP/1.0")
                       || err_both(e, ERR_INVALID, NULL, "the header Host is missing", "缺少请求头 Host");
        return !host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]%")]
               || err_both(e, ERR_INVALID, NULL, "the header Host is no host name", "请求头 Host 不是主机名");
}

/* How long the body is must be said once and plainly. */
static bool check_framing(const struct head *h, int *status, struct err *e)
{
        const char *length = find(h, "Content-Length");
        if (length && !is_digits(length))
                return err_both(e, ERR_INVALID, NULL, "Content-Length must be a number", "Content-Length 应为数字");
        if (!find(h, "Transfer-Encoding"))
                return true;
        if (length)
                return err_both(e, ERR_INVALID, NULL, "a request has Content-Length or Transfer-Encoding, never both",
                                "Content-Length 与 Transfer-Encoding 不可同时使用");
        *status = 411;
        return err_both(e, ERR_INVALID, NULL, "send the body with Content-Length; Transfer-Encoding is not taken here",
                        "请用 Content-Length 发送正文，不接受 Transfer-Encoding");
}

static bool check_expectation(const struct head *h, int *status, struct err *e)
{
        const char *expect = find(h, "Expect");
        if (!expect || strcasecmp(expect, "100-continue") == 0)
                return true;
        *status = 417;
        return err_both(e, ERR_INVALID, NULL, "Expect may only be 100-continue", "Expect 只能为 100-continue");
}

bool head_check(const struct head *h, int *status, struct err *e)
{
        if (!check_sizes(h, status, e))
                return false;
        *status = 400;
        return check_characters(h, e) && check_single(h, e) && check_host(h, e) && check_framing(h, status, e)
               && check_expectation(h, status, e);
}
