/* SPDX-License-Identifier: GPL-2.0 */
/* The other cell that a packet of a capture counts. */
#ifndef PORTCULLIS_COMMAND_REPLAY_SECOND_H
#define PORTCULLIS_COMMAND_REPLAY_SECOND_H

#include "loader/compile/tables.h"
#include "loader/filter/question.h"
#include "loader/report/replay_packet.h"

/*
 * As struct verdict of bpf/account.h has it; the answer of a question has the first cell alone.
 * `told`: with what the packet was asked about.
 */
__u32 replay_second(const struct tables *tables, const struct replay_packet *packet,
		    const struct pc_event *event, const struct question_told *told);

#endif
