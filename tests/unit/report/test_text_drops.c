// SPDX-License-Identifier: GPL-2.0
/* The text form of recent drops. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/base/memory.h"
#include "loader/report/text_drops.h"
#include "tests/unit/expect.h"

#define BOOTED (1007056800 * PC_SECOND) /* 2001-11-29T18:00:00Z, long before or after today */

static json_t *row_json(void *context, const struct drops_row *row)
{
	static struct drops names; /* no protocol has to be looked up */

	return drops_json(&names, row, context, row->machine ? "core" : NULL, NULL, BOOTED);
}

static struct drops_row *add(struct drops *drops, const char *address, __u16 port,
			     enum pc_reason reason, __u64 packets)
{
	bool ipv6 = strchr(address, ':');
	struct pc_drop_bucket bucket = {
		.drop = {{.first = 5,
			  .last = 65,
			  .packets = packets,
			  .port = port,
			  .protocol = IPPROTO_TCP,
			  .reason = (__u8)reason,
			  .how = (__u8)(PC_DROP_USED | (ipv6 ? PC_DROP_IPV6 : 0))}}};

	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, address, bucket.drop[0].address), 1);
	drops_add(drops, 0, &bucket, false, 0);
	return &drops->row[drops->count - 1];
}

static void expect_text(const struct drops *drops, size_t top, size_t columns,
			const char *interface, const char *expected)
{
	const struct drops_view view = {.drops = drops,
					.since = "2001-11-29T18:00:00Z",
					.row = row_json,
					.context = (void *)interface,
					.named = interface,
					.columns = columns};
	__free_text char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	report_drops_text(&view, top, to);
	fclose(to);
	if (strcmp(text, expected))
		print_error("%s", text);
	assert_string_equal(text, expected);
}

static void test_rows(void **state)
{
	struct drops drops = {};
	struct drops_row *row;

	(void)state;
	add(&drops, "198.51.100.7", 25, PC_REASON_SOURCE, 3);
	row = add(&drops, "198.51.100.0", 1, PC_REASON_UNLISTED, 1204);
	row->one = DROPS_ONE_PREFIX | DROPS_ONE_PROTOCOL;
	row->sources = 63;
	row->ports = 1204;
	row = add(&drops, "10.0.0.1", 80, PC_REASON_UNLISTED, 768);
	row->one = DROPS_ONE_PORT | DROPS_ONE_PROTOCOL | DROPS_ONE_REASON;
	row->sources = 4012;
	row->sampled = true;
	row = add(&drops, "2001:db8::7", 443, PC_REASON_OUTBOUND, 2);
	row->out = true;
	row = add(&drops, "192.0.2.1", 8 << 8 | 1, PC_REASON_ICMP, 1);
	row->protocol = IPPROTO_ICMP;
	row = add(&drops, "192.0.2.1", 0, PC_REASON_FRAGMENT, 1);
	row = add(&drops, "0.0.0.0", 0, PC_REASON_MALFORMED, 1);
	row->family = 0;
	row->protocol = 0;
	drops.forgotten = 7;
	expect_text(
		&drops, 7, 0, "eth0",
		"  IFACE  LAST                 SOURCE                       PORT        REASON     DROPPED  FIRST\n"
		"  eth0   2001-11-29 19:01:05  198.51.100.7                 25/tcp      source           3  2001-11-29 19:00:05\n"
		"  eth0   2001-11-29 19:01:05  198.51.100.0/24: 63 sources  1204 ports  several       1204  2001-11-29 19:00:05\n"
		"  eth0   2001-11-29 19:01:05  4012 sources                 80/tcp      unlisted      ~768  2001-11-29 19:00:05\n"
		"  eth0   2001-11-29 19:01:05  to 2001:db8::7               443/tcp     outbound         2  2001-11-29 19:00:05\n"
		"  eth0   2001-11-29 19:01:05  192.0.2.1                    icmp 8/1    icmp             1  2001-11-29 19:00:05\n"
		"  eth0   2001-11-29 19:01:05  192.0.2.1                    tcp         fragment         1  2001-11-29 19:00:05\n"
		"  eth0   2001-11-29 19:01:05  -                            -           malformed        1  2001-11-29 19:00:05\n"
		"  ~: an estimate, because in a flood only a sample is recorded; the totals of portcullis counters are exact\n"
		"  complete since 2001-11-29 19:00:00 CET; before that, 7 entries were replaced by newer ones\n");
	drops_free(&drops);
}

static void test_observed(void **state)
{
	struct drops drops = {};
	struct drops_row *row = add(&drops, "198.51.100.7", 25, PC_REASON_SOURCE, 3);

	(void)state;
	row->would_drop = row->drop;
	row->drop = (struct count){};
	expect_text(
		&drops, 1, 0, "eth0",
		"  IFACE  LAST                 SOURCE        PORT    REASON  WOULD DROP  FIRST\n"
		"  eth0   2001-11-29 19:01:05  198.51.100.7  25/tcp  source           3  2001-11-29 19:00:05\n"
		"  recorded since 2001-11-29 19:00:00 CET\n");
	drops_free(&drops);
}

/* No line is wider than the terminal, and a line says what is left out. */
static void test_width(void **state)
{
	struct drops drops = {};
	char *text = NULL, *rest, *line;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&drops, "2001:db8:1111:2222:3333:4444:5555:6666", 65535, PC_REASON_SOURCE,
		    18446744073709551ULL);
	for (size_t columns = 60; columns < 120; columns += 13) {
		const struct drops_view view = {.drops = &drops,
						.since = "2001-11-29T18:00:00Z",
						.row = row_json,
						.context = (void *)"enp0s31f6",
						.columns = columns};
		size_t length = 0;
		FILE *to = open_memstream(&text, &length);

		report_drops_text(&view, 1, to);
		fclose(to);
		assert_non_null(strstr(text, "... and 2 more lines"));
		rest = text;
		while ((line = strsep(&rest, "\n")))
			assert_true(strlen(line) <= columns);
		free(text);
	}
	drops_free(&drops);
}

/* If only one interface is shown, it is not named, and an IPv6 address fits within 80 columns. */
static void test_one_interface(void **state)
{
	struct drops drops = {};

	(void)state;
	add(&drops, "2001:db8:1111:2222:3333:4444:5555:6666", 993, PC_REASON_UNLISTED, 3);
	expect_text(
		&drops, 1, 80, NULL,
		"  LAST        SOURCE                                  PORT     REASON    DROPPED\n"
		"  2001-11-29  2001:db8:1111:2222:3333:4444:5555:6666  993/tcp  unlisted        3\n"
		"  19:01:05\n"
		"  recorded since 2001-11-29 19:00:00 CET\n");
	drops_free(&drops);
}

/* An interface's name cannot send commands to the terminal. */
static void test_escapes(void **state)
{
	struct drops drops = {};

	(void)state;
	add(&drops, "198.51.100.7", 25, PC_REASON_SOURCE, 3);
	expect_text(
		&drops, 1, 0, "e\033[2J",
		"  IFACE  LAST                 SOURCE        PORT    REASON  DROPPED  FIRST\n"
		"  e?[2J  2001-11-29 19:01:05  198.51.100.7  25/tcp  source        3  2001-11-29 19:00:05\n"
		"  recorded since 2001-11-29 19:00:00 CET\n");
	drops_free(&drops);
}

static void test_time(void **state)
{
	static const struct {
		const char *when, *text;
	} cases[] = {
		{"2026-11-29T18:01:05Z", "19:01:05"},
		{"2026-11-28T23:00:00Z", "00:00:00"},
		{"2026-11-28T22:59:59Z", "2026-11-28 23:59:59"},
		{"2025-11-29T18:01:05Z", "2025-11-29 19:01:05"},
		{"x", "x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__free_text char *text = drops_time(cases[i].when, 1795975200 + 3600);

		assert_string_equal(text, cases[i].text);
	}
}

/* Nothing to show: no interface, no drop, no drop that was asked for. */
static void test_none(void **state)
{
	static const struct {
		const char *since, *passes;
		bool chosen;
		const char *begins;
	} cases[] = {
		{NULL, NULL, false,
		 "portcullis is attached to no interface of this network namespace\n"},
		{"2026-01-01T00:00:00Z", NULL, false, "  nothing was dropped\n"},
		{"2026-01-01T00:00:00Z", NULL, true, "  no recorded drop is like that\n"},
		{"2026-01-01T00:00:00Z", "portcullis monitor", true,
		 "  no recorded drop is like that\n  what passes is shown by: portcullis monitor\n"},
	};
	struct drops drops = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct drops_view view = {.drops = &drops,
						.since = cases[i].since,
						.chosen = cases[i].chosen,
						.passes = cases[i].passes};
		char *text = NULL;
		size_t length;
		FILE *to = open_memstream(&text, &length);

		report_drops_text(&view, 10, to);
		fclose(to);
		if (strncmp(text, cases[i].begins, strlen(cases[i].begins)) ||
		    !cases[i].passes != !strstr(text, "what passes"))
			fail_msg("%zu: %s", i, text);
		free(text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),	 cmocka_unit_test(test_rows),
		cmocka_unit_test(test_observed), cmocka_unit_test(test_width),
		cmocka_unit_test(test_escapes),	 cmocka_unit_test(test_one_interface),
		cmocka_unit_test(test_time),
	};

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return cmocka_run_group_tests_name("report/text_drops", tests, NULL, NULL);
}
