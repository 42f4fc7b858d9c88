// SPDX-License-Identifier: GPL-2.0
/* The ports that rules mention: in matches and maps, in sets and ranges, with names. */
#include "loader/report/suggest_mentioned.h"

#include "bpf/abi.h"
#include "tests/unit/expect.h"

#include <jansson.h>

/* "25/tcp 53/udp ..." of a rule set; the caller frees. */
static char *mentioned_by(const char *items)
{
	__free_text char *text = xasprintf("{\"nftables\": [%s]}", items);
	__free_text bool *mentioned = xcalloc(PC_PORTS, sizeof(*mentioned));
	__cleanup(names_free) struct names names = {};
	json_t *ruleset = json_loads(text, 0, NULL);

	assert_non_null(ruleset);
	suggest_mentioned(ruleset, mentioned);
	json_decref(ruleset);
	for (__u32 port = 0; port < PC_PORTS; port++)
		if (mentioned[port]) {
			__free_text char *name =
				xasprintf("%u/%s", pc_port_number(port),
					  pc_port_transport(port) == PC_TCP ? "tcp" : "udp");

			names_add(&names, name);
		}
	return names_join(&names, " ");
}

static void expect_ports(const char *items, const char *expected)
{
	__free_text char *found = mentioned_by(items);

	assert_string_equal(found, expected);
}

/* clang-format off */
#define RULE(statement) "{\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"expr\": [{\"counter\": null}, " statement "]}}"
#define PAYLOAD(protocol, field) "{\"payload\": {\"protocol\": \"" protocol "\", \"field\": \"" field "\"}}"
#define MATCH(protocol, right) RULE("{\"match\": {\"op\": \"==\", \"left\": " PAYLOAD(protocol, "dport") ", \"right\": " right "}}")
#define VMAP(data) RULE("{\"vmap\": {\"key\": " PAYLOAD("tcp", "dport") ", \"data\": " data "}}")
/* clang-format on */

static void test_values(void **state)
{
	(void)state;
	expect_ports("", "");
	expect_ports(MATCH("tcp", "25"), "25/tcp");
	expect_ports(MATCH("udp", "53"), "53/udp");
	expect_ports(MATCH("th", "53"), "53/tcp 53/udp");
	expect_ports(MATCH("sctp", "53"), "");
	expect_ports(MATCH("tcp", "0") "," MATCH("tcp", "1") "," MATCH("tcp", "65535") "," MATCH(
			     "tcp", "65536"),
		     "1/tcp 65535/tcp");
	expect_ports(MATCH("tcp", "{\"range\": [10, 12]}"), "10/tcp 11/tcp 12/tcp");
	expect_ports(
		MATCH("tcp", "{\"range\": [1, 16]}"),
		"1/tcp 2/tcp 3/tcp 4/tcp 5/tcp 6/tcp 7/tcp 8/tcp 9/tcp 10/tcp 11/tcp 12/tcp 13/tcp 14/tcp 15/tcp 16/tcp");
	expect_ports(MATCH("tcp", "{\"range\": [1, 17]}"), "");
	expect_ports(
		MATCH("tcp",
		      "{\"set\": [22, {\"range\": [80, 81]}, {\"elem\": {\"val\": 443, \"comment\": 9}}]}"),
		"22/tcp 80/tcp 81/tcp 443/tcp");
	expect_ports(RULE("{\"match\": {\"op\": \"==\", \"left\": " PAYLOAD(
			     "tcp", "sport") ", \"right\": 25}}"),
		     "");
	expect_ports(
		RULE("{\"match\": {\"op\": \"==\", \"left\": {\"meta\": {\"key\": \"mark\"}}, \"right\": 25}}"),
		"");
}

static void test_names(void **state)
{
	static const char set[] =
		"{\"set\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"s\", \"elem\": [25, 587]}},"
		"{\"set\": {\"family\": \"inet\", \"table\": \"other\", \"name\": \"s\", \"elem\": [1]}},"
		"{\"set\": {\"family\": \"ip\", \"table\": \"t\", \"name\": \"s\", \"elem\": [2]}},"
		"{\"set\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"x\", \"elem\": [3]}},"
		"{\"map\": {\"family\": \"inet\", \"table\": \"t\", \"name\": \"s\", \"elem\": [[26, {\"accept\": null}], [27, {\"drop\": null}]]}},";
	__free_text char *match = xasprintf("%s%s", set, MATCH("tcp", "\"@s\""));
	__free_text char *without = xasprintf("%s%s", set, MATCH("tcp", "\"s\""));
	__free_text char *map = xasprintf("%s%s", set, VMAP("\"@s\""));

	(void)state;
	expect_ports(match, "25/tcp 587/tcp");
	expect_ports(without, "");
	expect_ports(map, "26/tcp 27/tcp");
	expect_ports(
		VMAP("{\"set\": [[22, {\"accept\": null}], [{\"range\": [80, 81]}, {\"drop\": null}]]}"),
		"22/tcp 80/tcp 81/tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
					   cmocka_unit_test(test_names)};

	return cmocka_run_group_tests_name("report/suggest_mentioned", tests, NULL, NULL);
}
