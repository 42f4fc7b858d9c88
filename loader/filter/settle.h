/* SPDX-License-Identifier: GPL-2.0 */
/* Cleans up after interrupted commands and deleted interfaces. */
#ifndef PORTCULLIS_FILTER_SETTLE_H
#define PORTCULLIS_FILTER_SETTLE_H

#include "loader/filter/hook.h"

/*
 * Removes what interrupted commands and deleted interfaces left behind, and completes a swap of
 * several interfaces that was interrupted, naming them. The caller must hold the lock. -errno with
 * a message if a filter cannot be read; a filter that another version made is left alone. The
 * caller has read `hooks`; after a change they are read again.
 */
int hooks_settle(struct hooks *hooks);

/*
 * Attaches egress programs of the caller's network namespace again if another tool removed them, or
 * if the interface lost them when it was moved here; names the interface. Warns of those that
 * cannot be attached.
 */
void hooks_restore_egress(const struct hooks *hooks);

/* Reads the filters, settles them, and restores egress programs: the beginning of each changing
 * command. */
int hooks_collect(struct hooks *hooks);

#endif
