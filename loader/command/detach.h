/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis detach: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_DETACH_H
#define PORTCULLIS_COMMAND_DETACH_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_detach(const struct options *options, struct diag *diag);

#endif
