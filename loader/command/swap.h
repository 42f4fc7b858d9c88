/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis swap: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_SWAP_H
#define PORTCULLIS_COMMAND_SWAP_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_swap(const struct options *options, struct diag *diag);

#endif
