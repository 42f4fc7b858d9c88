// SPDX-License-Identifier: GPL-2.0
/* Finds out whether servers of a network namespace can be reached. */
#include "loader/guard/reach.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "loader/base/memory.h"

#define DEPTH 16 /* depth of interfaces on interfaces; the kernel allows 8 (MAX_NEST_DEV) */

bool guard_any_address(const __u8 address[16])
{
	static const __u8 zero[16];

	return !memcmp(address, zero, sizeof(zero));
}

static bool is_loopback(__u8 family, const __u8 address[16])
{
	static const __u8 one[16] = {[15] = 1};

	return family == AF_INET ? address[0] == 127 : !memcmp(address, one, sizeof(one));
}

enum pc_transport guard_transport(const struct socket_info *socket)
{
	return socket->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;
}

const struct link *guard_owner(const struct guard_world *world, const struct socket_info *socket)
{
	size_t i;

	for (i = 0; i < world->links.addresses; i++) {
		const struct link_address *address = &world->links.address[i];

		if (address->family == socket->family &&
		    !memcmp(address->address, socket->local, sizeof(socket->local)))
			return links_find(&world->links, address->ifindex);
	}
	return NULL;
}

bool guard_admits_any(const struct pc_generation *generation, enum pc_transport transport,
		      __u16 port)
{
	__u16 entry = generation->port[PC_PORT(transport, port)];

	/* Every rule in the list admits some sources. */
	return generation->policy != PC_POLICY_ENFORCE || entry != PC_PORT_CLOSED;
}

const struct pc_generation *guard_judging(const struct guard_world *world,
					  const struct guard_target *target, size_t count,
					  unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (target[i].ifindex == ifindex)
			return target[i].plan->tables.generation;
	for (i = 0; i < world->filters; i++)
		if (world->filter[i].ifindex == ifindex)
			return world->filter[i].generation;
	return NULL;
}

/* A server, and the new rule sets; without targets, the active rule sets. */
struct question {
	const struct guard_world *world;
	const struct guard_target *target;
	size_t targets;
	const struct socket_info *server;
};

/* Behind these ports of a bridge are only this machine's own guests, and no administrators. */
static bool is_guest(const struct link *upper, const struct link *lower)
{
	return !strcmp(upper->kind, "bridge") &&
	       (!strcmp(lower->kind, "veth") || !strcmp(lower->kind, "tun"));
}

/* True if the interface admits any source, and so does one of the interfaces below it. */
static bool admits(const struct question *question, const struct link *link, int depth)
{
	const struct socket_info *server = question->server;
	const struct links *links = &question->world->links;
	const struct pc_generation *generation =
		guard_judging(question->world, question->target, question->targets, link->ifindex);
	bool lowest = true;
	size_t i;

	if (generation &&
	    !guard_admits_any(generation, guard_transport(server), server->local_port))
		return false;
	for (i = 0; depth && i < links->count; i++) {
		const struct link *lower = &links->link[i];

		if (!links_is_above(link, lower))
			continue;
		lowest = false;
		if (lower->flags & IFF_UP && !is_guest(link, lower) &&
		    admits(question, lower, depth - 1))
			return true;
	}
	return lowest;
}

/* True if the network is reached by the interface. */
static bool is_outside(const struct link *link)
{
	static const char *const none[] = {"dummy", "ifb", "vrf", "nlmon"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		if (!strcmp(link->kind, none[i]))
			return false;
	return !(link->flags & IFF_LOOPBACK);
}

/* True if a packet to this address of an interface may be for the server. */
static bool serves(const struct guard_world *world, const struct socket_info *server,
		   const struct link_address *address)
{
	const struct link *device = links_find(&world->links, server->device), *at;
	bool any = guard_any_address(server->local);

	if (device && strcmp(device->kind, "vrf") && device->ifindex != address->ifindex)
		return false;
	at = any ? NULL : guard_owner(world, server);
	/* Packets to an address that no outer interface has may come in by any of them. */
	if (at && is_outside(at))
		return address->family == server->family &&
		       !memcmp(address->address, server->local, sizeof(server->local));
	return address->scope < RT_SCOPE_LINK &&
	       (address->family == server->family ||
		(any && server->family == AF_INET6 && !server->only_ipv6));
}

static bool is_reached(const struct question *question)
{
	const struct links *links = &question->world->links;
	size_t i;

	for (i = 0; i < links->addresses; i++) {
		const struct link *link = links_find(links, links->address[i].ifindex);

		if (link && link->flags & IFF_UP && link->flags & IFF_RUNNING && is_outside(link) &&
		    serves(question->world, question->server, &links->address[i]) &&
		    admits(question, link, DEPTH))
			return true;
	}
	return false;
}

static bool is_local(const struct guard_world *world, const struct socket_info *server)
{
	const struct link *device = links_find(&world->links, server->device);

	return is_loopback(server->family, server->local) ||
	       (device && device->flags & IFF_LOOPBACK);
}

bool guard_counts(const struct guard_world *world, const struct socket_info *server)
{
	return login_is_system(server->uid) ||
	       (world->caller != LOGIN_UID_NONE && server->uid == world->caller);
}

static bool is_same_port(const struct socket_info *a, const struct socket_info *b)
{
	return a->protocol == b->protocol && a->local_port == b->local_port;
}

/* True if another server on the same port can be reached. */
static bool port_is_reached(const struct guard_world *world, const struct guard_target *target,
			    size_t count, const struct socket_info *server)
{
	size_t i;

	for (i = 0; i < world->servers; i++) {
		struct question question = {world, target, count, &world->server[i]};

		if (is_same_port(question.server, server) && guard_counts(world, question.server) &&
		    !is_local(world, question.server) && is_reached(&question))
			return true;
	}
	return false;
}

bool guard_cuts_off(const struct guard_world *world, const struct guard_target *target,
		    size_t count, size_t at)
{
	const struct socket_info *server = &world->server[at];
	size_t i;

	if (!guard_counts(world, server))
		return false;
	for (i = 0; i < at; i++)
		if (is_same_port(&world->server[i], server) &&
		    guard_counts(world, &world->server[i]))
			return false;
	return port_is_reached(world, NULL, 0, server) &&
	       !port_is_reached(world, target, count, server);
}

const char *guard_peer(const struct socket_info *socket, char *text)
{
	return inet_ntop(socket->family, socket->remote, text, INET6_ADDRSTRLEN);
}
