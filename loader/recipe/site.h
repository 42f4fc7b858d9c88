/* SPDX-License-Identifier: GPL-2.0 */
/* The site file: the groups of a host, and the filter of each of its interfaces. */
#ifndef PORTCULLIS_RECIPE_SITE_H
#define PORTCULLIS_RECIPE_SITE_H

#include "loader/base/diag.h"
#include "loader/recipe/site_interface.h"

#define SITE_FILE	"/etc/portcullis/site.yaml"
#define SITE_FILE_LIMIT (1 << 20) /* bytes */
#define SITE_INTERFACES 1024

/* The places point into `path` and `text`. */
struct site {
	char *path;
	char *text;
	struct groups groups;
	bool groups_wrong;	  /* read in part: a group is missing */
	struct names wrong_group; /* of these, those that have a name */
	/* Groups that are read from a file: NAME, INTERFACE:NAME, INTERFACE:MACHINE:NAME. */
	struct names group_file;
	bool saved;		      /* a group's file is in groups/ beside the site file */
	bool unnamed_wrong;	      /* and there is something else: any name may be missing */
	struct names deny, never_ban; /* of `groups` */
	bool management_given;	      /* then no port at all is meant, too */
	struct ports management;
	bool interfaces_given; /* if only as {}: then no interface at all is meant */
	/* Names, in the order of the file; then those that patterns take (site_expand). */
	struct site_interface *interface;
	size_t interfaces;
	struct site_interface *pattern; /* keys as 'en*' */
	size_t patterns;
};

/*
 * Reads a site file from text and reports everything wrong with it, each at its place. It is held
 * against no catalog. `path` is kept for messages, and '@FILE' is looked up beside it. Returns 0
 * and a site (freed by site_free), or -EINVAL with errors in `diag` and an empty one.
 */
int site_parse(const char *path, const char *text, size_t length, struct site *site,
	       struct diag *diag);

/*
 * site_parse of a file, at most SITE_FILE_LIMIT bytes. Returns also -errno of reading, with an
 * error in `diag`, except for -ENOENT, which the caller reports.
 */
int site_read(const char *path, struct site *site, struct diag *diag);

/*
 * The file that --site names, or with `given` NULL SITE_FILE, which may be missing: the site is
 * empty then. Returns 0, or -errno with an error in `diag`.
 */
int site_open(const char *given, struct site *site, struct diag *diag);

/*
 * As site_open, but reads the parts without errors of a wrong file, for site_check alone; none of a
 * file that is not trusted, or not YAML.
 */
int site_read_partial(const char *given, struct site *site, struct diag *diag);

/*
 * As site_read, of a copy in which a group's '@FILE' is a file in groups/ beside it, by its name in
 * `group_file` (state.h).
 */
int site_saved(const char *path, struct site *site, struct diag *diag);

/*
 * Gives each of these interfaces that no key names to the pattern that matches it, as an entry of
 * its own, once. Two patterns that match it: an error that names both, and the entry is wrong.
 */
void site_expand(struct site *site, const struct names *present, struct diag *diag);

/* Warns of the patterns that took no interface. */
void site_warn_unmatched(const struct site *site, struct diag *diag);

/* The file's entry of this interface, or NULL. */
const struct site_interface *site_interface(const struct site *site, const char *name);

/* A group by its name in `group_file`, or NULL. */
const struct group *site_group(const struct site *site, const char *name);

/*
 * Adds the groups of the file to a recipe of this interface: those that count for it, and for those
 * of its machines that the file has too. `name` may match a pattern.
 */
void site_merge_groups(const struct site *site, const char *name, struct recipe *recipe);
/* Likewise to one machine of it. */
void site_merge_machine_groups(const struct site *site, const char *name, struct machine *machine);
/* Adds the groups of `deny` and `never-ban` to a recipe that has the groups of the file. */
void site_deny(const struct site *site, struct recipe *recipe);
/* True if the interface, or a machine behind it, has groups of its own in the file. */
bool site_has_own_groups(const struct site *site, const char *name);

/* True if a file is meant to be a site file: by its top-level keys, with or without errors. */
bool site_is(const char *path);

void site_free(struct site *site);

#endif
