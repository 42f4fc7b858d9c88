/* SPDX-License-Identifier: GPL-2.0 */
/* Holds a new interface that udev has announced until its filter is attached. */
#ifndef PORTCULLIS_COMMAND_APPLY_HOLD_H
#define PORTCULLIS_COMMAND_APPLY_HOLD_H

#include "loader/command/apply_plan.h"

/*
 * Holds the one wanted interface if udev's rule asks for it (--as), it is new, and its filter will
 * drop packets. It is held this early because compiling and loading a filter takes far longer than
 * the steps before. Prints nothing: without a hold the filter is attached all the same.
 */
void apply_hold(struct apply *apply);

#endif
