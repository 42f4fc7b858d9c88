/* SPDX-License-Identifier: GPL-2.0 */
/* `audit`: whether the rules of the filters fit this host. */
#ifndef PORTCULLIS_COMMAND_AUDIT_H
#define PORTCULLIS_COMMAND_AUDIT_H

#include "loader/command/command.h"

int command_audit(const struct options *options, struct diag *diag);

#endif
