/* SPDX-License-Identifier: GPL-2.0 */
/* Compares what `replay` makes of a frame with what the filter did with it. */
#ifndef PORTCULLIS_TEST_REPLAYED_H
#define PORTCULLIS_TEST_REPLAYED_H

#include "loader/compile/tables.h"
#include "loader/filter/question.h"
#include "tests/packet/run.h"

/*
 * Whether the frame, captured and read again, gets the same verdict and counts in the same cells,
 * if the program is told what the filter remembered.
 */
bool replayed_agrees(struct question *question, const struct frame *frame, bool egress,
		     const struct tables *tables, const struct outcome *outcome);

#endif
