/* SPDX-License-Identifier: GPL-2.0 */
/* The words of a recipe, and its settings as a line of text. */
#ifndef PORTCULLIS_TEST_RECIPE_WORDS_H
#define PORTCULLIS_TEST_RECIPE_WORDS_H

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/recipe/recipe.h"
#include "tests/unit/expect.h"

typedef int (*option)(struct recipe *recipe, const char *argument, struct diag *diag);

struct word {
	option option;
	const char *argument;
};

static inline void say_all(struct recipe *recipe, const struct word *word, size_t words)
{
	__cleanup(diag_free) struct diag diag = {0};

	for (size_t i = 0; i < words; i++)
		assert_int_equal(0, word[i].option(recipe, word[i].argument, &diag));
	assert_int_equal(diag.count, 0);
}

/* "observe enforce yes 5": what a recipe is set to. The caller frees. */
static inline char *settings(const struct recipe *recipe)
{
	return xasprintf("%s %s %s %u", recipe->policy == PC_POLICY_OBSERVE ? "observe" : "enforce",
			 outbound_name[recipe->outbound], recipe->forward ? "yes" : "no",
			 recipe_echo_limit(recipe));
}

static inline void expect_settings(const struct recipe *recipe, const char *expected)
{
	__free_text char *text = settings(recipe);

	assert_string_equal(text, expected);
}

#endif
