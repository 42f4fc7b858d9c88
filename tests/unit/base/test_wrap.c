// SPDX-License-Identifier: GPL-2.0
/* Lines of a number of columns. */
#include "loader/base/memory.h"
#include "loader/base/wrap.h"
#include "tests/unit/expect.h"

static void test_print(void **state)
{
	static const struct {
		const char *text;
		size_t start, indent, columns;
		const char *lines;
	} cases[] = {
		{"one two three", 0, 0, 0, "one two three"},
		{"one two three", 0, 0, 13, "one two three"},
		{"one two three", 0, 0, 12, "one two\nthree"},
		{"one two three", 0, 2, 7, "one two\n  three"},
		{"one two three", 4, 4, 9, "one\n    two\n    three"},
		{"one  two", 0, 0, 5, "one\ntwo"},
		{"one ", 0, 0, 3, "one"},
		{"", 0, 4, 10, ""},
		/* A word longer than the line is broken after a mark, else at the end of the
		 * line. */
		{"xeams:imap-ssl", 0, 0, 8, "xeams:\nimap-ssl"},
		{"aaaaaaaaaa", 0, 0, 4, "aaaa\naaaa\naa"},
		/* A word that fits on a line of its own is neither broken nor kept on this line. */
		{"portcullis", 8, 2, 14, "\n  portcullis"},
		/* Too few columns for anything: one character on each line. */
		{"ab", 0, 0, 1, "a\nb"},
		{"ab", 5, 5, 3, "a\n     b"},
		/* Characters of 1 byte or more, and of 1 column or 2. */
		{"äöü äöü", 0, 0, 4, "äöü\näöü"},
		{"äöü äöü", 0, 0, 7, "äöü äöü"},
		{"日本語 日本", 0, 0, 8, "日本語\n日本"},
		{"日本語", 0, 0, 3, "日\n本\n語"},
		/* A byte that is not UTF-8 takes one column. */
		{"\xff\xff\xff", 0, 0, 2, "\xff\xff\n\xff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = NULL;
		size_t length = 0;
		FILE *to = open_memstream(&text, &length);

		assert_non_null(to);
		wrap_print(cases[i].text, cases[i].start, cases[i].indent, cases[i].columns, to);
		fclose(to);
		assert_string_equal(text, cases[i].lines);
		free(text);
	}
}

/* A wrapped command is still valid for a shell: it is never broken within quotes. */
static void test_command(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *lines;
	} cases[] = {
		{"portcullis swap eth0", 0, "portcullis swap eth0"},
		{"portcullis swap eth0", 20, "portcullis swap eth0"},
		{"portcullis swap eth0", 19, "portcullis swap \\\n  eth0"},
		{"portcullis swap eth0", 17, "portcullis swap \\\n  eth0"},
		{"portcullis swap eth0", 16, "portcullis \\\n  swap eth0"},
		{"cp 'a b c' de", 11, "cp \\\n  'a b c' \\\n  de"},
		{"abcdefghijklmn op", 5, "abcdefghijklmn op"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = NULL;
		size_t length = 0;
		FILE *to = open_memstream(&text, &length);

		assert_non_null(to);
		wrap_command(cases[i].text, 0, 2, cases[i].columns, to);
		fclose(to);
		assert_string_equal(text, cases[i].lines);
		free(text);
	}
}

/* The bytes of the beginning of the text that takes so many columns. */
static void test_fits(void **state)
{
	(void)state;
	assert_int_equal(wrap_fits("abc", 0), 0);
	assert_int_equal(wrap_fits("abc", 2), 2);
	assert_int_equal(wrap_fits("abc", 3), 3);
	assert_int_equal(wrap_fits("abc", 4), 3);
	assert_int_equal(wrap_fits("äöü", 2), 4);
	assert_int_equal(wrap_fits("日本", 3), 3);
	assert_int_equal(wrap_fits("\xff\xff", 1), 1);
}

static void test_word(void **state)
{
	(void)state;
	assert_int_equal(wrap_word(""), 0);
	assert_int_equal(wrap_word("one"), 3);
	assert_int_equal(wrap_word("one three two"), 5);
	assert_int_equal(wrap_word("äöü é"), 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_word),
	};

	return cmocka_run_group_tests_name("base/wrap", tests, NULL, NULL);
}
