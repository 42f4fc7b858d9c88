/* SPDX-License-Identifier: GPL-2.0 */
/* Which prefixes come and go between two kept texts, service by service. */
#ifndef PORTCULLIS_REPORT_DIFFERENCE_GROUPS_H
#define PORTCULLIS_REPORT_DIFFERENCE_GROUPS_H

#include <jansson.h>

/*
 * Takes one change in parts: "opens", "25/tcp", " from anyone (xeams:smtp)".
 */
typedef void difference_tell(void *context, const char *word, const char *what, const char *how);

/*
 * Tells of each open service of both whose groups have other prefixes: "changes", "22/tcp
 * (ssh:ssh)", ": + 10.0.0.0/8, - 192.0.2.0/24", of each kind the first few. Of a group that no open
 * service has, "group NAME". A service that admits anyone without a group has no prefixes. Returns
 * how often it told.
 */
size_t difference_groups(const json_t *before, const json_t *after, difference_tell *tell,
			 void *context);

/*
 * "mgmt", or "mgmt (anyone)", "mgmt (anyone over IPv4)" where the prefixes of a kept text's group
 * stand for all of a family. The caller frees.
 */
char *difference_group_text(const json_t *kept, const char *group);

#endif
