/* SPDX-License-Identifier: GPL-2.0 */
/* `explain`: what the filter does with a packet, and why. */
#ifndef PORTCULLIS_COMMAND_EXPLAIN_H
#define PORTCULLIS_COMMAND_EXPLAIN_H

#include "loader/command/command.h"

int command_explain(const struct options *options, struct diag *diag);

#endif
