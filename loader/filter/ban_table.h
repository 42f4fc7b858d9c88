/* SPDX-License-Identifier: GPL-2.0 */
/* The table of bans in the kernel (abi_bans.h): makes it, fills it, and puts it in place. */
#ifndef PORTCULLIS_FILTER_BAN_TABLE_H
#define PORTCULLIS_FILTER_BAN_TABLE_H

#include <stdbool.h>

#include "bpf/abi_bans.h"
#include "loader/catalog/group.h"
#include "loader/filter/filter.h"

/* A table: its maps, and their memory. */
struct ban_table {
	int map; /* -1: this family has no map */
	struct pc_bans *head;
	int chunk_map[PC_BAN_CHUNKS];
	struct pc_ban_chunk *chunk[PC_BAN_CHUNKS];
	__u32 chunks;
};

#define BAN_TABLE_NONE ((struct ban_table){.map = -1})

/* Opens the table of a filter, for writing or only for reading. -ENOENT: the filter has none. */
int ban_table_open(const struct filter *filter, bool writes, struct ban_table *table);
void ban_table_close(struct ban_table *table);

/* Makes an empty table with room for so many IPv4 and IPv6 prefixes. It is not in place yet. 0 or
 * -errno. */
int ban_table_make(size_t ipv4, size_t ipv6, struct ban_table *table);

/*
 * Sets the end of a prefix (pc_ban_line.until); PC_BAN_FREE removes the prefix. If the prefix had
 * ended at `now`, its counts start from 0. -ENOSPC: a larger table has to be made.
 */
int ban_table_set(struct ban_table *table, const struct prefix *prefix, __u32 until, __u32 now);

/* Marks the network of a denied prefix, so that the programs look up its sources in the trie. */
void ban_table_mark(struct ban_table *table, const struct prefix *prefix);

/* Returns pc_ban_line.until of a prefix, PC_BAN_FREE if it is not in the table; also its counts,
 * unless NULL. */
__u32 ban_table_find(const struct ban_table *table, const struct prefix *prefix,
		     struct pc_ban_count *count);

/* Whether a wider prefix that contains this one holds at that CLOCK_BOOTTIME second. */
bool ban_table_covers(const struct ban_table *table, const struct prefix *prefix, __u32 now);

/* Copies the counts of the prefixes that are in both tables. */
void ban_table_keep_counts(struct ban_table *table, const struct ban_table *old);

/* The number of prefixes that are banned at that CLOCK_BOOTTIME second. */
size_t ban_table_count(const struct ban_table *table, __u32 now);

/*
 * Replaces the table of a filter by a new one, with one update, after which no step can fail.
 * `first`: 0 or PC_BAN_CHUNKS, the half of `ban_chunks` that the filter's present table does not
 * use.
 */
int ban_table_install(const struct filter *filter, struct ban_table *table, __u32 first);
/* Frees the slots of the other half of `ban_chunks`. */
void ban_table_forget(const struct filter *filter, const struct ban_table *table);

/* Removes the table, with one deletion, after which no step can fail. */
int ban_table_remove(const struct filter *filter);

/* Tells the programs of a filter whether there are bans: sets or clears the filter's flag. */
int ban_flag_set(const struct filter *filter, bool bans);

#endif
