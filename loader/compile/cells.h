/* SPDX-License-Identifier: GPL-2.0 */
/* Where the cells of a filter are (abi_counters.h): rows for CPUs, pages for listed ports. */
#ifndef PORTCULLIS_COMPILE_CELLS_H
#define PORTCULLIS_COMPILE_CELLS_H

#include <linux/types.h>

#include "bpf/abi.h"

/*
 * Gives a row to each CPU of a list as the kernel writes it ("0,2-5"), each with `pages` pages for
 * listed ports or a few more. A CPU whose id is PC_CPUS or more gets none. -EINVAL: it is no such
 * list.
 */
int cells_rows(struct pc_filter *filter, const char *cpus, __u32 pages);

/* How many pages the listed ports of a generation need, and the tallies of its machines. */
__u32 cells_needed(const struct pc_generation *generation);

/*
 * Gives pages to those listed ports and tallies of a generation that have none. Returns how many
 * pages could not be given because the rows are full.
 */
__u32 cells_list(struct pc_filter *filter, const struct pc_generation *generation);

/* The size of the maps `counters` and `totals`, in pages. */
__u32 cells_row_pages(const struct pc_filter *filter);
__u32 cells_total_pages(const struct pc_filter *filter);

#endif
