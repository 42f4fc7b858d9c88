/* SPDX-License-Identifier: GPL-2.0 */
/* Groups: named sets of IPv4 and IPv6 prefixes. */
#ifndef PORTCULLIS_CATALOG_GROUP_H
#define PORTCULLIS_CATALOG_GROUP_H

#include <stddef.h>
#include <linux/types.h>

#include "loader/base/diag.h"
#include "loader/base/names.h"
#include "loader/catalog/prefix.h"

#define GROUP_LINK_LOCAL "link-local" /* built in: fe80::/10, 169.254.0.0/16 */
#define GROUP_ANYONE	 "anyone"     /* reserved: no restriction */
#define GROUP_FILE_LIMIT (16 << 20)   /* bytes of a NAME=@FILE */

/* The prefixes of GROUP_LINK_LOCAL, IPv4 then IPv6 (RFC 3927, RFC 4291). */
#define LINK_LOCALS 2
extern const struct prefix group_link_local[LINK_LOCALS];

struct group {
	char *name;
	struct prefix *prefix; /* in the order of prefix_compare, each once */
	size_t prefixes;
	struct names dns;     /* names of hosts; their last addresses are in `prefix`, too */
	/* `prefix` without the addresses of `dns`, in the same order; unset without names */
	struct prefix *fixed;
	size_t fixeds;
	struct names file; /* the files that some of its prefixes were read from */
};

struct groups {
	struct group *group;
	size_t count;
};

/*
 * Defines a group by "NAME=PREFIX[,PREFIX]", "NAME=@FILE" or "NAME=-" (stdin): a prefix a line;
 * blank lines and # comments. "dns:HOST" instead of a PREFIX stands for the addresses of its last
 * answer, if there is one (dns_answer.h). Replaces the group of that name. All errors of a file are
 * reported, each with its line. link-local is built in and cannot be defined. Returns 0, -EINVAL,
 * or -errno of the file.
 */
int groups_define(struct groups *groups, const char *definition, struct diag *diag);
/*
 * Adds a group from a list of prefixes. An empty list gives a group that admits no source. Errors
 * are reported at `place`.
 */
int groups_define_list(struct groups *groups, const char *name, const struct names *list,
		       const struct place *place, struct diag *diag);

/* Adds a group from a file as in NAME=@FILE; errors without a line are reported at `place`. */
struct group_file {
	char *path;
	struct place place;
};

/* As groups_define_list, and adds the prefixes of files. */
int groups_define_mixed(struct groups *groups, const char *name, const struct names *list,
			const struct group_file *file, size_t files, const struct place *place,
			struct diag *diag);
/*
 * Reads the prefixes of all words, each a PREFIX, @FILE or - (stdin), into a group without a name,
 * in order, each once. Call group_clear also after an error. `name`: of the command, for messages;
 * `limit`: bytes of a file.
 */
int prefixes_read(const char *name, const struct names *words, size_t limit, struct group *group,
		  struct diag *diag);
void group_clear(struct group *group);

/* Adds copies of all groups of `from`; each replaces the group of its name. */
void groups_merge(struct groups *to, const struct groups *from);
/*
 * Adds the names of "GROUP[,GROUP]", each once. GROUP_ANYONE must be alone. Returns 0, or -EINVAL
 * with the error in `diag`.
 */
int group_names_parse(const char *list, struct names *names, const struct place *place,
		      struct diag *diag);
const struct group *groups_find(const struct groups *groups, const char *name);
/* Returns false if there was no group of that name. */
bool groups_remove(struct groups *groups, const char *name);
/*
 * For a group that is defined with all its prefixes: sets its names of hosts, and which prefixes
 * are not from DNS. -EINVAL with an error in `diag`.
 */
int groups_set_dns(struct groups *groups, const char *name, const struct names *dns,
		   const struct names *fixed, const struct place *place, struct diag *diag);
/*
 * Replaces the prefixes that are from DNS by those of the last answers. With `keep`, or if a name
 * has no answer, it removes none. True if the prefixes changed.
 */
bool group_renew(struct group *group, bool keep);
/* The prefixes that are not from DNS. */
const struct prefix *group_fixed(const struct group *group, size_t *count);
bool group_same_fixed(const struct group *a, const struct group *b);
void groups_free(struct groups *groups);

#endif
