/* SPDX-License-Identifier: GPL-2.0 */
/* A composition compiled into the tables of one generation. Pure: no BPF, no privilege. */
#ifndef PORTCULLIS_COMPILE_H
#define PORTCULLIS_COMPILE_H

#include "bpf/abi.h"
#include "loader/compose.h"

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

/*
 * Compiles every open service: `in` into port, `out` into out, with common rules and spans. Only
 * groups that some open service needs take a bit and go into the tries. Limits that are passed are
 * errors in `diag` which say the limit and the number: groups
 * (PC_GROUPS), prefixes of one family (PC_PREFIXES), rules, spans. Returns 0 or -EINVAL.
 */
int compile(const struct composition *composition, struct tables *tables, struct diag *diag);
void tables_free(struct tables *tables);

/*
 * Whom the tables admit, as the program would: for tests and warnings. `address` is IPv4 in the
 * first 4 bytes if family is AF_INET. Ports in host order.
 */
enum admit {
	ADMIT_UNLISTED,
	ADMIT_SOURCE, /* listed, but not from this source or source port */
	ADMIT_PASS,
};
enum admit tables_admit(const struct tables *tables, int family, const __u8 *address,
			enum pc_transport transport, __u16 source_port, __u16 port);

/*
 * Whether an open `out` service lists this port of the remote side, as tables_admit for `in`. The
 * program also takes a multicast destination on the link (ff02::/16, 224.0.0.0/24) for link-local:
 * who asks of one gives a link-local address.
 */
bool tables_covers(const struct tables *tables, int family, const __u8 *address,
		   enum pc_transport transport, __u16 remote_port);

#endif
