// SPDX-License-Identifier: GPL-2.0
/* A plan: what is kept with a generation, and what is printed for the administrator. */
#include "loader/compile/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "loader/compile/kept.h"
#include "loader/recipe/machines.h"
#include "tests/unit/expect.h"
#include "tests/unit/compile/planned.h"

typedef void tell_fn(const struct plan *plan, FILE *to);

static void expect_told(const struct plan *plan, tell_fn *tell, const char *expected)
{
	__free_text char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	tell(plan, to);
	fclose(to);
	assert_string_equal(text, expected);
}

static void test_kept(void **state)
{
	__cleanup(planned_free) struct planned planned;
	__free_text char *real = realpath(folder, NULL);
	json_t *kept = NULL;
	const json_t *list;

	(void)state;
	plan_with(&planned, OPTIONS("--group trusted=10.0.0.0/8"));
	assert_int_equal(kept_parse("eth0", planned.plan.text, &kept), 0);
	assert_true(json_equal(kept, planned.plan.kept));
	assert_int_equal(json_integer_value(json_object_get(kept, "version")), 1);
	/* A folder that does not exist is not kept. */
	list = json_object_get(kept, "catalog");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_array_get(list, 0)), real);
	assert_int_equal(json_array_size(json_object_get(kept, "profiles")), 2);
	assert_non_null(planned.plan.tables.generation);
	json_decref(kept);
}

/*
 * A text that is read and written again is the same, also with machines that share profiles,
 * because the history identifies rule sets by the digest of their texts.
 */
static void test_kept_machines(void **state)
{
	static const struct place option = {.file = "--machine"};
	static const char *const word[] = {"a=192.0.2.1", "b=192.0.2.2,2001:db8::2", "c=192.0.2.3"};
	const struct names none = {0};
	__cleanup(planned_free) struct planned planned;
	__free_text char *again = NULL;
	json_t *kept = NULL;

	(void)state;
	start(&planned.run, OPTIONS("--group trusted=10.0.0.0/8"));
	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		struct machine *machine =
			machines_word(&planned.run.recipe, word[i], &option, &planned.run.diag);

		assert_non_null(machine);
		read_options(&machine->own, OPTIONS("--profile mail"), &planned.run.diag);
	}
	read_options(&planned.run.recipe.machine[1].own, OPTIONS("--open 8443/tcp"),
		     &planned.run.diag);
	machines_inherit(&planned.run.recipe);
	assert_int_equal(plan_make(&planned.run.catalog, &none, &planned.run.recipe, false,
				   &planned.plan, &planned.run.diag),
			 0);
	assert_int_equal(kept_parse("eth0", planned.plan.text, &kept), 0);
	assert_true(json_equal(kept, planned.plan.kept));
	again = kept_text(kept);
	assert_string_equal(again, planned.plan.text);
	json_decref(kept);
}

static void test_wrong(void **state)
{
	struct planned planned;
	const struct names none = {0};

	(void)state;
	start(&planned.run, OPTIONS("--profile nothing"));
	assert_int_equal(plan_make(&planned.run.catalog, &none, &planned.run.recipe, false,
				   &planned.plan, &planned.run.diag),
			 -EINVAL);
	assert_null(planned.plan.kept);
	assert_null(planned.plan.text);
	assert_null(planned.plan.tables.generation);
	assert_int_equal(planned.run.diag.errors, 1);
	finish(&planned.run);
	/* An undefined group is an error only with --strict. */
	start(&planned.run, NONE);
	assert_int_equal(plan_make(&planned.run.catalog, &none, &planned.run.recipe, true,
				   &planned.plan, &planned.run.diag),
			 -EINVAL);
	assert_null(planned.plan.kept);
	finish(&planned.run);
}

static void summary(const struct plan *plan, FILE *to)
{
	plan_summary(plan, "eth\n0", NULL, to);
}

static void summary_native(const struct plan *plan, FILE *to)
{
	plan_summary(plan, "eth0", "native", to);
}

static void test_summary(void **state)
{
	__cleanup(planned_free) struct planned one, two, all;

	(void)state;
	plan_with(&one, NONE);
	expect_told(
		&one.plan, summary,
		"eth?0: enforce, mail: 4 open in, 8 closed (1 no-ports, 1 dynamic, 2 feature, 1 local, 3 group)\n");
	plan_with(&two, OPTIONS("--profile mail,other", "--disable mail:smtp"));
	two.run.recipe.policy = PC_POLICY_OBSERVE;
	expect_told(
		&two.plan, summary_native,
		"eth0: native, observe, mail + other: 3 open in, 10 closed (1 disabled, 1 no-ports, 1 dynamic, 2 feature, 1 local, 4 group)\n");
	plan_with(&all, OPTIONS("--profile other", "--group browsers=::/0"));
	expect_told(&all.plan, summary, "eth?0: enforce, other: 1 open in, 0 closed\n");
}

static const json_t *before;

static void features(const struct plan *plan, FILE *to)
{
	plan_features(plan, before, to);
}

/* A feature that a bare word enabled is named once; one that was named in full is not. */
static void test_features(void **state)
{
	__cleanup(planned_free) struct planned old, now;

	(void)state;
	before = NULL;
	plan_with(&old, OPTIONS("--enable ntp"));
	plan_with(&now, OPTIONS("--enable ntp", "--enable imap", "--enable mail:plugins"));
	expect_told(&old.plan, features, "  enables base:ntp\n");
	expect_told(&now.plan, features, "  enables base:ntp\n  enables mail:imap\n");
	before = old.plan.kept;
	expect_told(&now.plan, features, "  enables mail:imap\n");
	before = now.plan.kept;
	expect_told(&now.plan, features, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),	 cmocka_unit_test(test_kept_machines),
		cmocka_unit_test(test_wrong),	 cmocka_unit_test(test_summary),
		cmocka_unit_test(test_features),
	};

	return cmocka_run_group_tests_name("compile/plan", tests, set_up, tear_down);
}
