/* SPDX-License-Identifier: GPL-2.0 */
/* The lockout guard: who could not come in any more. */
#ifndef PORTCULLIS_GUARD_H
#define PORTCULLIS_GUARD_H

#include "loader/links.h"
#include "loader/plan.h"
#include "loader/session.h"
#include "loader/sockets.h"

/* What an interface is to be given. */
struct guard_target {
	const char *interface;
	unsigned int ifindex;
	const struct plan *plan;
	struct catalog *catalog;
};

enum guard_mode {
	GUARD_STOP,
	GUARD_WARN,
};

/*
 * Before attach, swap, apply and confirm: whether all who are connected to a watched port, the
 * caller by SSH to any, could connect again, and every watched port with a server be reached by
 * somebody. `management`: the ports to watch, NULL: those of management.h by which administrators
 * log in. 0; or -EACCES after messages that say what would open it. GUARD_WARN (--force,
 * --confirm, --boot): says it, and returns 0. What cannot be found out is warned of.
 */
int guard_hold(const char *command, const struct guard_target *target, size_t count,
	       const struct ports *management, enum guard_mode mode);

/* --- guard.c, guard_reach.c, guard_fix.c, which are pure --- */

/* A generation that judges now. */
struct guard_filter {
	unsigned int ifindex;
	const struct pc_generation *generation;
};

/* What is known of the network namespace. */
struct guard_world {
	struct socket_info *session; /* established, of TCP */
	size_t sessions;
	struct socket_info *server; /* TCP listeners; UDP sockets that are not connected */
	size_t servers;
	struct sessions own; /* the caller's, by its word */
	struct links links;
	struct guard_filter *filter;
	size_t filters;
	/* The interface to the peer of a socket; 0: none is known. */
	unsigned int (*route)(void *context, const struct socket_info *socket);
	void *context;
};

/*
 * Judges. What guard_hold stops for is an error in `diag`, a warning in the milder modes; what else
 * will be refused is a warning. Returns whether it found something to stop for.
 */
bool guard_judge(const char *command, const struct guard_target *target, size_t count,
		 const struct ports *management, enum guard_mode mode,
		 const struct guard_world *world, struct diag *diag);

/* What a port should be open to. */
struct guard_need {
	enum pc_transport transport;
	__u16 port;
	const struct socket_info *const *peer; /* each from another address */
	size_t peers;			       /* 0: somebody */
};

/*
 * "WHY; to open it: FIX" for a port that the target's plan closes to them. Each fix was composed,
 * compiled and seen to open the port. The caller frees.
 */
char *guard_fix(const char *command, const struct guard_target *target,
		const struct guard_need *need);

/*
 * Whether nobody at all could reach any more what listens on the port of a server, which somebody
 * can reach now. Only for the first of the servers on a port.
 */
bool guard_cuts_off(const struct guard_world *world, const struct guard_target *target,
		    size_t count, size_t server);

/* What will judge at an interface, of no targets what judges now; NULL: nothing. */
const struct pc_generation *guard_judging(const struct guard_world *world,
					  const struct guard_target *target, size_t count,
					  unsigned int ifindex);

/* Whether it admits somebody to a port; under observe, anybody. */
bool guard_admits_any(const struct pc_generation *generation, enum pc_transport transport,
		      __u16 port);

/* The interface that has the local address of a socket, or NULL. */
const struct link *guard_owner(const struct guard_world *world, const struct socket_info *socket);

enum pc_transport guard_transport(const struct socket_info *socket);
bool guard_any_address(const __u8 address[16]); /* 0.0.0.0 or :: */

/* "192.0.2.1"; `text` has room for INET6_ADDRSTRLEN. */
const char *guard_peer(const struct socket_info *socket, char *text);

#endif
