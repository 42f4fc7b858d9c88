// SPDX-License-Identifier: GPL-2.0
/* The kernel's table of tracked connections (ctnetlink). */
#include "loader/net/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/net/netlink.h"

#define TRACKS "/proc/sys/net/netfilter/nf_conntrack_count" /* exists if conntrack is loaded */

struct probe {
	struct pc_flow key;
	bool seen;
};

struct reading {
	conntrack_take *take;
	void *context;
	struct probe probe[2]; /* IPv4, IPv6 */
	int result;	       /* what `take` returned */
};

/* --- the table --- */

static int read_address(const struct nlattr *attribute, void *data)
{
	const void *address = mnl_attr_get_payload(attribute);
	struct pc_flow *key = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_IP_V4_SRC: key->ipv4.remote = mnl_attr_get_u32(attribute); break;
	case CTA_IP_V4_DST: key->ipv4.local = mnl_attr_get_u32(attribute); break;
	case CTA_IP_V6_SRC: memcpy(key->ipv6.remote, address, sizeof(key->ipv6.remote)); break;
	case CTA_IP_V6_DST: memcpy(key->ipv6.local, address, sizeof(key->ipv6.local)); break;
	}
	return MNL_CB_OK;
}

static int read_ports(const struct nlattr *attribute, void *data)
{
	struct pc_flow *key = data;
	bool ipv6 = key->family == 6;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_PROTO_NUM: key->protocol = mnl_attr_get_u8(attribute); break;
	case CTA_PROTO_SRC_PORT:
		*(ipv6 ? &key->ipv6.remote_port : &key->ipv4.remote_port) =
			mnl_attr_get_u16(attribute);
		break;
	case CTA_PROTO_DST_PORT:
		*(ipv6 ? &key->ipv6.local_port : &key->ipv4.local_port) =
			mnl_attr_get_u16(attribute);
		break;
	}
	return MNL_CB_OK;
}

static int read_tuple(const struct nlattr *attribute, void *data)
{
	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_IP: return mnl_attr_parse_nested(attribute, read_address, data);
	case CTA_TUPLE_PROTO: return mnl_attr_parse_nested(attribute, read_ports, data);
	}
	return MNL_CB_OK;
}

static __u8 tcp_flags(const struct nlattr *attribute)
{
	const struct nf_ct_tcp_flags *said = mnl_attr_get_payload(attribute);

	return said->flags;
}

static int read_tcp(const struct nlattr *attribute, void *data)
{
	struct conntrack_entry *track = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_PROTOINFO_TCP_STATE: track->state = mnl_attr_get_u8(attribute); break;
	case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL:
		track->flags[IP_CT_DIR_ORIGINAL] = tcp_flags(attribute);
		break;
	case CTA_PROTOINFO_TCP_FLAGS_REPLY:
		track->flags[IP_CT_DIR_REPLY] = tcp_flags(attribute);
		break;
	}
	return MNL_CB_OK;
}

static int read_protocol(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == CTA_PROTOINFO_TCP)
		return mnl_attr_parse_nested(attribute, read_tcp, data);
	return MNL_CB_OK;
}

static int read_entry(const struct nlattr *attribute, void *data)
{
	struct conntrack_entry *track = data;

	switch (mnl_attr_get_type(attribute)) {
	case CTA_TUPLE_ORIG:
		return mnl_attr_parse_nested(attribute, read_tuple,
					     &track->way[IP_CT_DIR_ORIGINAL]);
	case CTA_TUPLE_REPLY:
		return mnl_attr_parse_nested(attribute, read_tuple, &track->way[IP_CT_DIR_REPLY]);
	case CTA_STATUS: track->status = ntohl(mnl_attr_get_u32(attribute)); break;
	case CTA_TIMEOUT: track->left = ntohl(mnl_attr_get_u32(attribute)); break;
	case CTA_PROTOINFO: return mnl_attr_parse_nested(attribute, read_protocol, track);
	}
	return MNL_CB_OK;
}

/* --- entries as flows --- */

static void find_probes(struct reading *reading, const struct pc_flow *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reading->probe); i++)
		if (!memcmp(key, &reading->probe[i].key, sizeof(*key)))
			reading->probe[i].seen = true;
}

static int read_track(const struct nlmsghdr *message, void *data)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	__u8 family = head->nfgen_family == AF_INET6 ? 6 : 4;
	struct conntrack_entry track = {.way = {{.family = family}, {.family = family}}};
	struct reading *reading = data;

	mnl_attr_parse(message, sizeof(*head), read_entry, &track);
	find_probes(reading, &track.way[IP_CT_DIR_ORIGINAL]);
	reading->result = reading->take(&track, reading->context);
	return reading->result ? MNL_CB_STOP : MNL_CB_OK;
}

/*
 * The table may exist although the kernel does not track: it tracks an address family only while
 * rules need it (NAT, `ct`), and entries outlast these rules. So this process sends itself a
 * datagram: if it gets into the table, that family is tracked.
 */
static void send_probe(int family, struct pc_flow *key)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} own = {.any.sa_family = family};
	socklen_t size = family == AF_INET6 ? sizeof(own.ipv6) : sizeof(own.ipv4);
	__close_fd int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (family == AF_INET6)
		own.ipv6.sin6_addr = in6addr_loopback;
	else
		own.ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, &own.any, size) || getsockname(fd, &own.any, &size) ||
	    sendto(fd, "", 1, MSG_DONTWAIT, &own.any, size) < 0)
		return;
	*key = (struct pc_flow){.protocol = IPPROTO_UDP, .family = family == AF_INET6 ? 6 : 4};
	if (family == AF_INET6) {
		memcpy(key->ipv6.remote, &own.ipv6.sin6_addr, sizeof(key->ipv6.remote));
		memcpy(key->ipv6.local, &own.ipv6.sin6_addr, sizeof(key->ipv6.local));
		key->ipv6.remote_port = key->ipv6.local_port = own.ipv6.sin6_port;
	} else {
		key->ipv4.remote = key->ipv4.local = own.ipv4.sin_addr.s_addr;
		key->ipv4.remote_port = key->ipv4.local_port = own.ipv4.sin_port;
	}
}

/* The kernel gives the number of entries at once; dumping an empty table takes 9 ms. */
static bool is_empty(void)
{
	__close_file FILE *file = fopen(TRACKS, "re");
	unsigned int tracks;

	return file && fscanf(file, "%u", &tracks) == 1 && !tracks;
}

static int read_tracks(struct reading *reading)
{
	__cleanup(netlink_close) struct mnl_socket *netfilter = NULL;
	union netlink_buffer buffer;
	struct nfgenmsg *head = netlink_request(
		&buffer, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, sizeof(*head));
	int err;

	if (is_empty())
		return 0;
	err = netlink_open(NETLINK_NETFILTER, &netfilter);
	head->nfgen_family = AF_UNSPEC;
	head->version = NFNETLINK_V0;
	if (!err)
		err = netlink_ask(netfilter, &buffer, read_track, reading);
	return err ? err : reading->result;
}

bool conntrack_loaded(void)
{
	return !access(TRACKS, F_OK);
}

int conntrack_each(conntrack_take *take, void *context, bool *whole)
{
	struct reading reading = {.take = take, .context = context};
	int err;

	if (!whole)
		return read_tracks(&reading);
	send_probe(AF_INET, &reading.probe[0].key);
	send_probe(AF_INET6, &reading.probe[1].key);
	err = read_tracks(&reading);
	*whole = reading.probe[0].seen && reading.probe[1].seen;
	return err;
}
