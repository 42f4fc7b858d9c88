/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of a filter that is being loaded: their sizes, and their first content. */
#ifndef PORTCULLIS_FILTER_LOAD_MAPS_H
#define PORTCULLIS_FILTER_LOAD_MAPS_H

#include "loader/filter/filter.h"

struct portcullis_bpf;

/* How a filter is loaded. */
struct loading {
	const struct filter *flows_of, *kept; /* filters whose maps it uses, if they have them */
	__u32 flows;
	const struct pc_generation *generation;
	bool explains; /* only explain, with the maps of `flows_of` */
	bool told;     /* explain without its flows: the caller passes them */
	bool shared;   /* make only the maps of a network namespace, and load no program */
};

/* Both functions return 0 or -errno, without a message. */

/* Sets up the maps of an object that is not loaded yet. */
int load_maps_set(struct portcullis_bpf *skeleton, const struct loading *how);

/* Writes the first content of a loaded filter's new maps. */
int load_maps_claim(const struct filter *filter, const struct loading *how);

#endif
