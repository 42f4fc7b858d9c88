/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of the table in main.c, one file each. They return an exit code. */
#ifndef PORTCULLIS_COMMAND_H
#define PORTCULLIS_COMMAND_H

#include "loader/options.h"

int command_profiles(const struct options *options, struct diag *diag);
int command_show(const struct options *options, struct diag *diag);
int command_check(const struct options *options, struct diag *diag);
int command_attach(const struct options *options, struct diag *diag);
int command_swap(const struct options *options, struct diag *diag);
int command_apply(const struct options *options, struct diag *diag);
int command_confirm(const struct options *options, struct diag *diag);
int command_detach(const struct options *options, struct diag *diag);
int command_status(const struct options *options, struct diag *diag);
int command_counters(const struct options *options, struct diag *diag);
int command_flows(const struct options *options, struct diag *diag);

#endif
