// SPDX-License-Identifier: GPL-2.0
/* Recipes of machines: how many there may be, their groups, and the tallies that they keep. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/compile.h"
#include "loader/compile/tallies.h"
#include "loader/recipe/machines.h"
#include "tests/unit/expect.h"

static const char profile[] = "profile: shop\n"
			      "title: Shop\n"
			      "services:\n"
			      "  - name: ssh\n"
			      "    in: 22/tcp\n"
			      "    from: [mgmt, clients]\n"
			      "  - name: http\n"
			      "    in: 80/tcp\n";

struct run {
	struct catalog catalog;
	struct recipe recipe;
	struct composition composition;
	struct tables tables;
	struct diag diag;
};

static void run_free(struct run *run)
{
	composition_free(&run->composition);
	tables_free(&run->tables);
	recipe_free(&run->recipe);
	catalog_close(&run->catalog);
	diag_free(&run->diag);
}

/* A machine 10.0.0.INDEX with a port that it opens (0: none) and groups of its own, or not. */
static void add(struct run *run, unsigned int index, unsigned int open, bool groups)
{
	const struct place place = {.file = "--machine"};
	__free_text char *word = xasprintf("m%u=10.0.%u.%u", index, index / 256, index % 256);
	struct machine *machine = machines_word(&run->recipe, word, &place, &run->diag);
	__free_text char *port = xasprintf("%u/tcp", open);
	__free_text char *mgmt = xasprintf("mgmt=10.1.%u.0/24", index);
	__free_text char *clients = xasprintf("clients=10.2.%u.0/24", index);

	assert_non_null(machine);
	recipe_profiles(&machine->own, "shop", &run->diag);
	if (open)
		recipe_open(&machine->own, port, &run->diag);
	if (groups) {
		recipe_group(&machine->own, mgmt, &run->diag);
		recipe_group(&machine->own, clients, &run->diag);
	}
}

static int finish(struct run *run)
{
	struct profile *parsed = NULL;

	assert_int_equal(profile_parse("shop", profile, strlen(profile), &parsed, &run->diag), 0);
	run->catalog.profile = xcalloc(1, sizeof(*run->catalog.profile));
	run->catalog.profile[run->catalog.profiles++] = parsed;
	recipe_profiles(&run->recipe, "shop", &run->diag);
	recipe_group(&run->recipe, "mgmt=10.0.0.0/16", &run->diag);
	machines_inherit(&run->recipe);
	if (compose(&run->catalog, &run->recipe, false, &run->composition, &run->diag))
		return -1;
	return compile(&run->composition, &run->tables, &run->diag);
}

static void test_recipes(void **state)
{
	__cleanup(run_free) struct run good = {}, bad = {};

	(void)state;
	for (unsigned int i = 0; i < 256; i++)
		add(&good, i, 1000 + i % 64, false);
	assert_int_equal(finish(&good), 0);
	assert_int_equal(good.tables.generation->machines, 256);
	assert_int_equal(good.tables.generation->forward, PC_FORWARD_MACHINES);
	for (unsigned int i = 0; i < 65; i++)
		add(&bad, i, 1000 + i, false);
	assert_int_not_equal(finish(&bad), 0);
	assert_non_null(strstr(bad.diag.entry[bad.diag.count - 1].message,
			       "have 65 different recipes; the limit is 64"));
	assert_non_null(strstr(bad.diag.entry[bad.diag.count - 1].message, "beyond it is m64"));
}

/* One machine whose recipe has no tables: nothing is compiled. */
static void test_bad_recipe(void **state)
{
	__cleanup(run_free) struct run run = {};
	__free_text char *from = xstrdup("shop:ssh=g0");

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		add(&run, i, 0, false);
	for (unsigned int i = 0; i < 65; i++) {
		__free_text char *group = xasprintf("g%u=10.9.%u.0/24", i, i), *before = from;

		recipe_group(&run.recipe.machine[1].own, group, &run.diag);
		from = i ? xasprintf("%s,g%u", before, i) : xstrdup(before);
	}
	recipe_from(&run.recipe.machine[1].own, from, &run.diag);
	assert_int_equal(run.diag.count, 0);
	assert_int_not_equal(finish(&run), 0);
	assert_non_null(strstr(run.diag.entry[run.diag.count - 1].message, "65 groups"));
}

/* Prefixes of more lengths than the tables of machines have. */
static void test_lengths(void **state)
{
	const struct place place = {.file = "--machine"};

	(void)state;
	for (unsigned int more = 0; more < 2; more++) {
		__cleanup(run_free) struct run run = {};

		for (unsigned int i = 0; i < MACHINE_LENGTHS + more; i++) {
			__free_text char *word = xasprintf("m%u=2001:%x::/%u", i, i, 40 + i);

			struct machine *machine =
				machines_word(&run.recipe, word, &place, &run.diag);

			assert_non_null(machine);
			recipe_profiles(&machine->own, "shop", &run.diag);
		}
		assert_int_equal(finish(&run) != 0, more);
		if (more)
			assert_non_null(strstr(run.diag.entry[run.diag.count - 1].message,
					       "different lengths of IPv6 prefixes"));
	}
}

/* 128 groups of 64 tenants: each admits its own, and not another tenant's of the same name. */
static void test_tenants(void **state)
{
	__cleanup(run_free) struct run run = {};

	(void)state;
	for (unsigned int i = 0; i < 64; i++)
		add(&run, i, 0, true);
	assert_int_equal(finish(&run), 0);
	for (unsigned int i = 0; i < 64; i++) {
		const __u8 local[16] = {10, 0, 0, (__u8)i};
		__u16 class = tables_class(&run.tables, AF_INET, local);

		assert_int_not_equal(class, 0);
		for (unsigned int j = 0; j < 64; j++) {
			const __u8 mgmt[16] = {10, 1, (__u8)j, 9};
			const __u8 client[16] = {10, 2, (__u8)j, 9};
			enum admit expected = i == j ? ADMIT_PASS : ADMIT_SOURCE;

			assert_int_equal(tables_admit_class(&run.tables, class, AF_INET, mgmt,
							    PC_TCP, 9, 22),
					 expected);
			assert_int_equal(tables_admit_class(&run.tables, class, AF_INET, client,
							    PC_TCP, 9, 22),
					 expected);
		}
	}
}

static void test_tallies(void **state)
{
	__cleanup(run_free) struct run one = {}, other = {};
	__cleanup(tallies_free) struct tallies tallies = {};
	__u32 first;
	size_t count;

	(void)state;
	add(&one, 1, 0, false);
	add(&one, 2, 1000, false);
	assert_int_equal(finish(&one), 0);
	assert_int_equal(tallies_assign(&tallies, &one.tables), 0);
	first = one.tables.prefix[1].tallies;
	count = tallies.count;
	assert_int_equal(tallies_assign(&tallies, &one.tables), 0);
	assert_int_equal(tallies.count, count);
	/* After another recipe before it, it keeps its own. */
	add(&other, 3, 2000, false);
	add(&other, 2, 1000, false);
	assert_int_equal(finish(&other), 0);
	assert_int_equal(tallies_assign(&tallies, &other.tables), 0);
	assert_int_equal(other.tables.prefix[1].tallies, first);
	assert_true(other.tables.prefix[0].tallies > count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipes), cmocka_unit_test(test_bad_recipe),
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_tenants),
		cmocka_unit_test(test_tallies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
