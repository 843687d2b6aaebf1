/* cases/columns.h -- the columns of a case_view in one SELECT, and how a row of them is read; for the files of this folder. */
#ifndef CASES_COLUMNS_H
#define CASES_COLUMNS_H
#include "cases/view.h"
struct rows;

#define CASE_COLUMNS \
        "SELECT id, version, number, track, workflow, state, channel, source, property, title, urgent, open, late, item," \
        " certainty," \
        " subdistrict, community, grid, address, unit, lon, lat, occurred_at, created_at, closed_at, due FROM cases"

void case_view_read(const struct rows *, struct arena *, struct case_view *);
#endif
