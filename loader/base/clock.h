/* SPDX-License-Identifier: GPL-2.0 */
/* The clocks: of the wall, of the kernel since boot, and of the BPF programs. All in ns. */
#ifndef PORTCULLIS_BASE_CLOCK_H
#define PORTCULLIS_BASE_CLOCK_H

#include <linux/types.h>

/* CLOCK_REALTIME: for times that people read. */
__u64 clock_wall(void);

/* CLOCK_MONOTONIC, which stands still in suspend: the clock of flows (bpf_ktime_get_ns). */
__u64 clock_monotonic(void);

/* CLOCK_BOOTTIME as the kernel has it outside any time namespace: the clock of deadlines. */
__u64 clock_boot(void);

#endif
