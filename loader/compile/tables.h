/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of one generation, as the compiler makes them. */
#ifndef PORTCULLIS_COMPILE_TABLES_H
#define PORTCULLIS_COMPILE_TABLES_H

#include <stddef.h>

#include "bpf/abi.h"
#include "loader/compile/machine_table.h"

/* Keys in the compiler's order, one type for each family. `length` counts bits of the address
 * only. */
struct trie4_key {
	__u32 length;
	__u8 address[4];
};

struct trie6_key {
	__u32 length;
	__u8 address[16];
};

/* An entry of a trie: the groups of the longest prefix and of every prefix that contains it. */
struct trie4_entry {
	struct trie4_key key;
	struct pc_groups groups;
};

struct trie6_entry {
	struct trie6_key key;
	__u32 pad;
	struct pc_groups groups;
};

/* The tallies of each machine of a class; `machine` is not set in them. */
struct class_tallies {
	struct pc_tally *tally;
	size_t count;
};

/* A machine behind this host. */
struct table_machine {
	char *name;
	__u16 class;
	/* index of its first prefix in tables.prefix, and number of prefixes */
	size_t prefix, prefixes;
};

struct tables {
	/* Set are policy, outbound, forward, echo_interval, protocol, tries_digest, rule, span,
	 * port, out, and the fields about machines. The rest is zero. A takeover sets number and
	 * attached_at, too. */
	struct pc_generation *generation;
	struct trie4_entry *trie4; /* sorted, each key once */
	size_t tries4;
	struct trie6_entry *trie6;
	size_t tries6;
	struct table_machine *machine; /* in the order of the recipe */
	size_t machines;
	struct machine_prefix *prefix;
	size_t prefixes;
	/* Addresses that this host had before a boot, and may get again. */
	struct prefix *own;
	size_t owns;
	struct class_tallies tallies[PC_CLASSES]; /* tallies of class n at [n - 1] */
};

void tables_free(struct tables *tables);

#endif
