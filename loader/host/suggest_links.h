/* SPDX-License-Identifier: GPL-2.0 */
/* Chooses the interfaces by which other hosts come in. */
#ifndef PORTCULLIS_HOST_SUGGEST_LINKS_H
#define PORTCULLIS_HOST_SUGGEST_LINKS_H

#include "loader/base/names.h"
#include "loader/net/link_graph.h"

/*
 * Adds the names of the interfaces that are up and have an address, and to `left_out` lines that
 * say why one of these is none: loopback, and what belongs to containers and guests of this host.
 */
void suggest_links(const struct links *links, struct names *names, struct names *left_out);

#endif
