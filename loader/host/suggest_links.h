/* SPDX-License-Identifier: GPL-2.0 */
/* Chooses the interfaces through which other hosts come in. */
#ifndef PORTCULLIS_HOST_SUGGEST_LINKS_H
#define PORTCULLIS_HOST_SUGGEST_LINKS_H

#include "loader/base/names.h"
#include "loader/net/link_graph.h"

/*
 * Adds the names of the interfaces that are up and have an address, except loopback, and interfaces
 * of this host's containers and guests. For each of these, adds a line with the reason to
 * `left_out`.
 */
void suggest_links(const struct links *links, struct names *names, struct names *left_out);

#endif
