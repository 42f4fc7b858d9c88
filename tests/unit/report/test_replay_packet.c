// SPDX-License-Identifier: GPL-2.0
/* Reading captured frames: what the filter gets for a cut or cooked one, and its direction. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "loader/base/memory.h"
#include "loader/net/frame_make.h"
#include "loader/report/replay_packet.h"

static struct prefix local = {.family = AF_INET, .length = 32, .address = {192, 0, 2, 1}};

static struct replay_reading reading(enum pc_frame frame)
{
	return (struct replay_reading){.frame = frame, .local = &local, .locals = 1};
}

/* A TCP packet from 192.0.2.7:40000 to 192.0.2.1:25, or back. */
static size_t make(__u8 *frame, enum pc_frame kind, bool out)
{
	struct made_packet packet = {.family = AF_INET,
				     .protocol = IPPROTO_TCP,
				     .source = {192, 0, 2, 7},
				     .destination = {192, 0, 2, 1},
				     .source_port = out ? 25 : 40000,
				     .destination_port = out ? 40000 : 25,
				     .tcp_flags = 2};
	size_t size;

	if (out) {
		packet.source[3] = 1;
		packet.destination[3] = 7;
	}
	size = frame_make(&packet, kind, frame);
	if (kind == PC_FRAME_ETHERNET) {
		memcpy(frame, out ? "\2\0\0\0\0\7" : "\2\0\0\0\0\1", 6);
		memcpy(frame + 6, out ? "\2\0\0\0\0\1" : "\2\0\0\0\0\7", 6);
	}
	return size;
}

static __u16 word(const __u8 *at)
{
	return (__u16)(at[0] << 8 | at[1]);
}

static struct replay_packet packet;

static void reads_direction_by_address(void **state)
{
	struct replay_reading how = reading(PC_FRAME_ETHERNET);
	__u8 frame[FRAME_MADE_MOST];
	struct captured captured = {.link = REPLAY_ETHERNET, .bytes = frame};

	(void)state;
	for (int out = 0; out < 2; out++) {
		captured.captured = captured.length = (__u32)make(frame, PC_FRAME_ETHERNET, out);
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.way, out ? REPLAY_OUT : REPLAY_IN);
		assert_int_equal(packet.tuple.source_port, out ? 25 : 40000);
		assert_int_equal(packet.tcp_flags, 2);
		assert_int_equal(packet.length, captured.length);
	}
	frame[11] = 9;	    /* another host's, */
	frame[14 + 15] = 9; /* from 192.0.2.9 */
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_ASIDE);
}

/* The payload was not captured: the lengths in the headers are set to what is there. */
static void adjusts_cut_frames(void **state)
{
	struct replay_reading how = reading(PC_FRAME_ETHERNET);
	__u8 frame[FRAME_MADE_MOST] = {};
	struct captured captured = {.link = REPLAY_ETHERNET, .bytes = frame, .length = 1514};
	size_t size = make(frame, PC_FRAME_ETHERNET, false);

	(void)state;
	frame[16] = 1500 >> 8;
	frame[17] = 1500 & 0xff;
	captured.captured = (__u32)size;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_IN);
	assert_int_equal(packet.length, 1514);
	assert_int_equal(word(packet.frame + 16), packet.used - 14);

	/* TCP options that were not captured. */
	frame[14 + 20 + 12] = 15 << 4;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.used, 14 + 20 + 60);
	assert_int_equal(word(packet.frame + 16), 80);

	/* The header's lengths do not fit the packet that was sent, so it stays malformed. */
	frame[16] = 0xff;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(word(packet.frame + 16), 0xff00 | (1500 & 0xff));
}

/* Without the ports the verdict is unknown. */
static void leaves_out_what_lacks_headers(void **state)
{
	struct replay_reading how = reading(PC_FRAME_ETHERNET);
	__u8 frame[FRAME_MADE_MOST];
	struct captured captured = {.link = REPLAY_ETHERNET, .bytes = frame};

	(void)state;
	captured.length = (__u32)make(frame, PC_FRAME_ETHERNET, false);
	for (captured.captured = 0; captured.captured < 14 + 20 + 20; captured.captured++) {
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.way, REPLAY_CUT);
	}
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_IN);
}

/* TCP options after the bytes that the program gets, behind a chain of extension headers. */
static void leaves_out_what_ends_behind_the_frame(void **state)
{
	static __u8 long_chain[REPLAY_FRAME + 100];
	struct replay_reading how = reading(PC_FRAME_IP);
	struct captured captured = {.link = REPLAY_RAW, .bytes = long_chain};
	size_t at = 40;

	(void)state;
	captured.length = captured.captured = REPLAY_FRAME + 27;
	long_chain[0] = 6 << 4;
	long_chain[4] = (__u8)((captured.length - 40) >> 8);
	long_chain[5] = (__u8)(captured.length - 40);
	long_chain[6] = IPPROTO_DSTOPTS;
	long_chain[at] = IPPROTO_DSTOPTS;
	long_chain[at + 1] = 255;
	at += 2048;
	long_chain[at] = IPPROTO_TCP;
	long_chain[at + 1] = 172;
	at += 8 + 172 * 8;
	assert_true(at + 20 <= REPLAY_FRAME && at + 60 > REPLAY_FRAME);
	long_chain[at + 12] = 5 << 4;
	replay_packet_read(&how, &captured, &packet);
	assert_int_not_equal(packet.way, REPLAY_CUT);
	long_chain[at + 12] = 12 << 4;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_CUT);
}

/* A GRO frame is longer than what the program gets. */
static void shortens_large_frames(void **state)
{
	static __u8 large[60000];
	struct replay_reading how = reading(PC_FRAME_ETHERNET);
	struct captured captured = {.link = REPLAY_ETHERNET,
				    .bytes = large,
				    .captured = sizeof(large),
				    .length = sizeof(large)};

	(void)state;
	make(large, PC_FRAME_ETHERNET, false);
	large[16] = (sizeof(large) - 14) >> 8;
	large[17] = (sizeof(large) - 14) & 0xff;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_IN);
	assert_int_equal(packet.used, REPLAY_FRAME);
	assert_int_equal(packet.length, sizeof(large));
	assert_int_equal(word(packet.frame + 16), REPLAY_FRAME - 14);
}

/* Linux cooked 1 and 2 and raw IP are converted to the filter's form; a cooked frame has its
 * direction. */
static void converts_link_types(void **state)
{
	static const __u16 link[] = {REPLAY_RAW, REPLAY_COOKED, REPLAY_COOKED_TWO};
	static const size_t header[] = {0, 16, 20};
	__u8 bytes[20 + FRAME_MADE_MOST];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(link); i++) {
		struct captured captured = {.link = link[i], .bytes = bytes};
		struct replay_reading how = reading(PC_FRAME_ETHERNET);

		memset(bytes, 0, sizeof(bytes));
		captured.captured = captured.length =
			(__u32)(header[i] + make(bytes + header[i], PC_FRAME_IP, false));
		if (link[i] == REPLAY_COOKED) {
			bytes[1] = 4;
			bytes[14] = 8;
		} else if (link[i] == REPLAY_COOKED_TWO) {
			bytes[10] = 4;
			bytes[0] = 8;
		}
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.way, link[i] == REPLAY_RAW ? REPLAY_IN : REPLAY_OUT);
		assert_int_equal(packet.length, captured.length - header[i] + 14);
		assert_int_equal(word(packet.frame + 12), 0x0800);
		assert_int_equal(packet.frame[14] >> 4, 4);
		how = reading(PC_FRAME_IP);
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.frame[0] >> 4, 4);
		assert_int_equal(packet.length, captured.length - header[i]);
	}
}

/* Without an address of this host, the MAC decides once one is known. */
static void tells_own_broadcasts_by_mac(void **state)
{
	struct replay_reading how = reading(PC_FRAME_ETHERNET);
	__u8 frame[FRAME_MADE_MOST];
	struct captured captured = {.link = REPLAY_ETHERNET, .bytes = frame};

	(void)state;
	captured.captured = captured.length = (__u32)make(frame, PC_FRAME_ETHERNET, true);
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_OUT);
	memset(frame, 0xff, 6);
	memset(frame + 14 + 12, 0, 4);	  /* from 0.0.0.0, */
	memset(frame + 14 + 16, 0xff, 4); /* to all */
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_OUT);
	frame[11] = 2;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_IN);
	/* To one of Ethernet's groups, and to another host. */
	frame[0] = 1;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_IN);
	frame[0] = 2;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.way, REPLAY_ASIDE);
}

/* --- raw IP, byte by byte --- */

static __u8 raw[400];
static size_t raw_used;

static void add(const void *bytes, size_t length)
{
	memcpy(raw + raw_used, bytes, length);
	raw_used += length;
}

static void add_bytes(const char *hex)
{
	for (; *hex; hex += *hex == ' ' ? 1 : 2)
		if (*hex != ' ')
			raw[raw_used++] = (__u8)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16);
}

/* From 192.0.2.7 to 192.0.2.1, with `length` bytes behind the header. */
static void add_ipv4(__u8 protocol, __u16 fragment, size_t length)
{
	__u8 ip[20] = {0x45,
		       0,
		       0,
		       (__u8)(20 + length),
		       0x12,
		       0x34,
		       (__u8)(fragment >> 8),
		       (__u8)fragment,
		       64,
		       protocol,
		       0,
		       0,
		       192,
		       0,
		       2,
		       7,
		       192,
		       0,
		       2,
		       1};

	add(ip, sizeof(ip));
}

static void add_ipv6(__u8 protocol, size_t length)
{
	__u8 ip[40] = {0x60,	[5] = (__u8)length, [6] = protocol, [7] = 64, [8] = 0x20,
		       [9] = 1, [23] = 7,	    [24] = 0x20,    [25] = 1, [39] = 1};

	add(ip, sizeof(ip));
}

static void read_raw(void)
{
	struct replay_reading how = reading(PC_FRAME_IP);
	struct captured captured = {.link = REPLAY_RAW, .bytes = raw};

	captured.captured = captured.length = (__u32)raw_used;
	replay_packet_read(&how, &captured, &packet);
	raw_used = 0;
}

#define PORTS "9c40 0019 " /* 40000, 25 */

/* Errors quote a packet; other messages have an identifier, or nothing. */
static void reads_icmp(void **state)
{
	(void)state;
	for (int type = 0; type < 256; type++) {
		bool quotes = type == 3 || type == 11 || type == 12, echo = !type || type == 8;

		add_ipv4(IPPROTO_ICMP, 0, 36);
		add((__u8[]){(__u8)type, 0, 0, 0, 0x12, 0x34, 0, 0}, 8);
		add_ipv4(IPPROTO_TCP, 0, 20);
		add_bytes(PORTS "00000000");
		read_raw();
		assert_int_equal(packet.icmp_type, type);
		assert_int_equal(packet.tuple.ports, echo);
		assert_int_equal(packet.tuple.source_port, echo ? 0x1234 : 0);
		assert_int_equal(packet.tuple.destination_port, echo ? 0x1234 : 0);
		assert_int_equal(packet.quoted.family, quotes ? 4 : 0);
		assert_int_equal(packet.quoted.source_port, quotes ? 40000 : 0);
		assert_int_equal(packet.quoted.destination_port, quotes ? 25 : 0);

		quotes = type >= 1 && type <= 4;
		echo = type == 128 || type == 129;
		add_ipv6(IPPROTO_ICMPV6, 56);
		add((__u8[]){(__u8)type, 0, 0, 0, 0x12, 0x34, 0, 0}, 8);
		add_ipv6(IPPROTO_UDP, 8);
		add_bytes(PORTS "00000000");
		read_raw();
		assert_int_equal(packet.icmp_type, type);
		assert_int_equal(packet.tuple.ports, echo);
		assert_int_equal(packet.tuple.source_port, echo ? 0x1234 : 0);
		assert_int_equal(packet.quoted.family, quotes ? 6 : 0);
		assert_int_equal(packet.quoted.source_port, quotes ? 40000 : 0);
	}
}

/* Of quoted ICMP, only a request may have been sent by this side. */
static void reads_quoted_echoes(void **state)
{
	(void)state;
	for (int type = 0; type < 256; type++) {
		add_ipv4(IPPROTO_ICMP, 0, 36);
		add_bytes("0300 0000 00000000");
		add_ipv4(IPPROTO_ICMP, 0, 8);
		add((__u8[]){(__u8)type, 0, 0, 0, 0x56, 0x78, 0, 0}, 8);
		read_raw();
		assert_int_equal(packet.quoted.ports, type == 8);
		assert_int_equal(packet.quoted.source_port, type == 8 ? 0x5678 : 0);
		assert_int_equal(packet.quoted.destination_port, type == 8 ? 0x5678 : 0);
		add_ipv6(IPPROTO_ICMPV6, 56);
		add_bytes("0100 0000 00000000");
		add_ipv6(IPPROTO_ICMPV6, 8);
		add((__u8[]){(__u8)type, 0, 0, 0, 0x56, 0x78, 0, 0}, 8);
		read_raw();
		assert_int_equal(packet.quoted.ports, type == 128);
	}
	/* Options of the quoted header, a quoted header of the other family, extension headers. */
	add_ipv4(IPPROTO_ICMP, 0, 40);
	add_bytes("0300 0000 00000000");
	add_ipv4(IPPROTO_UDP, 0, 8);
	raw[28] = 0x46;
	add_bytes("00000000" PORTS "00000000");
	read_raw();
	assert_int_equal(packet.quoted.source_port, 40000);
	add_ipv4(IPPROTO_ICMP, 0, 56);
	add_bytes("0300 0000 00000000");
	add_ipv6(IPPROTO_UDP, 8);
	add_bytes(PORTS "00000000");
	read_raw();
	assert_int_equal(packet.quoted.family, 0);
	add_ipv6(IPPROTO_ICMPV6, 64);
	add_bytes("0100 0000 00000000");
	add_ipv6(IPPROTO_DSTOPTS, 16);
	add_bytes("1100 0000 00000000" PORTS "00000000");
	read_raw();
	assert_int_equal(packet.quoted.protocol, IPPROTO_UDP);
	assert_int_equal(packet.quoted.source_port, 40000);
	/* A later fragment has no ports. */
	add_ipv6(IPPROTO_ICMPV6, 64);
	add_bytes("0100 0000 00000000");
	add_ipv6(IPPROTO_FRAGMENT, 16);
	add_bytes("1100 0008 00000000" PORTS "00000000");
	read_raw();
	assert_int_equal(packet.quoted.family, 0);
}

static void reads_fragments(void **state)
{
	static const struct {
		__u16 word; /* of IPv4 */
		bool first, later, ports;
	} row[] = {
		{0, false, false, true},      {0x4000, false, false, true},
		{0x2000, true, false, true},  {0x2001, true, true, false},
		{0x0001, false, true, false}, {0x1000, false, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		__u16 six = (__u16)((row[i].word & 0x1fff) << 3 | (row[i].word & 0x2000 ? 1 : 0));

		add_ipv4(IPPROTO_UDP, row[i].word, 8);
		add_bytes(PORTS "0008 0000");
		read_raw();
		assert_int_equal(packet.first, row[i].first);
		assert_int_equal(packet.later, row[i].later);
		assert_int_equal(packet.tuple.ports, row[i].ports);
		assert_int_equal(packet.tuple.destination_port, row[i].ports ? 25 : 0);
		assert_int_equal(packet.payload, 8);
		assert_int_equal(packet.id, htonl(0x12340000));

		add_ipv6(IPPROTO_FRAGMENT, 16);
		add((__u8[]){IPPROTO_UDP, 0, (__u8)(six >> 8), (__u8)six, 1, 2, 3, 4}, 8);
		add_bytes(PORTS "0008 0000");
		read_raw();
		assert_int_equal(packet.tuple.protocol, IPPROTO_UDP);
		assert_int_equal(packet.first, row[i].first);
		assert_int_equal(packet.later, row[i].later);
		assert_int_equal(packet.tuple.ports, row[i].ports);
		assert_int_equal(packet.id, row[i].first || row[i].later ? htonl(0x01020304) : 0);
	}
}

/* As many extension headers as the filter accepts, and their lengths. */
static void reads_extension_headers(void **state)
{
	static const __u8 kind[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kind); i++) {
		add_ipv6(kind[i], 24);
		add_bytes("1101 0000 00000000 0000 0000 00000000" PORTS "0008 0000");
		read_raw();
		assert_int_equal(packet.tuple.protocol, IPPROTO_UDP);
		assert_int_equal(packet.tuple.destination_port, 25);
		assert_int_equal(packet.payload, 8);
	}
	for (size_t count = 1; count < 12; count++) {
		add_ipv6(IPPROTO_DSTOPTS, 8 * count + 8);
		for (size_t i = 1; i <= count; i++)
			add((__u8[8]){i == count ? IPPROTO_UDP : IPPROTO_DSTOPTS}, 8);
		add_bytes(PORTS "0008 0000");
		read_raw();
		assert_int_equal(packet.tuple.destination_port, count <= 8 ? 25 : 0);
	}
}

/* A packet whose header does not fit has no tuple, but a direction. */
static void tells_broken_headers(void **state)
{
	static const struct {
		size_t at;
		__u8 byte;
		bool whole;
	} four[] = {{0, 0x45, true}, {0, 0x44, false}, {0, 0x55, false},
		    {0, 0x47, true}, {0, 0x48, false}, {3, 28, true},
		    {3, 20, true},   {3, 19, false},   {3, 29, false}},
	  six[] = {{0, 0x60, true}, {0, 0x50, false}, {5, 8, true}, {5, 7, true}, {5, 9, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(four); i++) {
		add_ipv4(IPPROTO_IPIP, 0, 8);
		add_bytes("00000000 00000000");
		raw[four[i].at] = four[i].byte;
		read_raw();
		assert_int_equal(packet.tuple.family, four[i].whole ? 4 : 0);
		assert_int_equal(packet.way, REPLAY_IN);
	}
	for (size_t i = 0; i < ARRAY_SIZE(six); i++) {
		add_ipv6(IPPROTO_IPIP, 8);
		add_bytes("00000000 00000000");
		raw[six[i].at] = six[i].byte;
		read_raw();
		assert_int_equal(packet.tuple.family, six[i].whole ? 6 : 0);
	}
}

static enum replay_way way_between(const char *from, const char *to)
{
	add_ipv4(IPPROTO_UDP, 0, 8);
	assert_int_equal(inet_pton(AF_INET, from, raw + 12), 1);
	assert_int_equal(inet_pton(AF_INET, to, raw + 16), 1);
	add_bytes(PORTS "0008 0000");
	read_raw();
	return packet.way;
}

static void tells_the_way_without_macs(void **state)
{
	(void)state;
	assert_int_equal(way_between("192.0.2.7", "192.0.2.1"), REPLAY_IN);
	assert_int_equal(way_between("192.0.2.1", "192.0.2.7"), REPLAY_OUT);
	assert_int_equal(way_between("192.0.2.1", "192.0.2.1"), REPLAY_ASIDE);
	assert_int_equal(way_between("192.0.2.7", "192.0.2.8"), REPLAY_ASIDE);
	assert_int_equal(way_between("127.0.0.1", "192.0.2.1"), REPLAY_ASIDE);
	assert_int_equal(way_between("192.0.2.1", "127.1.2.3"), REPLAY_ASIDE);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(way_between(i ? "192.0.2.1" : "192.0.2.7", "224.0.0.1"),
				 i ? REPLAY_OUT : REPLAY_IN);
		assert_int_equal(way_between(i ? "192.0.2.1" : "192.0.2.7", "239.255.255.255"),
				 i ? REPLAY_OUT : REPLAY_IN);
		assert_int_equal(way_between(i ? "192.0.2.1" : "192.0.2.7", "255.255.255.255"),
				 i ? REPLAY_OUT : REPLAY_IN);
		assert_int_equal(way_between(i ? "192.0.2.1" : "192.0.2.7", "240.0.0.1"),
				 i ? REPLAY_OUT : REPLAY_ASIDE);
	}
}

/* An ARP request for 192.0.2.9 from this address. */
static enum replay_way way_of_arp(const char *sender, size_t captured_bytes)
{
	struct replay_reading how = reading(PC_FRAME_ETHERNET);
	__u8 frame[60] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6};
	struct captured captured = {.link = REPLAY_ETHERNET, .bytes = frame, .length = 60};

	captured.captured = (__u32)captured_bytes;
	assert_int_equal(inet_pton(AF_INET, sender, frame + 14 + 14), 1);
	replay_packet_read(&how, &captured, &packet);
	return packet.way;
}

static void tells_the_way_of_arp(void **state)
{
	(void)state;
	assert_int_equal(way_of_arp("192.0.2.7", 60), REPLAY_IN);
	assert_int_equal(way_of_arp("192.0.2.1", 60), REPLAY_OUT);
	assert_int_equal(way_of_arp("192.0.2.1", 14 + 18), REPLAY_OUT);
	assert_int_equal(way_of_arp("192.0.2.1", 14 + 17), REPLAY_IN);
}

static void knows_links(void **state)
{
	static const __u16 known[] = {REPLAY_ETHERNET, REPLAY_RAW,  REPLAY_RAW_OTHER, REPLAY_COOKED,
				      REPLAY_IPV4,     REPLAY_IPV6, REPLAY_COOKED_TWO};
	size_t count = 0;

	(void)state;
	for (int link = 0; link < 1000; link++)
		count += replay_link_known((__u16)link);
	assert_int_equal(count, ARRAY_SIZE(known));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_true(replay_link_known(known[i]));
}

/* A frame with a VLAN tag of this type, to the host, that is not IP. */
static enum replay_way way_tagged(__u16 type, __u32 captured_bytes, __u32 length)
{
	struct replay_reading how = reading(PC_FRAME_ETHERNET);
	__u8 frame[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, (__u8)(type >> 8), (__u8)type};
	struct captured captured = {.link = REPLAY_ETHERNET,
				    .bytes = frame,
				    .captured = captured_bytes,
				    .length = length};

	frame[16] = 0x88; /* LLDP */
	frame[17] = 0xcc;
	how.mac_known = true;
	memcpy(how.mac, "\2\0\0\0\0\1", 6);
	replay_packet_read(&how, &captured, &packet);
	return packet.way;
}

/* What is not IP is this host's if its MAC sent it. A frame may end in a tag. */
static void tells_the_way_without_ip(void **state)
{
	(void)state;
	assert_int_equal(way_tagged(0x88cc, 60, 60), REPLAY_OUT);
	assert_int_equal(way_tagged(0x8100, 60, 60), REPLAY_OUT);
	assert_int_equal(way_tagged(0x88a8, 60, 60), REPLAY_OUT);
	assert_int_equal(way_tagged(0x8100, 18, 60), REPLAY_OUT);
	assert_int_equal(way_tagged(0x8100, 17, 60), REPLAY_CUT);
	assert_int_equal(way_tagged(0x8100, 17, 17), REPLAY_OUT);
	assert_int_equal(packet.length, 17);
	assert_int_equal(way_tagged(0x88cc, 14, 14), REPLAY_OUT);
	assert_int_equal(way_tagged(0x88cc, 13, 13), REPLAY_ASIDE);
	assert_int_equal(way_tagged(0x88cc, 13, 60), REPLAY_CUT);
}

/* As the kernel notes a packet that is not IP in a cooked capture. */
static void tells_the_way_of_cooked(void **state)
{
	/* To this host, to all, to a group, to another host, from this host, and unknown. */
	static const enum replay_way way[] = {REPLAY_IN,    REPLAY_IN,	REPLAY_IN,
					      REPLAY_ASIDE, REPLAY_OUT, REPLAY_ASIDE};
	struct replay_reading how = reading(PC_FRAME_ETHERNET);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		__u8 one[60] = {0, (__u8)i}, two[60] = {0x88, 0xcc};
		struct captured captured = {
			.link = REPLAY_COOKED, .bytes = one, .captured = 60, .length = 60};

		one[14] = 0x88;
		one[15] = 0xcc;
		two[10] = (__u8)i;
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.way, way[i]);
		captured.link = REPLAY_COOKED_TWO;
		captured.bytes = two;
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.way, way[i]);
		captured.captured = 19;
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.way, REPLAY_CUT);
		captured.captured = captured.length = 19;
		replay_packet_read(&how, &captured, &packet);
		assert_int_equal(packet.way, REPLAY_ASIDE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_direction_by_address),
		cmocka_unit_test(adjusts_cut_frames),
		cmocka_unit_test(leaves_out_what_lacks_headers),
		cmocka_unit_test(leaves_out_what_ends_behind_the_frame),
		cmocka_unit_test(shortens_large_frames),
		cmocka_unit_test(converts_link_types),
		cmocka_unit_test(tells_own_broadcasts_by_mac),
		cmocka_unit_test(knows_links),
		cmocka_unit_test(tells_the_way_without_ip),
		cmocka_unit_test(tells_the_way_of_cooked),
		cmocka_unit_test(reads_icmp),
		cmocka_unit_test(reads_quoted_echoes),
		cmocka_unit_test(reads_fragments),
		cmocka_unit_test(reads_extension_headers),
		cmocka_unit_test(tells_broken_headers),
		cmocka_unit_test(tells_the_way_without_macs),
		cmocka_unit_test(tells_the_way_of_arp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
