/* SPDX-License-Identifier: GPL-2.0 */
/* Holds the interface that udev has announced until its filter is there. */
#ifndef PORTCULLIS_COMMAND_APPLY_HOLD_H
#define PORTCULLIS_COMMAND_APPLY_HOLD_H

#include "loader/command/apply_plan.h"

/*
 * Takes hold of the one interface that is wanted, if udev's rule asks for it (--as), it is new, and
 * the file has packets dropped there. To compile and load a filter takes longer by far than what
 * comes before this. Nothing is said: where it is not held, the filter comes all the same.
 */
void apply_hold(struct apply *apply);

#endif
