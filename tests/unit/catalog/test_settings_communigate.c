// SPDX-License-Identifier: GPL-2.0
/* Settings of CommuniGate Pro, and texts in other forms. */
#include "loader/catalog/settings_communigate.h"

#include "tests/unit/expect.h"

static void expect_settings(const char *text, const char *expected)
{
	__cleanup(settings_free) struct settings settings = {};
	__cleanup(names_free) struct names lines = {};
	__free_text char *why = NULL, *all = NULL;

	if (!settings_communigate(text, strlen(text), &settings, &why))
		for (size_t i = 0; i < settings.count; i++) {
			const struct setting *one = &settings.setting[i];
			__free_text char *line =
				xasprintf("%s=%s@%d", one->key, one->value, one->line);

			names_add(&lines, line);
		}
	all = why ? xstrdup(why) : names_join(&lines, " ");
	assert_string_equal(all, expected);
}

static void test_forms(void **state)
{
	(void)state;
	expect_settings("{a = 1; \"b c\" = (x, \"y\\\"z\" ,{d=#5;});\n e={};f=();}",
			"a=1@1 b c/0=x@1 b c/1=y\\\"z@1 b c/2/d=5@1");
	expect_settings("a = 1;\nb = {c = [ABC+/];};\n", "a=1@1 b/c=[ABC+/]@2");
	expect_settings("(a, (b))", "0=a@1 1/0=b@1");
	expect_settings("", "");
}

static void test_wrong(void **state)
{
	__free_text char *deep = xcalloc(200001, 1), *key = xcalloc(1001, 1), *text = NULL;

	(void)state;
	expect_settings("{a = 1}", "line 1: a value without ';'");
	expect_settings("{a; }", "line 1: a key without '='");
	expect_settings("{a = 1;", "line 1: neither a string nor a list");
	expect_settings("{a = \"1;", "line 1: a string without end");
	expect_settings("{a = \"\\", "line 1: a string without end");
	expect_settings("{a = (1 2);}", "line 1: a list without ','");
	expect_settings("{}\nx", "line 2: text behind the end");
	memset(deep, '(', 200000);
	expect_settings(deep, "line 1: too many lists in each other");
	memset(key, 'k', 1000);
	text = xasprintf("{%s = 1;}", key);
	expect_settings(text, "line 1: a key is too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms),
					   cmocka_unit_test(test_wrong)};

	return cmocka_run_group_tests_name("catalog/settings_communigate", tests, NULL, NULL);
}
