// SPDX-License-Identifier: GPL-2.0
/* Reads compiled tables as the BPF program does, for tests and warnings. */
#include "loader/compile/admit.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* Describes a trie's entries, of either family: the length, the address, and the groups. */
struct trie {
	const void *entry;
	size_t entries, size;
	size_t groups; /* their offset in an entry */
	int bytes;     /* bytes of an address */
};

/* Compares in the order of the entries, that of prefix_compare. */
static int compare_key(const struct trie *trie, size_t at, const __u8 *address, __u32 length)
{
	const char *entry = (const char *)trie->entry + at * trie->size;
	int order = memcmp(entry + sizeof(__u32), address, trie->bytes);
	__u32 own;

	memcpy(&own, entry, sizeof(own));
	return order ? order : (own > length) - (own < length);
}

static const char *find_key(const struct trie *trie, const __u8 *address, __u32 length)
{
	size_t low = 0, high = trie->entries;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare_key(trie, middle, address, length);

		if (order < 0)
			low = middle + 1;
		else if (order > 0)
			high = middle;
		else
			return (const char *)trie->entry + middle * trie->size;
	}
	return NULL;
}

/*
 * The groups of the longest prefix that matches. A binary search for each length is fast enough for
 * very many connections and prefixes.
 */
static struct pc_groups groups_of(const struct trie *trie, const __u8 *address)
{
	struct pc_groups groups = {};
	__u8 masked[16];
	const char *entry;

	memcpy(masked, address, trie->bytes);
	for (int length = 8 * trie->bytes; trie->entries && length >= 0; length--) {
		if (length < 8 * trie->bytes)
			masked[length / 8] &= ~(0x80 >> length % 8);
		entry = find_key(trie, masked, length);
		if (!entry)
			continue;
		memcpy(&groups, entry + trie->groups, sizeof(groups));
		return groups;
	}
	return groups;
}

static struct pc_groups tables_groups(const struct tables *tables, int family, const __u8 *address)
{
	const struct trie trie4 = {tables->trie4, tables->tries4, sizeof(struct trie4_entry),
				   offsetof(struct trie4_entry, groups), 4};
	const struct trie trie6 = {tables->trie6, tables->tries6, sizeof(struct trie6_entry),
				   offsetof(struct trie6_entry, groups), 16};

	return groups_of(family == AF_INET ? &trie4 : &trie6, address);
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
	       tables_groups(tables, family, address).word[span->word] & span->groups;
}

/* What a port's entry decides about a remote side. */
static enum admit entry_admit(const struct tables *tables, __u16 entry, int family,
			      const __u8 *address, __u16 remote_port)
{
	const struct pc_generation *generation = tables->generation;
	const struct pc_rule *rule;

	if (entry == PC_PORT_CLOSED)
		return ADMIT_UNLISTED;
	if (entry == PC_PORT_OPEN)
		return ADMIT_PASS;
	rule = &generation->rule[(entry & ~PC_PORT_LIMITED) - PC_PORT_RULE];
	for (__u32 i = 0; i < rule->spans; i++) {
		const struct pc_span *span = &generation->span[rule->span + i];

		if (remote_port >= span->first && remote_port <= span->last &&
		    span_admits(tables, span, family, address))
			return ADMIT_PASS;
	}
	return ADMIT_SOURCE;
}

__u16 tables_entry(const struct pc_generation *generation, __u16 class, int way, __u32 port)
{
	const struct pc_class_page *page;

	if (!class)
		return way ? generation->out[port] : generation->port[port];
	page = &generation->class_page[generation->class[class - 1]
					       .page[way][port / PC_CLASS_PAGE_PORTS]];
	return page->port[port % PC_CLASS_PAGE_PORTS].entry;
}

enum admit tables_admit_class(const struct tables *tables, __u16 class, int family,
			      const __u8 *address, enum pc_transport transport, __u16 source_port,
			      __u16 port)
{
	return entry_admit(tables,
			   tables_entry(tables->generation, class, 0, PC_PORT(transport, port)),
			   family, address, source_port);
}

bool tables_covers_class(const struct tables *tables, __u16 class, int family, const __u8 *address,
			 enum pc_transport transport, __u16 remote_port)
{
	return entry_admit(
		       tables,
		       tables_entry(tables->generation, class, 1, PC_PORT(transport, remote_port)),
		       family, address, remote_port) == ADMIT_PASS;
}

bool tables_denied(const struct tables *tables, int family, const __u8 *address)
{
	const struct pc_generation *generation = tables->generation;
	__u64 groups;

	if (!generation->denied)
		return false;
	groups = tables_groups(tables, family, address).word[0];
	return groups & generation->denied && !(groups & generation->never_ban);
}

static bool span_takes(const struct pc_generation *generation, const struct pc_span *span,
		       __u64 group)
{
	for (__u64 left = span->groups; left; left &= left - 1)
		if (generation->group[span->word][__builtin_ctzll(left)] == group)
			return true;
	return false;
}

/* Whether a span of the port's entry admits one of the groups from that source port. */
static bool entry_takes(const struct pc_generation *generation, __u16 entry, __u16 source_port,
			__u64 group)
{
	const struct pc_rule *rule;

	if (entry < PC_PORT_RULE)
		return false;
	rule = &generation->rule[entry - PC_PORT_RULE];
	for (__u32 i = 0; i < rule->spans; i++) {
		const struct pc_span *span = &generation->span[rule->span + i];

		if (source_port >= span->first && source_port <= span->last &&
		    span_takes(generation, span, group))
			return true;
	}
	return false;
}

static bool entry_granted(const struct tables *tables, __u16 entry, const struct ban_set *grants,
			  __u32 now, int family, const __u8 *address, __u16 source_port)
{
	for (size_t i = 0; i < grants->count; i++) {
		const struct ban *grant = &grants->ban[i];

		if (ban_holds(grant, now) &&
		    prefix_contains(&grant->prefix, (__u8)family, address) &&
		    entry_takes(tables->generation, entry, source_port, pc_group_id(grant->list)))
			return true;
	}
	return false;
}

bool tables_granted(const struct tables *tables, __u16 class, const struct ban_set *grants,
		    __u32 now, int family, const __u8 *address, enum pc_transport transport,
		    __u16 source_port, __u16 port)
{
	return entry_granted(tables,
			     tables_entry(tables->generation, class, 0, PC_PORT(transport, port)),
			     grants, now, family, address, source_port);
}

bool tables_granted_out(const struct tables *tables, const struct ban_set *grants, __u32 now,
			int family, const __u8 *address, enum pc_transport transport,
			__u16 remote_port)
{
	return entry_granted(
		tables, tables_entry(tables->generation, 0, 1, PC_PORT(transport, remote_port)),
		grants, now, family, address, remote_port);
}

enum admit tables_admit(const struct tables *tables, int family, const __u8 *address,
			enum pc_transport transport, __u16 source_port, __u16 port)
{
	return tables_admit_class(tables, 0, family, address, transport, source_port, port);
}

bool tables_covers(const struct tables *tables, int family, const __u8 *address,
		   enum pc_transport transport, __u16 remote_port)
{
	return tables_covers_class(tables, 0, family, address, transport, remote_port);
}

__u16 tables_class(const struct tables *tables, int family, const __u8 *local)
{
	const struct pc_machine *machine = machine_table_find(tables->generation, family, local);

	return machine ? machine->class : 0;
}
