/* SPDX-License-Identifier: GPL-2.0 */
/* `history`: who changed what, when and why. */
#ifndef PORTCULLIS_COMMAND_HISTORY_H
#define PORTCULLIS_COMMAND_HISTORY_H

#include "loader/command/options.h"
#include "loader/report/history.h"

/* Reads the history, and adds the outcome of each change. -errno with a message. */
int history_open(const char *command, struct history_lines *lines);

/* The change of that number; NULL with a message. */
json_t *history_find_said(const char *command, const struct history_lines *lines,
			  unsigned long long number);

/* True if an argument is the number of a change, and not an interface. */
bool change_number(const char *text, unsigned long long *number);

int command_history(const struct options *options, struct diag *diag);

#endif
