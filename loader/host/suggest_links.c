// SPDX-License-Identifier: GPL-2.0
/* Chooses the interfaces through which other hosts come in. */
#include "loader/host/suggest_links.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "loader/base/memory.h"

static bool has_address(const struct links *links, const struct link *link)
{
	for (size_t i = 0; i < links->addresses; i++)
		if (links->address[i].ifindex == link->ifindex &&
		    links->address[i].scope < RT_SCOPE_LINK)
			return true;
	return false;
}

/* True if the bridge has no NIC of this host: it is one of containers and guests. */
static bool has_nic(const struct links *links, const struct link *bridge)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct link *port = &links->link[i];

		if (port->master == bridge->ifindex && strcmp(port->kind, "veth") != 0 &&
		    strcmp(port->kind, "tun") != 0)
			return true;
	}
	return false;
}

/* The reason why the interface is left out, or NULL. */
static const char *why_not(const struct links *links, const struct link *link)
{
	static const char *const kinds[] = {"dummy", "ifb", "vrf", "nlmon", "macvtap", "ipvtap"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return "nothing comes in by an interface of this kind";
	if (!strcmp(link->kind, "bridge") && !has_nic(links, link))
		return "a bridge for containers or guests of this host";
	return NULL;
}

void suggest_links(const struct links *links, struct names *names, struct names *left_out)
{
	for (size_t i = 0; i < links->count; i++) {
		const struct link *link = &links->link[i];
		__free_text char *line = NULL;
		const char *why;

		if (!(link->flags & IFF_UP) || link->flags & IFF_LOOPBACK ||
		    !has_address(links, link))
			continue;
		why = why_not(links, link);
		if (!why) {
			names_add(names, link->name);
			continue;
		}
		line = xasprintf("%s is left out: %s", link->name, why);
		names_add(left_out, line);
	}
}
