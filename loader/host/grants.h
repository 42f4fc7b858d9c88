/* SPDX-License-Identifier: GPL-2.0 */
/* Members of groups for a time: the file that keeps them, and the tries of the filters. */
#ifndef PORTCULLIS_HOST_GRANTS_H
#define PORTCULLIS_HOST_GRANTS_H

#include "loader/filter/hook.h"
#include "loader/recipe/ban_file.h"

/*
 * A grant is stored like a ban, whose list is the group. All grants are in `file.set`.
 */
struct grants {
	char *path; /* path of the file */
	struct ban_clock clock;
	struct ban_file file;
	struct filter *filter; /* the filters of the namespace */
	size_t filters;
	int *trie; /* trie of each filter; -1: none */
	char *text; /* the file's text, to which the set points, too */
};

/*
 * Opens the filters and reads the file; puts in force what an interrupted command left in the file.
 * The caller must hold the lock. Returns 0, or -errno with a message. Call grants_close() in each
 * case.
 */
int grants_open(const struct hooks *hooks, struct grants *grants);
/*
 * Only reads, without the lock: leaves out a filter of another version; without `hooks` reads only
 * the file. -EACCES without a message: only root can read the file.
 */
int grants_read(const struct hooks *hooks, struct grants *grants);
void grants_close(struct grants *grants);

/*
 * Carries out lines of ban_set.h, in the kernel and in the file, all or nothing. Returns 0, or
 * -errno with a message.
 */
int grants_change(struct grants *grants, const char *lines, size_t length);

/* Whether a grant holds now, and every filter has it. */
bool grants_hold(const struct grants *grants, const struct ban *grant);

/*
 * For a filter that only answers questions, with maps of its own: gives it the kept grants. Changes
 * nothing else. 0 or -errno, with a message.
 */
int grants_imagine(const struct filter *filter);

/* Gives the grants to a new filter of the namespace that is not in place yet. Warns if it
 * cannot. */
void grants_restore(const struct filter *filter);

#endif
