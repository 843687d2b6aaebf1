/* letter/pace.h -- when a message may be sent: quiet hours, and pauses that grow between tries.  Pure: the clock is a parameter. */
#ifndef LETTER_PACE_H
#define LETTER_PACE_H
#include "base/base.h"

/* Minutes of the local day (UTC+8) in which no SMS is sent unless the case is urgent; may go over midnight.  from == to: none. */
struct quiet { int from, to; };
/* "22:00-08:00" or "none". */
bool quiet_parse(const char *, struct quiet *, struct err *) MUST_CHECK;
/* The instant itself when it is not quiet, else the end of the quiet hours it lies in. */
int64_t quiet_end(const struct quiet *, int64_t now);

/* Microseconds to wait after so many failed tries (from 1): 1, 2, 4, ... seconds, at most `most`, a quarter more or less as `random`
 * says, so that those who failed together do not come again together. */
int64_t pace_backoff(int tries, int64_t most, uint32_t random);
#endif
