/* SPDX-License-Identifier: GPL-2.0 */
/* A verdict, and the one exit that counts it. */
#ifndef PORTCULLIS_ACCOUNT_H
#define PORTCULLIS_ACCOUNT_H

#include <stdbool.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

#define barrier() asm volatile("" ::: "memory")

struct verdict {
	__u32 cell;   /* PC_CELL_*: of a drop, that of its reason, as if enforced */
	__u32 second; /* counted too, 0: none. Of a drop at a port, that of the port, as if
			 enforced; of a reply, that of the remote port if an `out` service lists it
		       */
	bool drop;
};

static __always_inline struct verdict pass_port(const struct packet *packet)
{
	return (struct verdict){.cell = PC_CELL_PASS +
					PC_PORT(packet->transport, packet->local_port)};
}

static __always_inline struct verdict pass_other(enum pc_other other)
{
	return (struct verdict){.cell = PC_CELL_OTHER + other};
}

static __always_inline struct verdict drop_reason(enum pc_reason reason)
{
	return (struct verdict){.cell = PC_CELL_REASON + reason, .drop = true};
}

static __always_inline struct verdict drop_port(const struct packet *packet, enum pc_reason reason)
{
	return (struct verdict){.cell = PC_CELL_REASON + reason,
				.second = PC_CELL_DROP +
					  PC_PORT(packet->transport, packet->local_port),
				.drop = true};
}

/* Moves full fields to `carries`. The cell shows its top bit until the sum is right again. */
static __always_inline void carry(__u64 *word, __u64 value, __u32 cell)
{
	__u64 *carried = bpf_map_lookup_elem(&carries, &cell);

	if (!carried)
		return;
	barrier();
	if (value & PC_CELL_BYTES_CARRY)
		__sync_fetch_and_add(carried, PC_CARRY_BYTES);
	if (value & PC_CELL_PACKET_CARRY)
		__sync_fetch_and_add(carried, PC_CARRY_PACKETS);
	barrier();
	*word = value & ~(PC_CELL_BYTES_CARRY | PC_CELL_PACKET_CARRY);
}

/* XDP and egress run with softirqs off: nobody else writes this CPU's row. */
static __always_inline void count(__u32 cell, __u32 length)
{
	__u32 key = bpf_get_smp_processor_id() * PC_CELLS + cell;
	__u64 *word = bpf_map_lookup_elem(&counters, &key);
	__u64 value;

	if (!word)
		return;
	value = *word + PC_CELL_PACKET + length;
	*word = value;
	if (value & (PC_CELL_BYTES_CARRY | PC_CELL_PACKET_CARRY))
		carry(word, value, cell);
}

static __always_inline void count_rare(__u32 cell, __u32 length)
{
	struct pc_count *known = bpf_map_lookup_elem(&rare, &cell);
	struct pc_count first = {.packets = 1, .bytes = length};

	if (!known) {
		if (!bpf_map_update_elem(&rare, &cell, &first, BPF_NOEXIST))
			return;
		known = bpf_map_lookup_elem(&rare, &cell); /* another CPU was faster */
		if (!known)
			return;
	}
	__sync_fetch_and_add(&known->packets, 1);
	__sync_fetch_and_add(&known->bytes, length);
}

/* A drop that would be the first: what judges for good is not in place yet. */
static __always_inline bool too_early(const struct pc_generation *generation,
				      struct verdict verdict)
{
	return verdict.drop && generation->policy == PC_POLICY_START;
}

/* Counts a verdict; returns whether the packet is to be dropped. */
static __always_inline bool account(const struct packet *packet,
				    const struct pc_generation *generation, struct verdict verdict)
{
	bool drop = verdict.drop;

	if (verdict.drop && generation->policy == PC_POLICY_OBSERVE) {
		drop = false;
		verdict.cell += PC_CELL_REASON_WOULD - PC_CELL_REASON;
		if (verdict.second) /* PC_CELL_OUT_WOULD_DROP stands as far off */
			verdict.second += PC_CELL_WOULD_DROP - PC_CELL_DROP;
	}
	if (verdict.second) {
		if (packet->egress && verdict.drop)
			count_rare(verdict.second, packet->length);
		else
			count(verdict.second, packet->length);
	}
	count(verdict.cell, packet->length);
	return drop;
}

#endif
