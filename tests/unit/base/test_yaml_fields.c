// SPDX-License-Identifier: GPL-2.0
/* The keys of a mapping: unknown, repeated, missing, of the wrong kind; and what a bad file
 * leaves. */
#include "loader/base/yaml_fields.h"

#include "loader/base/yaml.h"
#include "tests/unit/expect.h"

enum { NAME, LIST, MAP, KEYS };

static const struct yaml_key key[KEYS] = {
	[NAME] = {.name = "name",
		  .kinds = YAML_TEXT,
		  .required = true,
		  .expects = "a name",
		  .aliases = "title  label"},
	[LIST] = {.name = "list", .kinds = YAML_TEXT | YAML_LIST, .expects = "a list"},
	[MAP] = {.name = "map", .kinds = YAML_MAPPING, .expects = "a mapping"},
};

static void test_fields(void **state)
{
	static const struct {
		const char *text;
		const char *usable; /* a letter for each field that can be used */
		const char *said;
	} cases[] = {
		{"name: a\nlist: [b]\nmap: {c: d}\n", "nlm", ""},
		{"name: a", "n", ""},
		{"list: b", "l", "1:1: key 'name' is missing; it is a name\n"},
		{"name: [a]", "", "1:7: 'name' is a list; write a name\n"},
		{"name: {a: b}", "", "1:7: 'name' is a mapping; write a name\n"},
		{"name:", "", "1:1: 'name' is empty; write a name\n"},
		{"name: a\nlist: []", "n", "2:7: 'list' is an empty list; write a list\n"},
		{"name: a\nmap: {}", "nm", ""},
		{"name: a\nname: b", "n", "2:1: key 'name' appears twice (first on line 1)\n"},
		{"name: [a]\nname: b", "",
		 "1:7: 'name' is a list; write a name\n"
		 "2:1: key 'name' appears twice (first on line 1)\n"},
		{"title: a", "",
		 "1:1: unknown key 'title'; did you mean 'name'?\n"
		 "1:1: key 'name' is missing; it is a name\n"},
		{"name: a\nlabel: b", "n", "2:1: unknown key 'label'; did you mean 'name'?\n"},
		{"name: a\nlabe: b", "n", "2:1: unknown key 'labe'\n"},
		{"name: a\nlabels: b", "n", "2:1: unknown key 'labels'\n"},
		{"name: a\nlst: b", "n", "2:1: unknown key 'lst'; did you mean 'list'?\n"},
		{"name: a\nzzzz: b", "n", "2:1: unknown key 'zzzz'\n"},
		{"name: a\n<<: b", "n", "2:1: merge keys are not part of this language\n"},
		{"name: a\n[b]: c", "n", "2:1: a key is a list; write a word\n"},
		{"name: a\n? \n: c", "n", "2:1: a key is empty; write a word\n"},
		/* A value with an error of its own is not checked again. */
		{"name: a\nlist: *x", "n", "2:7: aliases are not part of this language\n"},
		{"name: *x", "", "1:7: aliases are not part of this language\n"},
		{"name: a\n*x : b", "n", "2:1: aliases are not part of this language\n"},
		/* In a file that breaks off, existing keys may be used, and none is reported as
		 * missing. */
		{"{list: [b", "l", "1:8: not valid YAML: this '[' is not closed\n"},
		{"{list: [", "", "1:8: not valid YAML: this '[' is not closed\n"},
		{"{map: [b", "", "1:7: not valid YAML: this '[' is not closed\n"},
	};
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const char letter[KEYS] = {'n', 'l', 'm'};
		struct yaml_field field[KEYS];
		char usable[KEYS + 1] = "", *next = usable;
		struct diag diag = {0};
		struct yaml yaml;
		__free_text char *text = NULL;
		size_t length;
		FILE *to = open_memstream(&text, &length);

		yaml_load("x.yaml", cases[i].text, strlen(cases[i].text), &yaml, &diag);
		if (yaml.root)
			yaml_fields(&yaml, yaml.root, key, KEYS, field, &diag);
		for (size_t j = 0; yaml.root && j < KEYS; j++)
			if (field[j].value)
				*next++ = letter[j];
		for (size_t j = 0; j < diag.count; j++)
			fprintf(to, "%d:%d: %s\n", diag.entry[j].line, diag.entry[j].column,
				diag.entry[j].message);
		fclose(to);
		if (strcmp(usable, cases[i].usable) || strcmp(text, cases[i].said)) {
			print_error("%s\nusable: '%s', expected '%s'; said:\n%sexpected:\n%s",
				    cases[i].text, usable, cases[i].usable, text, cases[i].said);
			wrong++;
		}
		yaml_free(&yaml);
		diag_free(&diag);
	}
	assert_int_equal(wrong, 0);
}

static void test_bool(void **state)
{
	static const struct {
		const char *text;
		int value; /* -1: none */
		const char *write;
	} cases[] = {
		{"true", 1, NULL},
		{"True", 1, NULL},
		{"TRUE", 1, NULL},
		{"false", 0, NULL},
		{"False", 0, NULL},
		{"FALSE", 0, NULL},
		{"'true'", -1, "true"},
		{"\"false\"", -1, "false"},
		{"yes", -1, "true"},
		{"On", -1, "true"},
		{"1", -1, "true"},
		{"no", -1, "false"},
		{"OFF", -1, "false"},
		{"0", -1, "false"},
		{"maybe", -1, "true or false"},
		{"tru", -1, "true or false"},
		{"truee", -1, "true or false"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int before = 0; before < 2; before++) {
			bool value = before;
			struct diag diag = {0};
			struct yaml yaml;

			yaml_load("x.yaml", cases[i].text, strlen(cases[i].text), &yaml, &diag);
			yaml_bool(&yaml, yaml.root, &value, &diag);
			assert_int_equal(value, cases[i].value < 0 ? before : cases[i].value);
			assert_int_equal(diag.count, !!cases[i].write);
			if (cases[i].write) {
				__free_text char *end =
					xasprintf("' is not a boolean; write %s", cases[i].write);

				assert_string_equal(strchr(diag.entry[0].message + 1, '\''), end);
			}
			yaml_free(&yaml);
			diag_free(&diag);
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_bool),
	};

	return cmocka_run_group_tests_name("base/yaml_fields", tests, NULL, NULL);
}
