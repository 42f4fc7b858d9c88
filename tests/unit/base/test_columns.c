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

static void test_human(void **state)
{
	static const struct {
		double value;
		const char *unit, *text;
	} cases[] = {
		{0, "B", "0 B"},
		{0, "", "0"},
		{999, "", "999"},
		{999.4, "B", "999 B"},
		{999.5, "B", "1.00 kB"},
		{1000, "", "1.00 k"},
		{1234, "B", "1.23 kB"},
		{9994, "", "9.99 k"},
		{9995, "", "10.0 k"},
		{12345, "", "12.3 k"},
		{99949, "", "99.9 k"},
		{99950, "", "100 k"},
		{999499, "", "999 k"},
		{999500, "", "1.00 M"},
		{1.5e9, "B/s", "1.50 GB/s"},
		{2e12, "B", "2.00 TB"},
		{2e15, "B", "2.00 PB"},
		{18446744073709551615.0, "B", "18.4 EB"},
		{5e21, "B", "5000 EB"},
	};
	char text[HUMAN_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(human(cases[i].value, cases[i].unit, text), cases[i].text);
}

/* Empty cells at the end of a row leave no blanks. */
static void test_empty_cells(void **state)
{
	struct columns columns = {.count = 3, .heading = {"A", "B", "C"}};
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	columns_row(&columns, TONE_PLAIN, (const char *[]){"", "wide", ""});
	columns_row(&columns, TONE_PLAIN, (const char *[]){"x", "", ""});
	columns_row(&columns, TONE_BAD, (const char *[]){"", "", ""});
	columns_print(&columns, to);
	fclose(to);
	assert_string_equal(text, "  A  B     C\n     wide\n  x\n\n");
	free(text);
}

/* A table that is printed in parts has one heading, and its columns stay aligned. */
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

/* Within a limit: numbers are kept, texts wrap, and optional columns are left out first. */
static void test_columns_limit(void **state)
{
	static const struct {
		size_t limit;
		const char *text;
		bool left_out;
	} cases[] = {
		{0,
		 "  WAY  SERVICE                       PASSED  BYTES\n"
		 "  in   xeams:imap, ol-connect:print      12   1 kB\n"
		 "  out  日本                               3    9 B\n",
		 false},
		{54,
		 "  WAY  SERVICE                       PASSED  BYTES\n"
		 "  in   xeams:imap, ol-connect:print      12   1 kB\n"
		 "  out  日本                               3    9 B\n",
		 false},
		{45,
		 "  WAY  SERVICE                  PASSED  BYTES\n"
		 "  in   xeams:imap,                  12   1 kB\n"
		 "       ol-connect:print\n"
		 "  out  日本                          3    9 B\n",
		 false},
		{32,
		 "  WAY  SERVICE            PASSED\n"
		 "  in   xeams:imap,            12\n"
		 "       ol-connect:print\n"
		 "  out  日本                    3\n",
		 true},
		{24,
		 "  WAY  SERVICE    PASSED\n"
		 "  in   xeams:         12\n"
		 "       imap,\n"
		 "       ol-\n"
		 "       connect:\n"
		 "       print\n"
		 "  out  日本            3\n",
		 true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct columns columns = {.count = 4,
					  .limit = cases[i].limit,
					  .heading = {"WAY", "SERVICE", ">PASSED", "?>BYTES"}};
		char *text = NULL;
		size_t length = 0;
		FILE *to = open_memstream(&text, &length);

		assert_non_null(to);
		columns_row(&columns, TONE_GOOD,
			    (const char *[]){"in", "xeams:imap, ol-connect:print", "12", "1 kB"});
		columns_row(&columns, TONE_PLAIN, (const char *[]){"out", "日本", "3", "9 B"});
		columns_print(&columns, to);
		fclose(to);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(columns.left_out, cases[i].left_out);
		free(text);
	}
}

static void test_count(void **state)
{
	__free_text char *none = human_count(0, "prefix", "prefixes");
	__free_text char *one = human_count(1, "prefix", "prefixes");
	__free_text char *more = human_count(2, "prefix", "prefixes");

	(void)state;
	assert_string_equal(none, "0 prefixes");
	assert_string_equal(one, "1 prefix");
	assert_string_equal(more, "2 prefixes");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns),	      cmocka_unit_test(test_columns_in_parts),
		cmocka_unit_test(test_columns_limit), cmocka_unit_test(test_count),
		cmocka_unit_test(test_human_seconds), cmocka_unit_test(test_human),
		cmocka_unit_test(test_empty_cells),
	};

	return cmocka_run_group_tests_name("base/columns", tests, NULL, NULL);
}
