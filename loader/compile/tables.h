/* SPDX-License-Identifier: GPL-2.0 */
/* The tables of one generation, as the compiler makes them. */
#ifndef PORTCULLIS_COMPILE_TABLES_H
#define PORTCULLIS_COMPILE_TABLES_H

#include <stddef.h>

#include "bpf/abi.h"
#include "loader/compile/machine_table.h"

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
	struct pc_groups groups;
};

struct trie6_entry {
	struct trie6_key key;
	__u32 pad;
	struct pc_groups groups;
};

/* The tallies of each machine of a class; their `machine` is not set. */
struct class_tallies {
	struct pc_tally *tally;
	size_t count;
};

/* A machine behind this host. */
struct table_machine {
	char *name;
	__u16 class;
	size_t prefix, prefixes; /* its first one in tables.prefix, and how many */
};

struct tables {
	/* Zero but for policy, outbound, forward, echo_interval, protocol, tries_digest, rule,
	 * span, port, out, and what it has of machines. Who takes a filter over, sets its number
	 * and attached_at, too. */
	struct pc_generation *generation;
	struct trie4_entry *trie4; /* sorted, each key once */
	size_t tries4;
	struct trie6_entry *trie6;
	size_t tries6;
	struct table_machine *machine; /* as in the recipe */
	size_t machines;
	struct machine_prefix *prefix;
	size_t prefixes;
	/* Addresses that this host had before a boot, and may get again. */
	struct prefix *own;
	size_t owns;
	struct class_tallies tallies[PC_CLASSES]; /* of class n: [n - 1] */
};

void tables_free(struct tables *tables);

#endif
