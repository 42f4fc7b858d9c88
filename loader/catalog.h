/* SPDX-License-Identifier: GPL-2.0 */
/* The catalog: profiles read from YAML files into a model. Knows nothing of compiling or BPF. */
#ifndef PORTCULLIS_CATALOG_H
#define PORTCULLIS_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "loader/base/diag.h"
#include "loader/ports.h"

#define CATALOG_FILE_LIMIT (1 << 20)	/* bytes; 4,096 services take about half of it */
#define GROUP_LINK_LOCAL   "link-local" /* built in: fe80::/10, 169.254.0.0/16 */

/* Where the product keeps a port number: prose, or a file and an xpath in it. */
struct configured_in {
	char *text;
	char *file;
	char *xpath;
};

struct service {
	char *name;
	char *title; /* NULL: none, as every text below */
	char *note;
	char *feature;
	struct ports in;
	struct ports out;
	struct ports from_port; /* protocols are those of `in` */
	struct names from;	/* empty: anyone */
	struct names to;
	struct names formerly;	       /* old names of this service */
	struct names feature_formerly; /* old names of its feature */
	struct configured_in configured_in;
	bool fixed;
	bool local;
	bool dynamic;
};

struct profile {
	char *name;
	char *title;
	char *document;
	char *path;    /* the file it was read from */
	char *text;    /* all of that file; NULL: it was not read from one */
	char *shadows; /* path of the profile of that name which this one hides, or NULL */
	struct names include;
	struct place name_place;     /* of the `profile:` name; its texts belong to the profile */
	struct place *include_place; /* of each include, likewise */
	bool protocol[256];	     /* further IP protocols to admit */
	struct service *service;
	size_t services;
};

/* A catalog: folders searched in order, and the profiles read from them so far, each once. */
struct catalog {
	struct names folder;
	struct profile **profile;
	size_t profiles;
	bool any_owner; /* a profile that file_trusted refuses is a warning: it is only checked */
};

/*
 * Reads one profile from text (a file's whole content) and reports everything wrong with it: all
 * errors of one run, each at its place. `path` is used in messages and kept. Returns 0 and a
 * profile (freed by profile_free), or -EINVAL with errors in `diag` and `*profile` untouched.
 * Bounded: nesting, aliases, tags and anchors are errors. This is what the fuzzer drives.
 */
int profile_parse(const char *path, const char *text, size_t length, struct profile **profile,
		  struct diag *diag);

/* profile_parse on a file, at most CATALOG_FILE_LIMIT bytes. Returns also -errno of reading. */
int profile_read(const char *path, struct profile **profile, struct diag *diag);
/*
 * As profile_read, but also a file with errors gives the profile as far as it was understood; only
 * one that cannot be read gives none, and -errno.
 */
int profile_draft(const char *path, struct profile **profile, struct diag *diag);
void profile_free(struct profile *profile);

const struct service *profile_service(const struct profile *profile, const char *name);
bool profile_has_feature(const struct profile *profile, const char *feature);

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
 * Everything wrong with one file, which need not be a part of the catalog; what it includes is
 * looked up there. A name that is not the file's is a warning.
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
