// SPDX-License-Identifier: GPL-2.0
/* `counters` as text: rates, outgoing ports, ports that no service lists. */
#include "loader/base/memory.h"
#include "loader/report/counters.h"
#include "loader/report/json_forms.h"
#include "loader/report/unlisted.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/forms.h"
#include "tests/unit/report/machines_text.h"

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

/* Outgoing: counted ports are in both views; an unlisted one that was dropped has no services. */
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
	assert_non_null(strstr(text, "also passed: 3 replies,"));
	assert_non_null(strstr(text, "  all received: passed 3 (300 B), dropped 0 (0 B)\n"));
	assert_non_null(strstr(text, "  all sent: passed 9 (900 B), dropped 2 (120 B), "
				     "would have dropped 1 (60 B)\n"));
	json_decref(report);
	json_decref(profiles);
	free(counters);
}

/* Twenty unlisted ports for each direction, so that a scan from outside hides no outgoing port that
 * was dropped. */
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

/* Would-drops count like drops for which ports are shown, and which come first. */
static void test_unlisted_observed(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = json_array(), *report;
	__free_text char *text = NULL;

	(void)state;
	for (int port = 1; port <= 30; port++)
		counters->cell[PC_CELL_WOULD_DROP + PC_PORT(PC_TCP, port)] =
			(struct count){port, 60};
	/* As many of each after a swap from one policy to the other. */
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

/* The same ports as text and as JSON, in each direction; equal ones in order of their numbers. */
static void test_top(void **state)
{
	static const struct {
		size_t top;
		const char *ports;
		int left_out;
	} cases[] = {
		{0, "in 22/tcp p:ssh", 6},
		{1, "in 3/tcp ; in 22/tcp p:ssh; out 6667/tcp ", 4},
		{2, "in 1/tcp ; in 3/tcp ; in 22/tcp p:ssh; out 6667/tcp ", 3},
		{SIZE_MAX,
		 "in 1/tcp ; in 2/tcp ; in 3/tcp ; in 4/tcp ; in 22/tcp p:ssh; in 9/udp ; "
		 "out 6667/tcp ",
		 0},
	};
	json_t *profiles = profiles_of(json_pack("[o]", service("ssh", "in", "22/tcp")));
	struct counters *counters = xcalloc(1, sizeof(*counters));

	(void)state;
	for (int port = 1; port <= 4; port++)
		count_port(counters, PC_TCP, port, 5);
	count_port(counters, PC_TCP, 3, 7);
	count_port(counters, PC_UDP, 9, 1);
	counters->cell[PC_CELL_PASS + PC_PORT(PC_TCP, 22)] = (struct count){1, 60};
	counters_add(counters, PC_CELL_OUT_DROP + PC_PORT(PC_TCP, 6667), &(struct pc_count){1, 60});
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *report = one_interface(counters, profiles);
		json_t *one = json_array_get(json_object_get(report, "interfaces"), 0);
		__free_text char *ports = NULL;

		unlisted_limit(one, cases[i].top);
		ports = ports_said(one);
		assert_string_equal(ports, cases[i].ports);
		assert_int_equal(json_integer_value(json_object_get(one, "ports_left_out")),
				 cases[i].left_out);
		json_decref(report);
	}
	json_decref(profiles);
	free(counters);
}

/* The column WOULD DROP is shown under observe, and if it has counts; not for zeros alone. */
static void test_would_drop(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = json_array(), *report, *one;
	__free_text char *enforce = NULL, *observe = NULL, *counted = NULL;

	(void)state;
	count_port(counters, PC_TCP, 3, 7);
	report = one_interface(counters, profiles);
	one = json_array_get(json_object_get(report, "interfaces"), 0);
	json_object_set_new(one, "policy", json_string("enforce"));
	enforce = text_form(report, NULL, false, NULL);
	assert_null(strstr(enforce, "WOULD DROP"));
	json_object_set_new(one, "policy", json_string("observe"));
	observe = text_form(report, NULL, false, NULL);
	assert_non_null(strstr(observe, "WOULD DROP"));
	json_decref(report);
	counters->cell[PC_CELL_REASON_WOULD + PC_REASON_ICMP] = (struct count){1, 60};
	report = one_interface(counters, profiles);
	one = json_array_get(json_object_get(report, "interfaces"), 0);
	json_object_set_new(one, "policy", json_string("enforce"));
	counted = text_form(report, NULL, false, NULL);
	assert_non_null(strstr(counted, "WOULD DROP"));
	json_decref(report);
	json_decref(profiles);
	free(counters);
}

/* With every column and numbers of 12 digits, 80 columns are enough: bytes are left out, and a line
 * says so. */
static void test_narrow(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles =
		profiles_of(json_pack("[o]", service("a-service-of-a-long-name", "in", "22/tcp")));
	json_t *report;
	char *text = NULL;
	size_t length = 0, wide;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	assert_non_null(to);
	counters->cell[PC_CELL_PASS + PC_PORT(PC_TCP, 22)] = (struct count){123456789, 99999999999};
	counters->cell[PC_CELL_WOULD_DROP + PC_PORT(PC_TCP, 22)] =
		(struct count){123456789, 99999999999};
	count_port(counters, PC_TCP, 22, 123456789);
	counters->cell[PC_CELL_REASON + PC_REASON_SOURCE] = (struct count){123456789, 60};
	counters->cell[PC_CELL_REASON_WOULD + PC_REASON_SOURCE] = (struct count){123456789, 60};
	report = one_interface(counters, profiles);
	report_counters_text(
		report, &(struct counters_view){.before = report, .seconds = 1, .columns = 80}, to);
	fclose(to);
	for (const char *line = text; *line; line += wide + 1) {
		wide = strcspn(line, "\n");
		assert_true(wide <= 80);
	}
	assert_non_null(strstr(text, "WOULD DROP  RATE\n"));
	assert_non_null(strstr(text, "\n  (bytes are shown on a wider terminal, and by --json)\n"));
	free(text);
	json_decref(report);
	json_decref(profiles);
	free(counters);
}

#define MACHINE_CORE_TEXT                                                                    \
	"  also passed: 0 replies, 0 ICMP, 0 other IP protocols, 0 non-IP\n"                 \
	"  all received: passed 0 (0 B), dropped 0 (0 B)\n"                                  \
	"eth0: machine core\n"                                                               \
	"  WAY  PORT           SERVICE   PASSED  BYTES  DROPPED  BYTES  WOULD DROP  BYTES\n" \
	"  in   22/tcp         p:ssh          5  500 B        1   60 B           0    0 B\n" \
	"  in   6000-7000/udp  p:rtp          7  700 B        0    0 B           0    0 B\n" \
	"  in   any            unlisted       0    0 B        3  180 B           2  120 B\n"

static const char machines_expected[] = "counters at 2026-11-30 10:00:00 UTC\n"
					"eth0: generation 0, counting since  ()\n" MACHINE_CORE_TEXT
					"eth0: machine quiet: nothing counted\n"
					"--\n" MACHINE_CORE_TEXT;

static void test_machines(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *profiles = json_array(), *report = one_interface(counters, profiles);
	json_t *one = json_array_get(json_object_get(report, "interfaces"), 0);
	const struct counters_view view = {.top = COUNTERS_TOP, .columns = 100};
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	setenv("COLUMNS", "100", 1);
	json_object_set_new(one, "machines", json_loads(machines_text, 0, NULL));
	json_object_set_new(one, "name", json_string("eth0"));
	json_object_set_new(one, "interface", json_string("eth0"));
	json_object_set_new(report, "time", json_string("2026-11-30T10:00:00Z"));
	setenv("TZ", "UTC", 1);
	report_counters_text(report, &view, to);
	/* A part that counted nothing is left out of a replay. */
	fputs("--\n", to);
	report_counters_one(one, &view, to);
	fclose(to);
	assert_string_equal(text, machines_expected);
	free(text);
	json_decref(report);
	json_decref(profiles);
	free(counters);
}

static void test_no_interface(void **state)
{
	json_t *report = report_new("interfaces", json_array());
	__free_text char *text = text_form(report, NULL, false, NULL);

	(void)state;
	assert_non_null(
		strstr(text, "portcullis is attached to no interface of this network namespace\n"));
	json_decref(report);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_no_interface),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_outbound),
		cmocka_unit_test(test_unlisted_each_way),
		cmocka_unit_test(test_unlisted_observed),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_would_drop),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests_name("report/text_counters", tests, NULL, NULL);
}
