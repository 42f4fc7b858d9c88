/* SPDX-License-Identifier: GPL-2.0 */
/* `metrics`: the filters of the network namespace for a monitoring system. */
#ifndef PORTCULLIS_COMMAND_METRICS_H
#define PORTCULLIS_COMMAND_METRICS_H

#include "loader/command/options.h"

int command_metrics(const struct options *options, struct diag *diag);

#endif
