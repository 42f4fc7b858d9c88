/* SPDX-License-Identifier: GPL-2.0 */
/* Adds a flow to the maps of a filter, as its programs would learn it. */
#ifndef PORTCULLIS_FILTER_FLOW_ENTER_H
#define PORTCULLIS_FILTER_FLOW_ENTER_H

#include "loader/filter/filter.h"

/*
 * Adds a flow, unless the map has one that the program still accepts. Returns 0 or -errno.
 */
int flow_enter(const struct filter *filter, const struct pc_flow *key,
	       const struct pc_flow_state *state);

/* Tells the programs that there may be flows of a local port. Returns 0 or -errno. */
int flow_mark(const struct filter *filter, const struct pc_flow *key);

#endif
