// SPDX-License-Identifier: GPL-2.0
/* Reading captured frames: what the filter gets of a cut or cooked one, and its direction. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
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

/* The payload was not captured: the lengths in the headers are those of what is there. */
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

	/* Options of TCP that were not captured. */
	frame[14 + 20 + 12] = 15 << 4;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(packet.used, 14 + 20 + 60);
	assert_int_equal(word(packet.frame + 16), 80);

	/* What the header claims does not fit into the packet that was: it stays malformed. */
	frame[16] = 0xff;
	replay_packet_read(&how, &captured, &packet);
	assert_int_equal(word(packet.frame + 16), 0xff00 | (1500 & 0xff));
}

/* Without the ports nothing can be said of it. */
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

/* Options of TCP behind what a program is given, after a chain of extension headers. */
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

/* A frame of GRO is longer than what a program is given. */
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

/* Linux cooked 1 and 2 and raw IP become what the filter's frames are; a cooked one has its own
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

/* Without an address of this host the MAC tells, once one is known. */
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
