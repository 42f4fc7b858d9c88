/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis confirm: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_CONFIRM_H
#define PORTCULLIS_COMMAND_CONFIRM_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_confirm(const struct options *options, struct diag *diag);

#endif
