// SPDX-License-Identifier: GPL-2.0
/* Kinds of interfaces, from rtnetlink. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "loader/link.h"
#include "loader/util.h"

#define DUMP_SIZE 32768 /* bytes: the kernel fills as much of a dump's message as it may */

struct link {
	unsigned int ifindex;
	unsigned int master;
	unsigned int lower; /* IFLA_LINK */
	char name[IF_NAMESIZE];
	char kind[32];
};

struct links {
	struct link *link;
	size_t count;
};

static int read_kind(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND &&
	    !mnl_attr_validate(attribute, MNL_TYPE_STRING))
		snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int read_attribute(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_MASTER: link->master = mnl_attr_get_u32(attribute); break;
	case IFLA_LINK: link->lower = mnl_attr_get_u32(attribute); break;
	case IFLA_LINKINFO: mnl_attr_parse_nested(attribute, read_kind, link); break;
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct links *links = data;

	links->link = xrealloc(links->link, links->count + 1, sizeof(*links->link));
	links->link[links->count] = (struct link){.ifindex = info->ifi_index};
	mnl_attr_parse(message, sizeof(*info), read_attribute, &links->link[links->count++]);
	return MNL_CB_OK;
}

/* All links of the network namespace. Best effort: what cannot be read is not warned of. */
static void list_links(struct links *links)
{
	char buffer[DUMP_SIZE];
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;
	ssize_t length;

	if (!socket)
		return;
	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) >= 0 &&
	    mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0)
		while ((length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) > 0)
			if (mnl_cb_run(buffer, length, 0, mnl_socket_get_portid(socket), read_link,
				       links) <= MNL_CB_STOP)
				break;
	mnl_socket_close(socket);
}

static const struct link *find(const struct links *links, unsigned int ifindex)
{
	size_t i;

	for (i = 0; ifindex && i < links->count; i++)
		if (links->link[i].ifindex == ifindex)
			return &links->link[i];
	return NULL;
}

static void warn_master(const char *interface, const struct link *master)
{
	if (!strcmp(master->kind, "bridge"))
		warning("%s: is a port of the bridge %s: traffic of the guests behind it is judged too",
			interface, master->name);
	else if (!strcmp(master->kind, "bond") || !strcmp(master->kind, "team"))
		warning("%s: is a member of %s: what comes by the other members is not judged; attach to %s",
			interface, master->name, master->name);
}

static void warn_kinds(const char *interface, const struct links *links, const struct link *own)
{
	const struct link *master = find(links, own->master);
	size_t i;

	if (!strcmp(own->kind, "bridge"))
		warning("%s: is a bridge: what it forwards between its ports is not judged, only what comes to this host",
			interface);
	if (master)
		warn_master(interface, master);
	for (i = 0; i < links->count; i++) {
		const struct link *upper = &links->link[i];

		if (upper->lower != own->ifindex)
			continue;
		if (!strncmp(upper->kind, "macv", 4) || !strncmp(upper->kind, "ipv", 3))
			warning("%s: carries the %s interface %s: its traffic is judged too",
				interface, upper->kind, upper->name);
	}
}

static bool forwards(const char *path)
{
	__close_file FILE *file = fopen(path, "re");

	return file && fgetc(file) == '1';
}

void link_warn(const char *interface, unsigned int ifindex)
{
	struct links links = {};
	const struct link *own;

	list_links(&links);
	own = find(&links, ifindex);
	if (own)
		warn_kinds(interface, &links, own);
	free(links.link);
	if (forwards("/proc/sys/net/ipv4/ip_forward") ||
	    forwards("/proc/sys/net/ipv6/conf/all/forwarding"))
		warning("%s: IP forwarding is on: packets for other hosts are judged by these profiles too",
			interface);
}
