/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PORTCULLIS_COMMAND_BANS_H
#define PORTCULLIS_COMMAND_BANS_H

#include "loader/command/options.h"

int command_bans(const struct options *options, struct diag *diag);

#endif
