/* SPDX-License-Identifier: GPL-2.0 */
/* Places the cells of a filter's counters (abi_counters.h): rows for CPUs, pages for listed
 * ports. */
#ifndef PORTCULLIS_COMPILE_CELLS_H
#define PORTCULLIS_COMPILE_CELLS_H

#include <linux/types.h>

#include "bpf/abi.h"

/*
 * Gives a row to each CPU of a list in the kernel's form ("0,2-5"), each with `pages` pages for
 * listed ports or a few more. A CPU whose id is PC_CPUS or more gets no row. -EINVAL: the list has
 * another form.
 */
int cells_rows(struct pc_filter *filter, const char *cpus, __u32 pages);

/* How many pages a generation needs for its listed ports and for the tallies of its machines. */
__u32 cells_needed(const struct pc_generation *generation);

/*
 * Gives pages to the listed ports and tallies of a generation that do not have one. Returns how
 * many pages could not be given because the rows are full.
 */
__u32 cells_list(struct pc_filter *filter, const struct pc_generation *generation);

/* The size of the maps `counters` and `totals`, in pages. */
__u32 cells_row_pages(const struct pc_filter *filter);
__u32 cells_total_pages(const struct pc_filter *filter);

#endif
