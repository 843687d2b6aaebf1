/* media/fuzz_exif.c -- Exif blocks: whatever they say, a position is on the earth, a time is one, an orientation is one of
 * eight. */
#include "base/clock.h"
#include "media/picture.h"
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct picture_facts f = {.has_point = false};
        unsigned char *exact = malloc(n ? n : 1); /* so that one byte too many is seen */
        assert(exact);
        memcpy(exact, bytes, n);
        exif_facts(exact, n, &f);
        assert(!f.has_point || (fabs(f.lat) <= 90 && fabs(f.lon) <= 180));
        assert(f.orientation >= 0 && f.orientation <= 8);
        const struct civil c = civil_of(f.taken, ZONE_SHANGHAI);
        assert(f.taken == 0 || (c.year >= 1899 && c.year <= 10000));
        free(exact);
        return 0;
}
