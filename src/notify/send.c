/* notify/send.c -- sends one message: mail by SMTP, or a signed POST to a webhook (libcurl). */
#include "notify/notify.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"
#include <curl/curl.h>
#include <stdio.h>

static const char SQL_WAITING[] =
        "SELECT m.medium, m.target, m.subject, m.body, c.id, r.email FROM message m LEFT JOIN cases c ON c.number = m.subject"
        " LEFT JOIN reporter r ON r.report_id = c.id WHERE m.id = $1 AND m.state = 'waiting'";
static const char SQL_SENT[] = "UPDATE message SET state = 'sent', error = '', sent_at = $2 WHERE id = $1";
static const char SQL_FAILED[] = "UPDATE message SET error = $2 WHERE id = $1";

enum { SECONDS_TO_CONNECT = 5, SECONDS_IN_ALL = 20 };

struct sending {
        struct district *district;
        struct arena *arena;
        int64_t id, now, report;
        bool waiting;
        const char *medium, *target, *subject, *body, *error;
        const void *email;
        size_t email_n;
};

static bool read_message(struct tx *tx, void *ctx, struct err *e)
{
        struct sending *s = ctx;
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_WAITING, ARGS(V(s->id)));
        s->waiting = found == 1;
        if (found <= 0)
                return found == 0;
        s->medium = rows_text(&r, s->arena, 0);
        s->target = rows_text(&r, s->arena, 1);
        s->subject = rows_text(&r, s->arena, 2);
        s->body = rows_text(&r, s->arena, 3);
        s->report = rows_int(&r, 4);
        s->email = rows_blob(&r, s->arena, 5, &s->email_n);
        return rows_done(&r, e);
}

static bool mark_sent(struct tx *tx, void *ctx, struct err *e)
{
        const struct sending *s = ctx;
        return tx_change(tx, e, SQL_SENT, ARGS(V(s->id), V(s->now))) >= 0;
}

static bool mark_failed(struct tx *tx, void *ctx, struct err *e)
{
        const struct sending *s = ctx;
        return tx_change(tx, e, SQL_FAILED, ARGS(V(s->id), V(s->error))) >= 0;
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

/* curl's own failures, and answers that are not 2xx (250 for SMTP counts as success by curl itself). */
static bool perform(CURL *curl, const char *whom, bool http, struct err *e)
{
        long status = 0;
        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)SECONDS_TO_CONNECT);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS_IN_ALL);
        CURLcode code = curl_easy_perform(curl);
        if (code != CURLE_OK)
                return err_set(e, ERR_BUSY, "%s did not take the message: %s", whom, curl_easy_strerror(code));
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        return !http || (status >= 200 && status < 300) || err_set(e, ERR_BUSY, "%s answered with status %ld", whom, status);
}

static size_t drop(char *bytes, size_t size, size_t n, void *ctx)
{
        (void)bytes;
        (void)ctx;
        return size * n;
}

static bool send_webhook(const struct sending *s, struct err *e)
{
        const struct notify_settings *settings = s->district->notify;
        const struct webhook *hook = NULL;
        char signature[100], header[140];
        for (size_t i = 0; settings && i < settings->n_webhooks; i++)
                if (text_is(settings->webhooks[i].url, s->target))
                        hook = &settings->webhooks[i];
        if (!hook)
                return err_set(e, ERR_FAULT, "the webhook %s is no longer in the settings", s->target);
        CURL *curl = curl_easy_init();
        if (!curl)
                return err_set(e, ERR_FAULT, "curl does not start");
        webhook_signature(hook->secret ? hook->secret : "", s->body, s->now, signature);
        (void)snprintf(header, sizeof header, "X-Yiwang-Signature: %s", signature);
        struct curl_slist *headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), header);
        (void)curl_easy_setopt(curl, CURLOPT_URL, s->target);
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, s->body);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
        bool ok = perform(curl, s->target, true, e);
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        return ok;
}

struct upload {
        const char *at;
        size_t left;
};

static size_t give(char *out, size_t size, size_t n, void *ctx)
{
        struct upload *u = ctx;
        size_t most = size * n < u->left ? size * n : u->left;
        memcpy(out, u->at, most);
        u->at += most;
        u->left -= most;
        return most;
}

/* Header values come from our own number and settings; the address was given by a citizen: no line break may get in. */
static bool mail_address(const struct sending *s, char **address, struct err *e)
{
        char *context = arena_format(s->arena, "reporter/%lld/email", (long long)s->report);
        if (!s->email || !unseal(s->arena, keyring_now(s->district->keys), context, s->email, s->email_n, address, e))
                return err_set(e, ERR_FAULT, "message %lld has no address any more", (long long)s->id);
        return (strpbrk(*address, "\r\n<> ") == NULL && strchr(*address, '@'))
               || err_set(e, ERR_INVALID, "message %lld: the reporter's mail address cannot be used", (long long)s->id);
}

static bool send_mail(const struct sending *s, struct err *e)
{
        const struct notify_settings *settings = s->district->notify;
        char *address = NULL;
        if (!settings || !settings->smtp_url)
                return err_set(e, ERR_FAULT, "no mail server is in the settings");
        if (!mail_address(s, &address, e))
                return false;
        CURL *curl = curl_easy_init();
        if (!curl)
                return err_set(e, ERR_FAULT, "curl does not start");
        char *mail = arena_format(s->arena,
                                  "From: %s\r\nTo: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n",
                                  settings->from, address, s->subject, s->body);
        struct upload upload = {mail, strlen(mail)};
        struct curl_slist *to = curl_slist_append(NULL, address);
        (void)curl_easy_setopt(curl, CURLOPT_URL, settings->smtp_url);
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        if (settings->smtp_user) {
                (void)curl_easy_setopt(curl, CURLOPT_USERNAME, settings->smtp_user);
                (void)curl_easy_setopt(curl, CURLOPT_PASSWORD, settings->smtp_password ? settings->smtp_password : "");
        }
        (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, settings->from);
        (void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
        (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
        (void)curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
        (void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        bool ok = perform(curl, "the mail server", false, e);
        curl_slist_free_all(to);
        curl_easy_cleanup(curl);
        return ok;
}

static bool send_message(struct sending *s, struct err *e)
{
        bool ok = text_is(s->medium, "smtp") ? send_mail(s, e) : send_webhook(s, e);
        if (ok)
                return store_write(s->district->store, mark_sent, s, e);
        struct err second;
        s->error = e->text;
        /* The timer tries again whether or not the cause could be noted. */
        if (!store_write(s->district->store, mark_failed, s, &second))
                return false;
        return false;
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct sending s = {.district = ctx, .now = now, .arena = arena_new()};
        bool ok = text_to_int(timer->key, &s.id) || err_set(e, ERR_FAULT, "timer notify-send has the key \"%s\"", timer->key);
        ok = ok && store_read(s.district->store, read_message, &s, e) && (!s.waiting || send_message(&s, e));
        arena_free(&s.arena);
        return ok;
}

const struct timer_kind notify_send_timer = {
        .name = "notify-send",
        .about = "Sends one message by mail or to a webhook; tries again with growing pauses.",
        .run = run,
};
