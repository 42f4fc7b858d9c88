/* SPDX-License-Identifier: GPL-2.0 */
/* Groups: named sets of IPv4 and IPv6 prefixes. */
#ifndef PORTCULLIS_CATALOG_GROUP_H
#define PORTCULLIS_CATALOG_GROUP_H

#include <stddef.h>
#include <linux/types.h>

#include "loader/base/diag.h"
#include "loader/base/names.h"

#define GROUP_LINK_LOCAL "link-local" /* built in: fe80::/10, 169.254.0.0/16 */
#define GROUP_ANYONE	 "anyone"     /* reserved: no restriction */
#define GROUP_FILE_LIMIT (16 << 20)   /* bytes of a NAME=@FILE */

/* address/length; the address in network byte order, IPv4 in the first 4 bytes. */
struct prefix {
	__u8 address[16];
	__u8 length;
	__u8 family; /* AF_INET or AF_INET6 */
};

struct group {
	char *name;
	struct prefix *prefix; /* in the order of prefix_compare, each once */
	size_t prefixes;
};

struct groups {
	struct group *group;
	size_t count;
};

/*
 * "10.0.0.0/8", "2001:db8::/32", or a bare address (/32, /128). Returns 0, or -EINVAL and in `*why`
 * (the caller frees) what is wrong: "10.1.2.3/8 has host bits set; write 10.0.0.0/8".
 * An IPv4-mapped IPv6 prefix (::ffff:0:0/96 and longer) is an error that names the IPv4 form.
 */
int prefix_parse(const char *text, struct prefix *prefix, char **why);
#define PREFIX_TEXT 64
const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT]);
/* Order: IPv4 first, then by address, then by length: a prefix follows those that enclose it. */
int prefix_compare(const struct prefix *a, const struct prefix *b);
/* The address as in struct prefix. */
bool prefix_contains(const struct prefix *prefix, __u8 family, const __u8 *address);

void prefixes_sort(struct prefix *prefix, size_t count);

/* The families for which prefixes in that order cover every address. */
enum prefixes_cover {
	PREFIXES_NONE,
	PREFIXES_IPV4,
	PREFIXES_IPV6,
	PREFIXES_ALL,
};
enum prefixes_cover prefixes_cover(const struct prefix *prefix, size_t count);
/* "anyone", "anyone over IPv4", "anyone over IPv6"; NULL of none. */
const char *prefixes_cover_text(enum prefixes_cover cover);

/*
 * "NAME=PREFIX[,PREFIX]", or "NAME=@FILE" or "NAME=-" of stdin (a prefix a line; blank lines and
 * # comments). Replaces the group of that name. All errors of a file are reported, each with its
 * line. link-local is built in and cannot be defined. Returns 0, -EINVAL, or -errno of the file.
 */
int groups_define(struct groups *groups, const char *definition, struct diag *diag);
/* Adds a group from a list of prefixes; of none, a group that admits nobody. Errors are reported at
 * `place`. */
int groups_define_list(struct groups *groups, const char *name, const struct names *list,
		       const struct place *place, struct diag *diag);

/* A file as in NAME=@FILE; errors without a line in it are reported at `place`. */
struct group_file {
	char *path;
	struct place place;
};

/* As groups_define_list, with the prefixes of files too. */
int groups_define_mixed(struct groups *groups, const char *name, const struct names *list,
			const struct group_file *file, size_t files, const struct place *place,
			struct diag *diag);
/* Adds copies of all groups of `from`, which replace those of their names. */
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
void groups_free(struct groups *groups);

#endif
