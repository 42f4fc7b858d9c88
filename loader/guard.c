// SPDX-License-Identifier: GPL-2.0
/* Holds the connections of a network namespace against what is to judge, and tells of them. */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "loader/guard.h"
#include "loader/management.h"

#define PEERS	8 /* that a message and its fix consider */
#define WARNING 5 /* lines on sessions that nobody stops for */

/* The sessions to one port that one target would refuse if they began anew. */
struct refusal {
	const struct guard_target *target;
	__u16 port;
	bool own;  /* the caller's is among them */
	bool stop; /* own, or the port is watched */
	size_t sessions;
	const struct socket_info *peer[PEERS]; /* the caller's first, each address once */
	size_t peers;
};

struct judgement {
	const char *command;
	const struct guard_target *target;
	size_t targets;
	const struct ports *management;
	bool only_warn; /* of what is judged now */
	const struct guard_world *world;
	struct diag *diag;
	struct refusal *refusal;
	size_t refusals;
};

static const char *transport_name(enum pc_transport transport)
{
	return transport == PC_TCP ? "tcp" : "udp";
}

const char *guard_peer(const struct socket_info *socket, char *text)
{
	return inet_ntop(socket->family, socket->remote, text, INET6_ADDRSTRLEN);
}

/* --- sessions --- */

/* A listener on :: takes IPv4 too, mostly. */
static bool accepts(const struct socket_info *listener, const struct socket_info *socket)
{
	if (listener->protocol != IPPROTO_TCP || listener->local_port != socket->local_port ||
	    (listener->device && listener->device != socket->device))
		return false;
	if (guard_any_address(listener->local))
		return listener->family == AF_INET6 || listener->family == socket->family;
	return listener->family == socket->family &&
	       !memcmp(listener->local, socket->local, sizeof(socket->local));
}

static bool has_listener(const struct guard_world *world, const struct socket_info *socket)
{
	size_t i;

	for (i = 0; i < world->servers; i++)
		if (accepts(&world->server[i], socket))
			return true;
	return false;
}

/*
 * Whether the peer's packets come in by the interface, or may: routes back and forth need not be
 * the same, so that the interface whose address it talks to counts, too.
 */
static bool comes_by(const struct guard_world *world, const struct socket_info *socket,
		     unsigned int ifindex)
{
	unsigned int route = world->route(world->context, socket);
	const struct link *back = links_find(&world->links, route), *own;

	if (links_comes_by(&world->links, route, ifindex))
		return true;
	if (back && back->flags & IFF_LOOPBACK)
		return false;
	own = guard_owner(world, socket);
	return own && links_comes_by(&world->links, own->ifindex, ifindex);
}

static void add_peer(struct refusal *refusal, const struct socket_info *socket, bool own)
{
	size_t i;

	for (i = 0; i < refusal->peers; i++)
		if (refusal->peer[i]->family == socket->family &&
		    !memcmp(refusal->peer[i]->remote, socket->remote, sizeof(socket->remote)))
			break;
	if (!own && (i < refusal->peers || i == PEERS))
		return;
	if (i == PEERS)
		i--;
	else if (i == refusal->peers)
		refusal->peers++;
	for (; own && i; i--)
		refusal->peer[i] = refusal->peer[i - 1];
	refusal->peer[i] = socket;
}

static void add_refusal(struct judgement *judgement, const struct guard_target *target,
			const struct socket_info *socket, bool own)
{
	struct refusal *refusal = NULL;
	size_t i;

	for (i = 0; i < judgement->refusals && !refusal; i++)
		if (judgement->refusal[i].target == target &&
		    judgement->refusal[i].port == socket->local_port)
			refusal = &judgement->refusal[i];
	if (!refusal) {
		judgement->refusal =
			grow(judgement->refusal, judgement->refusals, sizeof(*judgement->refusal));
		refusal = &judgement->refusal[judgement->refusals++];
		*refusal = (struct refusal){
			.target = target,
			.port = socket->local_port,
			.stop = management_watched(judgement->management, PC_TCP,
						   socket->local_port),
		};
	}
	refusal->sessions++;
	refusal->own |= own;
	refusal->stop |= own;
	add_peer(refusal, socket, own);
}

static void judge_session(struct judgement *judgement, const struct socket_info *socket)
{
	const struct guard_world *world = judgement->world;
	bool own = sessions_have(&world->own, socket);
	size_t i;

	if (!own && !has_listener(world, socket))
		return;
	for (i = 0; i < judgement->targets; i++) {
		const struct guard_target *target = &judgement->target[i];
		const struct tables *tables = &target->plan->tables;

		if (tables->generation->policy != PC_POLICY_OBSERVE &&
		    tables_admit(tables, socket->family, socket->remote, PC_TCP,
				 socket->remote_port, socket->local_port) != ADMIT_PASS &&
		    comes_by(world, socket, target->ifindex))
			add_refusal(judgement, target, socket, own);
	}
}

/* --- saying it --- */

__attribute__((format(printf, 2, 3))) static void say(struct judgement *judgement,
						      const char *format, ...)
{
	__free_text char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	if (judgement->only_warn)
		diag_warning(judgement->diag, NULL, "%s", text);
	else
		diag_error(judgement->diag, NULL, "%s", text);
}

/* "your own session to 22/tcp (from 192.0.2.2) and 2 more"; the caller frees. */
static char *sessions_text(const struct refusal *refusal)
{
	char peer[INET6_ADDRSTRLEN];
	__cleanup(names_free) struct names peers = {};
	__free_text char *list = NULL;
	size_t i;

	for (i = 0; i < refusal->peers && i < 3; i++)
		names_add(&peers, guard_peer(refusal->peer[i], peer));
	if (refusal->peers > peers.count)
		names_add(&peers, "...");
	list = names_join(&peers, ", ");
	if (!refusal->own)
		return xasprintf("%zu session%s to %u/tcp (from %s)", refusal->sessions,
				 refusal->sessions == 1 ? "" : "s", refusal->port, list);
	if (refusal->sessions == 1)
		return xasprintf("your own session to %u/tcp (from %s)", refusal->port, list);
	return xasprintf("your own session to %u/tcp and %zu more (from %s)", refusal->port,
			 refusal->sessions - 1, list);
}

static void say_stop(struct judgement *judgement, const struct refusal *refusal)
{
	struct guard_need need = {.transport = PC_TCP,
				  .port = refusal->port,
				  .peer = refusal->peer,
				  .peers = refusal->peers};
	__free_text char *fix = guard_fix(judgement->command, refusal->target, &need);
	__free_text char *sessions = sessions_text(refusal);

	say(judgement, "%s: %s could not be made again: %s", refusal->target->interface, sessions,
	    fix);
}

static void say_nobody(struct judgement *judgement, const struct socket_info *server)
{
	struct guard_need need = {.transport = guard_transport(server), .port = server->local_port};
	const struct guard_target *target = judgement->target;
	__free_text char *fix = NULL;
	size_t i;

	for (i = judgement->targets; i--;)
		if (!guard_admits_any(judgement->target[i].plan->tables.generation, need.transport,
				      need.port))
			target = &judgement->target[i];
	fix = guard_fix(judgement->command, target, &need);
	say(judgement, "%s: nobody could reach the server on %u/%s any more: %s", target->interface,
	    need.port, transport_name(need.transport), fix);
}

/* --- judging --- */

static bool is_said(const struct judgement *judgement, const struct socket_info *server)
{
	size_t i;

	for (i = 0; i < judgement->refusals; i++)
		if (judgement->refusal[i].stop && server->protocol == IPPROTO_TCP &&
		    judgement->refusal[i].port == server->local_port)
			return true;
	return false;
}

static bool judge_servers(struct judgement *judgement)
{
	const struct guard_world *world = judgement->world;
	bool found = false;
	size_t i;

	for (i = 0; i < world->servers; i++) {
		const struct socket_info *server = &world->server[i];

		if (!management_watched(judgement->management, guard_transport(server),
					server->local_port) ||
		    is_said(judgement, server) ||
		    !guard_cuts_off(world, judgement->target, judgement->targets, i))
			continue;
		say_nobody(judgement, server);
		found = true;
	}
	return found;
}

/* Of a port that is closed already, nothing changes. */
static bool is_news(const struct judgement *judgement, const struct refusal *refusal)
{
	const struct pc_generation *now =
		guard_judging(judgement->world, NULL, 0, refusal->target->ifindex);

	return !now || guard_admits_any(now, PC_TCP, refusal->port);
}

static void warn_of_others(struct judgement *judgement)
{
	size_t lines = 0, i;

	for (i = 0; i < judgement->refusals; i++) {
		const struct refusal *refusal = &judgement->refusal[i];
		bool one = refusal->sessions == 1;

		if (refusal->stop || !is_news(judgement, refusal) || ++lines > WARNING)
			continue;
		diag_warning(judgement->diag, NULL,
			     "%s: %zu session%s to %u/tcp live%s on; new ones will be refused",
			     refusal->target->interface, refusal->sessions, one ? "" : "s",
			     refusal->port, one ? "s" : "");
	}
	if (lines > WARNING)
		diag_warning(judgement->diag, NULL, "so do sessions to %zu more ports",
			     lines - WARNING);
}

bool guard_judge(const char *command, const struct guard_target *target, size_t count,
		 const struct ports *management, enum guard_mode mode,
		 const struct guard_world *world, struct diag *diag)
{
	struct judgement judgement = {.command = command,
				      .target = target,
				      .targets = count,
				      .management = management,
				      .only_warn = mode == GUARD_WARN,
				      .world = world,
				      .diag = diag};
	bool found = false;
	size_t i;

	for (i = 0; i < world->sessions; i++)
		judge_session(&judgement, &world->session[i]);
	for (i = 0; i < judgement.refusals; i++) {
		if (!judgement.refusal[i].stop)
			continue;
		say_stop(&judgement, &judgement.refusal[i]);
		found = true;
	}
	found |= judge_servers(&judgement);
	warn_of_others(&judgement);
	free(judgement.refusal);
	return found;
}
