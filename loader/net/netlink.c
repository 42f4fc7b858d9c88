// SPDX-License-Identifier: GPL-2.0
/* Sends a request to the kernel by netlink, and reads all answers. */
#include "loader/net/netlink.h"

#include <errno.h>
#include <sys/socket.h>

int netlink_open(int bus, struct mnl_socket **socket)
{
	struct mnl_socket *opened = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int err;

	if (!opened)
		return -errno;
	if (mnl_socket_bind(opened, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		mnl_socket_close(opened);
		return err;
	}
	*socket = opened;
	return 0;
}

void netlink_close(struct mnl_socket **socket)
{
	if (*socket)
		mnl_socket_close(*socket);
}

void *netlink_request(union netlink_buffer *buffer, int type, int flags, size_t size)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(request, size);
}

int netlink_ask(struct mnl_socket *socket, union netlink_buffer *buffer, mnl_cb_t read, void *data)
{
	int more = MNL_CB_OK;

	if (mnl_socket_sendto(socket, buffer, buffer->request.nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, sizeof(*buffer));

		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, length, 0, mnl_socket_get_portid(socket), read, data);
		if (more < 0)
			return -errno;
	}
	return 0;
}
