/* SPDX-License-Identifier: GPL-2.0 */
/* A profile: a vendor's port list, read from YAML. It does not depend on compiling and BPF. */
#ifndef PORTCULLIS_CATALOG_PROFILE_H
#define PORTCULLIS_CATALOG_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/base/diag.h"
#include "loader/catalog/ports.h"

/* the profile without a file: the ports that a site opens by --open */
#define PROFILE_SITE	   "site"
#define CATALOG_FILE_LIMIT (1 << 20) /* bytes; 4,096 services take about half of it */

/*
 * The place where the product keeps a port number. Set are `text` (prose) alone; or `file` and one
 * of `xpath`, `key`, `regex`, which finds the number in it; or `registry` and `value`, a key of the
 * Windows registry and the name of its value.
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
	char *title; /* NULL: none, as for every text below */
	char *note;
	char *feature;
	struct ports in;
	struct ports out;
	struct ports from_port; /* has the same protocols as `in` */
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
	PROFILE_OUTBOUND_NONE,	 /* it begins only those of its `out` rows */
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
	char *text;    /* the file's whole text; NULL: it was not read from a file */
	char *shadows; /* path of the profile of the same name that this one hides, or NULL */
	struct names include;
	/* place of the `profile:` name; its texts belong to the profile */
	struct place name_place;
	struct place *include_place; /* place of each include, likewise */
	enum profile_outbound outbound;
	bool containers;    /* the product runs in containers behind this host's addresses */
	bool second_hand;   /* another party made the list, not the vendor */
	bool protocol[256]; /* further IP protocols to admit */
	struct service *service;
	size_t services;
};

/*
 * Reads one profile from text (a file's whole content) and reports every error in it at its place.
 * `path` is used in messages and kept. Returns 0 and a profile (freed by profile_free), or -EINVAL
 * with errors in `diag` and `*profile` untouched. Bounded: nesting, aliases, tags and anchors are
 * errors. The fuzzer calls this function.
 */
int profile_parse(const char *path, const char *text, size_t length, struct profile **profile,
		  struct diag *diag);

/* As profile_parse, of a file of at most CATALOG_FILE_LIMIT bytes. Returns also -errno of
 * reading. */
int profile_read(const char *path, struct profile **profile, struct diag *diag);
/*
 * As profile_read, but a file with errors gives a profile, too: the part that is valid. A file that
 * cannot be read gives none, and -errno.
 */
int profile_read_partial(const char *path, struct profile **profile, struct diag *diag);
void profile_free(struct profile *profile);

/* The first day that `as_of` names, in days since 1970-01-01; false if there is none. */
bool profile_list_day(const struct profile *profile, int *day);

const struct service *profile_service(const struct profile *profile, const char *name);
bool profile_has_feature(const struct profile *profile, const char *feature);

#endif
