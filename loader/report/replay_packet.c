// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a captured frame for `replay`. The BPF program decides. What is read here is needed to find
 * the state that earlier packets would have left.
 */
#include "loader/report/replay_packet.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>

#include "loader/base/memory.h"

#define ETHERNET	14
#define COOKED		16
#define COOKED_TWO	20
#define TAG		4
#define TAGS		2 /* VLAN tags that the programs skip */
#define IPV4		20
#define IPV6		40
#define IPV6_EXTENSIONS 8
#define TCP		20
#define UDP		8
#define ICMP		8
#define ARP_SENDER	14     /* offset of the sender's IPv4 address */
#define LEAST		15     /* bytes of the shortest frame that BPF_PROG_TEST_RUN accepts */
#define WITHOUT_LENGTH	0xffff /* BIG TCP: the length in the header is 0 */

bool replay_link_known(__u16 link)
{
	return link == REPLAY_ETHERNET || link == REPLAY_RAW || link == REPLAY_RAW_OTHER ||
	       link == REPLAY_COOKED || link == REPLAY_IPV4 || link == REPLAY_IPV6 ||
	       link == REPLAY_COOKED_TWO;
}

static __u16 read16(const __u8 *at)
{
	return (__u16)(at[0] << 8 | at[1]);
}

static void write16(__u8 *at, __u32 value)
{
	at[0] = (__u8)(value >> 8);
	at[1] = (__u8)value;
}

/* --- the link's header --- */

struct link_header {
	size_t size;
	__u16 type;  /* ethertype of the packet */
	int packet;  /* PACKET_*; -1: the header does not have it */
	bool broken; /* the header is not complete */
};

static struct link_header read_ethernet(const struct captured *captured)
{
	struct link_header header = {.size = ETHERNET, .packet = -1};
	int tags;

	if (captured->captured < ETHERNET)
		return (struct link_header){.broken = true, .packet = -1};
	header.type = read16(captured->bytes + ETHERNET - 2);
	for (tags = 0; tags < TAGS; tags++) {
		if (header.type != ETH_P_8021Q && header.type != ETH_P_8021AD)
			break;
		if (captured->captured < header.size + TAG)
			return (struct link_header){.broken = true, .packet = -1};
		header.type = read16(captured->bytes + header.size + 2);
		header.size += TAG;
	}
	return header;
}

static struct link_header read_cooked(const struct captured *captured)
{
	if (captured->captured < COOKED)
		return (struct link_header){.broken = true, .packet = -1};
	return (struct link_header){.size = COOKED,
				    .type = read16(captured->bytes + 14),
				    .packet = read16(captured->bytes)};
}

static struct link_header read_cooked_two(const struct captured *captured)
{
	if (captured->captured < COOKED_TWO)
		return (struct link_header){.broken = true, .packet = -1};
	return (struct link_header){
		.size = COOKED_TWO, .type = read16(captured->bytes), .packet = captured->bytes[10]};
}

static struct link_header read_link(const struct captured *captured)
{
	__u8 version = captured->captured ? captured->bytes[0] >> 4 : 0;

	switch (captured->link) {
	case REPLAY_ETHERNET: return read_ethernet(captured);
	case REPLAY_COOKED: return read_cooked(captured);
	case REPLAY_COOKED_TWO: return read_cooked_two(captured);
	}
	return (struct link_header){.type = version == 6 ? ETH_P_IPV6 : ETH_P_IP,
				    .packet = -1,
				    .broken = !captured->captured};
}

/* --- the frame that the program gets --- */

static void append(struct replay_packet *packet, const __u8 *bytes, size_t size)
{
	size_t room = sizeof(packet->frame) - packet->used;

	if (size > room)
		size = room;
	memcpy(packet->frame + packet->used, bytes, size);
	packet->used += (__u32)size;
}

/* Returns the offset of the IP header in the frame. */
static size_t make_frame(const struct replay_reading *reading, const struct captured *captured,
			 const struct link_header *header, struct replay_packet *packet)
{
	__u32 behind = captured->length - (__u32)header->size;
	size_t ip = 0;

	if (reading->frame == PC_FRAME_ETHERNET) {
		if (captured->link == REPLAY_ETHERNET) {
			append(packet, captured->bytes, header->size);
		} else {
			packet->used = ETHERNET;
			memset(packet->frame, 0, ETHERNET);
			write16(packet->frame + ETHERNET - 2, header->type);
		}
		ip = packet->used;
	}
	packet->length = (__u32)ip + behind;
	append(packet, captured->bytes + header->size, captured->captured - header->size);
	return ip;
}

/* A frame that is too short for BPF_PROG_TEST_RUN, and has no packet either. */
static void pad_frame(struct replay_packet *packet)
{
	if (packet->used >= LEAST)
		return;
	memset(packet->frame + packet->used, 0, LEAST - packet->used);
	packet->used = LEAST;
}

static bool is_cut(const struct replay_packet *packet)
{
	return packet->used < packet->length;
}

/*
 * Appends zeros to a cut frame, at fields that no rule reads: TCP options, the UDP length. If there
 * is no room for them, the verdict is unknown.
 */
static void lengthen(struct replay_packet *packet, size_t to)
{
	if (to <= packet->used)
		return;
	if (to > sizeof(packet->frame)) {
		packet->way = REPLAY_CUT;
		return;
	}
	memset(packet->frame + packet->used, 0, to - packet->used);
	packet->used = (__u32)to;
}

/* --- IP --- */

/* A position in a header. */
struct cursor {
	struct replay_packet *packet;
	size_t ip, at, end; /* end: of the IP packet within the frame */
};

/* False: the packet ends before that, or its captured part does. */
static bool has(const struct cursor *cursor, size_t at, size_t size)
{
	if (at + size <= cursor->packet->used)
		return true;
	if (is_cut(cursor->packet) && at + size <= cursor->packet->length)
		cursor->packet->way = REPLAY_CUT;
	return false;
}

static void read_ports(struct replay_tuple *tuple, const __u8 *transport)
{
	tuple->source_port = read16(transport);
	tuple->destination_port = read16(transport + 2);
	tuple->ports = true;
}

static bool is_icmp(const struct replay_tuple *tuple)
{
	return tuple->protocol == (tuple->family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static bool is_echo(const struct replay_tuple *tuple, __u8 type, bool request)
{
	if (tuple->family == 6)
		return type == (request ? 128 : 129);
	return type == (request ? 8 : 0);
}

static bool is_error(const struct replay_tuple *tuple, __u8 type)
{
	return tuple->family == 6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12;
}

static void read_addresses(struct replay_tuple *tuple, __u8 family, const __u8 *ip)
{
	size_t size = family == 4 ? 4 : 16, at = family == 4 ? 12 : 8;

	tuple->family = family;
	memcpy(tuple->source, ip + at, size);
	memcpy(tuple->destination, ip + at + size, size);
}

static bool is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS;
}

/* Moves `cursor->at` past the chain of extension headers. False: the chain is broken. */
static bool walk_extensions(struct cursor *cursor, struct replay_tuple *tuple,
			    struct replay_packet *packet)
{
	bool outer = true;
	int i;

	for (i = 0; is_extension(tuple->protocol); i++) {
		const __u8 *header = cursor->packet->frame + cursor->at;
		size_t size = 8;

		if (i == IPV6_EXTENSIONS || !has(cursor, cursor->at, size))
			return false;
		if (tuple->protocol == IPPROTO_FRAGMENT) {
			__u16 word = read16(header + 2);

			if (outer && word & 0xfff9)
				memcpy(&packet->id, header + 4, sizeof(packet->id));
			outer &= !(word & 0xfff9);
			packet->first |= word & 1;
			packet->later = word & 0xfff8;
		} else {
			size += (size_t)header[1] * 8;
		}
		tuple->protocol = header[0];
		if (packet->later)
			return true;
		if (!has(cursor, cursor->at, size))
			return false;
		cursor->at += size;
	}
	return true;
}

/* The packet that an ICMP error quotes. */
static void read_quoted(struct cursor *cursor, struct replay_packet *packet)
{
	struct replay_tuple *quoted = &packet->quoted;
	struct replay_packet unused = {};
	bool ipv6 = packet->tuple.family == 6;
	size_t ip = cursor->at + ICMP;
	struct cursor inner = {.packet = packet, .ip = ip, .at = ip + (ipv6 ? IPV6 : IPV4)};
	const __u8 *header = packet->frame + ip;

	if (!has(cursor, ip, ipv6 ? IPV6 : IPV4) || header[0] >> 4 != (ipv6 ? 6 : 4))
		return;
	quoted->protocol = header[ipv6 ? 6 : 9];
	if (!ipv6)
		inner.at = ip + (size_t)(header[0] & 15) * 4;
	else if (!walk_extensions(&inner, quoted, &unused) || unused.later)
		return;
	if (!has(cursor, inner.at, ICMP))
		return;
	read_addresses(quoted, packet->tuple.family, header);
	header = packet->frame + inner.at;
	if (quoted->protocol == IPPROTO_TCP || quoted->protocol == IPPROTO_UDP) {
		read_ports(quoted, header);
	} else if (is_icmp(quoted) && is_echo(quoted, header[0], true)) {
		quoted->source_port = quoted->destination_port = read16(header + 4);
		quoted->ports = true;
	}
}

static void read_icmp(struct cursor *cursor, struct replay_packet *packet)
{
	const __u8 *header = packet->frame + cursor->at;

	if (!has(cursor, cursor->at, ICMP))
		return;
	packet->icmp_type = header[0];
	if (is_echo(&packet->tuple, header[0], true) || is_echo(&packet->tuple, header[0], false)) {
		packet->tuple.source_port = packet->tuple.destination_port = read16(header + 4);
		packet->tuple.ports = true;
	} else if (is_error(&packet->tuple, header[0])) {
		read_quoted(cursor, packet);
	}
}

static void read_tcp(struct cursor *cursor, struct replay_packet *packet)
{
	__u8 *header = packet->frame + cursor->at;
	size_t size;

	if (!has(cursor, cursor->at, TCP))
		return;
	size = (size_t)(header[12] >> 4) * 4;
	if (is_cut(packet) && cursor->at + size <= packet->length)
		lengthen(packet, cursor->at + size);
	packet->tcp_flags = header[13];
	read_ports(&packet->tuple, header);
}

static void read_udp(struct cursor *cursor, struct replay_packet *packet)
{
	if (!has(cursor, cursor->at, 4))
		return;
	if (is_cut(packet) && cursor->at + UDP <= packet->length)
		lengthen(packet, cursor->at + UDP);
	if (cursor->at + UDP <= packet->used)
		read_ports(&packet->tuple, packet->frame + cursor->at);
}

static void read_transport(struct cursor *cursor, struct replay_packet *packet)
{
	if (packet->tuple.protocol == IPPROTO_TCP)
		read_tcp(cursor, packet);
	else if (packet->tuple.protocol == IPPROTO_UDP)
		read_udp(cursor, packet);
	else if (is_icmp(&packet->tuple))
		read_icmp(cursor, packet);
}

/* The length from the header, if the frame has fewer bytes than the packet had. */
static void read_ipv4(struct cursor *cursor, struct replay_packet *packet)
{
	__u8 *ip = packet->frame + cursor->ip;
	__u32 room = packet->length - (__u32)cursor->ip, total;
	__u16 fragment;
	size_t header;

	if (!has(cursor, cursor->ip, IPV4))
		return;
	read_addresses(&packet->tuple, 4, ip);
	packet->tuple.protocol = ip[9];
	header = (size_t)(ip[0] & 15) * 4;
	total = read16(ip + 2);
	if (!total && room > WITHOUT_LENGTH)
		total = room;
	if (ip[0] >> 4 != 4 || header < IPV4 || total < header || total > room) {
		packet->tuple = (struct replay_tuple){};
		return;
	}
	packet->payload = total - (__u32)header;
	fragment = read16(ip + 6);
	packet->first = fragment & 0x2000;
	packet->later = fragment & 0x1fff;
	packet->id = htonl((__u32)read16(ip + 4) << 16);
	cursor->at = cursor->ip + header;
	if (!packet->later)
		read_transport(cursor, packet);
	if (cursor->ip + total > packet->used)
		write16(ip + 2, packet->used - (__u32)cursor->ip);
}

static void read_ipv6(struct cursor *cursor, struct replay_packet *packet)
{
	__u8 *ip = packet->frame + cursor->ip;
	__u32 payload, room;

	if (!has(cursor, cursor->ip, IPV6))
		return;
	room = packet->length - (__u32)cursor->ip - IPV6;
	read_addresses(&packet->tuple, 6, ip);
	packet->tuple.protocol = ip[6];
	payload = read16(ip + 4);
	if (!payload && room > WITHOUT_LENGTH)
		payload = room;
	if (ip[0] >> 4 != 6 || payload > room) {
		packet->tuple = (struct replay_tuple){};
		return;
	}
	cursor->at = cursor->ip + IPV6;
	packet->payload = payload;
	if (walk_extensions(cursor, &packet->tuple, packet) && !packet->later) {
		packet->payload -= (__u32)(cursor->at - cursor->ip - IPV6);
		read_transport(cursor, packet);
	}
	if (cursor->ip + IPV6 + payload > packet->used)
		write16(ip + 4, packet->used - (__u32)cursor->ip - IPV6);
}

/* --- the direction --- */

static bool is_local(const struct replay_reading *reading, __u8 family, const __be32 *address)
{
	size_t i;

	for (i = 0; i < reading->locals; i++) {
		if (prefix_contains(&reading->local[i], family == 4 ? AF_INET : AF_INET6,
				    (const __u8 *)address))
			return true;
	}
	return false;
}

static bool is_loopback(__u8 family, const __be32 *address)
{
	static const __u8 one[16] = {[15] = 1};

	return family == 4 ? *(const __u8 *)address == 127 : !memcmp(address, one, sizeof(one));
}

static bool is_shared(__u8 family, const __be32 *address)
{
	const __u8 *byte = (const __u8 *)address;

	return family == 4 ? byte[0] >> 4 == 14 || address[0] == INADDR_BROADCAST : byte[0] == 0xff;
}

static void learn_mac(struct replay_reading *reading, const __u8 *mac)
{
	static const __u8 none[ETH_ALEN]; /* the form that converted captures have */

	if (reading->mac_known || mac[0] & 1 || !memcmp(mac, none, sizeof(none)))
		return;
	memcpy(reading->mac, mac, sizeof(reading->mac));
	reading->mac_known = true;
}

/* The capturing kernel wrote down the direction. */
static enum replay_way way_cooked(int packet)
{
	if (packet == PACKET_OUTGOING)
		return REPLAY_OUT;
	return packet == PACKET_HOST || packet == PACKET_BROADCAST || packet == PACKET_MULTICAST ?
		       REPLAY_IN :
		       REPLAY_ASIDE;
}

/* Neither address belongs to this host: link-local, broadcast, or none yet (DHCP). */
static enum replay_way way_by_mac(const struct replay_reading *reading,
				  const struct captured *captured)
{
	const __u8 *to = captured->bytes, *from = to + ETH_ALEN;

	if (captured->link != REPLAY_ETHERNET)
		return REPLAY_ASIDE;
	if (reading->mac_known && !memcmp(from, reading->mac, ETH_ALEN))
		return REPLAY_OUT;
	if (to[0] & 1 || (reading->mac_known && !memcmp(to, reading->mac, ETH_ALEN)))
		return REPLAY_IN;
	return REPLAY_ASIDE;
}

static enum replay_way way_of(struct replay_reading *reading, const struct captured *captured,
			      const struct link_header *header, const struct replay_tuple *tuple)
{
	bool ethernet = captured->link == REPLAY_ETHERNET, from, to;

	if (is_loopback(tuple->family, tuple->source) ||
	    is_loopback(tuple->family, tuple->destination))
		return REPLAY_ASIDE;
	if (header->packet >= 0)
		return way_cooked(header->packet);
	from = is_local(reading, tuple->family, tuple->source);
	to = is_local(reading, tuple->family, tuple->destination);
	if (is_shared(tuple->family, tuple->destination) ||
	    (from && to && ethernet && captured->bytes[0] & 1))
		to = false;
	if (from && to)
		return REPLAY_ASIDE;
	if (ethernet && (from || to))
		learn_mac(reading, captured->bytes + (from ? ETH_ALEN : 0));
	if (from || to)
		return from ? REPLAY_OUT : REPLAY_IN;
	if (!ethernet && is_shared(tuple->family, tuple->destination))
		return REPLAY_IN;
	return way_by_mac(reading, captured);
}

/* The direction of ARP follows from its sender. Other non-IP frames come in, unless this host's MAC
 * sent them. */
static enum replay_way way_without_ip(const struct replay_reading *reading,
				      const struct captured *captured,
				      const struct link_header *header)
{
	const __u8 *arp = captured->bytes + header->size;
	__be32 sender;

	if (header->packet >= 0)
		return way_cooked(header->packet);
	if (header->type == ETH_P_ARP && captured->captured >= header->size + ARP_SENDER + 4) {
		memcpy(&sender, arp + ARP_SENDER, sizeof(sender));
		if (is_local(reading, 4, &sender))
			return REPLAY_OUT;
	}
	return reading->mac_known && captured->link == REPLAY_ETHERNET &&
			       !memcmp(captured->bytes + ETH_ALEN, reading->mac, ETH_ALEN) ?
		       REPLAY_OUT :
		       REPLAY_IN;
}

/* --- the whole frame --- */

static void read_ip(struct replay_reading *reading, const struct captured *captured,
		    const struct link_header *header, struct replay_packet *packet, size_t ip)
{
	struct cursor cursor = {.packet = packet, .ip = ip};
	struct replay_tuple whole;

	if (header->type == ETH_P_IP)
		read_ipv4(&cursor, packet);
	else
		read_ipv6(&cursor, packet);
	if (packet->way == REPLAY_CUT)
		return;
	whole = packet->tuple;
	/* A malformed packet's direction can still be found by its addresses. */
	if (!whole.family && packet->used >= ip + (header->type == ETH_P_IP ? IPV4 : IPV6))
		read_addresses(&whole, header->type == ETH_P_IP ? 4 : 6, packet->frame + ip);
	packet->way = way_of(reading, captured, header, &whole);
}

/* A frame that ends within its VLAN tags is malformed, unless its end was not captured: then it is
 * unknown. */
static void read_broken(const struct replay_reading *reading, const struct captured *captured,
			struct replay_packet *packet)
{
	const struct link_header none = {.packet = -1};

	packet->way = captured->captured < captured->length ? REPLAY_CUT : REPLAY_ASIDE;
	if (packet->way == REPLAY_CUT || captured->link != REPLAY_ETHERNET ||
	    captured->captured < ETHERNET || reading->frame != PC_FRAME_ETHERNET)
		return;
	append(packet, captured->bytes, captured->captured);
	packet->length = captured->length;
	packet->way = way_without_ip(reading, captured, &none);
	pad_frame(packet);
}

void replay_packet_read(struct replay_reading *reading, const struct captured *captured,
			struct replay_packet *packet)
{
	struct link_header header = read_link(captured);
	bool ip = header.type == ETH_P_IP || header.type == ETH_P_IPV6;
	size_t at;

	memset(packet, 0, offsetof(struct replay_packet, frame));
	packet->way = REPLAY_IN;
	if (header.broken) {
		read_broken(reading, captured, packet);
		return;
	}
	at = make_frame(reading, captured, &header, packet);
	if (ip)
		read_ip(reading, captured, &header, packet, at);
	else if (reading->frame != PC_FRAME_ETHERNET)
		packet->way = REPLAY_ASIDE;
	else
		packet->way = way_without_ip(reading, captured, &header);
	pad_frame(packet);
}
