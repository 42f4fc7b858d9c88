/* SPDX-License-Identifier: GPL-2.0 */
/* Loads the programs and maps of a new filter. */
#ifndef PORTCULLIS_FILTER_LOAD_H
#define PORTCULLIS_FILTER_LOAD_H

#include "loader/filter/load_maps.h"

#define KERNEL_OLDEST "5.10"

/* A filter to load, and the result. */
struct load {
	struct loading how;
	enum pc_frame frame;
	struct filter *filter;
	int err;
	const char *failed; /* the step that failed; NULL: the kernel refused a program */
	char *log;	    /* if the kernel refused a program: the end of the verifier's log */
};

/*
 * Loads programs and maps of filters, several at a time, because the verifier takes most of the
 * time. If one fails, all are closed, and the message is about the first that failed.
 */
int filters_load(struct load *load, size_t count);

/*
 * Makes only the maps that the filters of the caller's network namespace share. `flows`: entries of
 * the flow maps together.
 */
int filter_load_shared(struct filter *filter, __u32 flows);

/*
 * Loads programs and maps, for an interface whose frames begin with this header; attaches and pins
 * nothing. If the kernel refuses a program, the message has the end of the verifier's log and the
 * kernel version that is needed.
 */
int filter_load(struct filter *filter, enum pc_frame frame);
/*
 * As filter_load, with the flow maps of one filter (`flows_of`), and the counters and listeners of
 * another (`kept`). Maps that these filters do not have are new: flow maps with `flows` entries
 * together, for the caller's network namespace; counters with room for the ports that `generation`
 * lists (NULL: none).
 */
int filter_load_sharing(struct filter *filter, const struct filter *flows_of,
			const struct filter *kept, __u32 flows, enum pc_frame frame,
			const struct pc_generation *generation);

/*
 * Loads programs that only explain what a filter does with a packet: by BPF_PROG_TEST_RUN, of
 * FILTER_PROGRAM for incoming and FILTER_EGRESS for outgoing frames. They return the action, and
 * store only the only value of FILTER_EXPLAINED (struct pc_explained). They read the generations,
 * flows and fragments of `live`. NULL: they have maps of their own, and the caller puts a
 * generation in place. 0 or -errno, with a message.
 */
int filter_load_explaining(struct filter *filter, const struct filter *live, enum pc_frame frame);
/*
 * As filter_load_explaining, for a replay: the programs read only the generations, bans and grants
 * of `live`. The caller passes the state from earlier packets with each packet (PC_TOLD_*), except
 * limits: the programs count them in cells of their own, which limits_cells makes.
 */
int filter_load_told(struct filter *filter, const struct filter *live, enum pc_frame frame);

/*
 * Reads which header the filter's program expects at the start of a frame. 0 or -errno; it fails
 * without root.
 */
int filter_frame(const struct filter *filter, enum pc_frame *frame);

#endif
