/* SPDX-License-Identifier: GPL-2.0 */
/* The prefixes that are added and removed between two kept texts, service by service. */
#ifndef PORTCULLIS_REPORT_DIFFERENCE_GROUPS_H
#define PORTCULLIS_REPORT_DIFFERENCE_GROUPS_H

#include <jansson.h>

/* Receives one change in parts: "opens", "25/tcp", " from anyone (xeams:smtp)". */
typedef void difference_tell(void *context, const char *word, const char *what, const char *how);

/*
 * Calls `tell` for each service that is open in both texts and whose groups have other prefixes:
 * "changes", "22/tcp (ssh:ssh)", ": + 10.0.0.0/8, - 192.0.2.0/24", with the first few of each kind.
 * A group that no open service has is reported as "group NAME". A service that admits anyone
 * without a group has no prefixes. Returns the number of calls.
 */
size_t difference_groups(const json_t *before, const json_t *after, difference_tell *tell,
			 void *context);

/*
 * "mgmt", or "mgmt (anyone)", "mgmt (anyone over IPv4)" if the prefixes of a kept text's group
 * cover a whole address family. The caller frees.
 */
char *difference_group_text(const json_t *kept, const char *group);

#endif
