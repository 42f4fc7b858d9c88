// SPDX-License-Identifier: GPL-2.0
/* Finds the interfaces of this host that match the patterns of a site file. */
#include "loader/host/site_links.h"

#include <net/if.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/link.h"

/* The real names of the interfaces that the keys of the file name. */
static void add_named(const struct site *site, struct names *named)
{
	char real[IF_NAMESIZE];

	for (size_t i = 0; i < site->interfaces; i++)
		if (link_find(site->interface[i].name, real) > 0)
			names_add_once(named, real);
}

void site_take_links(struct site *site, const struct names *more, struct diag *diag)
{
	__cleanup(names_free) struct names named = {}, present = {};
	__cleanup(links_free) struct links links = {};

	if (!site->patterns)
		return;
	add_named(site, &named);
	if (!links_list(&links)) {
		for (size_t i = 0; i < links.count; i++)
			if (strcmp(links.link[i].name, "lo") &&
			    !names_have(&named, links.link[i].name))
				names_add_once(&present, links.link[i].name);
	}
	for (size_t i = 0; more && i < more->count; i++)
		if (!names_have(&named, more->name[i]))
			names_add_once(&present, more->name[i]);
	site_expand(site, &present, diag);
}
