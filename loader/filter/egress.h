/* SPDX-License-Identifier: GPL-2.0 */
/* The egress program's hook: tcx where the kernel has it (6.6), else clsact. */
#ifndef PORTCULLIS_FILTER_EGRESS_H
#define PORTCULLIS_FILTER_EGRESS_H

#include "loader/filter/filter.h"

enum egress_hook {
	EGRESS_MISSING = 0,
	EGRESS_TCX,
	EGRESS_CLSACT,
};

/*
 * The hook of a filter's egress program, as seen in the caller's network namespace: enum
 * egress_hook, or -errno if it cannot be read.
 */
int egress_state(const struct filter *filter, unsigned int ifindex);

/*
 * Attaches the egress program in front of others: by tcx (filter->egress_link), or to clsact where
 * the kernel has no tcx. Other tools' programs and filters are left alone.
 */
int egress_attach(struct filter *filter, const char *interface, unsigned int ifindex);

/*
 * Replaces the egress program of another filter at the same interface by that of `filter`. A packet
 * passes one of them; with clsact, for a moment, both.
 */
int egress_replace(struct filter *filter, const struct filter *old, const char *interface,
		   unsigned int ifindex);

/* Detaches the egress program, if it is attached. Removes a clsact that we made, unless others use
 * it. */
int egress_detach(struct filter *filter, unsigned int ifindex);

/*
 * Removes filters that a folder of pins without a link left at clsact hooks, at any interface of
 * any network namespace.
 */
int egress_sweep(const char *id);

#endif
