// SPDX-License-Identifier: GPL-2.0
/* Values in XML files, by XPath; and files that attack the reader. */
#include "loader/catalog/xml.h"

#include <errno.h>
#include <unistd.h>

#include "tests/unit/expect.h"

/* "VALUE@LINE VALUE@LINE", or why not. */
static char *found(const char *text, const char *xpath)
{
	__cleanup(settings_free) struct settings settings = {};
	__cleanup(xml_free) struct xml *xml = NULL;
	__cleanup(names_free) struct names values = {};
	char *why = NULL;

	if (xml_parse(text, strlen(text), &xml, &why) || xml_find(xml, xpath, &settings, &why))
		return why;
	for (size_t i = 0; i < settings.count; i++) {
		__free_text char *value =
			xasprintf("%s@%d", settings.setting[i].value, settings.setting[i].line);

		names_add(&values, value);
	}
	return names_join(&values, " ");
}

static void expect_found(const char *text, const char *xpath, const char *expected)
{
	__free_text char *all = found(text, xpath);

	assert_string_equal(all, expected);
}

static void test_find(void **state)
{
	static const char text[] =
		"<?xml version='1.0'?>\n<a>\n<b port='80'/><b port='81'>x</b>\n<c> 25 </c></a>";

	(void)state;
	expect_found(text, "/a/b/@port", "80@3 81@3");
	expect_found(text, "/a/b[. = 'x']/@port", "81@3");
	expect_found(text, "normalize-space(/a/c)", "25@0");
	expect_found(text, "number(/a/c) + 1", "26@0");
	expect_found(text, "/a/c", " 25 @4");
	expect_found(text, "/nothing", "");
	expect_found(text, "/a/b[", "the XPath expression '/a/b[' is wrong, or costs too much");
	expect_found(text, "//x:b", "the XPath expression '//x:b' is wrong, or costs too much");
}

static void test_broken(void **state)
{
	static const char *const texts[] = {"",		 " ",		"port = 25",
					    "<a>",	 "<a></b>",	"<a b='1' b='2'/>",
					    "<a/><b/>",	 "<a>\x01</a>", "<a>\xff</a>",
					    "<a>&x;</a>"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		__free_text char *why = NULL;
		struct xml *xml = NULL;

		assert_int_equal(xml_parse(texts[i], strlen(texts[i]), &xml, &why), -EINVAL);
		assert_true(strlen(why) > 5 && !strchr(why, '\n'));
	}
}

/* It reads neither files nor the network, and expands no entity. */
static void test_entities(void **state)
{
	char path[] = "/tmp/portcullis-test-XXXXXX";
	int fd = mkstemp(path);
	__free_text char *file =
		xasprintf("<!DOCTYPE a [<!ENTITY x SYSTEM 'file://%s'>]><a>&x;</a>", path);
	__free_text char *outside =
		xasprintf("<!DOCTYPE a SYSTEM 'file://%s'><a b='1'>5</a>", path);
	static const char laughs[] =
		"<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>"
		"<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
		"<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"
		"<!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'><!ENTITY h '&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;'>"
		"]><a><p>25</p><q b='&h;'>&h;</q></a>";
	double start = now();
	__free_text char *got = NULL, *big = NULL;

	(void)state;
	assert_true(fd >= 0 && write(fd, "secret", 6) == 6);
	got = found(file, "/a");
	assert_string_equal(got, "it declares entities, which are not expanded");
	expect_found(outside, "/a", "5@1");
	big = found(laughs, "/a");
	assert_non_null(strstr(big, "entit"));
	expect_fast("entities", start, 2);
	close(fd);
	unlink(path);
}

static void test_bounds(void **state)
{
	enum { DEPTH = 200000 };
	__free_text char *deep = xcalloc(4 * DEPTH + 1, 1), *many = NULL, *got = NULL;
	size_t length;
	FILE *to = open_memstream(&many, &length);
	double start = now();

	(void)state;
	for (size_t i = 0; i < DEPTH; i++)
		memcpy(deep + 3 * i, "<a>", 3);
	got = found(deep, "//a");
	assert_non_null(strstr(got, "line 1: "));
	free(got);
	fputs("<a>", to);
	for (int i = 0; i < 20000; i++)
		fprintf(to, "<b p='%d'/>", i);
	fputs("</a>", to);
	fclose(to);
	/* Expressions whose work grows with the square of the file. */
	got = found(many, "//b[count(//b[@p > 5]) > 1][count(preceding::b) > 1]/@p");
	assert_non_null(strstr(got, "costs too much"));
	free(got);
	got = found(many, "//b/@p");
	assert_true(strlen(got) < 1000);
	expect_fast("bounds", start, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_entities),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("catalog/xml", tests, NULL, NULL);
}
