/* intake/channels.c -- see channels.h; and what intake reads from a pack. */
#include "intake/channels.h"
#include "base/arena.h"
#include "base/text.h"
#include "intake/intake.h"
#include "pack/pack.h"
#include "store/store.h"

static const char SQL_ADD_CHANNEL[] =
        "INSERT INTO channel(version, place, code, name, name_en, is_public) VALUES ($1, $2, $3, $4, $5, COALESCE($6, 0))";
static const char SQL_ADD_PROPERTY[] = "INSERT INTO property_kind(version, place, code, name, name_en) VALUES ($1, $2, $3, $4, $5)";
static const char SQL_CHANNELS[] = "SELECT code, name, name_en, is_public FROM channel WHERE version = $1 ORDER BY code";
static const char SQL_PROPERTIES[] = "SELECT code, name, name_en FROM property_kind WHERE version = $1 ORDER BY code";
static const char SQL_CHANNEL_TWICE[] =
        "SELECT MAX(place), 'channel ' || code || ' stands twice', '渠道' || code || '重复' FROM channel WHERE version = $1"
        " GROUP BY code HAVING COUNT(*) > 1";
static const char SQL_PROPERTY_TWICE[] =
        "SELECT MAX(place), 'property ' || code || ' stands twice', '性质' || code || '重复' FROM property_kind WHERE version = $1"
        " GROUP BY code HAVING COUNT(*) > 1";

enum { MOST = 256 };

bool channels_load(struct tx *tx, struct arena *a, int64_t version, struct channels **out, struct err *e)
{
        struct channels *c = NEW(a, struct channels);
        struct rows r;
        c->at = NEW_ARRAY(a, struct channel, MOST);
        c->properties = NEW_ARRAY(a, struct property, MOST);
        if (!tx_rows(tx, &r, e, SQL_CHANNELS, ARGS(V(version))))
                return false;
        while (c->n < MOST && rows_next(&r))
                c->at[c->n++] = (struct channel){.code = rows_text(&r, a, 0),
                                                 .name = rows_text(&r, a, 1),
                                                 .name_en = rows_text(&r, a, 2),
                                                 .is_public = rows_int(&r, 3) != 0};
        if (!rows_done(&r, e) || !tx_rows(tx, &r, e, SQL_PROPERTIES, ARGS(V(version))))
                return false;
        while (c->n_properties < MOST && rows_next(&r))
                c->properties[c->n_properties++] =
                        (struct property){.code = rows_text(&r, a, 0), .name = rows_text(&r, a, 1), .name_en = rows_text(&r, a, 2)};
        *out = c;
        return rows_done(&r, e);
}

const struct channel *channel_find(const struct channels *c, const char *code)
{
        for (size_t i = 0; i < c->n; i++)
                if (text_is(c->at[i].code, code))
                        return &c->at[i];
        return NULL;
}

const struct property *property_find(const struct channels *c, const char *name)
{
        for (size_t i = 0; i < c->n_properties; i++)
                if (text_is(c->properties[i].code, name) || text_is(c->properties[i].name, name))
                        return &c->properties[i];
        return NULL;
}

static const struct pack_column channel_columns[] = {
        {"code", PACK_TEXT, true, NULL, "Code of the channel."},
        {"name", PACK_TEXT, true, NULL, "Name, Chinese."},
        {"name_en", PACK_TEXT, false, NULL, "Name, English."},
        {"public", PACK_BOOL, false, NULL, "yes: anybody may report through it."},
        {0},
};
static const struct pack_column property_columns[] = {
        {"code", PACK_TEXT, true, NULL, "Code of the property."},
        {"name", PACK_TEXT, true, NULL, "Name, Chinese."},
        {"name_en", PACK_TEXT, false, NULL, "Name, English."},
        {0},
};
static const struct pack_table tables[] = {
        {"channels.csv", true, channel_columns, SQL_ADD_CHANNEL},
        {"properties.csv", true, property_columns, SQL_ADD_PROPERTY},
        {0},
};
/* The maps folder is read by `yiwang import` from the pack's stored files; nothing is staged for it. */
static const char *const checks[] = {SQL_CHANNEL_TWICE, SQL_PROPERTY_TWICE, NULL};
const struct pack_part intake_pack = {.capability = "intake", .tables = tables, .checks = checks};
