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
	char *path; /* of the file */
	struct ban_clock clock;
	struct ban_file file; /* without its set, unless `loaded` */
	bool loaded;
	struct filter *filter; /* the filters of the namespace */
	size_t filters;
	struct ban_table table; /* of the filters; none: there are no bans, or no filters */
	char *text;		/* to which the set points, too */
	/* That pass in wider bans which are added in place; a table that is made anew finds them. */
	const struct protected_hosts *hosts;
	struct protected_hosts found; /* by a table that was made anew */
	struct denied denied;		     /* of all filters of the namespace */
	bool never_known;		     /* `denied` has been read */
};

/*
 * Opens the filters, the file and the table, and makes them agree if a command was interrupted. The
 * lock must be held. Returns 0, or -errno with a message. bans_close() in any case.
 */
int bans_open(const struct hooks *hooks, struct bans *bans);
/* Only reads the file, and the table for its counts: needs no lock. */
int bans_read(const struct hooks *hooks, struct bans *bans);
void bans_close(struct bans *bans);

/*
 * Adds bans, or carries out the lines of ban_set.h, in the kernel and in the file: all of them or
 * none. `anew`: by a new table, which takes the place of the old one with one update. Returns 0, or
 * -errno with a message.
 */
int bans_add(struct bans *bans, const struct ban *ban, size_t count);
int bans_change(struct bans *bans, const char *lines, size_t length, bool anew);

/* The file of this network namespace below /var/lib or /run, by its NAME there; the caller frees.
 */
char *bans_file_path(const char *name);

/* The number of banned prefixes at a filter's namespace; -1: it cannot be read. */
long long bans_count(const struct filter *filter);

/* The prefix of `never-ban`, or of `deny`, that has a prefix; NULL: none has. Reads them once. */
const struct prefix *bans_never(struct bans *bans, const struct prefix *prefix);
const struct prefix *bans_denied(struct bans *bans, const struct prefix *prefix);

/* Whether a filter has this group in `never-ban`. */
bool bans_never_group(const struct bans *bans, const char *group);

/*
 * After bans_add: if the list had a later end for the prefix before, changes `ban` to what it has,
 * whose texts are those of `bans`, and returns true.
 */
bool bans_end_later(struct bans *bans, struct ban *ban);

/*
 * Before a change is put in place: gives the table what the prepared generations of these filters
 * deny and never ban, beside those that are there. `anew`: after it, to leave nothing else. 0, or
 * -errno with a message.
 */
int bans_follow(const struct hooks *hooks, struct filter *const *filter, size_t count, bool anew);

/*
 * Gives a filter that only answers questions (filter_load_explaining), and has maps of its own,
 * what its generation denies and, with `kept`, the bans that are kept. Changes nothing else. 0 or
 * -errno, with a message.
 */
int bans_imagine(const struct filter *filter, bool kept);

/* Reads the set, unless it has been. */
int bans_load(struct bans *bans);

/* A new filter of the namespace, not yet in place: gives it the bans. Warns if it cannot. */
void bans_restore(const struct filter *filter);

#endif
