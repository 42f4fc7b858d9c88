// SPDX-License-Identifier: GPL-2.0
/* Finds interfaces without a filter, on a host that has a filter on another one. */
#include "loader/host/unfiltered.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/filter/hook.h"
#include "loader/net/link.h"

/*
 * True if no other host's packets come in by this interface: dummy and ifb receive nothing, packets
 * of a VRF come in by its members, and the other kinds belong to containers and guests.
 */
static bool is_left_out(const struct link *link)
{
	static const char *const kinds[] = {"bridge", "veth", "macvtap", "ipvtap",
					    "dummy",  "ifb",  "vrf",	 "nlmon"};
	size_t i;

	if (link->flags & IFF_LOOPBACK)
		return true;
	/* A tap belongs to a guest; a tun is a tunnel of this host. */
	if (!strcmp(link->kind, "tun"))
		return !(link->flags & IFF_POINTOPOINT);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return false;
}

/* A link-local IPv6 address does not count, because every interface has one. */
static bool has_address(const struct links *links, const struct link *link)
{
	size_t i;

	for (i = 0; i < links->addresses; i++)
		if (links->address[i].ifindex == link->ifindex &&
		    (links->address[i].family == AF_INET ||
		     links->address[i].scope < RT_SCOPE_LINK))
			return true;
	return false;
}

/* True if the interface, or one below it, has a filter. */
static bool is_seen(const struct links *links, const struct link *link, const struct hooks *hooks)
{
	size_t i;

	for (i = 0; i < hooks->count; i++)
		if (links_comes_by(links, link->ifindex, hooks->hook[i].ifindex))
			return true;
	return false;
}

int unfiltered_find(const struct hooks *hooks, struct names *names)
{
	struct links links = {};
	size_t i;
	int err;

	if (!hooks->count)
		return 0;
	err = links_read(&links);
	for (i = 0; !err && i < links.count; i++) {
		const struct link *link = &links.link[i];

		if (link->flags & IFF_UP && !is_left_out(link) && has_address(&links, link) &&
		    !is_seen(&links, link, hooks))
			names_add(names, link->name);
	}
	links_free(&links);
	return err;
}
