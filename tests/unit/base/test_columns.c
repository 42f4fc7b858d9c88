// SPDX-License-Identifier: GPL-2.0
/* Columns, and seconds for people. */
#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "tests/unit/expect.h"

static void test_human_seconds(void **state)
{
	static const struct {
		__u64 seconds;
		const char *text;
	} cases[] = {
		{0, "0 s"},	     {59, "59 s"},
		{60, "1 min 0 s"},   {3599, "59 min 59 s"},
		{3600, "1 h 0 min"}, {86399, "23 h 59 min"},
		{86400, "1 d 0 h"},  {90000, "1 d 1 h"},
	};
	char text[HUMAN_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(human_seconds(cases[i].seconds, text), cases[i].text);
}

/* A table that is printed in parts has one heading and stays in line. */
static void test_columns_in_parts(void **state)
{
	struct columns columns = {.count = 2, .heading = {"A", ">B"}};
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	columns_row(&columns, TONE_PLAIN, (const char *[]){"aaa", "22"});
	columns_print(&columns, to);
	columns_row(&columns, TONE_PLAIN, (const char *[]){"b", "1"});
	columns_print(&columns, to);
	fclose(to);
	assert_string_equal(text, "  A     B\n  aaa  22\n  b     1\n");
	free(text);
}

static void test_columns(void **state)
{
	struct columns columns = {.count = 2, .heading = {"A", ">B"}};
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	columns_row(&columns, TONE_PLAIN, (const char *[]){"ü\x1b", "1"});
	columns_row(&columns, TONE_PLAIN, (const char *[]){"\xff", "22\n"});
	columns_print(&columns, to);
	fclose(to);
	assert_string_equal(text, "  A     B\n  ü?    1\n  ?   22?\n");
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_columns_in_parts),
		cmocka_unit_test(test_human_seconds),
	};

	return cmocka_run_group_tests_name("base/columns", tests, NULL, NULL);
}
