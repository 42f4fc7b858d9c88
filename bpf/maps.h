/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of a filter, the constants that the loader sets before loading, and small helpers. */
#ifndef PORTCULLIS_MAPS_H
#define PORTCULLIS_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

/* 1 from Linux 5.18 on: a frame may have several buffers, and helpers read them. */
const volatile __u8 have_frags = 0;
/* 1 from Linux 5.11 on: bpf_ktime_get_coarse_ns, at a sixth of the cost of bpf_ktime_get_ns. */
const volatile __u8 have_coarse = 0;
/* 1 if the kernel has IPsec: bpf_skb_get_xfrm_state. */
const volatile __u8 have_xfrm = 0;
/* enum pc_frame: the header with which frames of the interface begin. */
const volatile __u8 frame_kind = PC_FRAME_ETHERNET;

/*
 * 1: the programs only explain what they would do with a packet. They store only `explained`, so
 * that they can use a live filter's maps. is_explaining tests it where the test costs the usual
 * packet nothing.
 */
const volatile __u8 explains = 0;
/*
 * 1, with `explains`: the packets are those of a capture. The caller supplies the time, and the
 * state of earlier packets (PC_TOLD_*). Limits are counted, in cells of the replay's own.
 */
const volatile __u8 replays = 0;

/* It has sizes and no types, because clang 14 leaves a type out of BTF if only an inner map uses
 * it. */
struct generation_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pc_generation));
};

/*
 * Slot 0 has the active generation. Past its deadline, the slot that it names as its fallback is
 * active. One update of slot 0 switches all rules.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PC_SLOTS);
	__type(key, __u32);
	__array(values, struct generation_map);
} generations SEC(".maps");

struct trie_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct pc_key));
	__uint(value_size, sizeof(struct pc_groups));
};

/* Group prefixes of both address families. A generation names its slot in `tries_slot`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PC_SLOTS);
	__type(key, __u32);
	__array(values, struct trie_map);
} tries SEC(".maps");

/* --- counters: abi_counters.h tells the place of each cell; the loader sets max_entries --- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_page);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_page);
} totals SEC(".maps");

/* The full fields of totals and wide words, flushed, by index of the total. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PC_CARRIES);
	__type(key, __u32);
	__type(value, struct pc_count);
} carries SEC(".maps");

/*
 * A CPU has the lock while it flushes a total, so that of several CPUs that see it full only one
 * does.
 */
struct carry_lock {
	struct bpf_spin_lock lock;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct carry_lock);
} carry_lock SEC(".maps");

/* Counts of cells that have no word, by cell. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PC_RARE_SIZE);
	__type(key, __u32);
	__type(value, struct pc_count);
} rare SEC(".maps");

struct pc_filter filter SEC(".data.filter");

/* --- drops (abi_drops.h) and listeners (abi_events.h) --- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PC_DROP_BUCKETS);
	__type(key, __u32);
	__type(value, struct pc_drop_bucket);
} drops SEC(".maps");

struct pc_listener listeners[PC_LISTENERS] SEC(".data.listeners");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_heard_cpu);
} heard SEC(".maps");

/* The buffers of the listeners. The loader sets max_entries. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, PC_LISTENERS);
	__type(key, __u32);
	__type(value, __u32);
} events SEC(".maps");

struct pc_explained explained SEC(".data.explained");

/*
 * --- shared by the filters of a network namespace, because an answer may come in by another
 * interface than the one that sent the question; abi_flows.h describes the values ---
 */

/* Flows of all protocols that are not assured. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_FLOWS_REST(PC_FLOWS));
	__type(key, struct pc_flow);
	__type(value, struct pc_flow_state);
} flows SEC(".maps");

/* CLOCK_MONOTONIC ns when an open UDP port last sent a large datagram, by tuple. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_LARGES);
	__type(key, struct pc_flow);
	__type(value, __u64);
} large SEC(".maps");

/* Assured TCP connections. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_FLOWS_CONNECTIONS(PC_FLOWS));
	__type(key, struct pc_flow);
	__type(value, struct pc_flow_state);
} connections SEC(".maps");

/* Assured UDP streams. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_FLOWS_STREAMS(PC_FLOWS));
	__type(key, struct pc_flow);
	__type(value, struct pc_flow_state);
} streams SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_came_in);
} came_in SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_learned);
} learned SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_marks);
} marks SEC(".maps");

/* Shared, because fragments of one datagram may come by several interfaces: with a bond, or with
 * hashed routes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_FRAGMENTS);
	__type(key, struct pc_fragment);
	__type(value, struct pc_fragment_state);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_shared);
} shared SEC(".maps");

/* Have sizes, not types, as generation_map. */
struct bans_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pc_bans));
};

/* Slot 0 has the table of bans, if there are bans (abi_bans.h). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct bans_map);
} bans SEC(".maps");

struct ban_chunk_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pc_ban_chunk));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PC_BAN_SLOTS);
	__type(key, __u32);
	__array(values, struct ban_chunk_map);
} ban_chunks SEC(".maps");

struct grant_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct pc_grant_key));
	__uint(value_size, sizeof(__u32));
};

/* Only the loader writes it (abi_grants.h). No inner map: no grants. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct grant_map);
} grants SEC(".maps");

/* --- maps of one filter --- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pc_limiter);
} limiter SEC(".maps");

struct limit_cells_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PC_LIMIT_ALL);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u64));
};

/* Slot 0 has the cells of limits, once a generation has limits (abi_limits.h). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct limit_cells_map);
} limit_cells SEC(".maps");

/* CLOCK_MONOTONIC ns from which on a CPU admits another echo request, at the average rate. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} echo SEC(".maps");

/* Keeps the compiler from moving loads and stores across it. */
#define barrier() asm volatile("" ::: "memory")

/*
 * `value & mask` that the compiler cannot drop. The compiler knows that a byte-swapped port is
 * below 65,536 and would drop the mask; the verifiers of 5.10, 6.1 and 6.12 do not know it, and
 * refuse the load.
 */
#define bounded(value, mask)                                                \
	({                                                                  \
		__u64 bounded_value = (value);                              \
		asm volatile("%0 &= %1" : "+r"(bounded_value) : "i"(mask)); \
		bounded_value;                                              \
	})

/*
 * Returns `value`, and makes the verifier forget its facts about it. The verifier follows states
 * that differ in known facts separately; where code paths meet, this makes one state of them. `any`
 * is a 32-bit value about which it knows nothing.
 */
#define forgotten(value, any)                                                 \
	({                                                                    \
		__u64 forgotten_value = (value), forgotten_any = (any);       \
		asm("%0 ^= %1" : "+r"(forgotten_value) : "r"(forgotten_any)); \
		asm("%0 ^= %1" : "+r"(forgotten_value) : "r"(forgotten_any)); \
		forgotten_value;                                              \
	})

/* A value about which the compiler knows nothing, so that it makes no branches of arithmetic with
 * it. */
#define opaque(value)                                  \
	({                                             \
		__u64 opaque_value = (value);          \
		asm volatile("" : "+r"(opaque_value)); \
		opaque_value;                          \
	})

/*
 * A copy of a value: a test of the copy teaches the verifier nothing about the value, so that it
 * does not follow two states. The copy is made by an operation, because the verifier knows that
 * plain copies are equal.
 */
#define blind(value)                                         \
	({                                                   \
		__u64 blind_value = (value);                 \
		asm volatile("%0 ^= 0" : "+r"(blind_value)); \
		blind_value;                                 \
	})

/*
 * The bits of a value as another type of equal size. Global functions take and return only scalars
 * on older kernels, so a struct of bit fields is passed as a word: X_pack and X_unpack.
 */
#define bits_as(type, value)                                                   \
	({                                                                     \
		union {                                                        \
			typeof(value) bits_from;                               \
			type bits_to;                                          \
		} bits = {.bits_from = (value)};                               \
		_Static_assert(sizeof(type) == sizeof(bits.bits_from), #type); \
		bits.bits_to;                                                  \
	})

/*
 * The only value of a map. The key has eight bytes, because a store of four bytes keeps the other
 * half of the stack slot, which makes the verifier follow more states.
 */
static __always_inline void *only_of(void *map)
{
	__u64 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

/*
 * The first page of this CPU's row. XDP and egress run with softirqs off, so no other program
 * writes there meanwhile. No kernel has more than PC_CPUS ids.
 */
static __always_inline __u32 own_row(void)
{
	return filter.row[bounded(bpf_get_smp_processor_id(), PC_CPUS - 1)];
}

/* CLOCK_MONOTONIC ns, of the coarse clock where there is one. */
static __always_inline __u64 now(void)
{
	return have_coarse ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();
}

/* The memory of this CPU. No other program uses it meanwhile: XDP and egress have softirqs off. */
static __always_inline struct pc_heard_cpu *heard_own(void)
{
	return only_of(&heard);
}

/* The memory in which an event is made. */
static __always_inline struct pc_event *event_place(void)
{
	/* The event comes first: Linux 6.1 does not add an offset to a pointer that may be NULL. */
	return explains ? &explained.event : (struct pc_event *)heard_own();
}
_Static_assert(!offsetof(struct pc_heard_cpu, event), "event_place");

#endif
