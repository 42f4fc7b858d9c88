// SPDX-License-Identifier: GPL-2.0
/* Lists TCP connections that this host forwards. */
#include "loader/host/forwarded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include "loader/base/memory.h"
#include "loader/net/conntrack.h"
#include "loader/net/local_address.h"

struct collecting {
	const struct links *links;
	struct socket_info *list;
	size_t count;
};

static void read_end(const struct pc_flow *flow, struct socket_info *session)
{
	bool ipv4 = flow->family == 4;

	*session = (struct socket_info){
		.family = ipv4 ? AF_INET : AF_INET6,
		.protocol = flow->protocol,
		.local_port = ntohs(ipv4 ? flow->ipv4.local_port : flow->ipv6.local_port),
		.remote_port = ntohs(ipv4 ? flow->ipv4.remote_port : flow->ipv6.remote_port),
	};
	if (ipv4) {
		memcpy(session->local, &flow->ipv4.local, 4);
		memcpy(session->remote, &flow->ipv4.remote, 4);
	} else {
		memcpy(session->local, flow->ipv6.local, 16);
		memcpy(session->remote, flow->ipv6.remote, 16);
	}
}

/* Both sides of a forwarded connection must be other hosts. */
static int take_forwarded(const struct conntrack_entry *entry, void *context)
{
	struct collecting *collecting = context;
	struct socket_info session, answer;

	if (entry->way[IP_CT_DIR_ORIGINAL].protocol != IPPROTO_TCP ||
	    entry->state != TCP_CONNTRACK_ESTABLISHED)
		return 0;
	read_end(&entry->way[IP_CT_DIR_ORIGINAL], &session);
	read_end(&entry->way[IP_CT_DIR_REPLY], &answer);
	if (local_find(collecting->links, session.family, session.remote) ||
	    local_find(collecting->links, answer.family, answer.remote))
		return 0;
	collecting->list = grow(collecting->list, collecting->count, sizeof(*collecting->list));
	collecting->list[collecting->count++] = session;
	return 0;
}

size_t forwarded_sessions(const struct links *links, struct socket_info **list, bool *known)
{
	struct collecting collecting = {.links = links};

	if (known)
		*known = false;
	if (conntrack_loaded() && conntrack_each(take_forwarded, &collecting, known) && known)
		*known = false;
	*list = collecting.list;
	return collecting.count;
}
