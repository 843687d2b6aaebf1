/* media/picture.h -- what a camera wrote into a picture, and a copy of the picture without it.  Pure: foreign bytes, no files.
 *
 * Metadata is dropped by keeping what is known to be the picture, not by looking for what is known to be private: a segment, chunk or
 * block of a kind that is not listed in strip.c is left out, and so is all that follows the picture's end (moving pictures of phones).
 */
#ifndef MEDIA_PICTURE_H
#define MEDIA_PICTURE_H
#include "base/base.h"
#include "base/buf.h"

struct picture_facts {
        bool has_point;
        double lon, lat;        /* degrees, WGS-84 */
        int64_t taken;          /* microseconds; without a time zone in the picture: Shanghai time; 0 = unsaid */
        int orientation;        /* 1 to 8 (Exif 2.32, 4.6.4); 0 = unsaid */
};
/* Reads what Exif says (CIPA DC-008); broken or missing metadata says nothing. */
void picture_facts(const void *bytes, size_t n, struct picture_facts *);
/* The picture alone, appended to out: of JPEG, PNG, WebP and GIF.  A JPEG keeps its orientation, without which it would lie on its side.
 * False: the bytes are not whole, or not of these; then what was appended means nothing. */
bool picture_public(const void *bytes, size_t n, struct buf *out) MUST_CHECK;
/* An Exif block, from its byte order mark on; adds to facts. */
void exif_facts(const unsigned char *, size_t n, struct picture_facts *);
#endif
