// SPDX-License-Identifier: GPL-2.0
/* Compares what `replay` makes of a frame with what the filter did with it. */
#include "tests/packet/replayed.h"

#include <string.h>

#include "loader/base/clock.h"
#include "loader/command/replay_second.h"
#include "loader/report/replay_packet.h"
#include "tests/packet/check.h"

/* What the filter must have remembered, because it passed the frame. */
static struct question_told told_of(const struct outcome *outcome,
				    const struct replay_packet *packet)
{
	const struct model_verdict *verdict = &outcome->verdict;
	struct question_told told = {.at = clock_wall(),
				     .second = (__u32)(clock_boot() / PC_SECOND),
				     .what = PC_TOLD_ECHO};

	if (verdict->action != MODEL_PASS)
		return told;
	if (verdict->why == MODEL_PASS_REPLY || verdict->why == MODEL_PASS_ICMP ||
	    verdict->why == MODEL_PASS_EGRESS)
		told.what |= PC_TOLD_FLOW;
	if (packet->later) {
		told.what |= PC_TOLD_FRAGMENT;
		told.first_cell = model_cell(verdict);
		told.first_second = verdict->out;
	}
	return told;
}

static __u32 second_of(const struct model_verdict *verdict, bool egress)
{
	if (verdict->action == MODEL_PASS)
		return verdict->out;
	if (verdict->port < 0)
		return 0;
	return (egress ? PC_CELL_OUT_DROP : PC_CELL_DROP) + (__u32)verdict->port;
}

bool replayed_agrees(struct question *question, const struct frame *frame, bool egress,
		     const struct tables *tables, const struct outcome *outcome)
{
	static struct replay_packet packet;
	struct replay_reading reading = {.frame = question->frame};
	const struct captured captured = {
		.link = question->frame == PC_FRAME_ETHERNET ? REPLAY_ETHERNET : REPLAY_RAW,
		.bytes = frame->data,
		.captured = (__u32)frame->length,
		.length = (__u32)frame->length};
	struct model_verdict enforced = outcome->verdict;
	struct question_told told;
	struct pc_event event;
	__u32 second;
	int err;

	replay_packet_read(&reading, &captured, &packet);
	/* A chain of extension headers that is longer than what the program is given. */
	if (packet.way == REPLAY_CUT && frame->length > REPLAY_FRAME)
		return true;
	packet.way = egress ? REPLAY_OUT : REPLAY_IN;
	told = told_of(outcome, &packet);
	err = question_tell(question, packet.frame, packet.used, egress, &told, &event);
	if (err) {
		note("replayed: %s", strerror(-err));
		return false;
	}
	if (enforced.action == MODEL_WOULD_DROP)
		enforced.action = MODEL_DROP;
	second = replay_second(tables, &packet, &event, &told);
	if (second == PC_FRAGMENT_ECHO)
		second = 0;
	if (event.cell == model_cell(&enforced) && second == second_of(&enforced, egress) &&
	    packet.length == frame->length)
		return true;
	note("replayed: cell %u, second %u, %u bytes; expected %u, %u, %zu", event.cell, second,
	     packet.length, model_cell(&enforced), second_of(&enforced, egress), frame->length);
	return false;
}
