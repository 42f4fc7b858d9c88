// SPDX-License-Identifier: GPL-2.0
/* `doctor`'s checks of machines and containers behind an interface. */
#include "loader/doctor/machines.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/host/machine_addresses.h"
#include "loader/net/link.h"
#include "loader/net/netlink.h"
#include "loader/net/published.h"
#include "loader/net/route.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"

/* Marks the ports of a range that an open service lists. */
static void note_listed(const json_t *service, const struct published *published, bool *listed)
{
	enum pc_transport transport = published->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;
	__cleanup(ports_free) struct ports ports = {};

	if (!service_open(service, false))
		return;
	service_ports(service, &ports);
	for (__u32 port = published->port; port <= published->last; port++)
		listed[port - published->port] |= ports_have(&ports, transport, (__u16)port);
}

/* Whether open services list all of the ports. */
static bool lists(const json_t *profiles, const struct published *published)
{
	size_t count = published->last - published->port + 1, i, j;
	__free_text bool *listed = xcalloc(count, sizeof(*listed));
	const json_t *profile, *service;

	json_array_foreach (profiles, i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			note_listed(service, published, listed);
	return !memchr(listed, false, count);
}

static bool is_listed(const json_t *kept, const struct published *port)
{
	const json_t *machine;
	size_t i;

	/* A rule for any address is for this host's addresses, too. */
	json_array_foreach (json_object_get(kept, "machines"), i, machine)
		if (port->addressed && lists(json_object_get(machine, "profiles"), port))
			return true;
	return lists(json_object_get(kept, "profiles"), port);
}

static void check_published(struct doctor *doctor, const struct patient *patient)
{
	__cleanup(text_free) struct published *list = NULL;
	__cleanup(links_free) struct links links = {};
	size_t count, i;

	if (published_read(&list, &count) || links_list(&links))
		return;
	for (i = 0; i < count; i++) {
		enum pc_transport transport = list[i].protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;
		__free_text char *ports =
			port_range_text(list[i].port, list[i].last, transport_name[transport]);
		__free_text char *fix =
			xasprintf("portcullis swap %s --open %s", patient->name, ports);

		if (!list[i].redirected && !is_listed(patient->kept, &list[i]) &&
		    published_comes_by(&list[i], &links, patient->hook.ifindex))
			doctor_say(
				doctor, "published", DOCTOR_WARNING, fix,
				"%s is published by DNAT, as for a container, and closed: no profile lists it",
				ports);
	}
}

#define ADDRESSES_TRIED 8 /* addresses tried: the first ones may be this host's, or anycast */

/* The route to the first address of a prefix that belongs to another host; RTN_UNSPEC: none. */
static void route_to(struct mnl_socket *routes, const struct prefix *prefix, struct route *route)
{
	size_t last = prefix->family == AF_INET ? 3 : 15;
	struct prefix next = *prefix;

	for (__u8 i = 0; i < ADDRESSES_TRIED; i++) {
		next.address[last] = prefix->address[last] + i;
		if (!prefix_contains(prefix, next.family, next.address))
			return;
		*route = (struct route){};
		if (route_find(routes, next.family, next.address, route) ||
		    route->type == RTN_UNICAST)
			return;
	}
}

static void check_address(struct doctor *doctor, const struct patient *patient,
			  struct mnl_socket *routes, const struct links *links, const char *machine,
			  const char *text)
{
	__free_text char *why = NULL;
	struct route route = {};
	struct prefix prefix;

	if (prefix_parse(text, &prefix, &why))
		return;
	route_to(routes, &prefix, &route);
	if (route.type == RTN_LOCAL || route.type == RTN_BROADCAST || route.type == RTN_ANYCAST)
		doctor_say(
			doctor, "machines", DOCTOR_WARNING, NULL,
			"machine %s: this host takes packets to %s itself, so the interface's own profiles decide about them",
			machine, text);
	else if (route.type != RTN_UNICAST)
		doctor_say(doctor, "machines", DOCTOR_WARNING, NULL,
			   "machine %s: this host has no route to %s", machine, text);
	else if (route.ifindex == patient->hook.ifindex ||
		 links_is_vlan(links, route.ifindex, patient->hook.ifindex))
		doctor_say(
			doctor, "machines", DOCTOR_WARNING, NULL,
			"machine %s: %s is routed out of this interface, not behind it: is the address right?",
			machine, text);
}

static void check_machines(struct doctor *doctor, const struct patient *patient)
{
	__cleanup(netlink_close) struct mnl_socket *routes = NULL;
	__cleanup(links_free) struct links links = {};
	const json_t *machine, *text;
	size_t i, j;

	if (!kept_machines(patient->kept) || netlink_open(NETLINK_ROUTE, &routes) ||
	    links_list(&links))
		return;
	json_array_foreach (json_object_get(patient->kept, "machines"), i, machine)
		json_array_foreach (json_object_get(machine, "address"), j, text)
			if (json_is_string(text))
				check_address(doctor, patient, routes, &links,
					      kept_machine_name(patient->kept, i),
					      json_string_value(text));
}

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a, b->family, b->address) ||
	       prefix_contains(b, a->family, a->address);
}

/* True if a machine has an address of the prefix. */
static bool has_machine(const json_t *kept, const struct prefix *prefix)
{
	const json_t *machine, *text;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "machines"), i, machine)
		json_array_foreach (json_object_get(machine, "address"), j, text) {
			__free_text char *why = NULL;
			struct prefix own;

			if (json_is_string(text) &&
			    !prefix_parse(json_string_value(text), &own, &why) &&
			    overlap(&own, prefix))
				return true;
		}
	return false;
}

/* True if packets that come in by the interface may be forwarded to the network. */
static bool is_behind(const struct network *network, const struct links *links,
		      unsigned int ifindex)
{
	static const __u8 link_local[] = {0xfe, 0x80};
	const struct link *link = links_find(links, network->ifindex);

	return link && !(link->flags & IFF_LOOPBACK) && network->ifindex != ifindex &&
	       !links_comes_by(links, network->ifindex, ifindex) &&
	       (network->family == AF_INET || memcmp(network->address, link_local, 2));
}

/* Reports networks to which this host forwards, and of which no machine has an address. */
static void check_networks(struct doctor *doctor, const struct patient *patient)
{
	__cleanup(text_free) struct network *network = NULL;
	__cleanup(names_free) struct names without = {};
	__cleanup(links_free) struct links links = {};
	__free_text char *list = NULL, *fix = NULL;
	char first[PREFIX_TEXT];
	size_t count, i;

	if (!kept_machines(patient->kept) || networks_read(&network, &count) || links_read(&links))
		return;
	for (i = 0; i < count; i++) {
		struct prefix prefix = {.family = network[i].family, .length = network[i].length};
		__free_text char *text = NULL;

		memcpy(prefix.address, network[i].address, sizeof(prefix.address));
		if (!is_behind(&network[i], &links, patient->hook.ifindex) ||
		    has_machine(patient->kept, &prefix))
			continue;
		if (!without.count)
			prefix_format(&prefix, first);
		text = xasprintf("%s (%s)", prefix_format(&prefix, (char[PREFIX_TEXT]){}),
				 links_find(&links, network[i].ifindex)->name);
		names_add(&without, text);
	}
	if (!without.count)
		return;
	list = names_join(&without, ", ");
	fix = xasprintf("portcullis swap %s --machine NAME=%s -p PROFILE", patient->name, first);
	doctor_say(
		doctor, "machines", DOCTOR_WARNING, fix,
		"no machine has %s, routed behind this host: the interface's own profiles decide about it%s",
		list,
		patient->open && patient->filter.current.copy->forward == PC_FORWARD_ALL ?
			"" :
			", and without --forward the replies to its connections are dropped");
}

/* Reports an address that this host got after the table was made, and that the table gives to a
 * machine. */
static void check_own(struct doctor *doctor, const struct patient *patient)
{
	const struct pc_generation *current = patient->open ? patient->filter.current.copy : NULL;
	__cleanup(text_free) struct link_address *own = NULL;
	size_t count = current ? machine_addresses_taken(current, &own) : 0;

	for (size_t i = 0; i < count; i++) {
		__free_text char *fix = xasprintf("portcullis swap %s", patient->name);
		char text[INET6_ADDRSTRLEN];

		if (!inet_ntop(own[i].family, own[i].address, text, sizeof(text)))
			continue;
		doctor_say(
			doctor, "machines", DOCTOR_PROBLEM, fix,
			"%s, an address of this host, is inside the prefix of a machine, and counts as the machine's, because it was added after the filter",
			text);
	}
}

void doctor_machines(struct doctor *doctor, const struct patient *patient)
{
	if (!patient->kept)
		return;
	check_published(doctor, patient);
	check_machines(doctor, patient);
	check_networks(doctor, patient);
	check_own(doctor, patient);
}
