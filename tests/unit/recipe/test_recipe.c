// SPDX-License-Identifier: GPL-2.0
/* The words of a recipe: options, and overrides that replace one another. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/recipe/recipe.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/words.h"

static void test_group_errors(void **state)
{
	static const struct {
		const char *definition, *said;
	} cases[] = {
		{"trusted",
		 "trusted has no prefix; write trusted=PREFIX[,PREFIX], trusted=dns:HOST, trusted=@FILE or trusted=-"},
		{"trusted=",
		 "trusted has no prefix; write trusted=PREFIX[,PREFIX], trusted=dns:HOST, trusted=@FILE or trusted=-"},
		{"trusted=@",
		 "trusted has no prefix; write trusted=PREFIX[,PREFIX], trusted=dns:HOST, trusted=@FILE or trusted=-"},
		{"=10.0.0.0/8",
		 "'' is not a group name; use only a-z, 0-9 and '-', at most 63 characters"},
		{"", "'' is not a group name; use only a-z, 0-9 and '-', at most 63 characters"},
		{"Trusted=10.0.0.0/8",
		 "'Trusted' is not a group name; use only a-z, 0-9 and '-', at most 63 characters"},
		{"anyone=10.0.0.0/8", "the group anyone is built in and cannot be defined"},
		{"link-local=10.0.0.0/8", "the group link-local is built in and cannot be defined"},
		{"trusted=10.0.0.0/8,",
		 "trusted: '' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"trusted=10.0.0.0/8, 11.0.0.0/8",
		 "trusted: ' 11.0.0.0/8' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"trusted=11.0.0.0/7,x",
		 "trusted: 11.0.0.0/7 has host bits set; write 10.0.0.0/7\n"
		 "portcullis: --group: trusted: 'x' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *expected = xasprintf("portcullis: --group: %s\n", cases[i].said);

		assert_int_equal(-EINVAL, recipe_group(&recipe, cases[i].definition, &diag));
		expect_said(&diag, expected);
		assert_int_equal(recipe.groups.count, 0);
	}
}

static void test_option_errors(void **state)
{
	static const struct {
		option option;
		const char *argument, *said;
	} cases[] = {
		{recipe_profiles, "Xeams",
		 "--profile: 'Xeams' is not a profile name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_profiles, "xeams,,ssh",
		 "--profile: '' is not a profile name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_profiles, "",
		 "--profile: '' is not a profile name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_enable, "IMAP",
		 "--enable: 'IMAP' is not a feature name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_enable, "xeams:",
		 "--enable: '' is not a feature name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_enable, ":imap",
		 "--enable: '' is not a profile name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_enable, "a:b:c",
		 "--enable: 'b:c' is not a feature name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_disable, "smtp",
		 "--disable: 'smtp' does not name a service; write PROFILE:SERVICE"},
		{recipe_disable, "xeams:s p",
		 "--disable: 's p' is not a service name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_set, "xeams:smtp",
		 "--set: 'xeams:smtp' has no ports; write PROFILE:SERVICE=PORTS, as in xeams:smtp=25/tcp"},
		{recipe_set, "xeams:smtp=",
		 "--set: 'xeams:smtp=' has no ports; write PROFILE:SERVICE=PORTS, as in xeams:smtp=25/tcp"},
		{recipe_set, "smtp=25/tcp",
		 "--set: 'smtp=25/tcp' does not name a service; write PROFILE:SERVICE"},
		{recipe_set, "xeams:smtp=25",
		 "--set: xeams:smtp: '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp"},
		{recipe_set, "xeams:smtp:up=25/tcp",
		 "--set: 'up' is not a direction; write in or out"},
		{recipe_set, "xeams:smtp:in:out=25/tcp",
		 "--set: 'in:out' is not a direction; write in or out"},
		{recipe_set, "xeams:smtp=25/tcp,70000/tcp",
		 "--set: xeams:smtp: port 70000 is out of range 1-65535"},
		{recipe_set, "xeams:smtp=25/tcp,587/tcp,25/tcp",
		 "--set: xeams:smtp: 25/tcp is listed twice"},
		{recipe_set, "x:y=1-65535/tcp,60-70/udp,5/udp,65-80/tcp+udp",
		 "--set: x:y: 65/tcp is listed twice"},
		{recipe_set, "x:y=60-70/udp,65535/tcp,70/tcp+udp",
		 "--set: x:y: 70/udp is listed twice"},
		{recipe_from, "xeams:smtp",
		 "--from: 'xeams:smtp' has no group; write PROFILE:SERVICE=GROUP[,GROUP], as in xeams:admin=trusted"},
		{recipe_from, "xeams:smtp=",
		 "--from: 'xeams:smtp=' has no group; write PROFILE:SERVICE=GROUP[,GROUP], as in xeams:admin=trusted"},
		{recipe_from, "xeams=trusted",
		 "--from: 'xeams=trusted' does not name a service; write PROFILE:SERVICE"},
		{recipe_from, "xeams:smtp=trusted,",
		 "--from: '' is not a group name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_from, "xeams:smtp=trusted,anyone",
		 "--from: 'trusted,anyone': anyone includes every group; write anyone alone"},
		{recipe_open, "587",
		 "--open: '587' has no protocol; write 587/tcp, 587/udp or 587/tcp+udp"},
		{recipe_open, "", "--open: a port is empty; write it as 25/tcp"},
		{recipe_open, "587/tcp,", "--open: a port is empty; write it as 25/tcp"},
		{recipe_open, "587/tcp=",
		 "--open: '587/tcp=' has no group; write 587/tcp for anyone, or 587/tcp=GROUP[,GROUP]"},
		{recipe_open, "587/tcp=10.0.0.0/8",
		 "--open: '10.0.0.0/8' is not a group name; use only a-z, 0-9 and '-', at most 63 characters"},
		{recipe_open, "587/tcp=anyone,trusted",
		 "--open: 'anyone,trusted': anyone includes every group; write anyone alone"},
		{recipe_open, "9/udp,587/tcp,587/tcp+udp", "--open: 587/tcp is listed twice"},
		{recipe_open, "9/udp,100-200/tcp,100-201/tcp,101-201/tcp,101-201/tcp",
		 "--open: 101-201/tcp is listed twice"},
		{recipe_open, "5-9/udp,5-9/tcp+udp", "--open: 5-9/udp is listed twice"},
		{recipe_from, "xeams:smtp=10.0.0.0/8",
		 "--from: '10.0.0.0/8' is not a group name; use only a-z, 0-9 and '-', at most 63 characters"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *expected = xasprintf("portcullis: %s\n", cases[i].said);

		assert_int_equal(-EINVAL, cases[i].option(&recipe, cases[i].argument, &diag));
		expect_said(&diag, expected);
		assert_int_equal(recipe.features.count + recipe.disabled.count + recipe.sets +
					 recipe.froms + recipe.groups.count,
				 0);
		assert_int_equal(recipe.opens.count, 0);
	}
}

/* A newer word replaces the older ones that it leaves without effect, and no others. */
static void test_replacing(void **state)
{
	static const struct {
		const char *set[4];
		const char *left;
	} cases[] = {
		{{"x:y=1/tcp", "x:y=2/tcp"}, "x:y=2/tcp"},
		{{"x:y:in=1/tcp", "x:y:out=2/tcp"}, "x:y:in=1/tcp x:y:out=2/tcp"},
		{{"x:y:in=1/tcp", "x:y:out=2/tcp", "x:y=3/tcp"}, "x:y=3/tcp"},
		{{"x:y=1/tcp", "x:y:in=2/tcp"}, "x:y=1/tcp x:y:in=2/tcp"},
		{{"x:y=1/tcp", "x:y:in=2/tcp", "x:y:in=3/tcp"}, "x:y=1/tcp x:y:in=3/tcp"},
		{{"x:y=1/tcp", "x:y:in=2/tcp", "x:y:out=3/tcp"}, "x:y:in=2/tcp x:y:out=3/tcp"},
		{{"x:y=1/tcp", "x:z=2/tcp", "w:y=3/tcp", "x:y=4/tcp"},
		 "x:z=2/tcp w:y=3/tcp x:y=4/tcp"},
	};
	static const struct word froms[] = {
		{recipe_from, "x:y=a"}, {recipe_from, "x:z=b"}, {recipe_from, "x:y=c,d"}};
	__cleanup(recipe_free) struct recipe restricted = {0};
	__free_text char *from = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__cleanup(names_free) struct names names = {0};
		__free_text char *left = NULL;

		for (size_t j = 0; j < ARRAY_SIZE(cases[i].set) && cases[i].set[j]; j++)
			assert_int_equal(0, recipe_set(&recipe, cases[i].set[j], &diag));
		for (size_t j = 0; j < recipe.sets; j++) {
			__free_text char *text = override_set_text(&recipe.set[j]);

			names_add(&names, text);
		}
		left = names_join(&names, " ");
		assert_string_equal(left, cases[i].left);
	}
	say_all(&restricted, froms, ARRAY_SIZE(froms));
	assert_int_equal(restricted.froms, 2);
	from = override_from_text(&restricted.from[0]);
	assert_string_equal(from, "x:y=c,d");
}

/* Words as they are written back: one for each port and transport, in the place of the older
 * one. */
static void test_opening(void **state)
{
	static const struct word words[] = {
		{recipe_open, "5060/udp+tcp=phones,office"},
		{recipe_open, "587/tcp,60000-60099/udp"},
		{recipe_open, "submission/tcp=office"},
		{recipe_open, "5060/tcp=anyone"},
		{recipe_open, "60000-60100/udp"},
	};
	__cleanup(recipe_free) struct recipe recipe = {0};
	__cleanup(names_free) struct names names = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL;

	(void)state;
	say_all(&recipe, words, ARRAY_SIZE(words));
	for (size_t i = 0; i < recipe.opens.count; i++) {
		__free_text char *word = open_port_text(&recipe.opens.port[i]);

		names_add(&names, word);
	}
	text = names_join(&names, " ");
	assert_string_equal(
		text,
		"5060/tcp 5060/udp=phones,office 587/tcp=office 60000-60099/udp 60000-60100/udp");
	assert_non_null(opens_find(&recipe.opens, "60000-60099-udp"));
	assert_null(opens_find(&recipe.opens, "60000-udp"));
	for (int i = 0; i < OPENS_LIMIT - 5; i++) {
		__free_text char *word = xasprintf("%d/tcp", 1000 + i);

		assert_int_equal(0, recipe_open(&recipe, word, &diag));
	}
	assert_int_equal(-EINVAL, recipe_open(&recipe, "1/tcp", &diag));
	expect_said(
		&diag,
		"portcullis: --open: at most 1024 ports can be opened beside the profiles; join them into ranges\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_errors),
		cmocka_unit_test(test_option_errors),
		cmocka_unit_test(test_replacing),
		cmocka_unit_test(test_opening),
	};

	return cmocka_run_group_tests_name("recipe/recipe", tests, NULL, NULL);
}
