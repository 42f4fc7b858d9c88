// SPDX-License-Identifier: GPL-2.0
/* Asks the kernel for routes. */
#include "loader/net/route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/net/netlink.h"

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct route *route = data;

	if (mnl_attr_get_type(attribute) == RTA_GATEWAY || mnl_attr_get_type(attribute) == RTA_VIA)
		route->gateway = true;
	if (mnl_attr_get_type(attribute) == RTA_OIF)
		route->ifindex = mnl_attr_get_u32(attribute);
	if (mnl_attr_get_type(attribute) == RTA_PREFSRC &&
	    mnl_attr_get_payload_len(attribute) <= sizeof(route->source)) {
		route->has_source = true;
		memcpy(route->source, mnl_attr_get_payload(attribute),
		       mnl_attr_get_payload_len(attribute));
	}
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct route *route = data;

	route->type = info->rtm_type;
	route->length = info->rtm_dst_len;
	mnl_attr_parse(message, sizeof(*info), read_attribute, route);
	return MNL_CB_STOP;
}

static int ask(struct mnl_socket *socket, unsigned char family, const void *remote,
	       const void *local, unsigned int device, unsigned int flags, struct route *route)
{
	union netlink_buffer buffer;
	struct rtmsg *info = netlink_request(&buffer, RTM_GETROUTE, 0, sizeof(*info));
	size_t size = family == AF_INET6 ? 16 : 4;
	ssize_t length;

	info->rtm_family = family;
	info->rtm_dst_len = size * 8;
	info->rtm_flags = flags;
	mnl_attr_put(&buffer.request, RTA_DST, size, remote);
	if (local) {
		info->rtm_src_len = size * 8;
		mnl_attr_put(&buffer.request, RTA_SRC, size, local);
	}
	if (device)
		mnl_attr_put_u32(&buffer.request, RTA_OIF, device);
	if (mnl_socket_sendto(socket, &buffer, buffer.request.nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(socket, &buffer, sizeof(buffer));
	if (length < 0)
		return -errno;
	*route = (struct route){};
	/* The kernel reports unreachable, prohibit and blackhole routes as errors. */
	if (mnl_cb_run(&buffer, length, 0, mnl_socket_get_portid(socket), read_route, route) < 0)
		*route = (struct route){};
	return 0;
}

int route_back(struct mnl_socket *socket, unsigned char family, const void *remote,
	       const void *local, unsigned int device, struct route *route)
{
	return ask(socket, family, remote, local, device, 0, route);
}

int route_find(struct mnl_socket *socket, unsigned char family, const void *address,
	       struct route *route)
{
	return route_back(socket, family, address, NULL, 0, route);
}

int route_match(struct mnl_socket *socket, unsigned char family, const void *address,
		struct route *route)
{
	return ask(socket, family, address, NULL, 0, RTM_F_FIB_MATCH, route);
}

/* --- neighbours --- */

static int read_neighbour(const struct nlmsghdr *message, void *data)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	bool *known = data;

	*known = !(info->ndm_flags & NTF_PROXY) &&
		 info->ndm_state &
			 (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT);
	return MNL_CB_STOP;
}

bool route_neighbour(struct mnl_socket *socket, unsigned char family, const void *address,
		     unsigned int ifindex)
{
	union netlink_buffer buffer;
	struct ndmsg *info = netlink_request(&buffer, RTM_GETNEIGH, 0, sizeof(*info));
	bool known = false;

	info->ndm_family = family;
	info->ndm_ifindex = (int)ifindex;
	mnl_attr_put(&buffer.request, NDA_DST, family == AF_INET6 ? 16 : 4, address);
	return !netlink_ask(socket, &buffer, read_neighbour, &known) && known;
}

/* --- networks --- */

struct listing {
	struct network *network;
	size_t count;
};

static int read_network(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct network network = {.family = info->rtm_family, .length = info->rtm_dst_len};
	unsigned int table = info->rtm_table;
	struct listing *listing = data;
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(*info))
	{
		size_t length = mnl_attr_get_payload_len(attribute);

		if (mnl_attr_get_type(attribute) == RTA_TABLE)
			table = mnl_attr_get_u32(attribute);
		if (mnl_attr_get_type(attribute) == RTA_OIF)
			network.ifindex = mnl_attr_get_u32(attribute);
		if (mnl_attr_get_type(attribute) == RTA_DST && length <= sizeof(network.address))
			memcpy(network.address, mnl_attr_get_payload(attribute), length);
	}
	if (table != RT_TABLE_MAIN || info->rtm_type != RTN_UNICAST || !network.length ||
	    !network.ifindex)
		return MNL_CB_OK;
	listing->network = grow(listing->network, listing->count, sizeof(network));
	listing->network[listing->count++] = network;
	return MNL_CB_OK;
}

int networks_read(struct network **network, size_t *count)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	static const unsigned char family[] = {AF_INET, AF_INET6};
	struct listing listing = {};
	int err = netlink_open(NETLINK_ROUTE, &socket);

	for (size_t i = 0; i < ARRAY_SIZE(family) && !err; i++) {
		union netlink_buffer buffer;
		struct rtmsg *info =
			netlink_request(&buffer, RTM_GETROUTE, NLM_F_DUMP, sizeof(*info));

		info->rtm_family = family[i];
		err = netlink_ask(socket, &buffer, read_network, &listing);
	}
	*network = listing.network;
	*count = listing.count;
	return err;
}
