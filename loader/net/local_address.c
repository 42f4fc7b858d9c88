// SPDX-License-Identifier: GPL-2.0
/* Tells which address of this host a packet of a remote host is for. */
#include "loader/net/local_address.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

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

/* The better, the more of these are true. */
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
