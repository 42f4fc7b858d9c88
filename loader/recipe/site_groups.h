/* SPDX-License-Identifier: GPL-2.0 */
/* Groups of the site file, of an interface or of a machine. */
#ifndef PORTCULLIS_RECIPE_SITE_GROUPS_H
#define PORTCULLIS_RECIPE_SITE_GROUPS_H

#include "loader/catalog/group.h"
#include "loader/catalog/values.h"

#define SITE_GROUPS	 1024
#define SITE_GROUP_FILES 64 /* files of one group */

#define SITE_GROUPS_EXPECTED "a mapping of names, as in 'trusted: 192.0.2.0/24'"
#define SITE_GROUPS_ALIASES  "group sources"

/* Where the files of groups are. */
struct site_files {
	const char *path;    /* path of the site file */
	/* saved copy: a group's file is groups/SCOPE NAME beside the site file */
	bool saved;
	/* "" for groups of the file, "eth0:" of an interface, "eth0:mail:" of a machine */
	const char *scope;
	struct names *names; /* collects SCOPE NAME of each group that is read from a file */
};

/*
 * Reports a file that other users can write: users who can write the site file, or a group's file,
 * can open ports. -errno.
 */
int site_check_trust(const char *path, const struct place *place, struct diag *diag);

/*
 * Reads a mapping of groups, and adds those without errors to `groups`. `wrong` (or NULL) gets the
 * names of groups with errors. Returns false if one of these has no name, so that any name may be
 * missing.
 */
bool site_read_groups(struct reader *reader, const struct yaml_node *mapping,
		      const struct site_files *files, struct groups *groups, struct names *wrong);

#endif
