/* SPDX-License-Identifier: GPL-2.0 */
/* Updates of a map-in-map, whose system call waits for RCU long after programs see the new map. */
#ifndef PORTCULLIS_OBJECT_SLOT_UPDATE_H
#define PORTCULLIS_OBJECT_SLOT_UPDATE_H

#include <linux/types.h>

struct slot_update;

/*
 * Puts `inner` into a slot, and returns as soon as programs see it; the kernel's wait for users of
 * the slot's former map (5 to 20 ms) goes on in a thread. Until slot_update_end a packet may still
 * use that map: the caller keeps a descriptor of it, and what it refers to. 0 or -errno.
 */
int slot_update_begin(int outer, __u32 slot, int inner, struct slot_update **update);

/* Waits for the thread. NULL: no update. */
void slot_update_end(struct slot_update **update);

#endif
