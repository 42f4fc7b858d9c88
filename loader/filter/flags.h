/* SPDX-License-Identifier: GPL-2.0 */
/* Tells the programs of a filter what there is to ask about: pc_filter.flag. */
#ifndef PORTCULLIS_FILTER_FLAGS_H
#define PORTCULLIS_FILTER_FLAGS_H

#include "loader/filter/filter.h"

/* Sets PC_FILTER_* bits of pc_filter.flag, or clears them. 0 or -errno. */
int filter_flag_set(const struct filter *filter, __u8 flag, bool on);

#endif
