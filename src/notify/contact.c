/* notify/contact.c -- see contact.h. */
#include "notify/contact.h"
#include "base/arena.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/seal.h"
#include "district/district.h"
#include "letter/gateway.h"
#include "letter/mail.h"
#include "store/store.h"

static const char SQL_CONTACT[] = "SELECT phone, email, confidential FROM reporter WHERE report_id = $1";

enum { DIGITS_SHOWN = 4 };

bool contact_read(struct tx *tx, struct arena *a, int64_t report, struct contact *out, bool *found, struct err *e)
{
        struct rows r;
        const int n = tx_first(tx, &r, e, SQL_CONTACT, ARGS(V(report)));
        *out = (struct contact){.report = report};
        *found = n > 0;
        if (n <= 0)
                return n == 0;
        out->phone = rows_blob(&r, a, 0, &out->phone_n);
        out->email = rows_blob(&r, a, 1, &out->email_n);
        out->confidential = rows_int(&r, 2) != 0;
        return rows_done(&r, e);
}

const char *contact_address(struct arena *a, const struct district *d, const struct contact *c, enum medium medium)
{
        const bool phone = medium == MEDIUM_SMS;
        const void *sealed = phone ? c->phone : c->email;
        const char *context = arena_format(a, "reporter/%lld/%s", (long long)c->report, phone ? "phone" : "email");
        struct err ignored;
        char *text;
        if (!sealed || !unseal(a, keyring_now(d->keys), context, sealed, phone ? c->phone_n : c->email_n, &text, &ignored))
                return NULL;
        if (phone)
                return sms_number(a, text);
        text = text_trim(a, text);
        return mail_address_usable(text) ? text : NULL;
}

const char *contact_digest(struct arena *a, const struct district *d, const char *address)
{
        unsigned char mac[BLIND_SIZE];
        char hex[2 * BLIND_SIZE + 1];
        const struct keys *keys = keyring_now(d->keys);
        blind_index(keys, keys_count(keys) - 1, "contact", address, mac);
        hex_text(mac, sizeof mac, hex);
        return arena_text(a, hex);
}

const char *contact_masked(struct arena *a, const char *address)
{
        char *out = arena_text(a, address), *at = strchr(out, '@');
        const size_t n = strlen(out);
        if (at)
                return arena_format(a, "%.*s***%s", text_characters(out) ? 1 : 0, out, at);
        for (size_t i = 0; i + DIGITS_SHOWN < n; i++)
                out[i] = '*';
        return out;
}
