/* matters/token.c -- see inside.h. */
#include "base/arena.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "matters/inside.h"

static const char context[] = "same_as";
enum { SEALED_MOST = 256 };

bool matters_token(struct district *d, struct arena *a, int64_t case_id, char **out, struct err *e)
{
        unsigned char *sealed;
        size_t n;
        if (!seal(a, keyring_now(d->keys), context, arena_format(a, "%lld", (long long)case_id), &sealed, &n, e))
                return false;
        *out = arena_alloc(a, BASE64_ROOM(n));
        base64_text(sealed, n, *out);
        return true;
}

int64_t matters_token_case(struct district *d, struct arena *a, const char *token)
{
        unsigned char sealed[SEALED_MOST];
        struct err ignored;
        size_t n;
        char *text;
        int64_t id;
        return base64_bytes(token, sealed, sizeof sealed, &n)
                               && unseal(a, keyring_now(d->keys), context, sealed, n, &text, &ignored) && text_to_int(text, &id)
                       ? id
                       : 0;
}
