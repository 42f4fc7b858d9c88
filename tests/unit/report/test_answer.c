// SPDX-License-Identifier: GPL-2.0
/* The JSON answer of a command: its interfaces, lists, messages and digest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loader/base/memory.h"
#include "loader/report/answer.h"

/* Kept texts that admit port 25, and 25 and 80. */
static json_t *kept(bool web)
{
	json_t *text = json_loads(
		"{\"recipe\": {\"policy\": \"enforce\"}, \"services\": [], \"profiles\": []}", 0,
		NULL);

	json_object_set_new(json_object_get(text, "recipe"), "policy",
			    json_string(web ? "observe" : "enforce"));
	return text;
}

static FILE *terminal;
static char *shown;
static size_t shown_length;

static void begin(struct answer *answer)
{
	terminal = stdout;
	stdout = open_memstream(&shown, &shown_length);
	answer_begin(answer, true, false);
}

/* The answer as JSON, which the caller frees. */
static json_t *end(struct answer *answer, bool dry_run)
{
	json_t *json;

	answer_end(answer, dry_run);
	fclose(stdout);
	stdout = terminal;
	json = json_loads(shown, 0, NULL);
	free(shown);
	assert_non_null(json);
	return json;
}

static const json_t *interface(const json_t *json, size_t i)
{
	return json_array_get(json_object_get(json, "interfaces"), i);
}

static const char *text(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void test_interfaces(void **state)
{
	json_t *before = kept(false), *after = kept(true), *json;
	struct answer answer;

	(void)state;
	begin(&answer);
	assert_false(answer_changes(&answer));
	answer_interface(&answer, "eth0", ANSWER_NONE, before, before);
	assert_false(answer_changes(&answer));
	answer_interface(&answer, "eth1", ANSWER_SWAP, before, after);
	assert_true(answer_changes(&answer));
	answer_interface(&answer, "eth2", ANSWER_DETACH, before, NULL);
	answer_result(&answer, "eth0", 7, 0);
	answer_result(&answer, "eth1", 8, 60);
	warning("%s", "a warning");
	error("%s", "an error");
	printf("not to be seen\n");
	answer_item(&answer, "bans", json_string("a"));
	answer_item(&answer, "bans", json_string("b"));
	answer_item(&answer, "grants", json_string("c"));
	json = end(&answer, false);
	assert_int_equal(json_array_size(json_object_get(json, "interfaces")), 3);
	assert_string_equal(text(interface(json, 0), "action"), "none");
	assert_int_equal(json_integer_value(json_object_get(interface(json, 0), "generation")), 7);
	assert_true(json_is_null(json_object_get(interface(json, 0), "confirm")));
	assert_int_equal(json_array_size(json_object_get(interface(json, 0), "changes")), 0);
	assert_string_equal(text(interface(json, 1), "action"), "swap");
	assert_int_equal(json_integer_value(json_object_get(interface(json, 1), "generation")), 8);
	assert_int_equal(json_integer_value(json_object_get(interface(json, 1), "confirm")), 60);
	assert_true(json_array_size(json_object_get(interface(json, 1), "changes")) > 0);
	assert_string_equal(text(interface(json, 2), "action"), "detach");
	assert_true(json_is_null(json_object_get(interface(json, 2), "generation")));
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(interface(json, 2), "changes"), 0)),
			    "everything passes");
	assert_true(json_is_true(json_object_get(json, "changed")));
	assert_true(json_is_false(json_object_get(json, "dry_run")));
	assert_int_equal(json_array_size(json_object_get(json, "bans")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "grants")), 1);
	assert_string_equal(text(json_array_get(json_object_get(json, "warnings"), 0), "message"),
			    "a warning");
	assert_string_equal(text(json_array_get(json_object_get(json, "errors"), 0), "message"),
			    "an error");
	assert_int_equal(json_array_size(json_object_get(json, "warnings")), 1);
	assert_int_equal(strlen(text(json, "digest")), ANSWER_DIGEST - 1);
	json_decref(json);
	json_decref(before);
	json_decref(after);
}

/* The digest of a swap of an interface; "": no change. The caller frees. */
static char *digest_of(const char *name, enum answer_action action, bool from, bool to)
{
	json_t *before = kept(from), *after = kept(to), *json;
	char digest[ANSWER_DIGEST], *told;
	struct answer answer;
	bool any;

	begin(&answer);
	answer_interface(&answer, name, action, action == ANSWER_ATTACH ? NULL : before,
			 action == ANSWER_DETACH ? NULL : after);
	any = answer_digest(&answer, digest);
	assert_true(any == answer_changes(&answer));
	json = end(&answer, true);
	assert_true(json_is_true(json_object_get(json, "dry_run")));
	assert_true(json_boolean_value(json_object_get(json, "changed")) == any);
	if (any)
		assert_string_equal(text(json, "digest"), digest);
	else
		assert_true(json_is_null(json_object_get(json, "digest")));
	told = xstrdup(any ? digest : "");
	json_decref(json);
	json_decref(before);
	json_decref(after);
	return told;
}

/* Each part of a change affects the digest, and nothing else does. */
static void test_digest(void **state)
{
	static const struct {
		const char *name;
		enum answer_action action;
		bool from, to;
	} row[] = {
		{"eth0", ANSWER_SWAP, false, true},   {"eth1", ANSWER_SWAP, false, true},
		{"eth0", ANSWER_SWAP, true, false},   {"eth0", ANSWER_ATTACH, false, true},
		{"eth0", ANSWER_DETACH, true, false},
	};
	char *digest[ARRAY_SIZE(row)];
	__free_text char *same = digest_of("eth0", ANSWER_SWAP, true, true);

	(void)state;
	assert_string_equal(same, "");
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		__free_text char *again =
			digest_of(row[i].name, row[i].action, row[i].from, row[i].to);

		digest[i] = digest_of(row[i].name, row[i].action, row[i].from, row[i].to);
		assert_string_equal(digest[i], again);
		assert_string_not_equal(digest[i], "");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(digest[i], digest[j]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		free(digest[i]);
}

static void test_taken_back(void **state)
{
	json_t *before = kept(false), *after = kept(true), *json;
	struct answer answer;

	(void)state;
	begin(&answer);
	for (int i = 0; i < 3; i++)
		answer_interface(&answer, (const char *[]){"a", "b", "c"}[i], ANSWER_SWAP, before,
				 after);
	answer_take_back(&answer, 2);
	json = end(&answer, false);
	assert_int_equal(json_array_size(json_object_get(json, "interfaces")), 1);
	assert_string_equal(text(interface(json, 0), "name"), "a");
	json_decref(json);
	begin(&answer);
	answer_interface(&answer, "a", ANSWER_SWAP, before, after);
	answer_take_back(&answer, 2);
	assert_false(answer_changes(&answer));
	answer.confirmed = true;
	assert_true(answer_changes(&answer));
	answer.confirmed = false;
	answer.admitted = true;
	assert_true(answer_changes(&answer));
	json_decref(end(&answer, false));
	json_decref(before);
	json_decref(after);
}

/* Without --json nothing is collected, or only what tells a change. */
static void test_without_json(void **state)
{
	json_t *before = kept(false), *after = kept(true);
	struct answer answer;
	FILE *was = stdout;

	(void)state;
	for (int collects = 0; collects < 2; collects++) {
		answer_begin(&answer, false, collects);
		assert_ptr_equal(stdout, was);
		answer_interface(&answer, "eth0", ANSWER_SWAP, before, after);
		answer_item(&answer, "bans", json_string("a"));
		assert_true(answer_changes(&answer) == collects);
		answer_end(&answer, false);
		assert_ptr_equal(stdout, was);
	}
	json_decref(before);
	json_decref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_without_json),
	};

	return cmocka_run_group_tests_name("report/answer", tests, NULL, NULL);
}
