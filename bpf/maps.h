/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of one filter, and the constants that the loader sets before it loads the program. */
#ifndef PORTCULLIS_MAPS_H
#define PORTCULLIS_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

/* Kernel 5.18 and newer: frames in several buffers, and the helpers that read them. */
const volatile __u8 have_frags = 0;
/* Kernel 5.11 and newer: bpf_ktime_get_coarse_ns, a sixth of the other clock's cost. */
const volatile __u8 have_coarse = 0;
/* Kernels with IPsec: bpf_skb_get_xfrm_state. */
const volatile __u8 have_xfrm = 0;
/* The header that the interface's frames begin with: enum pc_frame. */
const volatile __u8 frame_kind = PC_FRAME_ETHERNET;

/*
 * Inner maps are given by size: clang 14 leaves the struct out of the BTF when only they name it.
 */
struct generation_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pc_generation));
};

/*
 * Slot 0 is active, until its deadline if it has one; then the slot that it names is. One update of
 * it switches a packet's whole world.
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
	__uint(value_size, sizeof(__u64));
};

/* Group prefixes of both families, by the slot that a generation's header names. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PC_SLOTS);
	__type(key, __u32);
	__array(values, struct trie_map);
} tries SEC(".maps");

/*
 * --- counters: abi.h has where each cell is; the loader sets the sizes ---
 */

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

/* By index of the total. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PC_CARRIES);
	__type(key, __u32);
	__type(value, struct pc_count);
} carries SEC(".maps");

/* Held while a total is flushed: two CPUs that see it full must not both do it. */
struct carry_lock {
	struct bpf_spin_lock lock;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct carry_lock);
} carry_lock SEC(".maps");

/* By cell. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, PC_RARE_SIZE);
	__type(key, __u32);
	__type(value, struct pc_count);
} rare SEC(".maps");

struct pc_filter filter SEC(".data.filter");

/* --- one of each in a network namespace: an answer may come in by another interface --- */

/* Flows of all protocols that are not assured (abi.h). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_FLOWS_REST(PC_FLOWS));
	__type(key, struct pc_flow);
	__type(value, struct pc_flow_state);
} flows SEC(".maps");

/* Tuples that an open UDP port answered in a large datagram, and when (abi.h). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_LARGES);
	__type(key, struct pc_flow);
	__type(value, __u64);
} large SEC(".maps");

/* Assured TCP. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_FLOWS_CONNECTIONS(PC_FLOWS));
	__type(key, struct pc_flow);
	__type(value, struct pc_flow_state);
} connections SEC(".maps");

/* Assured UDP. */
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

/* Routes that hash by ports, and bonds, let the fragments of one datagram come by several. */
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

/* --- of this interface --- */

/* When a CPU would next admit an echo request, were they evenly spaced (CLOCK_MONOTONIC ns). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} echo SEC(".maps");

/*
 * `value & mask` that the compiler must not leave out. It knows that a byte-swapped port is below
 * 65,536; the verifiers of 5.10, 6.1 and 6.12 do not, and refuse the load.
 */
#define bounded(value, mask)                                                \
	({                                                                  \
		__u64 bounded_value = (value);                              \
		asm volatile("%0 &= %1" : "+r"(bounded_value) : "i"(mask)); \
		bounded_value;                                              \
	})

/*
 * The bits of a value as another type of its size. Global functions take and return scalars, older
 * verifiers take nothing else: they are told of several things by a struct of bit fields.
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

static __always_inline __u64 now(void)
{
	return have_coarse ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns();
}

#endif
