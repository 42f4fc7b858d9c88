/* SPDX-License-Identifier: GPL-2.0 */
/* The maps of one filter, and the constants that the loader sets before it loads the program. */
#ifndef PORTCULLIS_MAPS_H
#define PORTCULLIS_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

/* Kernel 5.18 and newer: frames in several buffers, and the helpers that read them. */
const volatile __u8 have_frags = 0;

/*
 * Inner maps are given by size: clang 14 leaves the struct out of the BTF when only they name it.
 */
struct generation_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct pc_generation));
};

/* Slot 0 judges. One update of it switches a packet's whole world; the others are for fallbacks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PC_SLOTS);
	__type(key, __u32);
	__array(values, struct generation_map);
} generations SEC(".maps");

struct trie_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
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

/* A row of cells a CPU (abi.h); the loader sets the size to the possible CPUs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PC_CELLS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PC_CELLS);
	__type(key, __u32);
	__type(value, __u64);
} carries SEC(".maps");

#endif
