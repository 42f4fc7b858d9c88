/* SPDX-License-Identifier: GPL-2.0 */
/* `drops`: what was dropped lately. */
#ifndef PORTCULLIS_COMMAND_DROPS_H
#define PORTCULLIS_COMMAND_DROPS_H

#include "loader/command/options.h"

int command_drops(const struct options *options, struct diag *diag);

#endif
