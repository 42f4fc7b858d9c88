// SPDX-License-Identifier: GPL-2.0
/* A recipe as JSON and back, and JSON that is not a recipe. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/catalog/group.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/recipe_json.h"
#include "tests/unit/catalog/group_file.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/words.h"

/* The recipe in one line; the caller frees. */
static char *recipe_text(const struct recipe *recipe)
{
	json_t *json = recipe_json(recipe);
	char *text = json_dumps(json, JSON_COMPACT);

	assert_non_null(json);
	json_decref(json);
	return text;
}

static void test_recipe_json(void **state)
{
	static const struct word words[] = {
		{recipe_profiles, "xeams,ssh"},
		{recipe_profiles, "ssh,host"},
		{recipe_enable, "imap"},
		{recipe_enable, "xeams:pop3"},
		{recipe_enable, "imap"},
		{recipe_disable, "xeams:smtps"},
		{recipe_disable, "xeams:smtps"},
		{recipe_set, "xeams:smtp=26/tcp,25/tcp"},
		{recipe_set, "xeams:sip:out=5060/tcp+udp"},
		{recipe_from, "xeams:admin=trusted,client,trusted"},
		{recipe_from, "xeams:db=link-local"},
		{recipe_open, "submission/tcp=anyone"},
		{recipe_open, "60000-60099/udp=trusted"},
		{recipe_group, "trusted=10.0.0.0/8,::/0"},
		{recipe_group, "client=192.0.2.1"},
	};
	__cleanup(recipe_free) struct recipe recipe = {.policy = PC_POLICY_OBSERVE}, again = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL, *second = NULL;
	json_t *json;

	(void)state;
	say_all(&recipe, words, ARRAY_SIZE(words));
	opens_find(&recipe.opens, "60000-60099-udp")->comment = xstrdup("CHG-1234");
	text = recipe_text(&recipe);
	assert_string_equal(
		text,
		"{\"profiles\":[\"xeams\",\"ssh\",\"host\"],\"policy\":\"observe\",\"outbound\":\"track\",\"forward\":false,\"echo_limit\":100,\"features\":[\"imap\",\"xeams:pop3\"],"
		"\"groups\":{\"trusted\":[\"10.0.0.0/8\",\"::/0\"],\"client\":[\"192.0.2.1/32\"]},"
		"\"overrides\":{\"open\":[\"587/tcp\",\"60000-60099/udp=trusted\"],\"set\":[\"xeams:smtp=25-26/tcp\",\"xeams:sip:out=5060/tcp,5060/udp\"],"
		"\"from\":[\"xeams:admin=trusted,client\",\"xeams:db=link-local\"],\"disable\":[\"xeams:smtps\"]},"
		"\"comments\":{\"site:60000-60099-udp\":\"CHG-1234\"}}");
	json = json_loads(text, 0, NULL);
	assert_int_equal(0, recipe_from_json(&again, json, &diag));
	json_decref(json);
	second = recipe_text(&again);
	assert_string_equal(text, second);
	assert_int_equal(again.policy, PC_POLICY_OBSERVE);
}

/* What only a site file can have: denied groups, groups that are never banned, names of hosts. */
static void test_site_json(void **state)
{
	static const char text[] =
		"{\"profiles\":[\"ssh\"],\"policy\":\"enforce\",\"outbound\":\"track\",\"forward\":false,\"echo_limit\":100,\"features\":[],"
		"\"groups\":{\"a\":[\"10.0.0.0/8\",\"192.0.2.1/32\"],\"b\":[\"2001:db8::/32\"],\"c\":[]},"
		"\"overrides\":{\"open\":[],\"set\":[],\"from\":[],\"disable\":[]},\"comments\":{},"
		"\"deny\":[\"a\",\"c\"],\"never_ban\":[\"b\"],"
		"\"dns\":{\"a\":{\"names\":[\"x.example\",\"y.example\"],\"fixed\":[\"10.0.0.0/8\"]}}}";
	__cleanup(recipe_free) struct recipe recipe = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *again = NULL;
	json_t *json = json_loads(text, 0, NULL), *groups;

	(void)state;
	assert_non_null(json);
	assert_int_equal(recipe_from_json(&recipe, json, &diag), 0);
	expect_names(&recipe.deny, "a c");
	expect_names(&recipe.never_ban, "b");
	again = recipe_text(&recipe);
	for (size_t i = 0; i < 3; i++) {
		static const char *const key[] = {"deny", "never_ban", "dns"};
		json_t *other = json_loads(again, 0, NULL);

		assert_true(
			json_equal(json_object_get(other, key[i]), json_object_get(json, key[i])));
		json_decref(other);
	}
	/* Without the answers, only fixed prefixes are left. */
	recipe_json_forget_answers(json);
	groups = json_object_get(json, "groups");
	assert_int_equal(json_array_size(json_object_get(groups, "a")), 1);
	assert_int_equal(json_array_size(json_object_get(groups, "b")), 1);
	json_decref(json);
}

static void test_settings_json(void **state)
{
	static const struct {
		const char *json, *settings; /* behind "profiles" and "policy" */
	} cases[] = {
		{"", "enforce track no 100"},
		{",\"outbound\":\"enforce\"", "enforce enforce no 100"},
		{",\"outbound\":\"track\",\"forward\":true", "enforce track yes 100"},
		{",\"forward\":false,\"echo_limit\":0", "enforce track no 0"},
		{",\"echo_limit\":1", "enforce track no 1"},
		{",\"echo_limit\":100", "enforce track no 100"},
		{",\"echo_limit\":1000000", "enforce track no 1000000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0}, again = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *text =
			xasprintf("{\"profiles\":[],\"policy\":\"enforce\"%s}", cases[i].json);
		json_t *json = json_loads(text, 0, NULL), *written;

		assert_int_equal(0, recipe_from_json(&recipe, json, &diag));
		json_decref(json);
		expect_settings(&recipe, cases[i].settings);
		written = recipe_json(&recipe);
		assert_int_equal(0, recipe_from_json(&again, written, &diag));
		json_decref(written);
		expect_settings(&again, cases[i].settings);
	}
}

/* A group that is defined and has no members. */
static void test_empty_group_json(void **state)
{
	json_t *json = json_loads("{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"g\":[]}}",
				  0, NULL);
	__cleanup(recipe_free) struct recipe recipe = {0}, merged = {0};
	__cleanup(diag_free) struct diag diag = {0};

	(void)state;
	assert_int_equal(0, recipe_from_json(&recipe, json, &diag));
	json_decref(json);
	groups_merge(&merged.groups, &recipe.groups);
	json = recipe_json(&merged);
	assert_int_equal(0, json_array_size(json_object_get(json_object_get(json, "groups"), "g")));
	assert_int_equal(1, json_object_size(json_object_get(json, "groups")));
	json_decref(json);
}

#define MEND "; to fix it: detach the interface, and attach it again"

static void test_hostile_json(void **state)
{
	static const struct {
		const char *json, *said;
	} cases[] = {
		{"[]", "recipe kept with the filter: 'profiles' is missing" MEND},
		{"{}", "recipe kept with the filter: 'profiles' is missing" MEND},
		{"{\"profiles\":[]}",
		 "recipe kept with the filter: 'policy' must be enforce or observe" MEND},
		{"{\"profiles\":[],\"policy\":7}",
		 "recipe kept with the filter: 'policy' must be enforce or observe" MEND},
		{"{\"profiles\":[],\"policy\":\"off\"}",
		 "recipe kept with the filter: 'policy' must be enforce or observe" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":\"drop\"}",
		 "recipe kept with the filter: 'outbound' must be track or enforce" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":\"enforce\\u0000\"}",
		 "recipe kept with the filter: 'outbound' must be track or enforce" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":null}",
		 "recipe kept with the filter: 'outbound' must be track or enforce" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":1}",
		 "recipe kept with the filter: 'outbound' must be track or enforce" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"forward\":\"yes\"}",
		 "recipe kept with the filter: 'forward' must be true or false" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"forward\":1}",
		 "recipe kept with the filter: 'forward' must be true or false" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"forward\":null}",
		 "recipe kept with the filter: 'forward' must be true or false" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":-1}",
		 "recipe kept with the filter: 'echo_limit' must be a number from 0 to 1000000" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":1000001}",
		 "recipe kept with the filter: 'echo_limit' must be a number from 0 to 1000000" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":4294967296}",
		 "recipe kept with the filter: 'echo_limit' must be a number from 0 to 1000000" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":\"100\"}",
		 "recipe kept with the filter: 'echo_limit' must be a number from 0 to 1000000" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":1.5}",
		 "recipe kept with the filter: 'echo_limit' must be a number from 0 to 1000000" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":null}",
		 "recipe kept with the filter: 'echo_limit' must be a number from 0 to 1000000" MEND},
		{"{\"profiles\":[],\"policy\":\"observe\\u0000\"}",
		 "recipe kept with the filter: 'policy' must be enforce or observe" MEND},
		{"{\"profiles\":{},\"policy\":\"enforce\"}",
		 "recipe kept with the filter: 'profiles' is not a list" MEND},
		{"{\"profiles\":\"x\",\"policy\":\"enforce\"}",
		 "recipe kept with the filter: 'profiles' is not a list" MEND},
		{"{\"profiles\":[\"a\",null],\"policy\":\"enforce\"}",
		 "recipe kept with the filter: item 2 of 'profiles' is not a word" MEND},
		{"{\"profiles\":[\"a\\u0000b\"],\"policy\":\"enforce\"}",
		 "recipe kept with the filter: item 1 of 'profiles' is not a word" MEND},
		{"{\"profiles\":[\"../x\"],\"policy\":\"enforce\"}",
		 "recipe kept with the filter: '../x' is not a profile name; use only a-z, 0-9 and '-', at most 63 characters"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"features\":null}",
		 "recipe kept with the filter: 'features' is not a list" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"features\":[\"a b\"]}",
		 "recipe kept with the filter: 'a b' is not a feature name; use only a-z, 0-9 and '-', at most 63 characters"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":[]}",
		 "recipe kept with the filter: 'groups' is not an object" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"g\":{}}}",
		 "recipe kept with the filter: 'g' is not a list" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"g\":[\"@/etc/passwd\"]}}",
		 "recipe kept with the filter: g: '@/etc/passwd' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"link-local\":[\"::/0\"]}}",
		 "recipe kept with the filter: the group link-local is built in and cannot be defined"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":[]}",
		 "recipe kept with the filter: 'overrides' is not an object" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"set\":[\"x:y=1\"]}}",
		 "recipe kept with the filter: x:y: '1' has no protocol; write 1/tcp, 1/udp or 1/tcp+udp"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"from\":[[]]}}",
		 "recipe kept with the filter: item 1 of 'from' is not a word" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"open\":[\"587\"]}}",
		 "recipe kept with the filter: '587' has no protocol; write 587/tcp, 587/udp or 587/tcp+udp"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"open\":{}}}",
		 "recipe kept with the filter: 'open' is not a list" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"comments\":[]}",
		 "recipe kept with the filter: 'comments' is not an object" MEND},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"disable\":[\"x\"]}}",
		 "recipe kept with the filter: 'x' does not name a service; write PROFILE:SERVICE"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *expected = xasprintf("portcullis: %s\n", cases[i].said);
		json_t *json = json_loads(cases[i].json, JSON_ALLOW_NUL, NULL);

		assert_non_null(json);
		assert_int_equal(-EINVAL, recipe_from_json(&recipe, json, &diag));
		json_decref(json);
		expect_said(&diag, expected);
		assert_int_equal(recipe.profiles.count, 0);
	}
}

#define MANY 100000

static void test_many_prefixes(void **state)
{
	__cleanup(recipe_free) struct recipe recipe = {0}, again = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *file = NULL, *text = NULL, *second = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&file, &length);
	json_t *json, *loaded;
	char path[32];
	double start;

	(void)state;
	/* Half of each family, unsorted. */
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int mixed = i * 2654435761U;

		if (i % 2)
			fprintf(to, "%u.%u.%u.%u/32 # %u\n", mixed >> 24, mixed >> 16 & 255,
				mixed >> 8 & 255, mixed & 255, i);
		else
			fprintf(to, "2001:db8:%x:%x::/64\n", mixed >> 16, mixed & 0xffff);
	}
	fclose(to);
	start = now();
	assert_int_equal(0, define_file(&recipe.groups, file, length, path, &diag));
	expect_fast("100,000 lines parsed", start, 2);
	assert_int_equal(recipe.groups.group[0].prefixes, MANY);

	start = now();
	json = recipe_json(&recipe);
	expect_fast("recipe_json of 100,000 prefixes", start, 2);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	loaded = json_loads(text, 0, NULL);
	start = now();
	assert_int_equal(0, recipe_from_json(&again, loaded, &diag));
	expect_fast("recipe_from_json of 100,000 prefixes", start, 2);
	json_decref(loaded);
	second = recipe_text(&again);
	assert_string_equal(text, second);
	assert_memory_equal(recipe.groups.group[0].prefix, again.groups.group[0].prefix,
			    MANY * sizeof(struct prefix));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipe_json),   cmocka_unit_test(test_site_json),
		cmocka_unit_test(test_settings_json), cmocka_unit_test(test_empty_group_json),
		cmocka_unit_test(test_hostile_json),  cmocka_unit_test(test_many_prefixes),
	};

	return cmocka_run_group_tests_name("recipe/recipe_json", tests, NULL, NULL);
}
