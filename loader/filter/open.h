/* SPDX-License-Identifier: GPL-2.0 */
/* Opens a pinned filter of this version. */
#ifndef PORTCULLIS_FILTER_OPEN_H
#define PORTCULLIS_FILTER_OPEN_H

#include "loader/filter/filter.h"

/* As filter_open, but prints nothing. -EPROTO: another version made the filter. */
int filter_try_open(const char *id, struct filter *filter);

/* Opens only link, program, `generations` and the generations in its slots. Prints nothing. */
int filter_open_head(const char *id, struct filter *filter);

/*
 * Opens what filter_open_head opens, and what the filters of a network namespace share (the maps of
 * FD_NAMESPACE and the program `devices`). Prints nothing.
 */
int filter_open_shared(const char *id, struct filter *filter);

/*
 * Opens only the egress program, and its link and marks, if there are any; also of another
 * version's filter. Prints nothing.
 */
int filter_open_egress(const char *id, struct filter *filter);

/*
 * Opens the pinned filter of that id. -ENOENT without a message if there is none (half made or just
 * removed).
 */
int filter_open(const char *id, struct filter *filter);

#endif
