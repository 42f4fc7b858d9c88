/* SPDX-License-Identifier: GPL-2.0 */
/* portcullis doctor: see portcullis(8). */
#ifndef PORTCULLIS_COMMAND_DOCTOR_H
#define PORTCULLIS_COMMAND_DOCTOR_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

int command_doctor(const struct options *options, struct diag *diag);

#endif
