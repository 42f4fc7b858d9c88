/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of one filter, added up over the CPUs. */
#ifndef PORTCULLIS_COUNTERS_H
#define PORTCULLIS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/abi.h"

struct count {
	__u64 packets;
	__u64 bytes; /* whole frames, Ethernet header included */
};

struct counters {
	struct count cell[PC_CELLS_ALL]; /* by PC_CELL_* */
	bool rare;			 /* one from PC_CELLS on was counted */
};

struct counts {
	struct count pass, drop, would_drop;
};

extern const char *const reason_name[PC_REASONS];

/*
 * Adds up `cpus` rows of PC_CELLS cells and the carried parts (layout: abi.h). Both may be live: a
 * cell that is just being carried is read again until it stands still.
 */
void counters_sum(const volatile __u64 *rows, size_t cpus, const volatile __u64 *carries,
		  struct counters *counters);

/* Reads the maps of a filter by mmap. Returns 0 or -errno. */
int counters_read(int counters_map, int carries_map, struct counters *counters);

/* Takes up one entry of the map `rare`; a cell that does not belong there is left out. */
void counters_rare(struct counters *counters, __u32 cell, const struct pc_count *count);

/* Every packet seen at ingress, once: the drops are the sum over the reasons but `outbound`. */
struct counts counters_total(const struct counters *counters);
/* Every packet seen at egress. */
struct counts counters_outbound_total(const struct counters *counters);
/* Drops of a port (index: PC_PORT), passes too. */
struct counts counters_port(const struct counters *counters, __u32 port);
/* The same of a remote port at egress; its passes count the replies as well. */
struct counts counters_out(const struct counters *counters, __u32 port);
/* Drops for a reason; `pass` is zero. */
struct counts counters_reason(const struct counters *counters, enum pc_reason reason);
struct count counters_other(const struct counters *counters, enum pc_other other);

#endif
