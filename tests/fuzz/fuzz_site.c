// SPDX-License-Identifier: GPL-2.0
/* Fuzzes the site file: any bytes give a site that keeps its promises, or errors at places. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/recipe_json.h"
#include "loader/recipe/site.h"
#include "loader/recipe/site_check.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The words of an interface, one by one, give its recipe; as JSON it is read back as the same. */
static void check_recipe(const struct site_interface *interface)
{
	__cleanup(recipe_free) struct recipe again = {0}, read = {0};
	__cleanup(diag_free) struct diag diag = {0};
	size_t count[RECIPE_WORDS] = {0};
	json_t *first, *second, *third;

	for (size_t i = 0; i < interface->words; i++) {
		const struct site_word *word = &interface->word[i];

		CHECK(word->place.line > 0 && word->place.column > 0 && word->place.source);
		CHECK(!recipe_add(&again, word->kind, word->text, &word->place, &diag));
		count[word->kind]++;
	}
	/* No word may have replaced another. */
	CHECK(again.profiles.count == count[RECIPE_PROFILE]);
	CHECK(again.features.count == count[RECIPE_ENABLE]);
	CHECK(again.disabled.count == count[RECIPE_DISABLE]);
	CHECK(again.sets == count[RECIPE_SET] && again.froms == count[RECIPE_FROM]);
	again.policy = interface->recipe.policy;
	again.outbound = interface->recipe.outbound;
	again.forward = interface->recipe.forward;
	again.echo_limit = interface->recipe.echo_limit;
	groups_merge(&again.groups, &interface->recipe.groups);
	first = recipe_json(&interface->recipe);
	second = recipe_json(&again);
	CHECK(first && json_equal(first, second));
	CHECK(!recipe_from_json(&read, first, &diag));
	third = recipe_json(&read);
	CHECK(json_equal(first, third));
	json_decref(first);
	json_decref(second);
	json_decref(third);
}

static void check_interface(const struct site *site, const struct site_interface *interface)
{
	size_t length = strlen(interface->name);

	CHECK(length >= 1 && length <= 15 && !strpbrk(interface->name, "/ \t\n:"));
	CHECK(site_interface(site, interface->name) == interface);
	CHECK(interface->place.line > 0);
	CHECK(interface->recipe.profiles.count);
	CHECK(interface->confirm <= CONFIRM_LIMIT && interface->flows <= PC_FLOWS_MAX);
	CHECK(recipe_echo_limit(&interface->recipe) <= PC_ECHO_LIMIT_MAX);
	CHECK(interface->recipe.groups.count == site->groups.count);
	for (size_t i = 0; i < interface->uses; i++)
		CHECK(name_valid(interface->use[i].group) && interface->use[i].place.line > 0);
	check_recipe(interface);
}

/* The tree's own profiles, if the fuzzer runs in the tree. */
static struct catalog *catalog(void)
{
	static struct catalog tree;
	const struct names folder = {.name = (char *[]){"profiles"}, .count = 1};
	struct diag diag = {0};

	if (!tree.folder.count && catalog_open(&folder, &tree, &diag))
		diag_free(&diag);
	return tree.folder.count ? &tree : NULL;
}

static void check_site(const struct site *site, struct diag *diag)
{
	struct catalog *tree = catalog();

	CHECK(site->management_given || !site->management.count);
	for (size_t i = 0; i < site->groups.count; i++)
		CHECK(name_valid(site->groups.group[i].name) && site->groups.group[i].prefixes);
	for (size_t i = 0; i < site->interfaces; i++)
		check_interface(site, &site->interface[i]);
	if (tree)
		CHECK(!site_check(tree, site, diag) == !diag->errors);
	for (size_t i = 0; i < diag->count && i < DIAG_LIMIT; i++)
		CHECK(diag->entry[i].line > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct site site;
	struct diag diag = {0};
	char *text = malloc(size ? size : 1);
	int err;

	/* A copy of exactly that size, so that a byte read beyond it is seen. */
	CHECK(text);
	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '@') /* this would read any file that the fuzzer names */
			text[i] = '_';
	}
	err = site_parse("fuzz.yaml", text, size, &site, &diag);
	CHECK(!err == !!site.path && !err == !diag.errors);
	if (!err)
		check_site(&site, &diag);
	check_errors(&diag, text, size);
	site_free(&site);
	diag_free(&diag);
	free(text);
	return 0;
}
