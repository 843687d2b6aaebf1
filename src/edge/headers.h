/* edge/headers.h -- what every answer tells the browser, whatever it holds. */
#ifndef EDGE_HEADERS_H
#define EDGE_HEADERS_H
#include "base/base.h"

struct edge_header { const char *name, *value; };
extern const struct edge_header edge_headers[];         /* on every answer; ends with {0} */
/* Content-Security-Policy of answers that are no pages: nothing in them may run, load, or be framed. */
extern const char edge_policy[];
/* Strict-Transport-Security of answers that go out encrypted: a year. */
extern const char edge_transport[];
#endif
