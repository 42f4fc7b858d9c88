// SPDX-License-Identifier: GPL-2.0
/* Settings in products' own files, and in files that only have the same names. */
#include "loader/catalog/settings.h"

#include "tests/unit/expect.h"

typedef int reader(const char *text, size_t length, struct settings *settings, char **why);

/* "KEY=VALUE@LINE" for each setting, or the error. */
static void expect_settings(reader *read, const char *text, const char *expected)
{
	__cleanup(settings_free) struct settings settings = {};
	__cleanup(names_free) struct names lines = {};
	__free_text char *why = NULL, *all = NULL;

	if (!read(text, strlen(text), &settings, &why))
		for (size_t i = 0; i < settings.count; i++) {
			const struct setting *one = &settings.setting[i];
			__free_text char *line =
				xasprintf("%s=%s@%d", one->key, one->value, one->line);

			names_add(&lines, line);
		}
	all = why ? xstrdup(why) : names_join(&lines, "\n");
	if (strcmp(all, expected))
		print_error("of:\n%s\nread:\n%s\n", text, all);
	assert_string_equal(all, expected);
}

static void test_keys(void **state)
{
	(void)state;
	expect_settings(settings_keys, "a = 1\n#b = 2\n  ;c\n\nd=  x y \r\ne 'q r'\n",
			"a=1@1\nd=x y@5\ne=q r@6");
	/* A line that begins with a blank continues the previous one. */
	expect_settings(settings_keys, "list = one,\n  two,\n\tthree\nnext = 1\n",
			"list=one, two, three@1\nnext=1@4");
	expect_settings(settings_keys, "[general]\n  port = 1\n[a(b)]\nbind => 2",
			"general/port=1@2\na(b)/bind=2@4");
	expect_settings(settings_keys, "[general\n", "line 1: '[' without ']'");
	expect_settings(settings_keys, "=\n= 1\nx\n", "=@1\n=1@2\nx=@3");
	expect_settings(settings_keys, "", "");
}

static void test_master(void **state)
{
	(void)state;
	expect_settings(
		settings_master,
		"# c\nsmtp inet n - y - - smtpd\n  -o a=b\npickup unix n - y 60 1 pickup\n -o x=y\n"
		"127.0.0.1:10025 inet n - n - - smtpd -o c=d\n",
		"smtp=smtpd -o a=b@2\n127.0.0.1:10025=smtpd -o c=d@6");
	expect_settings(settings_master, "smtp inet n - y -\n", "line 1: an entry has 8 fields");
	/* A file of another kind. */
	expect_settings(settings_master, "myhostname = mail.example.com\n",
			"line 1: an entry has 8 fields");
}

static void test_dovecot(void **state)
{
	(void)state;
	expect_settings(
		settings_dovecot,
		"protocols = imap # and no more\nservice   imap-login {\n  inet_listener imap {\n    port = 1143\n  }\n"
		"  #inet_listener imaps {\n}\n!include conf.d/*.conf\npass = a#b\nuser = %{x}\n",
		"protocols=imap@1\nservice imap-login/inet_listener imap/port=1143@4\n!include=conf.d/*.conf@8\n"
		"pass=a#b@9\nuser=%{x}@10");
	expect_settings(settings_dovecot, "a {\nb {\n}\n", "a '{' is not closed");
	expect_settings(settings_dovecot, "a = 1\n}\n", "line 2: '}' without '{'");
}

static void test_zero_byte(void **state)
{
	static const char text[] = "a = 1\n\0b = 2";
	reader *const all[] = {settings_keys, settings_master, settings_dovecot};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		__cleanup(settings_free) struct settings settings = {};
		__free_text char *why = NULL;

		assert_int_not_equal(all[i](text, sizeof(text) - 1, &settings, &why), 0);
		assert_string_equal(why, "it has a zero byte, at 6, and so it is not text");
	}
}

static char *repeated(const char *piece, size_t times)
{
	size_t length = strlen(piece);
	char *text = xcalloc(times * length + 1, 1);

	for (size_t i = 0; i < times; i++)
		memcpy(text + i * length, piece, length);
	return text;
}

/* Long or deep texts are refused, in time that is linear in their length. */
static void test_bounds(void **state)
{
	static const struct {
		reader *read;
		const char *piece, *why;
	} cases[] = {
		{settings_keys, "a=1\n", "it has more than 65536 settings"},
		{settings_dovecot, "a {\n", "line 33: more than 32 blocks in each other"},
		{settings_keys, " a\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(settings_free) struct settings settings = {};
		__free_text char *why = NULL,
				 *text = repeated(cases[i].piece,
						  SETTINGS_FILE_LIMIT / strlen(cases[i].piece));
		double start = now();

		cases[i].read(text, strlen(text), &settings, &why);
		expect_fast(cases[i].piece, start, 2);
		if (cases[i].why)
			assert_string_equal(why, cases[i].why);
		else
			assert_true(strlen(settings.setting[0].value) <= 4096);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	cmocka_unit_test(test_master),
		cmocka_unit_test(test_dovecot), cmocka_unit_test(test_zero_byte),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("catalog/settings", tests, NULL, NULL);
}
