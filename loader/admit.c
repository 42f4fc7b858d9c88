// SPDX-License-Identifier: GPL-2.0
/* Reads compiled tables as the program does, for tests and warnings. */
#include <sys/socket.h>

#include "loader/compile.h"

static bool matches(const __u8 *prefix, __u32 length, const __u8 *address)
{
	for (__u32 bit = 0; bit < length; bit++) {
		if ((prefix[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

/* The groups of the longest prefix that matches. A plain search: this is not the fast path. */
static __u64 groups4(const struct tables *tables, const __u8 *address)
{
	const struct trie4_entry *longest = NULL;

	for (size_t i = 0; i < tables->tries4; i++) {
		const struct trie4_entry *entry = &tables->trie4[i];

		if (matches(entry->key.address, entry->key.length, address) &&
		    (!longest || entry->key.length > longest->key.length))
			longest = entry;
	}
	return longest ? longest->groups : 0;
}

static __u64 groups6(const struct tables *tables, const __u8 *address)
{
	const struct trie6_entry *longest = NULL;

	for (size_t i = 0; i < tables->tries6; i++) {
		const struct trie6_entry *entry = &tables->trie6[i];

		if (matches(entry->key.address, entry->key.length, address) &&
		    (!longest || entry->key.length > longest->key.length))
			longest = entry;
	}
	return longest ? longest->groups : 0;
}

static bool is_link_local(int family, const __u8 *address)
{
	if (family == AF_INET)
		return address[0] == 169 && address[1] == 254;
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static bool span_admits(const struct tables *tables, const struct pc_span *span, int family,
			const __u8 *address)
{
	if (span->anyone || (span->link_local && is_link_local(family, address)))
		return true;
	return span->groups &&
	       (family == AF_INET ? groups4(tables, address) : groups6(tables, address)) &
		       span->groups;
}

/* What the entry of a port says of a remote side. */
static enum admit entry_admit(const struct tables *tables, __u16 entry, int family,
			      const __u8 *address, __u16 remote_port)
{
	const struct pc_generation *generation = tables->generation;
	const struct pc_rule *rule;

	if (entry == PC_PORT_CLOSED)
		return ADMIT_UNLISTED;
	if (entry == PC_PORT_OPEN)
		return ADMIT_PASS;
	rule = &generation->rule[entry - PC_PORT_RULE];
	for (__u32 i = 0; i < rule->spans; i++) {
		const struct pc_span *span = &generation->span[rule->span + i];

		if (remote_port >= span->first && remote_port <= span->last &&
		    span_admits(tables, span, family, address))
			return ADMIT_PASS;
	}
	return ADMIT_SOURCE;
}

enum admit tables_admit(const struct tables *tables, int family, const __u8 *address,
			enum pc_transport transport, __u16 source_port, __u16 port)
{
	return entry_admit(tables, tables->generation->port[PC_PORT(transport, port)], family,
			   address, source_port);
}

bool tables_covers(const struct tables *tables, int family, const __u8 *address,
		   enum pc_transport transport, __u16 remote_port)
{
	return entry_admit(tables, tables->generation->out[PC_PORT(transport, remote_port)], family,
			   address, remote_port) == ADMIT_PASS;
}
