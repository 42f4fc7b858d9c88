// SPDX-License-Identifier: GPL-2.0
/* The settings of a filter as options. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/command/options.h"
#include "loader/recipe/recipe.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/words.h"

/* Parses the words of a line as a command's; `*text` gets what is printed on stderr. */
static enum options_result parse_as(const struct command *command, const char *line,
				    struct options *options, char **text)
{
	__free_text char *copy = xstrdup(line);
	FILE *terminal = stderr;
	char *rest = copy, *argv[32] = {(char *)"command"};
	enum options_result result;
	size_t length = 0;
	int argc = 1;

	while (rest && (argv[argc] = strsep(&rest, " ")) && *argv[argc])
		argc++;
	argv[argc] = NULL;
	stderr = open_memstream(text, &length);
	result = options_parse(command, argc, argv, options);
	fclose(stderr);
	stderr = terminal;
	return result;
}

static enum options_result parse(const char *line, struct options *options, char **text)
{
	static const struct command command = {.name = "attach",
					       .takes = OPTIONS_RECIPE | OPTIONS_ATTACH};

	return parse_as(&command, line, options, text);
}

static void test_settings_options(void **state)
{
	static const struct {
		const char *line, *fresh, *swapped;
		unsigned int flows;
	} cases[] = {
		{"", "enforce track no 100", "observe enforce yes 7", 0},
		{"--enforce", "enforce track no 100", "enforce enforce yes 7", 0},
		{"--forward", "enforce track yes 100", "observe enforce yes 7", 0},
		{"--no-forward", "enforce track no 100", "observe enforce no 7", 0},
		{"--no-forward --no-forward", "enforce track no 100", "observe enforce no 7", 0},
		{"--outbound track", "enforce track no 100", "observe track yes 7", 0},
		{"--outbound=enforce", "enforce enforce no 100", "observe enforce yes 7", 0},
		{"--echo-limit 0", "enforce track no 0", "observe enforce yes 0", 0},
		{"--echo-limit 1", "enforce track no 1", "observe enforce yes 1", 0},
		{"--echo-limit 1000000", "enforce track no 1000000", "observe enforce yes 1000000",
		 0},
		{"--flows 1", "enforce track no 100", "observe enforce yes 7", 1},
		{"--flows 16777216", "enforce track no 100", "observe enforce yes 7", 16777216},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe fresh = {0};
		__cleanup(recipe_free) struct recipe swapped = {.policy = PC_POLICY_OBSERVE,
								.outbound = PC_OUTBOUND_ENFORCE,
								.forward = true,
								.echo_limit = 7};
		__cleanup(options_free) struct options options;
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *said_text = NULL;

		assert_int_equal(OPTIONS_RUN, parse(cases[i].line, &options, &said_text));
		assert_string_equal(said_text, "");
		assert_int_equal(options.flows, cases[i].flows);
		assert_int_equal(0, options_apply(&options, &fresh, &diag));
		expect_settings(&fresh, cases[i].fresh);
		assert_int_equal(0, options_apply(&options, &swapped, &diag));
		expect_settings(&swapped, cases[i].swapped);
	}
}

static void test_settings_wrong(void **state)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
		{"--forward --no-forward", "give either --forward or --no-forward, not both"},
		{"--no-forward --forward", "give either --forward or --no-forward, not both"},
		{"--observe --enforce", "give either --observe or --enforce, not both"},
		{"--outbound observe", "--outbound must be track or enforce, not 'observe'"},
		{"--outbound ENFORCE", "--outbound must be track or enforce, not 'ENFORCE'"},
		{"--outbound", "--outbound needs an argument; see portcullis attach --help"},
		{"--echo-limit -1", "--echo-limit must be a number from 0 to 1000000, not '-1'"},
		{"--echo-limit 1000001",
		 "--echo-limit must be a number from 0 to 1000000, not '1000001'"},
		{"--echo-limit 1k", "--echo-limit must be a number from 0 to 1000000, not '1k'"},
		{"--echo-limit=", "--echo-limit must be a number from 0 to 1000000, not ''"},
		{"--echo-limit 18446744073709551616",
		 "--echo-limit must be a number from 0 to 1000000, not '18446744073709551616'"},
		{"--flows 0", "--flows must be a number from 1 to 16777216, not '0'"},
		{"--flows 16777217", "--flows must be a number from 1 to 16777216, not '16777217'"},
		{"--flows +1", "--flows must be a number from 1 to 16777216, not '+1'"},
		{"--watch 1", "unknown option '--watch'; see portcullis attach --help"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(options_free) struct options options;
		__free_text char *said_text = NULL, *expected = NULL;

		assert_int_equal(OPTIONS_WRONG, parse(cases[i].line, &options, &said_text));
		expected = xasprintf("portcullis: attach: %s\n", cases[i].said);
		assert_string_equal(said_text, expected);
	}
}

/* A command gives each word once. */
static void test_repeated(void **state)
{
	static const struct {
		const char *line, *said; /* NULL: no error */
	} cases[] = {
		{"--from a:b=c --from a:b=d",
		 "--from: 'a:b=c' and 'a:b=d' are about the same; give one of them"},
		{"--group a=::1 --from a:b=c --group a=::2",
		 "--group: 'a=::1' and 'a=::2' are about the same; give one of them"},
		{"--set a:b=1/tcp --set a:b=2/tcp",
		 "--set: 'a:b=1/tcp' and 'a:b=2/tcp' are about the same; give one of them"},
		{"--open 587/tcp=a --open 5060/udp --open 1/udp,submission/tcp",
		 "--open: '587/tcp=a' and '1/udp,submission/tcp' are about the same; give one of them"},
		{"--from a:b=c --from a:bb=c --group a=::1 --group aa=::1", NULL},
		{"--set a:b:in=1/tcp --set a:b:out=2/tcp --open 587/tcp --open 587/udp --open 587-588/tcp",
		 NULL},
		{"--enable a --enable a --disable a:b --disable a:b -p a -p a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(options_free) struct options options;
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *said_text = NULL, *expected = NULL;

		expected =
			cases[i].said ? xasprintf("portcullis: %s\n", cases[i].said) : xstrdup("");
		assert_int_equal(OPTIONS_RUN, parse(cases[i].line, &options, &said_text));
		assert_int_equal(cases[i].said ? -EINVAL : 0,
				 options_apply(&options, &recipe, &diag));
		expect_said(&diag, expected);
	}
}

/* Each kind of option sets its own field, and no other. */
static void test_fields(void **state)
{
	static const struct command all = {.name = "all", .takes = ~OPTIONS_ALWAYS};
	__cleanup(options_free) struct options options;
	__free_text char *said_text = NULL;

	(void)state;
	assert_int_equal(parse_as(&all,
				  "a -p x --profile=y --mode native --as ens0 --confirm 1m b "
				  "--wait 90 --boot --iface=eth0 --watch 86400 --catalog d",
				  &options, &said_text),
			 OPTIONS_RUN);
	assert_string_equal(said_text, "");
	expect_names(&options.arguments, "a b");
	expect_names(&options.profile, "x y");
	expect_names(&options.catalog, "d");
	expect_names(&options.enable, "");
	assert_int_equal(options.mode, HOOK_NATIVE);
	assert_int_equal(options.confirm, 60);
	assert_int_equal(options.wait, 90);
	assert_int_equal(options.watch, 86400);
	assert_true(options.boot);
	assert_false(options.all || options.dry_run || options.force || options.fresh ||
		     options.json || options.reload || options.resumed || options.strict);
	assert_null(options.site);
	assert_int_equal(options.policy, -1);
	assert_int_equal(options.forward, -1);
	assert_int_equal(options.outbound, -1);
	assert_int_equal(options.echo_limit, -1);
	assert_int_equal(options.flows, 0);
}

static void test_flags(void **state)
{
	static const struct command all = {.name = "all", .takes = ~OPTIONS_ALWAYS};
	static const char *const line[] = {"--all",  "--boot",	 "--dry-run", "--force", "--fresh",
					   "--json", "--reload", "--resumed", "--strict"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(line); i++) {
		__cleanup(options_free) struct options options;
		__free_text char *said_text = NULL;
		size_t set = 0;

		assert_int_equal(parse_as(&all, line[i], &options, &said_text), OPTIONS_RUN);
		const bool flag[] = {options.all,    options.boot,    options.dry_run,
				     options.force,  options.fresh,   options.json,
				     options.reload, options.resumed, options.strict};

		for (size_t j = 0; j < ARRAY_SIZE(flag); j++)
			set += flag[j];
		assert_int_equal(set, 1);
		assert_true(flag[i]);
	}
}

static void test_values_wrong(void **state)
{
	static const struct command all = {.name = "all", .takes = ~OPTIONS_ALWAYS};
	static const char *const cases[][2] = {
		{"--mode auto", "--mode must be native or generic, not 'auto'"},
		{"--watch 0",
		 "--watch must be a time of 1 to 86400 seconds, as in 90, 10m or 1h30m, not '0'"},
		{"--watch 86401",
		 "--watch must be a time of 1 to 86400 seconds, as in 90, 10m or 1h30m, not '86401'"},
		{"--wait 3601",
		 "--wait must be a time of 1 to 3600 seconds, as in 90, 10m or 1h30m, not '3601'"},
		{"--confirm\x1b 1",
		 "unknown option '--confirm?'; did you mean --confirm; see portcullis all --help"},
		{"--jsn", "unknown option '--jsn'; did you mean --json; see portcullis all --help"},
		{"-x", "unknown option '-x'; see portcullis all --help"},
		{"-xp", "unknown option '-x'; see portcullis all --help"},
		{"a -xh", "unknown option '-x'; see portcullis all --help"},
		{"--json=1",
		 "unknown option '--json=1'; did you mean --json; see portcullis all --help"},
		{"-p", "-p needs an argument; see portcullis all --help"},
		{"--catalog", "--catalog needs an argument; see portcullis all --help"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(options_free) struct options options;
		__free_text char *said_text = NULL, *expected = NULL;

		assert_int_equal(parse_as(&all, cases[i][0], &options, &said_text), OPTIONS_WRONG);
		expected = xasprintf("portcullis: all: %s\n", cases[i][1]);
		assert_string_equal(said_text, expected);
	}
}

/* Given profiles replace the recipe's; other words are added. */
static void test_apply_words(void **state)
{
	__cleanup(recipe_free) struct recipe recipe = {0};
	__cleanup(options_free) struct options options, none, wrong;
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *first = NULL, *second = NULL, *third = NULL;

	(void)state;
	names_add(&recipe.profiles, "old");
	names_add(&recipe.features, "f");
	assert_int_equal(parse("", &none, &first), OPTIONS_RUN);
	assert_int_equal(options_apply(&none, &recipe, &diag), 0);
	expect_names(&recipe.profiles, "old");
	assert_int_equal(
		parse("-p a,b --enable g --disable a:s --group h=10.0.0.0/8", &options, &second),
		OPTIONS_RUN);
	assert_int_equal(options_apply(&options, &recipe, &diag), 0);
	expect_names(&recipe.profiles, "a b");
	expect_names(&recipe.features, "f g");
	expect_names(&recipe.disabled, "a:s");
	assert_non_null(groups_find(&recipe.groups, "h"));
	assert_int_equal(diag.count, 0);
	/* Every wrong word is reported, and the words after it are still read. */
	assert_int_equal(parse("--disable nothing --disable c:s --group x", &wrong, &third),
			 OPTIONS_RUN);
	assert_int_equal(options_apply(&wrong, &recipe, &diag), -EINVAL);
	assert_int_equal(diag.errors, 2);
	expect_names(&recipe.disabled, "a:s c:s");
}

static void test_help(void **state)
{
	static const char *const line[] = {"-h", "--help", "eth0 --help", "-ph -h"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(line); i++) {
		__cleanup(options_free) struct options options;
		__free_text char *said_text = NULL;

		assert_int_equal(parse(line[i], &options, &said_text), OPTIONS_HELP);
		assert_string_equal(said_text, "");
	}
}

static void test_select(void **state)
{
	static const struct command command = {.name = "drops",
					       .takes = OPTIONS_SELECT | OPTIONS_DROPS};
	static const struct {
		const char *line, *said; /* said: the error; or source, port, reasons and by */
	} cases[] = {
		{"", "any any 0 0"},
		{"--source 198.51.100.7", "198.51.100.7/32 any 0 0"},
		{"--source 2001:db8::/32", "2001:db8::/32 any 0 0"},
		{"--port 25/tcp", "any 25 0 0"},
		{"--port imaps/tcp", "any 993 0 0"},
		{"--port 53/udp --reason source", "any 65589 128 0"},
		{"--reason malformed,icmp --reason unlisted --by source", "any any 273 1"},
		{"--by reason", "any any 0 4"},
		{"--source 198.51.100.7/24",
		 "--source: 198.51.100.7/24 has host bits set; write 198.51.100.0/24"},
		{"--source mail",
		 "--source: 'mail' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)"},
		{"--port 25", "--port: '25' has no protocol; write 25/tcp or 25/udp"},
		{"--port 5060/tcp+udp",
		 "--port: '5060/tcp+udp' is more than one port; name 5060/tcp or 5060/udp"},
		{"--port 60000-60099/udp",
		 "--port: '60000-60099/udp' is more than one port; name one, as 25/tcp"},
		{"--reason refused",
		 "--reason must be one of malformed, banned, denied, fragment, icmp, limit, protocol, source, unlisted, outbound, not 'refused'"},
		{"--reason source,",
		 "--reason must be one of malformed, banned, denied, fragment, icmp, limit, protocol, source, unlisted, outbound, not ''"},
		{"--by address", "--by must be source or prefix or port or reason, not 'address'"},
		{"--since tomorrow",
		 "--since must be a time like 90, 10m or 8h, 18:00, or 2026-11-29T18:00:00Z, not 'tomorrow'"},
		{"--since 2999-01-01T00:00:00Z",
		 "--since must be a time that has passed, not '2999-01-01T00:00:00Z'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(options_free) struct options options;
		__free_text char *said = NULL, *expected = NULL, *port = NULL;
		char source[PREFIX_TEXT] = "any";

		if (parse_as(&command, cases[i].line, &options, &said) == OPTIONS_WRONG) {
			expected = xasprintf("portcullis: drops: %s\n", cases[i].said);
			assert_string_equal(said, expected);
			continue;
		}
		if (options.source.family)
			prefix_format(&options.source, source);
		port = options.port < 0 ? xstrdup("any") : xasprintf("%d", options.port);
		expected = xasprintf("%s %s %u %d", source, port, options.reasons, options.by);
		assert_string_equal(expected, cases[i].said);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeated),       cmocka_unit_test(test_settings_options),
		cmocka_unit_test(test_settings_wrong), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_flags),	       cmocka_unit_test(test_values_wrong),
		cmocka_unit_test(test_apply_words),    cmocka_unit_test(test_help),
		cmocka_unit_test(test_select),
	};

	return cmocka_run_group_tests_name("command/options", tests, NULL, NULL);
}
