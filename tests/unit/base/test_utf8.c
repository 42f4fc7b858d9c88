// SPDX-License-Identifier: GPL-2.0
/* Text that a terminal may be given. */
#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "tests/unit/expect.h"

static void test_printable(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"eth0", "eth0"},
		{"rev\x1b[31mX", "rev?[31mX"},
		{"a\r\nb\tc\x7f", "a??b?c?"},
		{"Zürich \xe2\x82\xac", "Zürich \xe2\x82\xac"},
		{"\xc2\x9b"
		 "31m",
		 "?31m"}, /* CSI as C1 */
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa6"
		 "c",
		 "a?b?c"}, /* U+202E, U+2066 */
		{"a\xd8\x9c"
		 "b",
		 "a?b"}, /* U+061C */
		{"\xff\xfe", "??"},
		{"\xe2\x82", "??"},
		{"\x9b"
		 "0m",
		 "?0m"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *shown = text_printable(cases[i].text);

		assert_string_equal(shown, cases[i].shown);
	}
}

static void test_width(void **state)
{
	static const struct {
		const char *text;
		size_t width;
	} cases[] = {
		{"", 0},
		{"eth0", 4},
		{"Zürich €", 8},
		{"\xff\xe2", 2},
		{"日本", 4},
		{"e\xcc\x81", 1},
		{"한", 2},
		{"\xf0\x9f\x94\xa5", 2},
		{"\xef\xbc\xa1", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(utf8_width(cases[i].text, strlen(cases[i].text)), cases[i].width);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_width),
	};

	return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
