/* SPDX-License-Identifier: GPL-2.0 */
/* `suggest`: the site file for this host, with the evidence for each line. */
#ifndef PORTCULLIS_COMMAND_SUGGEST_H
#define PORTCULLIS_COMMAND_SUGGEST_H

#include "loader/command/command.h"

int command_suggest(const struct options *options, struct diag *diag);

#endif
