// SPDX-License-Identifier: GPL-2.0
/* The hosts that a ban should not cut off: administrators, gateways, name servers, this host. */
#include "loader/host/protect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/hook.h"
#include "loader/guard/management.h"
#include "loader/guard/through.h"
#include "loader/host/attached.h"
#include "loader/host/forwarded.h"
#include "loader/net/gateways.h"
#include "loader/net/link.h"
#include "loader/net/link_advice.h"
#include "loader/net/login.h"
#include "loader/net/session.h"
#include "loader/net/sockets.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/state_write.h"

#define PROC	   "/proc"
#define KEPT_LIMIT (1 << 16) /* bytes of a file */

static const char gateway_text[] = "a gateway of this host";

/* --- prefixes --- */

static void mask(struct prefix *prefix)
{
	for (int i = 0; i < 16; i++) {
		int bits = prefix->length - 8 * i;

		if (bits <= 0)
			prefix->address[i] = 0;
		else if (bits < 8)
			prefix->address[i] &= (__u8)(0xff << (8 - bits));
	}
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* The longest prefix of at most `length` bits that contains an address. */
static const struct prefix *find_prefix(const struct prefix *prefix, size_t count, __u8 family,
					const __u8 *address, int length)
{
	for (; length >= 0; length--) {
		struct prefix wanted = {.family = family, .length = (__u8)length};
		const struct prefix *found;

		memcpy(wanted.address, address, family == AF_INET ? 4 : 16);
		mask(&wanted);
		found = count ? bsearch(&wanted, prefix, count, sizeof(*prefix), compare) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

const struct prefix *prefix_covering(const struct prefix *prefix, size_t count, __u8 family,
				     const __u8 *address)
{
	return find_prefix(prefix, count, family, address, family == AF_INET ? 32 : 128);
}

const struct prefix *prefix_enclosing(const struct prefix *list, size_t count,
				      const struct prefix *prefix)
{
	return find_prefix(list, count, prefix->family, prefix->address, prefix->length);
}

/* --- hosts --- */

/* Where the hosts are added, and their kind. */
struct adding {
	struct protected_hosts *hosts;
	const char *what;
	bool login;
};

static void add(__u8 family, const void *address, void *context)
{
	const struct adding *adding = context;
	struct protected_hosts *hosts = adding->hosts;
	struct protected_host host = {
		.family = family, .what = adding->what, .login = adding->login};

	memcpy(host.address, address, family == AF_INET ? 4 : 16);
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->host[i].family == family &&
		    !memcmp(hosts->host[i].address, host.address, sizeof(host.address))) {
			hosts->host[i].login |= adding->login;
			return;
		}
	hosts->host = grow(hosts->host, hosts->count, sizeof(*hosts->host));
	hosts->host[hosts->count++] = host;
}

void protected_free(struct protected_hosts *hosts)
{
	free(hosts->host);
	*hosts = (struct protected_hosts){};
}

static void add_neighbours(struct protected_hosts *hosts)
{
	struct adding gateway = {hosts, .what = gateway_text};
	struct adding resolver = {hosts, .what = "a name server of this host"};
	struct adding dhcp = {hosts, .what = "a DHCP server of this host"};
	int err = gateways_each(add, &gateway);

	if (err)
		warning("cannot read the routes: %s; gateways are not protected from bans",
			strerror(-err));
	resolvers_each("/etc/resolv.conf", add, &resolver);
	resolvers_each("/run/systemd/resolve/resolv.conf", add, &resolver);
	leases_each("/run/systemd/netif/leases", "SERVER_ADDRESS=", add, &dhcp);
	leases_each("/var/lib/NetworkManager", "SERVER_ADDRESS=", add, &dhcp);
	leases_each("/var/lib/dhcp", "dhcp-server-identifier ", add, &dhcp);
	messages_each("/var/lib/dhcpcd", add, &dhcp);
}

/* "192.0.2.1\n..." after the id of the boot, if there is a gateway; else NULL. The caller frees. */
static char *neighbours_text(const char *boot_id)
{
	__cleanup(protected_free) struct protected_hosts hosts = {};
	char *text = NULL, one[INET6_ADDRSTRLEN];
	size_t length;
	FILE *to;

	add_neighbours(&hosts);
	/* Gateways come first. Without a gateway the network is not up yet. */
	if (!hosts.count || strcmp(hosts.host->what, gateway_text) != 0)
		return NULL;
	to = open_memstream(&text, &length);
	if (!to)
		return NULL;
	fprintf(to, "%s\n", boot_id);
	for (size_t i = 0; i < hosts.count; i++)
		if (inet_ntop(hosts.host[i].family, hosts.host[i].address, one, sizeof(one)))
			fprintf(to, "%s\n", one);
	return fclose(to) ? NULL : text;
}

static bool has_text(const char *path, const char *text)
{
	__free_text char *kept = NULL;
	size_t length;

	return !read_file(path, KEPT_LIMIT, &kept, &length) && !strcmp(kept, text);
}

static int replace_file(const char *path, const char *text)
{
	const char *name = strrchr(path, '/') + 1;
	__free_text char *folder = xstrndup(path, (size_t)(name - path));
	__close_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : state_replace(fd, name, text, strlen(text));
}

void protected_keep(const char *path, const char *boot_id)
{
	__free_text char *text = neighbours_text(boot_id);
	int err = text && !has_text(path, text) ? replace_file(path, text) : 0;

	if (err)
		warning("%s: cannot keep the gateways and name servers of this host: %s: after a boot they are cut off by wider bans until bans change",
			path, strerror(-err));
}

void protected_add_kept(const char *path, const char *boot_id, struct protected_hosts *hosts)
{
	struct adding kept = {hosts, .what = "a gateway or server of this host before it booted"};
	__free_text char *text = NULL;
	char *rest, *line;
	size_t length;

	if (read_file(path, KEPT_LIMIT, &text, &length))
		return;
	rest = text;
	line = strsep(&rest, "\n");
	if (!strcmp(line, boot_id))
		return;
	while ((line = strsep(&rest, "\n"))) {
		__u8 family = strchr(line, ':') ? AF_INET6 : AF_INET, address[16] = {};

		if (inet_pton(family, line, address) == 1)
			add(family, address, &kept);
	}
}

void protected_add_administrators(const char *path, __u64 now, struct protected_hosts *hosts)
{
	struct adding kept = {hosts, .what = "an administrator who was connected"};
	struct administrators list;

	administrators_read(path, now, &list);
	for (size_t i = 0; i < list.count; i++)
		add(list.one[i].host.family, list.one[i].host.address, &kept);
}

void protected_keep_administrators(const char *path, const struct administrators *list)
{
	__free_text char *text = administrators_text(list);
	int err = replace_file(path, text);

	if (err)
		warning("%s: cannot keep the connected administrators: %s: after a boot wider bans cut them off",
			path, strerror(-err));
}

static void add_own(struct protected_hosts *hosts)
{
	struct adding own = {hosts, .what = "an address of this host"};
	struct links links = {};
	int err = links_read(&links);

	if (err)
		warning("cannot read the addresses of this host: %s", strerror(-err));
	for (size_t i = 0; i < links.addresses; i++)
		add(links.address[i].family, links.address[i].address, &own);
	links_free(&links);
}

/* --- sessions --- */

struct connected {
	struct socket_info *session, *server;
	size_t sessions, servers;
};

static bool holds(const struct ancestor *ancestor, __u32 inode)
{
	for (size_t i = 0; i < ancestor->count; i++)
		if (ancestor->inode[i] == inode)
			return true;
	return false;
}

/* True if a process above this one holds the session, and is not the server of all sessions. */
static bool held_above(const struct connected *connected, const struct ancestor *ancestor,
		       const struct socket_info *session)
{
	if (!holds(ancestor, session->inode))
		return false;
	for (size_t i = 0; i < connected->servers; i++)
		if (connected->server[i].local_port == session->local_port &&
		    holds(ancestor, connected->server[i].inode))
			return false;
	return true;
}

static bool is_served(const struct connected *connected, const struct socket_info *session)
{
	for (size_t i = 0; i < connected->servers; i++)
		if (connected->server[i].local_port == session->local_port)
			return true;
	return false;
}

static bool is_own(const struct connected *connected, const struct sessions *own,
		   const struct socket_info *session)
{
	if (!session->inode || !is_served(connected, session))
		return false;
	if (sessions_have(own, session))
		return true;
	for (size_t i = 0; i < own->ancestors; i++)
		if (held_above(connected, &own->ancestor[i], session))
			return true;
	return false;
}

static void add_sessions(const struct connected *connected, struct protected_hosts *hosts)
{
	struct login *login = xcalloc(connected->sessions + 1, sizeof(*login));
	struct adding own = {hosts, .what = "your own session"};
	struct adding admin = {hosts, .what = "a connected administrator", .login = true};
	struct sessions sessions = {};

	sessions_find(PROC, getpid(), &sessions);
	for (size_t i = 0; i < connected->sessions; i++) {
		login[i].session = &connected->session[i];
		if (is_own(connected, &sessions, &connected->session[i]))
			add(connected->session[i].family, connected->session[i].remote, &own);
	}
	logins_find(PROC, connected->server, connected->servers, login, connected->sessions);
	for (size_t i = 0; i < connected->sessions; i++)
		if (login[i].found)
			add(login[i].session->family, login[i].session->remote, &admin);
	sessions_free(&sessions);
	free(login);
}

/* Keeps only the sessions whose source the prefixes contain. */
static void keep_covered(const struct prefix *prefix, size_t count, struct connected *connected)
{
	size_t kept = 0;

	for (size_t i = 0; i < connected->sessions; i++)
		if (prefix_covering(prefix, count, connected->session[i].family,
				    connected->session[i].remote))
			connected->session[kept++] = connected->session[i];
	connected->sessions = kept;
}

static void add_connected(const struct prefix *prefix, size_t count, struct protected_hosts *hosts)
{
	struct connected connected = {};
	int err = sockets_list(IPPROTO_TCP, SOCKET_STATE(TCP_ESTABLISHED), &connected.session,
			       &connected.sessions);

	keep_covered(prefix, count, &connected);
	if (!err && connected.sessions)
		err = sockets_list(IPPROTO_TCP, SOCKET_STATE(TCP_LISTEN), &connected.server,
				   &connected.servers);
	if (err)
		warning("cannot list the connected users: %s; not checked whether a ban cuts one off",
			strerror(-err));
	else if (connected.sessions)
		add_sessions(&connected, hosts);
	free(connected.session);
	free(connected.server);
}

/* --- sessions through this host --- */

/* Whether an interface's rule set takes the session for an administrator's. */
static void add_named(const json_t *kept, const struct connected *connected,
		      struct protected_hosts *hosts)
{
	struct adding admin = {hosts, .what = "an administrator of a machine behind this host"};

	for (size_t i = 0; i < connected->sessions; i++) {
		const struct socket_info *session = &connected->session[i];

		if (management_watched(NULL, PC_TCP, session->local_port) &&
		    guard_through_named(kept, session))
			add(session->family, session->remote, &admin);
	}
}

/* Lists the rule sets of interfaces with machines behind them; returns how many. The caller
 * frees. */
static size_t with_machines(json_t ***list)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	size_t count = 0;

	*list = NULL;
	if (!link_forwarding() || hooks_read(&hooks))
		return 0;
	for (size_t i = 0; i < hooks.count; i++) {
		__u32 flows;
		json_t *kept = filter_kept_of(hooks.hook[i].id, &flows);

		if (!kept_machines(kept)) {
			json_decref(kept);
			continue;
		}
		*list = grow(*list, count, sizeof(**list));
		(*list)[count++] = kept;
	}
	return count;
}

/* Without connection tracking the sessions are unknown. */
static void add_through(const struct prefix *prefix, size_t count, struct protected_hosts *hosts)
{
	__cleanup(links_free) struct links links = {};
	struct connected connected = {};
	json_t **kept;
	size_t interfaces = with_machines(&kept);

	if (interfaces && !links_read(&links))
		connected.sessions = forwarded_sessions(&links, &connected.session, NULL);
	keep_covered(prefix, count, &connected);
	for (size_t i = 0; i < interfaces; i++) {
		add_named(kept[i], &connected, hosts);
		json_decref(kept[i]);
	}
	free(connected.session);
	free(kept);
}

void protected_find(const struct prefix *prefix, size_t count, struct protected_hosts *hosts)
{
	*hosts = (struct protected_hosts){};
	add_connected(prefix, count, hosts);
	add_through(prefix, count, hosts);
	add_neighbours(hosts);
	add_own(hosts);
}
