/* SPDX-License-Identifier: GPL-2.0 */
/* IPv4 and IPv6 prefixes, and sorted lists of them. */
#ifndef PORTCULLIS_CATALOG_PREFIX_H
#define PORTCULLIS_CATALOG_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* address/length; the address in network byte order, IPv4 in the first 4 bytes. */
struct prefix {
	__u8 address[16];
	__u8 length;
	__u8 family; /* AF_INET or AF_INET6 */
};

/*
 * "10.0.0.0/8", "2001:db8::/32", or a bare address (/32, /128). Returns 0, or -EINVAL and in `*why`
 * (the caller frees) what is wrong: "10.1.2.3/8 has host bits set; write 10.0.0.0/8".
 * An IPv4-mapped IPv6 prefix (::ffff:0:0/96 and longer) is an error that names the IPv4 form.
 */
int prefix_parse(const char *text, struct prefix *prefix, char **why);
/* As prefix_parse, but only of the first `length` bytes. */
int prefix_parse_part(const char *text, size_t length, struct prefix *prefix, char **why);
#define PREFIX_TEXT 64
const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT]);
/* Order: IPv4 first, then by address, then by length, so that a prefix follows those that contain
 * it. */
int prefix_compare(const struct prefix *a, const struct prefix *b);
/* The address as text. `address` is as in struct prefix. */
bool prefix_contains(const struct prefix *prefix, __u8 family, const __u8 *address);

void prefixes_sort(struct prefix *prefix, size_t count);
/* Sorts the prefixes, and removes repeated ones. */
void prefixes_sort_once(struct prefix *prefix, size_t *count);
bool prefixes_same(const struct prefix *a, size_t as, const struct prefix *b, size_t bs);

/* The families whose every address is in the prefixes, which must be sorted. */
enum prefixes_cover {
	PREFIXES_NONE,
	PREFIXES_IPV4,
	PREFIXES_IPV6,
	PREFIXES_ALL,
};
enum prefixes_cover prefixes_cover(const struct prefix *prefix, size_t count);
/* "anyone", "anyone over IPv4", "anyone over IPv6"; NULL for PREFIXES_NONE. */
const char *prefixes_cover_text(enum prefixes_cover cover);

#endif
