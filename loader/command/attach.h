/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis attach: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_ATTACH_H
#define PORTCULLIS_COMMAND_ATTACH_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_attach(const struct options *options, struct diag *diag);

#endif
