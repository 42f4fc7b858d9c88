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
 * Adds the groups of one kept text to the array of `groups --json`: the prefixes that no filter
 * before it had, and the services that each group opens there. `site`: for the origin of prefixes.
 * A group that a machine has of its own is named "eth0:mail:trusted".
 */
void report_groups_add(json_t *groups, const json_t *kept, const char *interface,
		       const struct site *site);

/* The number of services that admit a group, of this host and of machines behind it that share the
 * group. */
size_t report_groups_admitted(const json_t *kept, const char *name);

/* Adds the groups of the site file that are in no filter yet. */
void report_groups_add_site(json_t *groups, const struct site *site);

/*
 * Adds a grant to its group as a member; ignores a grant for an unknown group. report_grant_json:
 * {"prefix", "origin", "source", "since", "until", "by", "comment"}.
 */
void report_groups_grant(json_t *groups, const struct ban *grant, const struct ban_clock *clock);
json_t *report_grant_json(const struct ban *grant, const struct ban_clock *clock);

/* Prints the table of all groups; for the groups in `names`, also each prefix. */
void report_groups_text(const json_t *groups, const struct names *names, FILE *to);

#endif
