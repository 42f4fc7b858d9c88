// SPDX-License-Identifier: GPL-2.0
/* What outbound enforcement cuts off or lets out, by the ports that the profiles list. */
#include "loader/base/memory.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/sends.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/composing.h"

#define ONE(name)                                                                              \
	"outbound enforce: " name " lists no open outgoing port, so every connection that it " \
	"begins is dropped"
#define NOTHING                                                                                  \
	"outbound enforce: no profile lists an open outgoing port, so this host can connect to " \
	"nothing"

static void put_profiles(void)
{
	write_profile("listens", "profile: listens\nservices: [{name: a, in: 1/tcp}]\n");
	write_profile("quiet",
		      "profile: quiet\noutbound: none\nservices: [{name: a, in: 2/tcp}]\n");
	write_profile("all", "profile: all\noutbound: any\nservices: [{name: a, in: 3/tcp}]\n");
	write_profile("asks", "profile: asks\nservices: [{name: a, out: 4/tcp}]\n");
	write_profile("maybe", "profile: maybe\nservices:\n- {name: a, in: 5/tcp}\n"
			       "- {name: b, out: 5/tcp, feature: b}\n");
	write_profile("boxed",
		      "profile: boxed\ncontainers: true\nservices: [{name: a, in: 6/tcp}]\n");
	write_profile("whole", "profile: whole\ninclude: [asks, listens]\n");
}

static void remove_profiles(void)
{
	static const char *const name[] = {"listens", "quiet", "all",  "asks",
					   "maybe",   "whole", "boxed"};

	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		__free_text char *path = xasprintf("%s/%s.yaml", folder, name[i]);

		unlink(path);
	}
}

static void expect_sends(const char *const *option, const char *nothing, const char *any)
{
	__cleanup(finish) struct run run;
	__free_text char *got = NULL, *tracked = NULL, *got_any = NULL;
	json_t *recipe, *profiles;

	start(&run, option);
	run.recipe.outbound = PC_OUTBOUND_ENFORCE;
	assert_int_equal(0, compose(&run.catalog, &run.recipe, false, &run.composition, &run.diag));
	recipe = recipe_json(&run.recipe);
	profiles = composition_json(&run.composition);
	got = composition_sends_nothing(&run.composition);
	got_any = sends_any_text(recipe, profiles);
	assert_string_equal(got ?: "", nothing);
	assert_string_equal(got_any ?: "", any);
	assert_int_equal(composition_sends_any(&run.composition), got_any != NULL);
	/* Without enforcement there is no message. */
	run.recipe.outbound = PC_OUTBOUND_TRACK;
	tracked = composition_sends_nothing(&run.composition);
	assert_null(tracked);
	json_object_set_new(recipe, "outbound", json_string("track"));
	assert_null(sends_any_text(recipe, profiles));
	json_decref(recipe);
	json_decref(profiles);
}

static void test_sends(void **state)
{
	static const struct {
		const char *const option[4];
		const char *nothing, *any;
	} cases[] = {
		{{"--profile listens,asks"}, ONE("listens"), ""},
		{{"--profile quiet,asks"}, "", ""},
		{{"--profile asks"}, "", ""},
		{{"--profile asks", "--open 8443/tcp"}, "", ""},
		/* A profile may say that it sends nothing, but the host still sends. */
		{{"--profile quiet"}, NOTHING, ""},
		{{"--profile listens"}, NOTHING, ""},
		{{"--profile maybe,asks"}, ONE("maybe"), ""},
		{{"--profile maybe,asks", "--enable b"}, "", ""},
		{{"--profile listens,maybe,asks"},
		 "outbound enforce: listens, maybe list no open outgoing port, so every connection that they begin is dropped",
		 ""},
		{{"--profile asks,listens", "--disable listens:a"}, "", ""},
		/* A profile that wants everything open gets it, whatever the others say. */
		{{"--profile all"}, "", "all"},
		{{"--profile listens,all"}, "", "all"},
		{{"--profile whole"}, ONE("listens"), ""},
	};

	(void)state;
	put_profiles();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_sends(cases[i].option, cases[i].nothing, cases[i].any);
	remove_profiles();
}

static void test_containers(void **state)
{
	static const struct {
		const char *const option[4];
		bool forward;
		const char *text;
	} cases[] = {
		{{"--profile boxed,asks"},
		 false,
		 "boxed: runs in containers, whose connections this host forwards: without forward the replies to them are dropped"},
		{{"--profile asks"}, false, ""},
		{{"--profile boxed"}, true, ""},
	};

	(void)state;
	put_profiles();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(finish) struct run run;
		__free_text char *text = NULL;

		start(&run, cases[i].option);
		run.recipe.forward = cases[i].forward;
		assert_int_equal(
			0, compose(&run.catalog, &run.recipe, false, &run.composition, &run.diag));
		text = composition_needs_forward(&run.composition);
		assert_string_equal(text ?: "", cases[i].text);
	}
	remove_profiles();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sends),
					   cmocka_unit_test(test_containers)};

	return cmocka_run_group_tests_name("recipe/sends", tests, set_up, tear_down);
}
