/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of one generation, as the compiler makes them. */
#ifndef PORTCULLIS_COMPILE_TABLES_H
#define PORTCULLIS_COMPILE_TABLES_H

#include <stddef.h>

#include "bpf/abi.h"

/* Prefixes as the compiler sorts them, a family apart: `length` counts bits of the address only. */
struct trie4_key {
	__u32 length;
	__u8 address[4];
};

struct trie6_key {
	__u32 length;
	__u8 address[16];
};

/* An entry of a trie: groups of the longest prefix, those of every prefix around it included. */
struct trie4_entry {
	struct trie4_key key;
	__u64 groups;
};

struct trie6_entry {
	struct trie6_key key;
	__u32 pad;
	__u64 groups;
};

struct tables {
	/* Zero but for policy, outbound, forward, echo_interval, protocol, tries_digest, rule,
	 * span, port, out. Who takes a filter over, sets its number and attached_at, too. */
	struct pc_generation *generation;
	struct trie4_entry *trie4; /* sorted, each key once */
	size_t tries4;
	struct trie6_entry *trie6;
	size_t tries6;
};

void tables_free(struct tables *tables);

#endif
