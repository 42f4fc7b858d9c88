// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the reading of captured frames and what is remembered of them. Each frame: link type,
 * length behind the captured bytes, number of bytes, the bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/report/replay_packet.h"
#include "loader/report/replay_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const __u16 link_type[] = {REPLAY_ETHERNET, REPLAY_RAW,	REPLAY_COOKED,
				  REPLAY_IPV4,	   REPLAY_IPV6, REPLAY_COOKED_TWO};

static void take(struct replay_reading *reading, struct replay_state *state,
		 const struct captured *captured)
{
	static struct replay_packet packet;
	__u32 cell, second;
	struct pc_event event = {.cell = PC_CELL_OTHER + PC_OTHER_ICMP};
	__u8 *exact = malloc(captured->captured ? captured->captured : 1);
	struct captured own = *captured;

	/* Bytes after the captured ones must not be read. */
	memcpy(exact, captured->bytes, captured->captured);
	own.bytes = exact;
	replay_packet_read(reading, &own, &packet);
	if (packet.used > REPLAY_FRAME)
		abort();
	if (packet.way == REPLAY_IN || packet.way == REPLAY_OUT) {
		if (packet.used < 15)
			abort();
		replay_state_tell(state, &packet, own.time, &cell, &second);
		replay_state_unsent(state, &packet, own.time);
		if (own.time & 1)
			event.how = PC_EVENT_DROP;
		replay_state_note(state, &packet, own.time, &event, 0, own.time & 2);
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct prefix local[] = {{.family = AF_INET, .length = 1},
					{.family = AF_INET6, .length = 2, .address = {0x20}}};
	static struct replay_state *state;
	struct replay_reading reading = {.local = local, .locals = 2};
	__u64 at = 0;

	if (!state)
		state = replay_state_new(10000000);
	if (!size)
		return 0;
	reading.frame = *data++ % 3;
	size--;
	while (size >= 4) {
		struct captured captured = {.link = link_type[data[0] % 6]};

		captured.captured = data[3] < size - 4 ? data[3] : (__u32)(size - 4);
		captured.length = captured.captured + (__u32)(data[1] << 8 | data[2]);
		captured.time = at += data[2];
		captured.bytes = data + 4;
		take(&reading, state, &captured);
		data += 4 + captured.captured;
		size -= 4 + captured.captured;
	}
	return 0;
}
