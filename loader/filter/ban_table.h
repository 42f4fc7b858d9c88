/* SPDX-License-Identifier: GPL-2.0 */
/* The table of bans in the kernel (abi_bans.h): made, filled, put in place. */
#ifndef PORTCULLIS_FILTER_BAN_TABLE_H
#define PORTCULLIS_FILTER_BAN_TABLE_H

#include <stdbool.h>

#include "bpf/abi_bans.h"
#include "loader/catalog/group.h"
#include "loader/filter/filter.h"

/* A table: its maps, and where they are mapped. */
struct ban_table {
	int map; /* -1: there is none */
	struct pc_bans *head;
	int chunk_map[PC_BAN_CHUNKS];
	struct pc_ban_chunk *chunk[PC_BAN_CHUNKS];
	__u32 chunks;
};

#define BAN_TABLE_NONE ((struct ban_table){.map = -1})

/* Opens the table of a filter, to write or only to read it. -ENOENT: it has none. */
int ban_table_open(const struct filter *filter, bool writes, struct ban_table *table);
void ban_table_close(struct ban_table *table);

/* Makes an empty table with room for so many prefixes of IPv4 and IPv6, not yet in place. 0 or
 * -errno. */
int ban_table_make(size_t ipv4, size_t ipv6, struct ban_table *table);

/*
 * Sets the end of a prefix, as in pc_ban_line.until; PC_BAN_FREE takes it out. One that had ended at `now` begins to count anew. -ENOSPC: the table has to be made
 * anew with more room.
 */
int ban_table_set(struct ban_table *table, const struct prefix *prefix, __u32 until, __u32 now);

/* Marks the network of a prefix that is denied, so that the programs ask about its sources. */
void ban_table_mark(struct ban_table *table, const struct prefix *prefix);

/* pc_ban_line.until of a prefix, PC_BAN_FREE if it is not there; its counts, unless NULL. */
__u32 ban_table_find(const struct ban_table *table, const struct prefix *prefix,
		     struct pc_ban_count *count);

/* Whether a wider prefix that covers this one has not ended at that CLOCK_BOOTTIME second. */
bool ban_table_covers(const struct ban_table *table, const struct prefix *prefix, __u32 now);

/* Copies what the prefixes that both tables have have counted. */
void ban_table_keep_counts(struct ban_table *table, const struct ban_table *old);

/* The prefixes that are banned at that CLOCK_BOOTTIME second. */
size_t ban_table_count(const struct ban_table *table, __u32 now);

/*
 * Puts a new table in the place of the one of a filter, by one update, after which nothing fails.
 * `first`: 0 or PC_BAN_CHUNKS, the half of `ban_chunks` that no table of the filter uses.
 */
int ban_table_install(const struct filter *filter, struct ban_table *table, __u32 first);
/* Frees the slots of the other half. */
void ban_table_forget(const struct filter *filter, const struct ban_table *table);

/* Takes the table away, by one deletion, after which nothing fails. */
int ban_table_remove(const struct filter *filter);

/* Tells the program of a filter whether there are bans: sets its flag, or clears it. */
int ban_flag_set(const struct filter *filter, bool bans);

#endif
