/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis groups: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_GROUPS_H
#define PORTCULLIS_COMMAND_GROUPS_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_groups(const struct options *options, struct diag *diag);

#endif
