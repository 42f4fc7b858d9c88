// SPDX-License-Identifier: GPL-2.0
/* Kinds of interfaces, from rtnetlink. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "loader/link.h"
#include "loader/netlink.h"
#include "loader/util.h"

#define NAME_ROOM 128 /* ALTIFNAMSIZ of linux/if.h, which net/if.h excludes */

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
	case IFLA_LINK_NETNSID: link->lower_elsewhere = true; break;
	case IFLA_LINKINFO: mnl_attr_parse_nested(attribute, read_kind, link); break;
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct links *links = data;

	links->link = grow(links->link, links->count, sizeof(*links->link));
	links->link[links->count] =
		(struct link){.ifindex = info->ifi_index, .flags = info->ifi_flags};
	mnl_attr_parse(message, sizeof(*info), read_attribute, &links->link[links->count]);
	if (links->link[links->count].lower_elsewhere)
		links->link[links->count].lower = 0;
	links->count++;
	return MNL_CB_OK;
}

/* Their list, without addresses; 0 or -errno. */
static int list_links(struct links *links)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer buffer;
	int err;

	netlink_request(&buffer, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	err = netlink_open(NETLINK_ROUTE, &socket);
	return err ? err : netlink_ask(socket, &buffer, read_link, links);
}

static int read_only_link(const struct nlmsghdr *message, void *data)
{
	read_link(message, data);
	return MNL_CB_STOP;
}

unsigned int link_find(const char *name, char real[IF_NAMESIZE])
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer buffer;
	struct links links = {};
	unsigned int ifindex = 0;

	if (strlen(name) >= NAME_ROOM || netlink_open(NETLINK_ROUTE, &socket))
		return 0;
	netlink_request(&buffer, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&buffer.request, IFLA_ALT_IFNAME, name); /* finds real names as well */
	if (!netlink_ask(socket, &buffer, read_only_link, &links) && links.count) {
		ifindex = links.link[0].ifindex;
		memcpy(real, links.link[0].name, IF_NAMESIZE);
	}
	links_free(&links);
	return ifindex;
}

void link_real_names(struct names *names)
{
	char real[IF_NAMESIZE];
	size_t i;

	for (i = 0; i < names->count; i++)
		if (link_find(names->name[i], real) && strcmp(real, names->name[i])) {
			free(names->name[i]);
			names->name[i] = xstrdup(real);
		}
}

struct address_bytes {
	const struct nlattr *address, *local;
};

static int read_bytes(const struct nlattr *attribute, void *data)
{
	struct address_bytes *bytes = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFA_ADDRESS: bytes->address = attribute; break;
	case IFA_LOCAL: bytes->local = attribute; break;
	}
	return MNL_CB_OK;
}

static int read_address(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct links *links = data;
	struct address_bytes bytes = {};
	struct link_address *address;
	size_t size = info->ifa_family == AF_INET ? 4 : 16;

	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return MNL_CB_OK;
	links->address = grow(links->address, links->addresses, sizeof(*links->address));
	address = &links->address[links->addresses++];
	*address = (struct link_address){
		.ifindex = info->ifa_index, .family = info->ifa_family, .scope = info->ifa_scope};
	mnl_attr_parse(message, sizeof(*info), read_bytes, &bytes);
	/* Where both are there, the other one is that of the far end. */
	if (bytes.local)
		bytes.address = bytes.local;
	if (bytes.address && mnl_attr_get_payload_len(bytes.address) >= size)
		memcpy(address->address, mnl_attr_get_payload(bytes.address), size);
	return MNL_CB_OK;
}

int links_read(struct links *links)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer buffer;
	int err = list_links(links);

	netlink_request(&buffer, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	if (!err)
		err = netlink_open(NETLINK_ROUTE, &socket);
	return err ? err : netlink_ask(socket, &buffer, read_address, links);
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
	const struct link *master = links_find(links, own->master);
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

/* Receive queues in use; 0: the driver does not say. */
static unsigned int receive_queues(const char *interface)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};
	__close_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request))
		return 0;
	return channels.combined_count + channels.rx_count;
}

/* Of a NIC: what has no kind. A virtual interface's packets come on the CPU that sent them. */
static void warn_queues(const char *interface, const struct link *own)
{
	unsigned int queues = own->kind[0] ? 0 : receive_queues(interface);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (queues && queues < (unsigned long)cpus)
		warning("%s: has %u receive queue%s for %ld CPUs: no more than %u of them judge%s packets; ethtool -L %s combined %ld changes that, if the NIC has as many",
			interface, queues, queues == 1 ? "" : "s", cpus, queues,
			queues == 1 ? "s" : "", interface, cpus);
}

static bool forwards(const char *path)
{
	__close_file FILE *file = fopen(path, "re");

	return file && fgetc(file) == '1';
}

static bool contains(const struct link *const *list, size_t count, const struct link *link)
{
	size_t i;

	for (i = 0; i < count && list[i] != link; i++)
		;
	return i < count;
}

void link_uppers(unsigned int ifindex, __u32 upper[PC_UPPERS])
{
	const struct link **found;
	struct links links = {};
	size_t count = 0, at, i;

	list_links(&links);
	found = xcalloc(links.count + 1, sizeof(*found));
	found[0] = links_find(&links, ifindex);
	if (found[0])
		count = 1;
	for (at = 0; at < count; at++)
		for (i = 0; i < links.count; i++)
			if (links_is_above(&links.link[i], found[at]) &&
			    !contains(found, count, &links.link[i]))
				found[count++] = &links.link[i];
	for (i = 0; i < PC_UPPERS; i++)
		upper[i] = i + 1 < count ? found[i + 1]->ifindex : 0;
	if (count > PC_UPPERS + 1)
		warning("%s: has %zu interfaces above it (bridges, VLANs): of what comes in by one that is not among the first %d and is routed out again, the answers pass too",
			found[0]->name, count - 1, PC_UPPERS);
	free(found);
	links_free(&links);
}

void link_warn(const char *interface, unsigned int ifindex, bool forward)
{
	struct links links = {};
	const struct link *own;

	list_links(&links);
	own = links_find(&links, ifindex);
	if (own) {
		warn_kinds(interface, &links, own);
		warn_queues(interface, own);
	}
	links_free(&links);
	if (!forwards("/proc/sys/net/ipv4/ip_forward") &&
	    !forwards("/proc/sys/net/ipv6/conf/all/forwarding"))
		return;
	if (forward)
		warning("%s: IP forwarding is on: packets for other hosts are judged by these profiles too",
			interface);
	else
		warning("%s: IP forwarding is on: packets for other hosts are judged by these profiles too, and answers to what they start are not known; --forward learns these",
			interface);
}
