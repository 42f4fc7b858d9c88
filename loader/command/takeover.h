/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis takeover: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_TAKEOVER_H
#define PORTCULLIS_COMMAND_TAKEOVER_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_takeover(const struct options *options, struct diag *diag);

#endif
