/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis status: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_STATUS_H
#define PORTCULLIS_COMMAND_STATUS_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_status(const struct options *options, struct diag *diag);

#endif
