// SPDX-License-Identifier: GPL-2.0
/* Machines behind an interface: their words, what is composed of them, and their JSON. */
#include <arpa/inet.h>
#include <errno.h>

#include "loader/recipe/machines.h"
#include "loader/recipe/recipe_json.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/composing.h"

static const struct place option = {.file = "--machine"};

static void expect_error(const struct diag *diag, const char *part)
{
	size_t i = 0;

	while (i < diag->count && !strstr(diag->entry[i].message, part))
		i++;
	if (i == diag->count)
		print_error("no message has: %s\n", part);
	assert_true(i < diag->count);
}

/* A machine with these options; without options with the profile "mail". */
static struct machine *add(struct run *run, const char *word, const char *const *options)
{
	struct machine *machine = machines_word(&run->recipe, word, &option, &run->diag);

	assert_non_null(machine);
	read_options(&machine->own, options, &run->diag);
	return machine;
}

static void finish_compose(struct run *run, int expected)
{
	machines_inherit(&run->recipe);
	run->result = compose(&run->catalog, &run->recipe, false, &run->composition, &run->diag);
	if (run->result != expected)
		diag_print(&run->diag, stderr);
	assert_int_equal(run->result, expected);
}

static const char *of(const struct recipe *recipe, const char *text)
{
	__u8 address[16] = {};
	__u8 family = strchr(text, ':') ? AF_INET6 : AF_INET;
	const struct machine *machine;

	assert_int_equal(1, inet_pton(family, text, address));
	machine = machines_of_address(recipe, family, address);
	return machine ? machine->name : "none";
}

static void test_address(void **state)
{
	__cleanup(finish) struct run run = {};

	(void)state;
	start(&run, NONE);
	add(&run, "wide=192.0.2.0/24,2001:db8::/64", NONE);
	add(&run, "exact=192.0.2.10,2001:db8::10", NONE);
	add(&run, "part=192.0.2.0/28", NONE);
	assert_string_equal(of(&run.recipe, "192.0.2.10"), "exact");
	assert_string_equal(of(&run.recipe, "192.0.2.11"), "part");
	assert_string_equal(of(&run.recipe, "192.0.2.16"), "wide");
	assert_string_equal(of(&run.recipe, "192.0.3.10"), "none");
	assert_string_equal(of(&run.recipe, "2001:db8::10"), "exact");
	assert_string_equal(of(&run.recipe, "2001:db8::11"), "wide");
	assert_true(machines_remove(&run.recipe, "exact"));
	assert_false(machines_remove(&run.recipe, "exact"));
	assert_string_equal(of(&run.recipe, "192.0.2.10"), "part");
}

static void test_words(void **state)
{
	static const struct {
		const char *word, *error;
	} wrong[] = {
		{"Core=192.0.2.1", "'Core' is not a machine name"},
		{"=192.0.2.1", "'' is not a machine name"},
		{"core", "there is no machine 'core'"},
		{"mial", "did you mean 'mail'?"},
		{"core=", "not a valid IPv4 or IPv6 prefix"},
		{"core=ff02::/16", "it is in ff00::/8"},
		{"core=224.0.0.1", "it is in 224.0.0.0/3"},
		{"core=127.0.0.1", "it is in 127.0.0.0/8"},
		{"core=192.0.2.1/24", "write 192.0.2.0/24"},
		{"core=192.0.2.1,192.0.2.1/32", "192.0.2.1/32 appears twice"},
	};
	__cleanup(finish) struct run run = {};
	__free_text char *addresses = NULL;

	(void)state;
	start(&run, NONE);
	add(&run, "mail=192.0.2.7", NONE);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		__cleanup(diag_free) struct diag diag = {};

		assert_null(machines_word(&run.recipe, wrong[i].word, &option, &diag));
		expect_error(&diag, wrong[i].error);
		assert_int_equal(run.recipe.machines, 1);
	}
	/* A machine keeps its words when it gets other addresses. */
	assert_non_null(machines_word(&run.recipe, "mail=192.0.2.9,192.0.2.8", &option, &run.diag));
	assert_int_equal(run.recipe.machines, 1);
	assert_true(names_have(&run.recipe.machine[0].own.profiles, "mail"));
	addresses = machine_addresses(&run.recipe.machine[0], ", ");
	assert_string_equal(addresses, "192.0.2.8/32, 192.0.2.9/32");
}

static void test_checks(void **state)
{
	__cleanup(finish) struct run run = {}, empty = {};

	(void)state;
	start(&run, NONE);
	add(&run, "a=192.0.2.0/24,2001:db8::1", NONE);
	add(&run, "b=192.0.2.1", NONE);
	add(&run, "c=198.51.100.0/24,2001:db8::1", NONE);
	finish_compose(&run, -EINVAL);
	expect_error(&run.diag, "machines 'a' and 'c' both have 2001:db8::1/128; remove it from one of them");
	start(&empty, NONE);
	assert_non_null(machines_word(&empty.recipe, "a=192.0.2.1", &option, &empty.diag));
	finish_compose(&empty, -EINVAL);
	expect_error(&empty.diag, "machine 'a' has no profile");
}

/* The state of a service of a machine. */
static void expect_at(const struct run *run, size_t at, const char *service, const char *expected)
{
	const struct run shown = {.composition = run->composition.machine[at].composition};

	expect_state(&shown, "mail", service, expected);
}

static void test_compose(void **state)
{
	__cleanup(finish) struct run run = {};
	const struct composition *first;

	(void)state;
	start(&run, OPTIONS("--group trusted=10.0.0.0/8"));
	add(&run, "a=192.0.2.1", OPTIONS("--disable mail:smtp"));
	add(&run, "b=192.0.2.2", OPTIONS("--group trusted=10.1.0.0/16"));
	add(&run, "c=192.0.2.3", OPTIONS("--disable mail:smtp"))->own.policy = PC_POLICY_OBSERVE;
	run.recipe.machine[2].policy_given = true;
	add(&run, "d=192.0.2.4", OPTIONS("--disable mail:smtp"));
	finish_compose(&run, 0);
	expect_state(&run, "mail", "smtp", "in 25/tcp open");
	assert_int_equal(run.composition.machines, 4);
	expect_at(&run, 0, "smtp", "in 25/tcp disabled");
	expect_at(&run, 1, "smtp", "in 25/tcp open");
	expect_at(&run, 3, "smtp", "in 25/tcp disabled");
	/* A machine under observe is not like one that enforces. */
	assert_int_equal(run.composition.machine[0].like, 0);
	assert_int_equal(run.composition.machine[2].like, 2);
	assert_int_equal(run.composition.machine[3].like, 0);
	first = &run.composition.machine[0].composition;
	assert_ptr_equal(composition_group(first, "trusted"),
			 groups_find(&run.recipe.groups, "trusted"));
	assert_ptr_equal(composition_group(&run.composition.machine[1].composition, "trusted"),
			 groups_find(&run.recipe.machine[1].own.groups, "trusted"));
	assert_null(composition_group(&run.composition.machine[1].composition, "other"));
}

static void test_errors(void **state)
{
	__cleanup(finish) struct run run = {};

	(void)state;
	start(&run, NONE);
	add(&run, "a=192.0.2.1", OPTIONS("--enable no-such-feature"));
	finish_compose(&run, -EINVAL);
	expect_error(&run.diag, "machine a: ");
	expect_error(&run.diag, "no-such-feature");
}

static void test_json(void **state)
{
	__cleanup(finish) struct run run = {};
	__cleanup(recipe_free) struct recipe again = {};
	__free_text char *text = NULL, *second = NULL;
	struct machine *machine;
	json_t *json, *back;

	(void)state;
	start(&run, NONE);
	machine = add(&run, "a=192.0.2.1,2001:db8::/64",
		      OPTIONS("--open 3389/tcp=mgmt", "--group mgmt=10.0.0.0/8"));
	machine->own.policy = PC_POLICY_OBSERVE;
	machine->policy_given = true;
	add(&run, "b=192.0.2.2", NONE);
	run.recipe.outbound = PC_OUTBOUND_ENFORCE;
	machines_inherit(&run.recipe);
	json = recipe_json(&run.recipe);
	assert_int_equal(0, recipe_from_json(&again, json, &run.diag));
	back = recipe_json(&again);
	text = json_dumps(json, JSON_COMPACT);
	second = json_dumps(back, JSON_COMPACT);
	json_decref(json);
	json_decref(back);
	assert_string_equal(text, second);
	assert_non_null(strstr(
		text,
		"{\"name\":\"b\",\"address\":[\"192.0.2.2/32\"],\"recipe\":{\"profiles\":[\"mail\"]}}"));
	assert_int_equal(again.machines, 2);
	assert_int_equal(again.machine[0].own.policy, PC_POLICY_OBSERVE);
	assert_int_equal(again.machine[1].own.policy, PC_POLICY_ENFORCE);
	assert_int_equal(again.machine[1].own.outbound, PC_OUTBOUND_ENFORCE);
	assert_int_equal(again.machine[1].own.opens.count, 0);
	assert_int_equal(again.machine[0].own.opens.count, 1);
}

static void test_wrong_json(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"[1]",
		"[{\"name\":\"a\",\"address\":[\"192.0.2.1\"]}]",
		"[{\"name\":\"a\",\"address\":[],\"recipe\":{\"profiles\":[]}}]",
		"[{\"name\":\"a\",\"address\":[\"192.0.2.1\"],\"recipe\":{}}]",
		"[{\"name\":\"a\",\"address\":[\"192.0.2.1\"],\"recipe\":{\"profiles\":[],\"policy\":1}}]",
		"[{\"name\":\"a\",\"address\":[\"192.0.2.1\"],\"recipe\":{\"profiles\":[]}},"
		"{\"name\":\"a\",\"address\":[\"192.0.2.2\"],\"recipe\":{\"profiles\":[]}}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		__cleanup(recipe_free) struct recipe recipe = {};
		__cleanup(diag_free) struct diag diag = {};
		json_t *json = json_pack("{s:[], s:s, s:o}", "profiles", "policy", "enforce",
					 "machines", json_loads(wrong[i], 0, NULL));

		assert_non_null(json);
		assert_int_equal(-EINVAL, recipe_from_json(&recipe, json, &diag));
		assert_int_equal(recipe.machines, 0);
		json_decref(json);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),	   cmocka_unit_test(test_words),
		cmocka_unit_test(test_checks),	   cmocka_unit_test(test_compose),
		cmocka_unit_test(test_errors),	   cmocka_unit_test(test_json),
		cmocka_unit_test(test_wrong_json),
	};

	return cmocka_run_group_tests_name("recipe/machines", tests, set_up, tear_down);
}
