/* exchange/call.c -- HTTP to a peer.  Redirects are never followed, proxies of the environment not used, as for webhooks. */
#include "exchange/inside.h"
#include "base/buf.h"
#include "base/text.h"
#include "letter/reach.h"
#include "notify/notify.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { URL_MOST = 2048, SECONDS_TO_CONNECT = 5 };
struct caller {
        CURL *curl;
        const struct exchange_settings *settings;
        const struct peer_access *peer;
        struct curl_slist *headers;
        struct buf *out;
        bool was_private;
};

const struct peer_access *peer_access_find(const struct exchange_settings *s, const char *code)
{
        for (size_t i = 0; s && i < s->n; i++)
                if (text_is(s->peers[i].code, code))
                        return &s->peers[i];
        return NULL;
}

struct caller *caller_new(const struct exchange_settings *s, const struct peer_access *peer)
{
        struct caller *c = calloc(1, sizeof *c);
        if (!c || !(c->curl = curl_easy_init()))
                abort(); /* out of memory */
        c->settings = s;
        c->peer = peer;
        return c;
}

void caller_free(struct caller **c)
{
        if (!*c)
                return;
        curl_easy_cleanup((*c)->curl);
        free(*c);
        *c = NULL;
}

static size_t keep(char *bytes, size_t size, size_t n, void *ctx)
{
        struct caller *c = ctx;
        buf_add(c->out, bytes, size * n);
        return c->out->overflow ? 0 : size * n;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
        struct caller *c = ctx;
        (void)purpose;
        if (!c->settings->private_addresses && address_private(&address->addr)) {
                c->was_private = true;
                return CURL_SOCKET_BAD;
        }
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void add_header(struct caller *c, const char *name, const char *value)
{
        char line[700];
        (void)snprintf(line, sizeof line, "%s: %s", name, value);
        struct curl_slist *more = curl_slist_append(c->headers, line);
        if (!more)
                abort(); /* out of memory */
        c->headers = more;
}

static void prepare(struct caller *c, const char *path, const char *body, int64_t now)
{
        char url[URL_MOST], text[600];
        CURL *h = c->curl;
        curl_easy_reset(h); /* keeps connections */
        (void)snprintf(url, sizeof url, "%s%s", c->peer->url, path);
        (void)curl_easy_setopt(h, CURLOPT_URL, url);
        (void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
        (void)curl_easy_setopt(h, CURLOPT_PROXY, "");
        (void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)SECONDS_TO_CONNECT);
        (void)curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)CALL_SECONDS);
        (void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, keep);
        (void)curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
        (void)curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        (void)curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, c);
        if (c->settings->ca_file)
                (void)curl_easy_setopt(h, CURLOPT_CAINFO, c->settings->ca_file);
        if (c->peer->key) {
                (void)snprintf(text, sizeof text, "Bearer %s", c->peer->key);
                add_header(c, "Authorization", text);
        }
        if (body) {
                webhook_signature(c->peer->secret, body, now, text);
                add_header(c, "X-Yiwang-Signature", text);
                add_header(c, "Content-Type", "application/json");
                (void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
        }
        (void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, c->headers);
}

bool caller_ask(struct caller *c, const char *path, const char *body, int64_t now, long *status, struct buf *out, struct err *e)
{
        *status = 0;
        c->out = out;
        c->was_private = false;
        prepare(c, path, body, now);
        const CURLcode code = curl_easy_perform(c->curl);
        if (code == CURLE_OK)
                (void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, status);
        curl_slist_free_all(c->headers);
        c->headers = NULL;
        if (code == CURLE_OK)
                return true;
        if (c->was_private)
                return err_both(e, ERR_BUSY, NULL,
                                "%s has an address of a private network, which the setting private_addresses forbids",
                                "%s位于内网地址，设置 private_addresses 不允许", c->peer->code);
        return err_both(e, ERR_BUSY, NULL, "%s cannot be reached: %s", "无法访问%s：%s", c->peer->code, curl_easy_strerror(code));
}
