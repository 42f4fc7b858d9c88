/* SPDX-License-Identifier: GPL-2.0 */
/* The hosts that a ban should not cut off: administrators, gateways, name servers, this host. */
#ifndef PORTCULLIS_HOST_PROTECT_H
#define PORTCULLIS_HOST_PROTECT_H

#include <stdbool.h>

#include "loader/catalog/group.h"
#include "loader/recipe/administrators.h"

struct protected_host {
	__u8 family; /* AF_INET or AF_INET6 */
	__u8 address[16];
	const char *what; /* "your own session", "a gateway of this host" */
	bool login;	  /* of an administrator who is logged in to this host */
};

struct protected_hosts {
	struct protected_host *host;
	size_t count;
};

/*
 * Finds the present hosts. Administrators are searched only among sessions whose source is in these
 * prefixes, which are sorted by prefix_compare. What cannot be read is left out, with a warning.
 */
void protected_find(const struct prefix *prefix, size_t count, struct protected_hosts *hosts);
void protected_free(struct protected_hosts *hosts);

/*
 * Once the network is up, stores gateways, name servers and DHCP servers for the next boot, which
 * does not know them yet. Warns if it cannot.
 */
void protected_keep(const char *path, const char *boot_id);
/* Adds the hosts that another boot stored, if this boot has not stored its own. */
void protected_add_kept(const char *path, const char *boot_id, struct protected_hosts *hosts);

/* Adds the administrators of a file that protected_keep_administrators() wrote. */
void protected_add_administrators(const char *path, __u64 now, struct protected_hosts *hosts);
/* Writes that file; without any, removes it. Warns if it cannot. */
void protected_keep_administrators(const char *path, const struct administrators *list);

/* The prefix of a sorted list that contains the address, or NULL. */
const struct prefix *prefix_covering(const struct prefix *prefix, size_t count, __u8 family,
				     const __u8 *address);
/* The prefix of a sorted list that contains another prefix, or NULL. */
const struct prefix *prefix_enclosing(const struct prefix *list, size_t count,
				      const struct prefix *prefix);

#endif
