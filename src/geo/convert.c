/* geo/convert.c -- between WGS-84 and the two shifted systems of Chinese maps.
 *
 * GCJ-02's offset is a published approximation (known since 2012 from "eviltransform" and many re-implementations):
 * polynomials and sines of the distance from 105 E 35 N on the Krasovsky 1940 ellipsoid.  BD-09 adds a small rotation to GCJ-02.
 * Neither has an exact inverse; the inverse is found by iteration.
 */
#include "geo/geo.h"
#include <math.h>

static const double PI = 3.14159265358979323846;
static const double AXIS = 6378245.0, ECCENTRICITY = 0.00669342162296594323; /* Krasovsky 1940: a and e^2 */
static const double BD_TURN = 3.14159265358979323846 * 3000.0 / 180.0;
enum { STEPS_MOST = 30 };

bool point_valid(struct point p)
{
        return isfinite(p.lon) && isfinite(p.lat) && fabs(p.lon) <= 180.0 && fabs(p.lat) <= 90.0;
}

static bool in_china(struct point p)
{
        return p.lon > 72.004 && p.lon < 137.8347 && p.lat > 0.8293 && p.lat < 55.8271;
}

static double waves(double t)
{
        return (20.0 * sin(6.0 * t * PI) + 20.0 * sin(2.0 * t * PI)) * 2.0 / 3.0;
}

static struct point offset(struct point p)
{
        const double x = p.lon - 105.0, y = p.lat - 35.0;
        double dlat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x)) + waves(x);
        dlat += (20.0 * sin(y * PI) + 40.0 * sin(y / 3.0 * PI)) * 2.0 / 3.0;
        dlat += (160.0 * sin(y / 12.0 * PI) + 320.0 * sin(y * PI / 30.0)) * 2.0 / 3.0;
        double dlon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x)) + waves(x);
        dlon += (20.0 * sin(x * PI) + 40.0 * sin(x / 3.0 * PI)) * 2.0 / 3.0;
        dlon += (150.0 * sin(x / 12.0 * PI) + 300.0 * sin(x / 30.0 * PI)) * 2.0 / 3.0;
        const double phi = p.lat / 180.0 * PI, magic = 1.0 - ECCENTRICITY * sin(phi) * sin(phi), root = sqrt(magic);
        return (struct point){
                .lon = dlon * 180.0 / (AXIS / root * cos(phi) * PI),
                .lat = dlat * 180.0 / (AXIS * (1.0 - ECCENTRICITY) / (magic * root) * PI),
        };
}

struct point point_to_gcj02(struct point p)
{
        if (!in_china(p))
                return p;
        const struct point d = offset(p);
        return (struct point){p.lon + d.lon, p.lat + d.lat};
}

static struct point gcj_to_bd(struct point g)
{
        const double r = hypot(g.lon, g.lat) + 0.00002 * sin(g.lat * BD_TURN),
                     turn = atan2(g.lat, g.lon) + 0.000003 * cos(g.lon * BD_TURN);
        return (struct point){r * cos(turn) + 0.0065, r * sin(turn) + 0.006};
}

struct point point_to_bd09(struct point p)
{
        return in_china(p) ? gcj_to_bd(point_to_gcj02(p)) : p;
}

/* Fixed point iteration: the offsets change slowly, so each step gains two to three digits. */
static struct point invert(struct point (*forward)(struct point), struct point wanted)
{
        struct point guess = wanted;
        for (int i = 0; i < STEPS_MOST; i++) {
                const struct point got = forward(guess);
                const double dlon = wanted.lon - got.lon, dlat = wanted.lat - got.lat;
                guess.lon += dlon;
                guess.lat += dlat;
                if (fabs(dlon) < 1e-10 && fabs(dlat) < 1e-10)
                        break;
        }
        return guess;
}

struct point point_from_gcj02(struct point p)
{
        return in_china(p) ? invert(point_to_gcj02, p) : p;
}

struct point point_from_bd09(struct point p)
{
        return in_china(p) ? invert(point_to_bd09, p) : p;
}

double point_metres(struct point a, struct point b)
{
        const double rad = PI / 180.0, dlat = (b.lat - a.lat) * rad / 2.0, dlon = (b.lon - a.lon) * rad / 2.0;
        const double h = sin(dlat) * sin(dlat) + cos(a.lat * rad) * cos(b.lat * rad) * sin(dlon) * sin(dlon);
        return 2.0 * 6371008.8 * asin(sqrt(h < 1.0 ? h : 1.0));
}
