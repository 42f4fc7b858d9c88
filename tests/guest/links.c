// SPDX-License-Identifier: GPL-2.0
/*
 * Tells when an interface comes up and when its filter is there: "SECONDS NAME up|down xdp|open",
 * in boot time, a line for each change. Attaching by a BPF link sends no message, so while an
 * interface is up without a program the kernel is asked again every 2 ms. Runs until it is killed.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINKS 64

struct known {
	int index;
	bool up, filtered;
	char name[IFNAMSIZ];
};

static struct known known[LINKS];
static size_t count;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static bool has_program(const struct nlattr *xdp)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, xdp)
	{
		if (mnl_attr_get_type(attribute) == IFLA_XDP_ATTACHED)
			return mnl_attr_get_u8(attribute) != XDP_ATTACHED_NONE;
	}
	return false;
}

static struct known *find(int index)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (known[i].index == index)
			return &known[i];
	if (count == LINKS)
		exit(1);
	known[count] = (struct known){.index = index};
	return &known[count++];
}

static int read_link(const struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	struct known *link, new = {.index = message->ifi_index, .up = message->ifi_flags & IFF_UP};
	const struct nlattr *attribute;
	bool *dump = data;

	if (header->nlmsg_type == RTM_DELLINK) {
		link = find(message->ifi_index);
		printf("%.3f %s gone\n", now(), link->name);
		fflush(stdout);
		*link = known[--count];
		return MNL_CB_OK;
	}
	if (header->nlmsg_type != RTM_NEWLINK || message->ifi_flags & IFF_LOOPBACK)
		return MNL_CB_OK;
	link = find(message->ifi_index);
	new.filtered = link->filtered;
	mnl_attr_for_each(attribute, header, sizeof(*message))
	{
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
			strncpy(new.name, mnl_attr_get_str(attribute), IFNAMSIZ - 1);
		else if (mnl_attr_get_type(attribute) == IFLA_XDP && *dump)
			new.filtered = has_program(attribute);
	}
	if (strcmp(new.name, link->name) || new.up != link->up || new.filtered != link->filtered) {
		printf("%.3f %s %s %s\n", now(), new.name, new.up ? "up" : "down",
		       new.filtered ? "xdp" : "open");
		fflush(stdout);
	}
	*link = new;
	return MNL_CB_OK;
}

static void read_some(struct mnl_socket *socket, unsigned int sequence, bool dump)
{
	char buffer[32768];
	ssize_t size;
	int more = MNL_CB_OK;

	do {
		size = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (size < 0 && errno != EINTR && errno != ENOBUFS)
			exit(1);
		if (size > 0)
			more = mnl_cb_run(buffer, size, sequence, 0, read_link, &dump);
	} while (dump && more > MNL_CB_STOP);
}

/* Asks for all links: only these answers say what is attached. */
static void dump_links(struct mnl_socket *socket)
{
	static unsigned int sequence;
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = RTM_GETLINK;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++sequence;
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		exit(1);
	read_some(socket, sequence, true);
}

static bool any_open(void)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (known[i].up && !known[i].filtered)
			return true;
	return false;
}

int main(void)
{
	struct mnl_socket *events = mnl_socket_open(NETLINK_ROUTE);
	struct mnl_socket *asks = mnl_socket_open(NETLINK_ROUTE);
	struct pollfd poll_fd = {.events = POLLIN};

	if (!events || !asks || mnl_socket_bind(events, RTMGRP_LINK, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_bind(asks, 0, MNL_SOCKET_AUTOPID))
		return 1;
	poll_fd.fd = mnl_socket_get_fd(events);
	for (;;) {
		dump_links(asks);
		if (poll(&poll_fd, 1, any_open() ? 2 : 1000) > 0)
			read_some(events, 0, false);
	}
}
