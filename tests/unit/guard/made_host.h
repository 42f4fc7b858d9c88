/* SPDX-License-Identifier: GPL-2.0 */
/* A made-up host: links, sockets, sessions, and a plan for one of its interfaces. */
#ifndef PORTCULLIS_TEST_GUARD_MADE_HOST_H
#define PORTCULLIS_TEST_GUARD_MADE_HOST_H

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/catalog.h"
#include "loader/catalog/ports.h"
#include "loader/compile/compile.h"
#include "loader/compile/plan.h"
#include "loader/compile/tables.h"
#include "loader/guard/world.h"
#include "loader/net/link_graph.h"
#include "loader/net/login.h"
#include "loader/net/sockets.h"
#include "loader/recipe/compose.h"
#include "loader/recipe/machines.h"
#include "loader/recipe/recipe.h"
#include "tests/unit/expect.h"

static const char mail[] = "profile: mail\n"
			   "services:\n"
			   "  - name: smtp\n"
			   "    in: 25/tcp\n"
			   "  - name: shell\n"
			   "    in: 2200/tcp\n"
			   "    feature: shell\n"
			   "    from: trusted\n"
			   "  - name: vnc\n"
			   "    in: 5900/tcp\n"
			   "    local: true\n"
			   "  - name: near\n"
			   "    in: 23/tcp\n"
			   "    from: link-local\n"
			   "  - name: tunnel\n"
			   "    in: 51820/udp\n"
			   "    feature: vpn\n";

static const char ssh[] = "profile: ssh\n"
			  "services:\n"
			  "  - name: ssh\n"
			  "    in: 22/tcp\n";

/* Options that open 22/tcp, and other ports. */
static const char two[] = "profile: two\n"
			  "services:\n"
			  "  - name: a\n"
			  "    in: 22/tcp\n"
			  "  - name: b\n"
			  "    in: 1003/udp\n";
static const char wide[] = "profile: wide\n"
			   "services:\n"
			   "  - name: all\n"
			   "    in: 22/tcp\n"
			   "  - name: b\n"
			   "    in: 1001/tcp\n"
			   "  - name: c\n"
			   "    in: 1002/tcp\n"
			   "  - name: d\n"
			   "    in: 1003/udp\n";

static const char panel[] = "profile: panel\n"
			    "services:\n"
			    "  - name: web\n"
			    "    title: Web Administration\n"
			    "    in: 8443/tcp\n"
			    "  - name: ssh-admin\n"
			    "    in: 22/tcp\n"
			    "  - name: admin\n"
			    "    in: 9090/tcp\n"
			    "    from: trusted\n"
			    "  - name: admin-of-relay\n"
			    "    in: 9091/tcp\n"
			    "    from-port: 25/tcp\n"
			    "  - name: ftp-admin\n"
			    "    in: 21/tcp\n"
			    "    feature: ends\n"
			    "  - name: remote-admin\n"
			    "    in: 5986/tcp\n"
			    "    feature: ends\n";

static const char out[] = "profile: out\n"
			  "services:\n"
			  "  - name: relay\n"
			  "    out: 25/tcp\n"
			  "    to: relays\n"
			  "  - name: web\n"
			  "    out: 443/tcp\n"
			  "    feature: web\n";

static char folder[] = "/tmp/pc-guard-XXXXXX";

static inline void write_file(const char *name, const char *text, size_t length)
{
	__free_text char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(length, fwrite(text, 1, length, file));
	fclose(file);
}

static inline int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_file("mail.yaml", mail, strlen(mail));
	write_file("ssh.yaml", ssh, strlen(ssh));
	write_file("two.yaml", two, strlen(two));
	write_file("wide.yaml", wide, strlen(wide));
	write_file("panel.yaml", panel, strlen(panel));
	write_file("out.yaml", out, strlen(out));
	return 0;
}

static inline int tear_down(void **state)
{
	__free_text char *command = xasprintf("rm -r %s", folder);

	(void)state;
	return system(command);
}

#define UP (IFF_UP | IFF_RUNNING)

static struct link links[] = {
	{.ifindex = 1, .flags = UP | IFF_LOOPBACK, .name = "lo"},
	{.ifindex = 2, .flags = UP, .name = "eth0"},
	{.ifindex = 3, .flags = UP, .name = "eth1"},
	{.ifindex = 4, .flags = UP, .name = "br0", .kind = "bridge"},
	{.ifindex = 5, .flags = UP, .name = "eth2", .master = 4},
	{.ifindex = 6, .flags = UP, .name = "vnet0", .master = 4, .kind = "tun"},
	{.ifindex = 7, .flags = UP, .name = "eth0.7", .lower = 2, .kind = "vlan"},
	{.ifindex = 8, .flags = UP, .name = "dummy0", .kind = "dummy"},
};

struct host {
	struct guard_world world;
	struct socket_info session[32], server[8];
	struct link_address address[8];
};

static inline __u8 read_address(const char *text, __u8 address[16])
{
	__u8 family = strchr(text, ':') ? AF_INET6 : AF_INET;

	memset(address, 0, 16);
	assert_int_equal(1, inet_pton(family, text, address));
	return family;
}

/* The third byte of a remote address is the number of the interface behind which it is. */
static inline unsigned int route(void *context, const struct socket_info *socket)
{
	(void)context;
	return socket->family == AF_INET ? socket->remote[2] : socket->remote[3];
}

/* Peers with a port below 60000 have logged in, as the account 1001. */
static inline void find_logins(const struct guard_world *world, struct login *login, size_t count)
{
	size_t i;

	(void)world;
	for (i = 0; i < count; i++) {
		assert_int_not_equal(0, login[i].session->inode);
		login[i].found = login[i].session->remote_port < 60000;
		login[i].uid = login[i].found ? 1001 : LOGIN_UID_NONE;
	}
}

static inline struct host *host_make(void)
{
	struct host *host = xcalloc(1, sizeof(*host));

	host->world = (struct guard_world){
		.session = host->session,
		.server = host->server,
		.links = {.link = links, .count = ARRAY_SIZE(links), .address = host->address},
		.caller = LOGIN_UID_NONE,
		.route = route,
		.logins = find_logins};
	return host;
}

static inline void give_address(struct host *host, unsigned int ifindex, const char *text,
				__u8 scope)
{
	struct link_address *address = &host->address[host->world.links.addresses++];

	*address = (struct link_address){.ifindex = ifindex, .scope = scope};
	address->family = read_address(text, address->address);
}

static inline struct socket_info *listens(struct host *host, const char *local, __u16 port)
{
	struct socket_info *server = &host->server[host->world.servers++];

	*server = (struct socket_info){.protocol = IPPROTO_TCP,
				       .state = TCP_LISTEN,
				       .local_port = port,
				       .inode = host->world.servers};
	server->family = read_address(local, server->local);
	return server;
}

/* With eth0's address, and sshd on 22. */
static inline struct host *plain_host(void)
{
	struct host *host = host_make();

	give_address(host, 1, "127.0.0.1", RT_SCOPE_HOST);
	give_address(host, 2, "192.0.2.1", RT_SCOPE_UNIVERSE);
	listens(host, "0.0.0.0", 22);
	return host;
}

struct run {
	struct host *host;
	const struct guard_command *command;
	const struct ports *management;
	enum guard_mode mode;
	struct catalog catalog;
	struct recipe recipe[2];
	struct plan plan[2];
	struct guard_target target[2];
	size_t targets;
	struct diag diag;
};

static inline struct run run_on(struct host *host)
{
	return (struct run){.host = host, .command = &guard_attach};
}

/* Options as on a command line, separated by blanks. */
static inline void read_options(struct recipe *recipe, const char *options, struct diag *diag)
{
	static const struct {
		const char *name;
		int (*add)(struct recipe *recipe, const char *argument, struct diag *diag);
	} known[] = {
		{"-p", recipe_profiles},       {"--enable", recipe_enable}, {"--from", recipe_from},
		{"--disable", recipe_disable}, {"--open", recipe_open},	    {"--set", recipe_set},
		{"--group", recipe_group},
	};
	__free_text char *copy = xstrdup(options);
	struct recipe *interface = recipe;
	char *rest = copy, *word;
	size_t i;

	while ((word = strsep(&rest, " "))) {
		if (!strcmp(word, "--machine")) {
			struct machine *machine =
				machines_word(interface, strsep(&rest, " "), NULL, diag);

			assert_non_null(machine);
			recipe = &machine->own; /* the next option is about the machine */
			continue;
		}
		if (!strcmp(word, "--observe")) {
			recipe->policy = PC_POLICY_OBSERVE;
			continue;
		}
		if (!strcmp(word, "--outbound")) {
			assert_int_equal(0, outbound_parse(strsep(&rest, " "), &recipe->outbound));
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(known) && strcmp(word, known[i].name); i++)
			;
		assert_true(i < ARRAY_SIZE(known));
		assert_int_equal(0, known[i].add(recipe, strsep(&rest, " "), diag));
	}
	machines_inherit(interface);
}

static inline void plan_for(struct run *run, unsigned int ifindex, const char *options)
{
	__cleanup(names_free) struct names given = {0};
	size_t at = run->targets++;
	struct plan *plan = &run->plan[at];

	names_add(&given, folder);
	if (!at)
		assert_int_equal(0, catalog_open(&given, &run->catalog, &run->diag));
	read_options(&run->recipe[at], options, &run->diag);
	assert_int_equal(
		0, compose(&run->catalog, &run->recipe[at], false, &plan->composition, &run->diag));
	assert_int_equal(0, compile(&plan->composition, &plan->tables, &run->diag));
	diag_free(&run->diag);
	run->target[at] = (struct guard_target){
		.interface = links_find(&run->host->world.links, ifindex)->name,
		.ifindex = ifindex,
		.plan = plan,
		.catalog = &run->catalog};
}

static inline void run_end(struct run *run)
{
	for (size_t i = 0; i < run->targets; i++) {
		composition_free(&run->plan[i].composition);
		tables_free(&run->plan[i].tables);
		recipe_free(&run->recipe[i]);
	}
	catalog_close(&run->catalog);
	free(run->host);
}

#endif
