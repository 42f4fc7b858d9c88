/* SPDX-License-Identifier: GPL-2.0 */
/* Whether several interfaces of a network namespace have a filter. */
#ifndef PORTCULLIS_FILTER_SEVERAL_H
#define PORTCULLIS_FILTER_SEVERAL_H

#include "loader/filter/filter.h"

/*
 * Tells the programs whether several interfaces of a network namespace have a filter, so that they
 * note what comes in by each: what is answered by another teaches nothing there.
 *
 *	several_set	before one more is hooked, for the caller's network namespace
 *	several_settle	at the end of a changing command: as it is then
 *
 * What cannot be done is warned of.
 */
void several_set(const struct filter *filter);
void several_settle(void);

#endif
