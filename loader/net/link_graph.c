// SPDX-License-Identifier: GPL-2.0
/* The graph of interfaces on top of interfaces. */
#include "loader/net/link_graph.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define DEPTH 16 /* depth of interfaces on interfaces; the kernel allows 8 (MAX_NEST_DEV) */

const struct link *links_find(const struct links *links, unsigned int ifindex)
{
	size_t i;

	for (i = 0; ifindex && i < links->count; i++)
		if (links->link[i].ifindex == ifindex)
			return &links->link[i];
	return NULL;
}

/* Tunnels and veth have a lower link too, but their packets belong to another network. */
static bool shares_network(const struct link *upper)
{
	static const char *const kinds[] = {"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(upper->kind, kinds[i]))
			return true;
	return false;
}

bool links_is_above(const struct link *upper, const struct link *lower)
{
	if (!strcmp(upper->kind, "vrf"))
		return false;
	return lower->master == upper->ifindex ||
	       (upper->lower == lower->ifindex && shares_network(upper));
}

static bool comes_by(const struct links *links, const struct link *upper, unsigned int lower,
		     int depth)
{
	size_t i;

	if (upper->ifindex == lower)
		return true;
	for (i = 0; depth && i < links->count; i++)
		if (links_is_above(upper, &links->link[i]) &&
		    comes_by(links, &links->link[i], lower, depth - 1))
			return true;
	return false;
}

bool links_comes_by(const struct links *links, unsigned int upper, unsigned int lower)
{
	const struct link *link = links_find(links, upper);

	return link && comes_by(links, link, lower, DEPTH);
}

static bool joins_links(const struct link *master)
{
	return !strcmp(master->kind, "bridge") || !strcmp(master->kind, "bond") ||
	       !strcmp(master->kind, "team");
}

unsigned int links_zone(const struct links *links, unsigned int ifindex)
{
	const struct link *own = links_find(links, ifindex), *master;

	while (own && (master = links_find(links, own->master)) && joins_links(master))
		own = master;
	return own ? own->ifindex : ifindex;
}

/* The interface above `link` through which its packets reach `upper`; NULL: none. */
static const struct link *step_up(const struct links *links, const struct link *link,
				  unsigned int upper)
{
	size_t i;

	for (i = 0; i < links->count; i++)
		if (links_is_above(&links->link[i], link) &&
		    links_comes_by(links, upper, links->link[i].ifindex))
			return &links->link[i];
	return NULL;
}

size_t links_way(const struct links *links, unsigned int lower, unsigned int upper,
		 const struct link *way[LINKS_WAY])
{
	const struct link *at = links_find(links, lower);
	size_t count = 0;

	while (at && count < LINKS_WAY) {
		way[count++] = at;
		at = at->ifindex == upper ? NULL : step_up(links, at, upper);
	}
	return count;
}

bool links_is_vlan(const struct links *links, unsigned int upper, unsigned int lower)
{
	const struct link *way[LINKS_WAY];
	size_t count = links_way(links, lower, upper, way);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(way[i]->kind, "bridge"))
			return false;
	return count > 1 && !strcmp(way[count - 1]->kind, "vlan");
}

void links_free(struct links *links)
{
	free(links->link);
	free(links->address);
	*links = (struct links){};
}
