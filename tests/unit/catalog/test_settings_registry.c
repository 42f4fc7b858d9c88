// SPDX-License-Identifier: GPL-2.0
/* Settings of an exported registry: its characters, its types, and texts in other forms. */
#include "loader/catalog/settings_registry.h"

#include "tests/unit/expect.h"

#define HEAD "Windows Registry Editor Version 5.00\r\n"

/* Settings as "KEY=VALUE@LINE", or the error. */
static char *read_all(const char *text, size_t length)
{
	__cleanup(settings_free) struct settings settings = {};
	__cleanup(names_free) struct names lines = {};
	char *why = NULL;

	if (settings_registry(text, length, NULL, &settings, &why))
		return why;
	for (size_t i = 0; i < settings.count; i++) {
		const struct setting *one = &settings.setting[i];
		__free_text char *line = xasprintf("%s=%s@%d", one->key, one->value, one->line);

		names_add(&lines, line);
	}
	return names_join(&lines, " ");
}

static void expect_settings(const char *text, const char *expected)
{
	__free_text char *all = read_all(text, strlen(text));

	assert_string_equal(all, expected);
}

/* HEAD and a section, then a value with this text, in UTF-16; `big`: big-endian. */
static void expect_characters(const unsigned short *code, size_t count, bool big,
			      const char *expected)
{
	static const char begin[] = HEAD "[K]\n\"n\"=\"", end[] = "\"\n";
	__free_text char *bytes = xcalloc(2 * (sizeof(begin) + count + sizeof(end)), 1);
	__free_text char *all = NULL, *line = xasprintf("K\\n=%s@3", expected);
	unsigned short units[sizeof(begin) + 8 + sizeof(end)];
	size_t used = 0;

	units[used++] = 0xfeff;
	for (size_t i = 0; i + 1 < sizeof(begin); i++)
		units[used++] = (unsigned char)begin[i];
	for (size_t i = 0; i < count; i++)
		units[used++] = code[i];
	for (size_t i = 0; i + 1 < sizeof(end); i++)
		units[used++] = (unsigned char)end[i];
	for (size_t i = 0; i < used; i++) {
		bytes[2 * i + !big] = (char)(units[i] >> 8);
		bytes[2 * i + big] = (char)units[i];
	}
	all = read_all(bytes, 2 * used);
	assert_string_equal(all, line);
}

static void expect_each_order(const unsigned short *code, size_t count, const char *expected)
{
	expect_characters(code, count, false, expected);
	expect_characters(code, count, true, expected);
}

static void test_characters(void **state)
{
	(void)state;
	expect_each_order((unsigned short[]){0x7f, 0x80}, 2, "\x7f\xc2\x80");
	expect_each_order((unsigned short[]){0x7ff, 0x800}, 2, "\xdf\xbf\xe0\xa0\x80");
	expect_each_order((unsigned short[]){0x20ac, 0xffee}, 2, "\xe2\x82\xac\xef\xbf\xae");
	/* Pairs of surrogates: the first one, one in between, and the last one. */
	expect_each_order((unsigned short[]){0xd800, 0xdc00}, 2, "\xf0\x90\x80\x80");
	expect_each_order((unsigned short[]){0xd83d, 0xde42, 0x78}, 3, "\xf0\x9f\x99\x82x");
	expect_each_order((unsigned short[]){0xdbff, 0xdfff}, 2, "\xf4\x8f\xbf\xbf");
	/* Surrogates without their other half. */
	expect_each_order((unsigned short[]){0xd800, 0x78, 0xdfff, 0xe000}, 4, "?x?\xee\x80\x80");
	expect_each_order((unsigned short[]){0xdc00, 0xd800, 0xe000}, 3, "??\xee\x80\x80");
}

static void test_types(void **state)
{
	(void)state;
	expect_settings(HEAD "[K]\r\n\"a\"=dword:0000238d\n\"b\"=dword:FFFFFFFF\n\"c\"=DWORD:0\n",
			"K\\a=9101@3 K\\b=4294967295@4 K\\c=0@5");
	expect_settings(HEAD "[K]\n\"a\"=dword:\n\"b\"=dword:10 \n\"c\"=dword:10x\n\"d\"=dword:x\n"
			     "\"e\"=dword:100000000\n\"f\"=hex:10\n\"g\"=\n\"h\"=\"9\\\\\\\"9\"\n",
			"K\\b=16@4 K\\h=9\\\"9@10");
	expect_settings(
		"REGEDIT4\n; x\n\n[K]\n@=\"9\"\n \"b\"=\"8\"\n\t\"c\"=\"8\"\n[-K]\n\"d\"=\"8\"\n[L]\n"
		"\"e\"=\"7\"",
		"K\\=9@5 L\\e=7@11");
	expect_settings("\xef\xbb\xbfREGEDIT4\n[K]\n\"a\"=\"1\"\n", "K\\a=1@3");
}

/* Only the keys that are wanted, whatever their case. */
static void test_wanted(void **state)
{
	static const char text[] =
		"REGEDIT4\n"
		"[K]\n\"a\"=\"1\"\n\"Bc\"=\"2\"\n\"d\"=\"3\"\n[L]\n\"a\"=\"4\"\n";
	__cleanup(settings_free) struct settings settings = {};
	__cleanup(names_free) struct names wanted = {};
	char *why = NULL;

	(void)state;
	names_add(&wanted, "k\\bC");
	names_add(&wanted, "l\\A");
	assert_int_equal(settings_registry(text, strlen(text), &wanted, &settings, &why), 0);
	assert_int_equal(settings.count, 2);
	assert_string_equal(settings.setting[0].value, "2");
	assert_string_equal(settings.setting[1].value, "4");
}

static void test_wrong(void **state)
{
	static const char zero[] = "REGEDIT4\n[K]\n\0";
	__free_text char *why = read_all(zero, sizeof(zero) - 1);

	(void)state;
	assert_string_equal(why, "it has a zero character, and so it is not text");
	expect_settings("", "it does not begin as an exported registry");
	expect_settings("\nREGEDIT4\n", "it does not begin as an exported registry");
	expect_settings("REGEDIT44\n", "it does not begin as an exported registry");
	expect_settings("REGEDIT4\n[K\n", "line 2: '[' without ']'");
	expect_settings("REGEDIT4\n[K]\n\"a\"\n", "line 3: a value without '='");
	expect_settings("REGEDIT4\n[K]\n\"a\"x\"b\"\n", "line 3: a value without '='");
	expect_settings("REGEDIT4\n[K]\n\"a\n", "line 3: a value without '='");
	expect_settings("REGEDIT4\n[K]\n@\n", "line 3: a value without '='");
	expect_settings("REGEDIT4\n[K]\nx=1\n", "line 3: neither a key nor a value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("catalog/settings_registry", tests, NULL, NULL);
}
