// SPDX-License-Identifier: GPL-2.0
/* The language of the options: prefixes, groups and their files, overrides; the recipe as JSON. */
#include "loader/base/memory.h"
#include "loader/command/options.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/recipe_json.h"
#include "tests/unit/expect.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- prefixes --- */

static void test_prefix(void **state)
{
	static const struct {
		const char *text, *written, *why;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8", NULL},
		{"192.0.2.1", "192.0.2.1/32", NULL},
		{"0.0.0.0/0", "0.0.0.0/0", NULL},
		{"::/0", "::/0", NULL},
		{"10.128.0.0/9", "10.128.0.0/9", NULL},
		{"2001:DB8:0:0::/32", "2001:db8::/32", NULL},
		{"2001:db8::1", "2001:db8::1/128", NULL},
		{"::ffff:0:0/95", NULL, "::ffff:0:0/95 has host bits set; write ::fffe:0:0/95"},
		{"10.1.2.3/8", NULL, "10.1.2.3/8 has host bits set; write 10.0.0.0/8"},
		{"10.0.0.1/31", NULL, "10.0.0.1/31 has host bits set; write 10.0.0.0/31"},
		{"10.64.0.0/9", NULL, "10.64.0.0/9 has host bits set; write 10.0.0.0/9"},
		{"255.0.0.0/0", NULL, "255.0.0.0/0 has host bits set; write 0.0.0.0/0"},
		{"2001:db8::1/64", NULL, "2001:db8::1/64 has host bits set; write 2001:db8::/64"},
		{"fe80::1/10", NULL, "fe80::1/10 has host bits set; write fe80::/10"},
		{"::ffff:0:0/96", NULL, "::ffff:0:0/96 is IPv4 written as IPv6; write 0.0.0.0/0"},
		{"::ffff:10.0.0.0/104", NULL,
		 "::ffff:10.0.0.0/104 is IPv4 written as IPv6; write 10.0.0.0/8"},
		{"::ffff:10.1.2.3", NULL,
		 "::ffff:10.1.2.3 is IPv4 written as IPv6; write 10.1.2.3/32"},
		{"::ffff:10.1.2.3/104", NULL,
		 "::ffff:10.1.2.3/104 is IPv4 written as IPv6; write 10.0.0.0/8"},
		{"10.0.0.0/33", NULL,
		 "'10.0.0.0/33' has no prefix length from 0 to 32 after its '/'"},
		{"::/129", NULL, "'::/129' has no prefix length from 0 to 128 after its '/'"},
		{"10.0.0.0/", NULL, "'10.0.0.0/' has no prefix length from 0 to 32 after its '/'"},
		{"10.0.0.0/08", NULL,
		 "'10.0.0.0/08' has no prefix length from 0 to 32 after its '/'"},
		{"10.0.0.0/-1", NULL,
		 "'10.0.0.0/-1' has no prefix length from 0 to 32 after its '/'"},
		{"10.0.0.0/4294967304", NULL,
		 "'10.0.0.0/4294967304' has no prefix length from 0 to 32 after its '/'"},
		{"10.0.0.0/255.0.0.0", NULL,
		 "'10.0.0.0/255.0.0.0' has no prefix length from 0 to 32 after its '/'"},
		{"", NULL, "'' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{"/8", NULL, "'/8' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{"10.0.0/8", NULL,
		 "'10.0.0/8' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{"fe80::1%eth0", NULL,
		 "'fe80::1%eth0' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{"mail.example.com", NULL,
		 "'mail.example.com' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{" 10.0.0.0/8", NULL,
		 "' 10.0.0.0/8' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix prefix;
		char text[PREFIX_TEXT];
		__free_text char *why = NULL;
		int result = prefix_parse(cases[i].text, &prefix, &why);

		if (cases[i].why) {
			assert_int_equal(result, -EINVAL);
			assert_string_equal(why, cases[i].why);
		} else {
			assert_int_equal(result, 0);
			assert_null(why);
			assert_string_equal(prefix_format(&prefix, text), cases[i].written);
		}
	}
}

/* --- groups --- */

/* "10.0.0.0/8 ::/0": the prefixes of a group in their order; the caller frees. */
static char *group_text(const struct groups *groups, const char *name)
{
	const struct group *group = groups_find(groups, name);
	__cleanup(names_free) struct names names = {0};
	char text[PREFIX_TEXT];

	assert_non_null(group);
	for (size_t i = 0; i < group->prefixes; i++)
		names_add(&names, prefix_format(&group->prefix[i], text));
	return names_join(&names, " ");
}

static void test_group(void **state)
{
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL, *other = NULL;

	(void)state;
	/* Sorted, IPv4 first, each once. */
	assert_int_equal(
		0, groups_define(&groups,
				 "trusted=::1,10.0.0.0/8,192.0.2.1,10.0.0.0/8,10.0.0.0/16,::1/128",
				 &diag));
	text = group_text(&groups, "trusted");
	assert_string_equal(text, "10.0.0.0/8 10.0.0.0/16 192.0.2.1/32 ::1/128");
	/* A later definition replaces; another group stays. */
	assert_int_equal(0, groups_define(&groups, "client=192.0.2.0/24", &diag));
	assert_int_equal(0, groups_define(&groups, "trusted=10.9.0.0/16", &diag));
	assert_int_equal(groups.count, 2);
	other = group_text(&groups, "trusted");
	assert_string_equal(other, "10.9.0.0/16");
	/* A wrong one changes nothing. */
	assert_int_equal(-EINVAL, groups_define(&groups, "trusted=10.0.0.0/8,10.1.2.3/8", &diag));
	expect_said(
		&diag,
		"portcullis: --group: trusted: 10.1.2.3/8 has host bits set; write 10.0.0.0/8\n");
	text_free(&other);
	other = group_text(&groups, "trusted");
	assert_string_equal(other, "10.9.0.0/16");
	assert_null(groups_find(&groups, "nobody"));
}

static void test_group_errors(void **state)
{
	static const struct {
		const char *definition, *said;
	} cases[] = {
		{"trusted",
		 "trusted has no prefix; write trusted=PREFIX[,PREFIX] or trusted=@FILE"},
		{"trusted=",
		 "trusted has no prefix; write trusted=PREFIX[,PREFIX] or trusted=@FILE"},
		{"trusted=@",
		 "trusted has no prefix; write trusted=PREFIX[,PREFIX] or trusted=@FILE"},
		{"=10.0.0.0/8", "'' is no group name: a-z, 0-9 and '-', at most 63"},
		{"", "'' is no group name: a-z, 0-9 and '-', at most 63"},
		{"Trusted=10.0.0.0/8", "'Trusted' is no group name: a-z, 0-9 and '-', at most 63"},
		{"link-local=10.0.0.0/8", "the group link-local is built in and cannot be defined"},
		{"trusted=10.0.0.0/8,",
		 "trusted: '' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{"trusted=10.0.0.0/8, 11.0.0.0/8",
		 "trusted: ' 11.0.0.0/8' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{"trusted=11.0.0.0/7,x",
		 "trusted: 11.0.0.0/7 has host bits set; write 10.0.0.0/7\n"
		 "portcullis: --group: trusted: 'x' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *expected = xasprintf("portcullis: --group: %s\n", cases[i].said);

		assert_int_equal(-EINVAL, recipe_group(&recipe, cases[i].definition, &diag));
		expect_said(&diag, expected);
		assert_int_equal(recipe.groups.count, 0);
	}
}

/* Writes a file, defines group "g" from it and removes it. */
static int define_file(struct groups *groups, const char *content, size_t length, char path[32],
		       struct diag *diag)
{
	__free_text char *definition = NULL;
	int fd, result;

	strcpy(path, "/tmp/pc-group-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, length), length);
	close(fd);
	definition = xasprintf("g=@%s", path);
	result = groups_define(groups, definition, diag);
	unlink(path);
	return result;
}

static void test_group_file(void **state)
{
	static const char good[] = "\xef\xbb\xbf# offices\r\n\r\n  10.0.0.0/8 # Linz\r\n"
				   "\t2001:db8::/32\n10.0.0.0/8\n#\n192.0.2.7#x\n203.0.113.0/24";
	static const char bad[] = "10.0.0.0/8\n  10.1.2.3/8 # Linz\r\n\nx y\n";
	static const char hidden[] = "10.0.0.0\0x\n10.0.0.0/8\0/16\n";
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL, *expected = NULL, *empty = NULL;
	char path[32];

	(void)state;
	assert_int_equal(0, define_file(&groups, good, sizeof(good) - 1, path, &diag));
	assert_int_equal(diag.count, 0);
	text = group_text(&groups, "g");
	assert_string_equal(text, "10.0.0.0/8 192.0.2.7/32 203.0.113.0/24 2001:db8::/32");

	assert_int_equal(-EINVAL, define_file(&groups, bad, sizeof(bad) - 1, path, &diag));
	expected = xasprintf(
		"%s:2:3: 10.1.2.3/8 has host bits set; write 10.0.0.0/8\n"
		"  10.1.2.3/8 # Linz\n"
		"  ^~~~~~~~~~\n"
		"%s:4:1: 'x y' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32\n"
		"x y\n"
		"^~~\n",
		path, path);
	expect_said(&diag, expected);

	assert_int_equal(-EINVAL, define_file(&groups, hidden, sizeof(hidden) - 1, path, &diag));
	assert_int_equal(diag.errors, 2);
	diag_free(&diag);
	assert_int_equal(-EINVAL, define_file(&groups, "# none\n\n", 8, path, &diag));
	empty = xasprintf("portcullis: %s: there is no prefix in it\n", path);
	expect_said(&diag, empty);
	/* Through all of these the first definition stayed. */
	assert_int_equal(groups_find(&groups, "g")->prefixes, 4);
}

static void test_group_file_errors(void **state)
{
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(text_free) char *many = xcalloc(GROUP_FILE_LIMIT + 1, 1);
	__free_text char *expected = NULL;
	char path[32];

	(void)state;
	assert_int_equal(-ENOENT, groups_define(&groups, "g=@/nowhere/f", &diag));
	expect_said(
		&diag,
		"portcullis: --group: g: cannot read '/nowhere/f': No such file or directory\n");
	assert_int_equal(-EINVAL, groups_define(&groups, "g=@/tmp", &diag));
	expect_said(&diag, "portcullis: --group: g: cannot read '/tmp': not a regular file\n");
	memset(many, '\n', GROUP_FILE_LIMIT + 1);
	memcpy(many, "10.0.0.0/8", 10);
	assert_int_equal(0, define_file(&groups, many, GROUP_FILE_LIMIT, path, &diag));
	assert_int_equal(-EFBIG, define_file(&groups, many, GROUP_FILE_LIMIT + 1, path, &diag));
	expected = xasprintf("portcullis: --group: g: '%s' is larger than 16777216 bytes\n", path);
	expect_said(&diag, expected);
}

/* --- options --- */

typedef int (*option)(struct recipe *recipe, const char *argument, struct diag *diag);

static void test_option_errors(void **state)
{
	static const struct {
		option option;
		const char *argument, *said;
	} cases[] = {
		{recipe_profiles, "Xeams",
		 "--profile: 'Xeams' is no name of a profile: a-z, 0-9 and '-', at most 63"},
		{recipe_profiles, "xeams,,ssh",
		 "--profile: '' is no name of a profile: a-z, 0-9 and '-', at most 63"},
		{recipe_profiles, "",
		 "--profile: '' is no name of a profile: a-z, 0-9 and '-', at most 63"},
		{recipe_enable, "IMAP",
		 "--enable: 'IMAP' is no name of a feature: a-z, 0-9 and '-', at most 63"},
		{recipe_enable,
		 "xeams:", "--enable: '' is no name of a feature: a-z, 0-9 and '-', at most 63"},
		{recipe_enable, ":imap",
		 "--enable: '' is no name of a profile: a-z, 0-9 and '-', at most 63"},
		{recipe_enable, "a:b:c",
		 "--enable: 'b:c' is no name of a feature: a-z, 0-9 and '-', at most 63"},
		{recipe_disable, "smtp",
		 "--disable: 'smtp' names no service; write PROFILE:SERVICE"},
		{recipe_disable, "xeams:s p",
		 "--disable: 's p' is no name of a service: a-z, 0-9 and '-', at most 63"},
		{recipe_set, "xeams:smtp",
		 "--set: 'xeams:smtp' has no ports; write PROFILE:SERVICE=PORTS, as in xeams:smtp=25/tcp"},
		{recipe_set, "xeams:smtp=",
		 "--set: 'xeams:smtp=' has no ports; write PROFILE:SERVICE=PORTS, as in xeams:smtp=25/tcp"},
		{recipe_set, "smtp=25/tcp",
		 "--set: 'smtp=25/tcp' names no service; write PROFILE:SERVICE"},
		{recipe_set, "xeams:smtp=25",
		 "--set: xeams:smtp: '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp"},
		{recipe_set, "xeams:smtp:up=25/tcp",
		 "--set: 'up' is no direction; write in or out"},
		{recipe_set, "xeams:smtp:in:out=25/tcp",
		 "--set: 'in:out' is no direction; write in or out"},
		{recipe_set, "xeams:smtp=25/tcp,70000/tcp",
		 "--set: xeams:smtp: port 70000 is out of range 1-65535"},
		{recipe_set, "xeams:smtp=25/tcp,587/tcp,25/tcp",
		 "--set: xeams:smtp: 25/tcp is listed twice"},
		{recipe_set, "x:y=1-65535/tcp,60-70/udp,5/udp,65-80/tcp+udp",
		 "--set: x:y: 65/tcp is listed twice"},
		{recipe_set, "x:y=60-70/udp,65535/tcp,70/tcp+udp",
		 "--set: x:y: 70/udp is listed twice"},
		{recipe_from, "xeams:smtp",
		 "--from: 'xeams:smtp' has no group; write PROFILE:SERVICE=GROUP[,GROUP], as in xeams:admin=trusted"},
		{recipe_from, "xeams:smtp=",
		 "--from: 'xeams:smtp=' has no group; write PROFILE:SERVICE=GROUP[,GROUP], as in xeams:admin=trusted"},
		{recipe_from, "xeams=trusted",
		 "--from: 'xeams=trusted' names no service; write PROFILE:SERVICE"},
		{recipe_from, "xeams:smtp=trusted,",
		 "--from: '' is no name of a group: a-z, 0-9 and '-', at most 63"},
		{recipe_from, "xeams:smtp=10.0.0.0/8",
		 "--from: '10.0.0.0/8' is no name of a group: a-z, 0-9 and '-', at most 63"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *expected = xasprintf("portcullis: %s\n", cases[i].said);

		assert_int_equal(-EINVAL, cases[i].option(&recipe, cases[i].argument, &diag));
		expect_said(&diag, expected);
		assert_int_equal(recipe.features.count + recipe.disabled.count + recipe.sets +
					 recipe.froms + recipe.groups.count,
				 0);
	}
}

/* The recipe in one line; the caller frees. */
static char *recipe_text(const struct recipe *recipe)
{
	json_t *json = recipe_json(recipe);
	char *text = json_dumps(json, JSON_COMPACT);

	assert_non_null(json);
	json_decref(json);
	return text;
}

struct word {
	option option;
	const char *argument;
};

static void say_all(struct recipe *recipe, const struct word *word, size_t words)
{
	__cleanup(diag_free) struct diag diag = {0};

	for (size_t i = 0; i < words; i++)
		assert_int_equal(0, word[i].option(recipe, word[i].argument, &diag));
	assert_int_equal(diag.count, 0);
}

static void test_recipe_json(void **state)
{
	static const struct word words[] = {
		{recipe_profiles, "xeams,ssh"},
		{recipe_profiles, "ssh,host"},
		{recipe_enable, "imap"},
		{recipe_enable, "xeams:pop3"},
		{recipe_enable, "imap"},
		{recipe_disable, "xeams:smtps"},
		{recipe_disable, "xeams:smtps"},
		{recipe_set, "xeams:smtp=26/tcp,25/tcp"},
		{recipe_set, "xeams:sip:out=5060/tcp+udp"},
		{recipe_from, "xeams:admin=trusted,client,trusted"},
		{recipe_from, "xeams:db=link-local"},
		{recipe_group, "trusted=10.0.0.0/8,::/0"},
		{recipe_group, "client=192.0.2.1"},
	};
	__cleanup(recipe_free) struct recipe recipe = {.policy = PC_POLICY_OBSERVE}, again = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *text = NULL, *second = NULL;
	json_t *json;

	(void)state;
	say_all(&recipe, words, ARRAY_SIZE(words));
	text = recipe_text(&recipe);
	assert_string_equal(
		text,
		"{\"profiles\":[\"xeams\",\"ssh\",\"host\"],\"policy\":\"observe\",\"outbound\":\"track\",\"forward\":false,\"echo_limit\":100,\"features\":[\"imap\",\"xeams:pop3\"],"
		"\"groups\":{\"trusted\":[\"10.0.0.0/8\",\"::/0\"],\"client\":[\"192.0.2.1/32\"]},"
		"\"overrides\":{\"set\":[\"xeams:smtp=25-26/tcp\",\"xeams:sip:out=5060/tcp,5060/udp\"],"
		"\"from\":[\"xeams:admin=trusted,client\",\"xeams:db=link-local\"],\"disable\":[\"xeams:smtps\"]}}");
	json = json_loads(text, 0, NULL);
	assert_int_equal(0, recipe_from_json(&again, json, &diag));
	json_decref(json);
	second = recipe_text(&again);
	assert_string_equal(text, second);
	assert_int_equal(again.policy, PC_POLICY_OBSERVE);
}

/* --- settings: as options, and kept over a swap --- */

/* "observe enforce yes 5": what a recipe is set to. The caller frees. */
static char *settings(const struct recipe *recipe)
{
	return xasprintf("%s %s %s %u", recipe->policy == PC_POLICY_OBSERVE ? "observe" : "enforce",
			 outbound_name[recipe->outbound], recipe->forward ? "yes" : "no",
			 recipe_echo_limit(recipe));
}

static void expect_settings(const struct recipe *recipe, const char *expected)
{
	__free_text char *text = settings(recipe);

	assert_string_equal(text, expected);
}

static void test_settings_json(void **state)
{
	static const struct {
		const char *json, *settings; /* behind "profiles" and "policy" */
	} cases[] = {
		{"", "enforce track no 100"},
		{",\"outbound\":\"enforce\"", "enforce enforce no 100"},
		{",\"outbound\":\"track\",\"forward\":true", "enforce track yes 100"},
		{",\"forward\":false,\"echo_limit\":0", "enforce track no 0"},
		{",\"echo_limit\":1", "enforce track no 1"},
		{",\"echo_limit\":100", "enforce track no 100"},
		{",\"echo_limit\":1000000", "enforce track no 1000000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0}, again = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *text =
			xasprintf("{\"profiles\":[],\"policy\":\"enforce\"%s}", cases[i].json);
		json_t *json = json_loads(text, 0, NULL), *written;

		assert_int_equal(0, recipe_from_json(&recipe, json, &diag));
		json_decref(json);
		expect_settings(&recipe, cases[i].settings);
		written = recipe_json(&recipe);
		assert_int_equal(0, recipe_from_json(&again, written, &diag));
		json_decref(written);
		expect_settings(&again, cases[i].settings);
	}
}

/* Parses the words of a line as a command's; what is said on stderr goes into `*text`. */
static enum options_result parse(const char *line, struct options *options, char **text)
{
	static const struct command command = {.name = "attach", .takes = "proERlOL"};
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
		{"--forward --no-forward", "--forward and --no-forward exclude each other"},
		{"--no-forward --forward", "--forward and --no-forward exclude each other"},
		{"--observe --enforce", "--observe and --enforce exclude each other"},
		{"--outbound observe", "--outbound observe: is neither track nor enforce"},
		{"--outbound ENFORCE", "--outbound ENFORCE: is neither track nor enforce"},
		{"--outbound", "--outbound needs an argument; see portcullis attach --help"},
		{"--echo-limit -1", "--echo-limit -1: is no number from 0 to 1000000"},
		{"--echo-limit 1000001", "--echo-limit 1000001: is no number from 0 to 1000000"},
		{"--echo-limit 1k", "--echo-limit 1k: is no number from 0 to 1000000"},
		{"--echo-limit=", "--echo-limit : is no number from 0 to 1000000"},
		{"--echo-limit 18446744073709551616",
		 "--echo-limit 18446744073709551616: is no number from 0 to 1000000"},
		{"--flows 0", "--flows 0: is no number from 1 to 16777216"},
		{"--flows 16777217", "--flows 16777217: is no number from 1 to 16777216"},
		{"--flows +1", "--flows +1: is no number from 1 to 16777216"},
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

/* A newer word takes the place of the older ones that it leaves without effect, and of no other. */
static void test_replacing(void **state)
{
	static const struct {
		const char *set[4];
		const char *left;
	} cases[] = {
		{{"x:y=1/tcp", "x:y=2/tcp"}, "x:y=2/tcp"},
		{{"x:y:in=1/tcp", "x:y:out=2/tcp"}, "x:y:in=1/tcp x:y:out=2/tcp"},
		{{"x:y:in=1/tcp", "x:y:out=2/tcp", "x:y=3/tcp"}, "x:y=3/tcp"},
		{{"x:y=1/tcp", "x:y:in=2/tcp"}, "x:y=1/tcp x:y:in=2/tcp"},
		{{"x:y=1/tcp", "x:y:in=2/tcp", "x:y:in=3/tcp"}, "x:y=1/tcp x:y:in=3/tcp"},
		{{"x:y=1/tcp", "x:y:in=2/tcp", "x:y:out=3/tcp"}, "x:y:in=2/tcp x:y:out=3/tcp"},
		{{"x:y=1/tcp", "x:z=2/tcp", "w:y=3/tcp", "x:y=4/tcp"},
		 "x:z=2/tcp w:y=3/tcp x:y=4/tcp"},
	};
	static const struct word froms[] = {
		{recipe_from, "x:y=a"}, {recipe_from, "x:z=b"}, {recipe_from, "x:y=c,d"}};
	__cleanup(recipe_free) struct recipe restricted = {0};
	__free_text char *from = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__cleanup(names_free) struct names names = {0};
		__free_text char *left = NULL;

		for (size_t j = 0; j < ARRAY_SIZE(cases[i].set) && cases[i].set[j]; j++)
			assert_int_equal(0, recipe_set(&recipe, cases[i].set[j], &diag));
		for (size_t j = 0; j < recipe.sets; j++) {
			__free_text char *text = override_set_text(&recipe.set[j]);

			names_add(&names, text);
		}
		left = names_join(&names, " ");
		assert_string_equal(left, cases[i].left);
	}
	say_all(&restricted, froms, ARRAY_SIZE(froms));
	assert_int_equal(restricted.froms, 2);
	from = override_from_text(&restricted.from[0]);
	assert_string_equal(from, "x:y=c,d");
}

static void test_hostile_json(void **state)
{
	static const struct {
		const char *json, *said;
	} cases[] = {
		{"[]", "recipe: it has no 'profiles'"},
		{"{}", "recipe: it has no 'profiles'"},
		{"{\"profiles\":[]}", "recipe: 'policy' is neither enforce nor observe"},
		{"{\"profiles\":[],\"policy\":7}",
		 "recipe: 'policy' is neither enforce nor observe"},
		{"{\"profiles\":[],\"policy\":\"off\"}",
		 "recipe: 'policy' is neither enforce nor observe"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":\"drop\"}",
		 "recipe: 'outbound' is neither track nor enforce"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":\"enforce\\u0000\"}",
		 "recipe: 'outbound' is neither track nor enforce"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":null}",
		 "recipe: 'outbound' is neither track nor enforce"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"outbound\":1}",
		 "recipe: 'outbound' is neither track nor enforce"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"forward\":\"yes\"}",
		 "recipe: 'forward' is neither true nor false"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"forward\":1}",
		 "recipe: 'forward' is neither true nor false"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"forward\":null}",
		 "recipe: 'forward' is neither true nor false"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":-1}",
		 "recipe: 'echo_limit' is no number from 0 to 1000000"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":1000001}",
		 "recipe: 'echo_limit' is no number from 0 to 1000000"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":4294967296}",
		 "recipe: 'echo_limit' is no number from 0 to 1000000"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":\"100\"}",
		 "recipe: 'echo_limit' is no number from 0 to 1000000"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":1.5}",
		 "recipe: 'echo_limit' is no number from 0 to 1000000"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"echo_limit\":null}",
		 "recipe: 'echo_limit' is no number from 0 to 1000000"},
		{"{\"profiles\":[],\"policy\":\"observe\\u0000\"}",
		 "recipe: 'policy' is neither enforce nor observe"},
		{"{\"profiles\":{},\"policy\":\"enforce\"}", "recipe: 'profiles' is not a list"},
		{"{\"profiles\":\"x\",\"policy\":\"enforce\"}", "recipe: 'profiles' is not a list"},
		{"{\"profiles\":[\"a\",null],\"policy\":\"enforce\"}",
		 "recipe: item 2 of 'profiles' is not a word"},
		{"{\"profiles\":[\"a\\u0000b\"],\"policy\":\"enforce\"}",
		 "recipe: item 1 of 'profiles' is not a word"},
		{"{\"profiles\":[\"../x\"],\"policy\":\"enforce\"}",
		 "recipe: '../x' is no name of a profile: a-z, 0-9 and '-', at most 63"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"features\":null}",
		 "recipe: 'features' is not a list"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"features\":[\"a b\"]}",
		 "recipe: 'a b' is no name of a feature: a-z, 0-9 and '-', at most 63"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":[]}",
		 "recipe: 'groups' is not an object"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"g\":{}}}",
		 "recipe: 'g' is not a list"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"g\":[]}}",
		 "recipe: the group g has no prefix"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"g\":[\"@/etc/passwd\"]}}",
		 "recipe: g: '@/etc/passwd' is no IPv4 or IPv6 prefix, as 192.0.2.0/24 or 2001:db8::/32"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"groups\":{\"link-local\":[\"::/0\"]}}",
		 "recipe: the group link-local is built in and cannot be defined"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":[]}",
		 "recipe: 'overrides' is not an object"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"set\":[\"x:y=1\"]}}",
		 "recipe: x:y: '1' has no protocol; write 1/tcp, 1/udp or 1/tcp+udp"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"from\":[[]]}}",
		 "recipe: item 1 of 'from' is not a word"},
		{"{\"profiles\":[],\"policy\":\"enforce\",\"overrides\":{\"disable\":[\"x\"]}}",
		 "recipe: 'x' names no service; write PROFILE:SERVICE"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__cleanup(recipe_free) struct recipe recipe = {0};
		__cleanup(diag_free) struct diag diag = {0};
		__free_text char *expected = xasprintf("portcullis: %s\n", cases[i].said);
		json_t *json = json_loads(cases[i].json, JSON_ALLOW_NUL, NULL);

		assert_non_null(json);
		assert_int_equal(-EINVAL, recipe_from_json(&recipe, json, &diag));
		json_decref(json);
		expect_said(&diag, expected);
		assert_int_equal(recipe.profiles.count, 0);
	}
}

/* --- many --- */

#define MANY 100000

static void test_many_prefixes(void **state)
{
	__cleanup(recipe_free) struct recipe recipe = {0}, again = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *file = NULL, *text = NULL, *second = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&file, &length);
	json_t *json, *loaded;
	char path[32];
	double start;

	(void)state;
	/* Half of each family, in no order. */
	for (unsigned int i = 0; i < MANY; i++) {
		unsigned int mixed = i * 2654435761U;

		if (i % 2)
			fprintf(to, "%u.%u.%u.%u/32 # %u\n", mixed >> 24, mixed >> 16 & 255,
				mixed >> 8 & 255, mixed & 255, i);
		else
			fprintf(to, "2001:db8:%x:%x::/64\n", mixed >> 16, mixed & 0xffff);
	}
	fclose(to);
	start = now();
	assert_int_equal(0, define_file(&recipe.groups, file, length, path, &diag));
	expect_fast("100,000 lines parsed", start, 2);
	assert_int_equal(recipe.groups.group[0].prefixes, MANY);

	start = now();
	json = recipe_json(&recipe);
	expect_fast("recipe_json of 100,000 prefixes", start, 2);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	loaded = json_loads(text, 0, NULL);
	start = now();
	assert_int_equal(0, recipe_from_json(&again, loaded, &diag));
	expect_fast("recipe_from_json of 100,000 prefixes", start, 2);
	json_decref(loaded);
	second = recipe_text(&again);
	assert_string_equal(text, second);
	assert_memory_equal(recipe.groups.group[0].prefix, again.groups.group[0].prefix,
			    MANY * sizeof(struct prefix));
}

static void test_many_errors(void **state)
{
	__cleanup(groups_free) struct groups groups = {0};
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(text_free) char *file = xcalloc(2 * MANY, 1);
	char path[32];
	double start = now();

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		memcpy(file + 2 * i, "x\n", 2);
	assert_int_equal(-EINVAL, define_file(&groups, file, 2 * MANY, path, &diag));
	expect_fast("100,000 wrong lines", start, 2);
	assert_int_equal(diag.count, DIAG_LIMIT + 1);
	assert_int_equal(diag.entry[DIAG_LIMIT - 1].line, DIAG_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_group_errors),
		cmocka_unit_test(test_group_file),
		cmocka_unit_test(test_group_file_errors),
		cmocka_unit_test(test_option_errors),
		cmocka_unit_test(test_recipe_json),
		cmocka_unit_test(test_settings_json),
		cmocka_unit_test(test_settings_options),
		cmocka_unit_test(test_settings_wrong),
		cmocka_unit_test(test_replacing),
		cmocka_unit_test(test_hostile_json),
		cmocka_unit_test(test_many_prefixes),
		cmocka_unit_test(test_many_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
