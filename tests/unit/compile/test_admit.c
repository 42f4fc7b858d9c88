// SPDX-License-Identifier: GPL-2.0
/* The compiled tables admit the sources that the composition names. */
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/compile.h"
#include "loader/compile/tables.h"
#include "loader/recipe/compose.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/composing.h"

static void test_effective_groups(void **state)
{
	__cleanup(finish) struct run run;
	__cleanup(tables_free) struct tables tables = {0};
	static const __u8 trusted[16] = {10, 1}, stranger[16] = {11, 1};
	const struct composed *tftp = NULL;

	(void)state;
	compose_well(&run, OPTIONS("--group trusted=10.0.0.0/8", "--from mail:db=trusted,phones",
				   "--from mail:imap=phones", "--from mail:smtp=trusted"));
	/* All names are kept, but only defined groups admit. */
	for (size_t i = 0; i < run.composition.services; i++) {
		if (!strcmp(run.composition.service[i].service->name, "tftp"))
			tftp = &run.composition.service[i];
	}
	assert_non_null(tftp);
	assert_int_equal(tftp->from.count, 2);
	assert_int_equal(tftp->why, WHY_OPEN);
	expect_state(&run, "mail", "db", "in 3306/tcp open");
	expect_state(&run, "mail", "imap", "in 143/tcp,993/tcp feature");
	assert_int_equal(0, compile(&run.composition, &tables, &run.diag));
	assert_int_equal(tables_admit(&tables, AF_INET, trusted, PC_UDP, 9, 69), ADMIT_PASS);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_UDP, 9, 69), ADMIT_SOURCE);
	assert_int_equal(tables_admit(&tables, AF_INET, trusted, PC_TCP, 9, 3306), ADMIT_PASS);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_TCP, 9, 25), ADMIT_SOURCE);
	assert_int_equal(tables_admit(&tables, AF_INET, trusted, PC_TCP, 9, 143), ADMIT_UNLISTED);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_UDP, 67, 68), ADMIT_PASS);
	assert_int_equal(tables_admit(&tables, AF_INET, stranger, PC_UDP, 68, 68), ADMIT_SOURCE);
	/* Outgoing: to the groups of `to`, none of which is defined for sip and relay. */
	assert_true(tables_covers(&tables, AF_INET, stranger, PC_TCP, 110));
	assert_false(tables_covers(&tables, AF_INET, trusted, PC_TCP, 25));
	assert_false(tables_covers(&tables, AF_INET, trusted, PC_UDP, 5060));
	assert_false(tables_covers(&tables, AF_INET, trusted, PC_TCP, 2525));
	/* The protocols of all included profiles. */
	assert_int_equal(tables.generation->protocol[47], 1);
	assert_int_equal(tables.generation->protocol[50], 1);
	assert_int_equal(tables.generation->protocol[51], 0);
}

static struct ban granted(const char *group, const char *prefix, __u32 until)
{
	struct ban ban = {.list = group, .until = until};
	__free_text char *why = NULL;

	assert_int_equal(0, prefix_parse(prefix, &ban.prefix, &why));
	return ban;
}

static void test_grants(void **state)
{
	__cleanup(finish) struct run run;
	__cleanup(tables_free) struct tables tables = {0};
	static const __u8 guest[16] = {11, 1}, stranger[16] = {12, 1};
	struct ban ban[] = {
		granted("trusted", "11.0.0.0/8", 100),
		granted("phones", "12.1.0.0/16", 100), /* not defined */
	};
	const struct ban_set set = {.ban = ban, .count = ARRAY_SIZE(ban)};

	(void)state;
	compose_well(&run, OPTIONS("--group trusted=10.0.0.0/8", "--from mail:db=trusted,phones"));
	assert_int_equal(0, compile(&run.composition, &tables, &run.diag));
	assert_int_equal(tables_admit(&tables, AF_INET, guest, PC_TCP, 9, 3306), ADMIT_SOURCE);
	assert_true(tables_granted(&tables, 0, &set, 99, AF_INET, guest, PC_TCP, 9, 3306));
	assert_false(tables_granted(&tables, 0, &set, 100, AF_INET, guest, PC_TCP, 9, 3306));
	assert_false(tables_granted(&tables, 0, &set, 99, AF_INET, stranger, PC_TCP, 9, 3306));
	assert_false(tables_granted(&tables, 0, &set, 99, AF_INET, guest, PC_TCP, 9, 1));
	/* The number of the only group is that of its name. */
	assert_true(tables.generation->group[0][0] == pc_group_id("trusted"));
	assert_true(tables.generation->group[0][1] == 0);
}

static void test_denied(void **state)
{
	__cleanup(finish) struct run run;
	__cleanup(tables_free) struct tables tables = {0};
	static const __u8 bad[16] = {10, 1, 0, 9}, friend[16] = {10, 1, 0, 1}, stranger[16] = {11};

	(void)state;
	start(&run, OPTIONS("--group bad=10.1.0.0/16", "--group friends=10.1.0.1",
			    "--group trusted=10.0.0.0/8", "--from mail:db=trusted"));
	names_add(&run.recipe.deny, "bad");
	names_add(&run.recipe.never_ban, "friends");
	assert_int_equal(0, compose(&run.catalog, &run.recipe, false, &run.composition, &run.diag));
	assert_int_equal(0, compile(&run.composition, &tables, &run.diag));
	assert_true(tables_denied(&tables, AF_INET, bad));
	assert_false(tables_denied(&tables, AF_INET, friend));
	assert_false(tables_denied(&tables, AF_INET, stranger));
	/* A grant does not make members of these. */
	for (size_t bit = 0; bit < PC_GROUPS; bit++)
		assert_true(tables.generation->group[0][bit] != pc_group_id("bad"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_effective_groups),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_denied),
	};

	return cmocka_run_group_tests_name("compile/admit", tests, set_up, tear_down);
}
