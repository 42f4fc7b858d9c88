/* SPDX-License-Identifier: GPL-2.0 */
/* TCP connections that this host forwards, from connection tracking. */
#ifndef PORTCULLIS_HOST_FORWARDED_H
#define PORTCULLIS_HOST_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/net/link_graph.h"
#include "loader/net/sockets.h"

/*
 * Lists the established connections, as the interface sees them by which their first packet came
 * in. The caller frees the list. `*known`: the list is complete, because the kernel tracks
 * connections; NULL: no test. Returns how many.
 */
size_t forwarded_sessions(const struct links *links, struct socket_info **list, bool *known);

#endif
