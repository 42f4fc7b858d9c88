// SPDX-License-Identifier: GPL-2.0
/* Text for JSON. */
#include "loader/base/json.h"

#include <stdio.h>
#include <unistd.h>

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

/* The output is byte for byte jansson's, except for characters that a terminal obeys. */
static void test_print(void **state)
{
	static const char said[] = "a\033[1m\n\x7f\xc2\x9b\xe2\x80\xae\xef\xbb\xbf\xc3\xa4\"";
	json_t *json = json_pack("{s: [s, i]}", "k\xc2\x85", said, 7), *back;
	FILE *file = tmpfile();
	char seen[256] = "";
	int copy = dup(1);

	(void)state;
	fflush(stdout);
	assert_true(dup2(fileno(file), 1) == 1);
	json_print(json, JSON_INDENT(1));
	fflush(stdout);
	dup2(copy, 1);
	close(copy);
	rewind(file);
	assert_true(fread(seen, 1, sizeof(seen) - 1, file) > 0);
	fclose(file);
	assert_string_equal(
		seen,
		"{\n \"k\\u0085\": [\n  \"a\\u001B[1m\\n\\u007F\\u009B\\u202E\\uFEFF\xc3\xa4\\\"\",\n  7\n ]\n}");
	back = json_loads(seen, 0, NULL);
	assert_true(json_equal(back, json));
	json_decref(back);
	json_decref(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_json),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
