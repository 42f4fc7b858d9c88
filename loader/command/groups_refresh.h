/* SPDX-License-Identifier: GPL-2.0 */
/* Updates the groups of running filters, without applying anything else. */
#ifndef PORTCULLIS_COMMAND_GROUPS_REFRESH_H
#define PORTCULLIS_COMMAND_GROUPS_REFRESH_H

#include "loader/base/diag.h"
#include "loader/command/options.h"

/*
 * `groups --refresh dns`: asks for the names that are due, and gives each filter the addresses.
 * `groups --refresh file`: reads the group files of the site file that was confirmed last, gives
 * each filter the prefixes if it has those that were confirmed, and confirms them. Each is one
 * switch an interface, all of them or none, under the lockout guard. Returns an exit code;
 * EXIT_INCOMPLETE: a change waits to be confirmed, nothing was done.
 */
int groups_refresh(const struct options *options, struct diag *diag);

#endif
