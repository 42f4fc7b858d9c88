/* SPDX-License-Identifier: GPL-2.0 */
/* The folder of pins on bpffs, and the lock of the commands that change it. */
#ifndef PORTCULLIS_OBJECT_FOLDER_H
#define PORTCULLIS_OBJECT_FOLDER_H

#include <stdbool.h>

/*
 * Makes sure that bpffs is mounted at /sys/fs/bpf and that PINS is root's, closed but for the
 * administrators' group: mounts it and makes the folder if `create`. Refuses a mount namespace of
 * its own (`ip netns exec`), where pins would vanish with the command. Returns 1 if it is there, 0
 * if not and `create` is false.
 */
int pins_ready(bool create);

/*
 * Takes the lock of all changing commands; waits at most 30 s for another command. PINS must exist.
 * Gives the administrators' group its pins.
 */
int pins_lock(int *lock);
/* For a command that neither makes nor removes a pin: the group gets nothing. */
int pins_lock_only(int *lock);

#endif
