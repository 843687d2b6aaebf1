/* letter/gateway.h -- the SMS gateway: any HTTP service that takes one message a request, described by a file of settings.  Pure.
 *
 *   url: https://sms.example.cn/v1/send          # holes in an address are percent-encoded
 *   method: POST                                  # or GET, PUT
 *   headers:
 *     - "Content-Type: application/json"          # or application/x-www-form-urlencoded
 *     - "Authorization: Bearer {secret}"
 *   body: '{"to":"{phone}","text":"{text}","id":"{id}"}'
 *   success: {status: 200, pointer: /code, equals: "0"}
 *
 * Holes: {phone} {text} {id} {language} {secret}.  In a body they are escaped as its Content-Type asks: a JSON text, or a form.
 */
#ifndef LETTER_GATEWAY_H
#define LETTER_GATEWAY_H
#include "base/base.h"
struct arena;

enum { GATEWAY_HEADERS_MOST = 16, GATEWAY_ANSWER_MOST = 64 << 10 };
struct gateway {
        const char *url, *method, *body;        /* body NULL: none */
        const char *headers[GATEWAY_HEADERS_MOST]; size_t n_headers;
        bool form;                              /* the body is a form; else JSON */
        int status;                             /* 0 = any 2xx */
        const char *pointer, *equals;           /* RFC 6901 into the JSON answer, and the value there; NULL = not asked */
};
struct gateway_values { const char *phone, *text, *id, *language, *secret; };
enum gateway_place { GATEWAY_URL, GATEWAY_HEADER, GATEWAY_JSON, GATEWAY_FORM };

/* Reads the description; `file` names it in sentences.  Refused: unknown keys and holes, a JSON body that is none once its holes are
 * filled (a hole outside of quotes), line breaks in headers, addresses that are not http or https. */
bool gateway_parse(struct arena *, const char *file, const char *bytes, size_t n, struct gateway *, struct err *) MUST_CHECK;
/* The template with its holes filled, escaped as the place asks; what is not UTF-8 in a value is dropped. */
char *gateway_fill(struct arena *, const char *text, enum gateway_place, const struct gateway_values *);
/* Whether the gateway has taken the message.  False: a sentence without anything of the answer but its status. */
bool gateway_accepts(struct arena *, const struct gateway *, int status, const char *answer, size_t n, struct err *) MUST_CHECK;

/* "+86 138-0013-8000" -> "13800138000"; of other countries "+" and digits.  NULL: not a number that takes an SMS (a landline, too
 * short, too long). */
const char *sms_number(struct arena *, const char *);

/* What a citizen answered: a digit 1 to 4, a yes or no to "solved?", or both, and nothing else.  rating 0, solved -1: unsaid. */
struct reply_text { int rating, solved; };
bool reply_text_parse(const char *text, struct reply_text *);
#endif
