// SPDX-License-Identifier: GPL-2.0
/* Counts of a capture: cells, the table of drops, and the report of them. */
#include "loader/report/replay.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "loader/base/memory.h"
#include "loader/report/text_replay.h"
#include "tests/unit/expect.h"

#define SECONDS	 1000000000ULL
#define DROPPED	 PC_EVENT_DROP
#define OBSERVED (PC_EVENT_DROP | PC_EVENT_WOULD)

static struct replay replay;

static int start(void **state)
{
	(void)state;
	replay_begin(&replay);
	return 0;
}

static int end(void **state)
{
	(void)state;
	replay_end(&replay);
	return 0;
}

static struct pc_event event(__u32 cell, __u8 how, __u16 port)
{
	struct pc_event made = {.cell = cell,
				.family = 4,
				.protocol = IPPROTO_TCP,
				.remote_port = how & PC_EVENT_OUT ? port : 50000,
				.local_port = how & PC_EVENT_OUT ? 50000 : port,
				.how = how | PC_EVENT_PORTS};

	inet_pton(AF_INET, "10.1.2.3", made.remote);
	return made;
}

static void count(const struct pc_event *one, const char *machine, __u32 second, __u64 at)
{
	replay_count(&replay, one, machine, second, 100, at * SECONDS);
}

#define PORT(n)		(PC_PORT(PC_TCP, n))
#define PASS(n)		(PC_CELL_PASS + PORT(n))
#define REASON(r)	(PC_CELL_REASON + PC_REASON_##r)
#define REASON_WOULD(r) (PC_CELL_REASON_WOULD + PC_REASON_##r)

static void expect_packets(__u32 cell, unsigned long long packets)
{
	const struct count counted = replay.counters->cell[cell];

	assert_int_equal(counted.packets, packets);
	assert_int_equal(counted.bytes, 100 * packets);
}

static void counts_cells(void **state)
{
	struct pc_event passed = event(PASS(25), 0, 25);
	struct pc_event dropped = event(REASON(UNLISTED), DROPPED, 81);
	struct pc_event observed = event(REASON(UNLISTED), OBSERVED, 81);

	(void)state;
	count(&passed, NULL, 0, 1);
	expect_packets(PASS(25), 1);
	count(&dropped, NULL, PC_CELL_DROP + PORT(81), 1);
	expect_packets(REASON(UNLISTED), 1);
	expect_packets(PC_CELL_DROP + PORT(81), 1);
	expect_packets(REASON_WOULD(UNLISTED), 0);
	count(&observed, NULL, PC_CELL_DROP + PORT(81), 1);
	count(&observed, NULL, 0, 1);
	expect_packets(REASON(UNLISTED), 1);
	expect_packets(PC_CELL_DROP + PORT(81), 1);
	expect_packets(REASON_WOULD(UNLISTED), 2);
	expect_packets(PC_CELL_WOULD_DROP + PORT(81), 1);
	assert_int_equal(replay.packets, 4);
}

static struct drops list(void)
{
	struct drops drops;

	replay_drops(&replay, &drops);
	return drops;
}

static void joins_drops(void **state)
{
	struct pc_event one = event(REASON(UNLISTED), DROPPED, 81), other;
	struct drops drops;

	(void)state;
	count(&one, NULL, 0, 7);
	count(&one, NULL, 0, 5);
	count(&one, NULL, 0, 9);
	one.how |= PC_EVENT_WOULD;
	count(&one, NULL, 0, 6);
	drops = list();
	assert_int_equal(drops.count, 1);
	assert_int_equal(drops.row[0].drop.packets, 3);
	assert_int_equal(drops.row[0].drop.bytes, 300);
	assert_int_equal(drops.row[0].would_drop.packets, 1);
	assert_int_equal(drops.row[0].first, 5);
	assert_int_equal(drops.row[0].last, 9);
	assert_int_equal(drops.row[0].port, 81);
	assert_int_equal(drops.row[0].reason, PC_REASON_UNLISTED);
	drops_free(&drops);
	/* Each part of a row's key makes another row. */
	other = one;
	other.local_port = 82;
	count(&other, NULL, 0, 5);
	other = one;
	other.protocol = IPPROTO_UDP;
	count(&other, NULL, 0, 5);
	other = one;
	other.cell = REASON(SOURCE);
	count(&other, NULL, 0, 5);
	other = one;
	other.remote[0] ^= 1;
	count(&other, NULL, 0, 5);
	other = one;
	other.family = 6;
	count(&other, NULL, 0, 5);
	other = event(REASON(UNLISTED), DROPPED | PC_EVENT_OUT, 81);
	count(&other, NULL, 0, 5);
	count(&one, "shop", 0, 5);
	count(&one, "mail", 0, 5);
	count(&one, "shop", 0, 5);
	/* The remote port of incoming packets does not matter, nor the local one of outgoing
	 * packets. */
	one.remote_port = 50001;
	count(&one, NULL, 0, 5);
	other.local_port = 50001;
	count(&other, NULL, 0, 5);
	/* A passed packet is not a drop. */
	other = event(PASS(25), 0, 25);
	count(&other, NULL, 0, 5);
	drops = list();
	assert_int_equal(drops.count, 9);
	assert_int_equal(drops.forgotten, 0);
	for (size_t i = 0; i < drops.count; i++) {
		const char *machine = replay_machine(&replay, &drops.row[i]);

		if (machine)
			assert_int_equal(drops.row[i].drop.packets +
						 drops.row[i].would_drop.packets,
					 strcmp(machine, "shop") ? 1 : 2);
	}
	drops_free(&drops);
}

/* If all places of a set are used, a row that was seen once is replaced before one that was seen
 * again. */
static void forgets_rows_seen_once(void **state)
{
	enum { MANY = 120000 };
	struct pc_event scanner = event(REASON(UNLISTED), DROPPED, 81);
	struct pc_event steady = event(REASON(UNLISTED), DROPPED, 82);
	struct drops drops;
	size_t again = 0;

	(void)state;
	for (int i = 0; i < 300; i++) {
		steady.remote[0] = htonl(0x0b000000 + (__u32)i);
		count(&steady, NULL, 0, 1);
		count(&steady, NULL, 0, 2);
	}
	for (int i = 0; i < MANY; i++) {
		scanner.remote[0] = htonl(0x0a000000 + (__u32)i);
		count(&scanner, NULL, 0, 3);
	}
	drops = list();
	assert_int_equal(drops.count + drops.forgotten, MANY + 300);
	assert_true(drops.forgotten > MANY - 65536);
	for (size_t i = 0; i < drops.count; i++)
		again += drops.row[i].port == 82;
	assert_int_equal(again, 300);
	drops_free(&drops);
}

static const char kept_text[] =
	"{\"recipe\": {}, \"profiles\": [{\"name\": \"p\", \"services\": ["
	"{\"name\": \"admin\", \"direction\": \"in\", \"ports\": [\"22/tcp\"], \"from\": [], \"open\": true, \"why_closed\": null},"
	"{\"name\": \"web\", \"direction\": \"out\", \"ports\": [\"443/tcp\"], \"to\": [], \"open\": true, \"why_closed\": null}"
	"]}], \"machines\": [{\"name\": \"other\", \"profiles\": []}, {\"name\": \"shop\", \"profiles\": [{\"name\": \"q\", \"services\": ["
	"{\"name\": \"ssh\", \"direction\": \"in\", \"ports\": [\"22/tcp\"], \"from\": [], \"open\": true, \"why_closed\": null}"
	"]}]}]}";

static json_t *report(void)
{
	const struct replay_title title = {
		.file = "a.pcap", .interface = "eth0", .policy = PC_POLICY_ENFORCE, .forgotten = 3};
	json_t *kept = json_loads(kept_text, 0, NULL);
	json_t *json = replay_json(&replay, &title, kept, NULL, json_pack("[s]", "do that"));

	json_decref(kept);
	assert_non_null(json);
	return json;
}

/* The services of the row of this machine and port, joined; "": none. */
static char *services_of(const json_t *json, const char *machine, const char *way)
{
	const json_t *row, *service;
	size_t i, j;

	json_array_foreach (json_object_get(json, "drops"), i, row) {
		const char *of = json_string_value(json_object_get(row, "machine"));
		__cleanup(names_free) struct names names = {};

		if (strcmp(of ?: "", machine) ||
		    strcmp(json_string_value(json_object_get(row, "direction")) ?: "in", way))
			continue;
		json_array_foreach (json_object_get(row, "services"), j, service) {
			__free_text char *text =
				json_dumps(service, JSON_ENCODE_ANY | JSON_COMPACT);

			names_add(&names, text);
		}
		return names_join(&names, " ");
	}
	return xstrdup("no row");
}

static void reports(void **state)
{
	struct pc_event in = event(REASON(UNLISTED), DROPPED, 22);
	struct pc_event out = event(REASON(OUTBOUND), DROPPED | PC_EVENT_OUT, 443);
	__free_text char *own = NULL, *sent = NULL, *shop = NULL, *gone = NULL;
	json_t *json = report();

	(void)state;
	assert_true(json_is_null(json_object_get(json, "first")));
	assert_true(json_is_null(json_object_get(json, "last")));
	assert_int_equal(json_array_size(json_object_get(json, "drops")), 0);
	json_decref(json);
	replay.first = 1000000000 * SECONDS;
	replay.last = 1000000009 * SECONDS;
	replay.aside = 4;
	replay.cut = 5;
	replay.unsent = 6;
	count(&in, NULL, 0, 1000000000);
	count(&out, NULL, 0, 1000000000);
	count(&in, "shop", 0, 1000000000);
	count(&in, "gone", 0, 1000000000);
	json = report();
	assert_int_equal(json_integer_value(json_object_get(json, "packets")), 4);
	assert_int_equal(json_integer_value(json_object_get(json, "flows_forgotten")), 3);
	assert_int_equal(json_integer_value(json_object_get(json, "drops_forgotten")), 0);
	assert_string_equal(json_string_value(json_object_get(json, "policy")), "enforce");
	assert_string_equal(json_string_value(json_object_get(json, "file")), "a.pcap");
	assert_string_equal(json_string_value(json_object_get(json, "first")),
			    "2001-09-09T01:46:40Z");
	assert_string_equal(json_string_value(json_object_get(json, "last")),
			    "2001-09-09T01:46:49Z");
	assert_int_equal(json_array_size(json_object_get(json, "fixes")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "drops")), 4);
	own = services_of(json, "", "in");
	sent = services_of(json, "", "out");
	shop = services_of(json, "shop", "in");
	gone = services_of(json, "gone", "in");
	assert_non_null(strstr(own, "p:admin"));
	assert_non_null(strstr(sent, "p:web"));
	assert_non_null(strstr(shop, "q:ssh"));
	assert_string_equal(gone, "");
	json_decref(json);
}

static const char expected[] =
	"eth0: a.pcap: 2 packets from 2001-09-09 01:46:40 UTC to 2001-09-09 01:46:49 UTC; the filter observes\n"
	"  left out: 4 not from or to this host (see --local)\n"
	"  left out: 6 that would not be sent: they answer what is dropped\n"
	"  WAY  PORT    SERVICE  PASSED  BYTES  DROPPED  BYTES  WOULD DROP  BYTES\n"
	"  in   22/tcp  p:admin       1  100 B        0    0 B           0    0 B\n"
	"  REASON    DROPPED  BYTES  WOULD DROP  BYTES\n"
	"  unlisted        0    0 B           1  100 B\n"
	"  also passed: 0 replies, 0 ICMP, 0 other IP protocols, 0 non-IP\n"
	"  all received: passed 1 (100 B), dropped 0 (0 B), would have dropped 1 (100 B)\n"
	"\n"
	"  LAST                 SOURCE    PORT    REASON              WOULD DROP  FIRST\n"
	"  2001-09-09 01:46:40  10.1.2.3  22/tcp  unlisted (p:admin)           1  2001-09-09 01:46:40\n"
	"  what would open them, a command each:\n"
	"    do that\n"
	"    and that\n";

static void prints(void **state)
{
	struct pc_event in = event(REASON(UNLISTED), OBSERVED, 22);
	struct pc_event passed = event(PASS(22), 0, 22);
	json_t *kept = json_loads(kept_text, 0, NULL), *json;
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	(void)state;
	setenv("TZ", "UTC", 1);
	setenv("COLUMNS", "100", 1);
	replay.first = 1000000000 * SECONDS;
	replay.last = 1000000009 * SECONDS;
	replay.aside = 4;
	replay.unsent = 6;
	count(&in, NULL, 0, 1000000000);
	count(&passed, NULL, 0, 1000000000);
	json = report();
	json_object_set_new(json, "policy", json_string("observe"));
	json_array_append_new(json_object_get(json, "fixes"), json_string("and that"));
	report_replay_text(json, &replay, kept, to);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
	json_decref(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts_cells, start, end),
		cmocka_unit_test_setup_teardown(joins_drops, start, end),
		cmocka_unit_test_setup_teardown(forgets_rows_seen_once, start, end),
		cmocka_unit_test_setup_teardown(reports, start, end),
		cmocka_unit_test_setup_teardown(prints, start, end),
	};

	return cmocka_run_group_tests_name("report/replay", tests, NULL, NULL);
}
