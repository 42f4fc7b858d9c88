// SPDX-License-Identifier: GPL-2.0
/* Customers are distinguished from scanners, and services without packets are named. */
#include "loader/report/suggest_evidence.h"

#include <arpa/inet.h>

#include "loader/recipe/site_write.h"
#include "tests/unit/expect.h"

/* "198.51.100.7 25 3": three packets to a TCP port; " a" after it: answered. */
static void knock(struct suggest_evidence *evidence, const char *word)
{
	char address[64], answered = 0;
	unsigned int port, packets;
	struct suggest_knock *one;

	assert_true(sscanf(word, "%63s %u %u %c", address, &port, &packets, &answered) >= 3);
	evidence->knock = grow(evidence->knock, evidence->count, sizeof(*evidence->knock));
	one = &evidence->knock[evidence->count++];
	*one = (struct suggest_knock){.family = AF_INET,
				      .port = (__u16)port,
				      .packets = packets,
				      .first = 100,
				      .last = 200,
				      .answered = answered == 'a'};
	assert_int_equal(inet_pton(AF_INET, address, one->address), 1);
}

static const struct audit_listener listener[] = {
	{PC_TCP, 25, "master", NULL, NULL},  {PC_TCP, 143, "dovecot", NULL, NULL},
	{PC_TCP, 587, "master", NULL, NULL}, {PC_TCP, 9100, "node", "node.service", NULL},
	{PC_TCP, 9200, "other", NULL, NULL}, {PC_TCP, 7000, "monthly", NULL, NULL},
};

/* The site file, from `interfaces` on unless groups come first. */
/* Each closed port has its numbers; what listens there is named as the reason does. */
static void expect_closed(const json_t *closed)
{
	const json_t *one;
	size_t i;

	json_array_foreach (closed, i, one) {
		const char *why = json_string_value(json_object_get(one, "why"));
		const char *process = json_string_value(json_object_get(one, "process"));
		const char *unit = json_string_value(json_object_get(one, "unit"));
		bool quiet = strstr(why, "nothing came in");

		assert_int_equal(json_integer_value(json_object_get(one, "packets")) == 0, quiet);
		assert_int_equal(json_integer_value(json_object_get(one, "sources")) == 0, quiet);
		assert_true(json_is_integer(json_object_get(one, "packets")));
		assert_true(json_is_integer(json_object_get(one, "sources")));
		if (!strstr(why, " listens") || strstr(why, "thing listens"))
			continue;
		assert_non_null(process);
		assert_memory_equal(why, process, strlen(process));
		assert_int_equal(unit != NULL, strstr(why, ") listens") != NULL);
	}
}

static void expect_site(struct suggest_evidence *evidence, const char *profiles,
			const char *expected)
{
	const struct names folders = {.name = (char *[]){(char *)"profiles"}, .count = 1};
	const struct suggest_host host = {true, listener, ARRAY_SIZE(listener)};
	struct suggestion suggestion;
	struct catalog catalog;
	struct site_entry entry;
	struct diag diag = {};
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	assert_int_equal(catalog_open(&folders, &catalog, &diag), 0);
	suggestion_begin(&suggestion);
	recipe_profiles(&suggestion.recipe, profiles, &diag);
	suggest_line(&suggestion, "profiles", profiles, "by file");
	suggest_evidence(evidence, &catalog, &host, &suggestion, &diag);
	expect_said(&diag, "");
	entry = (struct site_entry){.name = "eth0",
				    .recipe = suggestion.recipe,
				    .notes = suggestion.lines,
				    .remarks = &suggestion.remarks};
	site_write(&entry, 1, NULL, to);
	fclose(to);
	if (strcmp(text, expected))
		print_error("suggested:\n%s\nexpected:\n%s\n", text, expected);
	assert_string_equal(text, expected);
	expect_closed(suggestion.closed);
	free(text);
	free(evidence->knock);
	suggestion_free(&suggestion);
	catalog_close(&catalog);
}

static void test_live(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	struct suggest_evidence evidence = {.counters = counters, .until = 7 * 86400};

	(void)state;
	/* A customer of two ports, who once used a third by mistake; a scanner; a stranger who came
	 * once. */
	knock(&evidence, "192.0.2.9 9100 12");
	knock(&evidence, "192.0.2.9 587 3");
	knock(&evidence, "192.0.2.9 9101 1");
	knock(&evidence, "203.0.113.5 9100 9");
	knock(&evidence, "203.0.113.5 9200 9");
	knock(&evidence, "203.0.113.5 1 9");
	knock(&evidence, "203.0.113.5 2 9");
	knock(&evidence, "203.0.113.5 3 9");
	knock(&evidence, "198.51.100.1 9200 1");
	knock(&evidence, "198.51.100.2 4 3");
	expect_site(
		&evidence, "postfix",
		"groups:\n"
		"  seen-9100-tcp:  # those that used 9100/tcp; others may be missing\n"
		"    - '192.0.2.9/32'\n"
		"interfaces:\n  eth0:\n    profiles:\n"
		"      - postfix  # by file; 3 packets in\n"
		"    enable:\n"
		"      - 'postfix:submission'  # 587/tcp was used by 192.0.2.9\n"
		"    open:\n"
		"      9100/tcp: [seen-9100-tcp]  # node (node.service) listens; 21 packets from 1: 192.0.2.9\n"
		"    # closed: 1/tcp: nothing listens; 9 packets from 203.0.113.5, which tried other ports too\n"
		"    # closed: 2/tcp: nothing listens; 9 packets from 203.0.113.5, which tried other ports too\n"
		"    # closed: 3/tcp: nothing listens; 9 packets from 203.0.113.5, which tried other ports too\n"
		"    # closed: 4/tcp: nothing listens; 3 packets from 198.51.100.2\n"
		"    # closed: 9101/tcp: nothing listens; 1 packet from 192.0.2.9\n"
		"    # closed: 9200/tcp: other listens, but only strangers came: 10 packets from 198.51.100.1, 203.0.113.5, some of which scan\n"
		"    # not seen in 7 d: postfix:smtp; it stays open, since a monthly job would not have been seen\n"
		"    # not seen in 7 d: host:dhcpv6-client; it stays open, since a monthly job would not have been seen\n"
		"    # closed: 143/tcp: dovecot listens, and nothing came in 7 d; a monthly job would not have been seen\n"
		"    # closed: 7000/tcp: monthly listens, and nothing came in 7 d; a monthly job would not have been seen\n");
	free(counters);
}

/* In a capture answers count, and not what listens here. */
static void test_capture(void **state)
{
	struct suggest_evidence evidence = {.until = 7200};

	(void)state;
	for (int i = 1; i <= 40; i++) {
		__free_text char *word = xasprintf("198.51.%d.7 8443 1 a", i);

		knock(&evidence, word);
	}
	knock(&evidence, "192.0.2.9 25 5 a");
	knock(&evidence, "192.0.2.9 3306 5");
	expect_site(
		&evidence, "postfix",
		"interfaces:\n  eth0:\n    profiles:\n"
		"      - postfix  # by file; 5 packets in\n"
		"    open:\n"
		"      8443/tcp: anyone  # something listens; 40 packets from 40: 198.51.1.7, 198.51.2.7, 198.51.3.7, 198.51.4.7, "
		"198.51.5.7 and 35 more\n"
		"    # closed: 3306/tcp: nothing answers; 5 packets from 192.0.2.9\n"
		"    # not seen in 2 h: host:dhcpv6-client; it stays open, since a monthly job would not have been seen\n"
		"    # closed: 143/tcp: dovecot listens, and nothing came in 2 h; a monthly job would not have been seen\n"
		"    # closed: 587/tcp: master listens, and nothing came in 2 h; a monthly job would not have been seen\n"
		"    # closed: 9100/tcp: node (node.service) listens, and nothing came in 2 h; a monthly job would not have been seen\n"
		"    # closed: 9200/tcp: other listens, and nothing came in 2 h; a monthly job would not have been seen\n"
		"    # closed: 7000/tcp: monthly listens, and nothing came in 2 h; a monthly job would not have been seen\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_capture),
	};

	return cmocka_run_group_tests_name("report/suggest_evidence", tests, NULL, NULL);
}
