// SPDX-License-Identifier: GPL-2.0
/* Sessions through this host to machines behind it: which are a reason to refuse, and which only
 * give a warning. */
#include "loader/guard/through.h"

#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/recipe_json.h"
#include "tests/unit/expect.h"
#include "tests/unit/guard/made_host.h"

#define BEFORE                                                                               \
	"-p ssh --group mgmt=192.0.2.0/28 --machine vm=10.0.0.9 -p ssh --from ssh:ssh=mgmt " \
	"--open 3389/tcp=mgmt"

/* The kept text of a plan. */
static json_t *kept_of(const struct plan *plan)
{
	const struct composition *composition = &plan->composition;
	json_t *kept = json_pack("{s:o, s:o, s:o}", "recipe", recipe_json(composition->recipe),
				 "profiles", composition_json(composition), "machines",
				 kept_machines_json(composition));

	assert_true(!composition->machines || kept_expand(kept));
	return kept;
}

static struct socket_info session(const char *remote, const char *local, __u16 port)
{
	struct socket_info session = {
		.protocol = IPPROTO_TCP, .local_port = port, .remote_port = 50000};

	session.family = read_address(remote, session.remote);
	read_address(local, session.local);
	return session;
}

static void test_sessions(void **state)
{
	static const struct {
		const char *after, *remote, *local;
		__u16 port;
		enum guard_mode mode;
		const char *said; /* a part of the message; "": no message */
		bool stops;
	} cases[] = {
		{BEFORE, "192.0.2.5", "10.0.0.9", 3389, GUARD_STOP, "", false},
		/* Its port is closed, so the administrator could not connect again. */
		{"-p ssh --machine vm=10.0.0.9 -p ssh", "192.0.2.5", "10.0.0.9", 3389, GUARD_STOP,
		 "eth0: 1 session through this host to 3389/tcp of machine vm (from 192.0.2.5) could not be re-established; --machine vm --open 3389/tcp=GROUP opens the port",
		 true},
		{"-p ssh --machine vm=10.0.0.9 -p ssh", "192.0.2.5", "10.0.0.9", 3389,
		 GUARD_CONFIRM, "warning: eth0: 1 session through", false},
		/* The machine is removed, so the interface's own profiles decide. */
		{"-p two --disable two:a", "192.0.2.5", "10.0.0.9", 22, GUARD_STOP,
		 "eth0: 1 session through this host to 22/tcp (from 192.0.2.5)", true},
		/* No group admits this stranger, who must not be able to prevent a command. */
		{"-p ssh --machine vm=10.0.0.9 -p ssh", "192.0.2.77", "10.0.0.9", 3389, GUARD_STOP,
		 "warning: eth0: 1 session", false},
		/* Another port, another machine that has it, observe. */
		{"-p ssh --machine vm=10.0.0.9 -p two", "192.0.2.5", "10.0.0.9", 8080, GUARD_STOP,
		 "", false},
		{"-p ssh --observe --machine vm=10.0.0.9 -p ssh", "192.0.2.5", "10.0.0.9", 3389,
		 GUARD_STOP, "", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(run_end) struct run run = run_on(plain_host());
		const struct socket_info one =
			session(cases[i].remote, cases[i].local, cases[i].port);
		const struct through through = {&one, 1, true};
		__free_text char *text = NULL;
		enum guard_found found;
		json_t *kept;

		plan_for(&run, 2, BEFORE);
		plan_for(&run, 2, cases[i].after);
		kept = kept_of(&run.plan[0]);
		run.target[1].kept = kept;
		found = guard_through(&guard_swap, &run.target[1], 1, NULL, cases[i].mode, &through,
				      &run.host->world, &run.diag);
		text = said(&run.diag);
		if (!strstr(text, cases[i].said) || (!*cases[i].said && *text) ||
		    (found == GUARD_OTHERS) != cases[i].stops)
			print_error("case %zu said: %s\n", i, text);
		assert_true(*cases[i].said ? strstr(text, cases[i].said) != NULL : !*text);
		assert_int_equal(found, cases[i].stops ? GUARD_OTHERS : GUARD_NOTHING);
		json_decref(kept);
	}
}

/* The fix has the form that the command accepts. */
static void test_site_file(void **state)
{
	__cleanup(run_end) struct run run = run_on(plain_host());
	const struct socket_info one = session("192.0.2.5", "10.0.0.9", 3389);
	const struct through through = {&one, 1, true};
	__free_text char *text = NULL;

	(void)state;
	plan_for(&run, 2, "-p ssh --machine vm=10.0.0.9 -p ssh");
	guard_through(&guard_apply, &run.target[0], 1, NULL, GUARD_WARN, &through, &run.host->world,
		      &run.diag);
	text = said(&run.diag);
	assert_non_null(strstr(
		text,
		"; machines: {vm: {open: {3389/tcp: GROUP}}} in the site file opens the port"));
}

static void test_unknown(void **state)
{
	__cleanup(run_end) struct run run = run_on(plain_host());
	const struct through none = {NULL, 0, false};
	__free_text char *text = NULL;

	(void)state;
	plan_for(&run, 2, BEFORE);
	assert_int_equal(guard_through(&guard_swap, run.target, 1, NULL, GUARD_STOP, &none,
				       &run.host->world, &run.diag),
			 GUARD_NOTHING);
	text = said(&run.diag);
	assert_non_null(strstr(text, "sessions through this host to its machines are not known"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_sessions),
						  cmocka_unit_test(test_site_file),
						  cmocka_unit_test(test_unknown)};

	return cmocka_run_group_tests_name("guard/through", tests, set_up, tear_down);
}
