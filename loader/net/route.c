// SPDX-License-Identifier: GPL-2.0
/* Asks the kernel for routes. */
#include "loader/net/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/net/netlink.h"

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct route *route = data;

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
	mnl_attr_parse(message, sizeof(*info), read_attribute, route);
	return MNL_CB_STOP;
}

int route_back(struct mnl_socket *socket, unsigned char family, const void *remote,
	       const void *local, unsigned int device, struct route *route)
{
	union netlink_buffer buffer;
	struct rtmsg *info = netlink_request(&buffer, RTM_GETROUTE, 0, sizeof(*info));
	size_t size = family == AF_INET6 ? 16 : 4;
	ssize_t length;

	info->rtm_family = family;
	info->rtm_dst_len = size * 8;
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
	/* An error is the kernel's word for: unreachable, prohibited, thrown away. */
	if (mnl_cb_run(&buffer, length, 0, mnl_socket_get_portid(socket), read_route, route) < 0)
		*route = (struct route){};
	return 0;
}

int route_find(struct mnl_socket *socket, unsigned char family, const void *address,
	       struct route *route)
{
	return route_back(socket, family, address, NULL, 0, route);
}
