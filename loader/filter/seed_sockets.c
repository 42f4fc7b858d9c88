// SPDX-License-Identifier: GPL-2.0
/* Adds flows for connections of sockets that are bound to a device: a look-up at the interface may
 * not find these sockets. */
#include "loader/filter/seed_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/clock.h"
#include "loader/base/message.h"
#include "loader/filter/flow_enter.h"
#include "loader/net/link.h"
#include "loader/net/sockets.h"
#include "loader/report/flow.h"

#define SEED_MAX 65536 /* sockets of one protocol */

/*
 * States of live connections, without half-open requests, which anyone can forge: the kernel lists
 * those only with TCP_SYN_RECV (inet_diag.c).
 */
#define LIVE_TCP                               \
	((SOCKET_STATE(TCP_CLOSING + 1) - 1) & \
	 ~(SOCKET_STATE(TCP_LISTEN) | SOCKET_STATE(TCP_CLOSE) | SOCKET_STATE(TCP_SYN_RECV)))

struct socket_seed {
	const struct seed *seed;
	size_t count;
	struct links links;
	__u64 now;
	size_t added; /* flows added for the protocol that is read */
};

/* The flow key as the program makes it from a packet of the remote side. */
static struct pc_flow key_of(const struct socket_info *socket)
{
	struct pc_flow key = {.protocol = socket->protocol, .family = 4};

	if (socket->family == AF_INET) {
		memcpy(&key.ipv4.remote, socket->remote, sizeof(key.ipv4.remote));
		memcpy(&key.ipv4.local, socket->local, sizeof(key.ipv4.local));
		key.ipv4.remote_port = htons(socket->remote_port);
		key.ipv4.local_port = htons(socket->local_port);
		return key;
	}
	key.family = 6;
	memcpy(key.ipv6.remote, socket->remote, sizeof(key.ipv6.remote));
	memcpy(key.ipv6.local, socket->local, sizeof(key.ipv6.local));
	key.ipv6.remote_port = htons(socket->remote_port);
	key.ipv6.local_port = htons(socket->local_port);
	return key;
}

/* Sets the link for link-local addresses; false if it is not the interface's link. */
static bool set_link(const struct links *links, unsigned int ifindex, unsigned int device,
		     struct pc_flow *key)
{
	if (!flow_has_link(key))
		return true;
	key->link = links_zone(links, ifindex);
	return links_comes_by(links, device, ifindex);
}

static __u8 flags_of(const struct socket_info *socket)
{
	const __u8 assured = PC_FLOW_REPLIED | PC_FLOW_ASSURED;

	if (socket->protocol == IPPROTO_UDP)
		return assured;
	switch (socket->state) {
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

static int enter_socket(const struct socket_info *socket, void *context)
{
	struct socket_seed *sockets = context;
	int err = 0;

	if (!socket->device || !socket->remote_port)
		return 0;
	for (size_t i = 0; i < sockets->count && !err; i++) {
		const struct seed *seed = &sockets->seed[i];
		struct pc_flow_state state = {
			.seen = sockets->now, .ifindex = seed->ifindex, .flags = flags_of(socket)};
		struct pc_flow key = key_of(socket);

		if (set_link(&sockets->links, seed->ifindex, socket->device, &key))
			err = flow_enter(seed->filter, &key, &state);
	}
	return err ? err : ++sockets->added == SEED_MAX;
}

void seed_sockets(const struct seed *seed, size_t count)
{
	struct socket_seed sockets = {.seed = seed, .count = count, .now = clock_monotonic()};
	int err = links_read(&sockets.links);
	int failed = sockets_each(IPPROTO_TCP, LIVE_TCP, true, enter_socket, &sockets);

	err = err ? err : failed;
	sockets.added = 0;
	/* SS_ESTABLISHED is the state of a connected UDP socket. */
	failed = sockets_each(IPPROTO_UDP, SOCKET_STATE(TCP_ESTABLISHED), true, enter_socket,
			      &sockets);
	err = err ? err : failed;
	links_free(&sockets.links);
	if (err)
		warning("cannot read the list of live sockets: %s; connections of sockets bound to a device may stall until this host sends",
			strerror(-err));
}

bool seed_begun(const struct filter *filter)
{
	struct pc_came_in *table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED,
					filter->fd[FILTER_CAME_IN], 0);
	struct socket_info *list = NULL;
	size_t count = 0, i;
	int err;

	if (table == MAP_FAILED) {
		warning("cannot note which ports have sockets: %s", strerror(errno));
		return true;
	}
	err = sockets_list(IPPROTO_UDP, SOCKET_STATE(TCP_CLOSE), &list, &count);
	for (i = 0; i < count; i++)
		pc_begun_set(table, list[i].local_port);
	if (err)
		warning("cannot read the list of live sockets: %s; UDP that goes on now may stall at the next swap",
			strerror(-err));
	free(list);
	munmap(table, sizeof(*table));
	return err || count;
}
