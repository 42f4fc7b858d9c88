// SPDX-License-Identifier: GPL-2.0
/* What changes between two generations, as text. */
#include "loader/base/memory.h"
#include "loader/recipe/compose.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/difference_json.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/recipe_json.h"
#include "loader/report/difference.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/composing.h"

/* A kept text in the form of plan_make. */
static json_t *kept_of(const char *const *option, const struct recipe *settings)
{
	__cleanup(finish) struct run run;
	json_t *kept;

	start(&run, option);
	run.recipe.policy = settings->policy;
	run.recipe.outbound = settings->outbound;
	run.recipe.forward = settings->forward;
	run.recipe.echo_limit = settings->echo_limit;
	machines_inherit(&run.recipe);
	assert_int_equal(0, compose(&run.catalog, &run.recipe, false, &run.composition, &run.diag));
	kept = json_pack("{s:o, s:o, s:o}", "recipe", recipe_json(&run.recipe), "profiles",
			 composition_json(&run.composition), "machines",
			 kept_machines_json(&run.composition));
	assert_true(!run.recipe.machines || kept_expand(kept));
	return kept;
}

static void expect_difference(const json_t *before, const json_t *after, const char *expected)
{
	__free_text char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	difference_print(before, after, to);
	fclose(to);
	if (strcmp(text, expected))
		print_error("printed:\n%sexpected:\n%s", text, expected);
	assert_string_equal(text, expected);
}

#define PARTIES "--group cluster=10.0.0.0/8", "--group pbx=11.0.0.0/8", "--group trusted=::/0"

static void test_difference_limits(void **state)
{
	static const struct {
		const char *const before[7], *const after[7];
		const char *printed;
	} cases[] = {
		{{PARTIES, "--limit mail:smtp=20/s"},
		 {PARTIES, "--limit mail:smtp={rate: 20/s}"},
		 "  no port opens or closes\n"},
		{{PARTIES, "--limit mail:smtp=20/s", "--limit mail:sip=600/m"},
		 {PARTIES, "--limit mail:smtp={rate: 20/s, burst: 60}", "--limit mail:tftp=1/s"},
		 "  changes the limit of mail:smtp from 20/s to {rate: 20/s, burst: 60}\n"
		 "  changes the limit of mail:tftp from none to 1/s\n"
		 "  changes the limit of mail:sip from 600/m to none\n"},
	};
	const struct recipe none = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = kept_of(cases[i].before, &none);
		json_t *after = kept_of(cases[i].after, &none);

		expect_difference(before, after, cases[i].printed);
		json_decref(before);
		json_decref(after);
	}
}

static void test_difference_ports(void **state)
{
	static const struct {
		const char *const before[7], *const after[7];
		const char *printed, *reversed;
	} cases[] = {
		{{PARTIES},
		 {PARTIES},
		 "  no port opens or closes\n",
		 "  no port opens or closes\n"},
		{{PARTIES},
		 {PARTIES, "--disable mail:fetch"},
		 "  closes  out 110/tcp to anyone (mail:fetch)\n",
		 "  opens   out 110/tcp to anyone (mail:fetch)\n"},
		{{PARTIES},
		 {PARTIES, "--set mail:fetch=110-112/tcp"},
		 "  opens   out 111-112/tcp to anyone (mail:fetch)\n",
		 "  closes  out 111-112/tcp to anyone (mail:fetch)\n"},
		{{PARTIES},
		 {PARTIES, "--disable mail:relay"},
		 "  closes  2525/tcp from cluster (mail:relay)\n"
		 "  closes  out 2525/tcp to cluster (mail:relay)\n",
		 "  opens   2525/tcp from cluster (mail:relay)\n"
		 "  opens   out 2525/tcp to cluster (mail:relay)\n"},
		/* Each direction has groups of its own. */
		{{PARTIES},
		 {PARTIES, "--from mail:relay=trusted"},
		 "  changes 2525/tcp from cluster to trusted (anyone over IPv6) (mail:relay)\n"
		 "  changes 2525/tcp (mail:relay): + ::/0, - 10.0.0.0/8; that is anyone over IPv6\n",
		 "  changes 2525/tcp from trusted (anyone over IPv6) to cluster (mail:relay)\n"
		 "  changes 2525/tcp (mail:relay): + 10.0.0.0/8, - ::/0\n"},
		{{PARTIES},
		 {PARTIES, "--set mail:fetch=5060/udp"},
		 "  closes  out 110/tcp to anyone (mail:fetch)\n"
		 "  changes out 5060/udp from pbx to anyone (mail:sip)\n",
		 "  opens   out 110/tcp to anyone (mail:fetch)\n"
		 "  changes out 5060/udp from anyone to pbx (mail:sip)\n"},
	};
	static const struct recipe enforced = {.outbound = PC_OUTBOUND_ENFORCE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = kept_of(cases[i].before, &enforced);
		json_t *after = kept_of(cases[i].after, &enforced);

		expect_difference(before, after, cases[i].printed);
		expect_difference(after, before, cases[i].reversed);
		json_decref(before);
		json_decref(after);
	}
}

/* Which prefixes are added and removed, service by service. */
static void test_difference_groups(void **state)
{
	static const struct {
		const char *const before[7], *const after[7];
		const char *printed;
	} cases[] = {
		{{"--group cluster=192.0.2.0/24"},
		 {"--group cluster=0.0.0.0/0"},
		 "  changes 2525/tcp (mail:relay): + 0.0.0.0/0, - 192.0.2.0/24; that is anyone over IPv4\n"
		 "  changes out 2525/tcp (mail:relay): + 0.0.0.0/0, - 192.0.2.0/24; that is anyone over IPv4\n"},
		{{"--group cluster=0.0.0.0/0"},
		 {"--group cluster=0.0.0.0/0,::/0"},
		 "  changes 2525/tcp (mail:relay): + ::/0; that is anyone\n"
		 "  changes out 2525/tcp (mail:relay): + ::/0; that is anyone\n"},
		{{"--group cluster=192.0.2.0/24"},
		 {"--group cluster=0.0.0.0/1,128.0.0.0/1,192.0.2.0/24"},
		 "  changes 2525/tcp (mail:relay): + 0.0.0.0/1, + 128.0.0.0/1; that is anyone over IPv4\n"
		 "  changes out 2525/tcp (mail:relay): + 0.0.0.0/1, + 128.0.0.0/1; that is anyone over IPv4\n"},
		/* A prefix that another group of the service has is neither added nor removed. */
		{{"--from mail:tftp=a,b", "--group a=10.0.0.0/8", "--group b=11.0.0.0/8"},
		 {"--from mail:tftp=a,b", "--group a=10.0.0.0/8,11.0.0.0/8",
		  "--group b=11.0.0.0/8"},
		 "  no port opens or closes\n"},
		/* The first four of each kind, or five. */
		{{"--from mail:tftp=a", "--group a=10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5"},
		 {"--from mail:tftp=a",
		  "--group a=11.0.0.1,11.0.0.2,11.0.0.3,11.0.0.4,11.0.0.5,11.0.0.6"},
		 "  changes 69/udp (mail:tftp): + 11.0.0.1/32, + 11.0.0.2/32, + 11.0.0.3/32, + 11.0.0.4/32 and 2 more,"
		 " - 10.0.0.1/32, - 10.0.0.2/32, - 10.0.0.3/32, - 10.0.0.4/32, - 10.0.0.5/32\n"},
		{{"--group none=10.0.0.0/8"},
		 {"--group none=11.0.0.0/8"},
		 "  changes group none: + 11.0.0.0/8, - 10.0.0.0/8; no open service uses it\n"},
	};
	static const struct recipe enforced = {.outbound = PC_OUTBOUND_ENFORCE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = kept_of(cases[i].before, &enforced);
		json_t *after = kept_of(cases[i].after, &enforced);

		expect_difference(before, after, cases[i].printed);
		json_decref(before);
		json_decref(after);
	}
}

/* 100,000 prefixes are added: four are shown, and it takes no time. */
static void test_difference_long_group(void **state)
{
	json_t *before = json_loads(
		"{\"recipe\": {\"groups\": {\"g\": [\"192.0.2.0/24\"]}}, \"profiles\": [{\"name\": \"p\","
		" \"services\": [{\"name\": \"s\", \"direction\": \"in\", \"open\": true, \"ports\": [\"22/tcp\"],"
		" \"from\": [\"g\"]}]}]}",
		0, NULL);
	json_t *after = json_deep_copy(before);
	json_t *list =
		json_object_get(json_object_get(json_object_get(after, "recipe"), "groups"), "g");

	(void)state;
	for (int i = 0; i < 100000; i++)
		json_array_append_new(
			list, json_sprintf("10.%d.%d.%d/32", i >> 16, i >> 8 & 255, i & 255));
	expect_difference(
		before, after,
		"  changes 22/tcp (p:s): + 10.0.0.0/32, + 10.0.0.1/32, + 10.0.0.2/32, + 10.0.0.3/32 and 99,996 more\n");
	json_decref(before);
	json_decref(after);
}

/* As long as nothing outgoing is dropped, nothing opens or closes. */
static void test_difference_tracked(void **state)
{
	static const struct recipe tracked = {0}, enforced = {.outbound = PC_OUTBOUND_ENFORCE};
	json_t *all = kept_of(OPTIONS(PARTIES), &tracked);
	json_t *less = kept_of(OPTIONS(PARTIES, "--disable mail:fetch"), &tracked);
	json_t *held = kept_of(OPTIONS(PARTIES, "--disable mail:fetch"), &enforced);

	(void)state;
	expect_difference(all, less, "  stops counting out 110/tcp to anyone (mail:fetch)\n");
	expect_difference(less, all, "  counts  out 110/tcp to anyone (mail:fetch)\n");
	expect_difference(all, held,
			  "  closes  out 110/tcp to anyone (mail:fetch)\n"
			  "  changes outbound from track to enforce\n");
	expect_difference(held, all,
			  "  counts  out 110/tcp to anyone (mail:fetch)\n"
			  "  changes outbound from enforce to track\n");
	json_decref(all);
	json_decref(less);
	json_decref(held);
}

/* Source ports only restrict incoming packets. */
static void test_difference_from_port(void **state)
{
	static const char both[] = "profile: other\n"
				   "services:\n"
				   "  - {name: web, in: 80/tcp, out: 80/tcp, from-port: 90/tcp}\n";
	static const struct recipe none = {0};
	json_t *nothing = json_object(), *kept;

	(void)state;
	write_profile("other", both);
	kept = kept_of(OPTIONS("--profile other"), &none);
	write_profile("other", other);
	expect_difference(nothing, kept,
			  "  opens   80/tcp from anyone, source port 90/tcp (other:web)\n"
			  "  counts  out 80/tcp to anyone (other:web)\n");
	json_decref(nothing);
	json_decref(kept);
}

static void test_difference_settings(void **state)
{
	static const struct {
		struct recipe before, after;
		const char *printed;
	} cases[] = {
		{{},
		 {.policy = PC_POLICY_OBSERVE},
		 "  changes the policy from enforce to observe\n"},
		{{},
		 {.outbound = PC_OUTBOUND_ENFORCE},
		 "  changes outbound from track to enforce\n"},
		{{.outbound = PC_OUTBOUND_ENFORCE},
		 {},
		 "  changes outbound from enforce to track\n"},
		{{}, {.forward = true}, "  changes forward from no to yes\n"},
		{{.forward = true}, {}, "  changes forward from yes to no\n"},
		{{}, {.echo_limit = 100}, "  no port opens or closes\n"},
		{{}, {.echo_limit = 5}, "  changes the echo limit from 100 to 5\n"},
		{{.echo_limit = 5},
		 {.echo_limit = ECHO_LIMIT_NONE},
		 "  changes the echo limit from 5 to none\n"},
		{{.echo_limit = ECHO_LIMIT_NONE},
		 {.outbound = PC_OUTBOUND_ENFORCE, .forward = true},
		 "  changes outbound from track to enforce\n"
		 "  changes forward from no to yes\n"
		 "  changes the echo limit from none to 100\n"},
	};
	static const struct recipe none = {0};
	json_t *old, *new;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		old = kept_of(OPTIONS("--profile base"), &cases[i].before);
		new = kept_of(OPTIONS("--profile base"), &cases[i].after);
		expect_difference(old, new, cases[i].printed);
		json_decref(old);
		json_decref(new);
	}
	/* A recipe of an older version without these settings had the defaults. */
	old = kept_of(OPTIONS("--profile base"), &none);
	new = kept_of(OPTIONS("--profile base"), &none);
	json_object_del(json_object_get(old, "recipe"), "outbound");
	json_object_del(json_object_get(old, "recipe"), "forward");
	json_object_del(json_object_get(old, "recipe"), "echo_limit");
	expect_difference(old, new, "  no port opens or closes\n");
	json_decref(old);
	json_decref(new);
}

static void expect_short(const json_t *before, const json_t *after, const char *expected)
{
	__free_text char *text = difference_short(before, after);

	if (!expected)
		assert_null(text);
	else
		assert_string_equal(text ? text : "nothing", expected);
}

/* Kept texts of one service with `count` single ports, from 1000 on. */
static json_t *kept_of_ports(int count)
{
	json_t *ports = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(ports, json_sprintf("%d/tcp", 1000 + 2 * i));
	return json_pack("{s:{}, s:[{s:s, s:[{s:s, s:s, s:b, s:o, s:[]}]}]}", "recipe", "profiles",
			 "name", "p", "services", "name", "s", "direction", "in", "open", 1,
			 "ports", ports, "from");
}

static void test_difference_short(void **state)
{
	static const struct recipe none = {0}, observed = {.policy = PC_POLICY_OBSERVE};
	json_t *plain = kept_of(OPTIONS(PARTIES), &none), *nothing = kept_of_ports(0);
	json_t *less = kept_of(OPTIONS(PARTIES, "--disable mail:smtp", "--set mail:admin=8444/tcp"),
			       &observed);

	(void)state;
	expect_short(plain, plain, NULL);
	expect_short(plain, less, "closes 25/tcp, 8443/tcp; opens 8444/tcp; changes the policy");
	expect_short(less, plain, "opens 25/tcp, 8443/tcp; closes 8444/tcp; changes the policy");
	for (int count = DIFFERENCE_SHORT; count <= DIFFERENCE_SHORT + 2; count++) {
		json_t *many = kept_of_ports(count);
		__free_text char *text = difference_short(nothing, many);
		__free_text char *more = xasprintf("; and %d more", count - DIFFERENCE_SHORT);
		const char *end = strrchr(text, ';');

		assert_memory_equal(text, "opens 1000/tcp, 1002/tcp, ", 26);
		if (count == DIFFERENCE_SHORT)
			assert_null(end);
		else
			assert_string_equal(end, more);
		json_decref(many);
	}
	json_decref(plain);
	json_decref(less);
	json_decref(nothing);
}

#define MACHINE "--machine a=192.0.2.1"

/* "add b 192.0.2.2/32: opens 3, closes 0, changes 0, groups 1; ..." */
static char *machines_changed(const json_t *before, const json_t *after)
{
	json_t *difference = difference_json(before, after);
	const json_t *machine;
	char *text = NULL;
	size_t length, i;
	FILE *to = open_memstream(&text, &length);

	json_array_foreach (json_object_get(difference, "machines"), i, machine) {
		static const char *const key[] = {"opens", "closes", "changes", "groups"};

		fprintf(to, "%s%s %s %s:", i ? "; " : "",
			json_string_value(json_object_get(machine, "action")),
			json_string_value(json_object_get(machine, "name")),
			json_string_value(json_object_get(machine, "address")));
		for (size_t j = 0; j < ARRAY_SIZE(key); j++)
			fprintf(to, " %s %zu", key[j],
				json_array_size(json_object_get(machine, key[j])));
	}
	fclose(to);
	json_decref(difference);
	return text;
}

static void test_difference_machines_json(void **state)
{
	static const struct {
		const char *const before[8], *const after[8];
		const char *changed, *reversed;
	} cases[] = {
		{{MACHINE}, {MACHINE}, "", ""},
		{{MACHINE},
		 {},
		 "remove a 192.0.2.1/32: opens 0 closes 7 changes 1 groups 0",
		 "add a 192.0.2.1/32: opens 7 closes 0 changes 1 groups 0"},
		{{MACHINE, "--machine b=192.0.2.2"},
		 {MACHINE, "--disable mail:smtp", "--machine b=192.0.2.3"},
		 "change a 192.0.2.1/32: opens 0 closes 1 changes 0 groups 0; change b 192.0.2.3/32: opens 0 closes 0 changes 1 groups 0",
		 "change a 192.0.2.1/32: opens 1 closes 0 changes 0 groups 0; change b 192.0.2.2/32: opens 0 closes 0 changes 1 groups 0"},
		{{MACHINE, "--group cluster=10.0.0.0/8"},
		 {MACHINE, "--group cluster=11.0.0.0/8"},
		 "change a 192.0.2.1/32: opens 0 closes 0 changes 2 groups 1",
		 "change a 192.0.2.1/32: opens 0 closes 0 changes 2 groups 1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = kept_of(cases[i].before, &(struct recipe){0});
		json_t *after = kept_of(cases[i].after, &(struct recipe){0});
		__free_text char *changed = machines_changed(before, after);
		__free_text char *reversed = machines_changed(after, before);

		assert_string_equal(changed, cases[i].changed);
		assert_string_equal(reversed, cases[i].reversed);
		json_decref(before);
		json_decref(after);
	}
}

static void test_difference_machines(void **state)
{
	static const struct {
		const char *const before[8], *const after[8];
		const char *printed, *reversed;
	} cases[] = {
		{{MACHINE, "--machine b=192.0.2.2"},
		 {MACHINE, "--machine b=192.0.2.2"},
		 "  no port opens or closes\n",
		 "  no port opens or closes\n"},
		{{MACHINE},
		 {MACHINE, "--disable mail:smtp"},
		 "  closes  a: 25/tcp from anyone (mail:smtp)\n",
		 "  opens   a: 25/tcp from anyone (mail:smtp)\n"},
		{{MACHINE},
		 {MACHINE, "--machine b=192.0.2.2,2001:db8::/64"},
		 "  adds    machine b at 192.0.2.2/32, 2001:db8::/64\n"
		 "  opens   b: 25/tcp from anyone (mail:smtp)\n"
		 "  opens   b: 5060/tcp from anyone (mail:sip)\n"
		 "  opens   b: 68/udp from anyone, source port 67/udp (base:dhcp)\n"
		 "  opens   b: 546/udp from link-local (base:dhcpv6)\n"
		 "  opens   b: 5060/udp from anyone (mail:sip)\n"
		 "  counts  b: out 110/tcp to anyone (mail:fetch)\n"
		 "  opens   b: IP protocol esp\n"
		 "  opens   b: IP protocol gre\n",
		 "  removes machine b at 192.0.2.2/32, 2001:db8::/64\n"
		 "  closes  b: 25/tcp from anyone (mail:smtp)\n"
		 "  closes  b: 5060/tcp from anyone (mail:sip)\n"
		 "  closes  b: 68/udp from anyone, source port 67/udp (base:dhcp)\n"
		 "  closes  b: 546/udp from link-local (base:dhcpv6)\n"
		 "  closes  b: 5060/udp from anyone (mail:sip)\n"
		 "  stops counting b: out 110/tcp to anyone (mail:fetch)\n"
		 "  closes  b: IP protocol esp\n"
		 "  closes  b: IP protocol gre\n"},
		{{MACHINE},
		 {"--machine a=192.0.2.7"},
		 "  changes machine a from 192.0.2.1/32 to 192.0.2.7/32\n",
		 "  changes machine a from 192.0.2.7/32 to 192.0.2.1/32\n"},
		/* A group of the interface that a machine uses, and that another one hides. */
		{{"--group cluster=10.0.0.0/8", "--disable mail:relay", MACHINE,
		  "--machine b=192.0.2.2", "--group cluster=12.0.0.0/8"},
		 {"--group cluster=11.0.0.0/8", "--disable mail:relay", MACHINE,
		  "--machine b=192.0.2.2", "--group cluster=12.0.0.0/8"},
		 "  changes a: 2525/tcp (mail:relay): + 11.0.0.0/8, - 10.0.0.0/8\n"
		 "  changes a: out 2525/tcp (mail:relay): + 11.0.0.0/8, - 10.0.0.0/8\n",
		 "  changes a: 2525/tcp (mail:relay): + 10.0.0.0/8, - 11.0.0.0/8\n"
		 "  changes a: out 2525/tcp (mail:relay): + 10.0.0.0/8, - 11.0.0.0/8\n"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *before = kept_of(cases[i].before, &(struct recipe){0});
		json_t *after = kept_of(cases[i].after, &(struct recipe){0});

		expect_difference(before, after, cases[i].printed);
		expect_difference(after, before, cases[i].reversed);
		json_decref(before);
		json_decref(after);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_difference_limits),
		cmocka_unit_test(test_difference_ports),
		cmocka_unit_test(test_difference_machines),
		cmocka_unit_test(test_difference_machines_json),
		cmocka_unit_test(test_difference_groups),
		cmocka_unit_test(test_difference_long_group),
		cmocka_unit_test(test_difference_tracked),
		cmocka_unit_test(test_difference_from_port),
		cmocka_unit_test(test_difference_settings),
		cmocka_unit_test(test_difference_short),
	};

	return cmocka_run_group_tests_name("report/difference", tests, set_up, tear_down);
}
