// SPDX-License-Identifier: GPL-2.0
/* What is remembered of a capture's packets, by the capture's times. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "loader/report/replay_state.h"

#define MS 1000000ULL
#define S  1000000000ULL

static struct replay_packet packet;
static struct replay_state *memory;

static int begin(void **state)
{
	(void)state;
	memory = replay_state_new(10 * MS);
	return 0;
}

static int end(void **state)
{
	(void)state;
	replay_state_free(&memory);
	return 0;
}

/* A packet between 192.0.2.1:`local` and 192.0.2.7:`remote`. */
static void is(bool out, __u8 protocol, __u16 local, __u16 remote, __u8 flags)
{
	const __be32 us = htonl(0xc0000201), them = htonl(0xc0000207);

	memset(&packet, 0, sizeof(packet));
	packet.way = out ? REPLAY_OUT : REPLAY_IN;
	packet.tcp_flags = flags;
	packet.tuple = (struct replay_tuple){.family = 4,
					     .protocol = protocol,
					     .source = {out ? us : them},
					     .destination = {out ? them : us},
					     .source_port = out ? local : remote,
					     .destination_port = out ? remote : local,
					     .ports = true};
}

static __u8 told(__u64 at)
{
	__u32 cell, second;

	return replay_state_tell(memory, &packet, at, &cell, &second);
}

static bool lives(__u64 at)
{
	return told(at) & PC_TOLD_FLOW;
}

/* Notes the packet as sent, as passed by that cell, or as dropped as unlisted. */
static void passes(__u64 at, __u32 cell)
{
	const struct pc_event event = {.cell = cell, .length = 1};

	replay_state_note(memory, &packet, at, &event, 0, false);
}

static void sent(__u64 at)
{
	passes(at, PC_CELL_EGRESS);
}

static void replies(__u64 at)
{
	passes(at, PC_CELL_OTHER + PC_OTHER_REPLY);
}

static void dropped(__u64 at)
{
	const struct pc_event event = {
		.cell = PC_CELL_REASON + PC_REASON_UNLISTED, .how = PC_EVENT_DROP, .length = 1};

	replay_state_note(memory, &packet, at, &event, 0, false);
}

static void own_connection_lives_until_it_ends(void **state)
{
	(void)state;
	is(true, IPPROTO_TCP, 40000, 443, TH_SYN);
	sent(S);
	is(false, IPPROTO_TCP, 40000, 443, TH_SYN | TH_ACK);
	assert_true(lives(S));
	replies(S);
	is(true, IPPROTO_TCP, 40000, 443, TH_ACK);
	assert_false(replay_state_unsent(memory, &packet, S));
	sent(S);
	is(false, IPPROTO_TCP, 40000, 443, TH_ACK);
	assert_true(lives(S + 100000 * S));
	is(false, IPPROTO_TCP, 40001, 443, TH_ACK);
	assert_false(lives(S));
	is(false, IPPROTO_TCP, 40000, 443, TH_RST);
	assert_true(lives(2 * S));
	replies(2 * S);
	is(false, IPPROTO_TCP, 40000, 443, TH_ACK);
	assert_false(lives(2 * S));
}

/* After the kernel has given up, no answer to a SYN comes. */
static void begun_connection_expires(void **state)
{
	(void)state;
	is(true, IPPROTO_TCP, 40000, 443, TH_SYN);
	sent(S);
	is(false, IPPROTO_TCP, 40000, 443, TH_SYN | TH_ACK);
	assert_true(lives(120 * S));
	assert_false(lives(140 * S));
}

/* On a host without a filter the connection went on; with one it would not have begun. */
static void refused_connection_never_lives(void **state)
{
	(void)state;
	is(false, IPPROTO_TCP, 993, 50000, TH_SYN);
	dropped(S);
	is(true, IPPROTO_TCP, 993, 50000, TH_SYN | TH_ACK);
	assert_true(replay_state_unsent(memory, &packet, S));
	is(false, IPPROTO_TCP, 993, 50000, TH_ACK);
	assert_false(lives(S));
}

static void connection_from_before_lives_once_this_side_sends(void **state)
{
	(void)state;
	is(false, IPPROTO_TCP, 22, 50000, TH_ACK);
	assert_false(lives(S));
	dropped(S);
	is(true, IPPROTO_TCP, 22, 50000, TH_ACK);
	assert_true(lives(S));
	sent(S);
	is(false, IPPROTO_TCP, 22, 50000, TH_ACK);
	assert_true(lives(S));
	/* An answer to a SYN that is not in the capture belongs to a connection of the other
	 * side. */
	is(true, IPPROTO_TCP, 22, 50001, TH_SYN | TH_ACK);
	sent(S);
	is(true, IPPROTO_TCP, 22, 50001, TH_ACK);
	sent(S);
	is(false, IPPROTO_TCP, 22, 50001, TH_ACK);
	assert_false(lives(S));
}

static void query_has_its_answer_for_30_seconds(void **state)
{
	(void)state;
	is(true, IPPROTO_UDP, 40000, 53, 0);
	sent(S);
	is(false, IPPROTO_UDP, 40000, 53, 0);
	assert_true(lives(30 * S));
	assert_false(lives(31 * S));
	/* Once both sides have sent for two seconds, the flow lives for 120 s. */
	replies(2 * S);
	is(true, IPPROTO_UDP, 40000, 53, 0);
	sent(4 * S);
	is(false, IPPROTO_UDP, 40000, 53, 0);
	assert_true(lives(120 * S));
	assert_false(lives(125 * S));
}

/* An answer to a scanner opens nothing; a peer to which this side sends by itself may answer. */
static void answer_begins_no_flow(void **state)
{
	(void)state;
	is(false, IPPROTO_UDP, 161, 5000, 0);
	dropped(S);
	is(true, IPPROTO_UDP, 161, 5000, 0);
	assert_true(replay_state_unsent(memory, &packet, S + MS));
	is(false, IPPROTO_UDP, 161, 5000, 0);
	assert_false(lives(S + 2 * MS));
	is(true, IPPROTO_UDP, 161, 5000, 0);
	assert_false(replay_state_unsent(memory, &packet, 10 * S));
	sent(10 * S);
	is(false, IPPROTO_UDP, 161, 5000, 0);
	assert_false(lives(10 * S));
	is(true, IPPROTO_UDP, 161, 5000, 0);
	sent(20 * S);
	is(false, IPPROTO_UDP, 161, 5000, 0);
	assert_true(lives(20 * S));
}

static void fragments_follow_their_first(void **state)
{
	__u32 cell = 0, second = 0;

	(void)state;
	is(false, IPPROTO_UDP, 53, 5000, 0);
	packet.first = true;
	packet.id = 7;
	passes(S, PC_CELL_PASS + 53);
	is(false, IPPROTO_UDP, 0, 0, 0);
	packet.tuple.ports = false;
	packet.later = true;
	packet.id = 7;
	assert_true(replay_state_tell(memory, &packet, 30 * S, &cell, &second) & PC_TOLD_FRAGMENT);
	assert_int_equal(cell, PC_CELL_PASS + 53);
	assert_false(told(32 * S) & PC_TOLD_FRAGMENT);
	packet.id = 8;
	assert_false(told(S) & PC_TOLD_FRAGMENT);
	packet.id = 7;
	packet.way = REPLAY_OUT;
	assert_false(told(S) & PC_TOLD_FRAGMENT);
}

/* 100 echo requests a second, with a burst of one second's requests. */
static void echo_requests_have_a_limit(void **state)
{
	int admitted = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		is(false, IPPROTO_ICMP, 9, 9, 0);
		packet.icmp_type = 8;
		if (!(told(100 * S + (__u64)i * MS) & PC_TOLD_ECHO))
			continue;
		passes(100 * S + (__u64)i * MS, PC_CELL_OTHER + PC_OTHER_ICMP);
		admitted++;
	}
	assert_in_range(admitted, 128, 131);
	assert_true(told(101 * S) & PC_TOLD_ECHO);
}

/* Its memory is limited: the oldest flows are replaced, and counted. */
static void more_flows_than_fit(void **state)
{
	(void)state;
	for (__u32 i = 0; i < 3000000; i++) {
		is(true, IPPROTO_UDP, (__u16)i, (__u16)(i >> 16) + 1, 0);
		sent(S);
	}
	assert_true(replay_state_forgotten(memory) > 1500000);
	is(false, IPPROTO_UDP, (__u16)2999999, (2999999 >> 16) + 1, 0);
	assert_true(lives(S));
}

/* Two runs forget different flows, so that no capture can be made to fill one place. */
static void places_differ(void **state)
{
	struct replay_state *const first = memory, *second = replay_state_new(10 * MS);
	int differ = 0;

	(void)state;
	for (__u32 i = 0; i < 400000; i++) {
		is(true, IPPROTO_UDP, (__u16)i, (__u16)(i >> 16) + 1, 0);
		memory = second;
		sent(S);
		memory = first;
		sent(S);
	}
	for (__u32 i = 0; i < 400000; i++) {
		bool live;

		is(false, IPPROTO_UDP, (__u16)i, (__u16)(i >> 16) + 1, 0);
		memory = second;
		live = lives(S);
		memory = first;
		differ += live != lives(S);
	}
	replay_state_free(&second);
	assert_int_not_equal(differ, 0);
}

/* Notes a datagram that passed at a port with a limit. */
static void passes_limited(__u64 at)
{
	const struct pc_event event = {.cell = PC_CELL_PASS, .length = 1};

	replay_state_note(memory, &packet, at, &event, 0, true);
}

static void limited_port_answers_and_asks(void **state)
{
	(void)state;
	is(false, IPPROTO_UDP, 5060, 5061, 0);
	passes_limited(S);
	dropped(S + MS);
	/* An answer to a packet that passed: it is sent, and makes no flow. */
	is(true, IPPROTO_UDP, 5060, 5061, 0);
	assert_false(replay_state_unsent(memory, &packet, S + 2 * MS));
	sent(S + 2 * MS);
	sent(10 * S);
	is(false, IPPROTO_UDP, 5060, 5061, 0);
	assert_false(lives(10 * S));
	/* A minute later this side asks by itself, and the next incoming packet is its answer. */
	is(true, IPPROTO_UDP, 5060, 5061, 0);
	sent(61 * S);
	is(false, IPPROTO_UDP, 5060, 5061, 0);
	assert_true(lives(61 * S));
	passes_limited(61 * S + MS);
	assert_true(lives(91 * S));
	/* Only the answer to a dropped packet would not be sent. */
	is(false, IPPROTO_UDP, 5060, 5062, 0);
	dropped(S);
	is(true, IPPROTO_UDP, 5060, 5062, 0);
	assert_true(replay_state_unsent(memory, &packet, S + MS));
}

static void limited_syn_is_answered_once_it_passes(void **state)
{
	(void)state;
	is(false, IPPROTO_TCP, 25, 40000, TH_SYN);
	dropped(S);
	is(true, IPPROTO_TCP, 25, 40000, TH_SYN | TH_ACK);
	assert_true(replay_state_unsent(memory, &packet, S));
	is(false, IPPROTO_TCP, 25, 40000, TH_SYN);
	passes_limited(2 * S);
	is(true, IPPROTO_TCP, 25, 40000, TH_SYN | TH_ACK);
	assert_false(replay_state_unsent(memory, &packet, 2 * S));
	sent(2 * S);
	/* The port table decides, not a connection of this side. */
	is(false, IPPROTO_TCP, 25, 40000, TH_ACK);
	assert_false(lives(2 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(own_connection_lives_until_it_ends, begin, end),
		cmocka_unit_test_setup_teardown(begun_connection_expires, begin, end),
		cmocka_unit_test_setup_teardown(refused_connection_never_lives, begin, end),
		cmocka_unit_test_setup_teardown(connection_from_before_lives_once_this_side_sends,
						begin, end),
		cmocka_unit_test_setup_teardown(query_has_its_answer_for_30_seconds, begin, end),
		cmocka_unit_test_setup_teardown(answer_begins_no_flow, begin, end),
		cmocka_unit_test_setup_teardown(fragments_follow_their_first, begin, end),
		cmocka_unit_test_setup_teardown(echo_requests_have_a_limit, begin, end),
		cmocka_unit_test_setup_teardown(limited_port_answers_and_asks, begin, end),
		cmocka_unit_test_setup_teardown(limited_syn_is_answered_once_it_passes, begin, end),
		cmocka_unit_test_setup_teardown(more_flows_than_fit, begin, end),
		cmocka_unit_test_setup_teardown(places_differ, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
