// SPDX-License-Identifier: GPL-2.0
/* Kinds of interfaces, from rtnetlink. */
#include "loader/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/netlink.h"
#include "loader/nic.h"

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

int link_find(const char *name, char real[IF_NAMESIZE])
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	union netlink_buffer buffer;
	struct links links = {};
	int found;

	if (strlen(name) >= NAME_ROOM)
		return 0;
	found = netlink_open(NETLINK_ROUTE, &socket);
	if (found)
		return found;
	netlink_request(&buffer, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&buffer.request, IFLA_ALT_IFNAME, name); /* finds real names as well */
	found = netlink_ask(socket, &buffer, read_only_link, &links);
	if (!found && links.count) {
		found = links.link[0].ifindex;
		memcpy(real, links.link[0].name, IF_NAMESIZE);
	}
	links_free(&links);
	/* How the kernel says that there is none; of a name that cannot be one, EINVAL or ERANGE.
	 */
	return found == -ENODEV || found == -EINVAL || found == -ERANGE ? 0 : found;
}

void link_real_names(struct names *names)
{
	char real[IF_NAMESIZE];
	size_t i;

	for (i = 0; i < names->count; i++)
		if (link_find(names->name[i], real) > 0 && strcmp(real, names->name[i])) {
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

static void judge_master(const struct link *master, link_tell *tell, void *context)
{
	__free_text char *text = NULL;

	if (!strcmp(master->kind, "bridge")) {
		text = xasprintf(
			"is a port of the bridge %s: traffic of the guests behind it is judged too",
			master->name);
		tell(context, LINK_PORT, master->name, text);
	} else if (!strcmp(master->kind, "bond") || !strcmp(master->kind, "team")) {
		text = xasprintf(
			"is a member of %s: what comes by the other members is not judged; attach to %s",
			master->name, master->name);
		tell(context, LINK_MEMBER, master->name, text);
	}
}

static void judge_kinds(const struct links *links, const struct link *own, link_tell *tell,
			void *context)
{
	const struct link *master = links_find(links, own->master);
	size_t i;

	if (own->flags & IFF_LOOPBACK)
		tell(context, LINK_LOOPBACK, own->name,
		     "carries what this host sends to itself: programs on it reach each other at listed ports only");
	if (!strcmp(own->kind, "bridge"))
		tell(context, LINK_BRIDGE, own->name,
		     "is a bridge: what it forwards between its ports is not judged, only what comes to this host");
	if (master)
		judge_master(master, tell, context);
	for (i = 0; i < links->count; i++) {
		const struct link *upper = &links->link[i];
		__free_text char *text = NULL;

		if (upper->lower != own->ifindex)
			continue;
		if (strncmp(upper->kind, "macv", 4) && strncmp(upper->kind, "ipv", 3))
			continue;
		text = xasprintf("carries the %s interface %s: its traffic is judged too",
				 upper->kind, upper->name);
		tell(context, LINK_CARRIES, upper->name, text);
	}
}

static void warn(void *context, enum link_matter matter, const char *other, const char *text)
{
	(void)matter;
	(void)other;
	warning("%s: %s", (const char *)context, text);
}

/* Of a NIC: what has no kind. A virtual interface's packets come on the CPU that sent them. */
static void warn_queues(const char *interface, const struct link *own)
{
	unsigned int queues = own->kind[0] ? 0 : nic_queues(interface);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (queues && queues < (unsigned long)cpus)
		warning("%s: has %u receive queue%s for %ld CPUs: no more than %u of them judge%s packets; ethtool -L %s combined %ld changes that, if the NIC has as many",
			interface, queues, queues == 1 ? "" : "s", cpus, queues,
			queues == 1 ? "s" : "", interface, cpus);
}

static bool is_on(const char *path)
{
	__close_file FILE *file = fopen(path, "re");

	return file && fgetc(file) == '1';
}

bool link_forwarding(void)
{
	return is_on("/proc/sys/net/ipv4/ip_forward") ||
	       is_on("/proc/sys/net/ipv6/conf/all/forwarding");
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

unsigned int link_zone(unsigned int ifindex)
{
	struct links links = {};

	list_links(&links);
	ifindex = links_zone(&links, ifindex);
	links_free(&links);
	return ifindex;
}

void link_judge(unsigned int ifindex, link_tell *tell, void *context)
{
	struct links links = {};
	const struct link *own;

	list_links(&links);
	own = links_find(&links, ifindex);
	if (own)
		judge_kinds(&links, own, tell, context);
	links_free(&links);
}

int link_facts(unsigned int ifindex, struct link_facts *facts)
{
	const struct link *own, *lower;
	struct links links = {};
	size_t i;

	*facts = (struct link_facts){};
	list_links(&links);
	own = links_find(&links, ifindex);
	if (own) {
		lower = links_find(&links, own->lower);
		memcpy(facts->kind, own->kind, sizeof(facts->kind));
		if (lower)
			memcpy(facts->lower, lower->name, sizeof(facts->lower));
		facts->up = own->flags & IFF_UP;
	}
	for (i = 0; own && i < links.count; i++)
		facts->vlans |=
			links.link[i].lower == own->ifindex && !strcmp(links.link[i].kind, "vlan");
	links_free(&links);
	return own ? 0 : -ENODEV;
}

void link_warn(const char *interface, unsigned int ifindex, bool forward)
{
	struct links links = {};
	const struct link *own;

	list_links(&links);
	own = links_find(&links, ifindex);
	if (own) {
		judge_kinds(&links, own, warn, (void *)interface);
		warn_queues(interface, own);
	}
	links_free(&links);
	if (!link_forwarding())
		return;
	if (forward)
		warning("%s: IP forwarding is on: packets for other hosts are judged by these profiles too",
			interface);
	else
		warning("%s: IP forwarding is on: packets for other hosts are judged by these profiles too, and answers to what they start are not known; --forward learns these",
			interface);
}
