/* SPDX-License-Identifier: GPL-2.0 */
/* The site file: the groups of a host, and the filter of each of its interfaces. */
#ifndef PORTCULLIS_RECIPE_SITE_H
#define PORTCULLIS_RECIPE_SITE_H

#include "loader/base/diag.h"
#include "loader/recipe/site_interface.h"

#define SITE_FILE	"/etc/portcullis/site.yaml"
#define SITE_FILE_LIMIT (1 << 20) /* bytes of a site file */
#define SITE_INTERFACES 1024

/* A site file. The places point into `path` and `text`. */
struct site {
	char *path;
	char *text;
	struct groups groups;
	bool groups_wrong;	  /* read in part: a group is missing */
	struct names wrong_group; /* the missing groups that have a name */
	/* Names of groups that are read from a file: NAME, INTERFACE:NAME,
	 * INTERFACE:MACHINE:NAME. */
	struct names group_file;
	/* saved copy: a group's file is in groups/ beside the site file */
	bool saved;
	bool unnamed_wrong;	      /* a part has no name, so any name may be missing */
	struct names deny, never_ban; /* names of `groups` */
	bool management_given;	      /* `management` is in the file, even if it names no port */
	struct ports management;
	bool interfaces_given; /* `interfaces` is in the file, even if only as {} */
	/* By name, in the order of the file; after those the interfaces that patterns match
	 * (site_expand). */
	struct site_interface *interface;
	size_t interfaces;
	struct site_interface *pattern; /* entries whose key is a pattern, such as 'en*' */
	size_t patterns;
};

/*
 * Reads a site file from text and reports everything wrong with it, each at its place. It does not
 * compare the file with a catalog. `path` is kept for messages, and '@FILE' is a path beside it.
 * Returns 0 and a site (freed by site_free), or -EINVAL with errors in `diag` and an empty one.
 */
int site_parse(const char *path, const char *text, size_t length, struct site *site,
	       struct diag *diag);

/*
 * As site_parse, of a file with at most SITE_FILE_LIMIT bytes. Returns also -errno of reading, with
 * an error in `diag`, except for -ENOENT, which the caller reports.
 */
int site_read(const char *path, struct site *site, struct diag *diag);

/*
 * Opens the file that --site names; `given` NULL: SITE_FILE, which may be missing, and the site is
 * then empty. Returns 0, or -errno with an error in `diag`.
 */
int site_open(const char *given, struct site *site, struct diag *diag);

/*
 * As site_open, but also returns the parts without errors of a wrong file, only for site_check;
 * none if the file is not trusted, or not YAML.
 */
int site_read_partial(const char *given, struct site *site, struct diag *diag);

/*
 * As site_read, of a saved copy: a group's '@FILE' is a file in groups/ beside it, with the group's
 * name in `group_file` (state.h).
 */
int site_saved(const char *path, struct site *site, struct diag *diag);

/*
 * Adds an entry for each of these interfaces that a pattern matches and no key names. If two
 * patterns match: an error that names both, and the entry is wrong.
 */
void site_expand(struct site *site, const struct names *present, struct diag *diag);

/* Warns of patterns that match no interface. */
void site_warn_unmatched(const struct site *site, struct diag *diag);

/* The file's entry of this interface, or NULL. */
const struct site_interface *site_interface(const struct site *site, const char *name);

/* The group of that name in `group_file`, or NULL. */
const struct group *site_group(const struct site *site, const char *name);

/*
 * Adds the file's groups that apply to this interface to its recipe, and likewise to its machines
 * that are in the file. `name` may match a pattern.
 */
void site_merge_groups(const struct site *site, const char *name, struct recipe *recipe);
/* As site_add_groups, for one machine of the interface. */
void site_merge_machine_groups(const struct site *site, const char *name, struct machine *machine);
/* Adds `deny` and `never-ban` to a recipe that already has the groups of the file. */
void site_deny(const struct site *site, struct recipe *recipe);
/* True if the interface, or a machine behind it, has groups of its own in the file. */
bool site_has_own_groups(const struct site *site, const char *name);

/* True if a file looks like a site file by its top-level keys, even if it has errors. */
bool site_is(const char *path);

void site_free(struct site *site);

#endif
