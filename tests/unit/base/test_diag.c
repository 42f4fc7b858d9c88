// SPDX-License-Identifier: GPL-2.0
/* Messages: how they are printed, and how many are kept. */
#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/unit/expect.h"

#include <errno.h>

static void test_print(void **state)
{
	static const char source[] = "\tin: [\xc3\xa4,\t70000/tcp]\x1b";
	struct place place = {.file = "a\nb.yaml",
			      .line = 7,
			      .column = 10,
			      .width = 9,
			      .source = source,
			      .source_length = sizeof(source) - 1};
	struct place whole = {.file = "c.yaml"};
	struct diag diag = {0};

	(void)state;
	diag_error(&diag, &place, "port %d", 70000);
	diag_warning(&diag, &whole, "shadowed");
	place.line = 3;
	place.column = 16;
	place.width = 99; /* past the line's end */
	diag_warning(&diag, &place, "bad \xff\x1b[1m\n%s", "\xc3\xa4");
	diag_error(&diag, NULL, "no place");
	diag_error_fix(&diag, NULL, "chmod go-w 'a\nb'", "with a fix");
	diag_warning_fix(&diag, &whole, "touch c.yaml", "with a fix");
	diag_errno(&diag, &whole, -EACCES, NULL);
	diag_errno(&diag, &whole, -ENOENT, "cannot read it");
	assert_int_equal(diag.entry[diag.count - 1].err, 0); /* the entry without a file */
	assert_int_equal(diag.entry[4].err, -EACCES);
	assert_int_equal(diag.errors, 5);
	assert_int_equal(diag.count, 8);
	expect_said(&diag, "a?b.yaml:3:16: warning: bad ??[1m?\xc3\xa4\n"
			   "\tin: [\xc3\xa4,\t70000/tcp]?\n"
			   "\t       \t      ^~~~~\n"
			   "a?b.yaml:7:10: port 70000\n"
			   "\tin: [\xc3\xa4,\t70000/tcp]?\n"
			   "\t       \t^~~~~~~~~\n"
			   "portcullis: c.yaml: warning: shadowed\n"
			   "portcullis: c.yaml: warning: with a fix; to fix it: touch c.yaml\n"
			   "portcullis: c.yaml: Permission denied\n"
			   "portcullis: c.yaml: cannot read it: No such file or directory\n"
			   "portcullis: no place\n"
			   "portcullis: with a fix; to fix it: chmod go-w 'a?b'\n");
}

static void test_limit_of_messages(void **state)
{
	__free_text char *long_text = xcalloc(100001, 1);
	struct diag diag = {0};

	(void)state;
	memset(long_text, 'x', 100000);
	for (int i = 0; i < DIAG_LIMIT; i++)
		diag_warning(&diag, NULL, "%d", i);
	assert_int_equal(diag.count, DIAG_LIMIT);
	diag_warning(&diag, NULL, "one more");
	assert_int_equal(diag.count, DIAG_LIMIT + 1);
	assert_int_equal(diag.errors, 0);
	assert_false(diag_full(&diag));
	/* An error that is not kept still makes the command fail. */
	diag_error(&diag, NULL, "two more");
	diag_error(&diag, NULL, "three more");
	assert_int_equal(diag.count, DIAG_LIMIT + 1);
	assert_int_equal(diag.errors, 1);
	assert_true(diag_full(&diag));
	assert_string_equal(diag.entry[DIAG_LIMIT].message,
			    "there are more; only the first 1000 are shown");
	diag_free(&diag);
	diag_error(&diag, NULL, "%s", long_text);
	assert_int_equal(strlen(diag.entry[0].message), 1000);
	assert_string_equal(diag.entry[0].message + 995, "xx...");
	diag_free(&diag);
}

/* Moved entries are sorted among the others, and none is lost except those above the limit. */
static void test_take(void **state)
{
	struct place place = {.file = "a.yaml", .line = 5, .column = 1, .width = 1};
	struct diag diag = {0}, found = {0};

	(void)state;
	place.source = "x";
	place.source_length = 1;
	diag_error(&diag, &place, "last");
	place.line = 2;
	diag_warning_fix(&found, &place, "mend it", "first");
	diag_errno(&found, NULL, -ENOENT, "second");
	diag_take(&diag, &found);
	assert_int_equal(found.count, 0);
	assert_null(found.entry);
	assert_int_equal(diag.count, 3);
	assert_int_equal(diag.errors, 2);
	expect_said(&diag, "a.yaml:2:1: warning: first; to fix it: mend it\nx\n^\n"
			   "a.yaml:5:1: last\nx\n^\n"
			   "portcullis: second: No such file or directory\n");
	for (int i = 0; i < DIAG_LIMIT - 1; i++)
		diag_warning(&diag, NULL, "%d", i);
	diag_warning(&found, NULL, "fits");
	diag_error(&found, NULL, "does not");
	diag_error(&found, NULL, "nor this");
	diag_take(&diag, &found);
	assert_int_equal(found.count, 0);
	assert_int_equal(diag.count, DIAG_LIMIT + 1);
	assert_int_equal(diag.errors, 1);
	assert_string_equal(diag.entry[DIAG_LIMIT - 1].message, "fits");
	assert_string_equal(diag.entry[DIAG_LIMIT].message,
			    "there are more; only the first 1000 are shown");
	diag_free(&diag);
}

/* A message at the same place is kept once, even if it comes from another list. */
static void test_once(void **state)
{
	__cleanup(diag_free) struct diag diag = {}, other = {};
	const struct place here = {.file = "a.yaml", .line = 1, .column = 2};
	const struct place there = {.file = "a.yaml", .line = 1, .column = 3};

	(void)state;
	diag_error(&diag, &here, "wrong");
	diag_error(&diag, &here, "wrong");
	assert_int_equal(diag.count, 1);
	assert_int_equal(diag.errors, 1);
	diag_error(&other, &here, "wrong");
	diag_error(&other, &there, "wrong");
	diag_error(&other, NULL, "wrong");
	diag_take(&diag, &other);
	assert_int_equal(diag.count, 3);
	diag_warning(&diag, &here, "wrong");
	diag_error(&diag, &here, "also wrong");
	assert_int_equal(diag.count, 5);
	assert_int_equal(diag.errors, 4);
}

/* The carets are below the offending text, also after characters of two columns, or none. */
static void test_wide_source(void **state)
{
	static const struct {
		const char *source;
		int column, width;
		const char *said;
	} cases[] = {
		{"日本: wrong", 5, 5, "a:1:5: no\n日本: wrong\n      ^~~~~\n"},
		{"a: 日本", 4, 2, "a:1:4: no\na: 日本\n   ^~~~\n"},
		{"\te\xcc\x81: x", 6, 1, "a:1:6: no\n\te\xcc\x81: x\n\t   ^\n"},
		{"end", 4, 3, "a:1:4: no\nend\n   ^\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct diag diag = {0};
		struct place place = {.file = "a",
				      .line = 1,
				      .column = cases[i].column,
				      .width = cases[i].width,
				      .source = cases[i].source,
				      .source_length = strlen(cases[i].source)};

		diag_error(&diag, &place, "no");
		expect_said(&diag, cases[i].said);
	}
}

/* If a line's column is unknown, the message is about its first one. */
static void test_no_column(void **state)
{
	struct place place = {.file = "a.yaml", .line = 5, .source = "xyz", .source_length = 3};
	struct diag diag = {0};

	(void)state;
	diag_error(&diag, &place, "wrong");
	assert_int_equal(diag.entry[0].column, 1);
	assert_int_equal(diag.entry[0].width, 1);
	expect_said(&diag, "a.yaml:5:1: wrong\nxyz\n^\n");
}

static char *taken_text;

static void take(void *context, bool is_error, const char *text, const char *fix)
{
	char *old = taken_text;

	(void)context;
	taken_text = xasprintf("%s%s %s%s%s\n", old ?: "", is_error ? "error" : "warning", text,
			       fix ? " | " : "", fix ?: "");
	free(old);
}

/* With --json each message is an entry of the answer, with its place first. */
static void test_report(void **state)
{
	struct place place = {.file = "a.yaml", .line = 7, .column = 10},
		     nameless = {.line = 3, .column = 1};
	struct place whole = {.file = "c.yaml"};
	struct diag diag = {0};

	(void)state;
	diag_error(&diag, &place, "port %d", 70000);
	diag_warning(&diag, &whole, "shadowed");
	diag_error(&diag, &nameless, "of standard input");
	diag_error_fix(&diag, NULL, "try again", "no place");
	messages_to(take, NULL);
	diag_report(&diag);
	messages_to(NULL, NULL);
	assert_int_equal(diag.count, 0);
	assert_string_equal(
		taken_text,
		"error a.yaml:7:10: port 70000\nwarning c.yaml: shadowed\nerror no place | try again\n"
		"error ?:3:1: of standard input\n");
	text_free(&taken_text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_wide_source),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_limit_of_messages),
		cmocka_unit_test(test_no_column),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests_name("base/diag", tests, NULL, NULL);
}
