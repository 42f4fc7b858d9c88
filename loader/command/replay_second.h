/* SPDX-License-Identifier: GPL-2.0 */
/* The second cell that counts a packet of a capture. */
#ifndef PORTCULLIS_COMMAND_REPLAY_SECOND_H
#define PORTCULLIS_COMMAND_REPLAY_SECOND_H

#include "loader/compile/tables.h"
#include "loader/filter/question.h"
#include "loader/report/replay_packet.h"

/*
 * The second cell as in struct verdict of bpf/account.h: the answer of a question has only the
 * first cell. `told`: the state with which the packet was asked.
 */
__u32 replay_second(const struct tables *tables, const struct replay_packet *packet,
		    const struct pc_event *event, const struct question_told *told);

#endif
