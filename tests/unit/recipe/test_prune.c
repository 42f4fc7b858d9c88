// SPDX-License-Identifier: GPL-2.0
/* Words that other profiles do not know. */
#include <errno.h>

#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/recipe/compose.h"
#include "loader/recipe/prune.h"
#include "loader/recipe/recipe_json.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/composing.h"

static void test_prune(void **state)
{
	__cleanup(finish) struct run run, wrong;
	__free_text char *gone = NULL, *left = NULL, *back = NULL;
	__cleanup(names_free) struct names parked = {0};
	json_t *json;

	(void)state;
	start(&run, OPTIONS("--profile base", "--enable imap", "--enable ntp", "--enable mail:imap",
			    "--enable base:ntp", "--enable base:imap", "--enable mail:ntp",
			    "--disable mail:smtp", "--disable base:dhcp",
			    "--set mail:imap:in=1143/tcp", "--set base:ntp=124/udp",
			    "--from mail:db=trusted", "--from base:ntp=trusted,phones",
			    "--group trusted=10.0.0.0/8", "--open 587/tcp=trusted", "--open 9/udp",
			    "--disable site:9-udp", "--from site:587-tcp=anyone"));
	assert_int_equal(0, recipe_prune(&run.recipe, &run.catalog, &run.diag));
	assert_int_equal(run.diag.count, 0);
	gone = names_join(&run.recipe.parked, "\n");
	assert_string_equal(
		gone, "--enable imap\n--enable mail:imap\n--enable base:imap\n--enable mail:ntp\n"
		      "--disable mail:smtp\n--set mail:imap:in=1143/tcp\n--from mail:db=trusted");
	names_copy(&parked, &run.recipe.parked);
	names_free(&run.recipe.parked);
	json = recipe_json(&run.recipe);
	names_copy(&run.recipe.parked, &parked);
	left = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	assert_string_equal(
		left,
		"{\"profiles\":[\"base\"],\"policy\":\"enforce\",\"outbound\":\"track\",\"forward\":false,\"echo_limit\":100,"
		"\"features\":[\"ntp\",\"base:ntp\"],"
		"\"groups\":{\"trusted\":[\"10.0.0.0/8\"]},\"overrides\":{\"open\":[\"587/tcp=trusted\",\"9/udp\"],\"set\":[\"base:ntp=124/udp\"],"
		"\"from\":[\"base:ntp=trusted,phones\",\"site:587-tcp=anyone\"],\"disable\":[\"base:dhcp\",\"site:9-udp\"]},\"comments\":{}}");
	run.result = compose(&run.catalog, &run.recipe, false, &run.composition, &run.diag);
	assert_int_equal(run.result, 0);

	/* The kept JSON has the parked words, and a profile that knows them gets them back. */
	json = recipe_json(&run.recipe);
	recipe_free(&run.recipe);
	assert_int_equal(0, recipe_from_json(&run.recipe, json, &run.diag));
	json_decref(json);
	names_free(&run.recipe.profiles);
	names_add(&run.recipe.profiles, "mail");
	assert_int_equal(0, recipe_prune(&run.recipe, &run.catalog, &run.diag));
	assert_true(names_have(&run.recipe.features, "imap"));
	assert_true(names_have(&run.recipe.features, "mail:imap"));
	assert_true(names_have(&run.recipe.disabled, "mail:smtp"));
	assert_int_equal(run.recipe.sets, 2);
	back = names_join(&run.recipe.parked, "\n");
	assert_string_equal(back, "--enable base:imap\n--enable mail:ntp");

	/* A former name of an existing service is known. */
	start(&wrong, OPTIONS("--profile mail", "--enable mail-read", "--disable mail:imap4"));
	assert_int_equal(0, recipe_prune(&wrong.recipe, &wrong.catalog, &wrong.diag));
	assert_int_equal(wrong.recipe.parked.count, 0);
	names_add(&wrong.recipe.profiles, "mial");
	assert_int_equal(-EINVAL, recipe_prune(&wrong.recipe, &wrong.catalog, &wrong.diag));
	expect_said(&wrong.diag, "portcullis: unknown profile 'mial'; did you mean 'mail'?\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prune),
	};

	return cmocka_run_group_tests_name("recipe/prune", tests, set_up, tear_down);
}
