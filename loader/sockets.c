// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's list of sockets (sock_diag): all of some states; and for the filter the connections
 * of those bound to a device, which a lookup at the interface may not find.
 */
#include "loader/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/flows.h"
#include "loader/link.h"
#include "loader/netlink.h"
#include "loader/seed.h"

#define SEED_MAX 65536 /* of one protocol */

/*
 * Without half-open requests, which anyone can forge; the kernel lists them where TCP_SYN_RECV is
 * asked for (inet_diag.c).
 */
#define LIVE_TCP                               \
	((SOCKET_STATE(TCP_CLOSING + 1) - 1) & \
	 ~(SOCKET_STATE(TCP_LISTEN) | SOCKET_STATE(TCP_CLOSE) | SOCKET_STATE(TCP_SYN_RECV)))

struct seed {
	const struct filter *filter;
	unsigned int ifindex;
	const struct links *links;
	__u64 now;
	__u8 protocol;
	size_t added;
	int err;
};

/*
 * Only sockets that are bound to a device, whichever: not 0. (The kernel's checker of such code
 * wants its "yes" to lead to the end; a jump past the end refuses the socket.)
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

/* A dump that is left half read would be in the way of the next one: a netlink socket for each. */
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

/* --- all of some states --- */

struct listing {
	__u8 protocol;
	struct socket_info **list;
	size_t *count;
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

static int take_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	const struct listing *listing = data;
	struct socket_info *info;
	bool mapped;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*socket))
		return MNL_CB_OK;
	*listing->list = grow(*listing->list, *listing->count, sizeof(*info));
	info = &(*listing->list)[(*listing->count)++];
	mapped = socket->idiag_family == AF_INET6 && is_mapped(socket->id.idiag_src);
	*info = (struct socket_info){
		.family = mapped ? AF_INET : socket->idiag_family,
		.protocol = listing->protocol,
		.state = socket->idiag_state,
		.local_port = ntohs(socket->id.idiag_sport),
		.remote_port = ntohs(socket->id.idiag_dport),
		.device = socket->id.idiag_if,
		.uid = socket->idiag_uid,
		.inode = socket->idiag_inode,
	};
	mnl_attr_parse(message, sizeof(*socket), read_attribute, info);
	copy_address(info->local, socket->id.idiag_src, info->family, mapped);
	copy_address(info->remote, socket->id.idiag_dst, info->family, mapped);
	return MNL_CB_OK;
}

int sockets_list(__u8 protocol, __u32 states, struct socket_info **list, size_t *count)
{
	struct listing listing = {.protocol = protocol, .list = list, .count = count};
	int err = dump(protocol, AF_INET, states, false, take_socket, &listing);
	int failed = dump(protocol, AF_INET6, states, false, take_socket, &listing);

	return err ? err : failed;
}

/* --- connections of sockets that are bound to a device --- */

/* As the program makes it of a packet from the remote side. */
static void fill_key(const struct inet_diag_msg *socket, __u8 protocol, struct pc_flow *key)
{
	const struct inet_diag_sockid *id = &socket->id;
	bool mapped = socket->idiag_family == AF_INET6 && is_mapped(id->idiag_dst);

	*key = (struct pc_flow){.protocol = protocol, .family = 4};
	if (socket->idiag_family == AF_INET || mapped) {
		key->ipv4.remote = id->idiag_dst[mapped ? 3 : 0];
		key->ipv4.local = id->idiag_src[mapped ? 3 : 0];
		key->ipv4.remote_port = id->idiag_dport;
		key->ipv4.local_port = id->idiag_sport;
		return;
	}
	key->family = 6;
	memcpy(key->ipv6.remote, id->idiag_dst, sizeof(key->ipv6.remote));
	memcpy(key->ipv6.local, id->idiag_src, sizeof(key->ipv6.local));
	key->ipv6.remote_port = id->idiag_dport;
	key->ipv6.local_port = id->idiag_sport;
}

/* Link-local addresses get their link; false if that is not the interface's. */
static bool set_link(const struct seed *seed, unsigned int device, struct pc_flow *key)
{
	if (!flow_has_link(key))
		return true;
	key->link = links_zone(seed->links, seed->ifindex);
	return links_comes_by(seed->links, device, seed->ifindex);
}

static __u8 flags_of(const struct inet_diag_msg *socket, __u8 protocol)
{
	const __u8 assured = PC_FLOW_REPLIED | PC_FLOW_ASSURED;

	if (protocol == IPPROTO_UDP)
		return assured;
	switch (socket->idiag_state) {
	case TCP_SYN_SENT: return 0;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_TIME_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK: return assured | PC_FLOW_FIN_OUT;
	case TCP_CLOSE_WAIT: return assured | PC_FLOW_FIN_IN;
	}
	return assured;
}

static int read_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(message);
	struct seed *seed = data;
	struct pc_flow_state state = {.seen = seed->now, .ifindex = seed->ifindex};
	struct pc_flow key;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*socket) || !socket->id.idiag_if ||
	    !socket->id.idiag_dport)
		return MNL_CB_OK;
	fill_key(socket, seed->protocol, &key);
	if (!set_link(seed, socket->id.idiag_if, &key))
		return MNL_CB_OK;
	state.flags = flags_of(socket, seed->protocol);
	seed->err = seed_flow(seed->filter, &key, &state);
	return !seed->err && ++seed->added < SEED_MAX ? MNL_CB_OK : MNL_CB_STOP;
}

static int seed_family(struct seed *seed, __u8 family)
{
	/* A UDP socket in this state is connected. */
	__u32 states = seed->protocol == IPPROTO_TCP ? LIVE_TCP : SOCKET_STATE(TCP_ESTABLISHED);
	int err = dump(seed->protocol, family, states, true, read_socket, seed);

	return err ? err : seed->err;
}

int sockets_seed(const struct filter *filter, unsigned int ifindex)
{
	static const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	static const __u8 families[] = {AF_INET, AF_INET6};
	struct links links = {};
	__u64 now = clock_monotonic();
	size_t i, j;
	int err = links_read(&links);

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct seed seed = {.filter = filter,
				    .ifindex = ifindex,
				    .links = &links,
				    .now = now,
				    .protocol = protocols[i]};

		for (j = 0; j < ARRAY_SIZE(families); j++) {
			int failed = seed_family(&seed, families[j]);

			err = err ? err : failed;
		}
	}
	links_free(&links);
	if (err)
		warning("cannot read the list of live sockets: %s; connections of sockets bound to a device may stall until this host sends",
			strerror(-err));
	return err;
}

bool sockets_begun(const struct filter *filter)
{
	struct pc_came_in *table =
		mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, filter->came_in, 0);
	struct socket_info *list = NULL;
	size_t count = 0, i;
	int err;

	if (table == MAP_FAILED) {
		warning("cannot note which ports have sockets: %s", strerror(errno));
		return true;
	}
	err = sockets_list(IPPROTO_UDP, SOCKET_STATE(TCP_CLOSE), &list, &count);
	for (i = 0; i < count; i++)
		table->begun[list[i].local_port / 64] |= 1ULL << list[i].local_port % 64;
	if (err)
		warning("cannot read the list of live sockets: %s; UDP that goes on now may stall at the next swap",
			strerror(-err));
	free(list);
	munmap(table, sizeof(*table));
	return err || count;
}
