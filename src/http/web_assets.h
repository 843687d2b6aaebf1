/* http/web_assets.h -- the built console, embedded in the binary (generated at build time by tools/embed; empty when it was not
 * built). */
#ifndef HTTP_WEB_ASSETS_H
#define HTTP_WEB_ASSETS_H
#include "http/http.h"
extern const struct assets web_assets;
#endif
