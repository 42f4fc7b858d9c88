/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis counters: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_COUNTERS_H
#define PORTCULLIS_COMMAND_COUNTERS_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_counters(const struct options *options, struct diag *diag);

#endif
