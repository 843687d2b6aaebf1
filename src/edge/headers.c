/* edge/headers.c -- see headers.h. */
#include "edge/headers.h"

const struct edge_header edge_headers[] = {
        {"X-Content-Type-Options", "nosniff"},
        /* A tracking code in an address must not be told to other sites. */
        {"Referrer-Policy", "no-referrer"},
        {"X-Frame-Options", "DENY"}, /* for browsers that do not know frame-ancestors */
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Embedder-Policy", "require-corp"},
        /* The page asks for the place of a report, and for nothing else. */
        {"Permissions-Policy",
         "geolocation=(self), camera=(), microphone=(), payment=(), usb=(), serial=(), bluetooth=(), hid=(), midi=(),"
         " display-capture=(), browsing-topics=()"},
        {0},
};

const char edge_policy[] = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const char edge_transport[] = "max-age=31536000";
