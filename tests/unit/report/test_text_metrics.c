// SPDX-License-Identifier: GPL-2.0
/* Metrics: ranges, escaped labels, unlisted ports, both formats. */
#include "loader/report/text_metrics.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/counters.h"
#include "loader/report/json_forms.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/forms.h"
#include "tests/unit/report/machines_text.h"

static json_t *report_of(const struct counters *counters, const char *name, json_t *profiles)
{
	json_t *one = report_counters(counters, profiles, true), *report;

	json_object_set_new(one, "name", json_string(name));
	json_object_set_new(one, "enforcing", json_true());
	json_object_set_new(one, "generation", json_integer(7));
	report = report_new("interfaces", json_pack("[o]", one));
	json_object_set_new(report, "expected", json_pack("[s]", "eth0"));
	json_object_set_new(report, "flows", json_pack("{s:i, s:i}", "used", 3, "size", 100));
	json_decref(profiles);
	return report;
}

/* The caller frees. */
static char *printed(json_t *report, enum metrics_format format)
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	report_metrics_text(report, format, to);
	fclose(to);
	return text;
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in\n%s", part, text);
}

static size_t lines_with(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static void test_labels(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	__free_text char *text = NULL, *old = NULL;
	json_t *report;

	(void)state;
	count_port(counters, PC_TCP, 25, 4);
	report = report_of(counters, "a\"b\\c\nd",
			   profiles_of(json_pack("[o]", service("mail", "in", "25/tcp"))));
	text = printed(report, METRICS_OPEN);
	expect_in(text, "{interface=\"a\\\"b\\\\c\\nd\",machine=\"\",direction=\"in\",service=\"");
	expect_in(text, ":mail\",port=\"25\",protocol=\"tcp\",verdict=\"would-drop\"} ");
	expect_in(text, "# TYPE portcullis_packets counter\nportcullis_packets_total{");
	expect_in(text, "\nportcullis_enforcing{interface=\"a\\\"b\\\\c\\nd\"} 1\n");
	expect_in(text, "\nportcullis_generation{interface=\"a\\\"b\\\\c\\nd\"} 7\n");
	expect_in(text, "\nportcullis_expected{interface=\"eth0\"} 1\n");
	expect_in(text, "\nportcullis_flows 3\n");
	expect_in(text, "\nportcullis_flows_size 100\n# EOF\n");
	old = printed(report, METRICS_TEXT);
	expect_in(old, "# TYPE portcullis_packets_total counter\nportcullis_packets_total{");
	expect_in(old, "# TYPE portcullis_enforcing gauge\nportcullis_enforcing{");
	assert_null(strstr(old, "# EOF"));
	json_decref(report);
	free(counters);
}

/* 128 neighbouring ports have a metric each, 129 have one; a port between two services ends a
 * run. */
static void test_ranges(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	__free_text char *text = NULL;
	json_t *report;

	(void)state;
	for (int port = 1000; port <= 4000; port++)
		count_port(counters, PC_UDP, port, 1);
	report = report_of(
		counters, "eth0",
		profiles_of(json_pack("[o, o, o, o]", service("few", "in", "1000-1127/udp"),
				      service("many", "in", "2000-2128/udp"),
				      service("split", "in", "3000-3200/udp"),
				      service("one", "in", "3100/udp"))));
	text = printed(report, METRICS_OPEN);
	assert_int_equal(2 * 3 * 128, lines_with(text, ":few\","));
	assert_int_equal(2 * 3, lines_with(text, ":many\",port=\"2000-2128\""));
	assert_int_equal(2 * 3, lines_with(text, ":many\","));
	assert_int_equal(2 * 3 * (100 + 1 + 100), lines_with(text, ":split"));
	assert_int_equal(2 * 3, lines_with(text, "port=\"3100\""));
	/* The packets of count_port are dropped. */
	expect_in(text, ":many\",port=\"2000-2128\",protocol=\"udp\",verdict=\"drop\"} 129\n");
	assert_null(strstr(text, "port=\"4000\""));
	json_decref(report);
	free(counters);
}

/* Unlisted ports are counted by reason, so that no counter decreases when a swap lists a port. */
static void test_unlisted(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	__free_text char *text = NULL;
	json_t *report;

	(void)state;
	counters->cell[PC_CELL_REASON + PC_REASON_UNLISTED] = (struct count){70, 4200};
	counters->cell[PC_CELL_REASON_WOULD + PC_REASON_UNLISTED] = (struct count){5, 300};
	counters->cell[PC_CELL_REASON + PC_REASON_OUTBOUND] = (struct count){2, 120};
	counters->cell[PC_CELL_OTHER + PC_OTHER_REPLY] = (struct count){9, 900};
	report = report_of(counters, "eth0", json_array());
	text = printed(report, METRICS_OPEN);
	expect_in(
		text,
		"direction=\"in\",service=\"unlisted\",port=\"\",protocol=\"\",verdict=\"drop\"} 70\n");
	expect_in(
		text,
		"direction=\"in\",service=\"unlisted\",port=\"\",protocol=\"\",verdict=\"drop\"} 4200\n");
	expect_in(
		text,
		"direction=\"in\",service=\"unlisted\",port=\"\",protocol=\"\",verdict=\"would-drop\"} 5\n");
	expect_in(
		text,
		"direction=\"out\",service=\"unlisted\",port=\"\",protocol=\"\",verdict=\"drop\"} 2\n");
	expect_in(text, "service=\"reply\",port=\"\",protocol=\"\",verdict=\"pass\"} 9\n");
	expect_in(
		text,
		"portcullis_reason_packets_total{interface=\"eth0\",direction=\"out\",reason=\"outbound\",verdict=\"drop\"} 2\n");
	expect_in(
		text,
		"portcullis_reason_packets_total{interface=\"eth0\",direction=\"in\",reason=\"unlisted\",verdict=\"would-drop\"} 5\n");
	json_decref(report);
	free(counters);
}

/* Ports of a machine have its name; those that no service of it lists are one metric. */
static void test_machines(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *report = report_of(counters, "eth0", json_array());
	json_t *one = json_array_get(json_object_get(report, "interfaces"), 0);
	__free_text char *text = NULL;

	(void)state;
	json_object_set_new(one, "machines", json_loads(machines_text, 0, NULL));
	text = printed(report, METRICS_OPEN);
	expect_in(
		text,
		"portcullis_packets_total{interface=\"eth0\",machine=\"core\",direction=\"in\",service=\"p:ssh\",port=\"22\",protocol=\"tcp\",verdict=\"pass\"} 5\n");
	expect_in(
		text,
		"portcullis_bytes_total{interface=\"eth0\",machine=\"core\",direction=\"in\",service=\"p:ssh\",port=\"22\",protocol=\"tcp\",verdict=\"drop\"} 60\n");
	expect_in(
		text,
		"machine=\"core\",direction=\"in\",service=\"p:rtp\",port=\"6000-7000\",protocol=\"udp\",verdict=\"pass\"} 7\n");
	expect_in(
		text,
		"portcullis_packets_total{interface=\"eth0\",machine=\"core\",direction=\"in\",service=\"unlisted\",port=\"\",protocol=\"\",verdict=\"would-drop\"} 2\n");
	assert_null(strstr(text, "quiet"));
	json_decref(report);
	free(counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machines),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_unlisted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
