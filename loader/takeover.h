/* SPDX-License-Identifier: GPL-2.0 */
/* Filters that another version of portcullis attached. */
#ifndef PORTCULLIS_TAKEOVER_H
#define PORTCULLIS_TAKEOVER_H

#include "loader/kernel.h"

/*
 * Replaces the programs and maps of a filter that an older version attached by this one's, without
 * a moment in which nothing judges: the links stay, and change their programs. Counters, learned
 * flows, number and recipe are carried over. A filter that this version attached is left as it is,
 * and so is, by the same version's layout, one that waits to be confirmed. One of a newer version:
 * a message and -EPROTO. `*hook` is as it is then. `dry_run`: only says what would be done, and
 * -EPROTO if what is there cannot be read without.
 */
int takeover(struct hook *hook, bool dry_run);

#endif
