// SPDX-License-Identifier: GPL-2.0
/* Names, lists of them, and the nearest one to a word. */
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "tests/unit/expect.h"

static void test_nearest(void **state)
{
	static const char *const words[] = {"in",      "out",		"from",
					    "feature", "configured-in", "imap"};
	static const struct {
		const char *word, *near;
	} cases[] = {
		{"in", "in"},
		{"im", "in"},
		{"x", NULL},
		{"", NULL},
		{"fro", "from"},
		{"form", "from"},
		{"xxom", NULL},
		{"feautre", "feature"},
		{"featurs", "feature"},
		{"configured", "configured-in"},
		{"zzz", NULL},
		{"uot", "out"},
		{"imaps", "imap"},
	};
	__free_text char *very_long = xcalloc(1000000, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *near = nearest(cases[i].word, words, ARRAY_SIZE(words));

		if (cases[i].near)
			assert_string_equal(near ? near : cases[i].word, cases[i].near);
		else
			assert_null(near);
	}
	memset(very_long, 'a', 999999);
	assert_null(nearest(very_long, words, ARRAY_SIZE(words)));
}

static void test_sort_near(void **state)
{
	static const char *const words[] = {"lo", "eth0", "wlan0", "eth10", "docker0", "eth1"};
	__free_text char *very_long = xcalloc(1000, 1);
	struct names names = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		names_add(&names, words[i]);
	names_sort_near(&names, "eth7");
	expect_names(&names, "eth0 eth1 eth10 lo wlan0 docker0");
	names_sort_near(&names, "wlan1");
	assert_string_equal(names.name[0], "wlan0");
	memset(very_long, 'a', 999);
	names_sort_near(&names, very_long);
	assert_string_equal(names.name[0], "wlan0");
	names_free(&names);
	names_sort_near(&names, "x");
}

static void test_names(void **state)
{
	struct names names = {0}, copy = {0};

	(void)state;
	names_add_once(&names, "a");
	names_add_once(&names, "b");
	names_add_once(&names, "a");
	expect_names(&names, "a b");
	names_copy(&copy, &names);
	names_free(&names);
	expect_names(&copy, "a b");
	names_free(&copy);
	expect_names(&copy, "");
	assert_true(name_valid("a123456789b123456789c123456789d123456789e123456789f123456789123"));
	assert_false(
		name_valid("a123456789b123456789c123456789d123456789e123456789f1234567891234"));
	assert_false(name_valid(""));
	assert_false(name_valid("a/b"));
	assert_false(name_valid("A"));
}

static void test_lists(void **state)
{
	__cleanup(names_free) struct names names = {0}, more = {0};

	(void)state;
	assert_null(names_twice(&names));
	names_add(&names, "a");
	names_add(&names, "b");
	names_add_all(&more, &names);
	names_add_all(&more, &names);
	expect_names(&more, "a b a b");
	assert_null(names_twice(&names));
	assert_string_equal(names_twice(&more), "a");
	names_add(&names, "c");
	names_add(&names, "b");
	assert_string_equal(names_twice(&names), "b");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_sort_near),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests_name("base/names", tests, NULL, NULL);
}
