/* exchange/call.c -- HTTP to a peer, signed as webhooks are. */
#include "exchange/inside.h"
#include "base/buf.h"
#include "base/text.h"
#include "letter/wire.h"
#include "notify/notify.h"
#include <stdio.h>
#include <stdlib.h>

enum { URL_MOST = 2048 };
struct caller {
        struct wire *wire;
        const struct exchange_settings *settings;
        const struct peer_access *peer;
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
        if (!c)
                abort(); /* out of memory */
        c->wire = wire_new();
        c->settings = s;
        c->peer = peer;
        return c;
}

void caller_free(struct caller **c)
{
        if (!*c)
                return;
        wire_free(&(*c)->wire);
        free(*c);
        *c = NULL;
}

static void add_header(struct wire_call *call, const char *name, const char *value)
{
        char line[700];
        (void)snprintf(line, sizeof line, "%s: %s", name, value);
        wire_header(call, line);
}

static void prepare(struct caller *c, struct wire_call *call, const char *body, int64_t now)
{
        char text[600];
        CURL *h = wire_begin(c->wire, call);
        if (c->peer->key) {
                (void)snprintf(text, sizeof text, "Bearer %s", c->peer->key);
                add_header(call, "Authorization", text);
        }
        if (body) {
                webhook_signature(c->peer->secret, body, now, text);
                add_header(call, "X-Yiwang-Signature", text);
                add_header(call, "Content-Type", "application/json");
                (void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
        }
}

bool caller_ask(struct caller *c, const char *path, const char *body, int64_t now, long *status, struct buf *out, struct err *e)
{
        char url[URL_MOST];
        (void)snprintf(url, sizeof url, "%s%s", c->peer->url, path);
        struct wire_call call = {.url = url,
                                 .protocols = "http,https",
                                 .ca_file = c->settings->ca_file,
                                 .seconds = CALL_SECONDS,
                                 .closed_net = !c->settings->private_addresses,
                                 .answer = out};
        prepare(c, &call, body, now);
        const CURLcode code = wire_perform(c->wire, &call, status);
        if (code == CURLE_OK)
                return true;
        if (call.was_private)
                return err_both(e, ERR_BUSY, NULL,
                                "%s has an address of a private network, which the setting private_addresses forbids",
                                "%s位于内网地址，设置 private_addresses 不允许", c->peer->code);
        return err_both(e, ERR_BUSY, NULL, "%s cannot be reached: %s", "无法访问%s：%s", c->peer->code, curl_easy_strerror(code));
}
