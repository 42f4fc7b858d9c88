/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of one filter, added up over all CPUs. */
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
	struct count cell[PC_CELLS_END]; /* indexed by PC_CELL_* */
	bool rare;			 /* a cell from PC_CELLS to PC_CELLS_ALL was counted */
	bool machines;			 /* a cell from PC_CELL_MACHINES on may have been counted */
};

struct counts {
	struct count pass, drop, would_drop;
};

/* Name and explanation of each drop reason. NULL: a reserved reason, which no program counts. */
extern const char *const reason_name[PC_REASONS];
extern const char *const reason_text[PC_REASONS];

/* The memory of a filter's counters (layout: abi_counters.h), which may be in use. */
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

/* Adds to a cell; ignores a cell that does not exist. */
void counters_add(struct counters *counters, __u32 cell, const struct pc_count *count);

/* Subtracts from a cell, at most what it has. */
void counters_subtract(struct counters *counters, __u32 cell, const struct pc_count *count);

/* Counts every packet at ingress once. Drops are the sum over all reasons except `outbound`. */
struct counts counters_total(const struct counters *counters);
/* Counts every packet at egress. */
struct counts counters_outbound_total(const struct counters *counters);
/* Counts drops and passes of a port (index: PC_PORT). */
struct counts counters_port(const struct counters *counters, __u32 port);
/* Counts a remote port at egress; its passes include replies. */
struct counts counters_out(const struct counters *counters, __u32 port);
/* Counts a tally of a machine, from 1 on (struct pc_tally), as counters_port or counters_out. */
struct counts counters_tally(const struct counters *counters, __u32 tally, bool out);
/* Counts the drops for a reason; `pass` is zero. */
struct counts counters_reason(const struct counters *counters, enum pc_reason reason);
struct count counters_other(const struct counters *counters, enum pc_other other);

#endif
