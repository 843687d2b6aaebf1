/* intake/channels.h -- channels and properties of one pack version in memory. */
#ifndef INTAKE_CHANNELS_H
#define INTAKE_CHANNELS_H
#include "base/base.h"
struct arena;
struct tx;

struct channel { const char *code, *name, *name_en; bool is_public; };
struct property { const char *code, *name, *name_en; };
struct channels {
        struct channel *at; size_t n;
        struct property *properties; size_t n_properties;
};
bool channels_load(struct tx *, struct arena *, int64_t version, struct channels **, struct err *) MUST_CHECK;
const struct channel *channel_find(const struct channels *, const char *code);          /* NULL when unknown */
const struct property *property_find(const struct channels *, const char *code_or_name);        /* NULL when unknown */
#endif
