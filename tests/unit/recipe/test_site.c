// SPDX-License-Identifier: GPL-2.0
/* The site file: what it may contain, every error with its place, limits. */
#include <errno.h>
#include <unistd.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/group.h"
#include "loader/recipe/recipe.h"
#include "loader/recipe/site.h"
#include "tests/unit/catalog/expect.h"
#include "tests/unit/expect.h"
#include "tests/unit/recipe/site_files.h"

struct mistake {
	const char *text;
	const char *errors; /* "LINE:COLUMN+WIDTH MESSAGE" a line */
};

static void expect_mistakes(const struct mistake *mistake, size_t mistakes)
{
	size_t wrong = 0;

	for (size_t i = 0; i < mistakes; i++) {
		const char *text = mistake[i].text;
		struct diag diag = {0};
		struct site site;
		int err = site_parse("site.yaml", text, strlen(text), &site, &diag);
		__free_text char *errors = places(&diag);

		assert_int_equal(err, *errors ? -EINVAL : 0);
		if (err) /* a half-read site is not returned */
			assert_true(!site.path && !site.interface && !site.groups.group);
		wrong += !expect_text(text, errors, mistake[i].errors);
		site_free(&site);
	}
	assert_int_equal(wrong, 0);
}

static void expect_group(const struct groups *groups, const char *name, const char *expected)
{
	const struct group *group = groups_find(groups, name);
	__cleanup(names_free) struct names names = {0};
	char text[PREFIX_TEXT];

	assert_non_null(group);
	for (size_t i = 0; i < group->prefixes; i++)
		names_add(&names, prefix_format(&group->prefix[i], text));
	expect_names(&names, expected);
}

/* `start`, then `unit` as often as fits into the limit, then `end`; "%" in `unit` is a number. */
static char *repeat(const char *start, const char *unit, const char *end)
{
	char *text = xcalloc(SITE_FILE_LIMIT + 1, 1), *to = stpcpy(text, start);
	const char *stop = text + SITE_FILE_LIMIT - strlen(end) - strlen(unit) - 8;

	for (unsigned int i = 0; to < stop; i++) {
		for (const char *c = unit; *c; c++) {
			if (*c == '%')
				to += sprintf(to, "%u", i);
			else
				*to++ = *c;
		}
	}
	strcpy(to, end);
	return text;
}

static void test_whole_site(void **state)
{
	__cleanup(site_free) struct site site = parse(
		"# a comment\n"
		"groups:\n"
		"  trusted: [2001:db8::/32, 192.0.2.0/24, 192.0.2.0/24]\n"
		"  client: 198.51.100.7\n"
		"management: [22/tcp, 8443/tcp]\n"
		"interfaces:\n"
		"  eth0:\n"
		"    profiles: [ssh, xeams]\n"
		"    enable: [imap, xeams:pop3-ssl]\n"
		"    disable: xeams:junk\n"
		"    from: {ssh:ssh: [trusted, client], xeams:smtp: trusted}\n"
		"    set: {ssh:ssh:in: 2222/tcp, ssh:ssh:out: 22/tcp, xeams:imap: [143/tcp, 144/tcp]}\n"
		"    observe: true\n"
		"    outbound: enforce\n"
		"    forward: true\n"
		"    echo-limit: 0\n"
		"    flows: 1024\n"
		"    mode: generic\n"
		"    confirm: 1m30s\n"
		"  \"br-lan.7\":\n"
		"    profiles: ssh\n"
		"    from: ['ssh:ssh=trusted,client']\n"
		"    set: ssh:ssh=2222/tcp\n");
	const struct site_interface *eth0 = site_interface(&site, "eth0");
	const struct site_interface *bridge = site_interface(&site, "br-lan.7");
	__free_text char *from = NULL, *set = NULL, *sets = NULL;

	(void)state;
	assert_string_equal(site.path, "site.yaml");
	assert_int_equal(site.interfaces, 2);
	assert_ptr_equal(eth0, &site.interface[0]);
	assert_null(site_interface(&site, "eth1"));
	expect_group(&site.groups, "trusted", "192.0.2.0/24 2001:db8::/32");
	expect_group(&site.groups, "client", "198.51.100.7/32");
	assert_true(site.management_given);
	expect_ports(&site.management, "22/tcp 8443/tcp");

	expect_names(&eth0->recipe.profiles, "ssh xeams");
	expect_names(&eth0->recipe.features, "imap xeams:pop3-ssl");
	expect_names(&eth0->recipe.disabled, "xeams:junk");
	expect_group(&eth0->recipe.groups, "trusted", "192.0.2.0/24 2001:db8::/32");
	assert_int_equal(eth0->recipe.froms, 2);
	from = override_from_text(&eth0->recipe.from[0]);
	assert_string_equal(from, "ssh:ssh=trusted,client");
	assert_int_equal(eth0->recipe.sets, 3);
	set = override_set_text(&eth0->recipe.set[2]);
	assert_string_equal(set, "xeams:imap=143-144/tcp");
	assert_int_equal(eth0->recipe.policy, PC_POLICY_OBSERVE);
	assert_int_equal(eth0->recipe.outbound, PC_OUTBOUND_ENFORCE);
	assert_true(eth0->recipe.forward);
	assert_int_equal(recipe_echo_limit(&eth0->recipe), 0);
	assert_int_equal(eth0->flows, 1024);
	assert_int_equal(eth0->mode, HOOK_GENERIC);
	assert_int_equal(eth0->confirm, 90);
	assert_int_equal(eth0->place.line, 7);

	/* A key that is missing has its default, as without any option. */
	assert_int_equal(bridge->recipe.froms, 1);
	expect_names(&bridge->recipe.from[0].groups, "trusted client");
	sets = override_set_text(&bridge->recipe.set[0]);
	assert_string_equal(sets, "ssh:ssh=2222/tcp");
	assert_int_equal(bridge->recipe.policy, PC_POLICY_ENFORCE);
	assert_int_equal(bridge->recipe.outbound, PC_OUTBOUND_TRACK);
	assert_false(bridge->recipe.forward);
	assert_int_equal(recipe_echo_limit(&bridge->recipe), ECHO_LIMIT_DEFAULT);
	assert_true(!bridge->flows && !bridge->confirm && bridge->mode == HOOK_AUTO);
}

static void test_little(void **state)
{
	static const char *const text[] = {
		"management: none",
		"groups: {a: ::/0}",
		"groups: {}\ninterfaces: {}",
		"\xef\xbb\xbfinterfaces:\r\n  eth0: {profiles: ssh}\r\n",
		"interfaces: {eth0: {profiles: [ssh], from: {}, set: {}, mode: native}}",
		"interfaces: {abcdefghijklmno: {profiles: ssh}, '1': {profiles: ssh}, \xc3\xb6: {profiles: ssh}}",
		"interfaces: {eth0: {profiles: a, set: {a:in: 1/tcp, a:b:in: 1/tcp, a:b:out: 1/tcp}}}",
		"interfaces: {}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		struct site site = parse(text[i]);

		assert_int_equal(site.management_given, i == 0);
		assert_int_equal(site.interfaces_given, i > 1);
		assert_int_equal(site.management.count, 0);
		site_free(&site);
	}
}

static void test_top_level(void **state)
{
	static const struct mistake mistake[] = {
		/* An empty file would mean: detach everything. */
		{"", "0:0+0 the file is empty\n"},
		{"# groups:\n", "0:0+0 the file is empty\n"},
		{"- eth0",
		 "1:1+1 a site file is a list; write a mapping of keys, as in 'groups:'\n"},
		{"eth0", "1:1+4 a site file is a text; write a mapping of keys, as in 'groups:'\n"},
		{"interface: {}\nadmin: none\nprofile: x\n",
		 "1:1+9 unknown key 'interface'; did you mean 'interfaces'?\n"
		 "2:1+5 unknown key 'admin'; did you mean 'management'?\n"
		 "3:1+7 unknown key 'profile'\n"},
		{"groups: {}\ngroups: {}\n",
		 "2:1+6 key 'groups' appears twice (first on line 1)\n"},
		{"groups:\ninterfaces: []\nmanagement: {}\n",
		 "1:1+6 'groups' is empty; write a mapping of names, as in 'trusted: 192.0.2.0/24'\n"
		 "2:13+1 'interfaces' is an empty list; write a mapping of interfaces, as in 'eth0: {profiles: ssh}'\n"
		 "3:13+1 'management' is a mapping; write a port or a list of ports, or none\n"},
		{"management: [none]\n",
		 "1:14+4 'none' has no protocol; write none/tcp, none/udp or none/tcp+udp\n"},
		{"management: [22/tcp, 70000/tcp, 22/tcp]\n",
		 "1:22+9 port 70000 is out of range 1-65535\n"
		 "1:33+6 port 22/tcp appears twice in this list\n"},
		{"groups: &a {}\ninterfaces: *a\n",
		 "1:9+2 anchors are not part of this language\n"
		 "2:13+2 aliases are not part of this language\n"},
	};

	(void)state;
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

static void test_groups(void **state)
{
	static const struct mistake mistake[] = {
		{"groups:\n  Trusted: 10.0.0.0/8\n",
		 "2:3+7 'Trusted' is not a group name; write trusted\n"},
		{"groups:\n  link-local: 10.0.0.0/8\n",
		 "2:3+10 the group link-local is built in and cannot be defined\n"},
		{"groups:\n  a: 10.1.2.3/8\n  b: [::1, 10.0.0.0/33, x]\n",
		 "2:6+10 10.1.2.3/8 has host bits set; write 10.0.0.0/8\n"
		 "3:12+11 '10.0.0.0/33' must end in a prefix length from 0 to 32 after '/'\n"
		 "3:25+1 'x' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)\n"},
		{"groups:\n  a: ::1\n  b: ::1\n  a: ::1\n",
		 "4:3+1 group 'a' appears twice (first on line 2)\n"},
		{"groups:\n  a:\n  b: []\n  c: {d: ::1}\n",
		 "2:3+1 'a' is empty; write a prefix, '@FILE', 'dns:HOST', or a list of them\n"
		 "4:6+1 'c' is a mapping; write a prefix, '@FILE', 'dns:HOST', or a list of them\n"},
		{"groups:\n  anyone: ::/0\n  a: 'dns:Home.example.org.'\n  b: [::1, 'dns:x', ::g]\n  c: 'dns:192.0.2.1'\n",
		 "2:3+6 the group anyone is built in and cannot be defined\n"
		 "4:12+7 'dns:x' must be a full name, with its domain (example: dns:mail.example.org; letters beyond ASCII as xn--...)\n"
		 "4:21+3 '::g' is not a valid IPv4 or IPv6 prefix (example: 192.0.2.0/24)\n"
		 "5:6+15 'dns:192.0.2.1' must be a full name, with its domain (example: dns:mail.example.org; letters beyond ASCII as xn--...)\n"},
		{"groups:\n  a: ::1, ::2\n  b: [[::1]]\n",
		 "2:6+8 '::1, ::2' is more than one prefix; write a list: [::1, ::2]\n"
		 "3:7+1 a prefix is a list; write it as 192.0.2.0/24\n"},
		{"groups:\n  a: '@'\n  b: '@/nowhere'\n  c: ['@/nowhere']\n  d: '@/dev/zero'\n",
		 "2:6+3 '@' must be followed by a file; write '@FILE'\n"
		 "3:6+11 b: cannot read '/nowhere': No such file or directory\n"
		 "4:7+11 c: cannot read '/nowhere': No such file or directory\n"
		 "5:6+12 refused: others can write /dev/zero (mode 0666); to fix it: chmod go-w /dev/zero\n"},
		{"groups:\n  a: @file\n",
		 "2:6+1 not valid YAML: put a value that begins with '@' in quotes: '@FILE'\n"},
		{"groups:\n  ? [a]\n  : ::1\n", "2:5+1 a group name is a list; write a name\n"},
	};

	(void)state;
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

static void test_deny(void **state)
{
	static const char groups[] = "groups: {a: 10.0.0.0/8, b: '::1', c: []}\n";
	__free_text char *good = xasprintf("%sdeny: [a, c]\nnever-ban: b\n" ETH0, groups);
	__cleanup(site_free) struct site site = parse(good);
	static const struct mistake cases[] = {
		{"groups: {a: 10.0.0.0/8}\ndeny: [a, x]\n" ETH0,
		 "2:11+1 deny: the group 'x' is not defined; define it under groups:\n"},
		{"groups: {a: 10.0.0.0/8}\nnever-ban: [x]\n" ETH0,
		 "2:13+1 never-ban: the group 'x' is not defined; define it under groups:\n"},
		{"deny: link-local\n" ETH0,
		 "1:7+10 deny: link-local is built in; name groups of the file\n"},
		{"deny: anyone\n" ETH0,
		 "1:7+6 deny: anyone is built in; name groups of the file\n"},
		{"groups: {a: 10.0.0.0/8}\ndeny: a\nnever-ban: a\n" ETH0,
		 "2:7+1 the group 'a' is in deny and in never-ban\n"},
		{"groups: {a: 10.0.0.0/8}\ndeny: [a, a]\n" ETH0,
		 "2:11+1 group name 'a' appears twice (first on line 2)\n"},
	};

	(void)state;
	expect_names(&site.deny, "a c");
	expect_names(&site.never_ban, "b");
	expect_mistakes(cases, ARRAY_SIZE(cases));
}

static void test_interfaces(void **state)
{
	static const struct mistake mistake[] = {
		{"interfaces:\n  eth0:\n  eth1: ssh\n  eth2: {}\n",
		 "2:3+4 'eth0' is empty; write a mapping of keys, as in 'profiles: ssh'\n"
		 "3:9+3 'eth1' is a text; write a mapping of keys, as in 'profiles: ssh'\n"
		 "4:9+1 key 'profiles' is missing; it is a profile or a list of profiles\n"},
		{"interfaces:\n  eth0: {profiles: a}\n  eth1: {profiles: a}\n  'eth0': {profiles: a}\n",
		 "4:3+6 interface 'eth0' appears twice (first on line 2)\n"},
		{"interfaces:\n  abcdefghijklmnop: {profiles: a}\n",
		 "2:3+16 the name of an interface has at most 15 bytes, 'abcdefghijklmnop' has 16\n"},
		{"interfaces:\n  a/b: {profiles: a}\n  '..': {profiles: a}\n  '.': {profiles: a}\n"
		 "  '': {profiles: a}\n  a b: {profiles: a}\n  'a:1': {profiles: a}\n  \"a\\tb\": {profiles: a}\n",
		 "2:3+3 'a/b' cannot be the name of an interface\n"
		 "3:3+4 '..' cannot be the name of an interface\n"
		 "4:3+3 '.' cannot be the name of an interface\n"
		 "5:3+2 '' cannot be the name of an interface\n"
		 "6:3+3 'a b' cannot be the name of an interface\n"
		 "7:3+5 'a:1' cannot be the name of an interface\n"
		 "8:3+6 'a?b' cannot be the name of an interface\n"},
		{"interfaces:\n  \"a\\eb\": {profiles: a}\n",
		 "2:3+6 control character U+001B in a text\n"},
		{"interfaces:\n  <<: {profiles: a}\n",
		 "2:3+2 merge keys are not part of this language\n"},
		{"interfaces:\n  ~: {profiles: a}\n",
		 "2:3+1 a key is empty; write the name of an interface\n"},
	};

	(void)state;
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

/* The entry that each interface gets: "eth0=eth0 eth1=eth*". */
static void expect_taken(struct site *site, const char *expected)
{
	__cleanup(names_free) struct names taken = {0};

	for (size_t i = 0; i < site->interfaces; i++) {
		const struct site_interface *one = &site->interface[i];
		__free_text char *text = xasprintf("%s=%s%s", one->name,
						   one->pattern ? one->pattern->name : one->name,
						   one->wrong ? "!" : "");

		names_add(&taken, text);
	}
	expect_names(&taken, expected);
}

static void test_patterns(void **state)
{
	static const struct mistake mistake[] = {
		{"interfaces:\n  'e*': {profiles: a}\n  'e*': {profiles: b}\n  'a/*': {profiles: a}\n",
		 "3:3+4 interface 'e*' appears twice (first on line 2)\n"
		 "4:3+5 'a/*' cannot be the name of an interface\n"},
		{"interfaces:\n  '*0123456789012345678901234567890123456789012345678901234567890123': {profiles: a}\n",
		 "2:3+67 a pattern has at most 63 bytes, '*0123456789012345678901234567890123456789012345678901234567890123' has 65\n"},
	};
	const struct names present = {
		.name = (char *[]){"eth0", "eth1", "enp1s0", "enp2s0", "br0", "e"}, .count = 6};
	__cleanup(site_free) struct site site = parse("interfaces:\n"
						      "  'eth*': {profiles: a}\n"
						      "  eth0: {profiles: b}\n"
						      "  'enp[0-9]s?': {profiles: c}\n"
						      "  'en*2*': {profiles: d}\n"
						      "  'wl*': {profiles: a}\n");
	__cleanup(diag_free) struct diag diag = {0};
	__free_text char *said_text = NULL;

	(void)state;
	assert_int_equal(site.patterns, 4);
	assert_int_equal(site.interfaces, 1);
	site_expand(&site, &present, &diag);
	said_text = places(&diag);
	assert_string_equal(
		said_text,
		"5:3+7 'enp[0-9]s?' and 'en*2*' both match enp2s0; write enp2s0 as a key of its own\n");
	expect_taken(&site, "eth0=eth0 eth1=eth* enp1s0=enp[0-9]s? enp2s0=enp[0-9]s?!");
	/* A second call adds nothing. */
	site_expand(&site, &present, &diag);
	assert_int_equal(site.interfaces, 4);
	site_warn_unmatched(&site, &diag);
	free(said_text);
	said_text = places(&diag);
	assert_string_equal(said_text, "5:3+7 warning: 'en*2*' matches no interface\n"
				       "6:3+5 warning: 'wl*' matches no interface\n");
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

static void test_settings(void **state)
{
	static const struct mistake mistake[] = {
		{ETH0 "    profile: a\n    echo_limit: 1\n    policy: observe\n    enforce:\n",
		 "4:5+7 unknown key 'profile'; did you mean 'profiles'?\n"
		 "5:5+10 unknown key 'echo_limit'; did you mean 'echo-limit'?\n"
		 "6:5+6 unknown key 'policy'; an interface enforces unless it has 'observe: true'\n"
		 "7:5+7 unknown key 'enforce'; an interface enforces unless it has 'observe: true'\n"},
		{ETH0
		 "    observe: yes\n    forward: 'true'\n    outbound: on\n    mode: offload\n",
		 "4:14+3 'yes' is not a boolean; write true\n"
		 "5:14+6 'true' is in quotes; write it without quotes\n"
		 "6:15+2 'on' is not valid here; write track or enforce\n"
		 "7:11+7 'offload' is not valid here; write native or generic\n"},
		{ETH0 "    enforce: true\n    observe: 'no'\n",
		 "4:5+7 unknown key 'enforce'; an interface enforces unless it has 'observe: true'\n"
		 "5:14+4 'no' is not a boolean; write false\n"},
		{ETH0 "    flows: 0\n    echo-limit: 1000001\n    confirm: 86401\n",
		 "4:12+1 0 is out of range 1-16777216\n"
		 "5:17+7 1000001 is out of range 0-1000000\n"
		 "6:14+5 86401 is out of range 1-86400\n"},
		{ETH0 "    flows: 99999999999999999999\n    echo-limit: 0100\n    confirm: '60'\n",
		 "4:12+20 99999999999999999999 is out of range 1-16777216\n"
		 "5:17+4 '0100' is not a plain number; write it without leading zeros\n"
		 "6:14+4 '60' is not a plain number; write it without quotes\n"},
		{ETH0 "    flows: -1\n    echo-limit: 1e3\n    confirm: 60x\n",
		 "4:12+2 '-1' is not a number; write one from 1 to 16777216\n"
		 "5:17+3 '1e3' is not a number; write one from 0 to 1000000\n"
		 "6:14+3 '60x' is not valid here; write a time of 1 to 86400 seconds, as in 90, 10m or 1h30m\n"},
		{ETH0 "    confirm: 2d\n",
		 "4:14+2 '2d' is not valid here; write a time of 1 to 86400 seconds, as in 90, 10m or 1h30m\n"},
		{ETH0 "    flows:\n    confirm: [1]\n    mode:\n",
		 "4:5+5 'flows' is empty; write a number\n"
		 "5:14+1 'confirm' is a list; write a time, as in 90, 10m or 1h30m\n"
		 "6:5+4 'mode' is empty; write native or generic\n"},
	};

	(void)state;
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

/* Ports that an interface opens, in each form. */
static void test_opening(void **state)
{
	static const struct {
		const char *open, *words;
	} cases[] = {
		{"587/tcp", "587/tcp"},
		{"587/tcp=a,b", "587/tcp=a,b"},
		{"[587/tcp, 5060/tcp+udp, 60000-60099/udp=a]",
		 "587/tcp 5060/tcp 5060/udp 60000-60099/udp=a"},
		{"{587/tcp: anyone, submissions/tcp: a, 5060/udp+tcp: [a, b]}",
		 "587/tcp 465/tcp=a 5060/tcp=a,b 5060/udp=a,b"},
		{"{8443/tcp: {from: [a, b], comment: Grüße}, 1/udp: {comment: CHG-1}}",
		 "8443/tcp=a,b#Grüße 1/udp#CHG-1"},
	};
	static const struct mistake mistake[] = {
		{ETH0 "    open: [587/tcp, submission/tcp, 5, {a: b}, 6/tcp=, 7/tcp=A]\n",
		 "4:21+14 '587/tcp' appears twice (first on line 4)\n"
		 "4:37+1 '5' has no protocol; write 5/tcp, 5/udp or 5/tcp+udp\n"
		 "4:40+1 an item is a mapping; write a port, as in 587/tcp\n"
		 "4:48+6 '6/tcp=' has no group; write 6/tcp for anyone, or 6/tcp=GROUP[,GROUP]\n"
		 "4:56+7 'A' is not a group name; use only a-z, 0-9 and '-', at most 63 characters\n"},
		{ETH0
		 "    open: {1/tcp: , 2/tcp: {}, 3/tcp: {form: a}, 4/tcp=a: b, [5]: a, 6/tcp: []}\n",
		 "4:12+5 '1/tcp' is empty; write a group, a list of groups, anyone, or a mapping of from and comment\n"
		 "4:28+1 '2/tcp' is an empty mapping; write a group, a list of groups, anyone, or a mapping of from and comment\n"
		 "4:40+4 unknown key 'form'; did you mean 'from'?\n"
		 "4:50+7 a key is not a port; write a port, as in 587/tcp\n"
		 "4:62+1 a key is a list; write a port, as in 587/tcp\n"
		 "4:77+1 '6/tcp' is an empty list; write a group, a list of groups, anyone, or a mapping of from and comment\n"},
		{ETH0
		 "    open: {1/tcp: [anyone, a], 2/tcp+udp: a, 2/udp: b, 3/tcp: {comment: \"a\\tb\"}}\n",
		 "4:12+5 'anyone,a': anyone includes every group; write anyone alone\n"
		 "4:46+5 '2/udp' appears twice (first on line 4)\n"
		 "4:73+6 a comment must be one line of printable text, at most 200 bytes\n"},
		{ETH0 "    open:\n",
		 "4:5+4 'open' is empty; write a port, a list of ports, or a mapping, as in '587/tcp: trusted'\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *text = xasprintf(ETH0 "    open: %s\n", cases[i].open);
		__cleanup(site_free) struct site site = parse(text);
		const struct opens *opens = &site.interface[0].recipe.opens;
		__cleanup(names_free) struct names words = {0};

		for (size_t j = 0; j < opens->count; j++) {
			const char *comment = opens->port[j].comment;
			__free_text char *word = open_port_text(&opens->port[j]), *all = NULL;

			all = xasprintf("%s%s%s", word, comment ? "#" : "", comment ?: "");
			names_add(&words, all);
		}
		expect_names(&words, cases[i].words);
	}
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

static void test_words(void **state)
{
	static const struct mistake mistake[] = {
		{"interfaces: {eth0: {profiles: [ssh, SSH, ssh, [a]]}}",
		 "1:37+3 'SSH' is not a profile name; write ssh\n"
		 "1:42+3 profile name 'ssh' appears twice (first on line 1)\n"
		 "1:47+1 a profile name is a list; write a name\n"},
		{ETH0
		 "    enable: [imap, a:imap, imap, Imap, [x]]\n    disable: [a:b, smtp, a:b]\n",
		 "4:28+4 'imap' appears twice (first on line 4)\n"
		 "4:34+4 'Imap' is not a feature name; use only a-z, 0-9 and '-', at most 63 characters\n"
		 "4:40+1 an item is a list; write a feature\n"
		 "5:20+4 'smtp' does not name a service; write PROFILE:SERVICE\n"
		 "5:26+3 'a:b' appears twice (first on line 5)\n"},
		{ETH0 "    from: {ssh: a, ssh:ssh: Trusted, a:b: [], a:c: , 'a:d=x': y, A:b: x}\n",
		 "4:12+3 'ssh' does not name a service; write PROFILE:SERVICE\n"
		 "4:29+7 'Trusted' is not a group name; write trusted\n"
		 "4:43+1 'a:b' is an empty list; write a group or a list of groups\n"
		 "4:47+3 'a:c' is empty; write a group or a list of groups\n"
		 "4:54+7 'a:d=x' does not name a service; write PROFILE:SERVICE\n"
		 "4:66+3 'A' is not a profile name; use only a-z, 0-9 and '-', at most 63 characters\n"},
		{ETH0 "    from: {a:b: [x, x]}\n    set: {a:b: [1/tcp, 1/tcp]}\n",
		 "4:21+1 group name 'x' appears twice (first on line 4)\n"
		 "5:24+5 port 1/tcp appears twice in this list\n"},
		{ETH0 "    from: ['a:b', 'a:b=', 'a:b=x', 'a:b=y', 'b=x', {a: b}]\n",
		 "4:12+5 'a:b' has no group; write {a:b: GROUP}, or a:b=GROUP\n"
		 "4:19+6 'a:b=' has no group; write {a:b: GROUP}, or a:b=GROUP\n"
		 "4:36+7 'a:b' appears twice (first on line 4)\n"
		 "4:45+5 'b=x' does not name a service; write PROFILE:SERVICE\n"
		 "4:52+1 an item is a mapping; write PROFILE:SERVICE=GROUP\n"},
		{ETH0 "    set: {a:b: 25, a:c: {d: e}, a:d:up: 1/tcp, [x]: 1/tcp}\n",
		 "4:16+2 '25' has no protocol; write 25/tcp, 25/udp or 25/tcp+udp\n"
		 "4:25+1 'a:c' is a mapping; write a port or a list of ports\n"
		 "4:33+6 'up' is not a direction; write in or out\n"
		 "4:48+1 a key is a list; write PROFILE:SERVICE\n"},
		{ETH0 "    set: {a:b:in: 1/tcp, a:b: 2/tcp}\n    disable: a:c\n",
		 "4:26+3 'a:b' appears twice (first on line 4)\n"},
		{ETH0 "    set: {a:b:in: 1/tcp, a:b:in: 2/tcp}\n",
		 "4:26+6 'a:b' appears twice (first on line 4)\n"},
		{ETH0 "    set: ['a:b=1/tcp,70000/tcp', 'a:b']\n",
		 "4:11+21 a:b: port 70000 is out of range 1-65535\n"
		 "4:34+5 'a:b' has no ports; write {a:b: PORTS}, or a:b=PORTS\n"},
		{ETH0 "    from: ssh:ssh\n    set: a:b:in=\n",
		 "4:11+7 'ssh:ssh' has no group; write {ssh:ssh: GROUP}, or ssh:ssh=GROUP\n"
		 "5:10+7 'a:b:in=' has no ports; write {a:b:in: PORTS}, or a:b:in=PORTS\n"},
		{ETH0 "    from: trusted\n    set: [22/tcp]\n",
		 "4:11+7 'trusted' does not name a service; write {PROFILE:SERVICE: GROUP}\n"
		 "5:11+6 '22/tcp' does not name a service; write {PROFILE:SERVICE: PORTS}\n"},
	};

	(void)state;
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

/* If the file breaks off, only that is reported, not the keys that are missing after it. */
/* A machine's keys, from line 5 and column 10 on. */
#define MAIL ETH0 "    machines:\n      m: {address: 10.0.0.1, profiles: ssh"

static void test_machines(void **state)
{
	static const struct mistake mistakes[] = {
		{MAIL "}\n", ""},
		{MAIL ", observe: true, outbound: enforce, groups: {g: 10.0.0.0/8, h: []}}\n", ""},
		{ETH0 "    machines: {}\n", ""},
		{ETH0 "    machines: []\n",
		 "4:15+1 'machines' is an empty list; write a mapping of names, as in 'mail: {address: 192.0.2.1, profiles: ssh}'\n"},
		{ETH0 "    machines: {Mail: {address: ::1, profiles: ssh}}\n",
		 "4:16+4 'Mail' is not a machine name; write mail\n"},
		{ETH0 "    machines: {m: 10.0.0.1}\n",
		 "4:19+8 'm' is a text; write a mapping of keys, as in '{address: 192.0.2.10, profiles: ssh}'\n"},
		{ETH0 "    machines: {m: {adress: 10.0.0.1, profiles: ssh}}\n",
		 "4:19+1 key 'address' is missing; it is an address or prefix, or a list of them, as in 192.0.2.10\n"
		 "4:20+6 unknown key 'adress'; did you mean 'address'?\n"},
		{ETH0 "    machines: {m: {address: 10.0.0.1}}\n",
		 "4:19+1 key 'profiles' is missing; it is a profile or a list of profiles\n"},
		{MAIL ", forward: true}\n", "5:45+7 unknown key 'forward'\n"},
		{MAIL ", policy: observe}\n",
		 "5:45+6 unknown key 'policy'; a machine enforces unless it has 'observe: true'\n"},
		{MAIL ", machines: {n: {}}}\n",
		 "5:45+8 a machine has no machines; write them side by side under the interface\n"},
		{MAIL "}\n      m: {address: 10.0.0.2, profiles: ssh}\n",
		 "6:7+1 machine 'm' appears twice (first on line 5)\n"},
		{MAIL "}\n      n: {address: [10.0.0.2, 10.0.0.1/32], profiles: ssh}\n",
		 "6:31+11 '10.0.0.1/32' is an address of machine 'm' already (line 5)\n"},
		{ETH0 "    machines: {m: {address: [::2, ::2], profiles: ssh}}\n",
		 "4:35+3 '::2' appears twice (first on line 4)\n"},
		{ETH0
		 "    machines: {m: {address: [10.0.0.1/8, 0.0.0.0/0, 127.0.0.1, 'ff02::/16', '::/0', [a]], profiles: ssh}}\n",
		 "4:30+10 10.0.0.1/8 has host bits set; write 10.0.0.0/8\n"
		 "4:42+9 0.0.0.0/0 is every address; write the networks of the machine\n"
		 "4:53+9 no machine can have 127.0.0.1/32: it is in 127.0.0.0/8\n"
		 "4:64+11 no machine can have ff02::/16: it is in ff00::/8\n"
		 "4:77+6 ::/0 is every address; write the networks of the machine\n"
		 "4:85+1 an address is a list; write it as 192.0.2.10\n"},
		{MAIL ", groups: {Mgmt: ::1, g: 10.0.0.1/8}}\n",
		 "5:54+4 'Mgmt' is not a group name; write mgmt\n"
		 "5:68+10 10.0.0.1/8 has host bits set; write 10.0.0.0/8\n"},
		{ETH0 "    groups: {g: 10.0.0.1/8}\n",
		 "4:17+10 10.0.0.1/8 has host bits set; write 10.0.0.0/8\n"},
	};

	(void)state;
	expect_mistakes(mistakes, ARRAY_SIZE(mistakes));
}

/* Groups of a machine hide those of its interface, and these those of the file. */
static void test_scopes(void **state)
{
	__cleanup(site_free) struct site site = parse(
		"groups: {a: 10.0.0.0/8, b: 11.0.0.0/8, c: 12.0.0.0/8}\n" ETH0
		"    observe: true\n    groups: {b: 21.0.0.0/8}\n    machines:\n"
		"      m: {address: [10.0.0.1, 2001:db8::/64], profiles: [ssh, shop], groups: {c: 31.0.0.0/8}, enable: mta, open: {3389/tcp: a}}\n"
		"      n: {address: 10.0.0.2, profiles: ssh, observe: false, outbound: enforce}\n"
		"  eth1: {profiles: ssh}\n");
	const struct recipe *eth0 = &site_interface(&site, "eth0")->recipe;
	const struct recipe *eth1 = &site_interface(&site, "eth1")->recipe;
	const struct machine *m = &eth0->machine[0], *n = &eth0->machine[1];

	(void)state;
	expect_group(&eth0->groups, "a", "10.0.0.0/8");
	expect_group(&eth0->groups, "b", "21.0.0.0/8");
	expect_group(&eth0->groups, "c", "12.0.0.0/8");
	expect_group(&eth1->groups, "b", "11.0.0.0/8");
	expect_group(&m->own.groups, "c", "31.0.0.0/8");
	assert_int_equal(m->own.groups.count, 1);
	assert_int_equal(eth0->machines, 2);
	assert_string_equal(m->name, "m");
	assert_int_equal(m->addresses, 2);
	expect_names(&m->own.profiles, "ssh shop");
	expect_names(&m->own.features, "mta");
	assert_int_equal(m->own.opens.count, 1);
	assert_int_equal(m->own.policy, PC_POLICY_OBSERVE);
	assert_int_equal(n->own.policy, PC_POLICY_ENFORCE);
	assert_int_equal(m->own.outbound, PC_OUTBOUND_TRACK);
	assert_int_equal(n->own.outbound, PC_OUTBOUND_ENFORCE);
	assert_false(m->policy_given);
	assert_true(n->policy_given);
}

/* Any number of prefixes is read in limited time. */
static void test_many_machines(void **state)
{
	__free_text char *text =
		repeat(ETH0 "    machines:\n", "      m%: {address: '::%', profiles: ssh}\n", "");
	__cleanup(diag_free) struct diag diag = {};
	__cleanup(site_free) struct site site = {};
	double start = now();

	(void)state;
	assert_int_equal(-EINVAL, site_parse("site.yaml", text, strlen(text), &site, &diag));
	assert_non_null(strstr(diag.entry[0].message, "there are at most 2048 machines"));
	expect_fast("many machines", start, 2);
}

static void test_cut(void **state)
{
	static const struct mistake mistake[] = {
		{"interfaces: {eth0: {", "1:20+1 not valid YAML: this '{' is not closed\n"},
		{"interfaces: {eth0: {profiles: [ssh, sh",
		 "1:31+1 not valid YAML: this '[' is not closed\n"},
		{"interfaces: {eth0: {profiles: a, from: {a:b: [tr",
		 "1:46+1 not valid YAML: this '[' is not closed\n"},
		{"groups: {a: [10.0", "1:13+1 not valid YAML: this '[' is not closed\n"},
		/* No part could be read, so nothing is checked. */
		{"groups:\n  trusted: [", "2:12+1 not valid YAML: this '[' is not closed\n"},
	};

	(void)state;
	expect_mistakes(mistake, ARRAY_SIZE(mistake));
}

static void expect_bounded(const char *what, char *text, const char *expected)
{
	double start = now();
	struct diag diag = {0};
	struct site site;

	site_parse("site.yaml", text, strlen(text), &site, &diag);
	if (expected) {
		assert_true(diag.count >= 1);
		assert_memory_equal(diag.entry[0].message, expected, strlen(expected));
	}
	expect_fast(what, start, 30);
	diag_free(&diag);
	site_free(&site);
	free(text);
}

static void test_bounds(void **state)
{
	(void)state;
	expect_bounded("groups", repeat("groups:\n", "  a%: ::/0\n", ""),
		       "there are at most 1024 groups, not ");
	expect_bounded("interfaces", repeat("interfaces:\n", "  a%: {profiles: b}\n", ""),
		       "there are at most 1024 interfaces, not ");
	expect_bounded("features", repeat(ETH0 "    enable: [", "a%, ", "a]\n"),
		       "there are at most 1024 words here, not ");
	expect_bounded("sets", repeat(ETH0 "    set: {", "a:b%: 1/tcp, ", "a:b: 1/tcp}\n"),
		       "there are at most 1024 words here, not ");
	expect_bounded("groups of one service", repeat(ETH0 "    from: {a:b: [", "g%, ", "g]}\n"),
		       "there are at most 1024 words here, not ");
	expect_bounded("one from", repeat(ETH0 "    from: ['a:b=", "g%,", "g']\n"),
		       "there are at most 1024 words here, not ");
	expect_bounded("opens", repeat(ETH0 "    open: {", "%/tcp: a, ", "1/tcp: b}\n"),
		       "there are at most 1024 words here, not ");
	expect_bounded("one open", repeat(ETH0 "    open: '", "%/tcp,", "1/tcp=a'\n"), NULL);
	expect_bounded("one set", repeat(ETH0 "    set: ['a:b=", "%/tcp,", "1/tcp']\n"), NULL);
	expect_bounded("ports", repeat(ETH0 "    set: {a:b: [", "%/tcp, ", "1/tcp]}\n"), NULL);
	expect_bounded("management", repeat("management: [", "%/tcp, ", "1/tcp]\n"), NULL);
	expect_bounded("prefixes", repeat("groups: {a: [", "10.0.%.1, ", "::1]}\n"), NULL);
}

/* The limit is on the number of words, not on their size. */
static void test_long_words(void **state)
{
	__free_text char *text = xstrdup(ETH0 "    from: ['a:b=");
	struct site site;

	(void)state;
	for (int i = 0; i < 60; i++) {
		char *longer =
			xasprintf("%s%sa-group-with-a-very-long-name-%d", text, i ? "," : "", i);

		free(text);
		text = longer;
	}
	{
		char *longer = xasprintf("%s']\n", text);

		free(text);
		text = longer;
	}
	site = parse(text);
	assert_int_equal(site.interface[0].recipe.from[0].groups.count, 60);
	site_free(&site);
}

static void test_group_files(void **state)
{
	__free_text char *path = xasprintf("%s/site.yaml", folder);
	__free_text char *bad =
		xasprintf("%s/wrong:2:1: 10.1.2.3/8 has host bits set; write 10.0.0.0/8\n"
			  "10.1.2.3/8\n^~~~~~~~~~\n",
			  folder);
	__free_text char *none = xasprintf("portcullis: %s/none: contains no prefix\n", folder);
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(site_free) struct site site = {0};

	(void)state;
	put("many", "10.0.0.0/8 # one\n\n2001:db8::/32\n");
	put("wrong", "::1\n10.1.2.3/8\n");
	/* The path is relative to the site file, wherever the command runs. */
	put("site.yaml", "groups: {a: '@many', b: '@./many'}\n");
	assert_int_equal(0, site_read(path, &site, &diag));
	expect_group(&site.groups, "a", "10.0.0.0/8 2001:db8::/32");
	expect_group(&site.groups, "b", "10.0.0.0/8 2001:db8::/32");
	site_free(&site);

	/* Prefixes and files in one group; and a group without members. */
	put("few", "2001:db8::/32\n192.0.2.1\n");
	put("site.yaml", "groups: {a: ['@many', 192.0.2.0/24, '@few'], b: []}\n");
	assert_int_equal(0, site_read(path, &site, &diag));
	expect_group(&site.groups, "a", "10.0.0.0/8 192.0.2.0/24 192.0.2.1/32 2001:db8::/32");
	expect_group(&site.groups, "b", "");
	expect_names(&site.group_file, "a");
	site_free(&site);
	put("none", "# nobody\n");
	put("site.yaml", "groups: {a: ['@none', 192.0.2.0/24]}\n");
	assert_int_equal(-EINVAL, site_read(path, &site, &diag));
	expect_said(&diag, none);

	put("site.yaml", "groups: {a: '@wrong'}\n");
	assert_int_equal(-EINVAL, site_read(path, &site, &diag));
	expect_said(&diag, bad);
}

static void test_open(void **state)
{
	__free_text char *path = xasprintf("%s/none.yaml", folder);
	__free_text char *none = xasprintf("portcullis: %s: No such file or directory\n", path);
	__free_text char *large = repeat("management: none #", "x", "xxxxxxxxxxx");
	__cleanup(diag_free) struct diag diag = {0};
	__cleanup(site_free) struct site site = {0};

	(void)state;
	assert_int_equal(-ENOENT, site_read(path, &site, &diag));
	expect_said(&diag, "");
	assert_int_equal(-ENOENT, site_open(path, &site, &diag));
	expect_said(&diag, none);
	if (access(SITE_FILE, F_OK)) /* a host without one */
		assert_int_equal(0, site_open(NULL, &site, &diag));
	expect_said(&diag, "");
	assert_false(site_is(path));

	put("none.yaml", "groups: {a: ::1}\nprofiles: x\n");
	assert_true(site_is(path));
	put("none.yaml", "groups: {a: ::1}\nprofile: x\n");
	assert_false(site_is(path));
	put("none.yaml", "titel: x\n");
	assert_false(site_is(path));
	put("none.yaml", "interfaces: {eth0: [\n");
	assert_true(site_is(path));
	assert_int_equal(-EINVAL, site_open(path, &site, &diag));
	diag_free(&diag);

	put("none.yaml", large);
	assert_int_equal(0, site_open(path, &site, &diag));
	site_free(&site);
	text_free(&large);
	large = xcalloc(SITE_FILE_LIMIT + 2, 1);
	memset(large, '#', SITE_FILE_LIMIT + 1);
	put("none.yaml", large);
	assert_int_equal(-EFBIG, site_open(path, &site, &diag));
	text_free(&none);
	none = xasprintf("portcullis: %s: larger than 1048576 bytes, the limit for a site file\n",
			 path);
	expect_said(&diag, none);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_site),  cmocka_unit_test(test_little),
		cmocka_unit_test(test_top_level),   cmocka_unit_test(test_groups),
		cmocka_unit_test(test_deny),	    cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_settings),    cmocka_unit_test(test_words),
		cmocka_unit_test(test_cut),	    cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_group_files), cmocka_unit_test(test_open),
		cmocka_unit_test(test_long_words),  cmocka_unit_test(test_opening),
		cmocka_unit_test(test_patterns),    cmocka_unit_test(test_machines),
		cmocka_unit_test(test_scopes),	    cmocka_unit_test(test_many_machines),
	};

	return cmocka_run_group_tests_name("recipe/site", tests, start, finish);
}
