/* SPDX-License-Identifier: GPL-2.0 */
/* Cleans up after interrupted commands and deleted interfaces. */
#ifndef PORTCULLIS_FILTER_SETTLE_H
#define PORTCULLIS_FILTER_SETTLE_H

#include "loader/filter/hook.h"

/*
 * Removes what interrupted commands and deleted interfaces left behind, and completes a swap of
 * several interfaces that was interrupted, naming them. The lock must be held. -errno with a
 * message if a filter cannot be read; a filter that another version made is left alone. `hooks` has
 * been read, and is read again if anything was changed.
 */
int hooks_settle(struct hooks *hooks);

/*
 * Attaches egress programs of the caller's network namespace that were removed, or that a move
 * to it lost, naming the interface. Warns of those that cannot be attached.
 */
void hooks_restore_egress(const struct hooks *hooks);

/* Reads, settles, and restores egress: how a command that changes something begins. */
int hooks_collect(struct hooks *hooks);

#endif
