/* SPDX-License-Identifier: GPL-2.0 */
/* Bans: lists of prefixes with their ends; and the lines of the file that keeps them. */
#ifndef PORTCULLIS_RECIPE_BAN_SET_H
#define PORTCULLIS_RECIPE_BAN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#include "bpf/abi_bans.h"
#include "loader/catalog/group.h"

#define BAN_LIST_DEFAULT "manual"
#define BAN_LIST_LIMIT	 64 /* bytes of a list's name */
#define BAN_DIGITS	 20

/* A prefix in a list. */
struct ban {
	struct prefix prefix;
	__u32 until; /* CLOCK_BOOTTIME second; PC_BAN_FOREVER; PC_BAN_FREE: removed from the set */
	__u64 since; /* seconds since 1970; also the next one */
	/* the end that the user gave as a time of day, by the clock at that moment; 0: none */
	__u64 meant;
	const char *list, *by, *comment; /* by, comment: "" if there is none */
	bool parked;			 /* not in force until its list is in force again */
};

struct ban_set {
	struct ban *ban;
	size_t count, room;
	__u32 *slot; /* hash table by list and prefix: an index + 1, or 0 */
	size_t slots;
};

/* A list's name: `[A-Za-z0-9][A-Za-z0-9._-]*`, the form of fail2ban's jails. */
bool ban_list_valid(const char *name);

/*
 * Adds a prefix to a list; if the list already has it, the later end wins. The texts are not
 * copied: they must live as long as the set.
 */
void ban_set_add(struct ban_set *set, const struct ban *ban);
/* The ban of that prefix in that list, or NULL. */
struct ban *ban_set_find(const struct ban_set *set, const char *list, const struct prefix *prefix);
/* Removes all bans of a list; NULL: of every list. */
void ban_set_clear(struct ban_set *set, const char *list);
/* Parks the bans of a list: they stay in the set but are not in force. Or puts them in force
 * again. */
void ban_set_park(struct ban_set *set, const char *list, bool park);
/* Removes what has ended at that CLOCK_BOOTTIME second, and frees the place of removed bans. */
void ban_set_expire(struct ban_set *set, __u32 now);
/* Sorts by prefix, then by list. */
void ban_set_sort(struct ban_set *set);
/* Adds the name of each list, once. */
void ban_set_lists(const struct ban_set *set, struct names *lists);
void ban_set_free(struct ban_set *set);

/* Whether the ban is in the set, and has not ended at that CLOCK_BOOTTIME second. */
static inline bool ban_holds(const struct ban *ban, __u32 now)
{
	return ban->until > now && !ban->parked;
}

/* The end of a ban of so many seconds that begins at that CLOCK_BOOTTIME second. */
static inline __u32 ban_until(__u64 boot, __u64 seconds)
{
	return seconds < PC_BAN_LAST && boot + seconds < PC_BAN_LAST ? (__u32)(boot + seconds) :
								       PC_BAN_LAST;
}

/*
 * Writes lines of the file: add a ban, remove a prefix from a list, empty a list. An empty list
 * name: every list.
 */
void ban_line_add(const struct ban *ban, FILE *to);
void ban_line_remove(const char *list, const struct prefix *prefix, FILE *to);
void ban_line_clear(const char *list, FILE *to);
void ban_line_park(const char *list, bool park, FILE *to);
/* The lines of all bans that have not ended at that CLOCK_BOOTTIME second. */
void ban_lines_write(const struct ban_set *set, __u32 now, FILE *to);

/*
 * Applies `length` bytes of such lines to the set. Splits them into texts in place, so they must
 * live as long as the set. Returns the number of lines that it could not read.
 */
size_t ban_lines_read(struct ban_set *set, char *text, size_t length);

#endif
