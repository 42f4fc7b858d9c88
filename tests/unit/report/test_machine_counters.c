// SPDX-License-Identifier: GPL-2.0
/* The counters of machines' ports as JSON. */
#include "loader/report/machine_counters.h"

#include "loader/base/memory.h"
#include "tests/unit/expect.h"

static const char kept[] =
	"{\"recipe\": {\"machines\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}, \"profiles\": [],"
	"\"machines\": [{\"name\": \"a\", \"address\": [\"10.0.0.1\"], \"profiles\": [{\"name\": \"p\", \"services\": ["
	"{\"name\": \"web\", \"direction\": \"in\", \"ports\": [\"80/tcp\"], \"open\": true},"
	"{\"name\": \"rtp\", \"direction\": \"in\", \"ports\": [\"6000-7000/udp\"], \"open\": true},"
	"{\"name\": \"dns\", \"direction\": \"out\", \"ports\": [\"53/udp\"], \"open\": true},"
	"{\"name\": \"off\", \"direction\": \"in\", \"ports\": [\"80/tcp\"], \"open\": false}]}]},"
	"{\"name\": \"b\", \"address\": [\"10.0.0.2\"], \"profiles\": []}]}";

static __u64 digest(const char *name)
{
	return (__u64)*name;
}

static const struct pc_tally tally[] = {
	{.machine = 'a', .first = 1, .last = 0},
	{.machine = 'a', .first = 1, .last = 0, .out = 1},
	{.machine = 'a', .first = PC_PORT(PC_TCP, 80), .last = PC_PORT(PC_TCP, 80)},
	{.machine = 'a', .first = PC_PORT(PC_UDP, 6000), .last = PC_PORT(PC_UDP, 7000)},
	{.machine = 'a', .first = PC_PORT(PC_UDP, 53), .last = PC_PORT(PC_UDP, 53), .out = 1},
	/* From an earlier recipe: the same port, and one that it no longer lists. */
	{.machine = 'a', .first = PC_PORT(PC_TCP, 80), .last = PC_PORT(PC_TCP, 80)},
	{.machine = 'a', .first = PC_PORT(PC_TCP, 81), .last = PC_PORT(PC_TCP, 81)},
	{.machine = 'b', .first = 1, .last = 0},
	{.machine = 'z', .first = PC_PORT(PC_TCP, 80), .last = PC_PORT(PC_TCP, 80)},
};

static void count(struct counters *counters, __u32 at, enum pc_tally_kind kind, __u64 packets)
{
	counters->cell[PC_CELL_MACHINE(at, kind)] = (struct count){packets, 100 * packets};
}

static void expect_ports(bool all, const char *expected)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	json_t *of = json_loads(kept, 0, NULL), *interface, *list, *port;
	__cleanup(names_free) struct names lines = {};
	__free_text char *text = NULL;
	size_t i;

	count(counters, 1, PC_TALLY_DROP, 7);
	count(counters, 3, PC_TALLY_PASS, 2);
	count(counters, 3, PC_TALLY_DROP, 1);
	count(counters, 4, PC_TALLY_WOULD_DROP, 4);
	count(counters, 6, PC_TALLY_PASS, 3);
	count(counters, 7, PC_TALLY_PASS, 9);
	count(counters, 9, PC_TALLY_PASS, 100);
	list = report_machine_counters(
		counters, &(struct machine_tallies){tally, ARRAY_SIZE(tally), digest}, of, all);
	interface = json_pack("{s:[{s:i}], s:o}", "ports", "port", 22, "machines", list);
	report_flatten_machines(interface);
	assert_null(json_object_get(interface, "machines"));
	json_array_foreach (json_object_get(interface, "ports"), i, port) {
		__free_text char *line = json_dumps(port, JSON_COMPACT);

		names_add(&lines, line);
	}
	text = names_join(&lines, "\n");
	if (strcmp(text, expected))
		print_error("is:\n%s\n", text);
	assert_string_equal(text, expected);
	json_decref(interface);
	json_decref(of);
	free(counters);
}

#define NONE   "{\"packets\":0,\"bytes\":0}"
#define HOST   "{\"port\":22,\"machine\":null}"
#define BEFORE "{\"direction\":\"in\",\"protocol\":\"tcp\",\"port\":80,\"services\":[\"p:web\"],"

static void test_counted(void **state)
{
	(void)state;
	expect_ports(
		false, HOST
		"\n{\"direction\":\"in\",\"protocol\":null,\"port\":null,\"services\":[],\"pass\":" NONE
		",\"drop\":{\"packets\":7,\"bytes\":700},\"would_drop\":" NONE
		",\"machine\":\"a\"}\n" BEFORE
		"\"pass\":{\"packets\":5,\"bytes\":500},\"drop\":{\"packets\":1,\"bytes\":100},\"would_drop\":" NONE
		",\"machine\":\"a\"}\n"
		"{\"direction\":\"in\",\"protocol\":\"tcp\",\"port\":81,\"services\":[],\"pass\":{\"packets\":9,\"bytes\":900},\"drop\":" NONE
		",\"would_drop\":" NONE ",\"machine\":\"a\"}\n"
		"{\"direction\":\"in\",\"protocol\":\"udp\",\"port\":6000,\"last\":7000,\"services\":[\"p:rtp\"],\"pass\":" NONE
		",\"drop\":" NONE
		",\"would_drop\":{\"packets\":4,\"bytes\":400},\"machine\":\"a\"}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_counted)};

	return cmocka_run_group_tests_name("report/machine_counters", tests, NULL, NULL);
}
