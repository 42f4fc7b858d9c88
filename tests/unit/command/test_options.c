// SPDX-License-Identifier: GPL-2.0
/* The settings of a filter as options. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/command/options.h"
#include "loader/recipe/recipe.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/words.h"

/* Parses the words of a line as a command's; what is said on stderr goes into `*text`. */
static enum options_result parse(const char *line, struct options *options, char **text)
{
	static const struct command command = {.name = "attach",
					       .takes = OPTIONS_RECIPE | OPTIONS_ATTACH};
	__free_text char *copy = xstrdup(line);
	FILE *terminal = stderr;
	char *rest = copy, *argv[16] = {(char *)"attach"};
	enum options_result result;
	size_t length = 0;
	int argc = 1;

	while (rest && (argv[argc] = strsep(&rest, " ")) && *argv[argc])
		argc++;
	argv[argc] = NULL;
	stderr = open_memstream(text, &length);
	result = options_parse(&command, argc, argv, options);
	fclose(stderr);
	stderr = terminal;
	return result;
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

/* One command gives each word once. */
static void test_repeated(void **state)
{
	static const struct {
		const char *line, *said; /* NULL: nothing is wrong */
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_settings_options),
		cmocka_unit_test(test_settings_wrong),
	};

	return cmocka_run_group_tests_name("command/options", tests, NULL, NULL);
}
