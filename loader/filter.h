/* SPDX-License-Identifier: GPL-2.0 */
/* What the files share that make up a filter: filter.c, pins.c, generation.c. */
#ifndef PORTCULLIS_FILTER_H
#define PORTCULLIS_FILTER_H

#include "loader/kernel.h"

/* filter.c: closes and frees a generation; leaves it as one that is not there. */
void installed_close(struct installed *installed);

/*
 * generation.c: takes away what judges, so that everything passes at both hooks from one packet to
 * the next. Returns 0 or -errno. Also of another layout.
 */
int filter_empty(struct filter *filter);

/* pins.c: a generation in the folder of its filter; 0, or -errno with a message. */
int installed_pin(const struct filter *filter, const struct installed *installed);
/* Unpins every generation but current and fallback. A filter that is not pinned has none. */
void installed_unpin_others(const struct filter *filter);

#endif
