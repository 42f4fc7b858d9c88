/* SPDX-License-Identifier: GPL-2.0 */
/* Tells the programs whether several interfaces of a network namespace have a filter. */
#ifndef PORTCULLIS_FILTER_SEVERAL_H
#define PORTCULLIS_FILTER_SEVERAL_H

#include "loader/filter/filter.h"
#include "loader/filter/hook.h"

/*
 * Tells the programs whether several interfaces of a network namespace have a filter. Then they
 *note what comes in by each interface, so that an answer by another one is not learned as a new
 *flow.
 *
 *	several_set	before one more is hooked, for the caller's network namespace
 *	several_settle	at the end of a changing command, with the filters that are there then
 *
 * Failures are warned of.
 */
void several_set(const struct filter *filter);
void several_settle(const struct hooks *hooks);

#endif
