// SPDX-License-Identifier: GPL-2.0
/* Who would be locked out: sessions, logins and servers of a made-up host. */
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/guard/decide.h"
#include "loader/guard/world.h"
#include "loader/net/session.h"
#include "loader/net/sockets.h"
#include "tests/unit/expect.h"
#include "tests/unit/guard/made_host.h"

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

static void expect_run(struct run *run, enum guard_found stop, const char *expected)
{
	enum guard_found found =
		guard_decide(run->command, run->target, run->targets, run->management, run->mode,
			     &run->host->world, &run->diag);

	expect_said(&run->diag, expected);
	assert_int_equal(stop, found);
	run_end(run);
}

/* One interface. "": no message. */
static void expect(struct host *host, unsigned int ifindex, const char *options,
		   const char *expected)
{
	struct run run = run_on(host);

	plan_for(&run, ifindex, options);
	expect_run(&run,
		   strstr(expected, "your own") ? GUARD_OWN :
		   strstr(expected, "unreachable") || strstr(expected, "re-established") ?
						  GUARD_OTHERS :
						  GUARD_NOTHING,
		   expected);
}

#define CLOSED22 "no chosen profile opens 22/tcp; to open it: -p mail,ssh\n"
#define NOBODY	 "portcullis: eth0: the server on 22/tcp would become unreachable: " CLOSED22

#define REFUSED "portcullis: warning: open connections continue, but new ones will be refused: "

static void test_own_session(void **state)
{
	struct host *host = plain_host();

	(void)state;
	connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
	is_own(host, "198.51.2.9 40000 192.0.2.1 22");
	expect(host, 2, "-p mail",
	       "portcullis: eth0: your own session to 22/tcp (from 198.51.2.9) could not be re-established: " CLOSED22);

	/*
	 * On a port that is not watched, even if its server is gone, the caller's session counts;
	 * no other does.
	 */
	host = plain_host();
	connected(host, "192.0.2.1", 2222, "198.51.2.9", 40000);
	is_own(host, "198.51.2.9 40000 192.0.2.1 2222");
	expect(host, 2, "-p mail,ssh",
	       "portcullis: eth0: your own session to 2222/tcp (from 198.51.2.9) could not be re-established: no chosen profile opens 2222/tcp; to open it: --set ssh:ssh=22/tcp,2222/tcp\n");

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

/* A session that only a grant admits is no reason to refuse, until the grant ends. */
static void test_granted(void **state)
{
	static struct ban grant = {
		.list = "trusted", .until = 100, .prefix = {{198, 51, 2, 9}, 32, AF_INET}};
	static const struct ban_set grants = {.ban = &grant, .count = 1};

	(void)state;
	for (__u32 now = 99; now <= 100; now++) {
		struct host *host = plain_host();

		host->world.grants = &grants;
		host->world.now = now;
		connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
		is_own(host, "198.51.2.9 40000 192.0.2.1 22");
		expect(host, 2, "-p mail,ssh --from ssh:ssh=trusted --group trusted=10.0.0.0/8",
		       now < 100 ?
			       "" :
			       "portcullis: eth0: your own session to 22/tcp (from 198.51.2.9) could not be re-established: ssh:ssh admits only trusted; to open it: --group trusted=10.0.0.0/8,198.51.2.9/32\n");
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
	       "portcullis: eth0: 3 logins to 22/tcp (from 198.51.2.9, 198.51.2.8) could not be re-established: " CLOSED22);

	host = plain_host();
	for (int i = 1; i <= 20; i++) {
		__free_text char *peer = xasprintf("198.51.2.%d", i);

		connected(host, "192.0.2.1", 22, peer, 40000);
	}
	is_own(host, "198.51.2.20 40000 192.0.2.1 22");
	expect(host, 2, "-p mail",
	       "portcullis: eth0: 19 logins to 22/tcp (from 198.51.2.1, 198.51.2.2, 198.51.2.3, ...) could not be re-established: " CLOSED22
	       "portcullis: eth0: your own session to 22/tcp (from 198.51.2.20) could not be re-established: " CLOSED22);
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

/* Connections that this host began, and what the local address of a listener distinguishes. */
static void test_no_session(void **state)
{
	struct host *host = plain_host();

	(void)state;
	listens(host, "127.0.0.1", 40000);
	connected(host, "192.0.2.1", 40000, "198.51.2.9", 22);
	connected(host, "192.0.2.1", 40001, "198.51.2.9", 22);
	expect(host, 2, "-p ssh", "");
}

/* The interface by which a session comes in: that of the route to its peer, one below it, or that
 * of its own address. */
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
		    guard_decide(&guard_attach, run.target, 1, NULL, GUARD_STOP, &host->world,
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
		"portcullis: warning: eth0: the server on 22/tcp would become unreachable: " CLOSED22);
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

	/* The caller's own session counts all the same. */
	run = run_on(plain_host());
	connected(run.host, "192.0.2.1", 22, "198.51.2.9", 40000);
	is_own(run.host, "198.51.2.9 40000 192.0.2.1 22");
	run.management = &none;
	plan_for(&run, 2, "-p mail");
	expect_run(
		&run, GUARD_OWN,
		"portcullis: eth0: your own session to 22/tcp (from 198.51.2.9) could not be re-established: " CLOSED22);

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
		"portcullis: eth0: the server on 51820/udp would become unreachable: mail:tunnel is off: feature vpn is not enabled; to open it: --enable mail:vpn\n");
	run = run_on(plain_host());
	*listens(run.host, "0.0.0.0", 1003) = (struct socket_info){
		.family = AF_INET, .protocol = IPPROTO_UDP, .state = TCP_CLOSE, .local_port = 1003};
	ports_free(&some);
	assert_int_equal(0, ports_parse_list("1003-1004/udp", &some, &why));
	run.management = &some;
	plan_for(&run, 2, "-p mail");
	expect_run(
		&run, GUARD_OTHERS,
		"portcullis: eth0: the server on 1003/udp would become unreachable: no chosen profile opens 1003/udp; to open it: --open 1003/udp\n");
	ports_free(&some);
}

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
	       "portcullis: eth0: the server on 22/tcp would become unreachable: ssh:ssh admits only trusted, which is not defined; to open it: --group trusted=PREFIX\n");
	/* Another interface, without a filter. */
	host = plain_host();
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", "");
	/* But not an interface by which no session comes in. */
	host = plain_host();
	listens(host, "::", 22);
	give_address(host, 3, "fe80::1", RT_SCOPE_LINK);
	give_address(host, 8, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	/* No interface has the address of the server. */
	host = plain_host();
	host->world.servers = 0;
	listens(host, "192.0.2.1", 22);
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	/* Nor an address of its family, nor its device. */
	host = plain_host();
	give_address(host, 3, "2001:db8:3::1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	host = plain_host();
	host->server[0].device = 2;
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	expect(host, 2, "-p mail", NOBODY);
	/* One of two servers can still be reached. */
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
	/* A server of an unwatched port: no administrator logs in by 445. */
	host = plain_host();
	host->server[0].local_port = 445;
	expect(host, 2, "-p mail", "");
	/* The interface has no address. */
	host = plain_host();
	host->world.links.addresses = 1;
	expect(host, 2, "-p mail", "");
	/* No session comes in by it anyway. */
	host = plain_host();
	links[1].flags = IFF_UP;
	expect(host, 2, "-p mail", "");
	links[1].flags = UP;
}

/* The active rule sets of the target and of another interface. */
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
	/* The port was closed before, so nothing changes, neither for servers nor for sessions. */
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

/* A bridge can be reached through its ports, but not through those of guests. */
static void test_bridge(void **state)
{
	struct host *host = host_make();

	(void)state;
	give_address(host, 4, "192.0.2.1", RT_SCOPE_UNIVERSE);
	listens(host, "0.0.0.0", 22);
	expect(host, 5, "-p mail",
	       "portcullis: eth2: the server on 22/tcp would become unreachable: " CLOSED22);
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

#define NOT_ADMITTED "-p mail,ssh --from ssh:ssh=t --group t=10.0.0.0/8"

/* A handshake, a peer that has not logged in, a user's own server: a warning, in one line. */
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
	/* Such a server is also not another way to log in, through which root's could still be
	 * reached. */
	host = plain_host();
	give_address(host, 3, "10.0.0.1", RT_SCOPE_UNIVERSE);
	listens(host, "192.0.2.1", 5900);
	listens(host, "10.0.0.1", 5900)->uid = 1000;
	expect(host, 2, "-p mail,ssh",
	       "portcullis: eth0: the server on 5900/tcp would become unreachable: mail:vnc is for local use only; to open it: --from mail:vnc=admins --group admins=PREFIX\n");
	/* Servers of system accounts are, also of an account that systemd made. */
	host = plain_host();
	listens(host, "0.0.0.0", 5900)->uid = 61184;
	expect(host, 2, "-p ssh --set ssh:ssh=22/tcp",
	       "portcullis: eth0: the server on 5900/tcp would become unreachable: no chosen profile opens 5900/tcp; to open it: --set ssh:ssh=22/tcp,5900/tcp\n");
	/* And the desktop session that the caller uses. */
	host = plain_host();
	host->world.caller = 1000;
	listens(host, "0.0.0.0", 5900)->uid = 1000;
	connected(host, "192.0.2.1", 5900, "198.51.2.9", 60000);
	expect(host, 2, "-p ssh",
	       "portcullis: eth0: the server on 5900/tcp would become unreachable: no chosen profile opens 5900/tcp; to open it: --set ssh:ssh=22/tcp,5900/tcp\n" REFUSED
	       "1 to 5900/tcp at eth0\n");
	/* A user's own connection from a watched port does not belong to the server of another
	 * family.
	 */
	host = plain_host();
	host->world.servers = 0;
	listens(host, "::", 5900)->only_ipv6 = true;
	connected(host, "192.0.2.1", 5900, "198.51.2.9", 40000);
	expect(host, 2, NOT_ADMITTED, "");
}

/* A login is a reason to refuse; its address is named in the fix only if a group admitted it. */
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
		"portcullis: eth0: 2 logins to 22/tcp (from 198.51.2.9, 198.51.2.200) could not be re-established: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,198.51.2.9/32,PREFIX\n" REFUSED
		"1 to 22/tcp at eth0\n");
	json_decref(kept);

	run = run_on(plain_host());
	connected(run.host, "192.0.2.1", 22, "198.51.2.9", 40000);
	plan_for(&run, 2, NOT_ADMITTED);
	expect_run(
		&run, GUARD_OTHERS,
		"portcullis: eth0: 1 login to 22/tcp (from 198.51.2.9) could not be re-established: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,PREFIX\n");
}

/* With a fallback only the caller's own session is a reason to refuse; `confirm` checks nothing
 * else. */
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
				 guard_decide(&guard_swap, run.target, 1, NULL, run.mode,
					      &run.host->world, &run.diag));
		/* The messages: the session, the other server, and the line of connections. */
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
	/* A process above the caller holds the session, as telnetd does; one that serves many peers
	 * proves nothing. */
	listens(host, "0.0.0.0", 80);
	connected(host, "192.0.2.1", 80, "198.51.2.9", 60000);
	host->session[0].inode = 101;
	ancestor = (struct ancestor){one, ARRAY_SIZE(one)};
	host->world.own = (struct sessions){.ancestor = &ancestor, .ancestors = 1};
	expect(host, 2, "-p ssh",
	       "portcullis: eth0: your own session to 80/tcp (from 198.51.2.9) could not be re-established: no chosen profile opens 80/tcp; to open it: --set ssh:ssh=22/tcp,80/tcp\n");
	host = plain_host();
	host->world.servers = 0;
	listens(host, "0.0.0.0", 80);
	connected(host, "192.0.2.1", 80, "198.51.2.9", 60000);
	host->session[0].inode = 101;
	ancestor = (struct ancestor){both, ARRAY_SIZE(both)};
	host->world.own = (struct sessions){.ancestor = &ancestor, .ancestors = 1};
	expect(host, 2, "-p ssh", REFUSED "1 to 80/tcp at eth0\n");

	/* SSH_CONNECTION of a session that has ended: another login of the same account counts as
	 * the caller's.
	 */
	for (__u32 caller = 1001; caller <= 1002; caller++) {
		host = plain_host();
		connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
		is_own(host, "198.51.2.9 39999 192.0.2.1 22");
		host->world.caller = caller;
		expect(host, 2, NOT_ADMITTED,
		       caller == 1001 ?
			       "portcullis: eth0: your own session to 22/tcp (from 198.51.2.9) could not be re-established: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,198.51.2.9/32\n" :
			       "portcullis: eth0: 1 login to 22/tcp (from 198.51.2.9) could not be re-established: ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,PREFIX\n");
	}
	/* The named session was not accepted by the server: another socket has the same ends. */
	host = plain_host();
	connected(host, "192.0.2.1", 22, "198.51.2.9", 40000);
	host->session[0].inode = 0;
	is_own(host, "198.51.2.9 40000 192.0.2.1 22");
	expect(host, 2, NOT_ADMITTED, REFUSED "1 to 22/tcp at eth0\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_session),
		cmocka_unit_test(test_admitted),
		cmocka_unit_test(test_granted),
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
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_own_by_other_ways),
	};

	return cmocka_run_group_tests_name("guard/decide", tests, set_up, tear_down);
}
