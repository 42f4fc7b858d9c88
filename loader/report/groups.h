/* SPDX-License-Identifier: GPL-2.0 */
/* The groups of live filters and of the site file, as `groups` shows them. */
#ifndef PORTCULLIS_REPORT_GROUPS_H
#define PORTCULLIS_REPORT_GROUPS_H

#include <jansson.h>
#include <stdio.h>

#include "loader/base/names.h"
#include "loader/recipe/ban_file.h"
#include "loader/recipe/site.h"

/*
 * Adds to the array of `groups --json` the groups of one kept text: prefixes that no filter before
 * it had, and the services that the group opens there. `site`: tells where a prefix is from. A
 * group that a machine has of its own is named "eth0:mail:trusted".
 */
void report_groups_add(json_t *groups, const json_t *kept, const char *interface,
		       const struct site *site);

/* How many services a group lets in, of this host and of machines behind it that share the group.
 */
size_t report_groups_admitted(const json_t *kept, const char *name);

/* Adds the groups of the site file that no filter has yet. */
void report_groups_add_site(json_t *groups, const struct site *site);

/*
 * Adds a grant to its group, as a member; of an unknown group, none. report_grant_json: {"prefix",
 * "origin", "source", "since", "until", "by", "comment"}.
 */
void report_groups_grant(json_t *groups, const struct ban *grant, const struct ban_clock *clock);
json_t *report_grant_json(const struct ban *grant, const struct ban_clock *clock);

/* Prints the table of all groups; of those in `names`, each prefix. */
void report_groups_text(const json_t *groups, const struct names *names, FILE *to);

#endif
