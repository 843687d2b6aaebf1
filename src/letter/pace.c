/* letter/pace.c -- see pace.h. */
#include "letter/pace.h"
#include "base/clock.h"
#include "base/text.h"
#include <stdio.h>

enum { HOUR = 60, DAY = 24 * HOUR, DOUBLINGS_MOST = 20 };

static bool two_digits(const char *p, int most, int *out)
{
        if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
                return false;
        *out = (p[0] - '0') * 10 + p[1] - '0';
        return *out <= most;
}

/* "HH:MM" */
static bool minute_of(const char *p, int *out)
{
        int hour, minute;
        if (!two_digits(p, 23, &hour) || p[2] != ':' || !two_digits(p + 3, 59, &minute))
                return false;
        *out = hour * HOUR + minute;
        return true;
}

bool quiet_parse(const char *text, struct quiet *out, struct err *e)
{
        *out = (struct quiet){0, 0};
        if (text_is(text, "none"))
                return true;
        if (strlen(text) == 11 && minute_of(text, &out->from) && text[5] == '-' && minute_of(text + 6, &out->to)
            && out->from != out->to)
                return true;
        return err_both(e, ERR_INVALID, NULL, "quiet_hours must be none or HH:MM-HH:MM, not \"%.40s\"",
                        "quiet_hours 应为 none 或 HH:MM-HH:MM，而不是“%.40s”", text);
}

int64_t quiet_end(const struct quiet *q, int64_t now)
{
        struct civil c = civil_of(now, ZONE_SHANGHAI);
        const int minute = c.hour * HOUR + c.minute;
        const int since = (minute - q->from + DAY) % DAY, lasts = (q->to - q->from + DAY) % DAY;
        if (since >= lasts)
                return now;
        c.second = c.usec = 0;
        return civil_instant(&c, ZONE_SHANGHAI) + (lasts - since) * USEC_MINUTE;
}

int64_t pace_backoff(int tries, int64_t most, uint32_t random)
{
        const int doublings = tries < 1 ? 0 : tries - 1 < DOUBLINGS_MOST ? tries - 1 : DOUBLINGS_MOST;
        int64_t pause = USEC_SECOND << doublings;
        pause = pause < most ? pause : most;
        const int64_t half = pause / 2;
        return pause - half / 2 + (int64_t)((double)half * ((double)random / (double)UINT32_MAX));
}
