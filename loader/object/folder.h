/* SPDX-License-Identifier: GPL-2.0 */
/* The folder of pins on bpffs, and the lock of the commands that change it. */
#ifndef PORTCULLIS_OBJECT_FOLDER_H
#define PORTCULLIS_OBJECT_FOLDER_H

#include <stdbool.h>

/*
 * Checks that bpffs is mounted at /sys/fs/bpf, and that PINS belongs to root and only the
 * administrators' group can read it. With `create`, mounts bpffs and makes the folder. Fails in a
 * mount namespace of the command's own (`ip netns exec`), where pins would disappear with the
 * command. Returns 1 if the folder exists, 0 if it does not and `create` is false.
 */
int pins_ready(bool create);

/*
 * Takes the lock of all changing commands; waits at most 30 s for another command. PINS must exist.
 * Lets the administrators' group read all pins.
 */
int pins_lock(int *lock);
/* As pins_lock, for a command that neither makes nor removes pins: changes nothing for the
 * group. */
int pins_lock_only(int *lock);

#endif
