/* SPDX-License-Identifier: GPL-2.0 */
/* Loads the programs and maps of a new filter. */
#ifndef PORTCULLIS_FILTER_LOAD_H
#define PORTCULLIS_FILTER_LOAD_H

#include "loader/filter/filter.h"

#define KERNEL_OLDEST "5.10"

/*
 * Loads programs and maps, for an interface whose frames begin so; nothing is attached or pinned.
 * If the kernel refuses a program, the end of the verifier's log and the kernel version that is
 * needed are in the message.
 */
int filter_load(struct filter *filter, enum pc_frame frame);
/*
 * Loads them with the flow maps of one filter and the counters of another. Where one of them has no
 * such map, makes new ones, of `flows` entries in all, for the caller's network namespace; and with
 * room to count what `generation` lists, which may be NULL.
 */
int filter_load_sharing(struct filter *filter, const struct filter *flows_of,
			const struct filter *counters_of, __u32 flows, enum pc_frame frame,
			const struct pc_generation *generation);

/*
 * Reads which header the filter's program expects at the start of a frame. 0 or -errno, as without
 * root.
 */
int filter_frame(const struct filter *filter, enum pc_frame *frame);

#endif
