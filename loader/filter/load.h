/* SPDX-License-Identifier: GPL-2.0 */
/* Loads the programs and maps of a new filter. */
#ifndef PORTCULLIS_FILTER_LOAD_H
#define PORTCULLIS_FILTER_LOAD_H

#include "loader/filter/load_maps.h"

#define KERNEL_OLDEST "5.10"

/* A filter to load, and what came of it. */
struct load {
	struct loading how;
	enum pc_frame frame;
	struct filter *filter;
	int err;
	const char *failed; /* what cannot be done; NULL: the kernel refuses a program */
	char *log;	    /* then: the end of the verifier's log */
};

/*
 * Loads programs and maps of filters, several at a time: most of it is the verifier's. If one
 * fails, none is left, and the message is about the first of those that fail.
 */
int filters_load(struct load *load, size_t count);

/*
 * Makes the maps alone that the filters of the caller's network namespace share, with `flows`
 * entries in all.
 */
int filter_load_shared(struct filter *filter, __u32 flows);

/*
 * Loads programs and maps, for an interface whose frames begin so; nothing is attached or pinned.
 * If the kernel refuses a program, the end of the verifier's log and the kernel version that is
 * needed are in the message.
 */
int filter_load(struct filter *filter, enum pc_frame frame);
/*
 * Loads them with the flow maps of one filter, and the counters and listeners of another (`kept`).
 * Where one of them has no such map, makes new ones, of `flows` entries in all, for the caller's
 * network namespace; and with room to count what `generation` lists, which may be NULL.
 */
int filter_load_sharing(struct filter *filter, const struct filter *flows_of,
			const struct filter *kept, __u32 flows, enum pc_frame frame,
			const struct pc_generation *generation);

/*
 * Loads programs that only explain what a filter does with a packet: by BPF_PROG_TEST_RUN, of
 * FILTER_PROGRAM for incoming and FILTER_EGRESS for outgoing frames. They return the action, and
 * put the rest into the only value of FILTER_EXPLAINED (struct pc_explained), which is all that
 * they store. They read the maps of `live`: its generations, flows and fragments. NULL: they have
 * maps of their own, and the caller puts a generation in place. 0 or -errno, with a message.
 */
int filter_load_explaining(struct filter *filter, const struct filter *live, enum pc_frame frame);
/*
 * Likewise, for a replay: of `live` they read the generations, bans and grants alone. What is
 * remembered of earlier packets the caller tells with each packet (PC_TOLD_*), but for limits,
 * which the programs count in maps of their own; limits_cells makes these.
 */
int filter_load_told(struct filter *filter, const struct filter *live, enum pc_frame frame);

/*
 * Reads which header the filter's program expects at the start of a frame. 0 or -errno, as without
 * root.
 */
int filter_frame(const struct filter *filter, enum pc_frame *frame);

#endif
