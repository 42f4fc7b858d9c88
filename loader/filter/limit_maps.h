/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of limits (abi_limits.h). */
#ifndef PORTCULLIS_FILTER_LIMIT_MAPS_H
#define PORTCULLIS_FILTER_LIMIT_MAPS_H

#include "loader/filter/filter.h"

/* Sets the secret of a new `limiter` map. */
int limits_claim(const struct filter *filter);

/* Makes the cells. 0 or -errno. */
int limits_cells(const struct filter *filter);

/* Makes the cells if the generation has limits and the filter has no cells. */
int limits_place(const struct filter *filter, const struct pc_generation *generation);

/*
 * Counts the packets above a limit that passed because forged sources filled the cells; `ago`:
 * seconds since the last one. Returns 0, -ENOENT if the filter has no limits, or -errno. Prints
 * nothing.
 */
int limits_opened(const struct filter *filter, __u64 *opened, __u64 *ago);

#endif
