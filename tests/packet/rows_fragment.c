// SPDX-License-Identifier: GPL-2.0
/* Rows of the rule `fragment`: the first fragment is known (fixture_state.c), or not. */
#include "tests/packet/row_words.h"

#define REPLY PASS(REPLY)
#define REPLY_OF(at)                                                 \
	{                                                            \
		MODEL_PASS, MODEL_PASS_REPLY, -1, PC_CELL_OUT + (at) \
	}

#define LATER(number, ...)                                                                   \
	{                                                                                    \
		.family = 4, .protocol = number, .bare = true, .fragment = 2, .payload = 24, \
		__VA_ARGS__                                                                  \
	}
#define LATER6(...)                                                       \
	{                                                                 \
		.family = 6, .protocol = 17, .bare = true, .payload = 24, \
		EXTS(1, {44, .offset = 2}), __VA_ARGS__                   \
	}

/* clang-format off */
static const struct row row[] = {
	{"known: UDP to a listed port", STATE, LATER(17, .id = 0x2001), .expect = PASS_AT(UDP(53))},
	{"known, at offset 8", STATE,
	 {.family = 4, .protocol = 17, .bare = true, .fragment = 1, .id = 0x2001, .payload = 8},
	 .expect = PASS_AT(UDP(53))},
	{"known, the last of all", STATE,
	 {.family = 4, .protocol = 17, .bare = true, .fragment = 0x1fff, .id = 0x2001},
	 .expect = PASS_AT(UDP(53))},
	{"known, more follow, options, two tags", STATE,
	 {.family = 4, .protocol = 17, .bare = true, .fragment = 9 | FRAGMENT_MORE, .id = 0x2001,
	  .payload = 64, .options = 3, .tags = 2}, .expect = PASS_AT(UDP(53))},
	{"known, 31 seconds", STATE, LATER(17, .id = 0x2002), .expect = DROP(FRAGMENT)},
	{"known, 29 seconds, a reply", STATE, LATER(17, .id = 0x2003), .expect = REPLY},
	{"known: ICMP", STATE, LATER(1, .id = 0x2004), .expect = PASS(ICMP)},
	{"known: named protocol", STATE, LATER(50, .id = 0x2005), .expect = PASS(PROTOCOL)},
	{"known: TCP reply of a listed remote port", STATE, LATER(6, .id = 0x2006),
	 .expect = REPLY_OF(TCP(993))},
	{"known: TCP, but at offset 8", STATE,
	 {.family = 4, .protocol = 6, .bare = true, .fragment = 1, .id = 0x2006, .payload = 20},
	 .expect = DROP(MALFORMED)},
	{"known at egress only", STATE, LATER(17, .id = 0x2007), .expect = DROP(FRAGMENT)},
	{"another id", STATE, LATER(17, .id = 0x2101), .expect = DROP(FRAGMENT)},
	{"the id in the other byte order", STATE, LATER(17, .id = 0x0120), .expect = DROP(FRAGMENT)},
	{"another protocol", STATE, LATER(6, .id = 0x2001), .expect = DROP(FRAGMENT)},
	{"another source", STATE, LATER(17, .id = 0x2001, .source = "203.0.113.8"),
	 .expect = DROP(FRAGMENT)},
	{"another destination", STATE, LATER(17, .id = 0x2001, .target = "192.0.2.2"),
	 .expect = DROP(FRAGMENT)},
	{"total length past the frame", STATE, LATER(17, .id = 0x2001), P16(FROM_IP, TOTAL, 45),
	 .expect = DROP(MALFORMED)},
	{"known, IPv6", STATE, LATER6(.id = 0x20010000), .expect = PASS_AT(UDP(53))},
	{"known, IPv6: the protocol is not compared", STATE,
	 {.family = 6, .protocol = 60, .bare = true, .payload = 24, EXTS(1, {44, .offset = 2}),
	  .id = 0x20010000}, .expect = PASS_AT(UDP(53))},
	{"known, IPv6, TCP at offset 8", STATE,
	 {.family = 6, .protocol = 6, .bare = true, .payload = 24, EXTS(1, {44, .offset = 1}),
	  .id = 0x20010000}, .expect = DROP(MALFORMED)},
	{"known, IPv6, behind hop-by-hop and a tag", STATE,
	 {.family = 6, .protocol = 17, .bare = true, .payload = 24, .tags = 1,
	  EXTS(2, {0, 1}, {44, .offset = 5, .more = true}), .id = 0x20010000},
	 .expect = PASS_AT(UDP(53))},
	{"known, IPv6, 31 seconds", STATE, LATER6(.id = 0x20020000), .expect = DROP(FRAGMENT)},
	{"known, IPv6, 29 seconds", STATE, LATER6(.id = 0x20030000), .expect = REPLY_OF(UDP(53))},
	{"known at egress only, IPv6", STATE, LATER6(.id = 0x20070000), .expect = DROP(FRAGMENT)},
	{"another id, IPv6: its upper half", STATE, LATER6(.id = 0x20110000),
	 .expect = DROP(FRAGMENT)},
	{"another id, IPv6: its lower half", STATE, LATER6(.id = 0x20010001),
	 .expect = DROP(FRAGMENT)},
	{"another source, IPv6", STATE, LATER6(.id = 0x20010000, .source = "2001:db8:ffff::8"),
	 .expect = DROP(FRAGMENT)},
	{"another destination, IPv6", STATE, LATER6(.id = 0x20010000, .target = "2001:db8::2"),
	 .expect = DROP(FRAGMENT)},
	/* A fragment header in a first fragment; its id is 12 bytes behind the outer header's start. */
	{"fragments in fragments, IPv6: the outermost is known", STATE,
	 {.family = 6, .protocol = 17, .bare = true, .payload = 24,
	  EXTS(2, {44, .more = true}, {44, .offset = 2}), .id = 0x20010000},
	 P16(FROM_IP, 52, 0x7777), .expect = PASS_AT(UDP(53))},
	{"fragments in fragments, IPv6: only the inner one is known", STATE,
	 {.family = 6, .protocol = 17, .bare = true, .payload = 24,
	  EXTS(2, {44, .more = true}, {44, .offset = 2}), .id = 0x20010000},
	 P16(FROM_IP, 44, 0x7777), .expect = DROP(FRAGMENT)},
	{"observe: known", STATE_OBSERVE, LATER(17, .id = 0x2003), .expect = REPLY},
	{"observe: not known", STATE_OBSERVE, LATER(17, .id = 0x2101), .expect = WOULD(FRAGMENT)},
};
/* clang-format on */

const struct row_list rows_fragment = {row, sizeof(row) / sizeof(row[0])};

const struct row_list *const row_list[ROW_LISTS] = {&rows_stateless, &rows_reply, &rows_icmp,
						    &rows_fragment};
