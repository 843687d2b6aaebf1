/* media/exif.c -- position, time and orientation from an Exif block, which is a TIFF file of its own (TIFF 6.0, section 2). */
#include "media/picture.h"
#include "base/clock.h"
#include <stdio.h>

struct tiff {
        const unsigned char *at;
        size_t n;
        bool big; /* the most significant byte first */
};
struct entry {
        unsigned tag, type;
        uint32_t count;
        size_t value; /* where it stands */
};
enum { ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5 };
enum { ENTRIES_MOST = 1000 };

static bool inside(const struct tiff *t, size_t at, size_t n)
{
        return at <= t->n && n <= t->n - at;
}

static unsigned get16(const struct tiff *t, size_t at)
{
        const unsigned char *p = t->at + at;
        return t->big ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
}

static uint32_t get32(const struct tiff *t, size_t at)
{
        const uint32_t a = get16(t, at), b = get16(t, at + 2);
        return t->big ? a << 16 | b : b << 16 | a;
}

static size_t size_of(unsigned type)
{
        static const unsigned char sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
        return type < sizeof sizes ? sizes[type] : 0;
}

/* A value of up to four bytes stands in the entry itself. */
static bool read_entry(const struct tiff *t, size_t at, struct entry *e)
{
        *e = (struct entry){get16(t, at), get16(t, at + 2), get32(t, at + 4), at + 8};
        const size_t size = size_of(e->type);
        if (size == 0 || e->count == 0 || e->count > t->n)
                return false;
        if (size * e->count > 4)
                e->value = get32(t, at + 8);
        return inside(t, e->value, size * e->count);
}

static size_t entries(const struct tiff *t, size_t directory)
{
        if (!inside(t, directory, 2))
                return 0;
        const size_t n = get16(t, directory);
        return n <= ENTRIES_MOST && inside(t, directory + 2, n * 12) ? n : 0;
}

static bool find(const struct tiff *t, size_t directory, unsigned tag, unsigned type, struct entry *e)
{
        const size_t n = entries(t, directory);
        for (size_t i = 0; i < n; i++)
                if (read_entry(t, directory + 2 + i * 12, e) && e->tag == tag && e->type == type)
                        return true;
        return false;
}

static bool find_long(const struct tiff *t, size_t directory, unsigned tag, size_t *out)
{
        struct entry e;
        if (!find(t, directory, tag, LONG, &e))
                return false;
        *out = get32(t, e.value);
        return true;
}

/* --- position ------------------------------------------------------------------------------------------------------------- */
static bool rational(const struct tiff *t, size_t at, double *out)
{
        const uint32_t below = get32(t, at + 4);
        *out = below ? (double)get32(t, at) / below : 0;
        return below != 0;
}

/* Degrees, minutes, seconds; and a letter that says on which side. */
static bool angle(const struct tiff *t, size_t gps, unsigned tag, char negative, char positive, double most, double *out)
{
        struct entry side, parts;
        double d, m, s;
        if (!find(t, gps, tag, ASCII, &side) || !find(t, gps, tag + 1, RATIONAL, &parts) || parts.count < 3)
                return false;
        const char letter = (char)t->at[side.value];
        if ((letter != negative && letter != positive) || !rational(t, parts.value, &d) || !rational(t, parts.value + 8, &m))
                return false;
        if (!rational(t, parts.value + 16, &s)) /* cameras that give minutes with a fraction leave the seconds as 0/0 */
                s = 0;
        const double whole = d + m / 60 + s / 3600;
        *out = letter == negative ? -whole : whole;
        return whole <= most;
}

static void position(const struct tiff *t, size_t gps, struct picture_facts *f)
{
        double lat, lon;
        /* 0, 0 is what receivers write before they know. */
        if (angle(t, gps, 1, 'S', 'N', 90, &lat) && angle(t, gps, 3, 'W', 'E', 180, &lon) && (lat != 0 || lon != 0)) {
                f->has_point = true;
                f->lat = lat;
                f->lon = lon;
        }
}

/* --- time ------------------------------------------------------------------------------------------------------------------ */
static bool ascii(const struct tiff *t, size_t directory, unsigned tag, size_t n, char *out)
{
        struct entry e;
        if (!find(t, directory, tag, ASCII, &e) || e.count < n)
                return false;
        memcpy(out, t->at + e.value, n);
        out[n] = '\0';
        return true;
}

/* "2026:11:25 09:30:00", and its zone "+08:00" in a tag of its own. */
static void time_taken(const struct tiff *t, size_t exif, struct picture_facts *f)
{
        char time[20], zone[7] = "", text[32];
        if (!ascii(t, exif, 0x9003, 19, time) || time[4] != ':' || time[7] != ':')
                return;
        time[4] = time[7] = '-';
        time[10] = 'T';
        (void)ascii(t, exif, 0x9011, 6, zone);
        (void)snprintf(text, sizeof text, "%s%s", time, zone[0] == '+' || zone[0] == '-' ? zone : "");
        if (!time_parse(text, ZONE_SHANGHAI, &f->taken))
                f->taken = 0;
}

void exif_facts(const unsigned char *bytes, size_t n, struct picture_facts *f)
{
        struct tiff t = {bytes, n, n >= 8 && bytes[0] == 'M'};
        struct entry e;
        size_t place;
        if (n < 8 || (memcmp(bytes, "MM", 2) != 0 && memcmp(bytes, "II", 2) != 0) || get16(&t, 2) != 42)
                return;
        const size_t first = get32(&t, 4);
        if (find(&t, first, 0x0112, SHORT, &e) && get16(&t, e.value) >= 1 && get16(&t, e.value) <= 8)
                f->orientation = (int)get16(&t, e.value);
        if (find_long(&t, first, 0x8769, &place))
                time_taken(&t, place, f);
        if (find_long(&t, first, 0x8825, &place))
                position(&t, place, f);
}
