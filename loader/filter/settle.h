/* SPDX-License-Identifier: GPL-2.0 */
/* Clears up after killed commands and deleted interfaces. */
#ifndef PORTCULLIS_FILTER_SETTLE_H
#define PORTCULLIS_FILTER_SETTLE_H

/*
 * Removes what killed commands and deleted interfaces left behind, and completes a swap of several
 * interfaces that was killed half way, naming them. The lock must be held. -errno with a message if
 * it cannot tell what is there; a filter that another version made is left alone.
 */
int hook_settle(void);

/*
 * Attaches egress programs of the caller's network namespace that somebody took off, or that a move
 * to it lost, naming the interface. What cannot be mended is warned of.
 */
void hook_mend(void);

/* Both. */
int hook_collect(void);

#endif
