// SPDX-License-Identifier: GPL-2.0
/* Removing words that earlier options gave. */
#include <errno.h>

#include "loader/base/memory.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/take_back.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/words.h"

static const struct word words[] = {
	{recipe_profiles, "xeams"},
	{recipe_open, "587/tcp=mgmt,office"},
	{recipe_open, "5060/tcp+udp,60000-60099/udp"},
	{recipe_enable, "imap"},
	{recipe_enable, "xeams:pop3"},
	{recipe_disable, "site:587-tcp"},
	{recipe_disable, "xeams:dns"},
	{recipe_set, "xeams:smtp=26/tcp"},
	{recipe_set, "xeams:sip:in=5060/udp"},
	{recipe_set, "xeams:sip:out=5061/udp"},
	{recipe_from, "site:587-tcp=mgmt"},
	{recipe_from, "xeams:smtp=mgmt"},
	{recipe_limit, "site:587-tcp=5/m"},
	{recipe_limit, "xeams:smtp=20/s"},
	{recipe_limit, "xeams:dns={rate: 20/s, burst: 60}"},
	{recipe_limit, "xeams:dns=600/m"},
	{recipe_group, "mgmt=10.0.0.0/8"},
	{recipe_group, "office=192.0.2.0/24"},
};

/* The remaining words; the caller frees. */
static char *left(const struct recipe *recipe)
{
	json_t *json = recipe_json(recipe);
	json_t *some =
		json_pack("[O, O, O]", json_object_get(json, "features"),
			  json_object_get(json, "overrides"), json_object_get(json, "groups"));
	char *text = json_dumps(some, JSON_COMPACT);

	json_decref(some);
	json_decref(json);
	return text;
}

static void test_taking_back(void **state)
{
	static const struct word back[] = {
		{recipe_no_open, "587/tcp"},	  {recipe_no_open, "5060/udp,60000-60099/udp"},
		{recipe_no_enable, "imap"},	  {recipe_no_disable, "xeams:dns"},
		{recipe_no_set, "xeams:sip:out"}, {recipe_no_set, "xeams:smtp"},
		{recipe_no_from, "xeams:smtp"},	  {recipe_no_group, "mgmt"},
		{recipe_no_limit, "xeams:smtp"},
	};
	__cleanup(recipe_free) struct recipe recipe = {0}, both = {0};
	__free_text char *text = NULL, *rest = NULL;
	__cleanup(diag_free) struct diag diag = {0};

	(void)state;
	say_all(&recipe, words, ARRAY_SIZE(words));
	say_all(&recipe, back, ARRAY_SIZE(back));
	text = left(&recipe);
	/* The words about a port are removed with it. */
	assert_string_equal(
		text,
		"[[\"xeams:pop3\"],{\"open\":[\"5060/tcp\"],\"set\":[\"xeams:sip:in=5060/udp\"],"
		"\"from\":[],\"disable\":[],\"limit\":[\"xeams:dns=600/m\"]},{\"office\":[\"192.0.2.0/24\"]}]");
	/* Without a direction, the sets of both. */
	say_all(&both, words, ARRAY_SIZE(words));
	assert_int_equal(0, recipe_no_set(&both, "xeams:sip", &diag));
	assert_int_equal(both.sets, 1);
	assert_int_equal(0, recipe_no_open(&both, "5060/tcp+udp", &diag));
	rest = open_port_text(&both.opens.port[1]);
	assert_int_equal(both.opens.count, 2);
	assert_string_equal(rest, "60000-60099/udp");
}

static void test_what_was_not_given(void **state)
{
	static const struct {
		option option;
		const char *word, *said;
	} cases[] = {
		{recipe_no_open, "588/tcp",
		 "--no-open: '588/tcp' was not given; did you mean '587/tcp'?"},
		{recipe_no_open, "9/udp",
		 "--no-open: '9/udp' was not given; these were: 587/tcp, 5060/tcp, 5060/udp, 60000-60099/udp"},
		{recipe_no_open, "587",
		 "--no-open: '587' has no protocol; write 587/tcp, 587/udp or 587/tcp+udp"},
		{recipe_no_open, "587/tcp=mgmt",
		 "--no-open: '587/tcp=mgmt': write the port without its groups"},
		{recipe_no_enable, "imab",
		 "--no-enable: 'imab' was not given; did you mean 'imap'?"},
		{recipe_no_enable, "pop3",
		 "--no-enable: 'pop3' was not given; these were: imap, xeams:pop3"},
		{recipe_no_disable, "xeams:dn",
		 "--no-disable: 'xeams:dn' was not given; did you mean 'xeams:dns'?"},
		{recipe_no_set, "xeams:smtb",
		 "--no-set: 'xeams:smtb' was not given; did you mean 'xeams:smtp'?"},
		{recipe_no_from, "xeams:smpt",
		 "--no-from: 'xeams:smpt' was not given; did you mean 'xeams:smtp'?"},
		{recipe_no_group, "ofice",
		 "--no-group: 'ofice' was not given; did you mean 'office'?"},
	};
	__cleanup(recipe_free) struct recipe recipe = {0}, empty = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *before = NULL, *after = NULL;

	(void)state;
	say_all(&recipe, words, ARRAY_SIZE(words));
	before = left(&recipe);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *expected = xasprintf("portcullis: %s\n", cases[i].said);

		assert_int_equal(-EINVAL, cases[i].option(&recipe, cases[i].word, &diag));
		expect_said(&diag, expected);
	}
	after = left(&recipe);
	assert_string_equal(before, after);
	assert_int_equal(-EINVAL, recipe_no_from(&empty, "a:b", &diag));
	expect_said(
		&diag,
		"portcullis: --no-from: 'a:b' was not given before, nor any other value of this option\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taking_back),
		cmocka_unit_test(test_what_was_not_given),
	};

	return cmocka_run_group_tests_name("recipe/take_back", tests, NULL, NULL);
}
