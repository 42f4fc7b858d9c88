// SPDX-License-Identifier: GPL-2.0
/* The machines of a kept text: its dump has profiles that several machines share only once. */
#include "loader/recipe/kept_machines.h"

#include <string.h>

#include "loader/base/memory.h"
#include "tests/unit/expect.h"

#define WORDS	      "\"recipe\": {\"machines\": [{}, {}, {}]}"
#define SERVICE(name) "\"services\": [{\"name\": \"" name "\", \"open\": true"
#define ONE	      "{\"name\": \"one\", " SERVICE("1") "}]}"
#define TWO	      "{\"name\": \"two\", " SERVICE("2") "}]}"
#define THREE	      "{\"name\": \"one\", " SERVICE("3") "}]}"
/* The same, with the empty parts. */
#define FILLED(name, service)                                                                              \
	"{\"name\": \"" name "\", \"title\": null, \"document\": null, \"release\": null, "                \
	"\"as_of\": null, \"url\": null, \"path\": null, \"outbound\": null, "                             \
	"\"second_hand\": false, \"included\": false, \"protocols\": [], " SERVICE(                        \
		service) ", \"title\": null, \"ports\": [], \"from\": [], \"to\": [], \"feature\": null, " \
			 "\"from_ports\": [], \"limit\": null, \"why_closed\": null, \"fixed\": false, "   \
			 "\"local\": false, \"dynamic\": false, \"configured_in\": null, \"note\": null}]}"
#define FULL_ONE   FILLED("one", "1")
#define FULL_TWO   FILLED("two", "2")
#define FULL_THREE FILLED("one", "3")
#define EXPANDED                                                       \
	"{" WORDS ", \"profiles\": [" FULL_ONE                         \
	"], \"machines\": [{\"name\": \"a\", \"profiles\": [" FULL_ONE \
	"]}, {\"name\": \"b\", \"profiles\": [" FULL_TWO               \
	"]}, {\"name\": \"c\", \"profiles\": [" FULL_ONE "]}]}"
#define SHORT                                                     \
	"{" WORDS ", \"profiles\": [" ONE                         \
	"], \"machines\": [{\"name\": \"a\", \"profiles\": [" ONE \
	"]}, {\"name\": \"b\", \"profiles\": [" TWO "]}, {\"name\": \"c\", \"like\": \"a\"}]}"

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
	assert_true(kept_expand(kept));
	expect_json(kept, EXPANDED);
	contracted = kept_contract(kept);
	expect_json(contracted, SHORT);
	expect_json(kept, EXPANDED); /* the original is unchanged */
	assert_true(kept_expand(contracted));
	expect_json(contracted, EXPANDED);
	json_decref(contracted);
	json_decref(kept);
	kept = json_loads("{\"recipe\": {}}", 0, NULL);
	none = kept_contract(kept);
	expect_json(none, "{\"recipe\": {}}");
	json_decref(none);
	json_decref(kept);
}

#define LIKE(name, machine) "{\"name\": \"" name "\", \"like\": \"" machine "\"}"
#define MACHINES(a, b, c)                                                \
	"{" WORDS ", \"machines\": [{\"name\": \"a\", \"profiles\": [" a \
	"]}, {\"name\": \"b\", \"profiles\": [" b "]}, {\"name\": \"c\", \"profiles\": [" c "]}]}"

/* Profiles that several machines share are in the dump once, even if their other profiles
 * differ. */
static void test_profiles(void **state)
{
	const char *text = MACHINES(ONE ", " TWO, THREE ", " LIKE("two", "a"),
				    LIKE("one", "b") ", " LIKE("two", "a"));
	const char *expanded = MACHINES(FULL_ONE ", " FULL_TWO, FULL_THREE ", " FULL_TWO,
					FULL_THREE ", " FULL_TWO);
	json_t *kept = json_loads(text, 0, NULL), *contracted;

	(void)state;
	assert_true(kept_expand(kept));
	expect_json(kept, expanded);
	contracted = kept_contract(kept);
	expect_json(contracted, text);
	expect_json(kept, expanded);
	json_decref(contracted);
	json_decref(kept);
}

/* Empty parts of a machine's recipe are not kept, but shown. */
static void test_fill(void **state)
{
	json_t *kept = json_loads(
		"{\"recipe\": {\"machines\": [{\"recipe\": {\"profiles\": [1]}}, "
		"{\"recipe\": {\"overrides\": {\"open\": [2]}, \"groups\": {\"g\": []}}}]}}",
		0, NULL);

	(void)state;
	kept_machines_fill(kept);
	expect_json(
		kept,
		"{\"recipe\": {\"machines\": [{\"recipe\": {\"profiles\": [1], \"features\": [], "
		"\"groups\": {}, \"comments\": {}, \"overrides\": {\"open\": [], \"set\": [], "
		"\"from\": [], \"disable\": []}}}, {\"recipe\": {\"features\": [], "
		"\"groups\": {\"g\": []}, \"comments\": {}, \"overrides\": {\"open\": [2], "
		"\"set\": [], \"from\": [], \"disable\": []}}}]}}");
	json_decref(kept);
	kept = json_loads("{\"recipe\": {}}", 0, NULL);
	kept_machines_fill(kept);
	expect_json(kept, "{\"recipe\": {}}");
	json_decref(kept);
}

static void expect_damaged(const char *text)
{
	json_t *kept = json_loads(text, 0, NULL);

	assert_non_null(kept);
	assert_false(kept_expand(kept));
	json_decref(kept);
}

static void test_damaged(void **state)
{
	(void)state;
	/* a machine that has no such profile */
	expect_damaged(MACHINES(ONE, LIKE("two", "a"), TWO));
	expect_damaged(MACHINES(ONE, LIKE("two", "c"), TWO)); /* it must not come later either */
	expect_damaged(MACHINES(ONE, LIKE("one", "b"), TWO));
	expect_damaged(MACHINES(ONE, LIKE("one", "nosuch"), TWO));
	expect_damaged(MACHINES(ONE, "{\"like\": \"a\"}", TWO));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("recipe/kept_machines", tests, NULL, NULL);
}
