// SPDX-License-Identifier: GPL-2.0
/* Words of the commands in messages: the shell must read them as they are meant. */
#include "loader/base/shell.h"

#include "tests/unit/expect.h"

static void test_words(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"eth0", "eth0"},
		{"/usr/share/a_b-c.d:e@f%g+h=i,j", "/usr/share/a_b-c.d:e@f%g+h=i,j"},
		{"azAZ09", "azAZ09"},
		{"", "''"},
		{"a b", "'a b'"},
		{"$HOME", "'$HOME'"},
		{"a;b", "'a;b'"},
		{"it's", "'it'\\''s'"},
		{"'", "''\\'''"},
		{"''''", "''\\'''\\'''\\'''\\'''"},
		{"\xc3\xa4", "'\xc3\xa4'"},
		/* A character that a terminal obeys, or that is not UTF-8, is written in octal. */
		{"a\nb", "$'a\\012b'"},
		{"\033[31m", "$'\\033[31m'"},
		{"\xc2\x9b'\\\xc3\xa4", "$'\\302\\233\\047\\134\xc3\xa4'"},
		{"\xe2\x80\xaex", "$'\\342\\200\\256x'"},
		{"\xff", "$'\\377'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *word = shell_word(cases[i].text);

		assert_string_equal(word, cases[i].word);
	}
}

static void test_several(void **state)
{
	char *name[] = {"eth0", "a;b", "it's"};
	struct names names = {name, ARRAY_SIZE(name)};
	__free_text char *words = shell_words(&names);

	(void)state;
	assert_string_equal(words, "eth0 'a;b' 'it'\\''s'");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests_name("base/shell", tests, NULL, NULL);
}
