// SPDX-License-Identifier: GPL-2.0
/* A plan composed again from the text kept with a generation. */
#include "loader/compile/replan.h"

#include <errno.h>
#include <stdlib.h>

#include "loader/compile/kept.h"
#include "tests/unit/expect.h"
#include "tests/unit/compile/planned.h"

static void test_remake(void **state)
{
	__cleanup(planned_free) struct planned planned;
	__cleanup(remade_free) struct remade made = {0}, newer = {0}, gone = {0};
	char first[] = "/tmp/pc-replan-XXXXXX";
	__free_text char *path = NULL;
	struct names folders = {.name = (char *[]){first}, .count = 1};
	FILE *file;

	(void)state;
	plan_with(&planned, OPTIONS("--profile other", "--group browsers=10.0.0.0/8"));
	assert_int_equal(remake("eth0", planned.plan.text, NULL, &made), 0);
	assert_true(kept_same(made.kept, planned.plan.kept));
	assert_true(kept_same(made.plan.kept, planned.plan.kept));
	expect_names(&made.recipe.profiles, "other");
	assert_int_equal(made.folders.count, 1);
	/* Folders that come first are searched, but not kept. */
	assert_non_null(mkdtemp(first));
	path = xasprintf("%s/other.yaml", first);
	file = fopen(path, "w");
	fputs("profile: other\nservices: [{name: web, in: 81/tcp}]\n", file);
	fclose(file);
	assert_int_equal(remake("eth0", planned.plan.text, &folders, &newer), 0);
	assert_false(kept_same(newer.plan.kept, planned.plan.kept));
	assert_true(json_equal(json_object_get(newer.plan.kept, "catalog"),
			       json_object_get(planned.plan.kept, "catalog")));
	assert_int_equal(newer.plan.tables.generation->port[PC_PORT(PC_TCP, 80)], PC_PORT_CLOSED);
	assert_int_equal(newer.plan.tables.generation->port[PC_PORT(PC_TCP, 81)], PC_PORT_OPEN);
	unlink(path);
	rmdir(first);
	/* A profile that no longer exists; a text that cannot be read. */
	gone.kept = json_pack("{s:{s:[s]}, s:[], s:[]}", "recipe", "profiles", "gone", "profiles",
			      "catalog");
	assert_int_equal(remake_kept("eth0", NULL, &gone, &planned.run.diag), -EINVAL);
	assert_true(planned.run.diag.errors > 0);
	assert_null(gone.plan.kept);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remake),
	};

	return cmocka_run_group_tests_name("compile/replan", tests, set_up, tear_down);
}
