/* SPDX-License-Identifier: GPL-2.0 */
/* `monitor`: packets with their verdicts as they arrive. */
#ifndef PORTCULLIS_COMMAND_MONITOR_H
#define PORTCULLIS_COMMAND_MONITOR_H

#include "loader/command/options.h"

int command_monitor(const struct options *options, struct diag *diag);

#endif
