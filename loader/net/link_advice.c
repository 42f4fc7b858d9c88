// SPDX-License-Identifier: GPL-2.0
/* Warnings about an interface before a filter is attached to it. */
#include "loader/net/link_advice.h"

#include <string.h>
#include <unistd.h>

#include "loader/base/columns.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/net/link.h"
#include "loader/net/nic.h"

static bool is_hyperv(const struct link *link)
{
	struct nic nic;

	nic_read(link->name, link->ifindex, &nic);
	return !strcmp(nic.driver, DRIVER_HYPERV);
}

static void judge_master(const struct link *master, link_tell *tell, void *context)
{
	__free_text char *text = NULL;

	if (!strcmp(master->kind, "bridge")) {
		text = xasprintf(
			"is a port of the bridge %s: traffic of the guests behind it is filtered too",
			master->name);
		tell(context, LINK_PORT, master->name, text);
	} else if (!strcmp(master->kind, "bond") || !strcmp(master->kind, "team")) {
		text = xasprintf(
			"is a member of %s: what arrives at the other members is not filtered; attach to %s",
			master->name, master->name);
		tell(context, LINK_MEMBER, master->name, text);
	} else if (!master->kind[0] && is_hyperv(master)) {
		text = xasprintf(
			"is the virtual function of %s, which carries its packets: attach to %s, whose driver filters both",
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
		     "carries this host's traffic to itself: local programs reach each other at listed ports only");
	if (!strcmp(own->kind, "bridge"))
		tell(context, LINK_BRIDGE, own->name,
		     "is a bridge: only packets to this host are filtered, not those between its ports");
	if (master)
		judge_master(master, tell, context);
	for (i = 0; i < links->count; i++) {
		const struct link *upper = &links->link[i];
		__free_text char *text = NULL;

		if (upper->lower != own->ifindex)
			continue;
		if (strncmp(upper->kind, "macv", 4) && strncmp(upper->kind, "ipv", 3))
			continue;
		text = xasprintf("carries the %s interface %s: its traffic is filtered too",
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

/*
 * Advice for a NIC, which has no kind. The packets of a virtual interface arrive on the CPU that
 * sent them.
 */
static void warn_queues(const char *interface, const struct link *own)
{
	unsigned int queues = own->kind[0] ? 0 : nic_queues(interface);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	__free_text char *text = human_count(queues, "receive queue", "receive queues");

	if (queues && queues < (unsigned long)cpus)
		warning("%s: has %s for %ld CPUs: at most %u of them can filter packets; to use all CPUs, if the NIC has as many queues: ethtool -L %s combined %ld",
			interface, text, cpus, queues, interface, cpus);
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

void link_advise(unsigned int ifindex, link_tell *tell, void *context)
{
	struct links links = {};
	const struct link *own;

	links_list(&links);
	own = links_find(&links, ifindex);
	if (own)
		judge_kinds(&links, own, tell, context);
	links_free(&links);
}

void link_warn(const char *interface, unsigned int ifindex, __u8 forward)
{
	struct links links = {};
	const struct link *own;

	links_list(&links);
	own = links_find(&links, ifindex);
	if (own) {
		judge_kinds(&links, own, warn, (void *)interface);
		warn_queues(interface, own);
	}
	links_free(&links);
	if (!link_forwarding())
		return;
	if (forward == PC_FORWARD_ALL)
		warning("%s: IP forwarding is on: packets for other hosts are filtered by these profiles too",
			interface);
	else if (forward)
		warning("%s: IP forwarding is on: packets for other hosts are filtered by these profiles too, and replies to connections that hosts other than the machines open are dropped; --forward admits them",
			interface);
	else
		warning("%s: IP forwarding is on: packets for other hosts are filtered by these profiles too, and replies to forwarded connections are dropped; --forward admits them",
			interface);
}
