/* http/routes.c -- route tables compiled into segments; finding the route of a request. */
#include "base/text.h"
#include "http/inside.h"
#include <stdio.h>

static size_t count(const struct route *const *tables)
{
        size_t n = 0;
        for (; tables && *tables; tables++)
                for (const struct route *r = *tables; r->method; r++)
                        n++;
        return n;
}

static void compile(struct arena *a, const struct route *const *tables, struct route_list *list)
{
        for (; tables && *tables; tables++)
                for (const struct route *r = *tables; r->method; r++) {
                        struct compiled *c = &list->at[list->n++];
                        c->route = r;
                        c->n = text_split(a, r->path + 1, '/', &c->segments);
                        c->rest = c->n > 0 && strstr(c->segments[c->n - 1], "*}") != NULL;
                }
}

struct route_list routes_compile(struct arena *a, const struct route *const *first, const struct route *const *then)
{
        struct route_list list = {.at = NEW_ARRAY(a, struct compiled, count(first) + count(then) + 1)};
        compile(a, first, &list);
        compile(a, then, &list);
        return list;
}

/* "{name}.xml" and "a.xml": the fixed end must be there, with something before it. */
static bool fits(const char *pattern, const char *segment)
{
        if (pattern[0] != '{')
                return text_is(pattern, segment);
        const char *end = strchr(pattern, '}') + 1;
        const size_t n = strlen(segment), end_n = strlen(end);
        return end_n == 0 || (n > end_n && text_is(segment + n - end_n, end));
}

static bool matches(const struct compiled *c, const struct uri *u)
{
        const size_t fixed = c->rest ? c->n - 1 : c->n;
        if (u->n_segments < fixed || (!c->rest && u->n_segments > fixed))
                return false;
        for (size_t i = 0; i < fixed; i++)
                if (!fits(c->segments[i], u->segments[i]))
                        return false;
        return true;
}

struct compiled *routes_find(const struct route_list *list, const char *method, const struct uri *u, char allow[64])
{
        const char *wanted = text_is(method, "HEAD") ? "GET" : method;
        allow[0] = '\0';
        for (size_t i = 0; i < list->n; i++) {
                struct compiled *c = &list->at[i];
                /* A catch-all is for pages; it must not turn an unknown address of the API into "method not allowed". */
                if (!matches(c, u) || (c->rest && allow[0]))
                        continue;
                if (text_is(c->route->method, wanted))
                        return c;
                const size_t n = strlen(allow);
                if (!c->rest)
                        (void)snprintf(allow + n, 64 - n, "%s%s", n > 0 ? ", " : "", c->route->method);
        }
        return NULL;
}

const struct route *routes_near(const struct route_list *list, const struct uri *u)
{
        for (size_t i = 0; i < list->n; i++)
                if (matches(&list->at[i], u))
                        return list->at[i].route;
        return NULL;
}

const char *route_param(struct arena *a, const struct compiled *c, const struct uri *u, const char *name)
{
        const size_t length = strlen(name);
        for (size_t i = 0; i < c->n; i++) {
                const char *s = c->segments[i];
                if (s[0] != '{' || strncmp(s + 1, name, length) != 0 || (s[1 + length] != '}' && s[1 + length] != '*'))
                        continue;
                if (s[1 + length] == '}')
                        return arena_copy(a, u->segments[i], strlen(u->segments[i]) - strlen(s + length + 2));
                char *rest = arena_text(a, "");
                for (size_t k = i; k < u->n_segments; k++)
                        rest = arena_format(a, "%s/%s", rest, u->segments[k]);
                return rest;
        }
        return NULL;
}
