// SPDX-License-Identifier: GPL-2.0
/* The places of empty nodes in a YAML file. */
#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/yaml.h"
#include "loader/base/yaml_node.h"
#include "loader/base/yaml_place.h"
#include "tests/unit/expect.h"

/* The places of the empty nodes, in the order of the file. */
static void write_empty(const struct yaml *yaml, const struct yaml_node *node, FILE *to)
{
	struct place place;

	if (node->kind == YAML_EMPTY) {
		yaml_place(yaml, node, &place);
		fprintf(to, "%s%d:%d+%d", ftell(to) ? " " : "", place.line, place.column,
			place.width);
	}
	for (const struct yaml_node *child = node->child; child; child = child->next)
		write_empty(yaml, child, to);
}

/* Each version of libfyaml gives these another place. */
static void test_empty_places(void **state)
{
	static const struct {
		const char *text, *places;
	} row[] = {
		/* a value: its key */
		{"a:", "1:1+1"},
		{"a:\n", "1:1+1"},
		{"a:\nb: c\n", "1:1+1"},
		{"a:\n\n\n\nb: c\n", "1:1+1"},
		{"a: # : - x\nb: c\n", "1:1+1"},
		{"a:\n# : - x\nb: c\n", "1:1+1"},
		{"b: c\na:", "2:1+1"},
		{"b: c\na:   \n\n", "2:1+1"},
		{"b: c\na: # x", "2:1+1"},
		{"a:\n...\n", "1:1+1"},
		{"---\na:\n", "2:1+1"},
		{"x:\n  a:\n  b:\ny:\n", "2:3+1 3:3+1 4:1+1"},
		{"\"a b\":\nb: c\n", "1:1+5"},
		{"\xc3\xa9\xc3\xa9: {\xc3\xa9: , b: c}\n", "1:6+1"},
		{"{a: }", "1:2+1"},
		{"{a: , b: c}", "1:2+1"},
		{"{a, b: c}", "1:2+1"},
		{"{b: c, a:\n  # x\n}", "1:8+1"},
		{"? a\n? b\n", "1:3+1 2:3+1"},
		{"? a\n: \n? b\n:\n", "1:3+1 3:3+1"},
		{"- a:\n- b:\n  c: d\n", "1:3+1 2:3+1"},
		{"[a: , b: ]", "1:2+1 1:7+1"},
		/* an item: its sign */
		{"-", "1:1+0"},
		{"- \n- a\n", "1:1+0"},
		{"- a\n-\n-\n- b\n", "2:1+0 3:1+0"},
		{"- a\n- # - x\n- b\n", "2:1+0"},
		{"- a\n# - x\n\n-\n# - y\n- b\n-", "4:1+0 7:1+0"},
		{"x:\n  - a\n  -\ny: b\n", "3:3+0"},
		{"- - a\n  -\n-\n", "2:3+0 3:1+0"},
		/* a key: its sign */
		{": b\n", "1:1+0"},
		{"a: b\n: c\n", "2:1+0"},
		{"a: b\n# :\n? \n: c\n", "3:1+0"},
		{"{a: b, : c}", "1:8+0"},
		/* written, but means nothing */
		{"a: ~\nb: null\nc: ''\n", "1:4+1 2:4+4"},
		/* anchors and tags, which are refused, do not move other places */
		{"a: &x\nb:\n", "1:1+1 2:1+1"},
		{"- &x\n-\n- a\n", "1:1+0 2:1+0"},
		{"a: !!null\nb:\n", "1:1+1 2:1+1"},
	};
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct yaml yaml;
		struct diag diag = {0};
		__free_text char *places = NULL;
		size_t size;
		FILE *to = open_memstream(&places, &size);

		yaml_load("p.yaml", row[i].text, strlen(row[i].text), &yaml, &diag);
		if (yaml.root)
			write_empty(&yaml, yaml.root, to);
		fclose(to);
		if (strcmp(places, row[i].places)) {
			print_error("text:\n%s\nplaces: %s\nexpected: %s\n", row[i].text, places,
				    row[i].places);
			wrong++;
		}
		yaml_free(&yaml);
		diag_free(&diag);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_places),
	};

	return cmocka_run_group_tests_name("base/yaml_place", tests, NULL, NULL);
}
