/* SPDX-License-Identifier: GPL-2.0 */
/* Makes the changes of a site file. */
#ifndef PORTCULLIS_COMMAND_APPLY_RUN_H
#define PORTCULLIS_COMMAND_APPLY_RUN_H

#include "loader/base/diag.h"
#include "loader/command/apply_plan.h"

/* At boot, an interface that cannot be filtered must not prevent the filters of others. */
void apply_leave_out(struct apply *apply, struct wanted *wanted, const char *why,
		     struct diag *diag);

/* Plans and makes all changes, and waits for interfaces if asked to. 0, or -errno with a
 * message. */
int apply_run(struct apply *apply, struct diag *diag);

#endif
