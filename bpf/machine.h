/* SPDX-License-Identifier: GPL-2.0 */
/* Machines behind this host: finds the machine of a packet, and what its recipe says. */
#ifndef PORTCULLIS_MACHINE_H
#define PORTCULLIS_MACHINE_H

#include <stdbool.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

/* The generation in a slot, or NULL. */
static __always_inline const struct pc_generation *generation_in(__u32 slot)
{
	void *map = bpf_map_lookup_elem(&generations, &slot);

	return map ? only_of(map) : NULL;
}

/* The active generation, or NULL. The clock is slow: it is read only if there is a deadline. */
static __always_inline const struct pc_generation *generation_current(void)
{
	const struct pc_generation *generation = generation_in(0);
	__u64 deadline;

	if (!generation)
		return NULL;
	/* Read it once: `confirm` may store 0, which a second read would take for a deadline in the
	 * past. */
	deadline = *(const volatile __u64 *)&generation->deadline;
	if (deadline && bpf_ktime_get_boot_ns() >= deadline)
		return generation_in(generation->fallback);
	return generation;
}

/* The machine of an address, in one generation. */
struct machine_found {
	__u64 place : 32;      /* 1 + its index in pc_generation.machine; 0: this host */
	__u64 generation : 32; /* the lower half of the generation's number */
};

static __always_inline __u64 machine_found_pack(const struct pc_generation *generation, __u32 place)
{
	struct machine_found found = {.place = place, .generation = generation->number};

	return bits_as(__u64, found);
}

static __always_inline struct machine_found machine_found_unpack(__u64 word)
{
	return bits_as(struct machine_found, word);
}

/*
 * Finds the longest prefix of the active generation that has an address: machine_found. The mask of
 * a shorter prefix is a part of that of a longer one. A global function, so that the verifier
 * checks it once.
 */
__noinline __u64 machine_find(__u64 first, __u64 second, __u32 ipv6)
{
	const struct pc_generation *generation = generation_current();
	int i;

	if (!generation)
		return 0;
	ipv6 = bounded(ipv6, 1);
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LENGTHS; i++) {
		const struct pc_length *length = &generation->length[ipv6][i];
		const struct pc_machine *machine;
		__u32 displace, place;
		__u64 hash;

		if (!length->kind)
			break;
		first &= length->mask[0];
		second &= length->mask[1];
		hash = pc_machine_hash(first, second, generation->machines_factor, length->salt);
		displace = generation->displace[bounded(PC_MACHINE_BUCKET(hash),
							PC_MACHINE_BUCKETS - 1)];
		place = bounded(PC_MACHINE_PLACE(hash, displace), PC_MACHINES - 1);
		machine = &generation->machine[place];
		/* One branch only, because the verifier would follow both sides of each. */
		if (!((machine->address[0] ^ first) | (machine->address[1] ^ second) |
		      (machine->kind ^ length->kind)))
			/* Class 0: an address of this host inside a machine's prefix. */
			return machine_found_pack(generation, machine->class ? place + 1 : 0);
	}
	return machine_found_pack(generation, 0);
}

/*
 * The first tally of the machine that has an address by the active generation. 0: no machine, or it
 * has no tallies.
 */
__noinline __u32 machine_first_tally(__u64 first, __u64 second, __u32 ipv6)
{
	struct machine_found found = machine_found_unpack(machine_find(first, second, ipv6));
	const struct pc_generation *generation = generation_current();

	if (!generation || !found.place || found.generation != (__u32)generation->number)
		return 0;
	return generation->machine[bounded(found.place - 1, PC_MACHINES - 1)].tallies;
}

/*
 * machine_find for the packet whose IP header is at `ip`. Global functions, so that the verifier
 * does not follow their callers for each address family.
 */
__noinline __u64 machine_of(struct xdp_md *ctx, __u32 ip, __u32 ipv6)
{
	struct packet packet = {.ctx = ctx, .ip = ip, .ipv6 = ipv6};
	struct address local = packet_address(&packet, false);

	return machine_find(local.first, local.second, ipv6);
}

__noinline __u64 machine_of_egress(struct __sk_buff *skb, __u32 ip, __u32 ipv6)
{
	struct packet packet = {.ctx = skb, .ip = ip, .ipv6 = ipv6, .egress = true};
	struct address local = packet_address(&packet, true);

	return machine_find(local.first, local.second, ipv6);
}

/* Finds the machine of a packet with a whole IP header. */
static __always_inline struct machine_found packet_find_machine(const struct packet *packet)
{
	return machine_found_unpack(
		packet->egress ? machine_of_egress(packet->ctx, packet->ip, packet->ipv6) :
				 machine_of(packet->ctx, packet->ip, packet->ipv6));
}

/* packet_find_machine for the first pass. If a read failed, which does not happen, the result is
 * this host. */
static __always_inline struct machine_found packet_find_machine_linear(const struct packet *packet)
{
	struct address local;

	if (!packet_address_linear(packet, false, &local))
		return (struct machine_found){};
	return machine_found_unpack(machine_find(local.first, local.second, packet->ipv6));
}

/* Sets the machine of a packet, from its index in the table. */
static __always_inline void
packet_place_machine(struct packet *packet, const struct pc_generation *generation, __u32 place)
{
	const struct pc_machine *machine =
		&generation->machine[bounded(place - 1, PC_MACHINES - 1)];

	packet->machine = machine_pack(machine->class, machine->tallies);
}

/*
 * Sets the machine of a packet with a whole IP header; class 0: this host. Returns the generation
 * that decides the packet, or NULL. After a swap in between it is the newer one, so that one
 * generation alone decides.
 */
static __always_inline const struct pc_generation *
packet_set_machine(struct packet *packet, const struct pc_generation *generation)
{
	struct machine_found found;

	if (!generation->machines)
		return generation;
	found = packet_find_machine(packet);
	if (found.generation != (__u32)generation->number) {
		generation = generation_current();
		if (!generation || found.generation != (__u32)generation->number)
			return generation;
	}
	if (found.place)
		packet_place_machine(packet, generation, found.place);
	return generation;
}

/* The class of a packet that has one. */
static __always_inline const struct pc_class *class_of(const struct packet *packet,
						       const struct pc_generation *generation)
{
	return &generation->class[bounded(packet_class(packet) - 1, PC_CLASSES - 1)];
}

/* A port of the class: `way` 0 is a local port, 1 a remote one. */
static __always_inline const struct pc_class_port *
class_port(const struct packet *packet, const struct pc_generation *generation, int way, __u32 port)
{
	__u32 page = class_of(packet, generation)
			     ->page[way][bounded(port / PC_CLASS_PAGE_PORTS,
						 PC_PORTS / PC_CLASS_PAGE_PORTS - 1)];

	return &generation->class_page[bounded(page, PC_CLASS_PAGES - 1)]
			.port[bounded(port, PC_CLASS_PAGE_PORTS - 1)];
}

/* The rule `protocol`: whether a profile names the IP protocol of the packet. */
static __always_inline bool protocol_named(const struct packet *packet,
					   const struct pc_generation *generation)
{
	return packet->behind ?
		       class_of(packet, generation)->protocol[bounded(packet->protocol, 255)] :
		       generation->protocol[bounded(packet->protocol, 255)];
}

/* Whether `out` services are enforced for the sender. */
static __always_inline bool outbound_enforced(const struct packet *packet,
					      const struct pc_generation *generation)
{
	return (packet->behind ? class_of(packet, generation)->outbound : generation->outbound) !=
	       PC_OUTBOUND_TRACK;
}

/* Whether a drop passes. A stand-in lets everything pass. */
static __always_inline bool is_observing(const struct packet *packet,
					 const struct pc_generation *generation)
{
	return (packet->behind && !generation->stand_in ? class_of(packet, generation)->policy :
							  generation->policy) != PC_POLICY_ENFORCE;
}

#endif
