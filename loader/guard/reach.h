/* SPDX-License-Identifier: GPL-2.0 */
/* Finds out whether servers of a network namespace can be reached. */
#ifndef PORTCULLIS_GUARD_REACH_H
#define PORTCULLIS_GUARD_REACH_H

#include "loader/guard/world.h"

/*
 * True if a server belongs to root, the system or the caller: administrators log in only through
 * these.
 */
bool guard_counts(const struct guard_world *world, const struct socket_info *server);

/*
 * True if a server that is reachable now would become unreachable. Counts only the first of the
 * servers on a port.
 */
bool guard_cuts_off(const struct guard_world *world, const struct guard_target *target,
		    size_t count, size_t server);

/* The generation that will filter an interface; without targets its active one; NULL: none. */
const struct pc_generation *guard_judging(const struct guard_world *world,
					  const struct guard_target *target, size_t count,
					  unsigned int ifindex);

/* True if the generation admits any source to a port; under observe it always does. */
bool guard_admits_any(const struct pc_generation *generation, enum pc_transport transport,
		      __u16 port);

/* The interface that has the local address of a socket, or NULL. */
const struct link *guard_owner(const struct guard_world *world, const struct socket_info *socket);

enum pc_transport guard_transport(const struct socket_info *socket);
bool guard_any_address(const __u8 address[16]); /* True for 0.0.0.0 and ::. */

/* The local address as text: "192.0.2.1"; `text` has room for INET6_ADDRSTRLEN. */
const char *guard_peer(const struct socket_info *socket, char *text);

#endif
