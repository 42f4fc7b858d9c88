/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis show: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_SHOW_H
#define PORTCULLIS_COMMAND_SHOW_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_show(const struct options *options, struct diag *diag);

#endif
