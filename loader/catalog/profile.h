/* SPDX-License-Identifier: GPL-2.0 */
/* A profile: a vendor's list, read from YAML. Independent of compiling and BPF. */
#ifndef PORTCULLIS_CATALOG_PROFILE_H
#define PORTCULLIS_CATALOG_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/base/diag.h"
#include "loader/catalog/ports.h"

#define PROFILE_SITE	   "site"    /* no file: the ports that a site opens by --open */
#define CATALOG_FILE_LIMIT (1 << 20) /* bytes; 4,096 services take about half of it */

/*
 * The place where the product keeps a port number: prose; a file with what finds the number in it,
 * of which one is given; or a key of the Windows registry and the name of a value of it.
 */
struct configured_in {
	char *text;
	char *file;
	char *xpath;
	char *key;
	char *regex; /* POSIX extended, with a group around the number */
	char *registry;
	char *value;
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

/* The `outbound` key: connections that the product begins. */
enum profile_outbound {
	PROFILE_OUTBOUND_LISTED, /* no such key: the `out` rows are complete */
	PROFILE_OUTBOUND_NONE,	 /* the product begins none but those of its `out` rows */
	PROFILE_OUTBOUND_ANY,	 /* the vendor wants all outgoing traffic allowed */
	PROFILE_OUTBOUNDS,
};

/* "none", "any"; NULL for PROFILE_OUTBOUND_LISTED. */
extern const char *const profile_outbound_name[PROFILE_OUTBOUNDS];

struct profile {
	char *name;
	char *title;
	char *document;
	char *release; /* of the product, as the vendor writes it */
	char *as_of;   /* date of the list: "2021-08-06" or "2021-08" */
	char *url;
	char *path;    /* the file it was read from */
	char *text;    /* all of that file; NULL: it was not read from one */
	char *shadows; /* path of the profile of that name which this one hides, or NULL */
	struct names include;
	struct place name_place;     /* of the `profile:` name; its texts belong to the profile */
	struct place *include_place; /* of each include, likewise */
	enum profile_outbound outbound;
	bool containers;    /* the product runs in containers behind this host's addresses */
	bool second_hand;   /* the list is somebody else's, not the vendor's */
	bool protocol[256]; /* further IP protocols to admit */
	struct service *service;
	size_t services;
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
int profile_read_partial(const char *path, struct profile **profile, struct diag *diag);
void profile_free(struct profile *profile);

/* The first day that `as_of` names, in days since 1970-01-01; false if there is none. */
bool profile_list_day(const struct profile *profile, int *day);

const struct service *profile_service(const struct profile *profile, const char *name);
bool profile_has_feature(const struct profile *profile, const char *feature);

#endif
