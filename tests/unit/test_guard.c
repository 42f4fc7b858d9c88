// SPDX-License-Identifier: GPL-2.0
/* The lockout guard: whom it stops for, whom not, and what it says would help. */
#include "loader/base/memory.h"
#include "loader/compile/compile.h"
#include "loader/guard/fix.h"
#include "loader/guard/judge.h"
#include "tests/unit/expect.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* These open 22/tcp too, and more besides. */
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

static char folder[] = "/tmp/pc-guard-XXXXXX";

static void write_file(const char *name, const char *text, size_t length)
{
	__free_text char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(length, fwrite(text, 1, length, file));
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_file("mail.yaml", mail, strlen(mail));
	write_file("ssh.yaml", ssh, strlen(ssh));
	write_file("two.yaml", two, strlen(two));
	write_file("wide.yaml", wide, strlen(wide));
	return 0;
}

static int tear_down(void **state)
{
	__free_text char *command = xasprintf("rm -r %s", folder);

	(void)state;
	return system(command);
}

/* --- a host: lo 1; eth0 2 and eth1 3; br0 4 over eth2 5 and a guest's vnet0 6; eth0.7 7 --- */

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

static __u8 read_address(const char *text, __u8 address[16])
{
	__u8 family = strchr(text, ':') ? AF_INET6 : AF_INET;

	memset(address, 0, 16);
	assert_int_equal(1, inet_pton(family, text, address));
	return family;
}

/* The third number of a remote address is the interface behind which it is. */
static unsigned int route(void *context, const struct socket_info *socket)
{
	(void)context;
	return socket->family == AF_INET ? socket->remote[2] : socket->remote[3];
}

/* Peers from a port below 60000 have logged in, as the account 1001. */
static void find_logins(const struct guard_world *world, struct login *login, size_t count)
{
	size_t i;

	(void)world;
	for (i = 0; i < count; i++) {
		assert_int_not_equal(0, login[i].session->inode);
		login[i].found = login[i].session->remote_port < 60000;
		login[i].uid = login[i].found ? 1001 : LOGIN_UID_NONE;
	}
}

static struct host *host_make(void)
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

static void give_address(struct host *host, unsigned int ifindex, const char *text, __u8 scope)
{
	struct link_address *address = &host->address[host->world.links.addresses++];

	*address = (struct link_address){.ifindex = ifindex, .scope = scope};
	address->family = read_address(text, address->address);
}

static struct socket_info *listens(struct host *host, const char *local, __u16 port)
{
	struct socket_info *server = &host->server[host->world.servers++];

	*server = (struct socket_info){.protocol = IPPROTO_TCP,
				       .state = TCP_LISTEN,
				       .local_port = port,
				       .inode = host->world.servers};
	server->family = read_address(local, server->local);
	return server;
}

static void connected(struct host *host, const char *local, __u16 port, const char *remote,
		      __u16 remote_port)
{
	struct socket_info *session = &host->session[host->world.sessions++];

	assert_true(host->world.sessions <= ARRAY_SIZE(host->session));
	*session = (struct socket_info){.protocol = IPPROTO_TCP,
					.state = TCP_ESTABLISHED,
					.local_port = port,
					.remote_port = remote_port,
					.inode = 100 + host->world.sessions};
	session->family = read_address(local, session->local);
	read_address(remote, session->remote);
}

static void is_own(struct host *host, const char *text)
{
	static struct session own;

	assert_true(session_parse(text, &own));
	host->world.own = (struct sessions){.session = &own, .count = 1};
}

/* With eth0's address, and sshd on 22. */
static struct host *plain_host(void)
{
	struct host *host = host_make();

	give_address(host, 1, "127.0.0.1", RT_SCOPE_HOST);
	give_address(host, 2, "192.0.2.1", RT_SCOPE_UNIVERSE);
	listens(host, "0.0.0.0", 22);
	return host;
}

/* --- one run --- */

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

static struct run run_on(struct host *host)
{
	return (struct run){.host = host, .command = &guard_attach};
}

/* Options as on a command line, with blanks between them. */
static void read_options(struct recipe *recipe, const char *options, struct diag *diag)
{
	static const struct {
		const char *name;
		int (*add)(struct recipe *recipe, const char *argument, struct diag *diag);
	} known[] = {
		{"-p", recipe_profiles}, {"--enable", recipe_enable},
		{"--from", recipe_from}, {"--disable", recipe_disable},
		{"--set", recipe_set},	 {"--group", recipe_group},
	};
	__free_text char *copy = xstrdup(options);
	char *rest = copy, *word;
	size_t i;

	while ((word = strsep(&rest, " "))) {
		if (!strcmp(word, "--observe")) {
			recipe->policy = PC_POLICY_OBSERVE;
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(known) && strcmp(word, known[i].name); i++)
			;
		assert_true(i < ARRAY_SIZE(known));
		assert_int_equal(0, known[i].add(recipe, strsep(&rest, " "), diag));
	}
}

static void plan_for(struct run *run, unsigned int ifindex, const char *options)
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
	run->target[at] = (struct guard_target){links_find(&run->host->world.links, ifindex)->name,
						ifindex, plan, &run->catalog, NULL};
}

static void run_end(struct run *run)
{
	for (size_t i = 0; i < run->targets; i++) {
		composition_free(&run->plan[i].composition);
		tables_free(&run->plan[i].tables);
		recipe_free(&run->recipe[i]);
	}
	catalog_close(&run->catalog);
	free(run->host);
}

static void expect_run(struct run *run, enum guard_found stop, const char *expected)
{
	enum guard_found found =
		guard_judge(run->command, run->target, run->targets, run->management, run->mode,
			    &run->host->world, &run->diag);

	expect_said(&run->diag, expected);
	assert_int_equal(stop, found);
	run_end(run);
}

/* One interface. "": nothing is said. */
static void expect(struct host *host, unsigned int ifindex, const char *options,
		   const char *expected)
{
	struct run run = run_on(host);

	plan_for(&run, ifindex, options);
	expect_run(&run,
		   strstr(expected, "your own")					  ? GUARD_OWN :
		   strstr(expected, "any more") || strstr(expected, "made again") ? GUARD_OTHERS :
										    GUARD_NOTHING,
		   expected);
}

#define CLOSED22 "no chosen profile opens 22/tcp; to open it: -p mail,ssh\n"
#define NOBODY	 "portcullis: eth0: nobody could reach the server on 22/tcp any more: " CLOSED22

#define REFUSED "portcullis: warning: connections live on, but new ones will be refused: "

/* --- sessions --- */

static void test_own_session(void **state)
{
	struct host *host = plain_host();

	(void)state;
	connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
	is_own(host, "198.51.2.9 40000 192.0.2.1 22");
	expect(host, 2, "-p mail",
	       "portcullis: eth0: your own session to 22/tcp (from 198.51.2.9) could not be made again: " CLOSED22);

	/* On a port that nobody watches, also while its server is away; nobody else's is like it.
	 */
	host = plain_host();
	connected(host, "192.0.2.1", 2222, "198.51.2.9", 40000);
	is_own(host, "198.51.2.9 40000 192.0.2.1 2222");
	expect(host, 2, "-p mail,ssh",
	       "portcullis: eth0: your own session to 2222/tcp (from 198.51.2.9) could not be made again: no chosen profile opens 2222/tcp; to open it: --set ssh:ssh=22/tcp,2222/tcp\n");

	host = plain_host();
	connected(host, "192.0.2.1", 2222, "198.51.2.9", 40000);
	is_own(host, "198.51.2.9 40001 192.0.2.1 2222");
	expect(host, 2, "-p mail,ssh", "");
}

static void test_admitted(void **state)
{
	static const char *const options[] = {
		"-p mail,ssh", "-p mail --observe",
		"-p mail,ssh --from ssh:ssh=trusted --group trusted=198.51.2.0/24"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct host *host = plain_host();

		connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
		is_own(host, "198.51.2.9 40000 192.0.2.1 22");
		expect(host, 2, options[i], "");
	}
}

static void test_many(void **state)
{
	struct host *host = plain_host();

	(void)state;
	connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
	connected(host, "192.0.2.1", 22, "198.51.2.8", 40000);
	connected(host, "192.0.2.1", 22, "198.51.2.8", 40001);
	expect(host, 2, "-p mail",
	       "portcullis: eth0: 3 logins to 22/tcp (from 198.51.2.9, 198.51.2.8) could not be made again: " CLOSED22);

	host = plain_host();
	for (int i = 1; i <= 20; i++) {
		__free_text char *peer = xasprintf("198.51.2.%d", i);

		connected(host, "192.0.2.1", 22, peer, 40000);
	}
	is_own(host, "198.51.2.20 40000 192.0.2.1 22");
	expect(host, 2, "-p mail",
	       "portcullis: eth0: 19 logins to 22/tcp (from 198.51.2.1, 198.51.2.2, 198.51.2.3, ...) could not be made again: " CLOSED22
	       "portcullis: eth0: your own session to 22/tcp (from 198.51.2.20) could not be made again: " CLOSED22);
}

static void test_others_are_told(void **state)
{
	struct host *host = plain_host();

	(void)state;
	listens(host, "::", 3306);
	connected(host, "192.0.2.1", 3306, "198.51.2.9", 40000);
	connected(host, "192.0.2.1", 3306, "198.51.2.9", 40001);
	expect(host, 2, "-p ssh", REFUSED "2 to 3306/tcp at eth0\n");

	host = plain_host();
	for (__u16 port = 101; port <= 107; port++) {
		listens(host, "0.0.0.0", port);
		connected(host, "192.0.2.1", port, "198.51.2.9", 40000);
	}
	expect(host, 2, "-p ssh",
	       REFUSED
	       "1 to 101/tcp at eth0, 1 to 102/tcp at eth0, 1 to 103/tcp at eth0, 1 to 104/tcp at eth0, 1 to 105/tcp at eth0, some to 2 more ports\n");

	/* Watched ports come first, then those with most connections. */
	host = plain_host();
	for (__u16 port = 101; port <= 106; port++) {
		listens(host, "0.0.0.0", port);
		connected(host, "192.0.2.1", port, "198.51.2.9", 40000);
		if (port > 103)
			connected(host, "192.0.2.1", port, "198.51.2.9", 40001);
	}
	connected(host, "192.0.2.1", 22, "198.51.2.9", 60000);
	expect(host, 2, "-p mail,ssh --from ssh:ssh=t --group t=10.0.0.0/8",
	       REFUSED
	       "1 to 22/tcp at eth0, 2 to 104/tcp at eth0, 2 to 105/tcp at eth0, 2 to 106/tcp at eth0, 1 to 101/tcp at eth0, some to 2 more ports\n");
}

/* What this host began, and what a local address of a listener tells apart. */
static void test_no_session(void **state)
{
	struct host *host = plain_host();

	(void)state;
	listens(host, "127.0.0.1", 40000);
	connected(host, "192.0.2.1", 40000, "198.51.2.9", 22);
	connected(host, "192.0.2.1", 40001, "198.51.2.9", 22);
	expect(host, 2, "-p ssh", "");
}

/* By which interface a session comes: the way to its peer, what is below, or its own address's. */
static void test_ways(void **state)
{
	static const struct {
		const char *local, *remote;
		unsigned int ifindex;
		bool stop;
	} way[] = {
		{"192.0.2.1", "198.51.2.9", 2, true},	  {"192.0.2.1", "198.51.2.9", 3, false},
		{"192.0.2.1", "198.51.3.9", 2, true}, /* back by eth1 */
		{"192.0.2.1", "198.51.3.9", 3, true},	  {"192.0.2.1", "192.0.1.1", 2, false},
		{"203.0.113.1", "198.51.4.9", 5, true},	  {"203.0.113.1", "198.51.4.9", 6, true},
		{"203.0.113.1", "198.51.4.9", 2, false},  {"203.0.113.1", "198.51.7.9", 2, true},
		{"203.0.113.1", "198.51.7.9", 7, true},	  {"203.0.113.1", "198.51.0.9", 2, false},
		{"2001:db8::1", "2001:db02::9", 2, true}, {"2001:db8::1", "2001:db03::9", 2, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(way); i++) {
		struct host *host = plain_host();
		struct run run = run_on(host);

		listens(host, "::", 22);
		give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE); /* unfiltered */
		give_address(host, 3, "2001:db8:3::1", RT_SCOPE_UNIVERSE);
		give_address(host, 2, "10.0.0.2", RT_SCOPE_UNIVERSE);
		connected(host, way[i].local, 22, way[i].remote, 40000);
		plan_for(&run, way[i].ifindex, "-p mail");
		if ((way[i].stop ? GUARD_OTHERS : GUARD_NOTHING) !=
		    guard_judge(&guard_attach, run.target, 1, NULL, GUARD_STOP, &host->world,
				&run.diag))
			fail_msg("case %zu", i);
		diag_free(&run.diag);
		run_end(&run);
	}
}

static void test_only_warn(void **state)
{
	struct run run = run_on(plain_host());

	(void)state;
	run.mode = GUARD_WARN;
	plan_for(&run, 2, "-p mail");
	expect_run(
		&run, GUARD_NOTHING,
		"portcullis: warning: eth0: nobody could reach the server on 22/tcp any more: " CLOSED22);
}

static void test_management(void **state)
{
	struct ports none = {}, some = {};
	__free_text char *why = NULL;
	struct run run;

	(void)state;
	run = run_on(plain_host());
	connected(run.host, "192.0.2.1", 22, "198.51.2.9", 40000);
	run.management = &none;
	plan_for(&run, 2, "-p mail");
	expect_run(&run, GUARD_NOTHING, REFUSED "1 to 22/tcp at eth0\n");

	/* The caller's own counts nevertheless. */
	run = run_on(plain_host());
	connected(run.host, "192.0.2.1", 22, "198.51.2.9", 40000);
	is_own(run.host, "198.51.2.9 40000 192.0.2.1 22");
	run.management = &none;
	plan_for(&run, 2, "-p mail");
	expect_run(
		&run, GUARD_OWN,
		"portcullis: eth0: your own session to 22/tcp (from 198.51.2.9) could not be made again: " CLOSED22);

	assert_int_equal(0, ports_parse_list("51820/udp", &some, &why));
	run = run_on(plain_host());
	*listens(run.host, "0.0.0.0", 51820) = (struct socket_info){.family = AF_INET,
								    .protocol = IPPROTO_UDP,
								    .state = TCP_CLOSE,
								    .local_port = 51820};
	run.management = &some;
	plan_for(&run, 2, "-p mail");
	expect_run(
		&run, GUARD_OTHERS,
		"portcullis: eth0: nobody could reach the server on 51820/udp any more: mail:tunnel is a feature that is off (vpn); to open it: --enable mail:vpn\n");
	run = run_on(plain_host());
	*listens(run.host, "0.0.0.0", 1003) = (struct socket_info){
		.family = AF_INET, .protocol = IPPROTO_UDP, .state = TCP_CLOSE, .local_port = 1003};
	ports_free(&some);
	assert_int_equal(0, ports_parse_list("1003-1004/udp", &some, &why));
	run.management = &some;
	plan_for(&run, 2, "-p mail");
	expect_run(
		&run, GUARD_OTHERS,
		"portcullis: eth0: nobody could reach the server on 1003/udp any more: no chosen profile opens 1003/udp; to open it: -p mail,two\n");
	ports_free(&some);
}

/* --- servers --- */

static void test_nobody(void **state)
{
	struct host *host = plain_host();

	(void)state;
	expect(host, 2, "-p mail", NOBODY);
	expect(plain_host(), 2, "-p mail,ssh", "");
	expect(plain_host(), 2, "-p mail --observe", "");
	expect(plain_host(), 2, "-p mail,ssh --from ssh:ssh=trusted --group trusted=10.0.0.0/8",
	       "");
	expect(plain_host(), 2, "-p mail,ssh --from ssh:ssh=trusted",
	       "portcullis: eth0: nobody could reach the server on 22/tcp any more: ssh:ssh admits only trusted, which is not defined; to open it: --group trusted=PREFIX\n");
	/* Another interface, where nothing judges. */
	host = plain_host();
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", "");
	/* But one by which nobody comes. */
	host = plain_host();
	listens(host, "::", 22);
	give_address(host, 3, "fe80::1", RT_SCOPE_LINK);
	give_address(host, 8, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	/* The address of the server is not there. */
	host = plain_host();
	host->world.servers = 0;
	listens(host, "192.0.2.1", 22);
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	/* Nor is its family, or its device. */
	host = plain_host();
	give_address(host, 3, "2001:db8:3::1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	host = plain_host();
	host->server[0].device = 2;
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	/* Of two servers one is reached. */
	host = plain_host();
	give_address(host, 3, "2001:db8:3::1", RT_SCOPE_UNIVERSE);
	listens(host, "::", 22);
	expect(host, 2, "-p mail", "");
}

static void test_no_server(void **state)
{
	struct host *host = plain_host();

	(void)state;
	host->world.servers = 0;
	listens(host, "127.0.0.1", 22);
	listens(host, "::1", 22);
	expect(host, 2, "-p mail", "");
	host = plain_host();
	host->server[0].device = 1;
	expect(host, 2, "-p mail", "");
	/* One of no port that is watched: 445 is no way in. */
	host = plain_host();
	host->server[0].local_port = 445;
	expect(host, 2, "-p mail", "");
	/* The interface has no address. */
	host = plain_host();
	host->world.links.addresses = 1;
	expect(host, 2, "-p mail", "");
	/* Nobody comes by it anyway. */
	host = plain_host();
	links[1].flags = IFF_UP;
	expect(host, 2, "-p mail", "");
	links[1].flags = UP;
}

/* What judges now, on the target and on another interface. */
static void test_filters(void **state)
{
	struct pc_generation *now = xcalloc(1, sizeof(*now));
	struct guard_filter filter = {.ifindex = 3, .generation = now};
	struct host *host = plain_host();

	(void)state;
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	host->world.filter = &filter;
	host->world.filters = 1;
	expect(host, 2, "-p mail", NOBODY);
	now->policy = PC_POLICY_OBSERVE;
	host = plain_host();
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	host->world.filter = &filter;
	host->world.filters = 1;
	expect(host, 2, "-p mail", "");
	/* It was closed before: nothing changes, neither for servers nor for sessions. */
	now->policy = PC_POLICY_ENFORCE;
	filter.ifindex = 2;
	host = plain_host();
	listens(host, "0.0.0.0", 3306);
	connected(host, "192.0.2.1", 3306, "198.51.2.9", 40000);
	host->world.filter = &filter;
	host->world.filters = 1;
	expect(host, 2, "-p mail", "");
	free(now);
}

/* A bridge is reached by its ports, but not by those of guests. */
static void test_bridge(void **state)
{
	struct host *host = host_make();

	(void)state;
	give_address(host, 4, "192.0.2.1", RT_SCOPE_UNIVERSE);
	listens(host, "0.0.0.0", 22);
	expect(host, 5, "-p mail",
	       "portcullis: eth2: nobody could reach the server on 22/tcp any more: " CLOSED22);
	host = host_make();
	give_address(host, 4, "192.0.2.1", RT_SCOPE_UNIVERSE);
	listens(host, "0.0.0.0", 22);
	expect(host, 6, "-p mail", "");
}

static void test_two_targets(void **state)
{
	struct run run = run_on(plain_host());

	(void)state;
	give_address(run.host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	plan_for(&run, 2, "-p mail,ssh");
	plan_for(&run, 3, "-p mail");
	expect_run(&run, GUARD_NOTHING, "");

	run = run_on(plain_host());
	give_address(run.host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	plan_for(&run, 2, "-p mail");
	plan_for(&run, 3, "-p mail");
	expect_run(&run, GUARD_OTHERS, NOBODY);
}

/* --- what would help --- */

static void test_fixes(void **state)
{
	static const struct {
		__u16 port;
		const struct guard_command *command;
		const char *options, *fix;
	} cases[] = {
		{22, &guard_attach, "-p mail",
		 "no chosen profile opens 22/tcp; to open it: -p mail,ssh"},
		{22, &guard_attach, "-p mail,ssh --disable ssh:ssh",
		 "ssh:ssh is disabled; to open it: leave out --disable ssh:ssh"},
		{22, &guard_swap, "-p mail,ssh --disable ssh:ssh",
		 "ssh:ssh is disabled; to open it: leave out --disable ssh:ssh (--fresh forgets that of an earlier command)"},
		{22, &guard_attach, "-p ssh --from ssh:ssh=trusted --group trusted=10.0.0.0/8",
		 "ssh:ssh admits only trusted; to open it: --group trusted=10.0.0.0/8,198.51.2.9/32"},
		{22, &guard_attach,
		 "-p ssh --from ssh:ssh=t --group t=10.0.0.0/8,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8",
		 "ssh:ssh admits only t; to open it: add 198.51.2.9/32 to the group t"},
		{2200, &guard_attach, "-p mail",
		 "mail:shell is a feature that is off (shell); to open it: --enable mail:shell --group trusted=198.51.2.9/32"},
		{2200, &guard_attach, "-p mail --enable shell",
		 "mail:shell admits only trusted, which is not defined; to open it: --group trusted=198.51.2.9/32"},
		{5900, &guard_attach, "-p mail",
		 "mail:vnc is open only to groups that --from names; to open it: --from mail:vnc=admins --group admins=198.51.2.9/32"},
		{23, &guard_attach, "-p mail",
		 "mail:near admits only link-local; to open it: --from mail:near=link-local,admins --group admins=198.51.2.9/32"},
		{2222, &guard_attach, "-p mail",
		 "no chosen profile opens 2222/tcp; to open it: -p mail,ssh --set ssh:ssh=2222/tcp"},
		{2222, &guard_attach, "-p ssh --set ssh:ssh=23/tcp",
		 "no chosen profile opens 2222/tcp; to open it: --set ssh:ssh=23/tcp,2222/tcp"},
		{1002, &guard_attach, "-p mail",
		 "no chosen profile opens 1002/tcp; to open it: -p mail,ssh --set ssh:ssh=1002/tcp"},
		{22, &guard_apply, "-p mail",
		 "no chosen profile opens 22/tcp; to open it in the site file: profiles: [mail, ssh]"},
		{5900, &guard_apply, "-p mail",
		 "mail:vnc is open only to groups that --from names; to open it in the site file: from: {mail:vnc: [admins]}, groups: {admins: [198.51.2.9/32]}"},
		{22, &guard_apply, "-p ssh --disable ssh:ssh",
		 "ssh:ssh is disabled; to open it in the site file: leave out disable: ssh:ssh"},
	};
	struct socket_info peer = {.family = AF_INET, .remote = {198, 51, 2, 9}};
	const struct guard_peer list[] = {{&peer, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guard_need need = {PC_TCP, cases[i].port, list, 1};
		struct run run = run_on(plain_host());
		__free_text char *fix = NULL;

		plan_for(&run, 2, cases[i].options);
		fix = guard_fix(cases[i].command, run.target, &need);
		assert_string_equal(fix, cases[i].fix);
		run_end(&run);
	}
}

/* Only those who are not in the group yet, of both families. */
static void test_fix_of_many(void **state)
{
	struct socket_info peer[] = {{.family = AF_INET, .remote = {198, 51, 2, 9}},
				     {.family = AF_INET, .remote = {10, 0, 0, 1}},
				     {.family = AF_INET6, .remote = {0xfe, 0x80, [15] = 1}}};
	struct guard_peer list[] = {{&peer[0], true}, {&peer[1], false}, {&peer[2], true}};
	struct guard_need need = {PC_TCP, 22, list, 3};
	struct run run = run_on(plain_host());
	__free_text char *fix = NULL;

	(void)state;
	plan_for(&run, 2, "-p ssh --from ssh:ssh=t --group t=10.0.0.0/8");
	fix = guard_fix(&guard_attach, run.target, &need);
	assert_string_equal(
		fix,
		"ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,198.51.2.9/32,fe80::1/128");
	free(fix);
	/* An address that is not to be told. */
	list[0].named = false;
	fix = guard_fix(&guard_attach, run.target, &need);
	assert_string_equal(
		fix, "ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,fe80::1/128,PREFIX");
	run_end(&run);
}

/* --- strangers, and users of this host --- */

#define NOT_ADMITTED "-p mail,ssh --from ssh:ssh=t --group t=10.0.0.0/8"

/* A handshake, a peer that has not logged in, a server of a user: a warning, in one line. */
static void test_strangers(void **state)
{
	struct host *host = plain_host();

	(void)state;
	for (int i = 1; i <= 10; i++) {
		__free_text char *peer = xasprintf("198.51.2.%d", i);

		connected(host, "192.0.2.1", 22, peer, i % 2 ? 60000 : 40000);
		if (i % 2 == 0)
			host->session[host->world.sessions - 1].inode = 0;
	}
	expect(host, 2, NOT_ADMITTED, REFUSED "10 to 22/tcp at eth0\n");

	host = plain_host();
	listens(host, "0.0.0.0", 5900)->uid = 1000;
	connected(host, "192.0.2.1", 5900, "198.51.2.9", 40000);
	expect(host, 2, "-p mail,ssh", REFUSED "1 to 5900/tcp at eth0\n");
	/* It is no other way in either, by which root's would still be reached. */
	host = plain_host();
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	listens(host, "192.0.2.1", 5900);
	listens(host, "10.0.0.1", 5900)->uid = 1000;
	expect(host, 2, "-p mail,ssh",
	       "portcullis: eth0: nobody could reach the server on 5900/tcp any more: mail:vnc is open only to groups that --from names; to open it: --from mail:vnc=admins --group admins=PREFIX\n");
	/* Those of services are: also by an account that systemd made up. */
	host = plain_host();
	listens(host, "0.0.0.0", 5900)->uid = 61184;
	expect(host, 2, "-p ssh --set ssh:ssh=22/tcp",
	       "portcullis: eth0: nobody could reach the server on 5900/tcp any more: no chosen profile opens 5900/tcp; to open it: --set ssh:ssh=22/tcp,5900/tcp\n");
	/* And the desktop that the caller sits at. */
	host = plain_host();
	host->world.caller = 1000;
	listens(host, "0.0.0.0", 5900)->uid = 1000;
	connected(host, "192.0.2.1", 5900, "198.51.2.9", 60000);
	expect(host, 2, "-p ssh",
	       "portcullis: eth0: nobody could reach the server on 5900/tcp any more: no chosen profile opens 5900/tcp; to open it: --set ssh:ssh=22/tcp,5900/tcp\n" REFUSED
	       "1 to 5900/tcp at eth0\n");
	/* A user's own connection from a watched port is not one to the server of another family.
	 */
	host = plain_host();
	host->world.servers = 0;
	listens(host, "::", 5900)->only_ipv6 = true;
	connected(host, "192.0.2.1", 5900, "198.51.2.9", 40000);
	expect(host, 2, NOT_ADMITTED, "");
}

/* A login stops it; its address is told as a way in only if a group admitted it. */
static void test_logins(void **state)
{
	static const char now[] =
		"{\"recipe\": {\"groups\": {\"old\": [\"198.51.2.0/25\"], \"all\": [\"0.0.0.0/0\"]}},"
		" \"profiles\": [{\"name\": \"ssh\", \"services\": [{\"name\": \"ssh\", \"direction\": \"in\","
		" \"open\": true, \"ports\": [\"22/tcp\"], \"from\": [\"old\", \"all\"]}]}]}";
	json_t *kept = json_loads(now, 0, NULL);
	struct run run;

	(void)state;
	assert_non_null(kept);
	run = run_on(plain_host());
	connected(run.host, "192.0.2.1", 22, "198.51.2.9", 40000);
	connected(run.host, "192.0.2.1", 22, "198.51.2.200", 40000);
	connected(run.host, "192.0.2.1", 22, "198.51.2.201", 60000);
	plan_for(&run, 2, NOT_ADMITTED);
	run.target[0].kept = kept;
	expect_run(
		&run, GUARD_OTHERS,
		"portcullis: eth0: 2 logins to 22/tcp (from 198.51.2.9, 198.51.2.200) could not be made again: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,198.51.2.9/32,PREFIX\n" REFUSED
		"1 to 22/tcp at eth0\n");
	json_decref(kept);

	run = run_on(plain_host());
	connected(run.host, "192.0.2.1", 22, "198.51.2.9", 40000);
	plan_for(&run, 2, NOT_ADMITTED);
	expect_run(
		&run, GUARD_OTHERS,
		"portcullis: eth0: 1 login to 22/tcp (from 198.51.2.9) could not be made again: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,PREFIX\n");
}

/* With a fallback only the caller's own session stops; `confirm` asks for nothing else. */
static void test_modes(void **state)
{
	static const struct {
		enum guard_mode mode;
		enum guard_found own, other;
		bool says_others;
	} modes[] = {
		{GUARD_STOP, GUARD_OWN, GUARD_OTHERS, true},
		{GUARD_CONFIRM, GUARD_OWN, GUARD_NOTHING, true},
		{GUARD_CALLER, GUARD_OWN, GUARD_NOTHING, false},
		{GUARD_WARN, GUARD_NOTHING, GUARD_NOTHING, true},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(modes); i++) {
		struct run run = run_on(plain_host());
		bool own = i % 2;

		run.mode = modes[i / 2].mode;
		if (own)
			is_own(run.host, "198.51.2.9 40000 192.0.2.1 22");
		connected(run.host, "192.0.2.1", 22, "198.51.2.9", 40000);
		connected(run.host, "192.0.2.1", 22, "198.51.2.8", 60000);
		listens(run.host, "0.0.0.0", 3389);
		plan_for(&run, 2, "-p mail");
		assert_int_equal(own ? modes[i / 2].own : modes[i / 2].other,
				 guard_judge(&guard_swap, run.target, 1, NULL, run.mode,
					     &run.host->world, &run.diag));
		/* The session; the other server, and the line of connections. */
		assert_int_equal(run.diag.count,
				 (own || modes[i / 2].says_others) + 2 * modes[i / 2].says_others);
		diag_free(&run.diag);
		run_end(&run);
	}
}

static void test_own_by_other_ways(void **state)
{
	static __u32 both[] = {7, 101, 1}, one[] = {101};
	static struct ancestor ancestor;
	struct host *host = plain_host();

	(void)state;
	/* A process above the caller holds it, as telnetd; one that serves many peers does not
	 * tell. */
	listens(host, "0.0.0.0", 80);
	connected(host, "192.0.2.1", 80, "198.51.2.9", 60000);
	host->session[0].inode = 101;
	ancestor = (struct ancestor){one, ARRAY_SIZE(one)};
	host->world.own = (struct sessions){.ancestor = &ancestor, .ancestors = 1};
	expect(host, 2, "-p ssh",
	       "portcullis: eth0: your own session to 80/tcp (from 198.51.2.9) could not be made again: no chosen profile opens 80/tcp; to open it: --set ssh:ssh=22/tcp,80/tcp\n");
	host = plain_host();
	host->world.servers = 0;
	listens(host, "0.0.0.0", 80);
	connected(host, "192.0.2.1", 80, "198.51.2.9", 60000);
	host->session[0].inode = 101;
	ancestor = (struct ancestor){both, ARRAY_SIZE(both)};
	host->world.own = (struct sessions){.ancestor = &ancestor, .ancestors = 1};
	expect(host, 2, "-p ssh", REFUSED "1 to 80/tcp at eth0\n");

	/* SSH_CONNECTION of a session that is gone: another login of the account is the caller's.
	 */
	for (__u32 caller = 1001; caller <= 1002; caller++) {
		host = plain_host();
		connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
		is_own(host, "198.51.2.9 39999 192.0.2.1 22");
		host->world.caller = caller;
		expect(host, 2, NOT_ADMITTED,
		       caller == 1001 ?
			       "portcullis: eth0: your own session to 22/tcp (from 198.51.2.9) could not be made again: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,198.51.2.9/32\n" :
			       "portcullis: eth0: 1 login to 22/tcp (from 198.51.2.9) could not be made again: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,PREFIX\n");
	}
	/* What it names was not accepted by the server: somebody has the same ends by now. */
	host = plain_host();
	connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
	host->session[0].inode = 0;
	is_own(host, "198.51.2.9 40000 192.0.2.1 22");
	expect(host, 2, NOT_ADMITTED, REFUSED "1 to 22/tcp at eth0\n");
}

/* --- SSH_CONNECTION --- */

static void test_parse(void **state)
{
	static const char *const wrong[] = {
		"",
		"UNKNOWN 65535 UNKNOWN 65535",
		"192.0.2.9 1 192.0.2.1",
		"192.0.2.9 1 192.0.2.1 22 x",
		"192.0.2.9 0 192.0.2.1 22",
		"192.0.2.9 65536 192.0.2.1 22",
		"192.0.2.9 -1 192.0.2.1 22",
		"192.0.2.9 1x 192.0.2.1 22",
		"192.0.2.9 1 2001:db8::1 22",
		"192.0.2 1 192.0.2.1 22",
		"192.0.2.9  1 192.0.2.1 22",
	};
	struct session session;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (session_parse(wrong[i], &session))
			fail_msg("taken: %s", wrong[i]);
	assert_true(session_parse("::ffff:192.0.2.9 40000 ::ffff:192.0.2.1 22", &session));
	assert_int_equal(session.family, AF_INET);
	assert_memory_equal(session.remote, ((__u8[16]){192, 0, 2, 9}), 16);
	assert_memory_equal(session.local, ((__u8[16]){192, 0, 2, 1}), 16);
	assert_int_equal(session.remote_port, 40000);
	assert_int_equal(session.local_port, 22);
	assert_true(session_parse("fe80::9%eth0 1 fe80::1%eth0 22", &session));
	assert_int_equal(session.family, AF_INET6);
	assert_memory_equal(session.remote, ((__u8[16]){0xfe, 0x80, [15] = 9}), 16);
}

static void process(int pid, int parent, const char *environ, size_t length)
{
	__free_text char *path = xasprintf("%s/%d", folder, pid);
	__free_text char *status = xasprintf("%d/status", pid),
			 *file = xasprintf("%d/environ", pid);
	__free_text char *text = xasprintf("Name:\tx\nPid:\t%d\nPPid:\t%d\n", pid, parent);

	mkdir(path, 0755);
	write_file(status, text, strlen(text));
	write_file(file, environ, length);
}

/* From the caller's own environment, and of processes above it, the last without an environment. */
static void test_ancestors(void **state)
{
	static const char shell[] = "A=b\0SSH_CONNECTION=198.51.2.9 7 192.0.2.1 22\0C=d",
			  none[] = "NOT_SSH_CONNECTION=198.51.2.9 8 192.0.2.1 22";
	struct sessions sessions = {};
	struct socket_info socket = {.family = AF_INET,
				     .local_port = 22,
				     .remote_port = 7,
				     .local = {192, 0, 2, 1},
				     .remote = {198, 51, 2, 9}};

	(void)state;
	process(30, 20, none, sizeof(none));
	process(20, 10, none, sizeof(none));
	process(10, 5, shell, sizeof(shell));
	process(5, 5, none, 0);
	unsetenv("SSH_CONNECTION");
	sessions_find(folder, 30, &sessions);
	assert_int_equal(sessions.count, 1);
	assert_true(sessions_have(&sessions, &socket));
	socket.remote_port = 8;
	assert_false(sessions_have(&sessions, &socket));
	sessions_free(&sessions);

	setenv("SSH_CONNECTION", "198.51.2.9 8 192.0.2.1 22", 1);
	sessions_find(folder, 20, &sessions);
	assert_int_equal(sessions.count, 2);
	assert_true(sessions_have(&sessions, &socket));
	sessions_free(&sessions);
	unsetenv("SSH_CONNECTION");
	/* The process itself is not above itself. */
	sessions_find(folder, 10, &sessions);
	assert_int_equal(sessions.count, 0);
	sessions_find(folder, 99, &sessions);
	assert_int_equal(sessions.count, 0);
}

/* --- logins, from a folder of processes --- */

static void process_file(int pid, const char *name, const char *text)
{
	__free_text char *path = xasprintf("proc/%d/%s", pid, name);

	write_file(path, text, strlen(text));
}

/* `session`: of audit; `sockets`: inodes, "5 6"; `children`: as the kernel lists them. */
static void process_of(int pid, const char *uid, const char *session, const char *cgroup,
		       const char *sockets, const char *children)
{
	__free_text char *task = xasprintf("%s/proc/%d/task/%d", folder, pid, pid);
	__free_text char *fd = xasprintf("%s/proc/%d/fd", folder, pid);
	__free_text char *make = xasprintf("mkdir -p %s %s", task, fd);
	__free_text char *status = xasprintf("Name:\tUid: 0\nUid:\t%s\t%s\n", uid, uid);
	__free_text char *list = xasprintf("task/%d/children", pid), *copy = xstrdup(sockets);
	char *rest = copy, *word;

	assert_int_equal(0, system(make));
	process_file(pid, "status", status);
	process_file(pid, "sessionid", session);
	process_file(pid, "loginuid", *session == '4' ? session : "1001");
	process_file(pid, "cgroup", cgroup);
	process_file(pid, list, children);
	while ((word = strsep(&rest, " ")) && *word) {
		__free_text char *path = xasprintf("%s/%s", fd, word);
		__free_text char *target = xasprintf("socket:[%s]", word);

		assert_int_equal(0, symlink(target, path));
	}
}

#define NO_SESSION "4294967295"
#define SERVICE	   "0::/system.slice/ssh.service\n"
#define SCOPE	   "0::/user.slice/user-0.slice/session-3.scope\n"

static void test_find_logins(void **state)
{
	/* The server has inode 5 and is process 50, which begins without a session. */
	static const struct {
		const char *uid, *session, *cgroup, *sockets, *children;
		const char *server; /* its session */
		bool login;
	} cases[] = {
		{"0", NO_SESSION, SERVICE, "6", "", NO_SESSION, false},
		{"0", "7", SERVICE, "6", "", NO_SESSION, true},
		{"0", "7", SERVICE, "6", "", "7", false},
		{"0", "7", SERVICE, "6", "", "8", true},
		{"0", "7", SERVICE, "5 6", "", NO_SESSION, false},
		{"0", "7", SERVICE, "8", "", NO_SESSION, false},
		{"1000", "7", SERVICE, "6", "", NO_SESSION, false},
		{"61184", "7", SERVICE, "6", "", NO_SESSION, true},
		{"0", NO_SESSION, SCOPE, "6", "", NO_SESSION, true},
		{"0", NO_SESSION, "1:name=systemd:/user.slice/session-3.scope\n0::/\n", "6", "",
		 NO_SESSION, true},
		/* Folders that a user may make. */
		{"0", NO_SESSION,
		 "0::/user.slice/user-0.slice/user@0.service/app.slice/session-3.scope\n", "6", "",
		 NO_SESSION, false},
		/* The child is logged in, as behind telnetd, or is not. */
		{"0", NO_SESSION, SERVICE, "6", "61 62 ", NO_SESSION, true},
		{"0", NO_SESSION, SERVICE, "6", "61 ", NO_SESSION, false},
	};
	const struct socket_info server = {.protocol = IPPROTO_TCP, .local_port = 22, .inode = 5};
	const struct socket_info session = {.protocol = IPPROTO_TCP, .local_port = 22, .inode = 6};
	__free_text char *proc = xasprintf("%s/proc", folder);
	__free_text char *clear = xasprintf("rm -rf %s", proc);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct login login = {.session = &session, .found = true, .uid = 9};

		process_of(50, "0", cases[i].server, SERVICE, "5", "60 62");
		process_of(60, cases[i].uid, cases[i].session, cases[i].cgroup, cases[i].sockets,
			   cases[i].children);
		process_of(61, "74", NO_SESSION, SERVICE, "", "");
		process_of(62, "1001", "9", SERVICE, "", "");
		logins_find(proc, &server, 1, &login, 1);
		if (login.found != cases[i].login)
			fail_msg("case %zu", i);
		if (login.found && !strstr(cases[i].cgroup, "scope"))
			assert_int_equal(1001, login.uid);
		assert_int_equal(0, system(clear));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_session),
		cmocka_unit_test(test_admitted),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_others_are_told),
		cmocka_unit_test(test_no_session),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_only_warn),
		cmocka_unit_test(test_management),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_no_server),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_two_targets),
		cmocka_unit_test(test_fixes),
		cmocka_unit_test(test_fix_of_many),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_ancestors),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_own_by_other_ways),
		cmocka_unit_test(test_find_logins),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
