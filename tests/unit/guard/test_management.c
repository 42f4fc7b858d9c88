// SPDX-License-Identifier: GPL-2.0
/* Management ports: which are watched, and which give a warning when they are open. */
#include "loader/guard/management.h"

#include "loader/base/message.h"
#include "tests/unit/guard/made_host.h"

static char *heard;

static void take(void *context, bool is_error, const char *text, const char *fix)
{
	char *old = heard;

	(void)context;
	assert_false(is_error);
	assert_null(fix);
	heard = xasprintf("%s%s\n", old ? old : "", text);
	free(old);
}

static void expect_warned(const char *options, const char *expected)
{
	struct run run = run_on(plain_host());

	plan_for(&run, 2, options);
	messages_to(take, NULL);
	management_warn_open(NULL, &run.plan[0]);
	messages_to(NULL, NULL);
	if (strcmp(heard ? heard : "", expected))
		fail_msg("%s: said:\n%sexpected:\n%s", options, heard ? heard : "", expected);
	text_free(&heard);
	run_end(&run);
}

static void test_warnings(void **state)
{
	static const struct {
		const char *options, *said;
	} cases[] = {
		{"-p ssh", "22/tcp is open to anyone by ssh:ssh\n"},
		{"-p mail", ""},
		{"-p ssh --disable ssh:ssh", ""},
		{"-p ssh --from ssh:ssh=a --group a=10.0.0.0/8", ""},
		{"-p ssh --from ssh:ssh=a --group a=0.0.0.0/0",
		 "22/tcp is open to anyone over IPv4 by ssh:ssh\n"},
		{"-p ssh --from ssh:ssh=a --group a=::/0",
		 "22/tcp is open to anyone over IPv6 by ssh:ssh\n"},
		{"-p ssh --from ssh:ssh=a --group a=::/0,0.0.0.0/0",
		 "22/tcp is open to anyone by ssh:ssh\n"},
		/* Two groups that together contain every address. */
		{"-p ssh --from ssh:ssh=a,b --group a=0.0.0.0/1 --group b=128.0.0.0/1",
		 "22/tcp is open to anyone over IPv4 by ssh:ssh\n"},
		{"-p ssh --from ssh:ssh=a,b --group a=0.0.0.0/1 --group b=128.0.0.0/2", ""},
		/* The services in the warning: only those that add a source. */
		{"-p ssh,two --from ssh:ssh=a --group a=0.0.0.0/0",
		 "22/tcp is open to anyone by ssh:ssh, two:a\n"},
		{"-p two,ssh --from ssh:ssh=a --group a=0.0.0.0/0",
		 "22/tcp is open to anyone by two:a\n"},
		{"-p ssh,two --from ssh:ssh=a --from two:a=b --group a=0.0.0.0/0 --group b=::/0",
		 "22/tcp is open to anyone by ssh:ssh, two:a\n"},
		{"-p ssh,two --from ssh:ssh=a --from two:a=b --group a=0.0.0.0/0 --group b=0.0.0.0/0",
		 "22/tcp is open to anyone over IPv4 by ssh:ssh\n"},
		/* Each of the ports, by its protocol. */
		{"-p ssh --set ssh:ssh=161/udp,161/tcp,3389/tcp",
		 "161/udp is open to anyone by ssh:ssh\n3389/tcp is open to anyone by ssh:ssh\n"},
		{"-p ssh --set ssh:ssh=22/udp,161/tcp", ""},
		/* What is for administration by its name or title, but on one of the ports. */
		{"-p panel --group trusted=10.0.0.0/8",
		 "22/tcp is open to anyone by panel:ssh-admin\n"
		 "8443/tcp is open to anyone by panel:web: it is for administration\n"},
		{"-p panel --group trusted=0.0.0.0/0 --disable panel:web --disable panel:ssh-admin",
		 "9090/tcp is open to anyone over IPv4 by panel:admin: it is for administration\n"},
		{"-p panel --enable panel:ends --group trusted=10.0.0.0/8 --disable panel:web --disable panel:ssh-admin",
		 "21/tcp is open to anyone by panel:ftp-admin: FTP sends passwords unencrypted\n"
		 "5986/tcp is open to anyone by panel:remote-admin\n"},
		/* Machines with the same recipe are one. */
		{"-p mail --machine a=198.51.100.1 -p ssh --machine b=198.51.100.2 -p ssh --machine c=198.51.100.3 -p two",
		 "machine a: 22/tcp is open to anyone by ssh:ssh\n"
		 "machine c: 22/tcp is open to anyone by two:a\n"},
		{"-p mail --from mail:vnc=a --group a=0.0.0.0/0",
		 "5900/tcp is open to anyone over IPv4 by mail:vnc\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_warned(cases[i].options, cases[i].said);
}

static void test_watched(void **state)
{
	static const __u16 logins[] = {22, 23, 3389, 5900, 5985, 5986};
	struct ports given = {0}, none = {0};
	char *why = NULL;
	size_t watched = 0;

	(void)state;
	for (unsigned int port = 0; port < 65536; port++) {
		watched += management_watched(NULL, PC_TCP, (__u16)port);
		assert_false(management_watched(NULL, PC_UDP, (__u16)port));
	}
	assert_int_equal(watched, ARRAY_SIZE(logins));
	for (size_t i = 0; i < ARRAY_SIZE(logins); i++)
		assert_true(management_watched(NULL, PC_TCP, logins[i]));
	/* The site's list replaces the built-in one. */
	assert_int_equal(ports_parse("161/udp", &given, &why), 0);
	assert_true(management_watched(&given, PC_UDP, 161));
	assert_false(management_watched(&given, PC_TCP, 161));
	assert_false(management_watched(&given, PC_TCP, 22));
	assert_false(management_watched(&none, PC_TCP, 22));
	ports_free(&given);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_watched),
	};

	return cmocka_run_group_tests_name("guard/management", tests, set_up, tear_down);
}
