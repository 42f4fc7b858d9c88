/* SPDX-License-Identifier: GPL-2.0 */
/* Members of groups for a time: the file that keeps them, and the tries of the filters. */
#ifndef PORTCULLIS_HOST_GRANTS_H
#define PORTCULLIS_HOST_GRANTS_H

#include "loader/filter/hook.h"
#include "loader/recipe/ban_file.h"

/*
 * A grant is kept as a ban is: its list is the group. All grants are in `file.set`; a list of a ban
 * set is a group here.
 */
struct grants {
	char *path; /* of the file */
	struct ban_clock clock;
	struct ban_file file;
	struct filter *filter; /* the filters of the namespace */
	size_t filters;
	int *trie; /* of each filter; -1: none */
	char *text; /* to which the set points, too */
};

/*
 * Opens the filters and reads the file; puts in force what an interrupted command left in the file.
 * The lock must be held. Returns 0, or -errno with a message. grants_close() in any case.
 */
int grants_open(const struct hooks *hooks, struct grants *grants);
/*
 * Only reads, without the lock: a filter of another version is left out; without `hooks` only the
 * file. -EACCES without a message: the file is root's.
 */
int grants_read(const struct hooks *hooks, struct grants *grants);
void grants_close(struct grants *grants);

/*
 * Carries out lines of ban_set.h, in the kernel and in the file, all or nothing. Returns 0, or
 * -errno with a message.
 */
int grants_change(struct grants *grants, const char *lines, size_t length);

/* Whether a grant holds now, and is in force at each filter. */
bool grants_hold(const struct grants *grants, const struct ban *grant);

/*
 * Gives a filter that only answers questions, and has maps of its own, the grants that are kept.
 * Changes nothing else. 0 or -errno, with a message.
 */
int grants_imagine(const struct filter *filter);

/* A new filter of the namespace, not yet in place: gives it the grants. Warns if it cannot. */
void grants_restore(const struct filter *filter);

#endif
