// SPDX-License-Identifier: GPL-2.0
/* The machines of a kept text: profiles that many of them have are in its dump once. */
#include "loader/recipe/kept_machines.h"

#include <string.h>

#include "loader/base/memory.h"
#include "tests/unit/expect.h"

#define WORDS "\"recipe\": {\"machines\": [{}, {}, {}]}"
#define EXPANDED  \
	"{" WORDS \
	", \"machines\": [{\"name\": \"a\", \"profiles\": [1]}, {\"name\": \"b\", \"profiles\": [2]}, {\"name\": \"c\", \"profiles\": [1]}]}"
#define SHORT     \
	"{" WORDS \
	", \"machines\": [{\"name\": \"a\", \"profiles\": [1]}, {\"name\": \"b\", \"profiles\": [2]}, {\"name\": \"c\", \"like\": \"a\"}]}"

static void expect_json(const json_t *json, const char *expected)
{
	json_t *wanted = json_loads(expected, 0, NULL);

	assert_non_null(wanted);
	if (!json_equal(json, wanted)) {
		__free_text char *text = json_dumps(json, JSON_COMPACT);

		fail_msg("%s instead of %s", text, expected);
	}
	json_decref(wanted);
}

static void test_contract(void **state)
{
	json_t *kept = json_loads(SHORT, 0, NULL), *contracted, *none;

	(void)state;
	assert_true(kept_machines_expand(kept));
	expect_json(kept, EXPANDED);
	contracted = kept_machines_contract(kept);
	expect_json(contracted, SHORT);
	expect_json(kept, EXPANDED); /* which stays as it was */
	assert_true(kept_machines_expand(contracted));
	expect_json(contracted, EXPANDED);
	json_decref(contracted);
	json_decref(kept);
	kept = json_loads("{\"recipe\": {}}", 0, NULL);
	none = kept_machines_contract(kept);
	expect_json(none, "{\"recipe\": {}}");
	json_decref(none);
	json_decref(kept);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract),
	};

	return cmocka_run_group_tests_name("recipe/kept_machines", tests, NULL, NULL);
}
