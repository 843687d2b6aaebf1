/* letter/wire.c -- see wire.h. */
#include "letter/wire.h"
#include "base/buf.h"
#include "letter/reach.h"
#include <stdlib.h>
#include <unistd.h>

enum { SECONDS_TO_CONNECT = 5 };

struct wire {
        CURL *curl;
};

struct wire *wire_new(void)
{
        struct wire *w = calloc(1, sizeof *w);
        if (!w || !(w->curl = curl_easy_init()))
                abort(); /* out of memory */
        return w;
}

void wire_free(struct wire **w)
{
        if (!*w)
                return;
        curl_easy_cleanup((*w)->curl);
        free(*w);
        *w = NULL;
}

static size_t keep_answer(char *bytes, size_t size, size_t n, void *ctx)
{
        const struct wire_call *c = ctx;
        buf_add(c->answer, bytes, size * n);
        return c->answer->overflow ? 0 : size * n;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
        struct wire_call *c = ctx;
        (void)purpose;
        if (c->closed_net && address_private(&address->addr)) {
                c->was_private = true;
                return CURL_SOCKET_BAD;
        }
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURL *wire_begin(struct wire *w, struct wire_call *c)
{
        CURL *h = w->curl;
        curl_easy_reset(h); /* keeps connections */
        (void)curl_easy_setopt(h, CURLOPT_URL, c->url);
        (void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, c->protocols);
        (void)curl_easy_setopt(h, CURLOPT_PROXY, "");
        (void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)SECONDS_TO_CONNECT);
        (void)curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)c->seconds);
        (void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, keep_answer);
        (void)curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
        (void)curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        (void)curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, c);
        if (c->ca_file)
                (void)curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file);
        return h;
}

void wire_header(struct wire_call *c, const char *line)
{
        struct curl_slist *more = curl_slist_append(c->headers, line);
        if (!more)
                abort(); /* out of memory */
        c->headers = more;
}

CURLcode wire_perform(struct wire *w, struct wire_call *c, long *status)
{
        *status = 0;
        c->was_private = false;
        if (c->headers)
                (void)curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, c->headers);
        const CURLcode code = curl_easy_perform(w->curl);
        (void)curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, status);
        curl_slist_free_all(c->headers);
        c->headers = NULL;
        return code;
}
