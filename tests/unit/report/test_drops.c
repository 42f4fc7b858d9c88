// SPDX-License-Identifier: GPL-2.0
/* What was dropped lately: entries, the rows that they are added up to, their order and JSON. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/drops.h"
#include "tests/unit/expect.h"

#define BOOTED (1795975200 * PC_SECOND) /* 2026-11-29T18:00:00Z */

/* An entry of TCP, which tests change as they need. */
static struct pc_drop entry(const char *address, __u16 port, enum pc_reason reason, __u32 packets)
{
	bool ipv6 = strchr(address, ':');
	struct pc_drop drop = {
		.first = 100,
		.last = 100,
		.packets = packets,
		.bytes = 60ULL * packets,
		.port = port,
		.protocol = IPPROTO_TCP,
		.reason = (__u8)reason,
		.how = (__u8)(PC_DROP_USED | (ipv6 ? PC_DROP_IPV6 : 0)),
	};

	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, address, drop.address), 1);
	return drop;
}

static void add_to(struct drops *drops, size_t filter, struct pc_drop drop, bool flood)
{
	struct pc_drop_bucket bucket = {.drop = {[5] = drop}};

	drops_add(drops, filter, &bucket, flood, 0);
}

static void add(struct drops *drops, struct pc_drop drop)
{
	add_to(drops, 0, drop, false);
}

static void choose(struct drops *drops, const char *source)
{
	struct drops_select select = {.port = -1};
	char *why = NULL;

	if (source)
		assert_int_equal(0, prefix_parse(source, &select.source, &why));
	drops_choose(drops, &select);
}

static const char *text_of(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key)) ?: "-";
}

/* "198.51.100.7 25/tcp source 3", with sources and ports if there are more. */
static char *row_text(struct drops *drops, const struct drops_row *row)
{
	json_t *json = drops_json(drops, row, "eth0", NULL, NULL, BOOTED);
	const char *source = text_of(json, row->out ? "destination" : "source");
	const json_t *number = json_object_get(json, "port");
	__free_text char *port = json_is_integer(number) ?
					 xasprintf("%lld", (long long)json_integer_value(number)) :
					 xstrdup("-");
	__free_text char *more = row->sources + row->ports > 2 ?
					 xasprintf(" (%u, %u)", row->sources, row->ports) :
					 xstrdup("");
	char *text = xasprintf("%s%s %s/%s %s %s%llu%s", row->out ? "to " : "", source, port,
			       text_of(json, "protocol"), text_of(json, "reason"),
			       row->sampled ? "~" : "", row->drop.packets + row->would_drop.packets,
			       more);

	json_decref(json);
	return text;
}

/* The rows in their order, one on each line. */
static void expect_rows(struct drops *drops, const char *expected)
{
	__cleanup(names_free) struct names rows = {};
	__free_text char *text = NULL;

	for (size_t i = 0; i < drops->count; i++) {
		__free_text char *row = row_text(drops, &drops->row[i]);

		names_add(&rows, row);
	}
	text = names_join(&rows, "\n");
	assert_string_equal(text, expected);
}

static void test_entries(void **state)
{
	struct pc_drop_bucket bucket = {
		.drop = {
			[0] = entry("198.51.100.7", 25, PC_REASON_SOURCE, 3),
			[7] = entry("2001:db8::7", 993, PC_REASON_UNLISTED, 1),
		}};
	struct drops drops = {};

	(void)state;
	bucket.drop[1] = entry("198.51.100.8", 25, PC_REASON_SOURCE, 9);
	bucket.drop[1].how = 0;
	bucket.drop[2] = entry("198.51.100.9", 25, PC_REASON_SOURCE, 9);
	bucket.drop[2].last = 49;
	drops_begin(&drops, 50);
	drops_add(&drops, 0, &bucket, false, 50);
	choose(&drops, NULL);
	drops_sort(&drops, true);
	expect_rows(&drops, "198.51.100.7 25/tcp source 3\n2001:db8::7 993/tcp unlisted 1");
	assert_int_equal(drops.since, 50);
	assert_int_equal(drops.forgotten, 0);
	assert_false(drops.sampled);
	drops_free(&drops);
}

/* From when on the record is complete. Entries replaced before --clear do not count. */
static void test_forgotten(void **state)
{
	static const struct {
		__u32 forgotten, reached, since, then;
	} cases[] = {{5, 70, 50, 71}, {0, 70, 50, 50}, {5, 49, 50, 50}, {5, 50, 50, 51}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pc_drop_bucket bucket = {.forgotten = cases[i].forgotten,
						.reached = cases[i].reached};
		struct drops drops = {};

		drops_begin(&drops, cases[i].since);
		drops_forgot(&drops, &bucket, cases[i].since);
		assert_int_equal(drops.since, cases[i].then);
		assert_int_equal(drops.forgotten, cases[i].then == cases[i].since ? 0 : 5);
	}
}

/* Each bucket in which an entry of a prefix can be is found, and no other bucket. */
static void test_buckets(void **state)
{
	static const struct {
		const char *prefix, *address;
		__u32 buckets; /* 0: all */
	} cases[] = {
		{"198.51.100.0/24", "198.51.100.255", PC_DROP_PEACE / PC_DROP_SHARE},
		{"198.51.100.7", "198.51.100.7", PC_DROP_PEACE / PC_DROP_SHARE},
		{"2001:db8::/64", "2001:db8::1:2:3", PC_DROP_PEACE / PC_DROP_SHARE},
		{"198.51.100.0/23", "198.51.100.7", 0},
		{"2001:db8::/63", "2001:db8::1", 0},
		{NULL, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix prefix = {};
		__free_text bool *buckets = NULL;
		__u32 found = 0, j;
		char *why = NULL;

		if (cases[i].prefix)
			assert_int_equal(0, prefix_parse(cases[i].prefix, &prefix, &why));
		buckets = drops_buckets(&prefix, 12345);
		assert_int_equal(!buckets, !cases[i].buckets);
		for (j = 0; buckets && j < PC_DROP_PEACE; j++)
			found += buckets[j];
		assert_int_equal(found, cases[i].buckets);
		for (j = 0; buckets && j < 65536; j++) {
			struct pc_drop drop =
				entry(cases[i].address, (__u16)j, PC_REASON_SOURCE, 1);

			drop.how |= j % 2 ? PC_DROP_OUT : PC_DROP_WOULD;
			assert_true(buckets[pc_drop_bucket_of(&drop, 12345, false)]);
		}
	}
}

/* Entries of one key become one row: observed and enforced, exact and sampled. */
static void test_one_key(void **state)
{
	struct pc_drop exact = entry("198.51.100.7", 25, PC_REASON_UNLISTED, 3), would = exact,
		       sample = exact, out = exact, behind = exact;
	struct drops drops = {};

	(void)state;
	would.how |= PC_DROP_WOULD;
	would.packets = 10;
	would.first = 20;
	sample.packets = 512;
	sample.last = 900;
	out.how |= PC_DROP_OUT;
	add(&drops, exact);
	add(&drops, would);
	add_to(&drops, 0, sample, true);
	add(&drops, out);
	add_to(&drops, 1, exact, false);
	behind.machine = 70000;
	behind.packets = 2;
	add(&drops, behind);
	choose(&drops, NULL);
	drops_sort(&drops, true);
	expect_rows(&drops, "198.51.100.7 25/tcp unlisted ~525\n"
			    "to 198.51.100.7 25/tcp unlisted 3\n"
			    "198.51.100.7 25/tcp unlisted 3\n"
			    "198.51.100.7 25/tcp unlisted 2");
	assert_int_equal(drops.row[3].machine, 70000);
	assert_int_equal(drops.row[0].drop.packets, 515);
	assert_int_equal(drops.row[0].would_drop.packets, 10);
	assert_int_equal(drops.row[0].drop.bytes, 180 + 180);
	assert_int_equal(drops.row[0].first, 20);
	assert_int_equal(drops.row[0].last, 900);
	assert_true(drops.sampled);
	drops_free(&drops);
}

static void add_mixed(struct drops *drops)
{
	struct pc_drop udp = entry("198.51.100.9", 25, PC_REASON_UNLISTED, 4),
		       fragment = entry("2001:db8::1", 0, PC_REASON_FRAGMENT, 5),
		       broken = {.how = PC_DROP_USED, .last = 300, .packets = 6};

	udp.protocol = IPPROTO_UDP;
	udp.last = 200;
	add(drops, entry("198.51.100.7", 25, PC_REASON_SOURCE, 1));
	add(drops, entry("198.51.100.7", 993, PC_REASON_UNLISTED, 2));
	add(drops, udp);
	add(drops, fragment);
	add(drops, broken);
}

static void test_choose(void **state)
{
	static const struct {
		const char *source;
		int port;
		unsigned int reasons;
		__u32 since;
		const char *rows;
	} cases[] = {
		{NULL, -1, 0, 0,
		 "- -/- malformed 6\n198.51.100.9 25/udp unlisted 4\n2001:db8::1 -/tcp fragment 5\n"
		 "198.51.100.7 993/tcp unlisted 2\n198.51.100.7 25/tcp source 1"},
		{"198.51.100.7", -1, 0, 0,
		 "198.51.100.7 993/tcp unlisted 2\n198.51.100.7 25/tcp source 1"},
		{"198.51.100.8/31", -1, 0, 0, "198.51.100.9 25/udp unlisted 4"},
		{"0.0.0.0/0", 25, 0, 0, "198.51.100.7 25/tcp source 1"},
		{"::/0", -1, 0, 0, "2001:db8::1 -/tcp fragment 5"},
		{NULL, PC_PORT(PC_UDP, 25), 0, 0, "198.51.100.9 25/udp unlisted 4"},
		{NULL, 0, 0, 0, ""},
		{NULL, -1, 1 << PC_REASON_FRAGMENT | 1 << PC_REASON_SOURCE, 0,
		 "2001:db8::1 -/tcp fragment 5\n198.51.100.7 25/tcp source 1"},
		{NULL, -1, 0, 200, "- -/- malformed 6\n198.51.100.9 25/udp unlisted 4"},
		{"192.0.2.1", -1, 0, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drops_select select = {.port = cases[i].port,
					      .reasons = cases[i].reasons,
					      .since = cases[i].since};
		struct drops drops = {};
		char *why = NULL;

		if (cases[i].source)
			assert_int_equal(0, prefix_parse(cases[i].source, &select.source, &why));
		add_mixed(&drops);
		drops_choose(&drops, &select);
		drops_sort(&drops, false);
		expect_rows(&drops, cases[i].rows);
		drops_free(&drops);
	}
}

static void test_sum(void **state)
{
	static const struct {
		enum drops_by by;
		const char *rows;
	} cases[] = {
		{DROPS_BY_SOURCE, "- -/- malformed 6\n2001:db8::1 -/tcp fragment 5\n"
				  "198.51.100.9 25/udp unlisted 4\n198.51.100.7 -/tcp - 3 (1, 2)"},
		{DROPS_BY_PREFIX, "198.51.100.0/24 -/- - 7 (2, 3)\n- -/- malformed 6\n"
				  "2001:db8::/64 -/tcp fragment 5"},
		{DROPS_BY_PORT, "- -/- malformed 6\n2001:db8::1 -/tcp fragment 5\n"
				"198.51.100.9 25/udp unlisted 4\n198.51.100.7 993/tcp unlisted 2\n"
				"198.51.100.7 25/tcp source 1"},
		{DROPS_BY_REASON, "- -/- malformed 6\n198.51.100.0/24 -/- unlisted 6 (2, 2)\n"
				  "2001:db8::1 -/tcp fragment 5\n198.51.100.7 25/tcp source 1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drops drops = {};

		add_mixed(&drops);
		choose(&drops, NULL);
		drops_sum(&drops, cases[i].by);
		drops_sort(&drops, true);
		expect_rows(&drops, cases[i].rows);
		drops_free(&drops);
	}
}

static char *address_of(unsigned int number)
{
	return xasprintf("%u.%u.%u.%u", number >> 24, number >> 16 & 0xff, number >> 8 & 0xff,
			 number & 0xff);
}

/* `count` sources whose addresses are `apart` from each other. */
static void add_many(struct drops *drops, const char *from, unsigned int apart, unsigned int count,
		     unsigned int ports, bool flood, __u8 how)
{
	unsigned int first = ntohl(inet_addr(from));

	for (unsigned int i = 0; i < count; i++) {
		__free_text char *address = address_of(first + i * apart);
		struct pc_drop drop = entry(address, (__u16)(1 + i % ports), PC_REASON_UNLISTED, 1);

		drop.how |= how;
		add_to(drops, 0, drop, flood);
	}
}

/* Scans and floods become a line each; other sources keep their own. */
static void test_collapse(void **state)
{
	struct drops drops = {};
	struct pc_drop knock = entry("203.0.113.9", 22, PC_REASON_UNLISTED, 3);

	(void)state;
	knock.how |= PC_DROP_AGAIN;
	add(&drops, knock);
	knock = entry("203.0.113.9", 5060, PC_REASON_UNLISTED, 2);
	knock.protocol = IPPROTO_UDP;
	add(&drops, knock);
	add_many(&drops, "198.51.100.0", 1, 63, 10, false, PC_DROP_AGAIN);
	add_many(&drops, "192.0.2.1", 0, 400, 400, false, PC_DROP_AGAIN);
	add_many(&drops, "192.88.0.8", 1, 8, 1, false, 0); /* not many enough */
	add_many(&drops, "10.0.0.0", 1 << 8, 2000, 1, true, PC_DROP_AGAIN);
	add_many(&drops, "11.0.0.0", 1 << 8, 900, 900, false, 0);
	add_many(&drops, "12.0.0.0", 1 << 8, 40, 1, false, PC_DROP_AGAIN); /* came again */
	choose(&drops, NULL);
	drops_collapse(&drops);
	drops_sort(&drops, true);
	assert_int_equal(drops.count, 1 + 1 + 1 + 1 + 1 + 1 + 40);
	drops.count = 6;
	expect_rows(&drops, "- 1/tcp unlisted ~2009 (2009, 1)\n"
			    "- -/tcp unlisted 899 (899, 899)\n"
			    "192.0.2.1 -/tcp unlisted 400 (1, 400)\n"
			    "198.51.100.0/24 -/tcp unlisted 63 (63, 10)\n"
			    "203.0.113.9 22/tcp unlisted 3\n"
			    "203.0.113.9 5060/udp unlisted 2");
	drops_free(&drops);
}

static void expect_json(const struct pc_drop *drop, const char *services, const char *expected)
{
	struct drops drops = {};
	json_t *list = services ? json_pack("[s]", services) : NULL;
	json_t *wanted = json_loads(expected, 0, NULL), *json;

	add(&drops, *drop);
	json = drops_json(&drops, &drops.row[0], "eth0", "core", list, BOOTED);
	assert_non_null(wanted);
	if (!json_equal(json, wanted))
		fail_msg("%s", json_dumps(json, 0));
	json_decref(json);
	json_decref(wanted);
	json_decref(list);
	drops_free(&drops);
}

#define END                                                                                        \
	"\"first\": \"2026-11-29T18:01:40Z\", \"last\": \"2026-11-29T18:01:40Z\", "                \
	"\"drop\": {\"packets\": 3, \"bytes\": 180}, \"would_drop\": {\"packets\": 0, "            \
	"\"bytes\": 0}, \"sampled\": false, \"sources\": 1, \"ports\": 1, \"machine\": \"core\", " \
	"\"interface\": \"eth0\"}"

static void test_json(void **state)
{
	struct pc_drop drop = entry("198.51.100.7", 25, PC_REASON_SOURCE, 3);

	(void)state;
	expect_json(&drop, "xeams:smtp",
		    "{\"direction\": \"in\", \"source\": \"198.51.100.7\", \"protocol\": \"tcp\", "
		    "\"port\": 25, \"reason\": \"source\", \"services\": [\"xeams:smtp\"], " END);
	drop = entry("2001:db8::7", 25, PC_REASON_OUTBOUND, 3);
	drop.how |= PC_DROP_OUT;
	expect_json(
		&drop, NULL,
		"{\"direction\": \"out\", \"source\": null, \"destination\": \"2001:db8::7\", "
		"\"protocol\": \"tcp\", \"port\": 25, \"reason\": \"outbound\", \"services\": [], " END);
	drop = entry("::", 128 << 8 | 1, PC_REASON_ICMP, 3);
	drop.protocol = IPPROTO_ICMPV6;
	expect_json(
		&drop, NULL,
		"{\"direction\": \"in\", \"source\": \"::\", \"protocol\": \"icmpv6\", \"type\": 128, "
		"\"code\": 1, \"port\": null, \"reason\": \"icmp\", \"services\": [], " END);
	drop = entry("198.51.100.7", 0, PC_REASON_PROTOCOL, 3);
	drop.protocol = 253;
	expect_json(&drop, NULL,
		    "{\"direction\": \"in\", \"source\": \"198.51.100.7\", \"protocol\": \"253\", "
		    "\"port\": null, \"reason\": \"protocol\", \"services\": [], " END);
	drop = entry("0.0.0.0", 0, PC_REASON_MALFORMED, 3);
	drop.protocol = 0;
	expect_json(&drop, NULL,
		    "{\"direction\": \"in\", \"source\": null, \"protocol\": null, \"port\": null, "
		    "\"reason\": \"malformed\", \"services\": [], " END);
	/* A source without an address, such as a DHCP client. */
	drop = entry("0.0.0.0", 67, PC_REASON_UNLISTED, 3);
	drop.protocol = IPPROTO_UDP;
	expect_json(&drop, NULL,
		    "{\"direction\": \"in\", \"source\": \"0.0.0.0\", \"protocol\": \"udp\", "
		    "\"port\": 67, \"reason\": \"unlisted\", \"services\": [], " END);
	/* A reason that a later version has. */
	drop.reason = 200;
	expect_json(&drop, NULL,
		    "{\"direction\": \"in\", \"source\": \"0.0.0.0\", \"protocol\": \"udp\", "
		    "\"port\": 67, \"reason\": null, \"services\": [], " END);
}

/* The system's database of protocols is read once for each. */
static void test_protocols(void **state)
{
	struct drops drops = {};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct pc_drop drop = entry("198.51.100.7", 0, PC_REASON_PROTOCOL, 1);

		drop.protocol = 254;
		drop.last += (__u32)i;
		drop.address[0] += htonl((__u32)i);
		add(&drops, drop);
	}
	expect_rows(&drops, "198.51.100.7 -/254 protocol 1\n198.51.100.8 -/254 protocol 1");
	assert_non_null(drops.protocol[254]);
	json_decref(drops.protocol[254]);
	drops.protocol[254] = json_string("kept");
	expect_rows(&drops, "198.51.100.7 -/kept protocol 1\n198.51.100.8 -/kept protocol 1");
	drops_free(&drops);
}

/* A whole table of different entries. */
static void test_full(void **state)
{
	struct drops drops = {};
	double start;

	(void)state;
	add_many(&drops, "10.0.0.0", 77, PC_DROP_BUCKETS * PC_DROP_PLACES, 65535, false, 0);
	start = now();
	choose(&drops, NULL);
	drops_collapse(&drops);
	drops_sort(&drops, false);
	expect_fast("full table", start, 1);
	drops_free(&drops);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),	  cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_buckets),	  cmocka_unit_test(test_one_key),
		cmocka_unit_test(test_choose),	  cmocka_unit_test(test_sum),
		cmocka_unit_test(test_collapse),  cmocka_unit_test(test_json),
		cmocka_unit_test(test_protocols), cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests_name("report/drops", tests, NULL, NULL);
}
