// SPDX-License-Identifier: GPL-2.0
/* Text for a terminal. */
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
		{"\xef\xbb\xbf"
		 "a\xef\xbc\x80"
		 "b",
		 "?a\xef\xbc\x80"
		 "b"}, /* U+FEFF, the BOM; U+FF00 is not one */
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

/* How many codes have each width or are control characters, and their sums: a range that is changed
 * shows. */
static void test_ranges(void **state)
{
	unsigned long long count[3] = {0}, sum[3] = {0}, controls = 0, control_sum = 0;

	(void)state;
	for (unsigned int code = 0; code < 0x110000; code++) {
		count[utf8_columns(code)]++;
		sum[utf8_columns(code)] += code;
		controls += utf8_control(code);
		control_sum += utf8_control(code) ? code : 0;
	}
	assert_int_equal(count[0], 663);
	assert_int_equal(sum[0], 224057321);
	assert_int_equal(count[2], 174568);
	assert_int_equal(sum[2], 27346559151);
	assert_int_equal(controls, 80);
	assert_int_equal(control_sum, 179298);
}

static size_t encode(unsigned int code, unsigned char to[4])
{
	if (code < 0x80) {
		to[0] = (unsigned char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (unsigned char)(0xc0 | code >> 6);
		to[1] = (unsigned char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (unsigned char)(0xe0 | code >> 12);
		to[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (unsigned char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (unsigned char)(0xf0 | code >> 18);
	to[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (unsigned char)(0x80 | (code & 0x3f));
	return 4;
}

/* Every code point, and some beyond the last one, whole and cut. */
static void test_decode(void **state)
{
	unsigned int code, got;
	unsigned char text[4];

	(void)state;
	for (code = 0; code < 0x140000; code++) {
		size_t bytes = encode(code, text);
		bool valid = code < 0xd800 || (code > 0xdfff && code <= 0x10ffff);

		if (utf8_decode((char *)text, bytes, &got) != (valid ? bytes : 0) ||
		    (valid && got != code))
			fail_msg("U+%04X", code);
		if (bytes > 1 && utf8_decode((char *)text, bytes - 1, &got))
			fail_msg("U+%04X, cut", code);
		if (bytes > 1) {
			text[bytes - 1] ^= 0x40;
			if (utf8_decode((char *)text, bytes, &got))
				fail_msg("U+%04X, its last byte wrong", code);
		}
	}
}

/* Overlong forms, and bytes that begin no character. */
static void test_not_utf8(void **state)
{
	static const char *const wrong[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80",
		"\xff",
		"\xe2\x28\xa1",
	};
	unsigned int code;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(utf8_decode(wrong[i], strlen(wrong[i]), &code), 0);
	assert_int_equal(utf8_decode("x", 0, &code), 0);
	assert_int_equal(utf8_decode("\0x", 2, &code), 1);
	assert_int_equal(code, 0);
	assert_int_equal(utf8_length("a\xc3\xa4\xe2\x82\xac\xf0\x90\x80\x80", 10), 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable), cmocka_unit_test(test_width),
		cmocka_unit_test(test_ranges),	  cmocka_unit_test(test_decode),
		cmocka_unit_test(test_not_utf8),
	};

	return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
