/* SPDX-License-Identifier: GPL-2.0 */
/* Where bpffs is mounted, and the folder of pins in it. */
#ifndef PORTCULLIS_PATHS_H
#define PORTCULLIS_PATHS_H

#define BPFFS "/sys/fs/bpf"
#define PINS  BPFFS "/portcullis"

#endif
