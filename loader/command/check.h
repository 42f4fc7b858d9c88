/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis check: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_CHECK_H
#define PORTCULLIS_COMMAND_CHECK_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_check(const struct options *options, struct diag *diag);

#endif
