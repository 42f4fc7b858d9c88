// SPDX-License-Identifier: GPL-2.0
/*
 * Finds out by rtnetlink which header the frames of an interface begin with, and what to do if it
 * cannot be filtered.
 */
#include "loader/net/frame_find.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/net/frame.h"
#include "loader/net/link.h"
#include "loader/net/netlink.h"

/* Values of linux/if_tunnel.h, which cannot be included with net/if.h. */
#define GRE_REMOTE   7	/* IFLA_GRE_REMOTE */
#define GRE_EXTERNAL 18 /* IFLA_GRE_COLLECT_METADATA */

struct reading {
	struct frame_link link;
	bool external, remote; /* gre: each packet brings its addresses; the far end is fixed */
	const struct nlattr *data;
};

static int read_info(const struct nlattr *attribute, void *data)
{
	struct reading *reading = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND &&
	    !mnl_attr_validate(attribute, MNL_TYPE_STRING))
		snprintf(reading->link.kind, sizeof(reading->link.kind), "%s",
			 mnl_attr_get_str(attribute));
	if (mnl_attr_get_type(attribute) == IFLA_INFO_DATA)
		reading->data = attribute;
	return MNL_CB_OK;
}

static int read_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == IFLA_LINKINFO)
		return mnl_attr_parse_nested(attribute, read_info, data);
	return MNL_CB_OK;
}

static int read_ipvlan(const struct nlattr *attribute, void *data)
{
	struct reading *reading = data;

	if (mnl_attr_get_type(attribute) == IFLA_IPVLAN_MODE &&
	    !mnl_attr_validate(attribute, MNL_TYPE_U16))
		reading->link.ipvlan_l3s = mnl_attr_get_u16(attribute) == IPVLAN_MODE_L3S;
	return MNL_CB_OK;
}

/* True if an IPv4 or IPv6 address is set and not multicast. */
static bool is_one_host(const struct nlattr *attribute)
{
	const __u8 *address = mnl_attr_get_payload(attribute);
	size_t size = mnl_attr_get_payload_len(attribute), i;
	__u8 any = 0;

	for (i = 0; i < size; i++)
		any |= address[i];
	if (!any)
		return false;
	return size == 16 ? address[0] != 0xff : address[0] >> 4 != 14;
}

static int read_gre(const struct nlattr *attribute, void *data)
{
	struct reading *reading = data;

	if (mnl_attr_get_type(attribute) == GRE_EXTERNAL)
		reading->external = true;
	if (mnl_attr_get_type(attribute) == GRE_REMOTE)
		reading->remote = is_one_host(attribute);
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct reading *reading = data;
	struct frame_link *link = &reading->link;

	link->type = info->ifi_type;
	mnl_attr_parse(message, sizeof(*info), read_attribute, reading);
	if (reading->data && !strncmp(link->kind, "ipv", 3)) /* ipvlan, ipvtap */
		mnl_attr_parse_nested(reading->data, read_ipvlan, reading);
	if (reading->data && (link->type == ARPHRD_IPGRE || link->type == TYPE_IP6GRE)) {
		mnl_attr_parse_nested(reading->data, read_gre, reading);
		link->many_peers = !reading->remote && !reading->external;
	}
	return MNL_CB_STOP;
}

static int read_one(unsigned int ifindex, struct reading *reading)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer buffer;
	struct ifinfomsg *head;
	int err = netlink_open(NETLINK_ROUTE, &socket);

	if (err)
		return err;
	head = netlink_request(&buffer, RTM_GETLINK, 0, sizeof(*head));
	head->ifi_index = (int)ifindex;
	return netlink_ask(socket, &buffer, read_link, reading);
}

/* --- what to do if an interface cannot be filtered --- */

/* The interfaces of a VRF: "eth0, eth1"; the caller frees. */
static char *members(unsigned int ifindex)
{
	struct names names = {};
	struct links links = {};
	char *text;
	size_t i;

	if (!links_read(&links))
		for (i = 0; i < links.count; i++)
			if (links.link[i].master == ifindex)
				names_add(&names, links.link[i].name);
	text = names_join(&names, " ");
	names_free(&names);
	links_free(&links);
	return text;
}

static char *advice(const struct frame_link *link, unsigned int ifindex)
{
	struct link_facts facts;

	if (!strcmp(link->kind, "vrf")) {
		__free_text char *text = members(ifindex);

		return xasprintf("attach to its members instead%s%s", *text ? ": " : "", text);
	}
	if (!strcmp(link->kind, "ifb"))
		return xstrdup("attach to the interface whose packets are redirected to it");
	if (link->many_peers)
		return xstrdup("give each peer a gre tunnel of its own (remote ADDRESS)");
	if (link->ipvlan_l3s && !link_facts(ifindex, &facts) && facts.lower[0])
		return xasprintf("use mode l2 or l3, or attach to %s", facts.lower);
	if (link->ipvlan_l3s)
		return xstrdup("use mode l2 or l3, or attach to the interface that carries it");
	return xstrdup("attach to the interface that carries it, or filter it by nftables");
}

int frame_find(unsigned int ifindex, enum pc_frame *frame, char **why, char **instead)
{
	struct reading reading = {};
	struct utsname kernel = {};
	int err = read_one(ifindex, &reading);

	*why = *instead = NULL;
	if (err) {
		*why = xasprintf("cannot ask for its type: %s", strerror(-err));
		return err;
	}
	uname(&kernel);
	*why = frame_classify(&reading.link, kernel.release, frame);
	if (!*why)
		return 0;
	*instead = advice(&reading.link, ifindex);
	return -EOPNOTSUPP;
}

int frame_of(const char *interface, unsigned int ifindex, enum pc_frame *frame)
{
	__free_text char *why = NULL;
	__free_text char *instead = NULL;
	int err = frame_find(ifindex, frame, &why, &instead);

	if (err && instead)
		error("%s: cannot be filtered: %s; %s", interface, why, instead);
	else if (err)
		link_failed(interface, err, "cannot ask for its type");
	return err;
}
