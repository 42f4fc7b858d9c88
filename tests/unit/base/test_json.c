// SPDX-License-Identifier: GPL-2.0
/* Text that JSON may be given. */
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "tests/unit/expect.h"

static void test_text_json(void **state)
{
	static const char *const cases[][2] = {{"eth0", "eth0"},
					       {"Zürich", "Zürich"},
					       {"ü\xff"
						"x",
						"???x"},
					       {"", ""}};
	json_t *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json = text_json(cases[i][0]);
		assert_string_equal(json_string_value(json), cases[i][1]);
		json_decref(json);
	}
	json = text_json(NULL);
	assert_true(json_is_null(json));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_json),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
