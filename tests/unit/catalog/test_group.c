// SPDX-License-Identifier: GPL-2.0
/* Prefixes, and groups of them on a command line and in a file. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/group.h"
#include "tests/unit/catalog/group_file.h"
#include "tests/unit/expect.h"

static void test_prefix(void **state)
{
	static const struct {
		const char *text, *written, *why;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8", NULL},
		{"192.0.2.1", "192.0.2.1/32", NULL},
		{"0.0.0.0/0", "0.0.0.0/0", NULL},
		{"::/0", "::/0", NULL},
		{"10.128.0.0/9", "10.128.0.0/9", NULL},
		{"2001:DB8:0:0::/32", "2001:db8::/32", NULL},
		{"2001:db8::1", "2001:db8::1/128", NULL},
		{"::ffff:0:0/95", NULL, "::ffff:0:0/95 has host bits set; write ::fffe:0:0/95"},
		{"10.1.2.3/8", NULL, "10.1.2.3/8 has host bits set; write 10.0.0.0/8"},
		{"10.0.0.1/31", NULL, "10.0.0.1/31 has host bits set; write 10.0.0.0/31"},
		{"10.64.0.0/9", NULL, "10.64.0.0/9 has host bits set; write 10.0.0.0/9"},
		{"255.0.0.0/0", NULL, "255.0.0.0/0 has host bits set; write 0.0.0.0/0"},
		{"2001:db8::1/64", NULL, "2001:db8::1/64 has host bits set; write 2001:db8::/64"},
		{"fe80::1/10", NULL, "fe80::1/10 has host bits set; write fe80::/10"},
		{"::ffff:0:0/96", NULL, "::ffff:0:0/96 is IPv4 written as IPv6; write 0.0.0.0/0"},
		{"::ffff:10.0.0.0/104", NULL,
		 "::ffff:10.0.0.0/104 is IPv4 written as IPv6; write 10.0.0.0/8"},
		{"::ffff:10.1.2.3", NULL,
		 "::ffff:10.1.2.3 is IPv4 written as IPv6; write 10.1.2.3/32"},
		{"::ffff:10.1.2.3/104", NULL,
		 "::ffff:10.1.2.3/104 is IPv4 written as IPv6; write 10.0.0.0/8"},
		{"10.0.0.0/33", NULL,
		 "'10.0.0.0/33' must end in a prefix length from 0 to 32 after '/'"},
		{"::/129", NULL, "'::/129' must end in a prefix length from 0 to 128 after '/'"},
		{"10.0.0.0/", NULL,
		 "'10.0.0.0/' must end in a prefix length from 0 to 32 after '/'"},
		{"10.0.0.0/08", NULL,
		 "'10.0.0.0/08' must end in a prefix length from 0 to 32 after '/'"},
		{"10.0.0.0/:", NULL,
		 "'10.0.0.0/:' must end in a prefix length from 0 to 32 after '/'"},
		{"10.0.0.0/ 8", NULL,
		 "'10.0.0.0/ 8' must end in a prefix length from 0 to 32 after '/'"},
		{"10.0.0.0/-1", NULL,
		 "'10.0.0.0/-1' must end in a prefix length from 0 to 32 after '/'"},
		{"10.0.0.0/4294967304", NULL,
		 "'10.0.0.0/4294967304' must end in a prefix length from 0 to 32 after '/'"},
		{"10.0.0.0/255.0.0.0", NULL,
		 "'10.0.0.0/255.0.0.0' must end in a prefix length from 0 to 32 after '/'"},
		{"", NULL, "'' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"/8", NULL, "'/8' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"10.0.0/8", NULL,
		 "'10.0.0/8' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"fe80::1%eth0", NULL,
		 "'fe80::1%eth0' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"mail.example.com", NULL,
		 "'mail.example.com' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{" 10.0.0.0/8", NULL,
		 "' 10.0.0.0/8' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix prefix;
		char text[PREFIX_TEXT];
		__free_text char *why = NULL;
		int result = prefix_parse(cases[i].text, &prefix, &why);

		if (cases[i].why) {
			assert_int_equal(result, -EINVAL);
			assert_string_equal(why, cases[i].why);
		} else {
			assert_int_equal(result, 0);
			assert_null(why);
			assert_string_equal(prefix_format(&prefix, text), cases[i].written);
		}
	}
}

/* "10.0.0.0/8 ::/0": the prefixes of a group in their order; the caller frees. */
static char *group_text(const struct groups *groups, const char *name)
{
	const struct group *group = groups_find(groups, name);
	__cleanup(names_free) struct names names = {0};
	char text[PREFIX_TEXT];

	assert_non_null(group);
	for (size_t i = 0; i < group->prefixes; i++)
		names_add(&names, prefix_format(&group->prefix[i], text));
	return names_join(&names, " ");
}

static void test_group(void **state)
{
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL, *other = NULL;

	(void)state;
	/* Sorted, IPv4 first, each once. */
	assert_int_equal(
		0, groups_define(&groups,
				 "trusted=::1,10.0.0.0/8,192.0.2.1,10.0.0.0/8,10.0.0.0/16,::1/128",
				 &diag));
	text = group_text(&groups, "trusted");
	assert_string_equal(text, "10.0.0.0/8 10.0.0.0/16 192.0.2.1/32 ::1/128");
	/* A later definition replaces an earlier one; other groups stay. */
	assert_int_equal(0, groups_define(&groups, "client=192.0.2.0/24", &diag));
	assert_int_equal(0, groups_define(&groups, "trusted=10.9.0.0/16", &diag));
	assert_int_equal(groups.count, 2);
	other = group_text(&groups, "trusted");
	assert_string_equal(other, "10.9.0.0/16");
	/* A wrong definition changes nothing. */
	assert_int_equal(-EINVAL, groups_define(&groups, "trusted=10.0.0.0/8,10.1.2.3/8", &diag));
	expect_said(
		&diag,
		"portcullis: --group: trusted: 10.1.2.3/8 has host bits set; write 10.0.0.0/8\n");
	text_free(&other);
	other = group_text(&groups, "trusted");
	assert_string_equal(other, "10.9.0.0/16");
	assert_null(groups_find(&groups, "nobody"));
}

static void test_group_file(void **state)
{
	static const char good[] = "\xef\xbb\xbf# offices\r\n\r\n  10.0.0.0/8 # Linz\r\n"
				   "\t2001:db8::/32\n10.0.0.0/8\t\n#\n192.0.2.7#x\n203.0.113.0/24";
	static const char bad[] = "10.0.0.0/8\n  10.1.2.3/8 # Linz\r\n\nx y\n";
	static const char hidden[] = "10.0.0.0\0x\n10.0.0.0/8\0/16\n";
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL, *expected = NULL, *empty = NULL;
	char path[32];

	(void)state;
	assert_int_equal(0, define_file(&groups, good, sizeof(good) - 1, path, &diag));
	assert_int_equal(diag.count, 0);
	text = group_text(&groups, "g");
	assert_string_equal(text, "10.0.0.0/8 192.0.2.7/32 203.0.113.0/24 2001:db8::/32");

	assert_int_equal(-EINVAL, define_file(&groups, bad, sizeof(bad) - 1, path, &diag));
	expected = xasprintf(
		"%s:2:3: 10.1.2.3/8 has host bits set; write 10.0.0.0/8\n"
		"  10.1.2.3/8 # Linz\n"
		"  ^~~~~~~~~~\n"
		"%s:4:1: 'x y' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)\n"
		"x y\n"
		"^~~\n",
		path, path);
	expect_said(&diag, expected);

	assert_int_equal(-EINVAL, define_file(&groups, hidden, sizeof(hidden) - 1, path, &diag));
	assert_int_equal(diag.errors, 2);
	diag_free(&diag);
	assert_int_equal(-EINVAL, define_file(&groups, "# none\n\n", 8, path, &diag));
	empty = xasprintf("portcullis: %s: contains no prefix\n", path);
	expect_said(&diag, empty);
	/* After all of these the first definition is unchanged. */
	assert_int_equal(groups_find(&groups, "g")->prefixes, 4);
}

static void test_group_file_errors(void **state)
{
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(text_free) char *many = xcalloc(GROUP_FILE_LIMIT + 1, 1);
	__free_text char *expected = NULL;
	char path[32];

	(void)state;
	assert_int_equal(-ENOENT, groups_define(&groups, "g=@/nowhere/f", &diag));
	expect_said(
		&diag,
		"portcullis: --group: g: cannot read '/nowhere/f': No such file or directory\n");
	assert_int_equal(-EINVAL, groups_define(&groups, "g=@/tmp", &diag));
	expect_said(&diag, "portcullis: --group: g: cannot read '/tmp': not a regular file\n");
	memset(many, '\n', GROUP_FILE_LIMIT + 1);
	memcpy(many, "10.0.0.0/8", 10);
	assert_int_equal(0, define_file(&groups, many, GROUP_FILE_LIMIT, path, &diag));
	assert_int_equal(-EFBIG, define_file(&groups, many, GROUP_FILE_LIMIT + 1, path, &diag));
	expected = xasprintf("portcullis: --group: g: '%s' is larger than 16777216 bytes\n", path);
	expect_said(&diag, expected);
}

#define MANY 100000

static void test_many_errors(void **state)
{
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(text_free) char *file = xcalloc(2 * MANY, 1);
	char path[32];
	double start = now();

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		memcpy(file + 2 * i, "x\n", 2);
	assert_int_equal(-EINVAL, define_file(&groups, file, 2 * MANY, path, &diag));
	expect_fast("100,000 wrong lines", start, 2);
	assert_int_equal(diag.count, DIAG_LIMIT + 1);
	assert_int_equal(diag.entry[DIAG_LIMIT - 1].line, DIAG_LIMIT);
}

static char *prefixes_of(const struct group *group)
{
	__cleanup(names_free) struct names names = {0};
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < group->prefixes; i++)
		names_add(&names, prefix_format(&group->prefix[i], text));
	return names_join(&names, " ");
}

/* The words of `ban` and `grant`: prefixes and files of prefixes, in order, each once. */
static void test_words(void **state)
{
	static const struct {
		const char *word[3];
		int result;
		const char *expected, *said;
	} cases[] = {
		{{"192.0.2.9"}, 0, "192.0.2.9/32", ""},
		{{"192.0.2.9,10.0.0.0/8", "::1", "10.0.0.0/8"},
		 0,
		 "10.0.0.0/8 192.0.2.9/32 ::1/128",
		 ""},
		{{"192.0.2.9", "x"},
		 -EINVAL,
		 "192.0.2.9/32",
		 "portcullis: ban: prefixes: 'x' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)\n"},
		{{"@/nonexistent/file"}, -ENOENT, "", NULL},
		{{"dns:a.example"},
		 -EINVAL,
		 "",
		 "portcullis: ban: dns:a.example: names of hosts are for groups; name addresses here\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(names_free) struct names words = {0};
		struct diag diag = {0};
		struct group group;
		__free_text char *found = NULL;
		int result;

		for (size_t j = 0; j < 3 && cases[i].word[j]; j++)
			names_add(&words, cases[i].word[j]);
		result = prefixes_read("ban", &words, 1 << 20, &group, &diag);
		found = prefixes_of(&group);
		if (cases[i].said)
			expect_said(&diag, cases[i].said);
		assert_int_equal(result, cases[i].result);
		assert_string_equal(found, cases[i].expected);
		group_clear(&group);
		diag_free(&diag);
	}
}

/* What a group has from DNS: its names, and its prefixes without the answers. */
static void test_dns(void **state)
{
	static const struct place place = {.file = "kept"};
	struct names dns = {.name = (char *[]){"a.example", "b.example"}, .count = 2};
	struct names wrong = {.name = (char *[]){"-"}, .count = 1};
	struct names fixed = {.name = (char *[]){"192.0.2.0/24", "10.0.0.0/8"}, .count = 2};
	__cleanup(groups_free) struct groups groups = {0};
	struct diag diag = {0};
	const struct group *group;
	__free_text char *before = NULL, *kept = NULL;

	(void)state;
	assert_int_equal(groups_define(&groups, "a=10.0.0.0/8,192.0.2.0/24,198.51.100.1", &diag),
			 0);
	assert_int_equal(groups_set_dns(&groups, "b", &dns, &fixed, &place, &diag), -EINVAL);
	expect_said(&diag, "portcullis: kept: there is no group 'b'\n");
	assert_int_equal(groups_set_dns(&groups, "a", &wrong, &fixed, &place, &diag), -EINVAL);
	assert_int_equal(diag.count, 1);
	diag_free(&diag);
	group = groups_find(&groups, "a");
	assert_int_equal(group->dns.count, 0);
	assert_false(group_renew((struct group *)group, false));
	assert_int_equal(groups_set_dns(&groups, "a", &dns, &fixed, &place, &diag), 0);
	assert_int_equal(group->dns.count, 2);
	assert_int_equal(group->fixeds, 2);
	before = prefixes_of(group);
	assert_string_equal(before, "10.0.0.0/8 192.0.2.0/24 198.51.100.1/32");
	/* Neither name has an answer: the group keeps its prefixes. */
	assert_false(group_renew((struct group *)group, false));
	kept = prefixes_of(group);
	assert_string_equal(kept, before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix),	    cmocka_unit_test(test_group),
		cmocka_unit_test(test_group_file),  cmocka_unit_test(test_group_file_errors),
		cmocka_unit_test(test_many_errors), cmocka_unit_test(test_words),
		cmocka_unit_test(test_dns),
	};

	return cmocka_run_group_tests_name("catalog/group", tests, NULL, NULL);
}
