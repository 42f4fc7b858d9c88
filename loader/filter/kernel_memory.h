/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel memory that a filter uses. */
#ifndef PORTCULLIS_FILTER_KERNEL_MEMORY_H
#define PORTCULLIS_FILTER_KERNEL_MEMORY_H

#include "loader/filter/filter.h"

/* The bytes of kernel memory that the filter's maps and program use (fdinfo's memlock). */
__u64 filter_memory(const struct filter *filter);

#endif
