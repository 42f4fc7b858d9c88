/* SPDX-License-Identifier: GPL-2.0 */
/* `rollback`: undoes a pending change, or goes back to an earlier state. */
#ifndef PORTCULLIS_COMMAND_ROLLBACK_H
#define PORTCULLIS_COMMAND_ROLLBACK_H

#include "loader/command/options.h"

int command_rollback(const struct options *options, struct diag *diag);

#endif
