// SPDX-License-Identifier: GPL-2.0
/* The scenes: first fragments and later ones, flows and what teaches them, outgoing packets. */
#include "tests/packet/row_words.h"
#include "tests/packet/scenes.h"

#define ACK	FRAME_ACK
#define SYN	FRAME_SYN
#define SYN_ACK (FRAME_SYN | FRAME_ACK)
#define FIN	(FRAME_FIN | FRAME_ACK)
#define RST	FRAME_RST

#define REPLY PASS(REPLY)
#define REPLY_OF(at)                                                 \
	{                                                            \
		MODEL_PASS, MODEL_PASS_REPLY, -1, PC_CELL_OUT + (at) \
	}
#define SENT                                         \
	{                                            \
		MODEL_PASS, MODEL_PASS_EGRESS, -1, 0 \
	}
#define SENT_TO(at)                                                   \
	{                                                             \
		MODEL_PASS, MODEL_PASS_EGRESS, -1, PC_CELL_OUT + (at) \
	}
#define BLOCKED(at)                               \
	{                                         \
		MODEL_DROP, MODEL_OUTBOUND, at, 0 \
	}
#define NOTED(at)                                       \
	{                                               \
		MODEL_WOULD_DROP, MODEL_OUTBOUND, at, 0 \
	}
#define NO_PORT -1

#define PORTS(from, to) .source_port = from, .port = to
#define MORE4		.fragment = FRAGMENT_MORE
#define MORE6		EXTS(1, {44, .more = true})
#define LATER4(number, ...)                                                                  \
	{                                                                                    \
		.family = 4, .protocol = number, .bare = true, .fragment = 3, .payload = 24, \
		__VA_ARGS__                                                                  \
	}
#define LATER6(number, ...)                                                   \
	{                                                                     \
		.family = 6, .protocol = number, .bare = true, .payload = 24, \
		EXTS(1, {44, .offset = 3}), __VA_ARGS__                       \
	}

/* From this host to PEER. */
#define OUT4(...)                                                                          \
	{                                                                                  \
		.family = 4, .source = FRAME_TARGET4, .target = FRAME_SOURCE4, __VA_ARGS__ \
	}
#define OUT6(...)                                                                          \
	{                                                                                  \
		.family = 6, .source = FRAME_TARGET6, .target = FRAME_SOURCE6, __VA_ARGS__ \
	}
#define TO4(address, ...)                                                            \
	{                                                                            \
		.family = 4, .source = FRAME_TARGET4, .target = address, __VA_ARGS__ \
	}
#define TO6(address, ...)                                                            \
	{                                                                            \
		.family = 6, .source = FRAME_TARGET6, .target = address, __VA_ARGS__ \
	}
#define UDP_(...)     .protocol = 17, PORTS(__VA_ARGS__)
#define TCP_(fl, ...) .protocol = 6, .flags = fl, PORTS(__VA_ARGS__)
#define ECHO4(id)     .protocol = 1, .type = 8, .identifier = id
#define ECHO6(id)     .protocol = 58, .type = 128, .identifier = id

#define IN(is, ...)                               \
	{                                         \
		.spec = __VA_ARGS__, .expect = is \
	}
#define OUT(is, ...)                                           \
	{                                                      \
		.out = true, .spec = __VA_ARGS__, .expect = is \
	}
#define AFTER(seconds, is, ...)                                      \
	{                                                            \
		.passed = seconds, .spec = __VA_ARGS__, .expect = is \
	}
#define OUT_AFTER(seconds, is, ...)                                               \
	{                                                                         \
		.out = true, .passed = seconds, .spec = __VA_ARGS__, .expect = is \
	}
#define CROWD(count, is, ...)                                     \
	{                                                         \
		.times = count, .spec = __VA_ARGS__, .expect = is \
	}
#define ELSEWHERE(is, ...)                                           \
	{                                                            \
		.other_cpu = true, .spec = __VA_ARGS__, .expect = is \
	}

/* clang-format off */
const struct scene scene[] = {
	/* --- fragments --- */
	{"UDP first and later fragments", STATE, {
		IN(PASS_AT(UDP(53)), U4(.port = 53, MORE4, .payload = 16)),
		IN(PASS_AT(UDP(53)), LATER4(17)),
		ELSEWHERE(PASS_AT(UDP(53)), LATER4(17)),
		IN(DROP(FRAGMENT), LATER4(17, .id = 0x1235)),
		IN(DROP(FRAGMENT), LATER4(6)),
		IN(DROP(FRAGMENT), LATER4(17, .source = "203.0.113.10"))}},
	{"UDP first and later fragments, IPv6", STATE, {
		IN(PASS_AT(UDP(53)), U6(.port = 53, MORE6, .payload = 16)),
		IN(PASS_AT(UDP(53)), LATER6(17)),
		ELSEWHERE(PASS_AT(UDP(53)), LATER6(60)),
		IN(DROP(FRAGMENT), LATER6(17, .id = 0xfeedbeee)),
		IN(DROP(FRAGMENT), LATER6(17, .source = "2001:db8:ffff::a")),
		IN(DROP(FRAGMENT), LATER4(17))}},
	{"a later fragment before its first", STATE, {
		IN(DROP(FRAGMENT), LATER4(17)),
		IN(PASS_AT(UDP(53)), U4(.port = 53, MORE4)),
		IN(PASS_AT(UDP(53)), LATER4(17))}},
	{"a first fragment that is dropped makes no entry", STATE, {
		IN(DROP_AT(UNLISTED, UDP(54)), U4(.port = 54, MORE4)),
		IN(DROP(FRAGMENT), LATER4(17)),
		IN(DROP_AT(SOURCE, UDP(5060)), U6(.port = 5060, MORE6)),
		IN(DROP(FRAGMENT), LATER6(17))}},
	{"nor one that is malformed", STATE, {
		{.spec = T4(.port = 25, MORE4), .patch = {FROM_UPPER, DOFF, 1, 0x40}, .expect = DROP(MALFORMED)},
		IN(DROP(FRAGMENT), LATER4(6))}},
	{"nor one that passes only by observe", STATE_OBSERVE, {
		IN(WOULD_AT(UNLISTED, UDP(54)), U4(.port = 54, MORE4)),
		IN(WOULD(FRAGMENT), LATER4(17)),
		IN(PASS_AT(UDP(53)), U4(.port = 53, MORE4)),
		IN(PASS_AT(UDP(53)), LATER4(17))}},
	{"nor a whole packet", STATE, {
		IN(PASS_AT(UDP(53)), U4(.port = 53)),
		IN(DROP(FRAGMENT), LATER4(17)),
		IN(PASS_AT(UDP(53)), U6(.port = 53, EXTS(1, {44}))),
		IN(DROP(FRAGMENT), LATER6(17))}},
	{"an entry ends after 30 seconds", STATE, {
		IN(PASS_AT(UDP(53)), U4(.port = 53, MORE4)),
		AFTER(29, PASS_AT(UDP(53)), LATER4(17)),
		AFTER(2, DROP(FRAGMENT), LATER4(17)),
		IN(PASS_AT(UDP(53)), U4(.port = 53, MORE4)),
		IN(PASS_AT(UDP(53)), LATER4(17))}},
	{"fragments of an echo request", STATE, {
		IN(PASS(ICMP), I4(.type = 8, MORE4, .payload = 16)),
		IN(PASS(ICMP), LATER4(1)),
		IN(PASS(ICMP), I6(.type = 128, MORE6, .payload = 16)),
		ELSEWHERE(PASS(ICMP), LATER6(58)),
		IN(DROP(FRAGMENT), LATER6(58, .id = 4))}},
	{"fragments of an ICMP that is dropped", STATE, {
		IN(DROP(ICMP), I4(.type = 0, MORE4, .payload = 16)),
		IN(DROP(FRAGMENT), LATER4(1)),
		IN(DROP(ICMP), I6(.type = 135, .hop_limit = 255, MORE6, .payload = 16)),
		IN(DROP(FRAGMENT), LATER6(58))}},
	{"fragments of a named protocol", STATE, {
		IN(PASS(PROTOCOL), {.family = 4, .protocol = 50, MORE4, .payload = 16}),
		IN(PASS(PROTOCOL), LATER4(50)),
		IN(DROP(FRAGMENT), LATER4(47)),
		IN(DROP(PROTOCOL), {.family = 4, .protocol = 47, MORE4, .payload = 16}),
		IN(DROP(FRAGMENT), LATER4(47)),
		IN(PASS(PROTOCOL), {.family = 6, .protocol = 50, MORE6, .payload = 16})}},
	{"fragments of IGMP", STATE, {
		IN(PASS(ICMP), {.family = 4, .protocol = 2, MORE4, .payload = 16}),
		IN(PASS(ICMP), LATER4(2))}},
	{"fragments of a reply, counted for its remote port", STATE, {
		IN(REPLY_OF(UDP(53)), U4(PORTS(53, 41000), MORE4, .payload = 16)),
		IN(REPLY_OF(UDP(53)), LATER4(17)),
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 40100), .flags = ACK, MORE6, .payload = 16)),
		ELSEWHERE(REPLY_OF(TCP(993)), LATER6(6))}},
	{"a tiny later fragment over the flags of a known TCP packet", STATE, {
		IN(PASS_AT(TCP(25)), T4(.port = 25, MORE4, .payload = 4)),
		IN(DROP(MALFORMED), {.family = 4, .protocol = 6, .bare = true, .fragment = 1, .payload = 16}),
		IN(PASS_AT(TCP(25)), LATER4(6))}},
	{"a second first fragment to a closed port: the entry stays the first's", STATE, {
		IN(PASS_AT(UDP(53)), U4(.port = 53, MORE4)),
		IN(DROP_AT(UNLISTED, UDP(54)), U4(.port = 54, MORE4)),
		IN(PASS_AT(UDP(53)), LATER4(17))}},
	{"what came in is not known to what goes out", OUTBOUND, {
		IN(PASS_AT(UDP(53)), U4(.port = 53, .source = FRAME_SOURCE4, MORE4)),
		OUT(BLOCKED(NO_PORT), LATER4(17))}},

	/* --- learning --- */
	{"UDP sent, and its answer", STATE, {
		OUT(SENT_TO(UDP(53)), OUT4(UDP_(33000, 53))),
		IN(REPLY_OF(UDP(53)), U4(PORTS(53, 33000))),
		ELSEWHERE(REPLY_OF(UDP(53)), U4(PORTS(53, 33000))),
		IN(DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(54, 33000))),
		IN(DROP_AT(UNLISTED, UDP(33001)), U4(PORTS(53, 33001)))}},
	{"UDP sent, and its answer, IPv6 behind extensions", STATE, {
		OUT(SENT, OUT6(UDP_(33000, 5300), EXTS(2, {0}, {60, 1}))),
		IN(REPLY, U6(PORTS(5300, 33000), EXTS(1, {60}))),
		IN(DROP_AT(UNLISTED, UDP(33000)), U6(PORTS(5300, 33000), .source = "2001:db8::5"))}},
	{"UDP sent behind a tag", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300), .tags = 1)),
		IN(REPLY, U4(PORTS(5300, 33000), .tags = 1))}},
	{"30 seconds without an answer, 30 with one, 120 once both go on", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		AFTER(29, REPLY, U4(PORTS(5300, 33000))),
		AFTER(29, REPLY, U4(PORTS(5300, 33000))),
		AFTER(119, REPLY, U4(PORTS(5300, 33000))),
		AFTER(121, DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(5300, 33000)))}},
	{"a query that is answered ends in 30 seconds", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		IN(REPLY, U4(PORTS(5300, 33000))),
		AFTER(31, DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(5300, 33000)))}},
	{"both have spoken, and go on a second later: not assured", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		IN(REPLY, U4(PORTS(5300, 33000))),
		OUT_AFTER(1, SENT, OUT4(UDP_(33000, 5300))),
		AFTER(31, DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(5300, 33000)))}},
	{"both have spoken, and this side goes on after three seconds: assured", STATE, {
		OUT(SENT, OUT6(UDP_(33000, 5300))),
		IN(REPLY, U6(PORTS(5300, 33000))),
		OUT_AFTER(3, SENT, OUT6(UDP_(33000, 5300))),
		AFTER(119, REPLY, U6(PORTS(5300, 33000)))}},
	{"this side alone goes on: not assured", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		OUT_AFTER(3, SENT, OUT4(UDP_(33000, 5300))),
		OUT_AFTER(3, SENT, OUT4(UDP_(33000, 5300))),
		AFTER(31, DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(5300, 33000)))}},
	{"31 seconds without an answer, and then learned again", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		AFTER(31, DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(5300, 33000))),
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		IN(REPLY, U4(PORTS(5300, 33000)))}},
	{"an ended flow learned again begins anew", STATE, {
		OUT(SENT_TO(UDP(53)), OUT6(UDP_(41004, 53))),
		AFTER(31, DROP_AT(UNLISTED, UDP(41004)), U6(PORTS(53, 41004)))}},
	{"sending keeps a flow alive", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		OUT_AFTER(29, SENT, OUT4(UDP_(33000, 5300))),
		AFTER(29, REPLY, U4(PORTS(5300, 33000)))}},
	{"an answer of an open port is not learned", STATE, {
		OUT(SENT, OUT4(UDP_(53, 4444))),
		IN(PASS_AT(UDP(53)), U4(PORTS(4444, 53)))}},
	{"a restricted port to a stranger is learned: a client there", STATE, {
		OUT(SENT, OUT4(UDP_(5060, 5060))),
		IN(REPLY, U4(PORTS(5060, 5060))),
		IN(DROP_AT(SOURCE, UDP(5060)), U4(PORTS(5061, 5060)))}},
	{"a restricted port to one of its group is not", STATE, {
		OUT(SENT, TO4("10.9.9.9", UDP_(5060, 5060))),
		IN(PASS_AT(UDP(5060)), U4(PORTS(5060, 5060), .source = "10.9.9.9"))}},
	{"from-port: 123 to 123 of trusted is not, of others is", STATE, {
		OUT(SENT, TO4("10.9.9.9", UDP_(123, 123))),
		OUT(SENT, OUT4(UDP_(123, 123))),
		IN(REPLY, U4(PORTS(123, 123))),
		IN(PASS_AT(UDP(123)), U4(PORTS(123, 123), .source = "10.9.9.9"))}},
	{"from-port: 123 to 124 of trusted is learned", STATE, {
		OUT(SENT, TO4("10.9.9.9", UDP_(123, 124))),
		IN(REPLY, U4(PORTS(124, 123), .source = "10.9.9.9"))}},
	{"multicast and broadcast are not learned", STATE, {
		OUT(SENT, TO4("224.0.0.251", UDP_(33000, 5300))),
		OUT(SENT, TO4("239.255.255.250", UDP_(33000, 1900))),
		OUT(SENT, TO4("255.255.255.255", UDP_(33000, 67))),
		OUT(SENT, TO6("ff02::fb", UDP_(33000, 5300))),
		OUT(SENT, TO6("ff0e::1", UDP_(33000, 5300)))}},
	{"neighbours of multicast are learned", STATE, {
		OUT(SENT, TO4("223.255.255.255", UDP_(33000, 5300))),
		OUT(SENT, TO4("240.0.0.1", UDP_(33000, 5300))),
		OUT(SENT, TO6("fe80::1", UDP_(33000, 5300)))}},
	{"an answer to what passed only by observe is not learned", STATE_OBSERVE, {
		IN(WOULD_AT(UNLISTED, UDP(7001)), U4(PORTS(7000, 7001))),
		OUT(SENT, OUT4(UDP_(7001, 7000))),
		IN(WOULD_AT(UNLISTED, UDP(7001)), U4(PORTS(7000, 7001))),
		OUT(SENT, OUT4(UDP_(7001, 7002))),
		IN(REPLY, U4(PORTS(7002, 7001)))}},
	{"the same, IPv6, and 52 seconds later", STATE_OBSERVE, {
		IN(WOULD_AT(UNLISTED, UDP(7001)), U6(PORTS(7000, 7001))),
		OUT_AFTER(30, SENT, OUT6(UDP_(7001, 7000))),
		OUT_AFTER(40, SENT, OUT6(UDP_(7001, 7000))),
		IN(REPLY, U6(PORTS(7000, 7001)))}},
	{"an answer to a restricted port by observe is not learned", STATE_OBSERVE, {
		IN(WOULD_AT(SOURCE, UDP(5060)), U4(PORTS(7000, 5060))),
		OUT(SENT, OUT4(UDP_(5060, 7000))),
		IN(WOULD_AT(SOURCE, UDP(5060)), U4(PORTS(7000, 5060)))}},
	{"a crowd of strangers at a port: what this host asks from there is learned", STATE_OBSERVE, {
		CROWD(2049, WOULD_AT(UNLISTED, UDP(7001)), U4(PORTS(7000, 7001))),
		IN(WOULD_AT(UNLISTED, UDP(7001)), U6(PORTS(7003, 7001))),
		OUT(SENT, OUT4(UDP_(7001, 7002))),
		IN(REPLY, U4(PORTS(7002, 7001))),
		OUT(SENT, OUT4(UDP_(7001, 7000))),
		IN(WOULD_AT(UNLISTED, UDP(7001)), U4(PORTS(7000, 7001))),
		OUT(SENT, OUT6(UDP_(7001, 7003))),
		IN(WOULD_AT(UNLISTED, UDP(7001)), U6(PORTS(7003, 7001)))}},
	{"known flows of a crowded port go on, and end", STATE_OBSERVE, {
		OUT(SENT, OUT4(UDP_(7001, 7002))),
		CROWD(256, WOULD_AT(UNLISTED, UDP(7001)), U4(PORTS(7000, 7001))),
		IN(REPLY, U4(PORTS(7002, 7001))),
		OUT_AFTER(29, SENT, OUT4(UDP_(7001, 7002))),
		CROWD(256, REPLY, U4(PORTS(7002, 7001))),
		AFTER(121, WOULD_AT(UNLISTED, UDP(7001)), U4(PORTS(7002, 7001)))}},
	{"TCP that passed only by observe teaches nothing", STATE_OBSERVE, {
		IN(WOULD_AT(UNLISTED, TCP(7001)), T4(PORTS(7000, 7001), .flags = ACK)),
		OUT(SENT, OUT4(TCP_(ACK, 7001, 7000))),
		IN(WOULD_AT(UNLISTED, TCP(7001)), T4(PORTS(7000, 7001), .flags = ACK)),
		OUT(SENT, OUT4(UDP_(7001, 7000))),
		IN(REPLY, U4(PORTS(7000, 7001)))}},
	{"but what this side begins is learned, whatever came in before", STATE_OBSERVE, {
		IN(WOULD_AT(UNLISTED, TCP(7001)), T4(PORTS(7000, 7001), .flags = SYN)),
		OUT(SENT, OUT4(TCP_(SYN, 7001, 7000))),
		IN(REPLY, T4(PORTS(7000, 7001), .flags = SYN_ACK))}},
	{"a stranger that other reasons drop, or that passes, is none", STATE_OBSERVE, {
		IN(PASS_AT(UDP(53)), U4(PORTS(7000, 53))),
		IN(WOULD(FRAGMENT), LATER4(17)),
		IN(WOULD(ICMP), I4(.type = 0, .identifier = 8))}},
	{"a stranger that is dropped is none", STATE, {
		CROWD(256, DROP_AT(UNLISTED, UDP(7001)), U4(PORTS(7000, 7001))),
		OUT(SENT, OUT4(UDP_(7001, 7000))),
		IN(REPLY, U4(PORTS(7000, 7001)))}},

	/* --- TCP: assured by what only its peer can acknowledge --- */
	{"a SYN with ACK teaches nothing: the other side began", STATE, {
		OUT(SENT, OUT4(TCP_(SYN_ACK, 33000, 995))),
		IN(DROP_AT(UNLISTED, TCP(33000)), T4(PORTS(995, 33000), .flags = ACK))}},
	{"120 seconds until it is acknowledged, 5 days then", STATE, {
		OUT(SENT, OUT4(TCP_(SYN, 33000, 995))),
		IN(REPLY, T4(PORTS(995, 33000), .flags = SYN_ACK, .sequence = 0x12345678)),
		OUT(SENT, OUT4(TCP_(ACK, 33000, 995), .acknowledged = 0x12345679)),
		AFTER(431000, REPLY, T4(PORTS(995, 33000), .flags = ACK))}},
	{"an acknowledgment that is guessed assures nothing", STATE, {
		OUT(SENT, OUT6(TCP_(SYN, 33000, 995))),
		IN(REPLY, T6(PORTS(995, 33000), .flags = SYN_ACK, .sequence = 0x12345678)),
		OUT(SENT, OUT6(TCP_(ACK, 33000, 995), .acknowledged = 0x12345500)),
		OUT(SENT, OUT6(TCP_(ACK, 33000, 995), .acknowledged = 0x12445700)),
		OUT(SENT, OUT6(TCP_(ACK, 33000, 995), .acknowledged = 0x92345679)),
		AFTER(121, DROP_AT(UNLISTED, TCP(33000)), T6(PORTS(995, 33000), .flags = ACK))}},
	{"nor does one before the remote side has spoken, or with SYN, FIN or RST", STATE, {
		OUT(SENT, OUT4(TCP_(ACK, 33000, 995))),
		OUT(SENT, OUT4(TCP_(ACK, 33000, 995))),
		IN(REPLY, T4(PORTS(995, 33000), .flags = ACK)),
		OUT(SENT, OUT4(TCP_(SYN_ACK, 33000, 995), .acknowledged = 1)),
		AFTER(121, DROP_AT(UNLISTED, TCP(33000)), T4(PORTS(995, 33000), .flags = ACK))}},
	{"what went on before the filter is assured as well, 64 KiB ahead, over the end of the numbers", STATE, {
		OUT(SENT, OUT4(TCP_(ACK, 33000, 995))),
		IN(REPLY, T4(PORTS(995, 33000), .flags = ACK, .sequence = 0xffffff00)),
		OUT(SENT, OUT4(TCP_(ACK, 33000, 995), .acknowledged = 0xff00)),
		AFTER(431000, REPLY, T4(PORTS(995, 33000), .flags = ACK))}},
	{"a forged SYN ends nothing that is assured", STATE, {
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(SYN, 42000, 993))),
		AFTER(431000, REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = ACK))}},
	{"a connection that is over is no longer kept, and can begin anew", STATE, {
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(FIN, 42000, 993))),
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = FIN)),
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(ACK, 42000, 993))),
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(SYN, 42000, 993))),
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = SYN_ACK, .sequence = 0x7000000)),
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(ACK, 42000, 993), .acknowledged = 0x7000001)),
		AFTER(431000, REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = ACK))}},
	{"a connection that went silent for 5 days begins anew", STATE, {
		OUT_AFTER(433000, SENT_TO(TCP(993)), OUT6(TCP_(SYN, 42000, 993))),
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = SYN_ACK)),
		AFTER(121, DROP_AT(UNLISTED, TCP(42000)), T6(PORTS(993, 42000), .flags = ACK))}},
	{"nor is it taken for fresh when the slot of jiffies comes again", STATE, {
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = ACK)),
		AFTER(1300000, DROP_AT(UNLISTED, TCP(42000)), T6(PORTS(993, 42000), .flags = ACK))}},
	{"TCP of a raw socket, and its reply", STATE, {
		IN(DROP_AT(UNLISTED, TCP(33000)), T4(PORTS(993, 33000), .flags = SYN_ACK)),
		OUT(SENT_TO(TCP(993)), OUT4(TCP_(SYN, 33000, 993))),
		IN(REPLY_OF(TCP(993)), T4(PORTS(993, 33000), .flags = SYN_ACK))}},
	{"and with --forward", FORWARD, {
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(SYN, 33000, 993))),
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 33000), .flags = SYN_ACK))}},
	{"echo request, and its reply", STATE, {
		IN(DROP(ICMP), I4(.type = 0, .identifier = 77)),
		OUT(SENT, OUT4(ECHO4(77))),
		IN(PASS(ICMP), I4(.type = 0, .identifier = 77)),
		IN(DROP(ICMP), I4(.type = 0, .identifier = 78)),
		AFTER(29, PASS(ICMP), I4(.type = 0, .identifier = 77)),
		AFTER(31, DROP(ICMP), I4(.type = 0, .identifier = 77))}},
	{"echo request, and its reply, IPv6", STATE, {
		OUT(SENT, OUT6(ECHO6(77))),
		IN(PASS(ICMP), I6(.type = 129, .identifier = 77)),
		IN(DROP(ICMP), I6(.type = 129, .identifier = 77, .source = "2001:db8::9"))}},
	{"echo request to many is not learned", STATE, {
		OUT(SENT, TO4("224.0.0.1", ECHO4(77))),
		OUT(SENT, TO6("ff02::1", ECHO6(77))),
		OUT(SENT, TO4("255.255.255.255", ECHO4(77)))}},
	{"other ICMP is not learned", STATE, {
		OUT(SENT, OUT4(.protocol = 1, .type = 0, .identifier = 77)),
		OUT(SENT, OUT4(.protocol = 1, .type = 13, .identifier = 77)),
		OUT(SENT, OUT6(.protocol = 58, .type = 129, .identifier = 77)),
		IN(DROP(ICMP), I4(.type = 0, .identifier = 77)),
		IN(DROP(ICMP), I6(.type = 129, .identifier = 77))}},
	{"an echo flow is no UDP flow", STATE, {
		OUT(SENT, OUT4(ECHO4(0x8000))),
		IN(DROP_AT(UNLISTED, UDP(0x8000)), U4(.port = 0x8000))}},
	{"UDP sent in fragments, answered in fragments", STATE, {
		OUT(SENT_TO(UDP(53)), OUT4(UDP_(33000, 53), MORE4, .payload = 16)),
		OUT(SENT_TO(UDP(53)), {.family = 4, .source = FRAME_TARGET4, .target = FRAME_SOURCE4, .protocol = 17, .bare = true, .fragment = 3, .payload = 8}),
		IN(DROP(FRAGMENT), LATER4(17)),
		IN(REPLY_OF(UDP(53)), U4(PORTS(53, 33000), MORE4, .payload = 16)),
		IN(REPLY_OF(UDP(53)), LATER4(17))}},
	{"a malformed frame goes out and teaches nothing", STATE, {
		{.out = true, .spec = OUT4(UDP_(33000, 53)), .patch = {FROM_IP, 0, 1, 0x44}, .expect = SENT},
		{.out = true, .spec = OUT4(UDP_(33000, 53)), .patch = {FROM_IP, TOTAL, 2, 200}, .expect = SENT},
		IN(DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(53, 33000)))}},
	{"an ICMP error keeps no flow alive", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 5300))),
		AFTER(20, PASS(ICMP), I4(.type = 3, .quote = &(const struct frame_spec)OUT4(UDP_(33000, 5300)))),
		AFTER(11, DROP(ICMP), I4(.type = 3, .quote = &(const struct frame_spec)OUT4(UDP_(33000, 5300)))),
		IN(DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(5300, 33000)))}},
	{"a reset from outside ends a learned TCP flow in 7440 seconds", STATE, {
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = ACK)),
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = RST)),
		AFTER(7439, REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = ACK)),
		AFTER(7441, DROP_AT(UNLISTED, TCP(42000)), T6(PORTS(993, 42000), .flags = ACK))}},
	{"a FIN from outside ends a learned TCP flow in 7440 seconds", STATE, {
		IN(REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = FIN)),
		AFTER(7439, REPLY_OF(TCP(993)), T6(PORTS(993, 42000), .flags = ACK)),
		AFTER(7441, DROP_AT(UNLISTED, TCP(42000)), T6(PORTS(993, 42000), .flags = ACK))}},

	/* --- outbound, counted --- */
	{"counted for the remote port of an out service", STATE, {
		OUT(SENT_TO(TCP(993)), OUT4(TCP_(SYN, 33000, 993))),
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(FIN, 33000, 993), .tags = 2)),
		OUT(SENT_TO(TCP(53)), OUT4(TCP_(ACK, 33000, 53), .options = 4)),
		OUT(SENT_TO(TCP(636)), TO4("10.9.9.9", TCP_(SYN, 33000, 636))),
		OUT(SENT, OUT4(TCP_(SYN, 33000, 636))),
		OUT(SENT, OUT6(TCP_(SYN, 33000, 995)))}},
	{"a reply of a remote port limited by `to`", STATE, {
		OUT(SENT, OUT4(UDP_(33000, 636))),
		IN(REPLY, U4(PORTS(636, 33000)))}},

	/* --- outbound enforce --- */
	{"enforce: what is covered", OUTBOUND, {
		OUT(SENT_TO(TCP(993)), OUT4(TCP_(SYN, 33000, 993))),
		OUT(SENT_TO(TCP(993)), OUT6(TCP_(ACK, 33000, 993))),
		OUT(SENT_TO(UDP(53)), OUT6(UDP_(33000, 53))),
		OUT(SENT_TO(TCP(636)), TO6("2001:db8:a::5", TCP_(SYN, 33000, 636))),
		IN(REPLY_OF(UDP(53)), U6(PORTS(53, 33000)))}},
	{"enforce: what is not", OUTBOUND, {
		OUT(BLOCKED(TCP(994)), OUT4(TCP_(SYN, 33000, 994))),
		OUT(BLOCKED(TCP(636)), OUT4(TCP_(SYN, 33000, 636))),
		OUT(BLOCKED(TCP(995)), OUT6(TCP_(SYN, 33000, 995))),
		OUT(BLOCKED(UDP(993)), OUT6(UDP_(33000, 993))),
		OUT(BLOCKED(UDP(5300)), OUT4(UDP_(33000, 5300), .tags = 1)),
		IN(DROP_AT(UNLISTED, UDP(33000)), U4(PORTS(5300, 33000)))}},
	{"enforce: answers of inbound services", OUTBOUND, {
		OUT(SENT, OUT4(TCP_(SYN_ACK, 25, 33000))),
		OUT(SENT, OUT6(TCP_(FIN, 25, 33000))),
		OUT(SENT, OUT4(UDP_(53, 33000))),
		OUT(SENT, TO4("10.9.9.9", UDP_(5060, 33000))),
		OUT(BLOCKED(UDP(33000)), OUT4(UDP_(5060, 33000))),
		OUT(BLOCKED(TCP(33000)), OUT4(TCP_(SYN, 25, 33000)))}},
	{"enforce: answers of restricted ports", OUTBOUND, {
		OUT(SENT, TO4("10.9.9.9", TCP_(SYN_ACK, 22, 33000))),
		OUT(BLOCKED(TCP(33000)), OUT4(TCP_(SYN_ACK, 22, 33000))),
		OUT(SENT, TO4("10.9.9.9", UDP_(123, 123))),
		OUT(BLOCKED(UDP(124)), TO4("10.9.9.9", UDP_(123, 124))),
		OUT(BLOCKED(TCP(33000)), TO4("10.9.9.9", TCP_(SYN, 22, 33000))),
		OUT(BLOCKED(TCP(33000)), TO4("10.9.9.9", TCP_(RST, 2222, 33000)))}},
	{"enforce: link multicast counts as link-local", OUTBOUND, {
		OUT(SENT, TO6("ff02::1:2", UDP_(546, 547))),
		OUT(SENT, TO4("224.0.0.251", UDP_(5353, 5353))),
		OUT(SENT, TO6("fe80::1", UDP_(546, 547))),
		OUT(BLOCKED(UDP(547)), TO6("ff05::1:3", UDP_(546, 547))),
		OUT(BLOCKED(UDP(5353)), TO4("224.0.1.251", UDP_(5353, 5353))),
		OUT(BLOCKED(UDP(547)), OUT6(UDP_(546, 547)))}},
	{"enforce: ICMP, IGMP, named protocols", OUTBOUND, {
		OUT(SENT, OUT4(ECHO4(5))),
		OUT(SENT, OUT6(.protocol = 58, .type = 135)),
		OUT(SENT, TO4("224.0.0.22", .protocol = 2, .payload = 8)),
		OUT(SENT, OUT6(.protocol = 50, .payload = 8)),
		OUT(BLOCKED(NO_PORT), OUT4(.protocol = 47, .payload = 8)),
		OUT(BLOCKED(NO_PORT), OUT6(.protocol = 1, .type = 8))}},
	{"enforce: later fragments", OUTBOUND, {
		OUT(BLOCKED(NO_PORT), {.family = 4, .source = FRAME_TARGET4, .target = FRAME_SOURCE4, .protocol = 17, .bare = true, .fragment = 3, .payload = 8}),
		OUT(SENT_TO(UDP(53)), OUT4(UDP_(33000, 53), MORE4, .payload = 16)),
		OUT(SENT_TO(UDP(53)), {.family = 4, .source = FRAME_TARGET4, .target = FRAME_SOURCE4, .protocol = 17, .bare = true, .fragment = 3, .payload = 8}),
		OUT(BLOCKED(UDP(54)), OUT4(UDP_(33000, 54), MORE4, .payload = 16, .id = 9)),
		OUT(BLOCKED(NO_PORT), {.family = 4, .source = FRAME_TARGET4, .target = FRAME_SOURCE4, .protocol = 17, .bare = true, .fragment = 3, .payload = 8, .id = 9})}},
	{"enforce: later fragments, IPv6", OUTBOUND, {
		OUT(SENT, OUT6(UDP_(53, 33000), MORE6, .payload = 16)),
		OUT(SENT, {.family = 6, .source = FRAME_TARGET6, .target = FRAME_SOURCE6, .protocol = 17, .bare = true, EXTS(1, {44, .offset = 3}), .payload = 8}),
		OUT(SENT, {.family = 6, .source = FRAME_TARGET6, .target = FRAME_SOURCE6, .protocol = 17, .bare = true, EXTS(1, {44, .offset = 3}), .payload = 8, .id = 0x20070000}),
		OUT_AFTER(31, BLOCKED(NO_PORT), {.family = 6, .source = FRAME_TARGET6, .target = FRAME_SOURCE6, .protocol = 17, .bare = true, EXTS(1, {44, .offset = 3}), .payload = 8})}},
	{"enforce: time-wait, which the kernel answers for", OUTBOUND, {
		OUT(SENT, OUT4(TCP_(ACK, 40103, 9000))),
		OUT(SENT, OUT6(TCP_(ACK, 40103, 9000))),
		OUT(BLOCKED(TCP(9000)), OUT4(TCP_(ACK, 40108, 9000))),
		OUT(BLOCKED(TCP(9001)), OUT4(TCP_(ACK, 40103, 9001))),
		OUT(BLOCKED(TCP(9000)), OUT6(TCP_(ACK, 40104, 9000))),
		OUT(BLOCKED(TCP(9000)), TO4("203.0.113.8", TCP_(ACK, 40103, 9000))),
		OUT(BLOCKED(TCP(9000)), OUT4(TCP_(SYN, 40103, 9000))),
		OUT(BLOCKED(UDP(9000)), OUT4(UDP_(40103, 9000)))}},
	{"enforce: other connections, listeners, sockets bound elsewhere", OUTBOUND, {
		OUT(SENT, OUT4(TCP_(FIN, 40104, 9000))),
		OUT(SENT, OUT4(TCP_(ACK, 40102, 9000))),
		OUT(SENT, OUT4(TCP_(SYN_ACK, 2222, 50000))),
		OUT(SENT, TO4("198.51.100.7", TCP_(SYN_ACK, 2222, 50010))),
		OUT(BLOCKED(TCP(50001)), OUT4(TCP_(RST, 2222, 50001))),
		OUT(BLOCKED(TCP(9000)), TO4("198.51.100.7", TCP_(ACK, 40106, 9000))),
		OUT(BLOCKED(UDP(54)), OUT4(UDP_(40200, 54)))}},
	{"enforce: connected UDP is no connection", OUTBOUND, {
		OUT(BLOCKED(UDP(5300)), OUT4(UDP_(40206, 5300))),
		IN(REPLY, U4(PORTS(5300, 40206)))}},
	{"enforce: malformed", OUTBOUND, {
		{.out = true, .spec = OUT4(UDP_(33000, 53)), .patch = {FROM_IP, 0, 1, 0x44}, .expect = BLOCKED(NO_PORT)},
		{.out = true, .spec = OUT4(TCP_(SYN, 33000, 993)), .patch = {FROM_UPPER, DOFF, 1, 0x40}, .expect = BLOCKED(NO_PORT)},
		{.out = true, .spec = OUT6(UDP_(33000, 53)), .patch = {FROM_IP, PAYLOAD, 2, 200}, .expect = BLOCKED(NO_PORT)},
		OUT(BLOCKED(NO_PORT), OUT4(UDP_(33000, 53), .tags = 3))}},
	{"enforce: a learned flow alone opens nothing outward", OUTBOUND, {
		OUT(BLOCKED(UDP(5300)), OUT4(UDP_(41005, 5300))),
		IN(REPLY, U4(PORTS(5300, 41005)))}},
	{"enforce, observed: noted, goes out, teaches", OUTBOUND_OBSERVE, {
		OUT(NOTED(UDP(5300)), OUT4(UDP_(33000, 5300))),
		IN(REPLY, U4(PORTS(5300, 33000))),
		OUT(NOTED(TCP(994)), OUT6(TCP_(SYN, 33000, 994))),
		OUT(NOTED(NO_PORT), OUT4(.protocol = 47, .payload = 8)),
		OUT(SENT_TO(TCP(993)), OUT4(TCP_(SYN, 33000, 993)))}},
	/* --- the path MTU of what an open UDP port sends --- */
#define TOO_BIG4(size, mine, theirs) {.family = 4, .protocol = 1, .type = 3, .code = 4, .mtu = size, .quote = &(const struct frame_spec){.family = 4, .source = FRAME_TARGET4, .target = FRAME_SOURCE4, .protocol = 17, PORTS(mine, theirs)}}
#define TOO_BIG6(size, mine, theirs) {.family = 6, .protocol = 58, .type = 2, .mtu = size, .quote = &(const struct frame_spec){.family = 6, .source = FRAME_TARGET6, .target = FRAME_SOURCE6, .protocol = 17, PORTS(mine, theirs)}}
	{"a large answer of an open port", STATE, {
		IN(DROP(ICMP), TOO_BIG4(1400, 53, 40000)),
		OUT(SENT, OUT4(UDP_(53, 40000), .payload = 1201)),
		IN(PASS(ICMP), TOO_BIG4(1400, 53, 40000)),
		IN(PASS(ICMP), TOO_BIG4(552, 53, 40000)),
		IN(DROP(ICMP), TOO_BIG4(551, 53, 40000)),
		IN(DROP(ICMP), TOO_BIG4(0, 53, 40000)),
		IN(DROP(ICMP), TOO_BIG4(1400, 53, 40001)),
		ELSEWHERE(PASS(ICMP), TOO_BIG4(1400, 53, 40000)),
		AFTER(6, DROP(ICMP), TOO_BIG4(1400, 53, 40000))}},
	{"a large answer of an open port, IPv6", STATE, {
		IN(DROP(ICMP), TOO_BIG6(1400, 53, 40000)),
		OUT(SENT, OUT6(UDP_(53, 40000), .payload = 1201)),
		IN(PASS(ICMP), TOO_BIG6(1280, 53, 40000)),
		IN(DROP(ICMP), TOO_BIG6(1279, 53, 40000)),
		IN(DROP(ICMP), TOO_BIG6(1400, 53, 40001))}},
	{"an answer of an open port that is not large", STATE, {
		OUT(SENT, OUT4(UDP_(53, 40000), .payload = 1200)),
		IN(DROP(ICMP), TOO_BIG4(1400, 53, 40000))}},
	{"the first fragment of a large answer", STATE, {
		OUT(SENT, OUT4(UDP_(53, 40000), MORE4, .payload = 1472)),
		IN(PASS(ICMP), TOO_BIG4(1400, 53, 40000))}},
	{"a large datagram by a rule that asks for a source port", STATE, {
		OUT(SENT, TO4("10.9.9.9", UDP_(123, 123), .payload = 1400)),
		IN(DROP(ICMP), {.family = 4, .protocol = 1, .type = 3, .code = 4, .mtu = 1400, .quote = &(const struct frame_spec){.family = 4, .source = FRAME_TARGET4, .target = "10.9.9.9", .protocol = 17, PORTS(123, 123)}})}},
	{"a large answer is told of other errors as before", STATE, {
		OUT(SENT, OUT4(UDP_(53, 40000), .payload = 1400)),
		IN(PASS(ICMP), {.family = 4, .protocol = 1, .type = 3, .code = 3, .quote = &(const struct frame_spec){.family = 4, .source = FRAME_TARGET4, .target = FRAME_SOURCE4, .protocol = 17, PORTS(53, 40000)}})}},
};
/* clang-format on */

const size_t scenes = sizeof(scene) / sizeof(scene[0]);
