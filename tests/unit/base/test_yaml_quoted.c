// SPDX-License-Identifier: GPL-2.0
/* Quoted text of YAML (YAML 1.2.2, 5.7 and 7.3): escapes, folded lines, quotes that are doubled. */
#include "loader/base/yaml_quoted.h"

#include "tests/unit/expect.h"

struct quoted {
	const char *from, *text;
};

static void expect_text(const char *from, size_t length, bool double_quoted, const char *expected,
			size_t expected_length)
{
	__free_text char *to = xcalloc(2 * length + 2, 1);
	size_t got;

	memset(to, 'z', 2 * length + 2);
	got = yaml_text_quoted(from, length, double_quoted, to);
	if (got != expected_length || memcmp(to, expected, expected_length))
		fail_msg("'%s' is read as '%.*s'", from, (int)got, to);
	assert_int_equal(to[got], '\0');
	assert_int_equal(to[2 * length + 1], 'z'); /* no byte more than promised */
}

static void test_double(void **state)
{
	static const struct quoted cases[] = {
		{"", ""},
		{"a", "a"},
		{"a'b", "a'b"},
		/* each letter */
		{"\\a\\b\\t\\\t\\n\\v\\f\\r\\e", "\a\b\t\t\n\v\f\r\x1b"},
		{"\\ \\\"\\/\\\\", " \"/\\"},
		{"\\N\\_\\L\\P", "\xc2\x85\xc2\xa0\xe2\x80\xa8\xe2\x80\xa9"},
		/* codes, at the ends of each length of UTF-8 */
		{"\\x41\\x7f\\x80\\xff", "A\x7f\xc2\x80\xc3\xbf"},
		{"\\u0041\\u07ff\\u0800\\uffff", "A\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
		{"\\uD7FF\\uABcd", "\xed\x9f\xbf\xea\xaf\x8d"},
		{"\\U00010000\\U0010ffff", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
		{"\\U00012345", "\xf0\x92\x8d\x85"},
		{"\\U00110000", "\xff"},
		{"\\x4", "\xff"},
		{"\\x4g", "\xffg"},
		{"\\x`1", "\xff`1"},
		{"\\u004", "\xff"},
		{"\\q", "\xff"},
		{"\\", "\xff"},
		{"a\\x", "a\xff"},
		/* folded lines */
		{"a\nb", "a b"},
		{"a\r\nb", "a b"},
		{"a\rb", "a b"},
		{"a\n\nb", "a\nb"},
		{"a\r\n\r\nb", "a\nb"},
		{"a\n\r\nb", "a\nb"},
		{"a\n\n\nb", "a\n\nb"},
		{"a \t\n\t b", "a b"},
		{"a\n", "a "},
		{"\nb", " b"},
		{"\n", " "},
		{" a", " a"},
		/* an escaped line break is nothing, and keeps the blanks before it */
		{"a\\\nb", "ab"},
		{"a \\\n  b", "a b"},
		{"a\\\n\nb", "a\nb"},
		{"a\\\r\nb", "ab"},
		{"a\\\\\nb", "a\\ b"},
		/* an escaped blank stays at the end of a line */
		{"a\\ \nb", "a  b"},
		{"a\\t\nb", "a\t b"},
		{"a\\  \nb", "a  b"},
		{"a \\\n \nb", "a \nb"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_text(cases[i].from, strlen(cases[i].from), true, cases[i].text,
			    strlen(cases[i].text));
	expect_text("\\0a", 3, true, "\0a", 2);
	expect_text("\\\0a", 3, true,
		    "\xff"
		    "a",
		    2);
	/* Text after the closing quote is not read. */
	expect_text("\\x4141", 3, true, "\xff", 1);
	expect_text("a\\n", 2, true, "a\xff", 2);
}

static void test_single(void **state)
{
	static const struct quoted cases[] = {
		{"", ""},	   {"a\\nb", "a\\nb"}, {"''", "'"},
		{"''''", "''"},	   {"it''s", "it's"},  {"''a", "'a"},
		{"a''", "a'"},	   {"a\nb", "a b"},    {"a  \n\n  b", "a\nb"},
		{"''\n''", "' '"}, {"\"", "\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_text(cases[i].from, strlen(cases[i].from), false, cases[i].text,
			    strlen(cases[i].text));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_double),
		cmocka_unit_test(test_single),
	};

	return cmocka_run_group_tests_name("base/yaml_quoted", tests, NULL, NULL);
}
