/* SPDX-License-Identifier: GPL-2.0 */
/* Groups of the site file, of an interface or of a machine. */
#ifndef PORTCULLIS_RECIPE_SITE_GROUPS_H
#define PORTCULLIS_RECIPE_SITE_GROUPS_H

#include "loader/catalog/group.h"
#include "loader/catalog/values.h"

#define SITE_GROUPS	 1024
#define SITE_GROUP_FILES 64 /* of one group */

#define SITE_GROUPS_EXPECTED "a mapping of names, as in 'trusted: 192.0.2.0/24'"
#define SITE_GROUPS_ALIASES  "group sources"

/* Where groups are looked up that are read from files. */
struct site_files {
	const char *path;    /* of the site file */
	bool saved;	     /* a group's file is groups/SCOPE NAME beside the site file */
	const char *scope;   /* "" for groups of the file, "eth0:", "eth0:mail:" of a machine */
	struct names *names; /* gets SCOPE NAME of each group that is read from a file */
};

/*
 * Reports a file that other users may write: who can write the site file, or a group's, can open
 * ports. -errno.
 */
int site_check_trust(const char *path, const struct place *place, struct diag *diag);

/*
 * Reads a mapping of groups, and adds those without errors to `groups`. `wrong` (NULL: not
 * wanted) gets the names of the others. Returns false if one of these has no name, so that any name
 * may be missing.
 */
bool site_read_groups(struct reader *reader, const struct yaml_node *mapping,
		      const struct site_files *files, struct groups *groups, struct names *wrong);

#endif
