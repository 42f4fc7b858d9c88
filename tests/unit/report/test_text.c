// SPDX-License-Identifier: GPL-2.0
/* `show` and `status` as text, made from their JSON. */
#include "loader/base/memory.h"
#include "loader/report/text.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/forms.h"

static void test_show_hostile(void **state)
{
	json_t *report = json_pack("{s:[{s:s, s:s, s:s, s:[n, i], s:[{s:s, s:s, s:[n], s:s}]}]}",
				   "profiles", "name", "p\x1b[2J", "title", "one\ntwo", "document",
				   "\xe2\x80\xae"
				   "doc",
				   "protocols", 1, "services", "name", "s\n", "note",
				   "n\x1b]0;x\x07", "ports", "configured_in", "f\nx");
	__free_text char *text = text_form(report, NULL, false, report_show_text);

	(void)state;
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\x07'));
	assert_int_equal(strncmp(text, "p?[2J: one?two (?doc)\n", 22), 0);
	assert_non_null(strstr(text, "  s?: n?]0;x?\n"));
	assert_non_null(strstr(text, "  s?: port kept in f?x\n"));
	json_decref(report);
}

static void test_status_hostile(void **state)
{
	json_t *report =
		json_pack("{s:[{s:s, s:n, s:s, s:s, s:s, s:{s:[s], s:{s:[s]}, s:{s:[]}}}]}",
			  "interfaces", "name", "rev\x1b[31mX", "profiles", "attached_at", "x\x1b",
			  "program_version", "1\n2", "mode", "native", "recipe", "features",
			  "f\x1b", "overrides", "set\x1b", "v\n", "groups", "g\x1b");
	json_t *one = json_array_get(json_object_get(report, "interfaces"), 0);
	__free_text char *text = text_form(report, NULL, false, report_status_text);
	__free_text char *waits = NULL;

	(void)state;
	assert_null(strchr(text, '\x1b'));
	assert_int_equal(strncmp(text, "rev?[31mX: native, , \n", 22), 0);
	assert_non_null(strstr(text, " by portcullis 1?2\n"));
	assert_non_null(
		strstr(text, "\n  features   f?\n  set?       v?\n  groups     g? (0 prefixes)\n"));
	assert_null(strstr(text, "waits"));
	json_object_set_new(one, "waits", json_string("w"));
	waits = text_form(report, NULL, false, report_status_text);
	assert_non_null(strstr(waits, "\n  waits      w: portcullis apply --dry-run\n  features"));
	json_decref(report);
}

static void test_status_egress(void **state)
{
	json_t *report = json_pack(
		"{s:[{s:s, s:s, s:s, s:b, s:{s:i, s:i, s:{s:i, s:i}, s:{s:i, s:i}, "
		"s:{s:i, s:i}}, s:{s:{s:i, s:i}}}]}",
		"interfaces", "name", "eth0\x1b", "egress", "missing", "outbound", "enforce",
		"forward", 1, "flows", "used", 6, "size", 65536, "connections", "used", 1, "size",
		32768, "streams", "used", 2, "size", 16384, "rest", "used", 3, "size", 16384,
		"outbound_total", "drop", "packets", 4, "bytes", 240);
	json_t *one = json_array_get(json_object_get(report, "interfaces"), 0);
	__free_text char *missing = text_form(report, NULL, false, report_status_text);
	__free_text char *there = NULL;

	(void)state;
	assert_non_null(strstr(missing, "  sent       passed 0 (0 B), dropped 4 (240 B)\n"));
	assert_non_null(strstr(missing, "  outbound   enforce\n"));
	assert_non_null(strstr(missing,
			       "  flows      6 of 65536 in use: 1 of 32768 connections, 2 of "
			       "16384 streams, 3 of 16384 not assured; forwarded traffic "
			       "is learned too\n"));
	assert_non_null(strstr(missing, "  egress     missing: "));
	assert_non_null(strstr(missing, "; to fix it: portcullis swap $'eth0\\033'\n"));
	assert_null(strstr(missing, "waits"));
	json_object_set_new(one, "waits", json_string("newer profiles"));
	json_object_set_new(one, "egress", json_string("clsact"));
	json_object_set_new(one, "forward", json_false());
	json_object_del(one, "outbound_total");
	there = text_form(report, NULL, false, report_status_text);
	assert_null(strstr(there, "egress"));
	assert_null(strstr(there, "sent"));
	assert_non_null(strstr(there, "  waits      newer profiles: portcullis apply --dry-run\n"));
	assert_non_null(strstr(there,
			       "  flows      6 of 65536 in use: 1 of 32768 connections, 2 of "
			       "16384 streams, 3 of 16384 not assured\n"));
	json_decref(report);
}

static json_t *shown(const char *name, const char *way, const char *why, const char *more)
{
	json_t *one = json_pack("{s:s, s:s, s:s, s:b, s:[s], s:o}", "name", name, "title", "T",
				"direction", way, "open", !*why, "ports", "1/tcp", "why_closed",
				*why ? json_string(why) : json_null());
	json_t *rest = json_loads(more, 0, NULL);

	assert_non_null(rest);
	json_object_update(one, rest);
	json_decref(rest);
	return one;
}

static void test_show(void **state)
{
	json_t *report = json_pack(
		"{s:[{s:s, s:s, s:s, s:b, s:[o, o, o, o, o, o, o, o, o, o]}]}", "profiles", "name",
		"p", "title", "P", "document", "D", "included", 1, "services",
		shown("all", "in", "", "{}"),
		shown("some", "in", "", "{\"from\": [\"a\", \"b\"], \"feature\": \"f\"}"),
		shown("out", "out", "", "{\"to\": [\"c\"]}"),
		shown("both", "both", "",
		      "{\"from\": [\"a\"], \"to\": [\"c\"], \"from_ports\": [\"67/udp\"]}"),
		shown("off", "in", "feature", "{\"feature\": \"g\"}"),
		shown("nobody", "out", "group", "{\"from\": [\"a\"], \"to\": [\"c\"]}"),
		shown("here", "in", "local", "{}"),
		shown("any", "in", "dynamic", "{\"ports\": []}"),
		shown("none", "in", "no-ports", "{}"),
		shown("shut", "in", "disabled",
		      "{\"note\": \"n\", \"configured_in\": {\"file\": \"f.xml\", \"xpath\": \"/p\"}}"));
	__free_text char *text = text_form(report, NULL, false, report_show_text);

	(void)state;
	assert_string_equal(
		text,
		"p: P (D), included\n"
		"  SERVICE  TITLE  WAY     PORTS  WHO                          STATE\n"
		"  all      T      in      1/tcp  anyone                       open\n"
		"  some     T      in      1/tcp  a, b                         open (feature f)\n"
		"  out      T      out     1/tcp  c                            open\n"
		"  both     T      in+out  1/tcp  a; to c, source port 67/udp  open\n"
		"  off      T      in      1/tcp  anyone                       closed: feature g is off\n"
		"  nobody   T      out     1/tcp  a; to c                      closed: group c not defined\n"
		"  here     T      in      1/tcp  -                            closed: local use only; open it with --from PROFILE:SERVICE=GROUP\n"
		"  any      T      in      -      anyone                       closed: no fixed port; give it one with --set PROFILE:SERVICE=PORT\n"
		"  none     T      in      1/tcp  anyone                       uses no port\n"
		"  shut     T      in      1/tcp  anyone                       closed: disabled\n"
		"  shut: n\n"
		"  shut: port kept in f.xml, /p\n");
	json_decref(report);
}

/* Where the list of a profile is from: each part alone, and all of them. */
static void test_show_list(void **state)
{
	static const char *const cases[][2] = {
		{"{}", ""},
		{"{\"as_of\": \"2021-08-06\"}", "  list of 2021-08-06\n"},
		{"{\"release\": \"7.6\"}", "  list, release 7.6\n"},
		{"{\"second_hand\": true}", "  list, second-hand\n"},
		{"{\"url\": \"https://a.example\"}", "  list, https://a.example\n"},
		{"{\"as_of\": \"2021-08-06\", \"release\": \"7.6\", \"second_hand\": true, \"url\": \"https://a.example\"}",
		 "  list of 2021-08-06, release 7.6, second-hand, https://a.example\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *profile = json_loads(cases[i][0], 0, NULL), *report;
		__free_text char *expected = xasprintf("p: P\n%s", cases[i][1]), *text = NULL;

		json_object_set_new(profile, "name", json_string("p"));
		json_object_set_new(profile, "title", json_string("P"));
		json_object_set_new(profile, "services", json_array());
		report = json_pack("{s:[o]}", "profiles", profile);
		text = text_form(report, NULL, false, report_show_text);
		if (strncmp(text, expected, strlen(expected)) || (!i && strstr(text, "list")))
			fail_msg("%s: %s", cases[i][0], text);
		json_decref(report);
	}
}

static void test_age(void **state)
{
	static const char *const cases[][2] = {{"", ""},
					       {"yesterday", ""},
					       {"2026-01-01", ""},
					       {"9999-01-01T00:00:00Z", "0 s ago"}};
	__free_text char *old = text_age("1999-12-31T23:59:59Z");
	unsigned int days, hours;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *age = text_age(cases[i][0]);

		assert_string_equal(age, cases[i][1]);
	}
	assert_int_equal(sscanf(old, "%u d %u h ago", &days, &hours), 2);
	assert_true(days > 9000 && hours < 24);
}

static void test_time(void **state)
{
	static const struct {
		const char *zone, *when, *text;
	} cases[] = {
		{"UTC", "2026-11-29T14:42:22Z", "2026-11-29 14:42:22 UTC"},
		{"CET-1CEST,M3.5.0,M10.5.0/3", "2026-11-29T23:42:22Z", "2026-11-30 00:42:22 CET"},
		{"CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T12:00:00Z", "2026-07-01 14:00:00 CEST"},
		{"<+0545>-5:45", "2026-01-01T00:00:00Z", "2026-01-01 05:45:00 +0545"},
		{"UTC", "x", "x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *text = NULL;

		setenv("TZ", cases[i].zone, 1);
		tzset();
		text = text_time(cases[i].when);
		assert_string_equal(text, cases[i].text);
	}
	unsetenv("TZ");
	tzset();
}

/* Each line of status fits, and has the same words as without a limit. */
static void test_status_width(void **state)
{
	json_t *report = json_pack(
		"{s:[{s:s, s:s, s:s, s:[s, s], s:{s:i, s:i, s:{s:i, s:i}, s:{s:i, s:i}, s:{s:i, s:i}}, "
		"s:b, s:{s:{s:I, s:I}, s:{s:I, s:I}, s:{s:I, s:I}}}]}",
		"interfaces", "name", "eth0", "mode", "native", "policy", "enforce", "profiles",
		"communigate-pro", "contact-expert-core", "flows", "used", 6, "size", 65536,
		"connections", "used", 1, "size", 32768, "streams", "used", 2, "size", 16384,
		"rest", "used", 3, "size", 16384, "forward", 1, "total", "pass", "packets",
		(json_int_t)123456789012, "bytes", (json_int_t)99999999999999, "drop", "packets",
		(json_int_t)123456789012, "bytes", (json_int_t)99999999999999, "would_drop",
		"packets", (json_int_t)123456789012, "bytes", (json_int_t)99999999999999);
	__free_text char *whole = text_form(report, NULL, false, report_status_text);
	__free_text char *text = NULL;
	size_t length;

	(void)state;
	setenv("COLUMNS", "60", 1);
	text = text_form(report, NULL, false, report_status_text);
	unsetenv("COLUMNS");
	assert_non_null(strstr(whole, " not assured; forwarded traffic is learned too\n"));
	for (const char *line = text; *line; line += length + 1) {
		length = strcspn(line, "\n");
		assert_true(length <= 60);
	}
	assert_non_null(strstr(text, ",\n             would have dropped 123456789012 (100 TB)\n"));
	json_decref(report);
}

static void test_profiles(void **state)
{
	json_t *report = json_pack("{s:[{s:s, s:s, s:s, s:i}, {s:s, s:n, s:s, s:s, s:n}]}",
				   "profiles", "name", "ssh", "title", "SSH", "path", "/p/ssh.yaml",
				   "age_days", 1, "name", "x\x1b", "title", "path", "/etc/x.yaml",
				   "shadows", "/usr/x.yaml", "age_days");
	json_t *found =
		json_pack("{s:[{s:s, s:s, s:i, s:[s, s]}, {s:s, s:s, s:i, s:[]}]}", "profiles",
			  "name", "a", "title", "A", "age_days", 730, "services", "sip", "sips\n",
			  "name", "b", "title", "B", "age_days", 1100, "services");
	__free_text char *text = text_form(report, NULL, false, report_profiles_text);
	__free_text char *search = text_form(found, NULL, false, report_profiles_text);

	(void)state;
	assert_string_equal(text, "  PROFILE  TITLE  LIST   FILE\n"
				  "  ssh      SSH    1 day  /p/ssh.yaml\n"
				  "  x?              -      /etc/x.yaml (shadows /usr/x.yaml)\n");
	assert_string_equal(search, "  PROFILE  TITLE  LIST       SERVICES\n"
				    "  a        A      24 months  sip, sips?\n"
				    "  b        B      3 years\n");
	json_decref(report);
	json_decref(found);
}

/* The age of a list: in days for two months, in months for two years. */
static void test_list_age(void **state)
{
	static const struct {
		int days;
		const char *age;
	} cases[] = {
		{0, " 0 days "},    {2, " 2 days "},	 {60, " 60 days "},
		{61, " 2 months "}, {89, " 2 months "},	 {90, " 3 months "},
		{731, " 2 years "}, {1094, " 2 years "}, {1095, " 3 years "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *report =
			json_pack("{s:[{s:s, s:s, s:s, s:i}]}", "profiles", "name", "a", "title",
				  "A", "path", "/p/a.yaml", "age_days", cases[i].days);
		__free_text char *text = text_form(report, NULL, false, report_profiles_text);

		if (!strstr(text, cases[i].age))
			fail_msg("%d days: %s", cases[i].days, text);
		json_decref(report);
	}
}

static void expect_status(json_t *one, json_t *site, const char *expected)
{
	json_t *report = json_pack("{s:o, s:o}", "interfaces",
				   one ? json_pack("[O]", one) : json_array(), "site", site);
	__free_text char *text = text_form(report, NULL, false, report_status_text);

	if (!strstr(text, expected))
		fail_msg("no\n%sin\n%s", expected, text);
	json_decref(report);
}

/* A pending change, one that was not confirmed in time, and the rule set that comes back. */
static void test_status_confirm(void **state)
{
	static const struct {
		const char *confirm, *said;
	} cases[] = {
		{"{\"state\": \"waiting\", \"seconds_left\": 7, \"fallback\": 3}",
		 "\n  confirm    7 s left, then generation 3 is active again unless confirmed: portcullis confirm eth0\n"},
		{"{\"state\": \"waiting\", \"seconds_left\": 60, \"fallback\": null}",
		 "\n  confirm    60 s left, then everything passes again unless confirmed: portcullis confirm eth0\n"},
		{"{\"state\": \"reverted\", \"deadline\": \"2026-01-01T00:00:00Z\", \"fallback\": 3}",
		 "\n  reverted   2026-01-01 00:00:00 UTC: not confirmed in time; generation 3 is active again\n"},
	};
	json_t *one = json_pack(
		"{s:s, s:s, s:s, s:[s, s], s:s, s:i, s:I, s:{s:{s:i, s:i}, s:{s:i, s:i}}}", "name",
		"eth0", "mode", "native", "policy", "observe", "profiles", "a", "b", "attached_at",
		"x", "generation", 4, "memory", (json_int_t)2500000, "total", "pass", "packets", 1,
		"bytes", 60, "would_drop", "packets", 2, "bytes", 1200);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_object_set_new(one, "confirm", json_loads(cases[i].confirm, 0, NULL));
		expect_status(one, json_null(), cases[i].said);
	}
	expect_status(one, json_null(), "eth0: native, observe, a + b\n");
	expect_status(one, json_null(), "\n  memory     2.50 MB\n");
	expect_status(
		one, json_null(),
		"\n  packets    passed 1 (60 B), dropped 0 (0 B), would have dropped 2 (1.20 kB)\n");
	json_decref(one);
}

static void test_status_site(void **state)
{
	static const char *const cases[][2] = {
		{"wrong",
		 "s.yaml has errors, and boot does not apply it as it is: portcullis check\n"},
		{"new", "s.yaml was never applied: portcullis apply --dry-run\n"},
		{"changed", "s.yaml changed since it was applied: portcullis apply --dry-run\n"},
		{"reverted",
		 "s.yaml was applied and not confirmed, and boot does not apply it: portcullis doctor\n"},
		{"confirmed", ""},
		{"none", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *report = json_pack("{s:[], s:{s:s, s:s}}", "interfaces", "site", "state",
					   cases[i][0], "file", "s.yaml");
		__free_text char *text = text_form(report, NULL, false, report_status_text);
		__free_text char *expected = xasprintf(
			"portcullis is attached to no interface of this network namespace\n%s",
			cases[i][1]);

		assert_string_equal(text, expected);
		json_decref(report);
	}
}

static void test_several(void **state)
{
	json_t *report = json_pack("{s:[{s:s}, {s:s}]}", "interfaces", "name", "a", "name", "b");
	__free_text char *text = text_form(report, NULL, false, report_status_text);

	(void)state;
	assert_int_equal(strncmp(text, "a: ", 3), 0);
	assert_non_null(strstr(text, "\n\nb: "));
	assert_null(strstr(text, "attached to no interface"));
	json_decref(report);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_status_width),
		cmocka_unit_test(test_show_hostile),
		cmocka_unit_test(test_status_hostile),
		cmocka_unit_test(test_status_egress),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_list_age),
		cmocka_unit_test(test_show_list),
		cmocka_unit_test(test_status_confirm),
		cmocka_unit_test(test_status_site),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests_name("report/text", tests, NULL, NULL);
}
