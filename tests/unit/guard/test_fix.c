// SPDX-License-Identifier: GPL-2.0
/* The options that would admit a peer. */
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/guard/fix.h"
#include "loader/guard/reach.h"
#include "loader/guard/world.h"
#include "loader/net/sockets.h"
#include "tests/unit/expect.h"
#include "tests/unit/guard/made_host.h"

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
		 "ssh:ssh is disabled; to open it: leave out --disable ssh:ssh (--fresh discards the settings of earlier commands)"},
		{22, &guard_attach, "-p ssh --from ssh:ssh=trusted --group trusted=10.0.0.0/8",
		 "ssh:ssh admits only trusted; to open it: --group trusted=10.0.0.0/8,198.51.2.9/32"},
		{22, &guard_attach,
		 "-p ssh --from ssh:ssh=t --group t=10.0.0.0/8,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8",
		 "ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,198.51.2.9/32"},
		{22, &guard_attach,
		 "-p ssh --from ssh:ssh=t --group t=10.0.0.0/8,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8",
		 "ssh:ssh admits only t; to open it: add 198.51.2.9/32 to the group t"},
		{2200, &guard_attach, "-p mail",
		 "mail:shell is off: feature shell is not enabled; to open it: --enable mail:shell --group trusted=198.51.2.9/32"},
		{2200, &guard_attach, "-p mail --enable shell",
		 "mail:shell admits only trusted, which is not defined; to open it: --group trusted=198.51.2.9/32"},
		{5900, &guard_attach, "-p mail",
		 "mail:vnc is for local use only; to open it: --from mail:vnc=admins --group admins=198.51.2.9/32"},
		{23, &guard_attach, "-p mail",
		 "mail:near admits only link-local; to open it: --from mail:near=link-local,admins --group admins=198.51.2.9/32"},
		{2222, &guard_attach, "-p mail",
		 "no chosen profile opens 2222/tcp; to open it: -p mail,ssh --set ssh:ssh=2222/tcp"},
		{2222, &guard_attach, "-p ssh --set ssh:ssh=23/tcp",
		 "no chosen profile opens 2222/tcp; to open it: --set ssh:ssh=23/tcp,2222/tcp"},
		{1002, &guard_attach, "-p mail",
		 "no chosen profile opens 1002/tcp; to open it: -p mail,ssh --set ssh:ssh=1002/tcp"},
		{2222, &guard_swap, "-p mail --open 2222/tcp --disable site:2222-tcp",
		 "site:2222-tcp is disabled; to open it: leave out --disable site:2222-tcp (--fresh discards the settings of earlier commands)"},
		{2222, &guard_attach, "-p mail --open 2222/tcp=t --group t=10.0.0.0/8",
		 "site:2222-tcp admits only t; to open it: --group t=10.0.0.0/8,198.51.2.9/32"},
		{22, &guard_apply, "-p mail",
		 "no chosen profile opens 22/tcp; to open it in the site file: profiles: [mail, ssh]"},
		{5900, &guard_apply, "-p mail",
		 "mail:vnc is for local use only; to open it in the site file: from: {mail:vnc: [admins]}, groups: {admins: [198.51.2.9/32]}"},
		{22, &guard_apply, "-p ssh --disable ssh:ssh",
		 "ssh:ssh is disabled; to open it in the site file: leave out disable: ssh:ssh"},
	};
	struct socket_info peer = {.family = AF_INET, .remote = {198, 51, 2, 9}};
	const struct guard_peer list[] = {{&peer, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guard_need need = {PC_TCP, cases[i].port, list, 1, false, NULL};
		struct run run = run_on(plain_host());
		__free_text char *fix = NULL;

		plan_for(&run, 2, cases[i].options);
		fix = guard_fix(cases[i].command, run.target, &need);
		assert_string_equal(fix, cases[i].fix);
		run_end(&run);
	}
}

/* A port that no profile has, and that is not a login port, is opened by itself. */
static void test_fix_opens(void **state)
{
	struct socket_info peer = {.family = AF_INET, .remote = {198, 51, 2, 9}};
	const struct guard_peer list[] = {{&peer, true}};
	struct guard_need need = {PC_UDP, 2222, list, 1, false, NULL};
	struct run run = run_on(plain_host());
	__free_text char *options = NULL, *site = NULL;

	(void)state;
	plan_for(&run, 2, "-p mail");
	options = guard_fix(&guard_attach, run.target, &need);
	assert_string_equal(options,
			    "no chosen profile opens 2222/udp; to open it: --open 2222/udp");
	site = guard_fix(&guard_apply, run.target, &need);
	assert_string_equal(
		site,
		"no chosen profile opens 2222/udp; to open it in the site file: open: [2222/udp]");
	run_end(&run);
}

/* Adds only peers that are not in the group yet, of both families. */
static void test_fix_of_many(void **state)
{
	struct socket_info peer[] = {{.family = AF_INET, .remote = {198, 51, 2, 9}},
				     {.family = AF_INET, .remote = {10, 0, 0, 1}},
				     {.family = AF_INET6, .remote = {0xfe, 0x80, [15] = 1}}};
	struct guard_peer list[] = {{&peer[0], true}, {&peer[1], false}, {&peer[2], true}};
	struct guard_need need = {PC_TCP, 22, list, 3, false, NULL};
	struct run run = run_on(plain_host());
	__free_text char *fix = NULL;

	(void)state;
	plan_for(&run, 2, "-p ssh --from ssh:ssh=t --group t=10.0.0.0/8");
	fix = guard_fix(&guard_attach, run.target, &need);
	assert_string_equal(
		fix,
		"ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,198.51.2.9/32,fe80::1/128");
	free(fix);
	/* An address that must not be shown. */
	list[0].named = false;
	fix = guard_fix(&guard_attach, run.target, &need);
	assert_string_equal(
		fix, "ssh:ssh admits only t; to open it: --group t=10.0.0.0/8,fe80::1/128,PREFIX");
	run_end(&run);
}

/* For `explain`: words that make a whole command, and keys of the site file. */
static void test_whole(void **state)
{
	static const struct {
		__u16 port;
		const char *options, *words, *keys;
	} cases[] = {
		{22, "-p mail", "-p mail,ssh", "profiles: [mail, ssh]"},
		{22, "-p mail,ssh", "", ""},
		{22, "-p ssh --disable ssh:ssh", "--no-disable ssh:ssh",
		 "leave out disable: ssh:ssh"},
		{2222, "-p mail", "--open 2222/tcp", "open: [2222/tcp]"},
		{2200, "-p mail", "--enable mail:shell --group trusted=198.51.2.9/32",
		 "enable: [mail:shell], groups: {trusted: [198.51.2.9/32]}"},
		{5900, "-p mail", "--from mail:vnc=admitted --group admitted=198.51.2.9/32",
		 "from: {mail:vnc: [admitted]}, groups: {admitted: [198.51.2.9/32]}"},
		{5900, "-p mail --group admitted=10.0.0.1,10.0.0.3",
		 "--from mail:vnc=admitted-2 --group admitted-2=198.51.2.9/32",
		 "from: {mail:vnc: [admitted-2]}, groups: {admitted-2: [198.51.2.9/32]}"},
		{22, "-p ssh --from ssh:ssh=trusted --group trusted=10.0.0.0/8",
		 "--group trusted=10.0.0.0/8,198.51.2.9/32",
		 "groups: {trusted: [10.0.0.0/8,198.51.2.9/32]}"},
		/* A group of many prefixes stays as it is. */
		{22,
		 "-p ssh --from ssh:ssh=t --group t=10.0.0.0/8,11.0.0.0/8,12.0.0.0/8,13.0.0.0/8,14.0.0.0/8",
		 "--from ssh:ssh=t,admitted --group admitted=198.51.2.9/32",
		 "from: {ssh:ssh: [t,admitted]}, groups: {admitted: [198.51.2.9/32]}"},
	};
	struct socket_info peer = {.family = AF_INET, .remote = {198, 51, 2, 9}};
	const struct guard_peer list[] = {{&peer, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guard_need need = {PC_TCP, cases[i].port, list, 1, false, NULL};
		__cleanup(guard_opening_free) struct guard_opening words = {}, keys = {};
		struct run run = run_on(plain_host());

		plan_for(&run, 2, cases[i].options);
		assert_true(guard_open(&guard_explain, run.target, &need, &words));
		assert_string_equal(words.words, cases[i].words);
		assert_true(guard_open(&guard_explain_site, run.target, &need, &keys));
		assert_string_equal(keys.words, cases[i].keys);
		run_end(&run);
	}
}

/* Outgoing packets: by services that list the remote port, else everything may go out. */
static void test_out(void **state)
{
	static const struct {
		__u16 port;
		const char *options, *words, *keys;
	} cases[] = {
		{25, "-p out", "--group relays=198.51.2.9/32", "groups: {relays: [198.51.2.9/32]}"},
		{443, "-p out", "--enable out:web", "enable: [out:web]"},
		{22, "-p out", "--outbound track", "outbound: track"},
	};
	struct socket_info peer = {.family = AF_INET, .remote = {198, 51, 2, 9}};
	const struct guard_peer list[] = {{&peer, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct guard_need need = {PC_TCP, cases[i].port, list, 1, true, NULL};
		__cleanup(guard_opening_free) struct guard_opening words = {}, keys = {};
		struct run run = run_on(plain_host());
		__free_text char *options = xasprintf("%s --outbound enforce", cases[i].options);

		plan_for(&run, 2, options);
		assert_true(guard_open(&guard_explain, run.target, &need, &words));
		assert_string_equal(words.words, cases[i].words);
		assert_true(guard_open(&guard_explain_site, run.target, &need, &keys));
		assert_string_equal(keys.words, cases[i].keys);
		run_end(&run);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixes),	    cmocka_unit_test(test_fix_opens),
		cmocka_unit_test(test_fix_of_many), cmocka_unit_test(test_whole),
		cmocka_unit_test(test_out),
	};

	return cmocka_run_group_tests_name("guard/fix", tests, set_up, tear_down);
}
