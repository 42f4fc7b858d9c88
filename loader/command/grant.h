/* SPDX-License-Identifier: GPL-2.0 */
/* `grant` and `revoke`: members of a group for a time. */
#ifndef PORTCULLIS_COMMAND_GRANT_H
#define PORTCULLIS_COMMAND_GRANT_H

#include "loader/command/command.h"

int command_grant(const struct options *options, struct diag *diag);
int command_revoke(const struct options *options, struct diag *diag);

#endif
