/* SPDX-License-Identifier: GPL-2.0 */
/* The bans of this network namespace: the file that keeps them, and the tables of its filters. */
#ifndef PORTCULLIS_HOST_BANS_H
#define PORTCULLIS_HOST_BANS_H

#include "loader/filter/ban_table.h"
#include "loader/filter/denied.h"
#include "loader/filter/hook.h"
#include "loader/host/protect.h"
#include "loader/recipe/ban_file.h"

struct bans {
	char *path; /* path of the file */
	struct ban_clock clock;
	struct ban_file file; /* `set` is filled only if `loaded` */
	bool loaded;
	struct filter *filter; /* the filters of the namespace */
	size_t filters;
	struct ban_table table; /* table of the filters; none: there are no bans, or no filters */
	char *text;		/* the file's text, to which the set points, too */
	/* Hosts that pass in wider bans that are added in place; a new table finds them itself. */
	const struct protected_hosts *hosts;
	struct protected_hosts found; /* by a new table */
	struct denied denied;		     /* what the filters of the namespace deny */
	bool never_known;		     /* `denied` has been read */
};

/*
 * Opens the filters, the file and the table, and makes them agree if a command was interrupted. The
 * caller must hold the lock. Returns 0, or -errno with a message. Call bans_close() in each case.
 */
int bans_open(const struct hooks *hooks, struct bans *bans);
/* Reads only the file, and the table for its counts, so it needs no lock. */
int bans_read(const struct hooks *hooks, struct bans *bans);
void bans_close(struct bans *bans);

/*
 * Adds bans, or carries out the lines of ban_set.h, in the kernel and in the file: all of them or
 * none. `anew`: makes a new table, which replaces the old one with one update. Returns 0, or
 * -errno with a message.
 */
int bans_add(struct bans *bans, const struct ban *ban, size_t count);
int bans_change(struct bans *bans, const char *lines, size_t length, bool anew);

/* The file of this network namespace below /var/lib or /run, by its NAME there; the caller frees.
 */
char *bans_file_path(const char *name);

/* The number of banned prefixes at a filter's namespace; -1: it cannot be read. */
long long bans_count(const struct filter *filter);

/* The prefix of `never-ban`, or of `deny`, that contains a prefix; NULL: none. Reads them at the
 * first call. */
const struct prefix *bans_never(struct bans *bans, const struct prefix *prefix);
const struct prefix *bans_denied(struct bans *bans, const struct prefix *prefix);

/* Whether a filter has this group in `never-ban`. */
bool bans_never_group(const struct bans *bans, const char *group);

/*
 * After bans_add: if the list already had a later end for the prefix, sets `ban` to that entry,
 * whose texts belong to `bans`, and returns true.
 */
bool bans_end_later(struct bans *bans, struct ban *ban);

/*
 * Call it before a change is put in place: adds to the table what the prepared generations of these
 * filters deny and never ban. `anew`: call it after the change: makes a new table without anything
 * else. 0, or -errno with a message.
 */
int bans_follow(const struct hooks *hooks, struct filter *const *filter, size_t count, bool anew);

/*
 * For a filter that only answers questions (filter_load_explaining), with maps of its own: fills
 * its ban table with what its generation denies and, with `kept`, with the kept bans. Changes
 * nothing else. 0 or -errno, with a message.
 */
int bans_imagine(const struct filter *filter, bool kept);

/* Reads the set, unless it is read already. */
int bans_load(struct bans *bans);

/* Gives the bans to a new filter of the namespace that is not in place yet. Warns if it cannot. */
void bans_restore(const struct filter *filter);

#endif
