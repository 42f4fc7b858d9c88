// SPDX-License-Identifier: GPL-2.0
/* Reads sessions, servers and filters, and asks the guard whether a command locks anyone out. */
#include "loader/host/lockout.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/rtnetlink.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/hook.h"
#include "loader/filter/open.h"
#include "loader/guard/decide.h"
#include "loader/guard/through.h"
#include "loader/host/forwarded.h"
#include "loader/host/grants.h"
#include "loader/net/link.h"
#include "loader/net/netlink.h"
#include "loader/net/route.h"
#include "loader/recipe/kept_machines.h"

#define LOOPBACK 1 /* ifindex of lo in each network namespace */
#define PROC	 "/proc"

static unsigned int find_route(void *context, const struct socket_info *socket)
{
	struct route route = {};

	if (route_back(context, socket->family, socket->remote, socket->local, socket->device,
		       &route))
		return 0;
	return route.type == RTN_LOCAL ? LOOPBACK : route.ifindex;
}

static void find_logins(const struct guard_world *world, struct login *login, size_t count)
{
	logins_find(PROC, world->server, world->servers, login, count);
}

/* loginuid outlives sudo and su. If the kernel or a container has no loginuid, SUDO_UID is used. */
static __u32 find_caller(void)
{
	__u32 uid = login_uid(PROC, getpid());
	const char *sudo = getenv("SUDO_UID");

	if (uid == LOGIN_UID_NONE && sudo && *sudo && strspn(sudo, "0123456789") == strlen(sudo))
		uid = strtoul(sudo, NULL, 10);
	return uid;
}

/* The active generation of an interface, if its filter is open; else NULL. */
static const struct pc_generation *active_of(unsigned int ifindex,
					     const struct guard_target *target, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (target[i].ifindex == ifindex)
			return target[i].active;
	return NULL;
}

/*
 * Reads the active generations. Opens the filters that `target` does not have open. A filter that
 * cannot be read is left out, as if it admitted everything.
 */
static void read_filters(const struct hooks *hooks, const struct guard_target *target, size_t count,
			 struct guard_world *world, struct filter **filters)
{
	size_t i;

	*filters = xcalloc(hooks->count, sizeof(**filters));
	world->filter = xcalloc(hooks->count, sizeof(*world->filter));
	for (i = 0; i < hooks->count; i++) {
		unsigned int ifindex = hooks->hook[i].ifindex;
		const struct pc_generation *active = active_of(ifindex, target, count);
		struct filter *filter = &(*filters)[world->filters];

		*filter = FILTER_NONE;
		if (!active && !filter_open_head(hooks->hook[i].id, filter))
			active = filter->current.copy;
		if (active)
			world->filter[world->filters++] = (struct guard_filter){ifindex, active};
	}
}

static int read_world(struct guard_world *world, struct mnl_socket **routes)
{
	int err = sockets_list(IPPROTO_TCP, SOCKET_STATE(TCP_ESTABLISHED), &world->session,
			       &world->sessions);

	if (!err)
		err = sockets_list(IPPROTO_TCP, SOCKET_STATE(TCP_LISTEN), &world->server,
				   &world->servers);
	/* Lists UDP servers. A kernel without udp_diag has no list; they matter only if the site
	 * file watches UDP. */
	if (!err)
		sockets_list(IPPROTO_UDP, SOCKET_STATE(TCP_CLOSE), &world->server, &world->servers);
	if (!err)
		err = links_read(&world->links);
	if (!err)
		err = netlink_open(NETLINK_ROUTE, routes);
	return err;
}

static void world_free(struct guard_world *world, struct filter *filters)
{
	size_t i;

	for (i = 0; i < world->filters; i++)
		filter_close(&filters[i]);
	free(filters);
	free(world->filter);
	free(world->session);
	free(world->server);
	links_free(&world->links);
	sessions_free(&world->own);
}

/* Tells the caller how to proceed; `found` is not GUARD_NOTHING. */
static void say_stopped(const char *command, enum guard_mode mode, enum guard_found found)
{
	if (mode == GUARD_CALLER)
		error("confirm: refused, nothing was confirmed; run it from a new connection, which proves that you can connect, or with --force");
	else if (found == GUARD_OWN)
		error("%s: refused, nothing was changed; --force proceeds anyway, and --force --confirm 60 is undone after 60 s unless confirmed",
		      command);
	else
		error("%s: refused, nothing was changed; proceed with --confirm 60, which is undone after 60 s unless confirmed, or with --force",
		      command);
}

/* --- sessions through this host --- */

static bool any_machines(const struct guard_target *target, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (target[i].plan->composition.machines || kept_machines(target[i].kept))
			return true;
	return false;
}

/* Only needed with machines: without them, forwarded sessions are not administrators'. */
static enum guard_found hold_through(const struct guard_command *command,
				     const struct guard_target *target, size_t count,
				     const struct ports *management, enum guard_mode mode,
				     const struct guard_world *world, struct diag *diag)
{
	struct socket_info *list = NULL;
	struct through through = {};
	enum guard_found found;

	if (mode == GUARD_CALLER || !any_machines(target, count))
		return GUARD_NOTHING;
	through.sessions = forwarded_sessions(&world->links, &list, &through.known);
	through.session = list;
	found = guard_through(command, target, count, management, mode, &through, world, diag);
	free(list);
	return found;
}

int guard_hold(const struct guard_command *command, const struct hooks *hooks,
	       const struct guard_target *target, size_t count, const struct ports *management,
	       enum guard_mode mode)
{
	__cleanup(netlink_close) struct mnl_socket *routes = NULL;
	__cleanup(diag_free) struct diag diag = {};
	__cleanup(grants_close) struct grants grants = {};
	struct guard_world world = {.route = find_route, .logins = find_logins};
	enum guard_found found = GUARD_NOTHING, through;
	struct filter *filters = NULL;
	int err;

	if (!count)
		return 0;
	err = read_world(&world, &routes);
	if (err) {
		warning("%s: cannot list the connected users: %s; not checked whether this locks anyone out",
			command->name, strerror(-err));
	} else {
		world.context = routes;
		read_filters(hooks, target, count, &world, &filters);
		if (!grants_read(NULL, &grants)) {
			world.grants = &grants.file.set;
			world.now = (__u32)grants.clock.boot;
		}
		sessions_find(PROC, getpid(), &world.own);
		world.caller = find_caller();
		found = guard_decide(command, target, count, management, mode, &world, &diag);
		through = hold_through(command, target, count, management, mode, &world, &diag);
		found = through > found ? through : found;
		diag_report(&diag);
	}
	world_free(&world, filters);
	if (found == GUARD_NOTHING)
		return 0;
	say_stopped(command->name, mode, found);
	return -EACCES;
}
