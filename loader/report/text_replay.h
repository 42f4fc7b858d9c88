/* SPDX-License-Identifier: GPL-2.0 */
/* The text form of what a filter made of a capture. */
#ifndef PORTCULLIS_REPORT_TEXT_REPLAY_H
#define PORTCULLIS_REPORT_TEXT_REPLAY_H

#include "loader/report/replay.h"

/* Prints replay_json, whose drops are added up as in `drops`. */
void report_replay_text(const json_t *report, const struct replay *replay, const json_t *kept,
			FILE *to);

#endif
