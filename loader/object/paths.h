/* SPDX-License-Identifier: GPL-2.0 */
/* Where bpffs is mounted, and the folder of pins in it. */
#ifndef PORTCULLIS_OBJECT_PATHS_H
#define PORTCULLIS_OBJECT_PATHS_H

#define BPFFS "/sys/fs/bpf"
#define PINS  BPFFS "/portcullis"

/*
 * The lock: PINS itself, and where the administrators' group may open that, a folder in it that
 * only root may: a process that can open it can hold it.
 */
#define LOCK_NAME "lock"

#endif
