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

int machine_addresses_check(const struct recipe *recipe, const struct site_interface *site,
			    bool warns, struct diag *diag)
{
	__cleanup(links_free) struct links links = {};
	int err = 0;

	if (!recipe->machines || links_read(&links))
		return 0;
	for (size_t i = 0; i < recipe->machines; i++) {
		const struct machine *machine = &recipe->machine[i];

		for (size_t j = 0; j < machine->addresses; j++) {
			const struct prefix *prefix = &machine->address[j];
			char text[PREFIX_TEXT];

			if (!is_whole(prefix) ||
			    !local_find(&links, prefix->family, prefix->address))
				continue;
			prefix_format(prefix, text);
			(warns ? diag_warning : diag_error)(
				diag, place_of(site, i, prefix),
				"machine %s: %s is an address of this host; list what is behind it at the interface itself",
				machine->name, text);
			err = warns ? err : -EINVAL;
		}
	}
	return err;
}

/*
 * Why a machine is on the network of the interface, and not behind it; NULL: it may be behind, as
 * far as is known. An address that only the network's own route leads to may be that of a macvlan,
 * to which this host itself cannot send.
 */
static const char *beside(struct mnl_socket *routes, const struct prefix *prefix,
			  unsigned int ifindex)
{
	struct route route = {};

	/* A stranger on the link can make itself a neighbour of any address. */
	if (route_match(routes, prefix->family, prefix->address, &route) ||
	    route.type != RTN_UNICAST || route.ifindex != ifindex)
		return NULL;
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
	char real[IF_NAMESIZE];
	int ifindex = recipe->machines ? link_find(interface, real) : 0, err = 0;

	if (ifindex <= 0 || netlink_open(NETLINK_ROUTE, &routes))
		return 0;
	for (size_t i = 0; i < recipe->machines; i++) {
		const struct machine *machine = &recipe->machine[i];
		size_t addresses =
			!only || names_have(only, machine->name) ? machine->addresses : 0;

		for (size_t j = 0; j < addresses; j++) {
			const struct prefix *prefix = &machine->address[j];
			const char *why = beside(routes, prefix, (unsigned int)ifindex);
			char text[PREFIX_TEXT];

			if (!why)
				continue;
			(warns ? diag_warning : diag_error)(
				diag, place_of(site, i, prefix),
				"machine %s: %s %s on %s itself, not behind it: what it sends comes in there, too, and the interface's own profiles decide about it; put it behind another interface or VLAN%s",
				machine->name, prefix_format(prefix, text), why, interface,
				warns ? "" : ", or give --force if another way leads out of it");
			err = warns ? err : -EINVAL;
		}
	}
	return err;
}

const struct link_address *machine_addresses_taken(const struct pc_generation *generation,
						   const struct links *links, size_t *from)
{
	while (generation->machines && *from < links->addresses) {
		const struct link_address *own = &links->address[(*from)++];
		const struct pc_machine *machine =
			machine_table_find(generation, own->family, own->address);

		if (machine && machine->class &&
		    machine->length != (own->family == AF_INET ? 32 : 128))
			return own;
	}
	return NULL;
}

bool machine_addresses_any_taken(const struct pc_generation *generation)
{
	__cleanup(links_free) struct links links = {};
	size_t from = 0;

	return generation->machines && !links_read(&links) &&
	       machine_addresses_taken(generation, &links, &from);
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
