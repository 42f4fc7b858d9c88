// SPDX-License-Identifier: GPL-2.0
/* The counters as JSON. */
#include "loader/base/memory.h"
#include "loader/report/counters.h"
#include "loader/report/json_forms.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/forms.h"

#define SERVICES 4096

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
static long long packets_of(const json_t *report, const char *what, const char *which,
			    const char *way)
{
	const json_t *value = json_object_get(report, what);

	if (which)
		value = json_object_get(value, which);
	if (way)
		value = json_object_get(value, way);
	return json_is_object(value) ? json_integer_value(json_object_get(value, "packets")) : -1;
}

/* What is counted by reason, by kind, and in all. */
static void test_sums(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *report;

	(void)state;
	counters->cell[PC_CELL_REASON + PC_REASON_UNLISTED] = (struct count){3, 180};
	counters->cell[PC_CELL_OTHER + PC_OTHER_NON_IP] = (struct count){4, 240};
	counters->cell[PC_CELL_OTHER + PC_OTHER_ICMP] = (struct count){5, 300};
	counters->cell[PC_CELL_OTHER + PC_OTHER_PROTOCOL] = (struct count){6, 360};
	counters->cell[PC_CELL_OTHER + PC_OTHER_REPLY] = (struct count){7, 420};
	report = report_counters(counters, NULL, false);
	assert_int_equal(packets_of(report, "reasons", "unlisted", "drop"), 3);
	assert_int_equal(packets_of(report, "reasons", "source", "drop"), 0);
	assert_int_equal(packets_of(report, "reasons", "unlisted", "pass"), -1);
	assert_int_equal(packets_of(report, "other", "non_ip", NULL), 4);
	assert_int_equal(packets_of(report, "other", "icmp", NULL), 5);
	assert_int_equal(packets_of(report, "other", "protocol", NULL), 6);
	assert_int_equal(packets_of(report, "replies", NULL, NULL), 7);
	assert_int_equal(packets_of(report, "total", NULL, "drop"), 3);
	assert_int_equal(packets_of(report, "total", NULL, "pass"), 22);
	assert_int_equal(packets_of(report, "outbound_total", NULL, "pass"), 0);
	json_decref(report);
	free(counters);
}

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

static void test_time(void **state)
{
	char text[TIME_TEXT];

	(void)state;
	assert_string_equal(report_time(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(report_time(999999999, text), "1970-01-01T00:00:00Z");
	assert_string_equal(report_time(1767225599999999999, text), "2025-12-31T23:59:59Z");
	assert_string_equal(report_time(1767225600000000000, text), "2026-01-01T00:00:00Z");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined), cmocka_unit_test(test_listing),
		cmocka_unit_test(test_sums),   cmocka_unit_test(test_many_services),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests_name("report/json_forms", tests, NULL, NULL);
}
