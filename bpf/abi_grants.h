/* SPDX-License-Identifier: GPL-2.0 */
/* The layout of grants: prefixes that are members of a group until an end. */
#ifndef PORTCULLIS_ABI_GRANTS_H
#define PORTCULLIS_ABI_GRANTS_H

#include <linux/types.h>

#include "bpf/abi_counters.h"

/*
 * A network namespace has one trie of grants. Each change makes a new trie, which replaces the old
 * one with one update. It belongs to no generation, so neither a swap nor a deadline's fallback
 * loses a grant. A group is identified by its name, because its bit may differ between generations.
 *
 * The value is the CLOCK_BOOTTIME second in which the grant ends, or PC_BAN_FOREVER. A trie finds
 * only the longest prefix, so a prefix has the latest end of itself and of the wider prefixes that
 * contain it.
 */
#define PC_GRANTS 16384 /* prefixes, of all groups */

/* A note of the loader in each trie, as an entry of group 0: a checksum of the file from which it
 * was made. */

struct pc_grant_key {
	__u32 length;	  /* bits of the prefix, and PC_GRANT_BITS */
	__be32 family;	  /* 4 or 6 */
	__u64 group;	  /* pc_group_id */
	__u8 address[16]; /* network order; IPv4: the first 4 bytes */
};
_Static_assert(sizeof(struct pc_grant_key) == 32, "pc_grant_key");
#define PC_GRANT_BITS 96 /* bits of family and group */

/* The number of a group, from its name. Never 0: grants do not apply to a group with the number
 * 0. */
pc_inline __u64 pc_group_id(const char *name)
{
	__u64 id = 0xcbf29ce484222325ULL;

	for (; *name; name++)
		id = (id ^ (__u8)*name) * 0x100000001b3ULL;
	return id ? id : 1;
}

#endif
