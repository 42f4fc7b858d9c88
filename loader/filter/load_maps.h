/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of a filter that is being loaded: their sizes, and what new ones begin with. */
#ifndef PORTCULLIS_FILTER_LOAD_MAPS_H
#define PORTCULLIS_FILTER_LOAD_MAPS_H

#include "loader/filter/filter.h"

struct portcullis_bpf;

/* How a filter is loaded. */
struct loading {
	const struct filter *flows_of, *kept; /* whose maps it uses, where they have them */
	__u32 flows;
	const struct pc_generation *generation;
	bool explains; /* `flows_of` is the filter that is asked */
	bool told;     /* and its flows are not: the caller tells them */
	bool shared;   /* the maps of a network namespace alone, and no program */
};

/* Both return 0 or -errno, without a message. */

/* Sets up the maps of an object that is not loaded yet. */
int load_maps_set(struct portcullis_bpf *skeleton, const struct loading *how);

/* Fills in what new maps of a loaded filter begin with. */
int load_maps_claim(const struct filter *filter, const struct loading *how);

#endif
