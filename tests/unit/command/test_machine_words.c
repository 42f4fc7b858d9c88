// SPDX-License-Identifier: GPL-2.0
/* Options after --machine: which belong to the machine, and the recipe that they give it. */
#include "loader/command/machine_words.h"

#include "loader/recipe/machines.h"
#include "loader/recipe/recipe_json.h"
#include "tests/unit/recipe/composing.h"
#include "tests/unit/expect.h"

static const struct command swap = {
	.name = "swap", .takes = OPTIONS_RECIPE | OPTIONS_SWAP | OPTIONS_MACHINE | OPTIONS_CONFIRM};

/* Parses the words of a line; `*text` gets what is printed on stderr. */
static enum options_result parse(const char *line, struct options *options, char **text)
{
	static char *copy; /* the options point into it */
	FILE *terminal = stderr;
	char *rest, *argv[40] = {(char *)"command"};
	enum options_result result;
	size_t length = 0;
	int argc = 1;

	free(copy);
	copy = xstrdup(line);
	rest = copy;
	while (rest && (argv[argc] = strsep(&rest, " ")) && *argv[argc])
		argc++;
	argv[argc] = NULL;
	stderr = open_memstream(text, &length);
	result = options_parse(&swap, argc, argv, options);
	fclose(stderr);
	stderr = terminal;
	return result;
}

/*
 * Applies lines one after the other, as commands would, with this site file. Returns the last
 * result.
 */
static int apply_with(struct run *run, const struct site *site, const char *const *line)
{
	int err = 0;

	for (; *line && !err; line++) {
		__cleanup(options_free) struct options options;
		__free_text char *text = NULL;

		assert_int_equal(OPTIONS_RUN, parse(*line, &options, &text));
		err = options_take_back(&options, &run->recipe, &run->diag);
		if (!err)
			err = options_apply(&options, &run->recipe, &run->diag);
		if (!err)
			err = machine_words_apply(&options, site, "eth0", true, &run->recipe,
						  &run->catalog, &run->diag);
	}
	return err;
}

static int apply(struct run *run, const char *const *line)
{
	static const struct site none;

	return apply_with(run, &none, line);
}

static void test_words(void **state)
{
	static const struct {
		const char *line[5];
		const char *machines; /* The recipe of each without its empty parts; or the error */
	} cases[] = {
		{{"-p mail --machine a=192.0.2.1 -p base --observe --machine b=192.0.2.2,::2 -p mail --open 9/tcp"},
		 "a 192.0.2.1/32 base observe; b 192.0.2.2/32, ::2/128 mail 9/tcp enforce"},
		/* Options before --machine belong to the interface. */
		{{"-p mail --observe --machine a=192.0.2.1 -p base",
		  "--machine a --enforce --open 9/tcp", "--machine a=192.0.2.7 --no-open 9/tcp"},
		 "a 192.0.2.7/32 base enforce"},
		/* A setting that a machine does not have itself is the interface's. */
		{{"-p mail --machine a=192.0.2.1 -p base --machine b=192.0.2.2 -p base --enforce",
		  "--observe"},
		 "a 192.0.2.1/32 base observe; b 192.0.2.2/32 base enforce"},
		{{"-p mail --machine a=192.0.2.1 -p base --machine b=192.0.2.2 -p base",
		  "--no-machine a"},
		 "b 192.0.2.2/32 base enforce"},
		{{"--machine a=192.0.2.1 -p mail --enable imap", "--machine a -p base",
		  "--machine a -p mail"},
		 "a 192.0.2.1/32 mail enforce"},
		{{"--no-machine a"},
		 "'a' was not given before, nor any other value of this option"},
		{{"--machine a --observe"}, "there is no machine 'a'"},
		{{"--machine a=192.0.2.1 -p base --no-open 9/tcp"},
		 "'9/tcp' was not given before, nor any other value of this option"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(finish) struct run run = {};
		__cleanup(names_free) struct names machines = {};
		__free_text char *text = NULL;

		start(&run, NONE);
		if (apply(&run, cases[i].line)) {
			assert_string_equal(run.diag.entry[0].message, cases[i].machines);
			continue;
		}
		for (size_t j = 0; j < run.recipe.machines; j++) {
			const struct machine *machine = &run.recipe.machine[j];
			__free_text char *address = machine_addresses(machine, ", ");
			__free_text char *profiles = names_join(&machine->own.profiles, "+");
			__free_text char *open =
				machine->own.opens.count ?
					open_port_text(&machine->own.opens.port[0]) :
					xstrdup("");
			__free_text char *one =
				xasprintf("%s %s %s %s%s%s", machine->name, address, profiles, open,
					  *open ? " " : "", policy_name[machine->own.policy]);

			names_add(&machines, one);
		}
		text = names_join(&machines, "; ");
		assert_string_equal(text, cases[i].machines);
	}
}

/* A new machine gets the groups that the site file has for it; groups of the line come first. */
static void test_groups(void **state)
{
	static const char file[] =
		"interfaces: {eth0: {profiles: base, machines: {a: {address: 192.0.2.1, profiles: base, "
		"groups: {office: 10.1.0.0/16, home: 10.2.0.0/16}}}}}\n";
	__cleanup(site_free) struct site site = {};
	__cleanup(finish) struct run run = {};
	const struct groups *groups;
	char text[PREFIX_TEXT];

	(void)state;
	start(&run, NONE);
	assert_int_equal(site_parse("site.yaml", file, strlen(file), &site, &run.diag), 0);
	assert_int_equal(
		apply_with(&run, &site,
			   (const char *const[]){
				   "-p mail --machine a=192.0.2.1 -p base --group home=10.3.0.0/16 "
				   "--machine b=192.0.2.2 -p base",
				   NULL}),
		0);
	groups = &run.recipe.machine[0].own.groups;
	assert_non_null(groups_find(groups, "office"));
	assert_string_equal(prefix_format(&groups_find(groups, "home")->prefix[0], text),
			    "10.3.0.0/16");
	assert_null(groups_find(&run.recipe.machine[1].own.groups, "office"));
}

static void test_order(void **state)
{
	static const char *const wrong[] = {"--forward", "--no-forward", "--echo-limit 1",
					    "--no-machine a", "--fresh"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		__cleanup(options_free) struct options options, before;
		__free_text char *line = xasprintf("--machine a %s", wrong[i]);
		__free_text char *text = NULL, *none = NULL;
		__free_text char *first = xasprintf("%s --machine a", wrong[i]);

		assert_int_equal(OPTIONS_WRONG, parse(line, &options, &text));
		assert_non_null(strstr(text, "is about the interface; give it before --machine"));
		assert_int_equal(OPTIONS_RUN, parse(first, &before, &none));
		assert_string_equal(none, "");
	}
}

/* Other options belong to the command, wherever they are. */
static void test_command(void **state)
{
	__cleanup(options_free) struct options options;
	__free_text char *text = NULL;

	(void)state;
	assert_int_equal(
		OPTIONS_RUN,
		parse("eth0 --machine a -p base --confirm 60 eth1 --from x:y=z", &options, &text));
	assert_int_equal(options.confirm, 60);
	expect_names(&options.arguments, "eth0 eth1");
	assert_int_equal(options.profile.count, 0);
	assert_int_equal(options.from.count, 0);
	assert_int_equal(options.machines, 1);
	expect_names(&options.machine[0].options->from, "x:y=z");
	assert_string_equal(options_given(&options, OPTIONS_MACHINE), "machine");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_groups),
		cmocka_unit_test(test_order), cmocka_unit_test(test_command)};

	return cmocka_run_group_tests_name("command/machine_words", tests, set_up, tear_down);
}
