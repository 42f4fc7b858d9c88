/* SPDX-License-Identifier: GPL-2.0 */
/* `grant` and `revoke`: temporary members of a group. */
#ifndef PORTCULLIS_COMMAND_GRANT_H
#define PORTCULLIS_COMMAND_GRANT_H

#include "loader/command/command.h"

int command_grant(const struct options *options, struct diag *diag);
int command_revoke(const struct options *options, struct diag *diag);

#endif
