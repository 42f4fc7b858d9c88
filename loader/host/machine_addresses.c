// SPDX-License-Identifier: GPL-2.0
/* Compares the addresses of machines with those of this host. */
#include "loader/host/machine_addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/compile/machine_table.h"
#include "loader/host/bans.h"
#include "loader/net/link.h"
#include "loader/net/local_address.h"
#include "loader/net/netlink.h"
#include "loader/net/route.h"
#include "loader/recipe/own_addresses.h"

static const struct place *place_of(const struct site_interface *site, size_t machine,
				    const struct prefix *prefix)
{
	const struct site_interface *entry;

	if (!site || machine >= site->machines)
		return NULL;
	entry = &site->machine[machine];
	for (size_t i = 0; i < entry->addresses; i++)
		if (!prefix_compare(&entry->address[i].prefix, prefix))
			return &entry->address[i].place;
	return &entry->place;
}

static bool is_whole(const struct prefix *prefix)
{
	return prefix->length == (prefix->family == AF_INET ? 32 : 128);
}

/* The reason why the prefix cannot belong to a machine; NULL: it can. */
static const char *taken_as(const struct links *links, const struct link_address *taken,
			    size_t count, const struct prefix *prefix)
{
	if (local_find(links, prefix->family, prefix->address))
		return "an address of this host; list what is behind it at the interface itself";
	for (size_t i = 0; i < count; i++)
		if (taken[i].family == prefix->family &&
		    !memcmp(taken[i].address, prefix->address, prefix->family == AF_INET ? 4 : 16))
			return prefix->family == AF_INET ?
				       "the broadcast address of a network of this host, and packets to it are this host's" :
				       "the anycast address of a network of this host, and packets to it are this host's";
	return NULL;
}

int machine_addresses_check(const struct recipe *recipe, const struct site_interface *site,
			    bool warns, struct diag *diag)
{
	__cleanup(text_free) struct link_address *taken = NULL;
	__cleanup(links_free) struct links links = {};
	size_t takens;
	int err = 0;

	if (!recipe->machines || links_read(&links))
		return 0;
	takens = local_taken(&links, &taken);
	for (size_t i = 0; i < recipe->machines; i++) {
		const struct machine *machine = &recipe->machine[i];

		for (size_t j = 0; j < machine->addresses; j++) {
			const struct prefix *prefix = &machine->address[j];
			const char *what =
				is_whole(prefix) ? taken_as(&links, taken, takens, prefix) : NULL;
			char text[PREFIX_TEXT];

			if (!what)
				continue;
			(warns ? diag_warning : diag_error)(diag, place_of(site, i, prefix),
							    "machine %s: %s is %s", machine->name,
							    prefix_format(prefix, text), what);
			err = warns ? err : -EINVAL;
		}
	}
	return err;
}

/*
 * Why a machine is on the network of the interface, and not behind it; NULL: it may be behind it.
 * If only the network's own route has the address, a macvlan may have it, to which this host itself
 * cannot send.
 */
static const char *beside(struct mnl_socket *routes, const struct links *links,
			  const struct prefix *prefix, unsigned int ifindex)
{
	struct route route = {};

	/* A neighbour entry proves nothing: a stranger on the link can claim any address. */
	if (route_match(routes, prefix->family, prefix->address, &route) ||
	    route.type != RTN_UNICAST)
		return NULL;
	if (route.ifindex != ifindex)
		return links_is_vlan(links, route.ifindex, ifindex) ? "is behind a VLAN" : NULL;
	if (route.gateway)
		return route.length ? "is behind a router" : NULL;
	if (is_whole(prefix) && route_neighbour(routes, prefix->family, prefix->address, ifindex))
		return "is a neighbour";
	return NULL;
}

int machine_addresses_check_side(const struct recipe *recipe, const struct site_interface *site,
				 const char *interface, const struct names *only, bool warns,
				 struct diag *diag)
{
	__cleanup(netlink_close) struct mnl_socket *routes = NULL;
	__cleanup(links_free) struct links links = {};
	char real[IF_NAMESIZE];
	int ifindex = recipe->machines ? link_find(interface, real) : 0, err = 0;

	if (ifindex <= 0 || netlink_open(NETLINK_ROUTE, &routes) || links_list(&links))
		return 0;
	for (size_t i = 0; i < recipe->machines; i++) {
		const struct machine *machine = &recipe->machine[i];
		size_t addresses =
			!only || names_have(only, machine->name) ? machine->addresses : 0;

		for (size_t j = 0; j < addresses; j++) {
			const struct prefix *prefix = &machine->address[j];
			const char *why = beside(routes, &links, prefix, (unsigned int)ifindex);
			char text[PREFIX_TEXT];

			if (!why)
				continue;
			(warns ? diag_warning : diag_error)(
				diag, place_of(site, i, prefix),
				"machine %s: %s %s on %s itself, not behind it: what it sends comes in there, too, and the interface's own profiles decide about it; put it behind another interface, or filter the VLAN that leads outside%s",
				machine->name, prefix_format(prefix, text), why, interface,
				warns ? "" : ", or give --force if another way leads out of it");
			err = warns ? err : -EINVAL;
		}
	}
	return err;
}

size_t machine_addresses_taken(const struct pc_generation *generation, struct link_address **own)
{
	__cleanup(links_free) struct links links = {};
	size_t count, lost = 0;

	*own = NULL;
	if (!generation->machines || links_read(&links))
		return 0;
	count = local_taken(&links, own);
	for (size_t i = 0; i < count; i++) {
		const struct pc_machine *machine =
			machine_table_find(generation, (*own)[i].family, (*own)[i].address);

		if (machine && machine->class)
			(*own)[lost++] = (*own)[i];
	}
	return lost;
}

bool machine_addresses_any_taken(const struct pc_generation *generation)
{
	__cleanup(text_free) struct link_address *own = NULL;

	return machine_addresses_taken(generation, &own) > 0;
}

void machine_addresses_keep(void)
{
	__free_text char *path = bans_file_path("addresses"), *folder = xstrdup(path);
	__cleanup(links_free) struct links links = {};
	char *name = strrchr(folder, '/');

	*name++ = '\0';
	if (!links_read(&links))
		own_addresses_keep(folder, name, &links);
}

size_t machine_addresses_kept(struct prefix **address)
{
	__free_text char *path = bans_file_path("addresses");

	return own_addresses_read(path, address);
}
