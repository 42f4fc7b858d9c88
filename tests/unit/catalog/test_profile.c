// SPDX-License-Identifier: GPL-2.0
/* The catalog language: what a profile may contain, and every error with its place. */
#include <errno.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/catalog/profile.h"
#include "tests/unit/catalog/expect.h"
#include "tests/unit/expect.h"
#include "tests/unit/files.h"

/* A profile of one service; the text continues its keys, from line 4 and column 5 on. */
#define SERVICE "profile: p\nservices:\n  - name: s\n"

struct mistake {
	const char *text;
	const char *errors; /* "LINE:COLUMN+WIDTH MESSAGE" a line */
};

/* The messages for a text; the caller frees. */
static char *errors_in(const char *text, size_t length)
{
	struct profile *profile = NULL;
	struct diag diag = {0};
	char *said_text = NULL;
	size_t said_length = 0;
	FILE *to = open_memstream(&said_text, &said_length);
	int err = profile_parse("p.yaml", text, length, &profile, &diag);

	assert_int_equal(err, diag.errors ? -EINVAL : 0);
	assert_true(err ? !profile : !!profile);
	for (size_t i = 0; i < diag.count; i++)
		fprintf(to, "%d:%d+%d %s\n", diag.entry[i].line, diag.entry[i].column,
			diag.entry[i].width, diag.entry[i].message);
	fclose(to);
	profile_free(profile);
	diag_free(&diag);
	return said_text;
}

static void expect_mistakes(const struct mistake *mistake, size_t mistakes)
{
	size_t wrong = 0;

	for (size_t i = 0; i < mistakes; i++) {
		__free_text char *errors = errors_in(mistake[i].text, strlen(mistake[i].text));

		if (!strcmp(errors, mistake[i].errors))
			continue;
		print_error("text:\n%s\nsaid:\n%sexpected:\n%s", mistake[i].text, errors,
			    mistake[i].errors);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static struct profile *parse(const char *text)
{
	struct profile *profile = NULL;
	struct diag diag = {0};

	profile_parse("p.yaml", text, strlen(text), &profile, &diag);
	expect_said(&diag, "");
	assert_non_null(profile);
	return profile;
}

/* `start`, then `unit` as often as fits within the limit, then `end`. */
static char *repeat(const char *start, const char *unit, const char *end)
{
	char *text = xcalloc(CATALOG_FILE_LIMIT + 1, 1), *to = stpcpy(text, start);
	size_t room = CATALOG_FILE_LIMIT - strlen(start) - strlen(end);

	for (; room >= strlen(unit); room -= strlen(unit))
		to = stpcpy(to, unit);
	strcpy(to, end);
	return text;
}

static void test_whole_profile(void **state)
{
	struct profile *profile = parse(
		"profile: mail-host\n"
		"title: Mail # a comment\n"
		"document: 003.txt\n"
		"release: 7.6\n"
		"as-of: 2021-08-06\n"
		"url: https://www.example.com/ports\n"
		"second-hand: true\n"
		"include: [host, ssh]\n"
		"outbound: any\n"
		"protocols: [esp, 47, sctp]\n"
		"services:\n"
		"  - name: smtp\n"
		"    title: SMTP\n"
		"    note: >\n      folded\n      prose\n"
		"    in: [587/tcp, 25/tcp]\n"
		"    out: 25/tcp\n"
		"    from: [trusted, link-local]\n"
		"    to: exchange\n"
		"    feature: mta\n"
		"    fixed: true\n"
		"    configured-in: Settings > Mail\n"
		"    formerly: {name: [mail, mta], feature: relay}\n"
		"  - {name: dhcp, in: 68/udp, from-port: 67/udp, local: false, formerly: bootp}\n"
		"  - {name: rpc, dynamic: true, from: trusted, configured-in: {file: a.xml, xpath: /p}}\n"
		"  - {name: log, in: 5060/tcp+udp, local: true, formerly: [l1, l2]}\n"
		"  - {name: none, from: trusted, configured-in: {file: b, key: port}}\n"
		"  - {name: re, in: 1/tcp, configured-in: {regex: 'a[{]=([0-9]+)', file: c}}\n"
		"  - {name: reg, in: 1/tcp, configured-in: {registry: HKLM\\A\\B, value: C d}}\n"
		"containers: true\n");
	const struct service *smtp = profile_service(profile, "smtp");
	const struct service *dhcp = profile_service(profile, "dhcp");
	const struct service *rpc = profile_service(profile, "rpc");
	const struct service *log = profile_service(profile, "log");
	const struct service *none = profile_service(profile, "none");
	const struct service *re = profile_service(profile, "re");
	const struct service *reg = profile_service(profile, "reg");
	int day = 0;

	(void)state;
	assert_string_equal(profile->name, "mail-host");
	assert_string_equal(profile->release, "7.6");
	assert_string_equal(profile->as_of, "2021-08-06");
	assert_true(profile_list_day(profile, &day));
	assert_int_equal(day, 18845);
	assert_string_equal(profile->url, "https://www.example.com/ports");
	assert_true(profile->second_hand);
	assert_true(profile->containers);
	assert_string_equal(none->configured_in.file, "b");
	assert_string_equal(none->configured_in.key, "port");
	assert_null(none->configured_in.regex);
	assert_string_equal(re->configured_in.file, "c");
	assert_string_equal(re->configured_in.regex, "a[{]=([0-9]+)");
	assert_null(re->configured_in.key);
	assert_string_equal(reg->configured_in.registry, "HKLM\\A\\B");
	assert_string_equal(reg->configured_in.value, "C d");
	assert_null(reg->configured_in.file);
	assert_string_equal(profile->title, "Mail");
	assert_string_equal(profile->document, "003.txt");
	assert_string_equal(profile->path, "p.yaml");
	assert_null(profile->shadows);
	expect_names(&profile->include, "host ssh");
	assert_int_equal(profile->include_place[1].line, 8);
	assert_int_equal(profile->include_place[1].column, 17);
	assert_int_equal(profile->outbound, PROFILE_OUTBOUND_ANY);
	for (int i = 0; i < 256; i++)
		assert_int_equal(profile->protocol[i], i == 50 || i == 47 || i == 132);
	assert_int_equal(profile->services, 7);
	assert_string_equal(smtp->note, "folded prose\n");
	expect_ports(&smtp->in, "25/tcp 587/tcp");
	expect_ports(&smtp->out, "25/tcp");
	expect_names(&smtp->from, "trusted link-local");
	expect_names(&smtp->to, "exchange");
	expect_names(&smtp->formerly, "mail mta");
	expect_names(&smtp->feature_formerly, "relay");
	assert_string_equal(smtp->feature, "mta");
	assert_true(smtp->fixed && !smtp->local && !smtp->dynamic);
	assert_string_equal(smtp->configured_in.text, "Settings > Mail");
	expect_ports(&dhcp->from_port, "67/udp");
	expect_names(&dhcp->formerly, "bootp");
	assert_false(dhcp->local);
	assert_true(rpc->dynamic);
	assert_string_equal(rpc->configured_in.file, "a.xml");
	assert_string_equal(rpc->configured_in.xpath, "/p");
	assert_null(rpc->configured_in.text);
	assert_true(log->local);
	expect_names(&log->formerly, "l1 l2");
	assert_null(profile_service(profile, "smt"));
	assert_true(profile_has_feature(profile, "mta"));
	assert_false(profile_has_feature(profile, "relay"));
	profile_free(profile);
}

static void test_spellings(void **state)
{
	static const char *const good[] = {
		"profile: p",
		"\xef\xbb\xbfprofile: p\r\ntitle: x\r\n",
		"{\"profile\": \"p\", \"services\": [{\"name\": \"s\", \"in\": \"25/tcp\"}]}",
		"---\nprofile: p\n...\n",
		"profile: p\nservices:\n- name: '25'\n  title: no\n  in: 'imaps/tcp'\n",
		SERVICE "    in: [25/tcp, 25/udp, 26-30/tcp]\n",
		SERVICE "    in: 68/tcp+udp\n    from-port: [67/tcp, 67/udp]\n",
		SERVICE "    formerly: {feature: x}\n    feature: y\n",
		SERVICE "    configured-in: x\n",
		"profile: p\nas-of: 2024-02-29\n",
		"profile: p\nas-of: '2000-12'\n",
		"profile: p\ntitle: | \n",
		SERVICE "    dynamic: true\n    local: true\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		profile_free(parse(good[i]));
}

static void test_texts(void **state)
{
	static const struct {
		const char *written, *meant;
	} cases[] = {
		{"a b # c", "a b"},
		{"a\n  b\n\n  c", "a b\nc"},
		{"\xc3\xa4\xf0\x9f\x98\x80", "\xc3\xa4\xf0\x9f\x98\x80"},
		{"'it''s'", "it's"},
		{"'it''s\n  more'", "it's more"},
		{"'a'''''''' b'", "a'''' b"},
		{"'''''a'", "''a"},
		{"'a  \n  '", "a "},
		{"' a \n\n \t\n  b '", " a\n\nb "},
		{"'a\r\n\r\n  b'", "a\nb"},
		{"\"a\\n\\x41\\u00e9 \\\n    b\\tc\"", "a\nA\xc3\xa9 b\tc"},
		{"\"\\\\\\\n  x \\  \n y\"", "\\x   y"},
		{"\"a \\\n\n\n  b\"", "a \n\nb"},
		{"\"\\/\\\"\\_\\U0001f600\"", "/\"\xc2\xa0\xf0\x9f\x98\x80"},
		{"|\n  a\n   b\n", "a\n b\n"},
		{">\n", ""},
		{">-\n  a\n  b\n", "a b"},
		{"''", ""},
		{"12", "12"},
	};
	__free_text char *quotes = repeat("profile: p\ntitle: '", "''", "'");
	struct profile *profile;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *text = xasprintf("title: %s\nprofile: p\n", cases[i].written);

		profile = parse(text);
		assert_string_equal(profile->title, cases[i].meant);
		profile_free(profile);
	}
	profile = parse(quotes);
	assert_int_equal(strlen(profile->title),
			 (strlen(quotes) - strlen("profile: p\ntitle: ''")) / 2);
	profile_free(profile);
}

static void test_yaml_errors(void **state)
{
	static const struct mistake cases[] = {
		{"", "0:0+0 the file is empty\n"},
		{"# nothing\n", "0:0+0 the file is empty\n"},
		{"---\n", "0:0+0 the file is empty\n"},
		{"~", "0:0+0 the file is empty\n"},
		{"- a\n- b\n",
		 "1:1+1 a profile is a list; write a mapping of keys, as in 'profile: NAME'\n"},
		{"profile",
		 "1:1+7 a profile is a text; write a mapping of keys, as in 'profile: NAME'\n"},
		{"profile: p\n\ttitle: x\n",
		 "2:1+1 not valid YAML: this line continues the text above it; is it indented too far?\n"},
		{"profile: p\ntitle: \"x\n",
		 "2:8+1 not valid YAML: double-quoted scalar without closing quote\n"},
		{"profile: p\ninclude: [a,\n", "2:10+1 not valid YAML: this '[' is not closed\n"},
		{"profile: p\ninclude: [a,\n\n  \n\n", "2:10+1 not valid YAML: this '[' is not closed\n"},
		{"profile: p\ninclude: [a # x", "2:10+1 not valid YAML: this '[' is not closed\n"},
		{"profile: p\n  title: x\n",
		 "2:3+1 not valid YAML: this line continues the text above it; is it indented too far?\n"},
		{"profile: p\nservices: [{name: s, in: [1/tcp}]\n",
		 "2:32+1 not valid YAML: mismatched flow mapping end\n"},
		{"profile: p\nservices: [{name: s\n",
		 "2:12+1 not valid YAML: this '{' is not closed\n"},
		{"profile: p\n# :\n: b\n", "3:1+1 a key is empty; write a word\n"},
		{"profile: p\n? \n: b\n", "2:1+1 a key is empty; write a word\n"},
		{"profile: p\n---\nprofile: q\n",
		 "2:1+3 a second document begins; a file holds one\n"},
		{"profile: p\ntitle: &x y\n", "2:8+2 anchors are not part of this language\n"},
		{"profile: p\ntitle: *x\n", "2:8+2 aliases are not part of this language\n"},
		{"profile: p\n*x : y\n", "2:1+2 aliases are not part of this language\n"},
		{"profile: p\ntitle: !!str y\n", "2:8+5 tags are not part of this language\n"},
		{"profile: p\n<<: {title: x}\n",
		 "2:1+2 merge keys are not part of this language\n"},
		{"profile: p\n? [a]\n: b\n", "2:3+1 a key is a list; write a word\n"},
		{"profile: p\n? {a: b}\n: b\n", "2:3+1 a key is a mapping; write a word\n"},
		{"profile: p\n: b\n", "2:1+1 a key is empty; write a word\n"},
		{"%YAML 1.1\n---\nprofile: p\n",
		 "1:1+1 directives are not part of this language\n"},
		{"profile: p\ntitle: caf\xe9\n", "2:11+1 this is not UTF-8 text\n"},
		{"profile: p\ntitle: \xc0\xaf\n", "2:8+1 this is not UTF-8 text\n"},
		{"profile: p\ntitle: \xed\xa0\x80\n", "2:8+1 this is not UTF-8 text\n"},
		{"profile: p\ntitle: \x1b[1m\n", "2:8+1 a control character\n"},
		{"profile: p\ntitle: \"a\\x1b[1m\"\n",
		 "2:8+10 control character U+001B in a text\n"},
		{"profile: p\ntitle: \"a\\0b\"\n", "2:8+6 control character U+0000 in a text\n"},
		{"profile: p\ntitle: \"\\ud800\"\n",
		 "2:9+6 not valid YAML: double-quoted scalar has invalid UTF8 escape\n"},
		{"profile: p\r\ntitel: x\r\n",
		 "2:1+5 unknown key 'titel'; did you mean 'title'?\n"},
		{"\xef\xbb\xbftitel: x\nprofile: p\n",
		 "1:1+5 unknown key 'titel'; did you mean 'title'?\n"},
	};
	__free_text char *nul = errors_in("profile: p\ntitle: a\0b\n", 22);

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
	assert_string_equal(nul, "2:9+1 a NUL byte: this is not a text file\n");
}

static void test_key_errors(void **state)
{
	static const struct mistake cases[] = {
		{"title: x\n", "1:1+5 key 'profile' is missing; it is a name\n"},
		{"profile: p\nservices:\n  - title: x\n",
		 "3:5+5 key 'name' is missing; it is a name\n"},
		{"profile: p\nservices: [{}]\n", "2:12+1 key 'name' is missing; it is a name\n"},
		{SERVICE "    prot: 25/tcp\n", "4:5+4 unknown key 'prot'; did you mean 'in'?\n"},
		{SERVICE "    ports: 25/tcp\n", "4:5+5 unknown key 'ports'; did you mean 'in'?\n"},
		{SERVICE "    protocol: tcp\n",
		 "4:5+8 unknown key 'protocol'; did you mean 'in'?\n"},
		{SERVICE "    source: x\n", "4:5+6 unknown key 'source'; did you mean 'from'?\n"},
		{SERVICE "    dest: x\n", "4:5+4 unknown key 'dest'; did you mean 'to'?\n"},
		{SERVICE "    from_port: x\n",
		 "4:5+9 unknown key 'from_port'; did you mean 'from-port'?\n"},
		{SERVICE "    fetaure: x\n",
		 "4:5+7 unknown key 'fetaure'; did you mean 'feature'?\n"},
		{SERVICE "    xyzzy: x\n", "4:5+5 unknown key 'xyzzy'\n"},
		{SERVICE "    configured-in: {path: x}\n",
		 "4:21+4 unknown key 'path'; did you mean 'file'?\n"},
		{"profile: p\nprofile: q\n",
		 "2:1+7 key 'profile' appears twice (first on line 1)\n"},
		{SERVICE "    title: a\n    note: b\n    title: c\n",
		 "6:5+5 key 'title' appears twice (first on line 4)\n"},
		{"profile: [p]\n", "1:10+1 'profile' is a list; write a name\n"},
		{"profile:\ntitle: x\n", "1:1+7 'profile' is empty; write a name\n"},
		{"profile: null\n", "1:10+4 'profile' is empty; write a name\n"},
		{"profile: 'null'\nservices: {name: x}\n",
		 "2:11+1 'services' is a mapping; write a list of services\n"},
		{"profile: p\nservices: []\n",
		 "2:11+1 'services' is an empty list; write a list of services\n"},
		{"profile: p\nservices: [smtp]\n",
		 "2:12+4 a service is a text; write a mapping of keys, as in 'name: smtp'\n"},
		{"profile: p\nservices:\n  -\n",
		 "3:3+1 a service is empty; write a mapping of keys, as in 'name: smtp'\n"},
		{"profile: p\nservices:\n  - name: s\n  - # a-b\n",
		 "4:3+1 a service is empty; write a mapping of keys, as in 'name: smtp'\n"},
		{SERVICE "    in: {port: 25}\n",
		 "4:9+1 'in' is a mapping; write a port or a list of ports\n"},
		{SERVICE "    in: []\n",
		 "4:9+1 'in' is an empty list; write a port or a list of ports\n"},
		{SERVICE "    from: []\n    in: 1/tcp\n",
		 "4:11+1 'from' is an empty list; write a group or a list of groups\n"},
		{SERVICE "    formerly: {}\n",
		 "4:15+1 'formerly' is an empty mapping; write name or feature\n"},
		{"profile: p\ninclude: []\n",
		 "2:10+1 'include' is an empty list; write a profile or a list of profiles\n"},
		{SERVICE "    fixed: yes\n", "4:12+3 'yes' is not a boolean; write true\n"},
		{SERVICE "    local: Off\n", "4:12+3 'Off' is not a boolean; write false\n"},
		{SERVICE "    dynamic: 'true'\n", "4:14+6 'true' is not a boolean; write true\n"},
		{SERVICE "    fixed: maybe\n",
		 "4:12+5 'maybe' is not a boolean; write true or false\n"},
	};

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

static void test_name_errors(void **state)
{
	static const struct mistake cases[] = {
		{"profile: Mail_Host\n",
		 "1:10+9 'Mail_Host' is not a profile name; write mail-host\n"},
		{"profile: ../etc\n",
		 "1:10+6 '../etc' is not a profile name; use only a-z, 0-9 and '-'\n"},
		{"profile: ''\n", "1:10+2 '' is not a profile name; use only a-z, 0-9 and '-'\n"},
		{"profile: a123456789b123456789c123456789d123456789e123456789f1234567891234\n",
		 "1:10+64 a profile name has at most 63 characters, 'a123456789b123456789c123456789d123456789e123456789f1234567891234' has 64\n"},
		{"profile: p\ninclude: p\n", "2:10+1 profile 'p' includes itself\n"},
		{"profile: p\ninclude: [a, b, a]\n",
		 "2:17+1 profile name 'a' appears twice (first on line 2)\n"},
		{"profile: p\ninclude: [a, [b], {c: d},]\n",
		 "2:14+1 a profile name is a list; write a name\n"
		 "2:19+1 a profile name is a mapping; write a name\n"},
		{"profile: p\nservices:\n  - name: a b\n",
		 "3:11+3 'a b' is not a service name; write a-b\n"},
		{"profile: p\nservices:\n  - name: s\n  - name: t\n  - name: s\n",
		 "5:11+1 service 's' appears twice (first on line 3)\n"},
		{"profile: p\nservices:\n  - name: s\n  - name: t\n    formerly: s\n",
		 "5:15+1 service 's' appears twice (first on line 3)\n"},
		{SERVICE "    in: 1/tcp\n    out: 1/tcp\n    from: anyone\n    to: [a, anyone]\n",
		 "6:5+4 anyone is not a group; without 'from' it is anyone\n"
		 "7:5+2 anyone is not a group; without 'to' it is anyone\n"},
		{"profile: site\n",
		 "1:10+4 the name 'site' is reserved for the ports that --open opens; choose another\n"},
		{SERVICE "    in: 1/tcp\n    from: [trusted, 'dns servers', trusted]\n",
		 "5:21+13 'dns servers' is not a group name; write dns-servers\n"
		 "5:36+7 group name 'trusted' appears twice (first on line 5)\n"},
		{SERVICE "    feature: \xc3\xbc\n",
		 "4:14+1 '\xc3\xbc' is not a feature name; use only a-z, 0-9 and '-'\n"},
		{SERVICE "    formerly: {feature: x}\n",
		 "4:5+8 'formerly' names a feature, but the service has none\n"},
	};

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

static void test_configured_in_errors(void **state)
{
	static const struct mistake cases[] = {
		{SERVICE "    configured-in: {}\n",
		 "4:20+1 'configured-in' is an empty mapping; write file with xpath, key or regex, or registry with value\n"},
		{SERVICE "    configured-in: {file: x}\n",
		 "4:21+4 'file' without 'xpath', 'key' or 'regex'; add the one that finds the number\n"},
		{SERVICE "    configured-in: {key: x}\n",
		 "4:21+3 'key' without 'file'; add 'file', where it is looked for\n"},
		{SERVICE "    configured-in: {file: x, xpath: /a, regex: (b)}\n",
		 "4:41+5 'regex' beside 'xpath': one of them finds the number; remove one\n"},
		{SERVICE "    configured-in: {file: x, key: a, registry: HKLM\\A, value: b}\n",
		 "4:38+8 'registry' beside 'file': the number is in one place; remove one\n"},
		{SERVICE "    configured-in: {registry: HKLM\\A}\n",
		 "4:21+8 'registry' without 'value'; add 'value', the name of the value in that key\n"},
		{SERVICE "    configured-in: {value: a}\n",
		 "4:21+5 'value' without 'registry'; add 'registry', the key that has it\n"},
		{SERVICE "    configured-in: {registry: SOFTWARE\\A, value: b}\n",
		 "4:31+10 'SOFTWARE\\A' is not a key of the registry; write it from its hive on, as in HKLM\\SOFTWARE\\Example\n"},
		{SERVICE "    configured-in: {registry: HKLM\\, value: b}\n",
		 "4:31+5 'HKLM\\' is not a key of the registry; write it from its hive on, as in HKLM\\SOFTWARE\\Example\n"},
		{SERVICE "    configured-in: {file: x, regex: '(a'}\n",
		 "4:37+4 '(a' is not an extended regular expression: Unmatched ( or \\(\n"},
		{SERVICE "    configured-in: {file: x, regex: a=b}\n",
		 "4:37+3 'a=b' has no group; put the number in parentheses, as in port=([0-9]+)\n"},
		{SERVICE "    configured-in: {file: x, regex: '[]{](a{2})'}\n",
		 "4:37+12 a regex here has no repetition counts; write + or *, and [{] for a brace\n"},
	};
	__free_text char *regex =
		repeat(SERVICE "    configured-in: {file: x, regex: ", "(", "}\n");
	__free_text char *counts =
		xasprintf(SERVICE "    configured-in: {file: x, regex: '%s'}\n",
			  "(((((((a{1,99}){1,99}){1,99}){1,99}){1,99}){1,99}){1,99})");
	double start = now();

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
	free(errors_in(regex, strlen(regex)));
	free(errors_in(counts, strlen(counts)));
	expect_fast("hostile expressions", start, 1);
}

static void test_list_errors(void **state)
{
	static const struct mistake cases[] = {
		{"profile: p\nas-of: 2021-02-29\n",
		 "2:8+10 '2021-02-29' is not a date; write it as 2021-08-06 or 2021-08\n"},
		{"profile: p\nas-of: 2021-13\n",
		 "2:8+7 '2021-13' is not a date; write it as 2021-08-06 or 2021-08\n"},
		{"profile: p\nas-of: 2021-12-32\n",
		 "2:8+10 '2021-12-32' is not a date; write it as 2021-08-06 or 2021-08\n"},
		{"profile: p\nas-of: 1/2/2021\n",
		 "2:8+8 '1/2/2021' is not a date; write it as 2021-08-06 or 2021-08\n"},
		{"profile: p\nurl: ftp://a\n",
		 "2:6+7 'ftp://a' is not a web address; write one, as in https://www.example.com/ports\n"},
		{"profile: p\nurl: https://a b\n",
		 "2:6+11 'https://a b' is not a web address; write one, as in https://www.example.com/ports\n"},
		{"profile: p\nurl: https://\n",
		 "2:6+8 'https://' is not a web address; write one, as in https://www.example.com/ports\n"},
		{"profile: p\nsecond-hand: yes\n", "2:14+3 'yes' is not a boolean; write true\n"},
		{"profile: p\ndate: 2021-08\n",
		 "2:1+4 unknown key 'date'; did you mean 'as-of'?\n"},
		{"profile: p\nversion: '8'\n",
		 "2:1+7 unknown key 'version'; did you mean 'release'?\n"},
	};

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

static void test_port_errors(void **state)
{
	static const struct mistake cases[] = {
		{SERVICE "    in: 70000/tcp\n", "4:9+9 port 70000 is out of range 1-65535\n"},
		{SERVICE "    in: 0/tcp\n", "4:9+5 port 0 is out of range 1-65535\n"},
		{SERVICE "    in: 99999999999999999999/tcp\n",
		 "4:9+24 port 99999999999999999999 is out of range 1-65535\n"},
		{SERVICE "    in: 1-65536/udp\n", "4:9+11 port 65536 is out of range 1-65535\n"},
		{SERVICE "    in: 25\n",
		 "4:9+2 '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp\n"},
		{SERVICE "    in: '5060/'\n",
		 "4:9+7 '5060/' has no protocol; write 5060/tcp, 5060/udp or 5060/tcp+udp\n"},
		{SERVICE "    in: 60099-60000/udp\n",
		 "4:9+15 range 60099-60000 is reversed; write 60000-60099\n"},
		{SERVICE "    in: 025/tcp\n", "4:9+7 port 025 has leading zeros; write 25\n"},
		{SERVICE "    in: 25/TCP\n", "4:9+6 unknown protocol 'TCP'; write 25/tcp\n"},
		{SERVICE "    in: 25/sctp\n",
		 "4:9+7 unknown protocol 'sctp'; a port is of tcp, udp or tcp+udp\n"},
		{SERVICE "    in: 25/tcp, 587/tcp\n",
		 "4:9+15 '25/tcp, 587/tcp' is not one port; write a list of ports: [25/tcp, 587/tcp]\n"},
		{SERVICE "    in: 25-/tcp\n",
		 "4:9+7 '25-/tcp' is not a port; write it as 25/tcp, 5060/tcp+udp or 60000-60099/udp\n"},
		{SERVICE "    in: imapss/tcp\n",
		 "4:9+10 unknown service name 'imapss'; did you mean 'imaps'?\n"},
		{SERVICE "    in: tftp/tcp\n",
		 "4:9+8 service 'tftp' is known with udp, but not with tcp; write tftp/udp or a number\n"},
		{SERVICE "    in: [[25/tcp], 26/tcp]\n",
		 "4:10+1 a port is a list; write it as 25/tcp\n"},
		{SERVICE "    in:\n      - 25/tcp\n      -\n",
		 "6:7+1 a port is empty; write it as 25/tcp\n"},
		{SERVICE "    in: [25/tcp, 26/tcp, 25/tcp]\n",
		 "4:26+6 port 25/tcp appears twice in this list\n"},
		{SERVICE "    in: [20-30/tcp+udp, 1/tcp, 25/tcp+udp]\n",
		 "4:32+10 port 25/tcp+udp overlaps 20-30/tcp+udp on line 4\n"},
		{SERVICE
		 "    in:\n      - 1-100/tcp\n      - 5/tcp\n      - 90/tcp\n      - 5/udp\n",
		 "6:9+5 port 5/tcp overlaps 1-100/tcp on line 5\n"
		 "7:9+6 port 90/tcp overlaps 1-100/tcp on line 5\n"},
		{SERVICE "    out: 1/tcp\n    from: trusted\n",
		 "5:5+4 'from' without 'in'; add 'in', the ports that it restricts\n"},
		{SERVICE "    in: 1/tcp\n    to: trusted\n",
		 "5:5+2 'to' without 'out'; add 'out', the ports that it restricts\n"},
		{SERVICE "    out: 1/tcp\n    from-port: 2/tcp\n",
		 "5:5+9 'from-port' without 'in'; add 'in', the ports that it restricts\n"},
		{SERVICE "    in: [25/tcp, 53/udp]\n    from-port: 67/udp\n",
		 "5:16+6 from-port has no tcp port, but in has 25/tcp; add one, or make it a service of its own\n"},
		{SERVICE "    in: 68/udp\n    from-port: [67/udp, 67/tcp]\n",
		 "5:16+1 from-port has 67/tcp, but in has no tcp port; add one, or leave it out of from-port\n"},
		{SERVICE "    in: 68/upd\n    from-port: 67/tcp\n",
		 "4:9+6 unknown protocol 'upd'; a port is of tcp, udp or tcp+udp\n"},
		{SERVICE "    dynamic: true\n    in: 1/tcp\n",
		 "4:5+7 'dynamic' means no fixed port, but 'in' has some; remove one\n"},
		{SERVICE "    dynamic: true\n    out: 1/tcp\n",
		 "4:5+7 'dynamic' means no fixed port, but 'out' has some; remove one\n"},
		{SERVICE "    dynamic: true\n    fixed: true\n",
		 "4:5+7 'dynamic' and 'fixed' contradict each other; remove one\n"},
		{SERVICE "    local: true\n",
		 "4:5+5 'local' without 'in'; add 'in', the ports that this host listens on\n"},
		{SERVICE "    local: true\n    in: 1/tcp\n    out: 1/tcp\n",
		 "4:5+5 'local' with 'out': it is for ports that this host listens on\n"},
	};

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

static void test_protocol_errors(void **state)
{
	static const struct mistake cases[] = {
		{"profile: p\noutbound: enforce\n",
		 "2:11+7 'outbound' of a profile must be any or none, not 'enforce'\n"},
		{"profile: p\noutbound: ''\n",
		 "2:11+2 'outbound' of a profile must be any or none, not ''\n"},
		{"profile: p\noutbound: [any]\n",
		 "2:11+1 'outbound' is a list; write any or none\n"},
		{"profile: p\negress: any\n",
		 "2:1+6 unknown key 'egress'; did you mean 'outbound'?\n"},
		{"profile: p\nprotocols: 6\n",
		 "2:12+1 protocol 6 (tcp) is filtered by port; list its ports under services\n"},
		{"profile: p\nprotocols: [udp]\n",
		 "2:13+3 protocol 17 (udp) is filtered by port; list its ports under services\n"},
		{"profile: p\nprotocols: [0, icmp, 2, 43, 44, 58, 60, 50]\n",
		 "2:13+1 protocol 0 (ip) is an IPv6 extension header, which every packet may have\n"
		 "2:16+4 protocol 1 (icmp) has rules of its own; remove it from this list\n"
		 "2:22+1 protocol 2 (igmp) has rules of its own; remove it from this list\n"
		 "2:25+2 protocol 43 (ipv6-route) is an IPv6 extension header, which every packet may have\n"
		 "2:29+2 protocol 44 (ipv6-frag) is an IPv6 extension header, which every packet may have\n"
		 "2:33+2 protocol 58 (ipv6-icmp) has rules of its own; remove it from this list\n"
		 "2:37+2 protocol 60 (ipv6-opts) is an IPv6 extension header, which every packet may have\n"},
		{"profile: p\nprotocols: [256, 99999999999]\n",
		 "2:13+3 protocol 256 is out of range 0-255\n"
		 "2:18+11 protocol 99999999999 is out of range 0-255\n"},
		{"profile: p\nprotocols: [esp, 50]\n", "2:18+2 protocol 50 (esp) appears twice\n"},
		{"profile: p\nprotocols: [ipencap, ipip]\n",
		 "2:22+4 'ipip' is protocol 94; for the ipip tunnels of Linux, protocol 4, write ipencap\n"},
		{"profile: p\nprotocols: vrpp\n",
		 "2:12+4 unknown IP protocol 'vrpp'; did you mean 'vrrp'?\n"},
		{"profile: p\nprotocols: zzzzzz\n",
		 "2:12+6 unknown IP protocol 'zzzzzz'; write a name as in esp, or a number\n"},
		{"profile: p\nprotocols: {esp: 1}\n",
		 "2:12+1 'protocols' is a mapping; write an IP protocol or a list of them\n"},
		{"profile: p\nprotocols: [[esp]]\n",
		 "2:13+1 a protocol is a list; write a name or a number\n"},
	};

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

/* One run reports all errors, in the order of the file, even those before a syntax error. */
static void test_all_errors(void **state)
{
	static const struct mistake cases[] = {
		{"profile: P\n"
		 "titel: x\n"
		 "services:\n"
		 "  - name: smtp\n"
		 "    prot: 25/tcp\n"
		 "    in: [70000/tcp, 25]\n"
		 "    fixed: yes\n"
		 "  - name: smtp\n"
		 "    in: 1/tcp\n"
		 "protocols: 6\n",
		 "1:10+1 'P' is not a profile name; write p\n"
		 "2:1+5 unknown key 'titel'; did you mean 'title'?\n"
		 "5:5+4 unknown key 'prot'; did you mean 'in'?\n"
		 "6:10+9 port 70000 is out of range 1-65535\n"
		 "6:21+2 '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp\n"
		 "7:12+3 'yes' is not a boolean; write true\n"
		 "8:11+4 service 'smtp' appears twice (first on line 4)\n"
		 "10:12+1 protocol 6 (tcp) is filtered by port; list its ports under services\n"},
		/* Keys that are missing after a syntax error are not reported. */
		{"services:\n  - name: s\n    in: 25\n  - name: t\n    title t\n    in: 26/tcp\nprofile: p\n",
		 "3:9+2 '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp\n"
		 "5:5+7 not valid YAML: could not find expected ':'\n"},
		{SERVICE "    in: 25\n    title s\n",
		 "4:9+2 '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp\n"
		 "5:5+7 not valid YAML: invalid value after mapping\n"},
		/* Nor is the item before an unclosed bracket, which includes the lines after it,
		 * reported as wrong. */
		{SERVICE "    out: [1/udp, 25/tcp\n  - name: t\n",
		 "4:10+1 not valid YAML: this '[' is not closed\n"},
		/* Tabs and characters of several bytes count as one column. */
		{SERVICE
		 "    title: \"\xc3\xa4\t\xe4\xb8\xad\xf0\x9f\x98\x80\"\t# \xc3\xa4\n    in: [ '\xc3\xa4',\t\t25 ]\n",
		 "5:11+3 '\xc3\xa4' is not a port; write it as 25/tcp, 5060/tcp+udp or 60000-60099/udp\n"
		 "5:17+2 '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp\n"},
	};

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

static void test_print_profile(void **state)
{
	static const char text[] = SERVICE "\n    in: 70000/tcp\n";
	struct profile *profile = NULL;
	struct diag diag = {0};

	(void)state;
	profile_parse("profiles/x.yaml", text, strlen(text), &profile, &diag);
	expect_said(&diag, "profiles/x.yaml:5:9: port 70000 is out of range 1-65535\n"
			   "    in: 70000/tcp\n"
			   "        ^~~~~~~~~\n");
}

/* Only a piece of a line of a megabyte is kept, with the caret at the right place. */
static void test_long_line(void **state)
{
	__free_text char *text = xcalloc(CATALOG_FILE_LIMIT, 1);
	struct profile *profile = NULL;
	struct diag diag = {0};
	char *end = stpcpy(text, SERVICE "    in: [");
	const char *at;

	(void)state;
	for (int i = 0; i < 10000; i++)
		end += sprintf(end, "%d/tcp, ", 20000 + i);
	strcpy(end, "70000/tcp]\n");
	assert_int_equal(profile_parse("x", text, strlen(text), &profile, &diag), -EINVAL);
	assert_int_equal(diag.count, 1);
	assert_int_equal(diag.entry[0].line, 4);
	assert_int_equal(diag.entry[0].column, 10 + 10000 * 11);
	at = diag.entry[0].source + diag.entry[0].column - diag.entry[0].source_column;
	assert_string_equal(at, "70000/tcp]");
	assert_true(strlen(diag.entry[0].source) < 1300);
	diag_free(&diag);
	/* The same if the whole line is wrong. */
	diag_error(&diag,
		   &(struct place){.file = "x",
				   .line = 1,
				   .column = (int)(end - text) + 1,
				   .width = 9,
				   .source = text,
				   .source_length = strlen(text)},
		   "wrong");
	at = diag.entry[0].source + diag.entry[0].column - diag.entry[0].source_column;
	assert_memory_equal(at, "70000/tcp]", 10);
	diag_free(&diag);
}

static void test_include_limit(void **state)
{
	__free_text char *text = xcalloc(10000, 1);
	char *end = stpcpy(text, "profile: p\ninclude: [");

	(void)state;
	for (int i = 0; i < 257; i++)
		end += sprintf(end, "i%d,", i);
	strcpy(end, "]\n");
	expect_mistakes(
		&(struct mistake){
			text, "2:10+1 a profile includes at most 256 others, this list has 257\n"},
		1);
}

static void test_file_limit(void **state)
{
	__free_text char *path = xasprintf("%s/a/big.yaml", root), *text = xcalloc(10 << 20, 1);
	struct profile *profile = NULL;
	struct diag diag = {0};

	(void)state;
	memset(text, '\n', (10 << 20) - 1);
	put("a/big.yaml", text);
	assert_int_equal(profile_read(path, &profile, &diag), -EFBIG);
	expect_said_of_files(
		&diag,
		"portcullis: ROOT/a/big.yaml: larger than 1048576 bytes, the limit for a profile\n");
	assert_int_equal(profile_read("/nonexistent", &profile, &diag), -ENOENT);
	expect_said(&diag, "portcullis: /nonexistent: No such file or directory\n");
	assert_int_equal(profile_read_partial("/nonexistent", &profile, &diag), -ENOENT);
	expect_said(&diag, "portcullis: /nonexistent: No such file or directory\n");
	assert_int_equal(profile_read(root, &profile, &diag), -EINVAL);
	expect_said_of_files(&diag, "portcullis: ROOT: not a regular file\n");
	assert_null(profile);
}

/*
 * A megabyte of each is refused or read at once. The first ones would take libfyaml minutes; most
 * others would overflow the stack of a recursive reader, or take a simple one quadratic time.
 */
static void test_hostile(void **state)
{
	static const char *const texts[][3] = {
		{"%", "x", ""},
		{"profile: p\ntitle: !<", "x", ""},
		{"profile: p\ntitle: !a!", "%41", ""},
		{"profile: p\ninclude:\n- ", "\t", ""},
		{"profile: p\ninclude:\n- ", "\t ", ""},
		{"profile: p\ntitle: >", "\n  ", ""},
		{"a: ", "[", ""},
		{"", "{a: ", ""},
		{"", "- ", ""},
		{"", "? ", ""},
		{"", ": ", ""},
		{"", "[", "]"},
		{"profile: p\ninclude: [", "a,", "]"},
		{"profile: p\nservices:\n", "- a\n", ""},
		{"profile: p\nservices:\n", "-\n", ""},
		{"profile: p\nservices: [", "{},", "]"},
		{SERVICE "    in: [", "25/tcp,", "]"},
		{SERVICE "    in: [", "1-65535/tcp+udp,", "]"},
		{SERVICE "    in: [", "nosuchname/tcp,", "]"},
		{SERVICE "    in: ", "9", ""},
		{SERVICE "    in: 25/", "a", ""},
		{"profile: p\nprotocols: [", "nosuch,", "]"},
		{"profile: ", "a", ""},
		{"profile: p\n", "x: y\n", ""},
		{"profile: p\n", "title: y\n", ""},
		{"profile: p\n", "&a ", ""},
		{"profile: p\ninclude: [", "*a ,", "]"},
		{"profile: p\ninclude: [", "!a b,", "]"},
		{"profile: p\ntitle: \"", "\\x1b", "\""},
		{"", "---\n", ""},
		{"", "\n", ""},
		{"", " ", ""},
		{"", "#", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		__free_text char *text = repeat(texts[i][0], texts[i][1], texts[i][2]);
		__free_text char *what = xasprintf("%zu", i);
		double start = now();
		__free_text char *errors = errors_in(text, strlen(text));

		assert_true(*errors);
		expect_fast(what, start, 10);
	}
}

static char *many_services(int services, const char *format)
{
	char *text = xcalloc(CATALOG_FILE_LIMIT, 1), *to = stpcpy(text, "profile: p\nservices:\n");

	for (int i = 1; i <= services; i++)
		to += sprintf(
			to,
			"  - name: %s%d\n    title: Service\n    in: %d/tcp\n    from: trusted\n",
			format, i, i);
	return text;
}

static void test_many_services(void **state)
{
	__free_text char *few = many_services(20, "s"), *many = many_services(4096, "s");
	__free_text char *most = many_services(14000, "s");
	struct profile *profile;
	double start = now();

	(void)state;
	profile_free(parse(few));
	expect_fast("20 services", start, 0.5);
	start = now();
	profile = parse(many);
	expect_fast("4096 services", start, 2);
	assert_int_equal(profile->services, 4096);
	expect_ports(&profile->service[4095].in, "4096/tcp");
	profile_free(profile);
	start = now();
	profile_free(parse(most));
	expect_fast("14000 services", start, 5);
}

/* Depth 32 is read, and its errors are reported; depth 33 is not read. */
static void test_depth(void **state)
{
	static const struct mistake cases[] = {
		{"profile: p\ninclude: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
		 "2:11+1 a profile name is a list; write a name\n"},
		{"profile: p\ninclude: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
		 "2:41+1 nested deeper than 32 levels\n"},
	};

	(void)state;
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_profile),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_yaml_errors),
		cmocka_unit_test(test_key_errors),
		cmocka_unit_test(test_name_errors),
		cmocka_unit_test(test_configured_in_errors),
		cmocka_unit_test(test_list_errors),
		cmocka_unit_test(test_port_errors),
		cmocka_unit_test(test_protocol_errors),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_print_profile),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_include_limit),
		cmocka_unit_test_setup_teardown(test_file_limit, make_root, remove_root),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_many_services),
		cmocka_unit_test(test_depth),
	};

	return cmocka_run_group_tests_name("catalog/profile", tests, NULL, NULL);
}
