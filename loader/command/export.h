/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis export: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_EXPORT_H
#define PORTCULLIS_COMMAND_EXPORT_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_export(const struct options *options, struct diag *diag);

#endif
