/* open311/open311.h -- Open311 GeoReport v2: the standard's calls at /open311/v2, JSON and XML.
 *
 * Standard: https://wiki.open311.org/GeoReport_v2 (and Service_discovery).  A service is a leaf item of the catalogue, a service
 * request is a case, and service_request_id its number.  What goes beyond the standard (updates, paging, change feed) is apart and
 * never on by itself; doc/open311.md tells it all.
 */
#ifndef OPEN311_OPEN311_H
#define OPEN311_OPEN311_H
#include "base/base.h"
struct route;

struct open311_settings {
        const char *jurisdiction;       /* the one jurisdiction_id that is accepted; NULL = any */
        const char *public_url;         /* "https://yiwang.example.org"; NULL = as the request's Host header says */
        const char *contact;            /* for the discovery document: whom to ask for keys and help; NULL */
};

extern const struct route *const open311_routes;
#endif
