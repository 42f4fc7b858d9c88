// SPDX-License-Identifier: GPL-2.0
/* The composition of a recipe and a catalog: each service open, or closed and why. */
#include <errno.h>

#include "loader/base/memory.h"
#include "loader/recipe/compose.h"
#include "loader/recipe/recipe.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/composing.h"

static void test_plain(void **state)
{
	__cleanup(finish) struct run run;

	(void)state;
	compose_well(&run, NONE);
	assert_int_equal(run.composition.profiles, 2);
	assert_string_equal(run.composition.profile[0]->name, "mail");
	assert_string_equal(run.composition.profile[1]->name, "base");
	expect_state(&run, "mail", "smtp", "in 25/tcp open");
	expect_state(&run, "mail", "imap", "in 143/tcp,993/tcp feature");
	expect_state(&run, "mail", "admin", "in 8443/tcp group");
	expect_state(&run, "mail", "relay", "both 2525/tcp group");
	expect_state(&run, "mail", "sip", "in 5060/tcp,5060/udp open; out 5060/udp group");
	expect_state(&run, "mail", "fetch", "out 110/tcp open");
	expect_state(&run, "mail", "db", "in 3306/tcp local");
	expect_state(&run, "mail", "plugin", "in  dynamic");
	expect_state(&run, "mail", "doc", "in  no-ports");
	expect_state(&run, "base", "dhcp", "in 68/udp open");
	expect_state(&run, "base", "dhcpv6", "in 546/udp open");
	expect_said(
		&run.diag,
		"portcullis: warning: mail: admin, tftp, relay, sip:out are closed: groups trusted, phones, cluster, pbx are not defined; define them with --group trusted=PREFIX --group phones=PREFIX --group cluster=PREFIX --group pbx=PREFIX\n");
}

/* One line of output, or none, for options that give a valid composition. */
static void test_warnings(void **state)
{
	static const struct {
		const char *const option[7];
		const char *said;
	} cases[] = {
		{{"--profile base"}, ""},
		{{"--profile other"},
		 "warning: other: web is closed: group browsers is not defined; define it with --group browsers=PREFIX"},
		/* Of several groups, the defined ones count. */
		{{"--group trusted=10.0.0.0/8", "--group cluster=10.0.0.0/8", "--group pbx=::/0"},
		 ""},
		{{"--group phones=10.0.0.0/8", "--group cluster=10.0.0.0/8", "--group pbx=::/0"},
		 "warning: mail: admin is closed: group trusted is not defined; define it with --group trusted=PREFIX"},
		{{"--group trusted=10.0.0.0/8", "--group pbx=::/0"},
		 "warning: mail: relay is closed: group cluster is not defined; define it with --group cluster=PREFIX"},
		/* A service closed for another reason needs no group. */
		{{"--disable mail:admin", "--disable mail:tftp", "--disable mail:relay",
		  "--disable mail:sip"},
		 ""},
		{{"--profile other", "--from other:web=link-local"}, ""},
		{{"--profile other", "--from other:web=trusted"},
		 "warning: other: web is closed: group trusted is not defined; define it with --group trusted=PREFIX"},
		{{"--profile other", "--from other:web=mine", "--group mine=::/0"}, ""},
		/* Former names work, with a message. */
		{{"--group trusted=::/0", "--group cluster=::/0", "--group pbx=::/0",
		  "--enable mail-read"},
		 "--enable: warning: the feature mail:mail-read is now named mail:imap"},
		{{"--group trusted=::/0", "--group cluster=::/0", "--group pbx=::/0",
		  "--set mail:imap4=993/tcp"},
		 "--set: warning: mail:imap4 is now named mail:imap"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *expected =
			*cases[i].said ? xasprintf("portcullis: %s\n", cases[i].said) : xstrdup("");
		__cleanup(finish) struct run run;

		compose_with(&run, false, cases[i].option);
		expect_said(&run.diag, expected);
		assert_int_equal(run.result, 0);
	}
}

#define MORE "; --open PORT/PROTO opens any other port ('open:' in the site file)"

static void test_errors(void **state)
{
	static const struct {
		const char *const option[4];
		const char *said;
	} cases[] = {
		{{"--profile mial"}, "unknown profile 'mial'; did you mean 'mail'?"},
		{{"--enable imab"},
		 "--enable: no chosen profile has the feature 'imab'; did you mean 'imap'?"},
		{{"--enable xyzzy"},
		 "--enable: no chosen profile has the feature 'xyzzy'; to list them: portcullis show PROFILE"},
		{{"--enable mail:ntp"},
		 "--enable: mail has no feature 'ntp'; to list them: portcullis show mail"},
		{{"--enable base:nto"}, "--enable: base has no feature 'nto'; did you mean 'ntp'?"},
		{{"--enable bass:ntp"},
		 "--enable: no chosen profile is named 'bass'; did you mean 'base'?"},
		{{"--enable maiil:ntp"},
		 "--enable: no chosen profile is named 'maiil'; did you mean 'mail'?"},
		{{"--enable other:ntp"}, "--enable: no chosen profile is named 'other'"},
		{{"--disable mail:smpt"},
		 "--disable: mail has no service 'smpt'; did you mean 'smtp'?"},
		{{"--disable other:web"}, "--disable: no chosen profile is named 'other'"},
		{{"--set mail:smtp=26/tcp"},
		 "--set: mail:smtp is fixed by the vendor (25/tcp) and cannot be moved" MORE},
		{{"--set mail:smtp:out=26/tcp"},
		 "--set: mail:smtp is fixed by the vendor (25/tcp) and cannot be moved" MORE},
		{{"--set mail:imap:out=26/tcp"},
		 "--set: mail:imap has no direction out; write mail:imap:in=PORTS"},
		{{"--set mail:plugin:out=26/tcp"},
		 "--set: mail:plugin has no direction out; write mail:plugin:in=PORTS"},
		{{"--set mail:fetch:in=26/tcp"},
		 "--set: mail:fetch has no direction in; write mail:fetch:out=PORTS"},
		{{"--set mail:doc=26/tcp"},
		 "--set: mail:doc uses no ports, so none can be set" MORE},
		{{"--set base:dhcp=68/tcp+udp"},
		 "--set: base:dhcp admits source port 67/udp only, which is of another protocol than 68/tcp, 68/udp"},
		{{"--from mail:fetch=trusted"},
		 "--from: mail:fetch listens on no port, so there are no clients to restrict"},
		{{"--from mail:doc=trusted"},
		 "--from: mail:doc listens on no port, so there are no clients to restrict"},
		{{"--from mail:db=trustd"},
		 "--from: no such group 'trustd'; did you mean 'trusted'? define it with --group trustd=PREFIX"},
		{{"--from mail:db=xyzzy"},
		 "--from: no such group 'xyzzy'; define it with --group xyzzy=PREFIX"},
		{{"--from mail:db=offices", "--group office=::/0"},
		 "--from: no such group 'offices'; did you mean 'office'? define it with --group offices=PREFIX"},
		{{"--set mail:smpt=26/tcp"},
		 "--set: mail has no service 'smpt'; did you mean 'smtp'?"},
		{{"--set mail:xyzzy=26/tcp"},
		 "--set: mail has no service 'xyzzy'; to list them: portcullis show mail" MORE},
		{{"--from mail:db=anyone"},
		 "--from: mail:db is for local use only and cannot be opened to anyone; name a group"},
		{{"--open 587/tcp=offices", "--group office=::/0"},
		 "--open: no such group 'offices'; did you mean 'office'? define it with --group offices=PREFIX"},
		{{"--from site:587-tcp=trusted"},
		 "--from: no port is opened beside the profiles, so 'site' has no service; to fix it: --open PORT/PROTO"},
		{{"--open 587/tcp", "--disable site:588-tcp"},
		 "--disable: site has no service '588-tcp': the open ports are 587-tcp; to fix it: --open PORT/PROTO"},
		{{"--open 587/tcp", "--set site:587-tcp=588/tcp"},
		 "--set: site:587-tcp is named by its port, which cannot be set" MORE},
		{{"--open 587/tcp", "--enable site:x"}, "--enable: site has no feature 'x'"},
		{{"--profile site"},
		 "'site' is the name of the ports that --open opens, not of a profile"},
		/* All errors in one run, and no message about groups while there are others. */
		{{"--enable imab", "--disable mail:x"},
		 "--enable: no chosen profile has the feature 'imab'; did you mean 'imap'?\n"
		 "portcullis: --disable: mail has no service 'x'; to list them: portcullis show mail"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *expected = xasprintf("portcullis: %s\n", cases[i].said);
		__cleanup(finish) struct run run;

		compose_with(&run, false, cases[i].option);
		expect_said(&run.diag, expected);
		assert_int_equal(run.result, -EINVAL);
	}
}

static void test_strict(void **state)
{
	__cleanup(finish) struct run closed, open;

	(void)state;
	compose_with(&closed, true, OPTIONS("--profile other"));
	assert_int_equal(closed.result, -EINVAL);
	expect_said(
		&closed.diag,
		"portcullis: other: web is closed: group browsers is not defined; define it with --group browsers=PREFIX\n");
	compose_with(&open, true, OPTIONS("--profile other", "--group browsers=::/0"));
	assert_int_equal(open.result, 0);
}

static void test_set(void **state)
{
	static const struct {
		const char *const option[4];
		const char *service, *state;
	} cases[] = {
		{{"--set mail:imap=1143/tcp"}, "imap", "in 1143/tcp feature"},
		{{"--set mail:imap=1143/tcp", "--enable imap"}, "imap", "in 1143/tcp open"},
		{{"--set mail:plugin=7000-7009/tcp"}, "plugin", "in 7000-7009/tcp feature"},
		{{"--set mail:plugin:in=7000/tcp", "--enable plugins"},
		 "plugin",
		 "in 7000/tcp open"},
		{{"--enable plugins"}, "plugin", "in  dynamic"},
		{{"--set mail:fetch=995/tcp"}, "fetch", "out 995/tcp open"},
		{{"--set mail:relay=26/tcp"}, "relay", "both 26/tcp group"},
		{{"--set mail:relay:in=26/tcp"}, "relay", "in 26/tcp group; out 2525/tcp group"},
		{{"--set mail:relay=26/tcp", "--set mail:relay:out=27/tcp"},
		 "relay",
		 "in 26/tcp group; out 27/tcp group"},
		{{"--set mail:sip:out=5060/tcp+udp", "--group pbx=::/0"},
		 "sip",
		 "both 5060/tcp,5060/udp open"},
		{{"--set mail:sip:out=5060/tcp+udp"}, "sip", "both 5060/tcp,5060/udp group"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(finish) struct run run;

		compose_well(&run, cases[i].option);
		expect_state(&run, "mail", cases[i].service, cases[i].state);
	}
}

/* The first of disabled, no-ports, dynamic, feature, local, group that holds. */
static void test_why_closed(void **state)
{
	static const char *const why[] = {NULL,	     "disabled", "no-ports", "dynamic",
					  "feature", "local",	 "group"};
	static const struct {
		const char *keys; /* of the service "x" */
		const char *option[4];
		const char *state;
	} cases[] = {
		{"note: none", {"--disable p:x"}, "in  disabled"},
		{"note: none", {NULL}, "in  no-ports"},
		{"{dynamic: true, feature: f, local: true}", {"--disable p:x"}, "in  disabled"},
		{"{dynamic: true, feature: f, local: true}", {NULL}, "in  dynamic"},
		{"{dynamic: true, feature: f, local: true}",
		 {"--set p:x=1/tcp"},
		 "in 1/tcp feature"},
		{"{dynamic: true, feature: f, local: true}",
		 {"--set p:x=1/tcp", "--enable f"},
		 "in 1/tcp local"},
		{"{in: 1/tcp, feature: f, local: true}",
		 {"--disable p:x", "--enable f"},
		 "in 1/tcp disabled"},
		{"{in: 1/tcp, feature: f, local: true}", {NULL}, "in 1/tcp feature"},
		{"{in: 1/tcp, feature: f, from: g}", {NULL}, "in 1/tcp feature"},
		{"{in: 1/tcp, feature: f, from: g}", {"--enable p:f"}, "in 1/tcp group"},
		{"{in: 1/tcp, local: true}", {NULL}, "in 1/tcp local"},
		{"{in: 1/tcp, local: true, from: g}", {NULL}, "in 1/tcp local"},
		{"{in: 1/tcp, local: true, from: g}", {"--group g=::/0"}, "in 1/tcp local"},
		{"{in: 1/tcp, local: true}", {"--from p:x=trusted"}, "in 1/tcp group"},
		{"{in: 1/tcp, local: true}",
		 {"--from p:x=trusted", "--group trusted=::/0"},
		 "in 1/tcp open"},
		{"{in: 1/tcp, out: 1/tcp, from: g}", {NULL}, "both 1/tcp group"},
		{"{out: 1/tcp, to: g}", {NULL}, "out 1/tcp group"},
		{"{out: 1/tcp, to: [g, h]}", {"--group h=::/0"}, "out 1/tcp open"},
		{"{in: 1/tcp, out: 1/tcp, from: g, to: g}", {"--group g=::/0"}, "both 1/tcp open"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(why); i++) {
		if (why[i])
			assert_string_equal(why_closed_name[i], why[i]);
		else
			assert_null(why_closed_name[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool flow = *cases[i].keys == '{';
		__free_text char *text = xasprintf(
			"profile: other\nservices:\n  - %s%s\n  - {name: y, in: 9/tcp, from: trusted}\n",
			flow ? "{name: x, " : "name: x\n    ", cases[i].keys + flow);
		const char *option[6] = {"--profile other"};
		__cleanup(finish) struct run run;

		write_profile("other", text);
		for (size_t j = 0; cases[i].option[j]; j++) {
			/* p stands for the profile */
			char *p = strstr(cases[i].option[j], "p:");
			char *word = p ? xasprintf("%.*sother%s", (int)(p - cases[i].option[j]),
						   cases[i].option[j], p + 1) :
					 xstrdup(cases[i].option[j]);

			option[j + 1] = word;
		}
		compose_well(&run, option);
		for (size_t j = 1; option[j]; j++)
			free((char *)option[j]);
		expect_state(&run, "other", "x", cases[i].state);
	}
	write_profile("other", other);
}

/* If a service has two objects, each has only the groups of its own direction. */
static void test_groups_by_direction(void **state)
{
	__cleanup(finish) struct run run;
	size_t found = 0;

	(void)state;
	compose_well(&run, OPTIONS("--set mail:relay:out=27/tcp"));
	for (size_t i = 0; i < run.composition.services; i++) {
		const struct composed *composed = &run.composition.service[i];

		if (strcmp(composed->service->name, "relay"))
			continue;
		assert_int_equal(composed->from.count, composed->direction == DIRECTION_IN);
		assert_int_equal(composed->to.count, composed->direction == DIRECTION_OUT);
		found++;
	}
	assert_int_equal(found, 2);
}

/* Each opened port is a service of the profile "site", which comes last. */
static void test_open(void **state)
{
	static const struct {
		const char *const option[6];
		const char *service, *state;
	} cases[] = {
		{{"--open 587/tcp"}, "587-tcp", "in 587/tcp open"},
		{{"--open 5060/tcp+udp"}, "5060-tcp", "in 5060/tcp open"},
		{{"--open 5060/tcp+udp"}, "5060-udp", "in 5060/udp open"},
		{{"--open 60000-60099/udp"}, "60000-60099-udp", "in 60000-60099/udp open"},
		{{"--open 8443/tcp,9/udp=trusted"}, "9-udp", "in 9/udp group"},
		{{"--open 9/udp=trusted", "--group trusted=::/0"}, "9-udp", "in 9/udp open"},
		{{"--open 587/tcp=anyone"}, "587-tcp", "in 587/tcp open"},
		{{"--open 587/tcp", "--disable site:587-tcp"}, "587-tcp", "in 587/tcp disabled"},
		{{"--open 587/tcp", "--from site:587-tcp=trusted"}, "587-tcp", "in 587/tcp group"},
		{{"--open 587/tcp=trusted", "--from site:587-tcp=anyone"},
		 "587-tcp",
		 "in 587/tcp open"},
		/* A port that is opened again is open: older words about it do not count. */
		{{"--open 587/tcp", "--disable site:587-tcp", "--open 587/tcp"},
		 "587-tcp",
		 "in 587/tcp open"},
		{{"--open 587/tcp", "--from site:587-tcp=trusted", "--open 587/tcp"},
		 "587-tcp",
		 "in 587/tcp open"},
	};
	__cleanup(finish) struct run wide;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(finish) struct run run;
		size_t last;

		compose_well(&run, cases[i].option);
		expect_state(&run, "site", cases[i].service, cases[i].state);
		last = run.composition.profiles - 1;
		assert_string_equal(run.composition.profile[last]->name, "site");
		expect_state(&run, "mail", "smtp", "in 25/tcp open");
	}
	compose_well(&wide, OPTIONS("--from mail:admin=anyone"));
	expect_state(&wide, "mail", "admin", "in 8443/tcp open");
	for (size_t i = 0; i < wide.composition.services; i++)
		if (!strcmp(wide.composition.service[i].service->name, "admin"))
			assert_int_equal(wide.composition.service[i].from.count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_why_closed),
		cmocka_unit_test(test_groups_by_direction),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests_name("recipe/compose", tests, set_up, tear_down);
}
