/* SPDX-License-Identifier: GPL-2.0 */
/* Updates a map-in-map in a thread: programs see the new map at once, but the system call waits for
 * RCU. */
#ifndef PORTCULLIS_OBJECT_SLOT_UPDATE_H
#define PORTCULLIS_OBJECT_SLOT_UPDATE_H

#include <linux/types.h>

struct slot_update;

/*
 * Puts `inner` into a slot, and returns as soon as programs see it. A thread waits, with the
 * kernel, for users of the slot's former map (5 to 20 ms). Until slot_update_end a packet may still
 * use that map: the caller keeps a descriptor of it, and everything that it refers to. 0 or -errno.
 */
int slot_update_begin(int outer, __u32 slot, int inner, struct slot_update **update);

/* Waits for the thread. `update` may be NULL. */
void slot_update_end(struct slot_update **update);

#endif
