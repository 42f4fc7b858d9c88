// SPDX-License-Identifier: GPL-2.0
/* The history: the outcome of each change, an interface's state, and which changes are undone,
 * shown and chosen. */
#include "loader/report/history.h"

#include <string.h>

#include "bpf/abi.h"
#include "loader/base/memory.h"
#include "loader/report/text_history.h"
#include "tests/unit/expect.h"

#define BOOT "boot-1"

static struct history_lines lines;

static int set_up(void **state)
{
	(void)state;
	lines = (struct history_lines){.changes = json_array(), .texts = json_object()};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	history_lines_free(&lines);
	return 0;
}

/* A part: "ACTION NAME AFTER [DEADLINE]"; AFTER: a digest, - for no filter, * for none of these. */
static json_t *part_json(const char *text)
{
	char action[16], name[16], after[16];
	long long deadline = 0;
	json_t *part;

	sscanf(text, "%15s %15s %15s %lld", action, name, after, &deadline);
	part = json_pack("{s:s, s:s, s:[], s:[], s:[], s:[]}", "action", action, "name", name,
			 "opens", "closes", "changes", "groups");
	if (*after != '*')
		json_object_set_new(part, "after",
				    *after == '-' ? json_null() : json_string(after));
	if (deadline)
		json_object_set_new(part, "deadline", json_integer(deadline));
	return part;
}

/* Adds the next change, of parts with ';' between; returns it. */
static json_t *add(const char *network, const char *by, const char *parts)
{
	json_int_t number = (json_int_t)json_array_size(lines.changes) + 1;
	__free_text char *copy = xstrdup(parts);
	char *rest = copy, *part;
	json_t *list = json_array();
	json_t *change =
		json_pack("{s:I, s:s, s:s, s:s?, s:n, s:n, s:s?, s:s, s:o}", "number", number, "id",
			  "x", "time", "2026-03-03T14:02:11Z", "by", by, "client", "comment",
			  "network_namespace", network, "boot", BOOT, "interfaces", list);

	while ((part = strsep(&rest, ";")))
		json_array_append_new(list, part_json(part));
	json_array_append_new(lines.changes, change);
	return change;
}

/* "final confirmed(3) pending", the state of each change and what settled it. */
static void expect_states(const char *expected)
{
	__free_text char *text = NULL;
	size_t length, i;
	const json_t *change;
	FILE *to = open_memstream(&text, &length);

	json_array_foreach (lines.changes, i, change) {
		const json_t *settled = json_object_get(change, "settled");
		const json_t *confirmed = json_object_get(change, "confirmed");
		const char *state = json_string_value(json_object_get(change, "state"));

		fprintf(to, "%s%s", i ? " " : "", state);
		if (json_is_object(settled))
			fprintf(to, "(%lld)",
				(long long)json_integer_value(json_object_get(settled, "number")));
		assert_true(!strcmp(state, "confirmed") ? json_is_true(confirmed) :
			    !strcmp(state, "reverted")	? json_is_false(confirmed) :
							  json_is_null(confirmed));
	}
	fclose(to);
	assert_string_equal(text, expected);
}

static void test_settle(void **state)
{
	(void)state;
	add(NULL, "a", "attach eth0 A");
	add(NULL, "a", "swap eth0 B 100;swap eth1 C 100");
	add(NULL, "b", "confirm eth0 *");
	add("other", "b", "confirm eth1 *");
	history_settle(&lines, BOOT, 50);
	/* One part is confirmed, the other waits. */
	expect_states("final pending(3) final final");
	history_settle(&lines, BOOT, 100);
	expect_states("final reverted(3) final final");
	add(NULL, "b", "confirm eth1 *");
	history_settle(&lines, BOOT, 500);
	expect_states("final confirmed(5) final final final");
}

static void test_find(void **state)
{
	__cleanup(names_free) struct names own = {}, other = {};

	(void)state;
	add(NULL, "a", "attach eth1 A;attach eth0 A");
	add("other", "a", "attach eth7 A");
	add(NULL, "a", "swap eth0 B;swap eth2 B");
	assert_null(history_find(&lines, 0));
	assert_null(history_find(&lines, 4));
	for (unsigned int i = 1; i <= 3; i++)
		assert_ptr_equal(history_find(&lines, i), json_array_get(lines.changes, i - 1));
	history_names(&lines, NULL, &own);
	expect_names(&own, "eth1 eth0 eth2");
	history_names(&lines, "other", &other);
	expect_names(&other, "eth7");
}

/* A confirm, a revert and a detach settle a change; a further swap does not. A deadline of another
 * boot has passed. */
static void test_settle_each(void **state)
{
	static const struct {
		const char *later, *expected;
	} cases[] = {
		{"confirm eth0 *", "confirmed(3) final final"},
		{"revert eth0 A", "reverted(3) final final"},
		{"detach eth0 -", "reverted(3) final final"},
		{"attach eth0 A", "reverted(3) final final"},
		{"swap eth0 D", "pending final final"},
		{"takeover eth0 B", "pending final final"},
		{"confirm eth1 *", "pending final final"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		add(NULL, "a", "swap eth0 B 100");
		add(NULL, "a", "swap eth1 X");
		add(NULL, "b", cases[i].later);
		history_settle(&lines, BOOT, 50);
		expect_states(cases[i].expected);
		tear_down(NULL);
		set_up(NULL);
	}
	add(NULL, "a", "swap eth0 B 100");
	history_settle(&lines, "boot-2", 50);
	expect_states("reverted");
	history_settle(&lines, NULL, 50);
	expect_states("reverted");
}

static void expect_state(const char *network, const char *name, unsigned long long number,
			 const char *expected)
{
	const struct history_interface of = {network, name};
	struct history_state state = history_state(&lines, &of, number);

	assert_string_equal(!state.known ? "unknown" : state.digest ? state.digest : "-", expected);
}

static void test_states(void **state)
{
	json_t *change;

	(void)state;
	change = add(NULL, "a", "swap eth0 B");
	json_object_set_new(json_array_get(json_object_get(change, "interfaces"), 0), "before",
			    json_string("A"));
	add("other", "a", "attach eth0 X");
	add(NULL, "a", "confirm eth0 *;attach eth1 C");
	add(NULL, "a", "detach eth0 -");
	add(NULL, "a", "revert eth1 -");
	add(NULL, "a", "takeover eth0 D");
	expect_state(NULL, "eth0", 0, "A");
	expect_state(NULL, "eth0", 1, "B");
	expect_state(NULL, "eth0", 3, "B");
	expect_state(NULL, "eth0", 4, "-");
	expect_state(NULL, "eth0", 5, "-");
	expect_state(NULL, "eth0", 99, "D");
	expect_state("other", "eth0", 1, "unknown");
	expect_state("other", "eth0", 2, "X");
	expect_state(NULL, "eth1", 2, "unknown");
	expect_state(NULL, "eth1", 4, "C");
	expect_state(NULL, "eth1", 5, "-");
	expect_state(NULL, "eth9", 5, "unknown");
}

static void expect_last(const char *network, const char *name, unsigned long long expected)
{
	__cleanup(names_free) struct names names = {};

	if (name)
		names_add(&names, name);
	history_settle(&lines, BOOT, 50);
	assert_int_equal(history_last(&lines, network, &names), expected);
}

static void test_last(void **state)
{
	json_t *change;

	(void)state;
	expect_last(NULL, NULL, 0);
	change = add(NULL, "a", "attach eth0 A");
	expect_last(NULL, NULL, 0); /* before it nothing is known */
	json_object_set_new(json_array_get(json_object_get(change, "interfaces"), 0), "before",
			    json_null());
	expect_last(NULL, NULL, 1);
	add(NULL, "a", "swap eth0 B");
	add(NULL, "a", "swap eth0 C 10");
	add(NULL, NULL, "revert eth0 B");
	add(NULL, "a", "takeover eth0 B2");
	add(NULL, "a", "swap eth0 B2"); /* the same change again, as at boot */
	add(NULL, "a", "confirm eth0 *");
	add("other", "a", "attach eth0 X");
	expect_last(NULL, NULL, 2);
	expect_last(NULL, "eth0", 2);
	expect_last(NULL, "eth1", 0);
	add(NULL, "a", "detach eth0 -");
	expect_last(NULL, NULL, 9);
	add(NULL, "a", "attach eth0 B2 900"); /* it is pending, so it has an effect */
	expect_last(NULL, NULL, 10);
}

static void test_difference(void **state)
{
	static const char kept[] =
		"{\"recipe\": {}, \"profiles\": [{\"name\": \"p\", \"services\": [{\"name\": \"s\", "
		"\"open\": true, \"direction\": \"in\", \"ports\": [\"%d/tcp\"], \"from\": []}]}]}";
	json_t *list;
	__free_text char *text = NULL;
	size_t length;
	FILE *to;

	(void)state;
	for (int i = 1; i <= 2; i++) {
		__free_text char *one = xasprintf(kept, i);

		json_object_set_new(lines.texts, i == 1 ? "A" : "B",
				    json_pack("{s:o}", "kept", json_loads(one, 0, NULL)));
	}
	add(NULL, "a", "attach eth0 A;attach eth1 A;attach eth2 A");
	add(NULL, "a", "swap eth0 B;swap eth2 gone");
	add("other", "a", "attach eth1 A");
	add(NULL, "a", "detach eth1 -");
	list = history_difference(&lines, 1, 4);
	assert_int_equal(json_array_size(list), 3);
	to = open_memstream(&text, &length);
	history_difference_text(&lines, 1, 4, list, to);
	fclose(to);
	assert_string_equal(text, "eth0: swap\n"
				  "  closes  1/tcp from anyone (p:s)\n"
				  "  opens   2/tcp from anyone (p:s)\n"
				  "eth1: detach\n"
				  "    everything passes\n"
				  "eth2: swap\n"
				  "    the history does not have both rule sets any more\n");
	json_decref(list);
	list = history_difference(&lines, 4, 4);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

static void test_chosen(void **state)
{
	static const struct {
		const char *list, *text;
		enum pc_transport transport;
		int port;
		bool chosen;
	} cases[] = {
		{"opens", "587/tcp", PC_TCP, 587, true},
		{"opens", "587/tcp", PC_UDP, 587, false},
		{"closes", "500-600/udp", PC_UDP, 587, true},
		{"closes", "out 587/tcp", PC_TCP, 587, true},
		{"changes", "587/tcp from anyone to mgmt (p:s)", PC_TCP, 587, true},
		{"changes", "587/tcp, 588/tcp (p:s): + 192.0.2.0/24", PC_TCP, 588, true},
		{"changes", "out 53/udp, 587/udp (p:s): + 192.0.2.0/24", PC_UDP, 587, true},
		{"changes", "counts out 587/tcp to anyone (p:s)", PC_TCP, 587, false},
		{"changes", "the policy from enforce to observe", PC_TCP, 587, false},
		{"opens", "5870/tcp", PC_TCP, 587, false},
		{"opens", "IP protocol gre", PC_TCP, 587, false},
	};
	__cleanup(names_free) struct names eth1 = {};
	struct history_select select = {.port = -1};
	json_t *change;

	(void)state;
	names_add(&eth1, "eth1");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		change = add(NULL, "a", "swap eth0 A");
		json_array_append_new(
			json_object_get(json_array_get(json_object_get(change, "interfaces"), 0),
					cases[i].list),
			json_string(cases[i].text));
		select.port = (int)PC_PORT(cases[i].transport, cases[i].port);
		if (history_is_chosen(change, &select) != cases[i].chosen)
			fail_msg("%s: %d", cases[i].text, !cases[i].chosen);
	}
	/* A port of a machine behind it belongs to the change, too. */
	change = add(NULL, "a", "swap eth0 A");
	json_object_set_new(json_array_get(json_object_get(change, "interfaces"), 0), "machines",
			    json_pack("[{s:s, s:[s], s:[], s:[]}]", "name", "mail", "opens",
				      "587/tcp", "closes", "changes"));
	select.port = (int)PC_PORT(PC_TCP, 587);
	assert_true(history_is_chosen(change, &select));
	select.port = (int)PC_PORT(PC_UDP, 587);
	assert_false(history_is_chosen(change, &select));
	change = add(NULL, "a", "swap eth0 A;detach eth1 -");
	assert_false(history_is_chosen(change, &select));
	select = (struct history_select){.port = -1, .names = &eth1};
	assert_true(history_is_chosen(change, &select));
	assert_false(history_is_chosen(add(NULL, "a", "swap eth0 A"), &select));
	select = (struct history_select){.port = -1, .since = 1772546531};
	assert_true(history_is_chosen(change, &select));
	select.since++;
	assert_false(history_is_chosen(change, &select));
}

static char *print(void (*text)(const json_t *report, FILE *to), json_t *report)
{
	char *printed = NULL;
	size_t length;
	FILE *to = open_memstream(&printed, &length);

	text(report, to);
	fclose(to);
	json_decref(report);
	return printed;
}

static void test_text(void **state)
{
	json_t *change = add("blue", "al\x1bice", "swap eth0 A 10;swap eth1 B"), *part;
	__free_text char *text = NULL, *none = NULL;

	(void)state;
	json_object_set_new(change, "client", json_string("192.0.2.7"));
	json_object_set_new(change, "comment", json_string("CHG-1"));
	part = json_array_get(json_object_get(change, "interfaces"), 0);
	for (int i = 1; i <= 10; i++)
		json_array_append_new(json_object_get(part, "opens"), json_sprintf("%d/tcp", i));
	json_array_append_new(json_object_get(part, "closes"), json_string("25/tcp"));
	for (int i = 1; i <= 3; i++)
		json_array_append_new(json_object_get(part, "changes"), json_sprintf("s%d", i));
	json_object_set_new(json_array_get(json_object_get(change, "interfaces"), 1), "machines",
			    json_pack("[{s:s, s:s, s:[s], s:[], s:[]}]", "name", "mail", "action",
				      "add", "opens", "25/tcp", "closes", "changes"));
	add("blue", NULL, "revert eth0 -");
	history_settle(&lines, BOOT, 50);
	setenv("TZ", "UTC", 1);
	text = print(report_history_text,
		     json_pack("{s:[o, o]}", "changes",
			       history_change_json(json_array_get(lines.changes, 0)),
			       history_change_json(json_array_get(lines.changes, 1))));
	assert_string_equal(
		text,
		"  change  time                     by                     state     what\n"
		"       1  2026-03-03 14:02:11 UTC  al?ice from 192.0.2.7  reverted  eth0 (blue): swap: opens 1/tcp, 2/tcp, 3/tcp, 4/tcp, 5/tcp, 6/tcp, 7/tcp, 8/tcp and 2 more; closes 25/tcp; s1; s2; and 1 more; comment: CHG-1\n"
		"                                                                    eth1 (blue): swap: machine mail (add): opens 25/tcp\n"
		"       2  2026-03-03 14:02:11 UTC  the deadline                     eth0 (blue): revert\n");
	none = print(report_history_text, json_pack("{s:[]}", "changes"));
	assert_string_equal(none, "no such change is recorded\n");
}

static void test_text_one(void **state)
{
	json_t *change = add(NULL, "alice", "swap eth0 A 100;detach eth1 -");
	__free_text char *text = NULL;
	size_t length;
	FILE *to;

	(void)state;
	json_object_set_new(change, "sudo_user", json_string("carol"));
	json_object_set_new(change, "command", json_string("apply --confirm 60"));
	json_object_set_new(change, "comment", json_string("CHG-1"));
	json_array_append_new(
		json_object_get(json_array_get(json_object_get(change, "interfaces"), 0), "opens"),
		json_string("587/tcp"));
	json_object_set_new(add(NULL, "bob", "confirm eth0 *"), "comment", json_string("good"));
	history_settle(&lines, BOOT, 500);
	setenv("TZ", "UTC", 1);
	to = open_memstream(&text, &length);
	history_change_text(&lines, change, to);
	fclose(to);
	assert_string_equal(text,
			    "change 1\n"
			    "  time      2026-03-03 14:02:11 UTC\n"
			    "  by        alice\n"
			    "  sudo      carol\n"
			    "  command   apply --confirm 60\n"
			    "  comment   CHG-1\n"
			    "  state     confirmed by bob, 2026-03-03 14:02:11 UTC (change 2); "
			    "comment: good\n"
			    "eth0: swap\n"
			    "    opens 587/tcp\n"
			    "eth1: detach\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_settle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_find, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_settle_each, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_chosen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_text_one, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("report/history", tests, NULL, NULL);
}
