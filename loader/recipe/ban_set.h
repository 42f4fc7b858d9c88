/* SPDX-License-Identifier: GPL-2.0 */
/* Bans: which list has which prefix, until when; and the lines of the file that keeps them. */
#ifndef PORTCULLIS_RECIPE_BAN_SET_H
#define PORTCULLIS_RECIPE_BAN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

#include "bpf/abi_bans.h"
#include "loader/catalog/group.h"

#define BAN_LIST_DEFAULT "manual"
#define BAN_LIST_LIMIT	 64 /* bytes of a name */
#define BAN_DIGITS	 20

/* A prefix in a list. */
struct ban {
	struct prefix prefix;
	__u32 until; /* CLOCK_BOOTTIME second; PC_BAN_FOREVER; PC_BAN_FREE: taken out of the set */
	__u64 since; /* seconds since 1970, as the next one */
	__u64 meant; /* the end that was asked for by the clock of then; 0: none */
	const char *list, *by, *comment; /* by and comment: "" if there is none */
	bool parked;			 /* not in force until its list is taken up again */
};

struct ban_set {
	struct ban *ban;
	size_t count, room;
	__u32 *slot; /* open addressing by list and prefix: an index + 1, or 0 */
	size_t slots;
};

/* `[A-Za-z0-9][A-Za-z0-9._-]*`, as jails of fail2ban are called. */
bool ban_list_valid(const char *name);

/*
 * Adds a prefix to a list; if it is there already, the later end wins. Texts are the caller's, and
 * have to live as long as the set.
 */
void ban_set_add(struct ban_set *set, const struct ban *ban);
/* The prefix in that list, or NULL. */
struct ban *ban_set_find(const struct ban_set *set, const char *list, const struct prefix *prefix);
/* Takes out all bans of a list; NULL: of every list. */
void ban_set_clear(struct ban_set *set, const char *list);
/* Takes the bans of a list out of force but not out of the set, or puts them in force again. */
void ban_set_park(struct ban_set *set, const char *list, bool park);
/* Takes out what has ended at that CLOCK_BOOTTIME second, and forgets what was taken out. */
void ban_set_expire(struct ban_set *set, __u32 now);
/* In the order of prefixes, then of lists. */
void ban_set_sort(struct ban_set *set);
/* Adds the name of each list, once. */
void ban_set_lists(const struct ban_set *set, struct names *lists);
void ban_set_free(struct ban_set *set);

/* Whether the ban is in the set, and has not ended at that CLOCK_BOOTTIME second. */
static inline bool ban_holds(const struct ban *ban, __u32 now)
{
	return ban->until > now && !ban->parked;
}

/* The end of what lasts so many seconds from that CLOCK_BOOTTIME second on. */
static inline __u32 ban_until(__u64 boot, __u64 seconds)
{
	return seconds < PC_BAN_LAST && boot + seconds < PC_BAN_LAST ? (__u32)(boot + seconds) :
								       PC_BAN_LAST;
}

/*
 * The lines of the file: a ban is added, a prefix taken out of a list, a list emptied. An empty
 * list name: every list.
 */
void ban_line_add(const struct ban *ban, FILE *to);
void ban_line_remove(const char *list, const struct prefix *prefix, FILE *to);
void ban_line_clear(const char *list, FILE *to);
void ban_line_park(const char *list, bool park, FILE *to);
/* The lines of all bans that have not ended at that CLOCK_BOOTTIME second. */
void ban_lines_write(const struct ban_set *set, __u32 now, FILE *to);

/*
 * Carries out `length` bytes of such lines, which it cuts into texts: they have to live as long as
 * the set. Returns the number of lines that it could not read.
 */
size_t ban_lines_read(struct ban_set *set, char *text, size_t length);

#endif
