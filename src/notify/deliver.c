/* notify/deliver.c -- see deliver.h.  Redirects are never followed, proxies of the environment not used. */
#include "notify/deliver.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "notify/callback.h"
#include "letter/gateway.h"
#include "letter/mail.h"
#include "notify/notify.h"
#include "letter/wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct trying {
        struct wire *wire;
        const struct notify_settings *settings;
        const struct district *district;
        struct arena *arena;
        const struct message *message;
        int64_t now;
        struct wire_call call;
        long status; /* of the answer */
        struct buf answer;
        struct err *e;
};

static CURL *begin(struct trying *t, const char *url, const char *protocols, bool closed_net)
{
        t->call = (struct wire_call){.url = url,
                                     .protocols = protocols,
                                     .ca_file = t->settings->ca_file,
                                     .seconds = SECONDS_IN_ALL,
                                     .closed_net = closed_net,
                                     .answer = &t->answer};
        return wire_begin(t->wire, &t->call);
}

static CURL *begin_http(struct trying *t, const char *url)
{
        return begin(t, url, "http,https", !t->settings->private_addresses);
}

/* --- HTTP -------------------------------------------------------------------------------------------------------------------- */
/* Nobody there, or one who takes nothing from us now. */
static enum outcome http_outcome(long status)
{
        return status == 401 || status == 403 || status == 429 || (status >= 502 && status <= 504) ? TRY_DOWN : TRY_LATER;
}

static enum outcome http_failed(struct trying *t, CURLcode code, const char *whom)
{
        if (t->call.was_private)
                (void)err_set(t->e, ERR_BUSY, "%s has an address of a private network, which the setting private_addresses forbids",
                              whom);
        else
                (void)err_set(t->e, ERR_BUSY, "%s did not take the message: %s", whom, curl_easy_strerror(code));
        return code == CURLE_WRITE_ERROR ? TRY_LATER : TRY_DOWN;
}

static enum outcome send_webhook(struct trying *t)
{
        const struct message *m = t->message;
        const struct webhook *hook = NULL;
        char signature[100], header[140];
        for (size_t i = 0; i < t->settings->n_webhooks; i++)
                if (text_is(t->settings->webhooks[i].url, m->target))
                        hook = &t->settings->webhooks[i];
        if (!hook) {
                (void)err_set(t->e, ERR_FAULT, "the webhook is no longer in the settings");
                return TRY_NEVER;
        }
        webhook_signature(hook->secret ? hook->secret : "", m->body, t->now, signature);
        (void)snprintf(header, sizeof header, "X-Yiwang-Signature: %s", signature);
        CURL *c = begin_http(t, m->target);
        wire_header(&t->call, "Content-Type: application/json");
        wire_header(&t->call, header);
        wire_header(&t->call, arena_format(t->arena, "X-Yiwang-Message: %lld", (long long)m->id));
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, m->body);
        const CURLcode code = wire_perform(t->wire, &t->call, &t->status);
        if (code != CURLE_OK)
                return http_failed(t, code, "the webhook");
        if (t->status >= 200 && t->status < 300)
                return TRY_TAKEN;
        (void)err_set(t->e, ERR_BUSY, "the webhook answered with status %ld", t->status);
        return http_outcome(t->status);
}

static const char *linked(struct trying *t)
{
        const char *link = callback_link(t->arena, t->district, t->message);
        return text_link(t->arena, t->message->body, link ? link : "");
}

static enum outcome send_sms(struct trying *t, const char *phone)
{
        const struct gateway *g = t->settings->sms;
        const struct message *m = t->message;
        const struct gateway_values values = {phone, linked(t), arena_format(t->arena, "%lld", (long long)m->id), m->language,
                                              t->settings->sms_secret};
        CURL *c = begin_http(t, gateway_fill(t->arena, g->url, GATEWAY_URL, &values));
        for (size_t i = 0; i < g->n_headers; i++)
                wire_header(&t->call, gateway_fill(t->arena, g->headers[i], GATEWAY_HEADER, &values));
        if (g->body)
                (void)curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS,
                                       gateway_fill(t->arena, g->body, g->form ? GATEWAY_FORM : GATEWAY_JSON, &values));
        (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, g->method);
        const CURLcode code = wire_perform(t->wire, &t->call, &t->status);
        if (code != CURLE_OK)
                return http_failed(t, code, "the SMS gateway");
        if (gateway_accepts(t->arena, g, (int)t->status, t->answer.at ? t->answer.at : "", t->answer.length, t->e))
                return TRY_TAKEN;
        return http_outcome(t->status);
}

/* --- SMTP -------------------------------------------------------------------------------------------------------------------- */
struct upload {
        const char *at;
        size_t left;
};

static size_t give(char *out, size_t size, size_t n, void *ctx)
{
        struct upload *u = ctx;
        const size_t most = size * n < u->left ? size * n : u->left;
        memcpy(out, u->at, most);
        u->at += most;
        u->left -= most;
        return most;
}

static long tls_of(const struct notify_settings *s)
{
        if (text_is(s->smtp_tls, "no"))
                return CURLUSESSL_NONE;
        return text_is(s->smtp_tls, "yes") || s->smtp_user ? CURLUSESSL_ALL : CURLUSESSL_TRY;
}

/* A 5xx to recipient or text is for good (RFC 5321, 4.2.1); 421 and what happens before them is about us. */
static enum outcome smtp_failed(struct trying *t, CURLcode code)
{
        const long status = t->status;
        if (status >= 400)
                (void)err_set(t->e, ERR_BUSY, "the mail server answered %ld", status);
        else
                (void)err_set(t->e, ERR_BUSY, "the mail server did not take the message: %s", curl_easy_strerror(code));
        if (code != CURLE_SEND_ERROR && code != CURLE_WEIRD_SERVER_REPLY)
                return TRY_DOWN;
        if (status == 550 || status == 551 || status == 552 || status == 553 || status == 501 || status == 554)
                return TRY_NEVER;
        return status >= 400 && status != 421 && status != 530 && status != 535 ? TRY_LATER : TRY_DOWN;
}

static enum outcome send_mail(struct trying *t, const char *address)
{
        const struct notify_settings *s = t->settings;
        const struct mail mail = {s->from,   address,        t->message->title[0] ? t->message->title : t->message->number,
                                  linked(t), t->message->id, t->message->created};
        const char *bytes = mail_bytes(t->arena, &mail);
        struct upload upload = {bytes, strlen(bytes)};
        struct curl_slist *to = curl_slist_append(NULL, address);
        CURL *c = begin(t, s->smtp_url, "smtp,smtps", false); /* the mail server is the operator's own */
        (void)curl_easy_setopt(c, CURLOPT_USE_SSL, tls_of(s));
        if (s->smtp_user) {
                (void)curl_easy_setopt(c, CURLOPT_USERNAME, s->smtp_user);
                (void)curl_easy_setopt(c, CURLOPT_PASSWORD, s->smtp_password ? s->smtp_password : "");
        }
        (void)curl_easy_setopt(c, CURLOPT_MAIL_FROM, s->from);
        (void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
        (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
        (void)curl_easy_setopt(c, CURLOPT_READDATA, &upload);
        (void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        const CURLcode code = wire_perform(t->wire, &t->call, &t->status);
        curl_slist_free_all(to);
        return code == CURLE_OK ? TRY_TAKEN : smtp_failed(t, code);
}

/* --- any --------------------------------------------------------------------------------------------------------------------- */
static enum outcome send_reporter(struct trying *t, const struct contact *contact)
{
        const enum medium medium = t->message->medium;
        const char *address = contact ? contact_address(t->arena, t->district, contact, medium) : NULL;
        if (!address) {
                (void)err_set(t->e, ERR_INVALID, "the reporter has no address any more that can be used");
                return TRY_NEVER;
        }
        return medium == MEDIUM_SMS ? send_sms(t, address) : send_mail(t, address);
}

enum outcome deliver(struct wire *w, const struct district *d, struct arena *a, const struct message *m,
                     const struct contact *contact, int64_t now, struct err *e)
{
        struct trying t = {.wire = w,
                           .settings = d->notify,
                           .district = d,
                           .arena = a,
                           .message = m,
                           .now = now,
                           .answer = BUF_LIMIT(GATEWAY_ANSWER_MOST),
                           .e = e};
        const enum outcome out = m->medium == MEDIUM_WEBHOOK ? send_webhook(&t) : send_reporter(&t, contact);
        buf_free(&t.answer);
        return out;
}

void webhook_signature(const char *secret, const char *body, int64_t now, char out[100])
{
        unsigned char mac[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        struct buf b = BUF_LIMIT((size_t)16 << 20);
        buf_format(&b, "%lld.", (long long)(now / USEC_SECOND));
        buf_text(&b, body);
        hmac_sha256(secret, strlen(secret), b.at, b.length, mac);
        hex_text(mac, sizeof mac, hex);
        (void)snprintf(out, 100, "t=%lld,v1=%s", (long long)(now / USEC_SECOND), hex);
        buf_free(&b);
}
