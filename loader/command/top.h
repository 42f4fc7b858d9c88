/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis top: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_TOP_H
#define PORTCULLIS_COMMAND_TOP_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_top(const struct options *options, struct diag *diag);

#endif
