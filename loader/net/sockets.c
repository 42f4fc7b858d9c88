// SPDX-License-Identifier: GPL-2.0
/* The kernel's list of sockets (sock_diag). */
#include "loader/net/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/netlink.h"

/*
 * Selects sockets that are bound to any device: not to 0. The kernel checks this bytecode: "yes"
 * must lead to its end; a jump past the end rejects the socket.
 */
static const struct {
	struct inet_diag_bc_op bound;
	__u32 device;
	struct inet_diag_bc_op refuse;
} bound_only = {
	.bound = {.code = INET_DIAG_BC_DEV_COND, .yes = 8, .no = 12},
	.refuse = {.code = INET_DIAG_BC_JMP, .yes = 4, .no = 8},
};

static bool is_mapped(const __be32 *address)
{
	return !address[0] && !address[1] && address[2] == htonl(0xffff);
}

/* An interrupted dump would disturb the next, so each dump has a netlink socket of its own. */
static int dump(__u8 protocol, __u8 family, __u32 states, bool bound, mnl_cb_t read, void *data)
{
	__cleanup(netlink_close) struct mnl_socket *diag = NULL;
	union netlink_buffer buffer;
	struct inet_diag_req_v2 *request =
		netlink_request(&buffer, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*request));
	int err;

	request->sdiag_family = family;
	request->sdiag_protocol = protocol;
	request->idiag_states = states;
	if (bound)
		mnl_attr_put(&buffer.request, INET_DIAG_REQ_BYTECODE, sizeof(bound_only),
			     &bound_only);
	err = netlink_open(NETLINK_SOCK_DIAG, &diag);
	return err ? err : netlink_ask(diag, &buffer, read, data);
}

struct reading {
	__u8 protocol;
	socket_take *take;
	void *context;
	int result; /* what `take` returned */
};

static void copy_address(__u8 to[16], const __be32 *address, __u8 family, bool mapped)
{
	memcpy(to, mapped ? &address[3] : address, family == AF_INET ? 4 : 16);
}

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct socket_info *info = data;

	if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY)
		info->only_ipv6 = mnl_attr_get_u8(attribute);
	return MNL_CB_OK;
}

static int read_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct reading *reading = data;
	struct socket_info info;
	bool mapped;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*socket))
		return MNL_CB_OK;
	mapped = socket->idiag_family == AF_INET6 && is_mapped(socket->id.idiag_src);
	info = (struct socket_info){
		.family = mapped ? AF_INET : socket->idiag_family,
		.protocol = reading->protocol,
		.state = socket->idiag_state,
		.local_port = ntohs(socket->id.idiag_sport),
		.remote_port = ntohs(socket->id.idiag_dport),
		.device = socket->id.idiag_if,
		.uid = socket->idiag_uid,
		.inode = socket->idiag_inode,
	};
	mnl_attr_parse(message, sizeof(*socket), read_attribute, &info);
	copy_address(info.local, socket->id.idiag_src, info.family, mapped);
	copy_address(info.remote, socket->id.idiag_dst, info.family, mapped);
	reading->result = reading->take(&info, reading->context);
	return reading->result ? MNL_CB_STOP : MNL_CB_OK;
}

int sockets_each(__u8 protocol, __u32 states, bool bound, socket_take *take, void *context)
{
	static const __u8 families[] = {AF_INET, AF_INET6};
	struct reading reading = {.protocol = protocol, .take = take, .context = context};
	int err = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families) && !reading.result; i++) {
		int failed = dump(protocol, families[i], states, bound, read_socket, &reading);

		err = err ? err : failed;
	}
	return reading.result < 0 ? reading.result : err;
}

struct listing {
	struct socket_info **list;
	size_t *count;
};

static int add_socket(const struct socket_info *socket, void *context)
{
	const struct listing *listing = context;

	*listing->list = grow(*listing->list, *listing->count, sizeof(*socket));
	(*listing->list)[(*listing->count)++] = *socket;
	return 0;
}

int sockets_list(__u8 protocol, __u32 states, struct socket_info **list, size_t *count)
{
	struct listing listing = {.list = list, .count = count};

	return sockets_each(protocol, states, false, add_socket, &listing);
}
