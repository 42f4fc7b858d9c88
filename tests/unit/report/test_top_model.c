// SPDX-License-Identifier: GPL-2.0
/* `top`: rates between two looks, counters that start again, sums by service, order. */
#include "loader/report/top_model.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/made_looks.h"

#define PASS(transport, port) (PC_CELL_PASS + PC_PORT(transport, port))
#define DROP(transport, port) (PC_CELL_DROP + PC_PORT(transport, port))

static void expect_rows(const struct top_looks *now, const struct top_looks *before,
			enum top_panel panel, enum top_sort sort, const char *expected)
{
	struct top_rows rows;
	__free_text char *said = NULL;

	top_rows(now, before, panel, sort, &rows);
	said = rows_said(now, &rows);
	assert_string_equal(said, expected);
	free(rows.row);
}

static json_t *mail(void)
{
	return json_pack("[o]", service("mail", "in", "25/tcp"));
}

/* Two looks at eth0, 2 s apart, between which port 25 passed so many packets of 100 bytes. */
static void two_looks(struct top_looks *before, struct top_looks *now, __u64 then, __u64 later)
{
	struct top_look *look = look_add(before, "eth0", mail());

	look_count(look, PASS(PC_TCP, 25), then, 100 * then);
	look_time(before, 100);
	look = look_add(now, "eth0", mail());
	look_count(look, PASS(PC_TCP, 25), later, 100 * later);
	look_time(now, 102);
}

static void test_rates(void **state)
{
	struct top_looks before = {}, now = {}, none = {};

	(void)state;
	two_looks(&before, &now, 10, 15);
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in 25/tcp p:mail 15+0 2.5/s 2000 bit/s");
	/* At the first look there are no rates. */
	expect_rows(&now, &none, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in 25/tcp p:mail 15+0 -1/s -1 bit/s");
	/* An interface that was added meanwhile has none either. */
	free(before.look[0].interface);
	before.look[0].interface = xstrdup("eth1");
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in 25/tcp p:mail 15+0 -1/s -1 bit/s");
	top_looks_free(&before);
	top_looks_free(&now);
}

static void test_counters_that_go_back(void **state)
{
	struct top_looks before = {}, now = {};

	(void)state;
	two_looks(&before, &now, 1000, 15);
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in 25/tcp p:mail 15+0 0/s 0 bit/s");
	/* Cleared half a second ago: all counts came since then. */
	now.look[0].began = 101 * LOOK_SECOND + LOOK_SECOND / 2;
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in 25/tcp p:mail 15+0 30/s 24000 bit/s");
	/* The wall clock was set; the time between the looks is still right. */
	now.look[0].began = 500 * LOOK_SECOND;
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in 25/tcp p:mail 15+0 7.5/s 6000 bit/s");
	top_looks_free(&before);
	top_looks_free(&now);
}

/* The ports of one service are one row; unlisted ports, replies and outgoing packets have rows of
 * their own. */
static void test_services(void **state)
{
	struct top_looks now = {}, none = {};
	struct top_look *look = look_add(
		&now, "eth0",
		json_pack("[o, o, o, o]", service("rtp", "in", "60000-60099/udp"),
			  service("sip", "in", "5060/tcp+udp"), service("more", "in", "5061/tcp"),
			  service("dns", "out", "53/udp")));

	(void)state;
	look_count(look, PASS(PC_UDP, 60000), 4, 40);
	look_count(look, PASS(PC_UDP, 60099), 5, 50);
	look_count(look, DROP(PC_UDP, 60099), 1, 50);
	look_count(look, PASS(PC_UDP, 5060), 3, 30);
	look_count(look, PASS(PC_TCP, 5060), 2, 30);
	look_count(look, DROP(PC_TCP, 3389), 7, 70);
	look_count(look, DROP(PC_UDP, 5061), 2, 70);
	look_count(look, PC_CELL_OUT + PC_PORT(PC_UDP, 53), 1, 10);
	look_count(look, PC_CELL_OTHER + PC_OTHER_REPLY, 6, 60);
	expect_rows(&now, &none, TOP_SERVICES, TOP_BY_TOTAL,
		    "eth0 in 60000-60099/udp p:rtp 9+1 -1/s -1 bit/s; "
		    "eth0 in 3389/tcp unlisted 0+7 -1/s -1 bit/s; "
		    "eth0 in  (replies) 6+0 -1/s -1 bit/s; "
		    "eth0 in 5060/tcp+udp p:sip 5+0 -1/s -1 bit/s; "
		    "eth0 in 5061/udp unlisted 0+2 -1/s -1 bit/s; "
		    "eth0 out 53/udp p:dns 1+0 -1/s -1 bit/s; "
		    "eth0 in 5061/tcp p:more 0+0 -1/s -1 bit/s");
	top_looks_free(&now);
}

/* Ports that two services list are one row, separate from those that only one lists. */
static void test_shared_ports(void **state)
{
	struct top_looks now = {}, none = {};
	struct top_look *look = look_add(&now, "eth0",
					 json_pack("[o, o]", service("a", "in", "100-109/tcp"),
						   service("b", "in", "105/tcp")));

	(void)state;
	look_count(look, PASS(PC_TCP, 109), 3, 40);
	look_count(look, PASS(PC_TCP, 105), 2, 40);
	expect_rows(&now, &none, TOP_SERVICES, TOP_BY_TOTAL,
		    "eth0 in 100-104/tcp, 106-109/tcp p:a 3+0 -1/s -1 bit/s; "
		    "eth0 in 105/tcp p:a, p:b 2+0 -1/s -1 bit/s");
	top_looks_free(&now);
}

static void test_reasons(void **state)
{
	struct top_looks before = {}, now = {};
	struct top_look *look = look_add(&before, "eth0", json_array());

	(void)state;
	look_time(&before, 100);
	look = look_add(&now, "eth0", json_array());
	look_time(&now, 104);
	look_count(look, PC_CELL_REASON + PC_REASON_SOURCE, 8, 480);
	look_count(look, PC_CELL_REASON_WOULD + PC_REASON_UNLISTED, 40, 2400);
	look_count(look, PC_CELL_REASON + PC_REASON_OUTBOUND, 4, 240);
	expect_rows(&now, &before, TOP_REASONS, TOP_BY_PACKETS,
		    "eth0 in  unlisted 0+40 10/s 4800 bit/s; eth0 in  source 0+8 2/s 960 bit/s; "
		    "eth0 out  outbound 0+4 1/s 480 bit/s");
	top_looks_free(&before);
	top_looks_free(&now);
}

/* Each order, and equal rows in the order of `counters`. */
static void test_order(void **state)
{
	struct top_looks before = {}, now = {};

	(void)state;
	look_add(&before, "eth0", json_array());
	look_add(&before, "eth1", json_array());
	look_count(&before.look[0], DROP(PC_TCP, 1), 90, 900);
	look_time(&before, 100);
	look_add(&now, "eth0", json_array());
	look_add(&now, "eth1", json_array());
	look_time(&now, 101);
	look_count(&now.look[0], DROP(PC_TCP, 1), 100, 910); /* most in all */
	look_count(&now.look[0], DROP(PC_TCP, 2), 20, 200);  /* most packets */
	look_count(&now.look[1], DROP(PC_UDP, 3), 5, 7500);  /* most bits */
	look_count(&now.look[1], DROP(PC_TCP, 2), 5, 100);
	look_count(&now.look[0], DROP(PC_UDP, 2), 5, 100);
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in 2/tcp unlisted 0+20 20/s 1600 bit/s; "
		    "eth0 in 1/tcp unlisted 0+100 10/s 80 bit/s; "
		    "eth0 in 2/udp unlisted 0+5 5/s 800 bit/s; "
		    "eth1 in 2/tcp unlisted 0+5 5/s 800 bit/s; "
		    "eth1 in 3/udp unlisted 0+5 5/s 60000 bit/s");
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_BITS,
		    "eth1 in 3/udp unlisted 0+5 5/s 60000 bit/s; "
		    "eth0 in 2/tcp unlisted 0+20 20/s 1600 bit/s; "
		    "eth0 in 2/udp unlisted 0+5 5/s 800 bit/s; "
		    "eth1 in 2/tcp unlisted 0+5 5/s 800 bit/s; "
		    "eth0 in 1/tcp unlisted 0+100 10/s 80 bit/s");
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_TOTAL,
		    "eth0 in 1/tcp unlisted 0+100 10/s 80 bit/s; "
		    "eth0 in 2/tcp unlisted 0+20 20/s 1600 bit/s; "
		    "eth0 in 2/udp unlisted 0+5 5/s 800 bit/s; "
		    "eth1 in 2/tcp unlisted 0+5 5/s 800 bit/s; "
		    "eth1 in 3/udp unlisted 0+5 5/s 60000 bit/s");
	top_looks_free(&before);
	top_looks_free(&now);
}

/* A flood to all ports: the first rows are right, and the others are counted. */
static void test_flood(void **state)
{
	struct top_looks looks = {}, none = {};
	struct top_look *look = look_add(&looks, "eth0", mail());
	struct top_rows rows;
	double start;

	(void)state;
	for (__u32 port = 0; port < PC_PORTS; port++)
		look_count(look, PC_CELL_DROP + port, 1 + port * 7919 % PC_PORTS, 60);
	start = now();
	top_rows(&looks, &none, TOP_SERVICES, TOP_BY_TOTAL, &rows);
	expect_fast("rows of 131072 ports", start, 5);
	assert_int_equal(rows.count, TOP_ROWS_MOST);
	assert_int_equal(rows.left_out, PC_PORTS - TOP_ROWS_MOST);
	for (size_t i = 0; i < rows.count; i++)
		assert_int_equal(rows.row[i].refused.packets, PC_PORTS - i);
	free(rows.row);
	top_looks_free(&looks);
}

static json_t *profiles_asked(void *context, size_t at, struct top_machines **behind)
{
	int *asked = context;

	(void)at;
	*behind = NULL;
	++*asked;
	return profiles_of(mail());
}

static __u64 first_letter(const char *name)
{
	return (__u64)*name;
}

/* `a` has two services, one of them in two tallies and one with two ports; `b` lists nothing. */
static struct top_machines *machines(void)
{
	static const struct pc_tally tally[] = {
		{.machine = 'a', .first = 1, .last = 0},
		{.machine = 'a', .first = 1, .last = 0, .out = 1},
		{.machine = 'a', .first = PC_PORT(PC_TCP, 80), .last = PC_PORT(PC_TCP, 80)},
		{.machine = 'a', .first = PC_PORT(PC_TCP, 81), .last = PC_PORT(PC_TCP, 81)},
		{.machine = 'a', .first = PC_PORT(PC_UDP, 6000), .last = PC_PORT(PC_UDP, 7000)},
		{.machine = 'a', .first = PC_PORT(PC_TCP, 80), .last = PC_PORT(PC_TCP, 80)},
		{.machine = 'a',
		 .first = PC_PORT(PC_TCP, 25),
		 .last = PC_PORT(PC_TCP, 25),
		 .out = 1},
		{.machine = 'b', .first = 1, .last = 0},
		{.machine = 'z', .first = PC_PORT(PC_TCP, 80), .last = PC_PORT(PC_TCP, 80)},
	};
	json_t *kept = json_loads(
		"{\"machines\": [{\"name\": \"a\", \"profiles\": [{\"name\": \"p\", \"services\": ["
		"{\"name\": \"web\", \"direction\": \"in\", \"ports\": [\"80-81/tcp\"], \"open\": true},"
		"{\"name\": \"rtp\", \"direction\": \"in\", \"ports\": [\"6000-7000/udp\"], \"open\": true}]}]},"
		"{\"name\": \"b\", \"profiles\": []}]}",
		0, NULL);
	struct top_machines *made;

	assert_non_null(kept);
	made = top_machines_new(&(struct machine_tallies){tally, ARRAY_SIZE(tally), first_letter},
				kept);
	json_decref(kept);
	return made;
}

static void count_tally(struct top_look *look, __u32 tally, enum pc_tally_kind kind, __u64 packets)
{
	look_count(look, PC_CELL_MACHINE(tally, kind), packets, packets * 100);
}

static void test_machines(void **state)
{
	struct top_looks before = {}, now = {};

	(void)state;
	two_looks(&before, &now, 1, 2);
	now.look[0].behind = machines();
	count_tally(&before.look[0], 3, PC_TALLY_PASS, 1);
	count_tally(&now.look[0], 3, PC_TALLY_PASS, 5);
	count_tally(&now.look[0], 4, PC_TALLY_DROP, 2);
	count_tally(&now.look[0], 6, PC_TALLY_PASS, 10); /* of a recipe that it had before */
	count_tally(&now.look[0], 7, PC_TALLY_SENT, 1);	 /* listed before, not any more */
	count_tally(&now.look[0], 8, PC_TALLY_WOULD_DROP, 20);
	count_tally(&now.look[0], 9, PC_TALLY_PASS, 100); /* of a machine that is gone */
	expect_rows(&now, &before, TOP_SERVICES, TOP_BY_PACKETS,
		    "eth0 in any b: unlisted 0+20 10/s 8000 bit/s; "
		    "eth0 in 80/tcp, 81/tcp a: p:web 15+2 8/s 6400 bit/s; "
		    "eth0 in 25/tcp p:mail 2+0 0.5/s 400 bit/s; "
		    "eth0 out 25/tcp a: unlisted 1+0 0.5/s 400 bit/s; "
		    "eth0 in 6000-7000/udp a: p:rtp 0+0 0/s 0 bit/s");
	top_looks_free(&before);
	top_looks_free(&now);
}

/* A listing is made once for each generation. */
static void test_listings(void **state)
{
	struct top_looks before = {}, now = {};
	struct top_listing *old;
	int asked = 0;

	(void)state;
	two_looks(&before, &now, 1, 2);
	old = before.look[0].listing;
	top_listing_free(now.look[0].listing);
	top_listings(&now, &before, profiles_asked, &asked);
	assert_int_equal(asked, 0);
	assert_ptr_equal(now.look[0].listing, old);
	assert_null(before.look[0].listing);
	/* Attached again: the same number, but another time. */
	before.look[0].listing = now.look[0].listing;
	now.look[0].made_at++;
	top_listings(&now, &before, profiles_asked, &asked);
	assert_int_equal(asked, 1);
	assert_ptr_not_equal(now.look[0].listing, old);
	top_looks_free(&before);
	top_looks_free(&now);
}

static void test_total(void **state)
{
	struct top_looks before = {}, now = {};
	struct top_row row;

	(void)state;
	two_looks(&before, &now, 10, 20);
	look_count(&now.look[0], PC_CELL_REASON + PC_REASON_UNLISTED, 30, 1800);
	look_count(&now.look[0], PC_CELL_EGRESS, 8, 800);
	top_total(&now, &before, 0, false, &row);
	assert_true(row.packets == 20 && row.drops == 15 && row.bits == 8 * 2800 / 2);
	top_total(&now, &before, 0, true, &row);
	assert_true(row.packets == 4 && row.drops == 0);
	top_looks_free(&before);
	top_looks_free(&now);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),	 cmocka_unit_test(test_counters_that_go_back),
		cmocka_unit_test(test_services), cmocka_unit_test(test_shared_ports),
		cmocka_unit_test(test_reasons),	 cmocka_unit_test(test_order),
		cmocka_unit_test(test_flood),	 cmocka_unit_test(test_machines),
		cmocka_unit_test(test_listings), cmocka_unit_test(test_total),
	};

	return cmocka_run_group_tests_name("report/top_model", tests, NULL, NULL);
}
