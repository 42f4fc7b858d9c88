// SPDX-License-Identifier: GPL-2.0
/* The views as JSON and as text: foreign texts, and counters of many ports and services. */
#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"
#include "loader/report/text_counters.h"
#include "tests/unit/expect.h"

#define SERVICES 4096

static void test_printable(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{"eth0", "eth0"},
		{"rev\x1b[31mX", "rev?[31mX"},
		{"a\r\nb\tc\x7f", "a??b?c?"},
		{"Zürich \xe2\x82\xac", "Zürich \xe2\x82\xac"},
		{"\xc2\x9b"
		 "31m",
		 "?31m"}, /* CSI as C1 */
		{"a\xe2\x80\xae"
		 "b\xe2\x81\xa6"
		 "c",
		 "a?b?c"}, /* U+202E, U+2066 */
		{"a\xd8\x9c"
		 "b",
		 "a?b"}, /* U+061C */
		{"\xff\xfe", "??"},
		{"\xe2\x82", "??"},
		{"\x9b"
		 "0m",
		 "?0m"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *shown = text_printable(cases[i].text);

		assert_string_equal(shown, cases[i].shown);
	}
}

static void test_text_json(void **state)
{
	static const char *const cases[][2] = {{"eth0", "eth0"},
					       {"Zürich", "Zürich"},
					       {"ü\xff"
						"x",
						"???x"},
					       {"", ""}};
	json_t *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json = text_json(cases[i][0]);
		assert_string_equal(json_string_value(json), cases[i][1]);
		json_decref(json);
	}
	json = text_json(NULL);
	assert_true(json_is_null(json));
}

static void test_joined(void **state)
{
	json_t *names = json_pack("[s, n, i, s, {}]", "a", 1, "b");
	__free_text char *joined = report_joined(names, " + ");
	__free_text char *none = report_joined(NULL, ", ");

	(void)state;
	assert_string_equal(joined, "a + b");
	assert_string_equal(none, "");
	json_decref(names);
}

/* What a text form prints. The caller frees. */
static char *text_form(const json_t *report, const json_t *before, bool all,
		       void (*form)(const json_t *report, FILE *to))
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(to);
	if (form)
		form(report, to);
	else
		report_counters_text(report, before, 2, all, to);
	fclose(to);
	return text;
}

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
	__free_text char *text = text_form(report, NULL, false, report_status_text);

	(void)state;
	assert_null(strchr(text, '\x1b'));
	assert_int_equal(strncmp(text, "rev?[31mX: native, , \n", 22), 0);
	assert_non_null(strstr(text, " by portcullis 1?2\n"));
	json_decref(report);
}

static json_t *service(const char *name, const char *direction, const char *ports)
{
	return json_pack("{s:s, s:s, s:b, s:[s]}", "name", name, "direction", direction, "open", 1,
			 "ports", ports);
}

static json_t *profiles_of(json_t *services)
{
	return json_pack("[{s:s, s:o}]", "name", "p", "services", services);
}

/* "in 25/tcp a, b; ..." */
static char *ports_said(const json_t *report)
{
	char *text = NULL;
	size_t length = 0, i;
	FILE *to = open_memstream(&text, &length);
	const json_t *port;

	assert_non_null(to);
	json_array_foreach (json_object_get(report, "ports"), i, port) {
		__free_text char *names = report_joined(json_object_get(port, "services"), ", ");

		fprintf(to, "%s%s %d/%s %s", i ? "; " : "",
			json_string_value(json_object_get(port, "direction")),
			(int)json_integer_value(json_object_get(port, "port")),
			json_string_value(json_object_get(port, "protocol")), names);
	}
	fclose(to);
	return text;
}

static void count_port(struct counters *counters, enum pc_transport transport, __u16 port,
		       __u64 packets)
{
	counters->cell[PC_CELL_DROP + PC_PORT(transport, port)] = (struct count){packets, 60};
}

static void test_listing(void **state)
{
	static const struct {
		bool all;
		const char *ports;
	} cases[] = {
		{false, "in 24/tcp p:wide; in 25/tcp p:mail, p:wide; in 26/tcp p:wide; "
			"in 99/tcp ; in 65535/tcp p:end; in 0/udp ; in 9/udp p:both"},
		{true, "in 24/tcp p:wide; in 25/tcp p:mail, p:wide; in 26/tcp p:wide; in 99/tcp ; "
		       "in 65534/tcp p:end; in 65535/tcp p:end; in 0/udp ; in 9/udp p:both; "
		       "in 65535/udp p:last; out 9/udp p:out, p:both; out 10/udp p:out"},
	};
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = profiles_of(
		json_pack("[o, o, o, o, o, o, {}, n]", service("mail", "in", "25/tcp"),
			  service("out", "out", "9-10/udp"), service("wide", "in", "24-26/tcp"),
			  service("end", "in", "65534-65535/tcp"), service("both", "both", "9/udp"),
			  service("last", "in", "65535/udp")));

	(void)state;
	count_port(counters, PC_TCP, 24, 1);
	count_port(counters, PC_TCP, 25, 1);
	count_port(counters, PC_TCP, 26, 1);
	count_port(counters, PC_TCP, 99, 1);
	count_port(counters, PC_TCP, 65535, 1);
	count_port(counters, PC_UDP, 0, 1);
	count_port(counters, PC_UDP, 9, 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *report = report_counters(counters, profiles, cases[i].all);
		__free_text char *text = ports_said(report);

		assert_string_equal(text, cases[i].ports);
		json_decref(report);
	}
	json_decref(profiles);
	free(counters);
}

/* Many services on all ports: the lists are shared, whatever is counted. */
static void test_many_services(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *services = json_array(), *profiles, *report;
	double start;

	(void)state;
	for (int i = 0; i < SERVICES; i++) {
		json_t *one = service("s", "in", "1-65535/tcp");

		json_array_append_new(json_object_get(one, "ports"), json_string("1-65535/udp"));
		json_array_append_new(services, one);
	}
	profiles = profiles_of(services);
	count_port(counters, PC_TCP, 25, 1);
	start = now();
	report = report_counters(counters, profiles, false);
	expect_fast("4096 services, one port counted", start, 2);
	assert_int_equal(json_array_size(json_object_get(report, "ports")), 1);
	json_decref(report);
	start = now();
	report = report_counters(counters, profiles, true);
	expect_fast("4096 services, all ports", start, 20);
	assert_int_equal(json_array_size(json_object_get(report, "ports")), 2 * 65535);
	json_decref(report);
	json_decref(profiles);
	free(counters);
}

static json_t *one_interface(const struct counters *counters, const json_t *profiles)
{
	json_t *one = report_counters(counters, profiles, false);

	json_object_set_new(one, "name", json_string("rev\x1b[31mX"));
	return report_new("interfaces", json_pack("[o]", one));
}

/* Rates of a scan of all ports: 131,072 before and after. */
static void test_rates(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = json_array(), *before, *after;
	__free_text char *text = NULL;
	double start;

	(void)state;
	for (int port = 0; port < 65536; port++) {
		if (port != 7)
			count_port(counters, PC_TCP, port, 1);
		count_port(counters, PC_UDP, port, 1);
	}
	before = one_interface(counters, profiles);
	count_port(counters, PC_UDP, 53, 401);
	count_port(counters, PC_TCP, 7, 100); /* not there before */
	start = now();
	after = one_interface(counters, profiles);
	text = text_form(after, before, true, NULL);
	expect_fast("131072 ports with rates", start, 20);
	assert_int_equal(strncmp(text, "rev?[31mX: generation 0", 23), 0);
	assert_non_null(
		strstr(text, "53/udp     unlisted       0    0 B  0 /s      401   60 B  200 /s"));
	assert_non_null(
		strstr(text, "7/tcp      unlisted       0    0 B  0 /s      100   60 B   50 /s"));
	json_decref(before);
	json_decref(after);
	json_decref(profiles);
	free(counters);
}

/* What is sent: counted ports in both views, an unlisted one that was dropped has no services. */
static void test_outbound(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = profiles_of(json_pack("[o, o]", service("dns", "out", "53/udp"),
						 service("mail", "both", "25/tcp")));
	__free_text char *ports = NULL, *text = NULL;
	json_t *report, *one, *quiet;

	(void)state;
	quiet = one_interface(counters, profiles);
	text = text_form(quiet, NULL, false, NULL);
	assert_null(strstr(text, "sent"));
	assert_null(strstr(text, "out "));
	json_decref(quiet);
	free(text);
	counters->cell[PC_CELL_OUT + PC_PORT(PC_UDP, 53)] = (struct count){7, 700};
	counters_add(counters, PC_CELL_OUT_DROP + PC_PORT(PC_TCP, 6667),
		     &(struct pc_count){2, 120});
	counters_add(counters, PC_CELL_OUT_WOULD_DROP + PC_PORT(PC_TCP, 25),
		     &(struct pc_count){1, 60});
	counters->cell[PC_CELL_REASON + PC_REASON_OUTBOUND] = (struct count){2, 120};
	counters->cell[PC_CELL_REASON_WOULD + PC_REASON_OUTBOUND] = (struct count){1, 60};
	counters->cell[PC_CELL_EGRESS] = (struct count){9, 900};
	counters->cell[PC_CELL_OTHER + PC_OTHER_REPLY] = (struct count){3, 300};
	report = one_interface(counters, profiles);
	one = json_array_get(json_object_get(report, "interfaces"), 0);
	ports = ports_said(one);
	assert_string_equal(ports, "out 25/tcp p:mail; out 6667/tcp ; out 53/udp p:dns");
	text = text_form(report, NULL, false, NULL);
	assert_non_null(strstr(text, "  out  53/udp    p:dns          7"));
	assert_non_null(strstr(text, "  out  6667/tcp  unlisted       0    0 B        2  120 B"));
	assert_non_null(strstr(text, "  outbound        2  120 B           1   60 B\n"));
	assert_non_null(strstr(text, "besides: 3 replies,"));
	assert_non_null(strstr(text, "  all received: passed 3 (300 B), dropped 0 (0 B)\n"));
	assert_non_null(strstr(text, "  all sent: passed 9 (900 B), dropped 2 (120 B), "
				     "would have dropped 1 (60 B)\n"));
	json_decref(report);
	json_decref(profiles);
	free(counters);
}

/* Twenty unlisted ports a direction: a scan from outside hides no port that was dropped here. */
static void test_unlisted_each_way(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = json_array(), *report;
	__free_text char *text = NULL;

	(void)state;
	for (int port = 1; port <= 1000; port++)
		count_port(counters, PC_TCP, port, 1000);
	counters_add(counters, PC_CELL_OUT_DROP + PC_PORT(PC_TCP, 6667), &(struct pc_count){1, 60});
	report = one_interface(counters, profiles);
	text = text_form(report, NULL, false, NULL);
	assert_non_null(strstr(text, "  out  6667/tcp  unlisted"));
	assert_non_null(strstr(text, "  ... and 980 more unlisted ports"));
	json_decref(report);
	json_decref(profiles);
	free(counters);
}

/* What would have been dropped counts as what was: which ports are shown, and which come first. */
static void test_unlisted_observed(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = json_array(), *report;
	__free_text char *text = NULL;

	(void)state;
	for (int port = 1; port <= 30; port++)
		counters->cell[PC_CELL_WOULD_DROP + PC_PORT(PC_TCP, port)] =
			(struct count){port, 60};
	/* As many of each, after a swap from the one policy to the other. */
	count_port(counters, PC_TCP, 99, 50);
	counters->cell[PC_CELL_WOULD_DROP + PC_PORT(PC_TCP, 99)] = (struct count){50, 60};
	report = one_interface(counters, profiles);
	text = text_form(report, NULL, false, NULL);
	assert_non_null(strstr(text, "  99/tcp  unlisted"));
	assert_non_null(strstr(text, "\n  in   30/tcp  unlisted"));
	assert_non_null(strstr(text, "\n  in   12/tcp  unlisted"));
	assert_null(strstr(text, "  11/tcp"));
	assert_true(strstr(text, "  99/tcp") < strstr(text, "  30/tcp"));
	assert_true(strstr(text, "  30/tcp") < strstr(text, "  12/tcp"));
	assert_non_null(strstr(text, "  ... and 11 more unlisted ports"));
	json_decref(report);
	json_decref(profiles);
	free(counters);
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
	assert_non_null(strstr(missing, "; portcullis swap eth0? mends it\n"));
	json_object_set_new(one, "egress", json_string("clsact"));
	json_object_set_new(one, "forward", json_false());
	json_object_del(one, "outbound_total");
	there = text_form(report, NULL, false, report_status_text);
	assert_null(strstr(there, "egress"));
	assert_null(strstr(there, "sent"));
	assert_non_null(strstr(there,
			       "  flows      6 of 65536 in use: 1 of 32768 connections, 2 of "
			       "16384 streams, 3 of 16384 not assured\n"));
	json_decref(report);
}

/* A table that is printed in parts has one heading and stays in line. */
static void test_human_seconds(void **state)
{
	static const struct {
		__u64 seconds;
		const char *text;
	} cases[] = {
		{0, "0 s"},	     {59, "59 s"},
		{60, "1 min 0 s"},   {3599, "59 min 59 s"},
		{3600, "1 h 0 min"}, {86399, "23 h 59 min"},
		{86400, "1 d 0 h"},  {90000, "1 d 1 h"},
	};
	char text[HUMAN_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(human_seconds(cases[i].seconds, text), cases[i].text);
}

static void test_columns_in_parts(void **state)
{
	struct columns columns = {.count = 2, .heading = {"A", ">B"}};
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	columns_row(&columns, TONE_PLAIN, (const char *[]){"aaa", "22"});
	columns_print(&columns, to);
	columns_row(&columns, TONE_PLAIN, (const char *[]){"b", "1"});
	columns_print(&columns, to);
	fclose(to);
	assert_string_equal(text, "  A     B\n  aaa  22\n  b     1\n");
	free(text);
}

static void test_columns(void **state)
{
	struct columns columns = {.count = 2, .heading = {"A", ">B"}};
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	columns_row(&columns, TONE_PLAIN, (const char *[]){"ü\x1b", "1"});
	columns_row(&columns, TONE_PLAIN, (const char *[]){"\xff", "22\n"});
	columns_print(&columns, to);
	fclose(to);
	assert_string_equal(text, "  A     B\n  ü?    1\n  ?   22?\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable),      cmocka_unit_test(test_text_json),
		cmocka_unit_test(test_joined),	       cmocka_unit_test(test_show_hostile),
		cmocka_unit_test(test_status_hostile), cmocka_unit_test(test_listing),
		cmocka_unit_test(test_many_services),  cmocka_unit_test(test_rates),
		cmocka_unit_test(test_columns),	       cmocka_unit_test(test_columns_in_parts),
		cmocka_unit_test(test_outbound),       cmocka_unit_test(test_unlisted_each_way),
		cmocka_unit_test(test_status_egress),  cmocka_unit_test(test_unlisted_observed),
		cmocka_unit_test(test_human_seconds),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
