// SPDX-License-Identifier: GPL-2.0
/* Asks the kernel for routes. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "loader/route.h"

#define ANSWER_SIZE 4096 /* bytes: one route, with all its attributes */

struct mnl_socket *route_open(void)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) >= 0)
		return socket;
	mnl_socket_close(socket);
	return NULL;
}

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct route *route = data;

	if (mnl_attr_get_type(attribute) == RTA_OIF)
		route->ifindex = mnl_attr_get_u32(attribute);
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

int route_find(struct mnl_socket *socket, unsigned char family, const void *address,
	       struct route *route)
{
	char buffer[ANSWER_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	size_t size = family == AF_INET6 ? 16 : 4;
	struct rtmsg *info;
	ssize_t length;

	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_REQUEST;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->rtm_family = family;
	info->rtm_dst_len = size * 8;
	mnl_attr_put(request, RTA_DST, size, address);
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (length < 0)
		return -errno;
	*route = (struct route){};
	/* An error is the kernel's word for: unreachable, prohibited, thrown away. */
	if (mnl_cb_run(buffer, length, 0, mnl_socket_get_portid(socket), read_route, route) < 0)
		*route = (struct route){};
	return 0;
}
