// SPDX-License-Identifier: GPL-2.0
/* Finds the address of this host to which a remote host's packets are sent. */
#include "loader/net/local_address.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "loader/base/memory.h"

const struct link_address *local_find(const struct links *links, __u8 family,
				      const __u8 address[16])
{
	size_t size = family == AF_INET ? 4 : 16, i;

	for (i = 0; i < links->addresses; i++)
		if (links->address[i].family == family &&
		    !memcmp(links->address[i].address, address, size))
			return &links->address[i];
	return NULL;
}

/* The first (`last`: the last) address of an address's network. */
static struct link_address edge_of(const struct link_address *own, bool last)
{
	struct link_address edge = *own;
	size_t bits = own->family == AF_INET ? 32 : 128;

	for (size_t bit = own->length; bit < bits; bit++) {
		__u8 mask = 0x80 >> bit % 8;

		edge.address[bit / 8] =
			last ? edge.address[bit / 8] | mask : edge.address[bit / 8] & ~mask;
	}
	return edge;
}

/* Before Linux 5.14 the first address of an IPv4 network is a broadcast address, too. */
static bool first_is_broadcast(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname kernel;

	return !uname(&kernel) && sscanf(kernel.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 14));
}

size_t local_taken(const struct links *links, struct link_address **taken)
{
	bool first = first_is_broadcast();
	size_t count = 0;

	*taken = xcalloc(3 * links->addresses + 1, sizeof(**taken));
	for (size_t i = 0; i < links->addresses; i++) {
		const struct link_address *own = &links->address[i];
		bool is_ipv4 = own->family == AF_INET;

		(*taken)[count++] = *own;
		/* Networks of one or two addresses have neither address: RFC 3021, RFC 6164. */
		if (own->length + 1 >= (is_ipv4 ? 32 : 128))
			continue;
		if (is_ipv4)
			(*taken)[count++] = edge_of(own, true);
		if (!is_ipv4 || first)
			(*taken)[count++] = edge_of(own, false);
	}
	return count;
}

bool local_is_shared(__u8 family, const __u8 address[16])
{
	if (family == AF_INET)
		return address[0] >> 4 == 14 || !memcmp(address, "\xff\xff\xff\xff", 4);
	return address[0] == 0xff;
}

static bool is_link_local(__u8 family, const __u8 address[16])
{
	if (family == AF_INET)
		return address[0] == 169 && address[1] == 254;
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static bool is_at(const struct links *links, const struct link_address *address,
		  unsigned int ifindex)
{
	return !ifindex || links_comes_by(links, address->ifindex, ifindex);
}

/* A higher rank is better. The interface counts more than the scope of the address. */
static int rank(const struct links *links, const struct link_address *address, unsigned int ifindex,
		const __u8 remote[16])
{
	bool near = is_link_local(address->family, address->address) ==
		    is_link_local(address->family, remote);

	return 2 * is_at(links, address, ifindex) + near;
}

const struct link_address *local_choose(const struct links *links, unsigned int ifindex,
					__u8 family, const __u8 remote[16],
					const struct route *route)
{
	const struct link_address *best = NULL, *from;
	size_t i;

	from = route->has_source ? local_find(links, family, route->source) : NULL;
	if (from && is_at(links, from, ifindex) &&
	    is_link_local(family, from->address) == is_link_local(family, remote))
		return from;
	for (i = 0; i < links->addresses; i++) {
		const struct link_address *address = &links->address[i];

		if (address->family == family && address->scope < RT_SCOPE_HOST &&
		    (!best ||
		     rank(links, address, ifindex, remote) > rank(links, best, ifindex, remote)))
			best = address;
	}
	return from && best && !is_at(links, best, ifindex) ? from : best;
}
