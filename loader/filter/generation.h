/* SPDX-License-Identifier: GPL-2.0 */
/* The generation of a filter: made beside the one that judges, then switched to in one update. */
#ifndef PORTCULLIS_FILTER_GENERATION_H
#define PORTCULLIS_FILTER_GENERATION_H

#include <stdbool.h>

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"

/*
 * A new generation is put in place in steps, so that several interfaces change together or not at
 * all:
 *
 *	filter_prepare	builds its maps beside the old ones and pins them if the filter is pinned;
 *			whatever can fail mostly fails here
 *	filter_commit	the switch: one update of `generations`; a packet sees the old one or the
 *			new one
 *	filter_finish	frees the old one
 *	filter_undo	before finish: back to the old one, also after commit
 *
 * `policy`, tables and recipe are the caller's; number and times are set here. `batch` is the same
 * for all interfaces of one command, by which the next command knows what a killed one left half
 * done.
 *
 * With `confirm` it is to be confirmed, else the one that judges now comes back. The time for that
 * begins with filter_arm. While one waits to be confirmed, the next one keeps its fallback, and
 * without `confirm` its deadline too.
 */
int filter_prepare(struct filter *filter, const struct tables *tables, const char *recipe,
		   __u64 batch, bool confirm);
int filter_commit(struct filter *filter);
void filter_finish(struct filter *filter);
void filter_undo(struct filter *filter);

/*
 * Waits until every packet that was being judged is through, also by a program that has just been
 * replaced. 0 or -errno.
 */
int filter_await_packets(const struct filter *filter);

/* All steps at once, for one interface. */
int filter_switch(struct filter *filter, const struct tables *tables, const char *recipe,
		  bool confirm);

/*
 * Sets the deadline (clock_boot) of the next generation, if it is to be confirmed. 0, or -errno
 * with a message.
 */
int filter_arm(struct filter *filter, __u64 deadline);

#endif
