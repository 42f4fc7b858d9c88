/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis flows: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_FLOWS_H
#define PORTCULLIS_COMMAND_FLOWS_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_flows(const struct options *options, struct diag *diag);

#endif
