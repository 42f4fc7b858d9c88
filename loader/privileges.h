/* SPDX-License-Identifier: GPL-2.0 */
/* What a command keeps of root's power. */
#ifndef PORTCULLIS_PRIVILEGES_H
#define PORTCULLIS_PRIVILEGES_H

#include "loader/options.h"

/*
 * Drops the capabilities that the command has no use of, for good: nothing it runs gets them back.
 * To be called once, before it reads a file. Without privilege there is nothing to drop.
 * Returns 0, or -errno with a message.
 */
int privileges_drop(const char *command, const struct options *options);

#endif
