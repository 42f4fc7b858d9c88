/* SPDX-License-Identifier: GPL-2.0 */
/* TCP connections that this host forwards, from connection tracking. */
#ifndef PORTCULLIS_HOST_FORWARDED_H
#define PORTCULLIS_HOST_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/net/link_graph.h"
#include "loader/net/sockets.h"

/*
 * Lists those that are established, as an interface sees them by which the side that began comes
 * in, in a list that the caller frees. `*known`: the kernel tracks connections, else there may be
 * others; NULL: this is not tried. Returns how many.
 */
size_t forwarded_sessions(const struct links *links, struct socket_info **list, bool *known);

#endif
