/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Takes a filter known by its links or its id off both hooks, and removes its pins; also a
 * half-made one. It first lets everything pass: if that fails, -errno with a message, and nothing
 * is changed. Later failures are warnings, and the next command completes the detach.
 */
#ifndef PORTCULLIS_FILTER_DETACH_H
#define PORTCULLIS_FILTER_DETACH_H

#include "loader/filter/filter.h"

/*
 * Takes a filter known by its links or its id off both hooks, and removes its pins. Also one that
 * is half made. It first lets everything pass: if that fails, -errno with a message, and nothing is
 * changed; what fails later is warned of, and the next command completes it.
 */
int filter_detach(struct filter *filter);
/* The first step alone, for several interfaces; and back, before the others. */
int filter_stop(struct filter *filter);
void filter_refill(const struct filter *filter);

#endif
