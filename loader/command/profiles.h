/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis profiles: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_PROFILES_H
#define PORTCULLIS_COMMAND_PROFILES_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_profiles(const struct options *options, struct diag *diag);

#endif
