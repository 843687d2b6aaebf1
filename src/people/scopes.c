/* people/scopes.c -- what an API key with scopes may ask. */
#include "people/scopes.h"
#include "base/text.h"

/* Every request that one scope allows; a path is the beginning of the route's.  What everybody may read needs none. */
static const struct scope {
        const char *name, *method, *path;
} scopes[] = {
        {"report", "POST", "/api/v1/reports"},
        {"report", "POST", "/open311/"},
        {"read", "GET", "/"},
        {"events", "GET", "/api/v1/events"},
        {"move", "POST", "/api/v1/cases/{number}/moves"},
        {"personal", "POST", "/api/v1/cases/{number}/reporter"},
        {"personal", "POST", "/api/v1/reporters/search"},
        {"sms", "POST", "/api/v1/sms/replies"},
};

static bool scope_known(const char *name, size_t n)
{
        for (size_t i = 0; i < COUNT_OF(scopes); i++)
                if (strlen(scopes[i].name) == n && memcmp(scopes[i].name, name, n) == 0)
                        return true;
        return false;
}

bool scopes_known(const char *list)
{
        for (const char *at = list; *at;) {
                const size_t n = strcspn(at, "|");
                if (!scope_known(at, n))
                        return false;
                at += n + (at[n] == '|');
        }
        return true;
}

static bool names(const char *list, const char *scope)
{
        const size_t length = strlen(scope);
        for (const char *at = list; *at;) {
                const size_t n = strcspn(at, "|");
                if (n == length && memcmp(at, scope, n) == 0)
                        return true;
                at += n + (at[n] == '|');
        }
        return false;
}

bool scopes_allow(const char *list, const char *method, const char *path, bool public)
{
        if (!*list || (public && text_is(method, "GET")))
                return true;
        for (size_t i = 0; i < COUNT_OF(scopes); i++)
                if (names(list, scopes[i].name) && text_is(scopes[i].method, method) && text_starts(path, scopes[i].path))
                        return true;
        return false;
}
