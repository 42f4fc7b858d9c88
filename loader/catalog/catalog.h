/* SPDX-License-Identifier: GPL-2.0 */
/* The catalog: profiles read from YAML files into a model. It does not depend on compiling or
 * BPF. */
#ifndef PORTCULLIS_CATALOG_CATALOG_H
#define PORTCULLIS_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/base/diag.h"
#include "loader/catalog/profile.h"

/* A catalog: folders searched in order, and the profiles read from them so far, each once. */
struct catalog {
	struct names folder;
	struct profile **profile;
	size_t profiles;
	/* a profile that file_trusted refuses gives a warning, because it is only checked */
	bool any_owner;
	/* the name of a profile that has no file; NULL: every profile has one */
	bool (*passes_over)(const char *path);
};

/*
 * The folders to search: those given by --catalog in order, then /etc/portcullis/profiles, then
 * the installed PREFIX/share/portcullis/profiles; a binary in a build tree (its own path ends in
 * build/portcullis beside a profiles/ folder) searches that tree's profiles/ instead of the
 * installed one. A given folder that cannot be read is an error in `diag`; -EINVAL then.
 */
int catalog_open(const struct names *given, struct catalog *catalog, struct diag *diag);
void catalog_close(struct catalog *catalog);

/*
 * The profile NAME, from NAME.yaml of the first folder that has it, read on first use.
 * NULL with errors in `diag`: unknown (with the nearest name), unreadable, not to be
 * trusted (trust.h), wrong, or its `profile:` is another name than the file's.
 */
const struct profile *catalog_find(struct catalog *catalog, const char *name, struct diag *diag);

/*
 * Adds a profile by its text, before a profile of that name is read; it hides those of the folders.
 * `path`: for messages. -EINVAL with errors in `diag`.
 */
int catalog_give(struct catalog *catalog, const char *path, const char *text, struct diag *diag);

/* Whether one of the folders has NAME.yaml. */
bool catalog_has(const struct catalog *catalog, const char *name);

/*
 * Reports everything wrong with one file, which need not be in the catalog's folders; its includes
 * are looked up there. A profile name that differs from the file's name gives a warning.
 */
void catalog_check_file(struct catalog *catalog, const char *path, struct diag *diag);

/*
 * The chosen profiles followed by all they include, each once, in the order of first mention.
 * Include cycles and unknown includes are errors. `*list` is allocated; its profiles belong to the
 * catalog. Returns 0 or -EINVAL.
 */
int catalog_resolve(struct catalog *catalog, const struct names *chosen,
		    const struct profile ***list, size_t *count, struct diag *diag);

/* Names of all profiles in the folders, sorted, each once (from file names; nothing is read). */
int catalog_names(const struct catalog *catalog, struct names *names, struct diag *diag);

/* Every group that any readable profile of the catalog names, and link-local. */
void catalog_groups(struct catalog *catalog, struct names *groups);

#endif
