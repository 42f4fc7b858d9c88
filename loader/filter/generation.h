/* SPDX-License-Identifier: GPL-2.0 */
/* Makes a generation beside the active one, and switches to it with one update. */
#ifndef PORTCULLIS_FILTER_GENERATION_H
#define PORTCULLIS_FILTER_GENERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/compile/tables.h"
#include "loader/filter/filter.h"

/*
 * Changes filters in steps, so that several interfaces change together or not at all:
 *
 *	filter_prepare	builds the maps of the next generation, and pins them if the filter is
 *			pinned; most errors happen here
 *	filters_seed	enters live connections into the flow maps: the old generations admitted
 *			them by their ports, and so the programs did not learn them. It takes long
 *			on a busy host
 *	filter_commit	the switch: one update of `generations`; each packet sees the old generation
 *			or the new one
 *	filter_finish	waits until no packet uses the old generation, and frees it
 *	filter_undo	before finish: back to the old generation, also after commit
 *
 * The caller gives tables and recipe; generation number and times are set here. `batch` is the same
 * for all interfaces of a command: by it the next command tells whether an interrupted one had
 * begun to switch.
 *
 * With `confirm` the change is pending: unless it is confirmed, the active generation comes back.
 * The deadline is set by filter_arm. A change during a pending one keeps the fallback, and
 * without `confirm` the deadline too.
 */
int filter_prepare(struct filter *filter, const struct tables *tables, const char *recipe,
		   __u64 batch, bool confirm);
void filters_seed(const struct filter *const *filter, size_t count);
int filter_commit(struct filter *filter);
void filter_finish(struct filter *filter);
void filter_undo(struct filter *filter);

/*
 * Waits until no CPU runs a BPF program, even a replaced one, on a packet that came before the
 * call. 0 or -errno.
 */
int filter_await_packets(const struct filter *filter);

/* All steps except filters_seed, for one interface. */
int filter_switch(struct filter *filter, const struct tables *tables, const char *recipe,
		  bool confirm);

/* Sets the deadline (clock_boot) of the prepared generation; only with `confirm`. 0, or -errno with
 * a message. */
int filter_arm(struct filter *filter, __u64 deadline);

#endif
