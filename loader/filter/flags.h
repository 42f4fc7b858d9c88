/* SPDX-License-Identifier: GPL-2.0 */
/* Tells the programs of a filter which look-ups they need: pc_filter.flag. */
#ifndef PORTCULLIS_FILTER_FLAGS_H
#define PORTCULLIS_FILTER_FLAGS_H

#include "loader/filter/filter.h"

/* Sets or clears PC_FILTER_* bits of pc_filter.flag. 0 or -errno. */
int filter_flag_set(const struct filter *filter, __u8 flag, bool on);

#endif
