/* letter/wire.h -- how this program calls others: webhooks, SMS gateways, mail servers, other platforms.  Redirects are never followed,
 * proxies of the environment not used; an address in a private network is refused where the caller wants that.
 */
#ifndef LETTER_WIRE_H
#define LETTER_WIRE_H
#include "base/base.h"
#include <curl/curl.h>
struct buf;

struct wire;                            /* one at a time calls with it; it keeps connections */
struct wire *wire_new(void);
void wire_free(struct wire **);

struct wire_call {
        const char *url, *protocols;    /* "http,https" */
        const char *ca_file;            /* NULL = the system's */
        int seconds;                    /* the whole call at most */
        bool closed_net;                /* addresses of private networks are refused */
        struct buf *answer;             /* gets the body, up to its limit */
        bool was_private;               /* result: that is why it failed */
        struct curl_slist *headers;     /* of wire_header(); wire_perform() frees them */
};
/* The handle with everything above set; the caller sets what his call needs beside.  The call must live until wire_perform(). */
CURL *wire_begin(struct wire *, struct wire_call *);
void wire_header(struct wire_call *, const char *line);         /* "Name: value" */
/* *status: of HTTP or SMTP, 0 when there was no answer. */
CURLcode wire_perform(struct wire *, struct wire_call *, long *status);
#endif
