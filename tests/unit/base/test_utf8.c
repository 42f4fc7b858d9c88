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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable),
	};

	return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
