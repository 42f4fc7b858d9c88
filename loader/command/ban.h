/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTCULLIS_COMMAND_BAN_H
#define PORTCULLIS_COMMAND_BAN_H

#include "loader/command/options.h"

int command_ban(const struct options *options, struct diag *diag);
int command_unban(const struct options *options, struct diag *diag);

#endif
