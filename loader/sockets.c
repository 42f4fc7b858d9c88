// SPDX-License-Identifier: GPL-2.0
/*
 * Learns the connections of sockets bound to a device, which a lookup at the interface may not
 * find, from the kernel's list of sockets (sock_diag).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include "loader/seed.h"

#define DUMP_SIZE 32768 /* bytes: the kernel fills as much of a dump's message as it may */
#define SEED_MAX  65536 /* of one protocol */

#define STATE(number) (1U << (number))
/*
 * Without half-open requests, which anyone can forge; the kernel lists them where TCP_SYN_RECV is
 * asked for (inet_diag.c).
 */
#define LIVE_TCP                        \
	((STATE(TCP_CLOSING + 1) - 1) & \
	 ~(STATE(TCP_LISTEN) | STATE(TCP_CLOSE) | STATE(TCP_SYN_RECV)))

struct seed {
	const struct filter *filter;
	unsigned int ifindex;
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

static __u8 flags_of(const struct inet_diag_msg *socket, __u8 protocol)
{
	if (protocol == IPPROTO_UDP)
		return PC_FLOW_REPLIED;
	switch (socket->idiag_state) {
	case TCP_SYN_SENT: return 0;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_TIME_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK: return PC_FLOW_REPLIED | PC_FLOW_FIN_OUT;
	case TCP_CLOSE_WAIT: return PC_FLOW_REPLIED | PC_FLOW_FIN_IN;
	}
	return PC_FLOW_REPLIED;
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
	state.flags = flags_of(socket, seed->protocol);
	seed->err = seed_flow(seed->filter, &key, &state);
	return !seed->err && ++seed->added < SEED_MAX ? MNL_CB_OK : MNL_CB_STOP;
}

static void put_request(char *buffer, __u8 family, __u8 protocol)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *dump;

	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	dump = mnl_nlmsg_put_extra_header(request, sizeof(*dump));
	dump->sdiag_family = family;
	dump->sdiag_protocol = protocol;
	/* A UDP socket in this state is connected. */
	dump->idiag_states = STATE(TCP_ESTABLISHED);
	if (protocol == IPPROTO_TCP)
		dump->idiag_states = LIVE_TCP;
	mnl_attr_put(request, INET_DIAG_REQ_BYTECODE, sizeof(bound_only), &bound_only);
}

static int dump_sockets(struct mnl_socket *diag, __u8 family, struct seed *seed)
{
	char buffer[DUMP_SIZE];
	ssize_t length;
	int more = MNL_CB_OK;

	put_request(buffer, family, seed->protocol);
	if (mnl_socket_sendto(diag, buffer, ((struct nlmsghdr *)buffer)->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		length = mnl_socket_recvfrom(diag, buffer, sizeof(buffer));
		if (length < 0)
			return -errno;
		more = mnl_cb_run(buffer, length, 0, mnl_socket_get_portid(diag), read_socket,
				  seed);
		if (more < 0)
			return -errno;
	}
	return seed->err;
}

/* A dump that is left half read would be in the way of the next one: a socket for each. */
static int seed_family(struct seed *seed, __u8 family)
{
	struct mnl_socket *diag = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int err;

	if (!diag)
		return -errno;
	err = mnl_socket_bind(diag, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno :
								 dump_sockets(diag, family, seed);
	mnl_socket_close(diag);
	return err;
}

int sockets_seed(const struct filter *filter, unsigned int ifindex)
{
	static const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	static const __u8 families[] = {AF_INET, AF_INET6};
	struct timespec now;
	size_t i, j;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct seed seed = {.filter = filter,
				    .ifindex = ifindex,
				    .now = now.tv_sec * PC_SECOND + now.tv_nsec,
				    .protocol = protocols[i]};

		for (j = 0; j < ARRAY_SIZE(families); j++) {
			int failed = seed_family(&seed, families[j]);

			err = err ? err : failed;
		}
		if (seed.added && protocols[i] == IPPROTO_TCP && seed_announce_tcp(filter))
			err = -errno;
	}
	if (err)
		warning("cannot read the list of live sockets: %s; connections of sockets bound to a device may stall until this host sends",
			strerror(-err));
	return err;
}
