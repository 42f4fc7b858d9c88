/* SPDX-License-Identifier: GPL-2.0 */
/* The programs that only explain, next to the filter whose maps they read. */
#ifndef PORTCULLIS_TEST_EXPLAINED_H
#define PORTCULLIS_TEST_EXPLAINED_H

#include "tests/packet/run.h"

/* Loads these programs for the filter of `live`. Reports errors; returns 0 or -errno. */
int explained_open(const struct runner *live, struct filter *explaining);

/* Their answer for a frame. Returns the action of the program, or -errno. */
int explained_run(const struct filter *explaining, const struct frame *frame, size_t linear,
		  bool egress, struct pc_explained *explained);

/* Whether the answer is what the filter did with the frame: the action and the counted cells. */
bool explained_agrees(int action, const struct pc_explained *explained,
		      const struct outcome *outcome, size_t length, bool egress);

/* A digest of every byte in the maps of a filter, and in its generation. */
uint64_t explained_digest(const struct filter *filter);

#endif
