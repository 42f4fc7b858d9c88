// SPDX-License-Identifier: GPL-2.0
/* Reads the words and options of `explain` that describe the packet. */
#include "loader/command/packet_words.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/catalog/ports.h"
#include "loader/net/frame_make.h"

#define COMMAND	 "portcullis explain"
#define SYNOPSIS COMMAND " [IFACE] REMOTE PORT/PROTO"

/* --- addresses --- */

static bool read_address(const char *text, __u8 *family, __u8 address[16])
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	memset(address, 0, 16);
	return inet_pton(*family, text, address) == 1;
}

static bool is_address(const char *text)
{
	__u8 family, address[16];

	return read_address(text, &family, address);
}

static bool is_multicast(__u8 family, const __u8 *address)
{
	return family == AF_INET ? address[0] >> 4 == 14 : address[0] == 0xff;
}

static bool is_broadcast(__u8 family, const __u8 *address)
{
	return family == AF_INET && !memcmp(address, "\xff\xff\xff\xff", 4);
}

static bool is_loopback(__u8 family, const __u8 *address)
{
	return family == AF_INET ? address[0] == 127 :
				   IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)address);
}

/* Why a packet cannot be from or to this address; NULL: it can. */
static const char *wrong_remote(const struct packet_words *words)
{
	if (is_loopback(words->family, words->remote))
		return "is a loopback address: such packets stay on lo, where there is no filter";
	if (words->family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)words->remote))
		return "is IPv4 in IPv6 form, which no packet has; write it as an IPv4 address";
	if (words->out)
		return NULL;
	if (is_multicast(words->family, words->remote))
		return "is a multicast address, from which no packet comes; with --out it is the destination";
	if (is_broadcast(words->family, words->remote))
		return "is the broadcast address, from which no packet comes; with --out it is the destination";
	return NULL;
}

/* A suggestion for a text that is not an address; the caller frees. */
static char *address_hint(const char *text)
{
	__free_text char *head = xstrndup(text, strcspn(text, "/%"));
	__free_text char *before = xstrndup(text, strcspn(text, ":"));
	__u8 family, address[16];

	if (strlen(before) < strlen(text) && read_address(before, &family, address))
		return xasprintf("; write the port behind it: " COMMAND " %s PORT/PROTO", before);
	if (!read_address(head, &family, address))
		return xstrdup("");
	if (text[strlen(head)] == '/')
		return xasprintf("; one address is asked about, not a prefix: %s", head);
	return xasprintf("; write %s, and name the interface before it", head);
}

/* The words in the right order, if only their order is wrong; the caller frees. */
static char *reordered(const struct names *given, bool (*there)(const char *name))
{
	const char *interface = NULL, *remote = NULL, *port = NULL;
	size_t i;

	for (i = 0; i < given->count; i++) {
		const char *word = given->name[i];
		const char **place = is_address(word)  ? &remote :
				     there(word)       ? &interface :
				     strchr(word, '/') ? &port :
							 NULL;

		if (!place || *place)
			return NULL;
		*place = word;
	}
	return remote && port ? xasprintf(COMMAND " %s%s%s %s", interface ?: "",
					  interface ? " " : "", remote, port) :
				NULL;
}

static int wrong_order(const struct names *given, bool (*there)(const char *name))
{
	__free_text char *line = reordered(given, there);
	__free_text char *shown = line ? text_printable(line) : NULL;

	if (line)
		error("explain: the address goes before the port, the interface before both: %s",
		      shown);
	return line ? -EINVAL : 0;
}

static int read_remote(const char *text, bool named, struct packet_words *words)
{
	__free_text char *shown = text_printable(text), *hint = NULL;
	const char *why;

	if (!read_address(text, &words->family, words->remote)) {
		hint = address_hint(text);
		error("explain: '%s' is %s IPv4 or IPv6 address (example: 192.0.2.7)%s", shown,
		      named ? "not an" : "neither an interface nor an", hint);
		return -EINVAL;
	}
	why = wrong_remote(words);
	if (why)
		error("explain: %s %s", shown, why);
	return why ? -EINVAL : 0;
}

static int read_local(const char *text, struct packet_words *words)
{
	__free_text char *shown = NULL;
	__u8 family;

	if (!text)
		return 0;
	shown = text_printable(text);
	if (!read_address(text, &family, words->local)) {
		error("explain: --local must be an IPv4 or IPv6 address, not '%s'", shown);
		return -EINVAL;
	}
	if (family != words->family) {
		error("explain: --local %s and the remote address are not of the same family",
		      shown);
		return -EINVAL;
	}
	words->has_local = true;
	return 0;
}

/* --- port and protocol --- */

/* True if the word asks for an ICMP packet in a way that newcomers try. */
static bool is_icmp_word(const char *text)
{
	const char *name = strrchr(text, '/') ? strrchr(text, '/') + 1 : text;

	return !strcmp(name, "icmp") || !strcmp(name, "icmpv6") || !strcmp(name, "ping");
}

static int read_port(const char *text, struct packet_words *words)
{
	__free_text char *why = NULL;
	__u32 port;

	if (is_icmp_word(text)) {
		error("explain: an ICMP packet has no port, but a type: --icmp %d is a ping",
		      words->family == AF_INET ? 8 : 128);
		return -EINVAL;
	}
	if (port_parse(text, &port, &why)) {
		error("explain: %s", why);
		return -EINVAL;
	}
	words->protocol = pc_port_transport(port) == PC_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	words->port = pc_port_number(port);
	return 0;
}

static int wrong_option(const char *option, const char *expected, const char *text)
{
	__free_text char *shown = text_printable(text);

	error("explain: --%s must be %s, not '%s'", option, expected, shown);
	return -EINVAL;
}

/* A number up to 255 that ends at `end`; -1: something else. */
static int read_byte(const char *text, char end, const char **rest)
{
	char *stop;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return -1;
	value = strtoul(text, &stop, 10);
	if (value > 255 || (*stop && *stop != end))
		return -1;
	*rest = *stop ? stop + 1 : NULL;
	return (int)value;
}

static int read_protocol(const char *text, struct packet_words *words)
{
	static const char expected[] = "an IP protocol by name or number, as esp or 50";
	const struct protoent *known = getprotobyname(text);
	const char *rest = NULL;
	int number = known ? known->p_proto : read_byte(text, '\0', &rest);

	if (!strcmp(text, "icmpv6"))
		number = IPPROTO_ICMPV6;
	if (number < 0 || number > 255)
		return wrong_option("protocol", expected, text);
	if (number == IPPROTO_TCP || number == IPPROTO_UDP) {
		error("explain: a packet of %s has a port: " SYNOPSIS ", as 25/%s", text,
		      number == IPPROTO_TCP ? "tcp" : "udp");
		return -EINVAL;
	}
	if (number == (words->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6)) {
		error("explain: a packet of %s has a type: --icmp TYPE[/CODE], as --icmp %d", text,
		      words->family == AF_INET ? 8 : 128);
		return -EINVAL;
	}
	words->protocol = (__u8)number;
	return 0;
}

static int read_icmp(const char *text, struct packet_words *words)
{
	static const char expected[] = "TYPE or TYPE/CODE, each from 0 to 255, as 8 or 3/4";
	const char *rest = NULL;
	int type = read_byte(text, '/', &rest), code = 0;

	if (type >= 0 && rest)
		code = read_byte(rest, '\0', &rest);
	if (type < 0 || code < 0)
		return wrong_option("icmp", expected, text);
	words->icmp = true;
	words->icmp_type = (__u8)type;
	words->icmp_code = (__u8)code;
	words->quoted = words->protocol;
	words->protocol = words->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (frame_is_icmp_error(words->family, words->icmp_type) == !!words->quoted)
		return 0;
	if (words->quoted)
		error("explain: ICMP type %d has no port; leave it out", type);
	else
		error("explain: ICMP type %d is an error, and quotes a packet that this host sent: name the port that it was sent from, as 25/tcp",
		      type);
	return -EINVAL;
}

/* Bits by the names of RFC 9293, 3.1. */
static const char *const flag_name[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};

static int read_flag(const char *name, struct packet_words *words)
{
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flag_name); i++)
		if (!strcmp(name, flag_name[i])) {
			words->tcp_flags |= (__u8)(1U << i);
			return 0;
		}
	near = nearest(name, flag_name, ARRAY_SIZE(flag_name));
	if (!near)
		return wrong_option("flags", "of fin, syn, rst, psh, ack, urg, ece, cwr, or none",
				    name);
	error("explain: --flags: '%s' is not a TCP flag; did you mean '%s'?", name, near);
	return -EINVAL;
}

static int read_flags(const char *text, struct packet_words *words)
{
	__free_text char *copy = xstrdup(text);
	char *rest = copy, *name;
	int err = 0;

	if (words->protocol != IPPROTO_TCP) {
		error("explain: --flags is for TCP: leave it out, or name a TCP port, as in 25/tcp");
		return -EINVAL;
	}
	words->tcp_flags = 0;
	while (!err && (name = strsep(&rest, ",")))
		err = strcmp(text, "none") ? read_flag(name, words) : 0;
	return err;
}

/*
 * Reads the port or type of a packet from PORT/PROTO, --protocol and --icmp, and checks that they
 * go together.
 */
static int read_kind(const struct options *options, const char *port, struct packet_words *words)
{
	int err = 0;

	if (options->protocol && (port || options->icmp)) {
		error("explain: --protocol is for packets without a port: leave out %s",
		      port ?: "--icmp");
		return -EINVAL;
	}
	if (!port && !options->protocol && !options->icmp) {
		error("explain: the port is missing: " SYNOPSIS);
		return -EINVAL;
	}
	words->tcp_flags = TH_SYN;
	words->from = options->source_port ? (__u16)options->source_port : PACKET_EPHEMERAL;
	if (port)
		err = read_port(port, words);
	if (!err && options->protocol)
		err = read_protocol(options->protocol, words);
	if (!err && options->icmp)
		err = read_icmp(options->icmp, words);
	if (!err && options->flags)
		err = read_flags(options->flags, words);
	if (!err && options->source_port && !port && !words->icmp) {
		error("explain: --source-port is for TCP and UDP: leave it out");
		err = -EINVAL;
	}
	return err;
}

/* The first argument is an interface unless it is an address. */
static bool is_interface(const char *word, bool (*there)(const char *name))
{
	return !is_address(word) && there(word);
}

int packet_words_read(const struct options *options, bool (*there)(const char *name),
		      struct packet_words *words)
{
	const struct names *given = &options->arguments;
	bool named = given->count && is_interface(given->name[0], there);
	/* With a port there are three words, so the first one must be an interface. */
	bool meant = named || given->count == 3;
	const char *port = given->count > meant + 1U ? given->name[meant + 1] : NULL;
	int err;

	*words = (struct packet_words){.out = options->out};
	if (given->count < meant + 1U || given->count > meant + 2U) {
		error("explain: %s: " SYNOPSIS,
		      given->count > 3 ? "too many words" : "the remote address is missing");
		return -EINVAL;
	}
	words->interface = meant ? given->name[0] : NULL;
	if (!is_address(given->name[meant])) {
		err = wrong_order(given, there);
		if (err)
			return err;
	}
	err = read_remote(given->name[meant], meant, words);
	if (!err)
		err = read_local(options->local, words);
	return err ? err : read_kind(options, port, words);
}
