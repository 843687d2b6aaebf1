/* sight/sight_api.c -- see sight_api.h. */
#include "sight/sight_api.h"
#include "base/arena.h"
#include "district/district.h"

const char *sight_key_channel(const struct request *rq)
{
        const struct district *d = rq->app;
        return rq->actor.channel ? rq->actor.channel : d->key_channel ? d->key_channel : "open311";
}

struct viewer sight_viewer(const struct request *rq)
{
        const struct actor *who = &rq->actor;
        return (struct viewer){.role = (int)who->role,
                               .login = who->name,
                               .unit = who->unit,
                               .area = who->area,
                               .channel = sight_key_channel(rq),
                               .memberships = who->memberships,
                               .n_memberships = who->n_memberships};
}

const struct sight *sight_of(const struct request *rq, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        const struct viewer viewer = sight_viewer(rq);
        if (!rules)
                return NULL;
        struct sight *s = NEW(rq->arena, struct sight);
        *s = sight_make(rq->arena, rules, &viewer);
        return s;
}
