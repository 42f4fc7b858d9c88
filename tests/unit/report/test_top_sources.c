// SPDX-License-Identifier: GPL-2.0
/* `top`: dropped sources by address; rates; a flood from forged addresses is one row. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "loader/report/top_sources.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/made_looks.h"

/* Two looks at eth0 and eth1 without drops, at 100 s and at 104 s. */
static void two_looks(struct top_looks *before, struct top_looks *now)
{
	look_add(before, "eth0", json_array());
	look_add(before, "eth1", json_array());
	look_time(before, 100);
	look_add(now, "eth0", json_array());
	look_add(now, "eth1", json_array());
	look_time(now, 104);
	before->boot = before->monotonic;
	now->boot = now->monotonic;
}

/* Adds an entry as the program records it; `address` as text. */
static void record(struct top_looks *looks, size_t look, const char *address, struct pc_drop drop)
{
	struct pc_drop_bucket bucket = {};

	drop.how |= PC_DROP_USED | (strchr(address, ':') ? PC_DROP_IPV6 : 0);
	inet_pton(strchr(address, ':') ? AF_INET6 : AF_INET, address, drop.address);
	bucket.drop[0] = drop;
	drops_add(&looks->drops, look, &bucket, false, 0);
}

/* A TCP packet to port 25 that the source is not admitted to, `packets` of 60 bytes. */
static struct pc_drop mail(__u32 first, __u32 last, __u64 packets)
{
	return (struct pc_drop){.first = first,
				.last = last,
				.packets = packets,
				.bytes = 60 * packets,
				.port = 25,
				.protocol = IPPROTO_TCP,
				.reason = PC_REASON_SOURCE,
				.how = first < last ? PC_DROP_AGAIN : 0};
}

/* "eth0 198.51.100.7 25/tcp source 5 1/s last 3 s; ..." */
static void expect_sources(const struct top_looks *now, const struct top_looks *before,
			   enum top_sort sort, const char *expected)
{
	struct top_rows rows;
	__free_text char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(to);
	top_rows(now, before, TOP_SOURCES, sort, &rows);
	for (size_t i = 0; i < rows.count; i++) {
		const struct top_row *row = &rows.row[i];
		__free_text char *address = top_source_address(now, row);
		__free_text char *ports = top_source_ports(now, row);
		__free_text char *reason = top_source_reason(now, row);
		__free_text char *last = top_source_last(now, row);

		fprintf(to, "%s%s %s %s %s %llu %g/s last %s", i ? "; " : "",
			now->look[row->look].interface, address, ports, reason,
			row->refused.packets, row->packets, last);
	}
	fclose(to);
	free(rows.row);
	assert_string_equal(text, expected);
}

static void test_rates(void **state)
{
	struct top_looks before = {}, now = {}, none = {};
	struct pc_drop ping = mail(90, 103, 8);

	(void)state;
	two_looks(&before, &now);
	record(&before, 0, "198.51.100.7", mail(90, 99, 5));
	record(&now, 0, "198.51.100.7", mail(90, 103, 13));
	record(&before, 1, "198.51.100.7", mail(90, 99, 1));
	record(&now, 1, "198.51.100.7", mail(90, 99, 1));
	record(&now, 1, "2001:db8::7", mail(102, 102, 4)); /* new */
	ping.protocol = IPPROTO_ICMP;
	ping.port = 13 << 8;
	ping.reason = PC_REASON_ICMP;
	record(&now, 0, "198.51.100.7", ping);
	top_sources_order(&before);
	top_sources_order(&now);
	expect_sources(&now, &before, TOP_BY_PACKETS,
		       "eth0 198.51.100.7 2 ports several 21 4/s last 1 s; "
		       "eth1 2001:db8::7 25/tcp source 4 1/s last 2 s; "
		       "eth1 198.51.100.7 25/tcp source 1 0/s last 5 s");
	expect_sources(&now, &none, TOP_BY_TOTAL,
		       "eth0 198.51.100.7 2 ports several 21 -1/s last 1 s; "
		       "eth1 2001:db8::7 25/tcp source 4 -1/s last 2 s; "
		       "eth1 198.51.100.7 25/tcp source 1 -1/s last 5 s");
	/* The same address at another interface is another row. */
	free(before.look[0].interface);
	before.look[0].interface = xstrdup("eth9");
	expect_sources(&now, &before, TOP_BY_PACKETS,
		       "eth1 2001:db8::7 25/tcp source 4 1/s last 2 s; "
		       "eth1 198.51.100.7 25/tcp source 1 0/s last 5 s; "
		       "eth0 198.51.100.7 2 ports several 21 -1/s last 1 s");
	top_looks_free(&before);
	top_looks_free(&now);
}

/* Entries that were cleared or replaced, and came again. */
static void test_entries_that_begin_anew(void **state)
{
	struct top_looks before = {}, now = {};

	(void)state;
	two_looks(&before, &now);
	record(&before, 0, "198.51.100.7", mail(50, 99, 500));
	record(&now, 0, "198.51.100.7", mail(102, 103, 8));
	record(&now, 0, "198.51.100.8", mail(60, 103, 80)); /* it was not in the table before */
	top_sources_order(&before);
	top_sources_order(&now);
	expect_sources(&now, &before, TOP_BY_PACKETS,
		       "eth0 198.51.100.7 25/tcp source 8 2/s last 1 s; "
		       "eth0 198.51.100.8 25/tcp source 80 0/s last 1 s");
	top_looks_free(&before);
	top_looks_free(&now);
}

static void test_forged(void **state)
{
	struct top_looks before = {}, now = {};
	char address[32];

	(void)state;
	two_looks(&before, &now);
	record(&now, 0, "203.0.113.9", mail(90, 103, 2));
	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "198.51.%d.7", i);
		record(&now, 0, address, mail(102, 102, 4));
	}
	for (int i = 0; i < 3; i++) {
		snprintf(address, sizeof(address), "198.51.%d.7", i);
		record(&now, 1, address, mail(103, 103, 1));
	}
	top_sources_order(&now);
	expect_sources(&now, &before, TOP_BY_PACKETS,
		       "eth0 100 sources 25/tcp source 400 100/s last 2 s; "
		       "eth1 198.51.0.7 25/tcp source 1 0.25/s last 1 s; "
		       "eth1 198.51.1.7 25/tcp source 1 0.25/s last 1 s; "
		       "eth1 198.51.2.7 25/tcp source 1 0.25/s last 1 s; "
		       "eth0 203.0.113.9 25/tcp source 2 0/s last 1 s");
	top_looks_free(&before);
	top_looks_free(&now);
}

static void test_texts(void **state)
{
	struct top_looks now = {}, before = {};
	struct pc_drop out = mail(40, 103, 1), broken = {.last = 4, .packets = 3};
	struct pc_drop gre = mail(1, 2, 9);

	(void)state;
	two_looks(&before, &now);
	now.boot = 7300 * LOOK_SECOND;
	out.how |= PC_DROP_OUT;
	out.reason = PC_REASON_OUTBOUND;
	gre.protocol = 47;
	gre.port = 0;
	gre.reason = PC_REASON_PROTOCOL;
	record(&now, 0, "198.51.100.7", out);
	record(&now, 0, "0.0.0.0", broken);
	record(&now, 0, "198.51.100.8", gre);
	top_sources_order(&now);
	expect_sources(&now, &before, TOP_BY_TOTAL,
		       "eth0 198.51.100.8 protocol 47 protocol 9 0/s last 2 h; "
		       "eth0 - - malformed 3 0/s last 2 h; "
		       "eth0 to 198.51.100.7 25/tcp outbound 1 0/s last 1 h");
	top_looks_free(&now);
	top_looks_free(&before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_entries_that_begin_anew),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("report/top_sources", tests, NULL, NULL);
}
