// SPDX-License-Identifier: GPL-2.0
/* Hosts that this one depends on: gateways of its routes, name servers, DHCP servers. */
#include "loader/net/gateways.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/file.h"
#include "loader/net/netlink.h"

#define BOOTP_LENGTH  236 /* bytes of a BOOTP message before the options */
#define MESSAGE_LIMIT 65536
#define OPTION_PAD    0
#define OPTION_SERVER 54
#define OPTION_END    255

struct taking {
	address_take *take;
	void *context;
	__u8 family; /* address family of the route */
};

/* RTA_GATEWAY has the route's family; RTA_VIA has its own. */
static void take_gateway(const struct nlattr *attribute, const struct taking *taking)
{
	const struct rtvia *via = mnl_attr_get_payload(attribute);
	size_t length = mnl_attr_get_payload_len(attribute);

	if (mnl_attr_get_type(attribute) == RTA_GATEWAY &&
	    length == (taking->family == AF_INET6 ? 16 : 4))
		taking->take(taking->family, mnl_attr_get_payload(attribute), taking->context);
	if (mnl_attr_get_type(attribute) == RTA_VIA && length > sizeof(*via) &&
	    length - sizeof(*via) == (via->rtvia_family == AF_INET6 ? 16 : 4))
		taking->take((__u8)via->rtvia_family, via->rtvia_addr, taking->context);
}

/* The next hops of a multipath route. */
static void take_hops(const struct nlattr *attribute, const struct taking *taking)
{
	const char *at = mnl_attr_get_payload(attribute);
	int left = mnl_attr_get_payload_len(attribute);

	while (left >= (int)sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const void *)at;
		const struct nlattr *inner;

		if (hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > left)
			return;
		for (inner = (const void *)(at + RTNH_LENGTH(0));
		     mnl_attr_ok(inner, (int)(at + hop->rtnh_len - (const char *)inner));
		     inner = mnl_attr_next(inner))
			take_gateway(inner, taking);
		left -= RTNH_ALIGN(hop->rtnh_len);
		at += RTNH_ALIGN(hop->rtnh_len);
	}
}

static int read_route(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);
	struct taking *taking = data;
	const struct nlattr *attribute;

	taking->family = info->rtm_family;
	mnl_attr_for_each(attribute, message, sizeof(*info))
	{
		take_gateway(attribute, taking);
		if (mnl_attr_get_type(attribute) == RTA_MULTIPATH)
			take_hops(attribute, taking);
	}
	return MNL_CB_OK;
}

int gateways_each(address_take *take, void *context)
{
	__cleanup(netlink_close) struct mnl_socket *socket = NULL;
	struct taking taking = {.take = take, .context = context};
	const __u8 family[] = {AF_INET, AF_INET6};
	int err = netlink_open(NETLINK_ROUTE, &socket);

	for (size_t i = 0; i < sizeof(family) && !err; i++) {
		union netlink_buffer buffer;
		struct rtmsg *info =
			netlink_request(&buffer, RTM_GETROUTE, NLM_F_DUMP, sizeof(*info));

		info->rtm_family = family[i];
		err = netlink_ask(socket, &buffer, read_route, &taking);
	}
	return err;
}

/* Takes the address that the text is. */
static void take_text(const char *text, address_take *take, void *context)
{
	__u8 address[16];

	if (inet_pton(AF_INET, text, address) == 1)
		take(AF_INET, address, context);
	else if (inet_pton(AF_INET6, text, address) == 1)
		take(AF_INET6, address, context);
}

/* Takes the addresses that follow `word` in a file. */
static void read_words(const char *path, const char *word, address_take *take, void *context)
{
	__close_file FILE *file = fopen(path, "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, word);
		char *rest, *address;

		if (!at)
			continue;
		rest = line + (at - line) + strlen(word);
		address = strtok_r(rest, " \t\r\n;=\"'%", &rest);
		if (address)
			take_text(address, take, context);
	}
}

void resolvers_each(const char *path, address_take *take, void *context)
{
	read_words(path, "nameserver ", take, context);
	read_words(path, "nameserver\t", take, context);
}

/* Takes the server (option 54) of a lease that is stored as the message received (RFC 2131). */
static void read_message(const char *path, address_take *take, void *context)
{
	const unsigned char magic[] = {99, 130, 83, 99};
	__free_text char *text = NULL;
	size_t length, at = BOOTP_LENGTH + sizeof(magic);
	const unsigned char *byte;

	if (read_file(path, MESSAGE_LIMIT, &text, &length) || length < at ||
	    memcmp(text + BOOTP_LENGTH, magic, sizeof(magic)) != 0)
		return;
	byte = (const unsigned char *)text;
	while (at + 1 < length && byte[at] != OPTION_END) {
		size_t size = byte[at] == OPTION_PAD ? 0 : 1 + byte[at + 1];

		if (byte[at] == OPTION_SERVER && size == 5 && at + size < length)
			take(AF_INET, byte + at + 2, context);
		at += 1 + size;
	}
}

void messages_each(const char *folder, address_take *take, void *context)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		__free_text char *path = xasprintf("%s/%s", folder, entry->d_name);
		const char *end = strrchr(entry->d_name, '.');

		if (end && !strcmp(end, ".lease"))
			read_message(path, take, context);
	}
	if (dir)
		closedir(dir);
}

void leases_each(const char *folder, const char *word, address_take *take, void *context)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		__free_text char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (entry->d_name[0] != '.')
			read_words(path, word, take, context);
	}
	if (dir)
		closedir(dir);
}
