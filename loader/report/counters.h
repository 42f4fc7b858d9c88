/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of one filter, added up over the CPUs. */
#ifndef PORTCULLIS_REPORT_COUNTERS_H
#define PORTCULLIS_REPORT_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"

struct count {
	__u64 packets;
	__u64 bytes; /* whole frames, Ethernet header included */
};

struct counters {
	struct count cell[PC_CELLS_END]; /* by PC_CELL_* */
	bool rare;			 /* one from PC_CELLS to PC_CELLS_ALL was counted */
	bool machines;			 /* one from PC_CELL_MACHINES on may have been */
};

struct counts {
	struct count pass, drop, would_drop;
};

/* Name and explanation of each reason of a drop. NULL: reserved, no program counts it. */
extern const char *const reason_name[PC_REASONS];
extern const char *const reason_text[PC_REASONS];

/* The memory of a filter's counters (layout: abi_counters.h), which may be live. */
struct counter_maps {
	const struct pc_filter *filter;
	const struct pc_page *rows;   /* the whole map `counters` */
	const struct pc_page *totals; /* the whole map `totals` */
};

/*
 * Sets `counters` to the sums over rows and totals. A cell that the program is flushing is read
 * again until it is stable. The caller adds the entries of `carries`.
 */
void counters_sum(const struct counter_maps *maps, struct counters *counters);

/* The cell of a total, by its index; PC_CELLS_END: it has none. */
__u32 counters_total_cell(const struct pc_filter *filter, __u32 index);

/* Adds to a cell; one that does not exist is left out. */
void counters_add(struct counters *counters, __u32 cell, const struct pc_count *count);

/* Takes from a cell; never more than it has. */
void counters_subtract(struct counters *counters, __u32 cell, const struct pc_count *count);

/* Every packet seen at ingress, once: the drops are the sum over the reasons but `outbound`. */
struct counts counters_total(const struct counters *counters);
/* Every packet seen at egress. */
struct counts counters_outbound_total(const struct counters *counters);
/* Drops of a port (index: PC_PORT), passes too. */
struct counts counters_port(const struct counters *counters, __u32 port);
/* Counts of a remote port at egress; its passes include the replies. */
struct counts counters_out(const struct counters *counters, __u32 port);
/* Counts of a tally of a machine, from 1 on (struct pc_tally), as counters_port or counters_out. */
struct counts counters_tally(const struct counters *counters, __u32 tally, bool out);
/* Drops for a reason; `pass` is zero. */
struct counts counters_reason(const struct counters *counters, enum pc_reason reason);
struct count counters_other(const struct counters *counters, enum pc_other other);

#endif
