/* http/uri.c -- path and query of a request, decoded and checked. */
#include "base/text.h"
#include "http/inside.h"

enum { SEGMENTS_MOST = 32, PAIRS_MOST = 64 };

static bool parse_path(struct arena *a, const char *path, size_t n, struct uri *u, struct err *e)
{
        u->segments = NEW_ARRAY(a, char *, SEGMENTS_MOST);
        for (size_t i = 0; i < n;) {
                if (path[i] == '/') {
                        i++;
                        continue;
                }
                size_t end = i;
                while (end < n && path[end] != '/')
                        end++;
                if (u->n_segments == SEGMENTS_MOST || !(u->segments[u->n_segments] = text_unescape(a, path + i, end - i, false)))
                        return err_both(e, ERR_INVALID, NULL, "the path of the address is not valid", "地址路径无效");
                u->n_segments++;
                i = end;
        }
        return true;
}

static bool add_pair(struct arena *a, const char *text, size_t n, struct uri *u, struct err *e)
{
        const char *equals = memchr(text, '=', n);
        const size_t name_n = equals ? (size_t)(equals - text) : n;
        const char *name = text_unescape(a, text, name_n, true);
        const char *value = equals ? text_unescape(a, equals + 1, n - name_n - 1, true) : "";
        if (!name || !value || u->n_query == PAIRS_MOST)
                return err_both(e, ERR_INVALID, NULL,
                                "the query of the address is not valid (%% escapes of UTF-8, at most %d names)",
                                "地址的查询部分无效（须为 UTF-8 的 %% 转义，最多 %d 项）", PAIRS_MOST);
        for (size_t i = 0; i < u->n_query; i++)
                if (text_is(u->query[i].name, name))
                        return err_both(e, ERR_INVALID, name, "the query gives \"%.40s\" twice; give it once",
                                        "查询参数“%.40s”重复，请只写一次", name);
        u->query[u->n_query++] = (struct pair){name, value};
        return true;
}

bool uri_parse(struct arena *a, const char *text, struct uri *u, struct err *e)
{
        *u = (struct uri){0};
        const size_t n = strcspn(text, "?");
        if (text[0] != '/')
                return err_both(e, ERR_INVALID, NULL, "the address must begin with /", "地址须以 / 开头");
        if (!parse_path(a, text, n, u, e))
                return false;
        u->query = NEW_ARRAY(a, struct pair, PAIRS_MOST);
        for (const char *at = text[n] ? text + n + 1 : text + n; *at;) {
                const size_t length = strcspn(at, "&");
                if (length > 0 && !add_pair(a, at, length, u, e))
                        return false;
                at += length + (at[length] == '&');
        }
        return true;
}

const char *cookie_value(struct arena *a, const char *header, const char *name)
{
        const size_t name_n = strlen(name);
        while (header && *header) {
                header += strspn(header, "; ");
                const size_t n = strcspn(header, ";");
                if (n > name_n && strncmp(header, name, name_n) == 0 && header[name_n] == '=')
                        return arena_copy(a, header + name_n + 1, n - name_n - 1);
                header += n;
        }
        return NULL;
}
