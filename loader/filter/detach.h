/* SPDX-License-Identifier: GPL-2.0 */
/* Detaches a filter: first lets everything pass, then unhooks the programs. */
#ifndef PORTCULLIS_FILTER_DETACH_H
#define PORTCULLIS_FILTER_DETACH_H

#include "loader/filter/filter.h"

/*
 * Detaches a filter, known by its links or its id, from both hooks, and removes its pins; also a
 * half-made filter. First lets everything pass: if that fails, returns -errno with a message, and
 * nothing is changed. Later failures are warnings, and the next command completes the detach.
 */
int filter_detach(struct filter *filter);
/* The first step alone, for several interfaces; and its reversal, before the other steps. */
int filter_stop(struct filter *filter);
void filter_refill(const struct filter *filter);

#endif
