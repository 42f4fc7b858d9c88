// SPDX-License-Identifier: GPL-2.0
/* Fuzzes options and kept recipes. The first byte chooses the parser. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/recipe_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A recipe that was read must give the same after it is written and read again. */
static void check_round_trip(const struct recipe *recipe)
{
	__cleanup(recipe_free) struct recipe again = {0};
	__cleanup(diag_free) struct diag diag = {0};
	json_t *first = recipe_json(recipe), *second;

	if (!first || recipe_from_json(&again, first, &diag))
		abort();
	second = recipe_json(&again);
	if (!json_equal(first, second))
		abort();
	json_decref(first);
	json_decref(second);
}

/* This would read any file that the fuzzer names. */
static void strip_at(char *text)
{
	for (; *text; text++) {
		if (*text == '@')
			*text = '_';
	}
}

static void read_json(struct recipe *recipe, const char *text, size_t length, struct diag *diag)
{
	json_t *json = json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (json)
		recipe_from_json(recipe, json, diag);
	json_decref(json);
}

static void read_ports(const char *text)
{
	__cleanup(ports_free) struct ports ports = {0}, again = {0};
	__cleanup(names_free) struct names strings = {0};
	__free_text char *why = NULL, *joined = NULL;

	if (ports_parse_list(text, &ports, &why))
		return;
	ports_strings(&ports, &strings);
	joined = names_join(&strings, ",");
	if (ports_parse_list(joined, &again, &why) || !ports_equal(&ports, &again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const parser[])(struct recipe *, const char *, struct diag *) = {
		recipe_set,	recipe_from,	 recipe_enable,
		recipe_disable, recipe_profiles, recipe_open};
	__cleanup(recipe_free) struct recipe recipe = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL;
	FILE *nowhere;

	if (!size)
		return 0;
	text = xcalloc(size, 1);
	memcpy(text, data + 1, size - 1);
	switch (data[0] % (ARRAY_SIZE(parser) + 3)) {
	case ARRAY_SIZE(parser):
		strip_at(text);
		recipe_group(&recipe, text, &diag);
		break;
	case ARRAY_SIZE(parser) + 1: read_json(&recipe, text, size - 1, &diag); break;
	case ARRAY_SIZE(parser) + 2: read_ports(text); break;
	default: /* each line is an option of its own, so that one replaces another */
		for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
			parser[data[0] % (ARRAY_SIZE(parser) + 3)](&recipe, line, &diag);
	}
	check_round_trip(&recipe);
	nowhere = fopen("/dev/null", "w");
	if (nowhere) {
		diag_print(&diag, nowhere);
		fclose(nowhere);
	}
	return 0;
}
