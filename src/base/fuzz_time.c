/* base/fuzz_time.c -- instants of RFC 3339: what is read is written and read again as the same instant. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static const int zones[] = {0, ZONE_SHANGHAI, -ZONE_SHANGHAI, 23 * 60 + 59, -(23 * 60 + 59)};
        struct arena *a = arena_new();
        char *text = arena_copy(a, bytes, n), out[TIME_TEXT_SIZE];
        int64_t instant, again;
        if (time_parse(text, ZONE_SHANGHAI, &instant)) {
                /* Years 1900 to 9999 of any offset. */
                assert(instant >= (days_of(1900, 1, 1) - 1) * USEC_DAY && instant < (days_of(10000, 1, 1) + 1) * USEC_DAY);
                for (size_t i = 0; i < COUNT_OF(zones); i++) {
                        const struct civil c = civil_of(instant, zones[i]);
                        assert(civil_instant(&c, zones[i]) == instant);
                        assert(strlen(time_text(out, instant, zones[i])) <= 33);
                        assert((c.year < 1900 || c.year > 9999) != time_parse(out, 0, &again));
                        assert(c.year < 1900 || c.year > 9999 || again == instant);
                }
        }
        arena_free(&a);
        return 0;
}
