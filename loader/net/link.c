// SPDX-License-Identifier: GPL-2.0
/* Kinds of interfaces, from rtnetlink. */
#include "loader/net/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/net/netlink.h"

#define NEAR_SHOWN  8
#define NEAR_SORTED 256 /* at most so many interfaces are compared with a name */

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

int links_list(struct links *links)
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
	mnl_attr_put_strz(&buffer.request, IFLA_ALT_IFNAME, name); /* finds real names, too */
	found = netlink_ask(socket, &buffer, read_only_link, &links);
	if (!found && links.count) {
		found = links.link[0].ifindex;
		memcpy(real, links.link[0].name, IF_NAMESIZE);
	}
	links_free(&links);
	/*
	 * The kernel's errors if there is no such interface; EINVAL and ERANGE if the name cannot
	 * be one.
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
	*address = (struct link_address){.ifindex = info->ifa_index,
					 .family = info->ifa_family,
					 .scope = info->ifa_scope,
					 .length = info->ifa_prefixlen};
	mnl_attr_parse(message, sizeof(*info), read_bytes, &bytes);
	/* If both attributes are there, the address is the far end's, and the local one is this
	 * host's. */
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
	int err = links_list(links);

	netlink_request(&buffer, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	if (!err)
		err = netlink_open(NETLINK_ROUTE, &socket);
	return err ? err : netlink_ask(socket, &buffer, read_address, links);
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

	links_list(&links);
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
		warning("%s: has %zu interfaces above it (bridges, VLANs), and the filter knows only %d of them: if a packet comes in by another one and is routed out by it again, the answer passes, too",
			found[0]->name, count - 1, PC_UPPERS);
	free(found);
	links_free(&links);
}

/* On a host with thousands of interfaces, compare only names that begin alike. */
static void list_near(const struct links *links, const char *name, struct names *names)
{
	for (size_t i = 0; i < links->count; i++) {
		if (links->count <= NEAR_SORTED || links->link[i].name[0] == name[0])
			names_add(names, links->link[i].name);
		if (names->count == NEAR_SORTED)
			break;
	}
	names_sort_near(names, name);
	while (names->count > NEAR_SHOWN)
		free(names->name[--names->count]);
}

char *links_there(const char *name)
{
	__cleanup(names_free) struct names names = {};
	__cleanup(links_free) struct links links = {};
	__free_text char *list = NULL;

	if (links_list(&links) || !links.count)
		return xstrdup("");
	list_near(&links, name, &names);
	list = names_join(&names, ", ");
	if (names.count == links.count)
		return xasprintf("; there %s %s", links.count == 1 ? "is" : "are", list);
	return xasprintf("; there are %s%s%zu more", list, names.count ? " and " : "",
			 links.count - names.count);
}

int link_failed(const char *interface, int err, const char *what)
{
	if (err == -ENODEV || err == -ENXIO) {
		error("%s: the interface is gone", interface);
		return -ENODEV;
	}
	error("%s: %s: %s", interface, what, strerror(-err));
	return err;
}

unsigned int link_zone(unsigned int ifindex)
{
	struct links links = {};

	links_list(&links);
	ifindex = links_zone(&links, ifindex);
	links_free(&links);
	return ifindex;
}

int link_facts(unsigned int ifindex, struct link_facts *facts)
{
	const struct link *own, *lower;
	struct links links = {};
	size_t i;

	*facts = (struct link_facts){};
	links_list(&links);
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
