// SPDX-License-Identifier: GPL-2.0
/* The words that help explains. */
#include "loader/base/names.h"
#include "loader/command/help.h"
#include "loader/recipe/compose.h"
#include "loader/report/counters.h"
#include "tests/unit/expect.h"

/* Each word that an answer may have is explained in whole sentences, and no other word is. */
static void test_texts(void **state)
{
	static const char *const passing[] = {"service", "reply", "non-ip"};
	struct names words = {};
	size_t named = ARRAY_SIZE(passing);

	(void)state;
	for (int i = 0; i < PC_REASONS; i++) {
		assert_int_equal(!reason_name[i], !reason_text[i]);
		named += reason_name[i] != NULL;
		if (reason_text[i])
			assert_int_equal(reason_text[i][strlen(reason_text[i]) - 1], '.');
	}
	for (int i = 0; i < WHYS; i++) {
		assert_int_equal(!why_closed_name[i], !why_closed_text[i]);
		named += why_closed_name[i] != NULL;
		if (why_closed_text[i])
			assert_int_equal(why_closed_text[i][strlen(why_closed_text[i]) - 1], '.');
	}
	help_words(&words);
	assert_int_equal(words.count, named);
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		assert_true(names_have(&words, passing[i]));
	assert_null(names_twice(&words));
	names_free(&words);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("command/help", tests, NULL, NULL);
}
