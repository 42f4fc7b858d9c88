// SPDX-License-Identifier: GPL-2.0
/* Reads and adds up counters. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "loader/counters.h"
#include "loader/util.h"

#define PENDING	 (PC_CELL_BYTES_CARRY | PC_CELL_PACKET_CARRY)
#define RETRIES	 1000  /* a carry takes nanoseconds, but its CPU may be held up by the host */
#define PAUSE_NS 50000 /* between two */

const char *const reason_name[PC_REASONS] = {
	[PC_REASON_MALFORMED] = "malformed", [PC_REASON_FRAGMENT] = "fragment",
	[PC_REASON_ICMP] = "icmp",	     [PC_REASON_SOURCE] = "source",
	[PC_REASON_PROTOCOL] = "protocol",   [PC_REASON_UNLISTED] = "unlisted",
	[PC_REASON_OUTBOUND] = "outbound",
};

static void add(struct count *to, struct count what)
{
	to->packets += what.packets;
	to->bytes += what.bytes;
}

/*
 * One cell over all CPUs. Most never counted: the memory of their sum, zero from the start, is not
 * written. False if it was just being carried: then a carry may be missing.
 */
static bool sum_cell(const volatile __u64 *rows, size_t cpus, const volatile __u64 *carry,
		     __u32 cell, struct count *sum)
{
	__u64 before = __atomic_load_n(carry, __ATOMIC_ACQUIRE), any = before;
	struct count now;
	bool still = true;
	size_t cpu;

	now.packets = (before >> 32) * (PC_CELL_PACKET_CARRY >> PC_CELL_BYTES_BITS);
	now.bytes = (before & 0xffffffff) * PC_CELL_BYTES_CARRY;
	for (cpu = 0; cpu < cpus; cpu++) {
		__u64 word = __atomic_load_n(&rows[cpu * PC_CELLS + cell], __ATOMIC_ACQUIRE);

		still = still && !(word & PENDING);
		now.packets += word >> PC_CELL_BYTES_BITS;
		now.bytes += word & (PC_CELL_PACKET - 1);
		any |= word;
	}
	if (any || sum->packets)
		*sum = now;
	return still && __atomic_load_n(carry, __ATOMIC_ACQUIRE) == before;
}

void counters_sum(const volatile __u64 *rows, size_t cpus, const volatile __u64 *carries,
		  struct counters *counters)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	__u32 cell;
	int i;

	for (cell = 0; cell < PC_CELLS; cell++)
		for (i = 0; i < RETRIES; i++) {
			if (sum_cell(rows, cpus, &carries[cell], cell, &counters->cell[cell]))
				break;
			nanosleep(&pause, NULL);
		}
}

int counters_read(int counters_map, int carries_map, struct counters *counters)
{
	int cpus = libbpf_num_possible_cpus();
	size_t size = sizeof(__u64) * PC_CELLS;
	void *rows, *carries;
	int err = 0;

	if (cpus < 1)
		return -EINVAL;
	rows = mmap(NULL, size * cpus, PROT_READ, MAP_SHARED | MAP_POPULATE, counters_map, 0);
	if (rows == MAP_FAILED)
		return -errno;
	carries = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, carries_map, 0);
	if (carries == MAP_FAILED) {
		err = -errno;
	} else {
		counters_sum(rows, cpus, carries, counters);
		munmap(carries, size);
	}
	munmap(rows, size * cpus);
	return err;
}

void counters_rare(struct counters *counters, __u32 cell, const struct pc_count *count)
{
	if (cell < PC_CELLS || cell >= PC_CELLS_ALL)
		return;
	counters->cell[cell] = (struct count){count->packets, count->bytes};
	counters->rare = true;
}

struct counts counters_port(const struct counters *counters, __u32 port)
{
	return (struct counts){
		.pass = counters->cell[PC_CELL_PASS + port],
		.drop = counters->cell[PC_CELL_DROP + port],
		.would_drop = counters->cell[PC_CELL_WOULD_DROP + port],
	};
}

/* The memory of rare cells is not even read if there are none. */
struct counts counters_out(const struct counters *counters, __u32 port)
{
	struct counts counts = {.pass = counters->cell[PC_CELL_OUT + port]};

	if (counters->rare) {
		counts.drop = counters->cell[PC_CELL_OUT_DROP + port];
		counts.would_drop = counters->cell[PC_CELL_OUT_WOULD_DROP + port];
	}
	return counts;
}

struct counts counters_reason(const struct counters *counters, enum pc_reason reason)
{
	return (struct counts){
		.drop = counters->cell[PC_CELL_REASON + reason],
		.would_drop = counters->cell[PC_CELL_REASON_WOULD + reason],
	};
}

struct count counters_other(const struct counters *counters, enum pc_other other)
{
	return counters->cell[PC_CELL_OTHER + other];
}

struct counts counters_total(const struct counters *counters)
{
	struct counts total = {};
	__u32 port;
	int i;

	for (port = 0; port < PC_PORTS; port++)
		add(&total.pass, counters->cell[PC_CELL_PASS + port]);
	for (i = 0; i < PC_OTHERS; i++)
		add(&total.pass, counters_other(counters, i));
	for (i = 0; i < PC_REASONS; i++) {
		struct counts reason = counters_reason(counters, i);

		if (i == PC_REASON_OUTBOUND)
			continue;
		add(&total.drop, reason.drop);
		add(&total.would_drop, reason.would_drop);
	}
	return total;
}

struct counts counters_outbound_total(const struct counters *counters)
{
	struct counts total = counters_reason(counters, PC_REASON_OUTBOUND);

	total.pass = counters->cell[PC_CELL_EGRESS];
	return total;
}
