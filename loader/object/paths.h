/* SPDX-License-Identifier: GPL-2.0 */
/* Where bpffs is mounted, and the folder of pins in it. */
#ifndef PORTCULLIS_OBJECT_PATHS_H
#define PORTCULLIS_OBJECT_PATHS_H

#define BPFFS "/sys/fs/bpf"
#define PINS  BPFFS "/portcullis"

/*
 * The lock is PINS itself. Where the administrators' group can open PINS, the lock is a folder in
 * it that only root can open, because a process that can open a lock can hold it.
 */
#define LOCK_NAME "lock"

#endif
