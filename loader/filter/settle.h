/* SPDX-License-Identifier: GPL-2.0 */
/* Cleans up after interrupted commands and deleted interfaces. */
#ifndef PORTCULLIS_FILTER_SETTLE_H
#define PORTCULLIS_FILTER_SETTLE_H

/*
 * Removes what interrupted commands and deleted interfaces left behind, and completes a swap of
 * several interfaces that was interrupted, naming them. The lock must be held. -errno with a
 * message if it cannot tell what is there; a filter that another version made is left alone.
 */
int hook_settle(void);

/*
 * Attaches egress programs of the caller's network namespace that were removed, or that a move
 * to it lost, naming the interface. Warns of those that cannot be attached.
 */
void hook_mend(void);

/* Calls hook_settle and hook_mend. */
int hook_collect(void);

#endif
