/* SPDX-License-Identifier: GPL-2.0 */
/* `explain`: what the filter does with a packet, and why. */
#ifndef PORTCULLIS_COMMAND_EXPLAIN_H
#define PORTCULLIS_COMMAND_EXPLAIN_H

#include "loader/command/command.h"
#include "loader/command/explain_target.h"
#include "loader/guard/fix.h"

/*
 * The whole command that opens the port: a swap of an attached filter, or an attach. The caller
 * frees.
 */
char *explain_fix(const struct explain_target *target, const struct guard_opening *opening);

/*
 * The command that removes the limits of the services in a verdict (event_json) `limit`; NULL: no
 * filter is attached. The caller frees.
 */
char *explain_limit_fix(const struct explain_target *target, const json_t *verdict);

int command_explain(const struct options *options, struct diag *diag);

#endif
