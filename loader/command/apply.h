/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis apply: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_APPLY_H
#define PORTCULLIS_COMMAND_APPLY_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_apply(const struct options *options, struct diag *diag);

#endif
