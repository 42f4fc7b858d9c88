// SPDX-License-Identifier: GPL-2.0
/* The arithmetic of counters: words, totals, rows of CPUs, reasons and sums. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "loader/base/memory.h"
#include "loader/report/counters.h"

#define CPUS  3
#define PAGES 8 /* for listed ports */

struct maps {
	struct pc_filter filter;
	struct pc_page *rows, *totals;
	struct counters *counters;
};

static int make_maps(void **state)
{
	struct maps *maps = xcalloc(1, sizeof(*maps));

	maps->filter.rows = CPUS;
	maps->filter.row_pages = PC_PAGE_LISTED + PAGES;
	for (__u32 cpu = 0; cpu < PC_CPUS; cpu++)
		maps->filter.row[cpu] = cpu < CPUS ? cpu * maps->filter.row_pages : PC_ROW_NONE;
	maps->rows = xcalloc(CPUS * maps->filter.row_pages, sizeof(*maps->rows));
	maps->totals = xcalloc(PC_TOTALS(PAGES) / PC_PAGE_WORDS, sizeof(*maps->totals));
	maps->counters = xcalloc(1, sizeof(*maps->counters));
	*state = maps;
	return 0;
}

static int free_maps(void **state)
{
	struct maps *maps = *state;

	free(maps->rows);
	free(maps->totals);
	free(maps->counters);
	free(maps);
	return 0;
}

static void sum(struct maps *maps)
{
	counters_sum(&(struct counter_maps){&maps->filter, maps->rows, maps->totals},
		     maps->counters);
}

/* Pages are given in the order of the requests. */
static __u32 page_of(struct maps *maps, __u32 cell)
{
	__u16 *page = &maps->filter.page[PC_LISTED(cell)];

	if (PC_CELL_IS_DROP(cell))
		return PC_PAGE_DROP + cell % PC_PORTS / PC_PAGE_CELLS;
	if (!*page)
		*page = PC_PAGE_LISTED + maps->filter.listed++;
	return *page;
}

static __u32 *narrow(struct maps *maps, int cpu, __u32 cell)
{
	return &maps->rows[maps->filter.row[cpu] + page_of(maps, cell)].cell[cell % PC_PAGE_CELLS];
}

static __u64 *wide(struct maps *maps, int cpu, __u32 cell)
{
	return &maps->rows[maps->filter.row[cpu] + PC_PAGE_WIDE].word[cell - PC_CELL_REASON];
}

static __u64 *total_of(struct maps *maps, __u32 cell)
{
	__u32 index = cell >= PC_CELL_REASON ? PC_TOTAL_WIDE(cell) :
		      PC_CELL_IS_DROP(cell)  ? PC_TOTAL_PORT(cell) :
					       PC_TOTAL_LISTED(page_of(maps, cell), cell);

	return &maps->totals[index / PC_PAGE_WORDS].word[index % PC_PAGE_WORDS];
}

/* The state that a CPU leaves. */
static void put(struct maps *maps, int cpu, __u32 cell, __u64 packets, __u64 bytes)
{
	__u32 page = cell < PC_CELL_REASON ? page_of(maps, cell) : 0;

	if (cell >= PC_CELL_REASON) {
		*wide(maps, cpu, cell) = packets * PC_CELL_PACKET + bytes;
		return;
	}
	*narrow(maps, cpu, cell) = (__u32)(packets * PC_NARROW_PACKET + bytes) | PC_CELL_SIGN(cell);
	maps->rows[maps->filter.row[cpu] + PC_PAGE_TOUCHED].cell[page / 32] |= 1U << page % 32;
}

static void assert_count(struct count count, __u64 packets, __u64 bytes)
{
	assert_int_equal(count.packets, packets);
	assert_int_equal(count.bytes, bytes);
}

static void adds_up_cpus(void **state)
{
	struct maps *maps = *state;

	put(maps, 0, PC_CELL_PASS + 25, 1, 60);
	put(maps, 1, PC_CELL_PASS + 25, 2, 3000);
	put(maps, 2, PC_CELL_PASS + 25, 4, 400);
	put(maps, 2, PC_CELL_DROP + 25, 5, 500);
	put(maps, 1, PC_CELL_OUT + 25, 6, 600);
	put(maps, 2, PC_CELLS - 1, 9, 9);
	sum(maps);
	assert_count(counters_port(maps->counters, 25).pass, 7, 3460);
	assert_count(counters_port(maps->counters, 25).drop, 5, 500);
	assert_count(counters_port(maps->counters, 25).would_drop, 0, 0);
	assert_count(counters_out(maps->counters, 25).pass, 6, 600);
	assert_count(counters_port(maps->counters, 26).pass, 0, 0);
	assert_count(maps->counters->cell[PC_CELLS - 1], 9, 9);
}

/* A word belongs to one policy; CPUs may be at different ones. */
static void policies_share_words(void **state)
{
	struct maps *maps = *state;

	put(maps, 0, PC_CELL_DROP + 25, 1, 60);
	put(maps, 1, PC_CELL_WOULD_DROP + 25, 2, 100);
	put(maps, 2, PC_CELL_DROP + 25, 4, 200);
	*total_of(maps, PC_CELL_DROP + 25) = 10 * PC_CELL_PACKET + 1000;
	*total_of(maps, PC_CELL_WOULD_DROP + 25) = 20 * PC_CELL_PACKET + 2000;
	sum(maps);
	assert_count(counters_port(maps->counters, 25).drop, 15, 1260);
	assert_count(counters_port(maps->counters, 25).would_drop, 22, 2100);
	*narrow(maps, 1, PC_CELL_DROP + 25) = PC_NARROW_WOULD; /* just flushed */
	sum(maps);
	assert_count(counters_port(maps->counters, 25).would_drop, 20, 2000);
}

static void fields_do_not_touch(void **state)
{
	struct maps *maps = *state;
	__u64 most_packets = (PC_CELL_PACKET_CARRY >> PC_CELL_BYTES_BITS) - 1;
	__u64 most_bytes = PC_CELL_BYTES_CARRY - 1;
	__u32 reason = PC_CELL_REASON + 7;

	put(maps, 0, reason, most_packets, most_bytes);
	put(maps, 0, PC_CELL_WOULD_DROP + 7, 511, (1 << 20) - 1);
	put(maps, 0, PC_CELL_PASS + 7, 511, (1 << 20) - 1);
	sum(maps);
	assert_count(maps->counters->cell[reason], most_packets, most_bytes);
	assert_count(maps->counters->cell[PC_CELL_WOULD_DROP + 7], 511, 1048575);
	assert_count(maps->counters->cell[PC_CELL_DROP + 7], 0, 0);
	assert_count(maps->counters->cell[PC_CELL_PASS + 7], 511, 1048575);
}

/* A total counts even if no row has anything on the page, because a CPU without a row adds
 * there. */
static void adds_totals(void **state)
{
	const __u32 cell[] = {PC_CELL_PASS + 7, PC_CELL_DROP + 70,  PC_CELL_WOULD_DROP + 700,
			      PC_CELL_OUT + 8,	PC_CELL_REASON + 1, PC_CELL_EGRESS};
	struct maps *maps = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cell); i++)
		*total_of(maps, cell[i]) = (i + 3) * PC_CELL_PACKET + 4 + i;
	sum(maps);
	for (i = 0; i < ARRAY_SIZE(cell); i++)
		assert_count(maps->counters->cell[cell[i]], i + 3, 4 + i);
	for (i = 0; i < ARRAY_SIZE(cell); i++) {
		put(maps, 1, cell[i], 100, 1000);
		*total_of(maps, cell[i]) += 1;
	}
	sum(maps);
	for (i = 0; i < ARRAY_SIZE(cell); i++)
		assert_count(maps->counters->cell[cell[i]], i + 103, 1005 + i);
}

/* The index of a total leads back to its cell. */
static void totals_have_cells(void **state)
{
	struct pc_filter *filter = &((struct maps *)*state)->filter;

	filter->page[PC_LISTED(PC_CELL_PASS)] = PC_PAGE_LISTED;
	filter->page[PC_LISTED(PC_CELL_OUT)] = PC_PAGE_LISTED + 1;
	assert_int_equal(counters_total_cell(filter, PC_TOTAL_WIDE(PC_CELL_EGRESS)),
			 PC_CELL_EGRESS);
	assert_int_equal(counters_total_cell(filter, PC_TOTAL_PORT(PC_CELL_DROP)), PC_CELL_DROP);
	assert_int_equal(counters_total_cell(filter, PC_TOTAL_PORT(PC_CELL_OUT - 1)),
			 PC_CELL_OUT - 1);
	assert_int_equal(counters_total_cell(filter, PC_TOTAL_LISTED(PC_PAGE_LISTED, 25)),
			 PC_CELL_PASS + 25);
	assert_int_equal(counters_total_cell(filter, PC_TOTAL_LISTED(PC_PAGE_LISTED + 1, 255)),
			 PC_CELL_OUT + 255);
	assert_int_equal(counters_total_cell(filter, PC_TOTAL_LISTED(PC_PAGE_LISTED + 2, 0)),
			 PC_CELLS_END);
	assert_int_equal(counters_total_cell(filter, 0xffffffff), PC_CELLS_END);
}

/* A CPU in the middle of a flush: its word still has the top bit, and the total does not count
 * yet. */
static void *finish_flush(void *argument)
{
	struct maps *maps = argument;
	struct timespec pause = {.tv_nsec = 200000};

	nanosleep(&pause, NULL);
	__atomic_fetch_add(total_of(maps, PC_CELL_DROP + 7),
			   PC_CELL_PACKET + PC_NARROW_BYTES_CARRY + 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(narrow(maps, 0, PC_CELL_DROP + 7), 0, __ATOMIC_SEQ_CST);
	return NULL;
}

static void waits_for_a_flush(void **state)
{
	struct maps *maps = *state;
	pthread_t thread;

	put(maps, 0, PC_CELL_DROP + 7, 1, PC_NARROW_BYTES_CARRY + 1);
	assert_int_equal(pthread_create(&thread, NULL, finish_flush, maps), 0);
	sum(maps);
	assert_int_equal(*narrow(maps, 0, PC_CELL_DROP + 7), 0); /* it has waited */
	pthread_join(thread, NULL);
	assert_count(maps->counters->cell[PC_CELL_DROP + 7], 1, PC_NARROW_BYTES_CARRY + 1);
}

/* A wide word is flushed into `carries`, which the caller adds. */
static void *finish_carry(void *argument)
{
	struct maps *maps = argument;
	struct timespec pause = {.tv_nsec = 200000};

	nanosleep(&pause, NULL);
	__atomic_store_n(wide(maps, 0, PC_CELL_EGRESS), PC_CELL_PACKET + 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void waits_for_a_carry(void **state)
{
	struct maps *maps = *state;
	pthread_t thread;

	put(maps, 0, PC_CELL_EGRESS, 1, PC_CELL_BYTES_CARRY + 1);
	assert_int_equal(pthread_create(&thread, NULL, finish_carry, maps), 0);
	sum(maps);
	pthread_join(thread, NULL);
	assert_count(maps->counters->cell[PC_CELL_EGRESS], 1, 1);
}

static void reasons_have_their_own_cells(void **state)
{
	struct maps *maps = *state;

	put(maps, 0, PC_CELL_REASON + PC_REASON_UNLISTED, 5, 500);
	put(maps, 1, PC_CELL_REASON + PC_REASON_UNLISTED, 3, 300);
	put(maps, 0, PC_CELL_REASON + PC_REASON_SOURCE, 4, 400);
	put(maps, 0, PC_CELL_REASON_WOULD + PC_REASON_UNLISTED, 2, 20);
	put(maps, 0, PC_CELL_REASON + PC_REASON_MALFORMED, 1, 14);
	sum(maps);
	assert_count(counters_reason(maps->counters, PC_REASON_UNLISTED).drop, 8, 800);
	assert_count(counters_reason(maps->counters, PC_REASON_SOURCE).drop, 4, 400);
	assert_count(counters_reason(maps->counters, PC_REASON_MALFORMED).drop, 1, 14);
	assert_count(counters_reason(maps->counters, PC_REASON_UNLISTED).would_drop, 2, 20);
}

/* The words PC_CELL_GATE, _DEAF and _SPARE do not count packets, and their bits do not mean a
 * flush. */
static void gates_count_nothing(void **state)
{
	static const __u32 cell[] = {PC_CELL_GATE, PC_CELL_DEAF, PC_CELL_SPARE};
	struct maps *maps = *state;

	put(maps, 0, PC_CELL_REASON + PC_REASON_UNLISTED, 3, 180);
	for (size_t i = 0; i < ARRAY_SIZE(cell); i++)
		*wide(maps, 0, cell[i]) = ~PC_CELL_PENDING;
	sum(maps);
	assert_count(counters_total(maps->counters).drop, 3, 180);
	for (size_t i = 0; i < ARRAY_SIZE(cell); i++) {
		assert_count(maps->counters->cell[cell[i]], 0, 0);
		assert_true(cell[i] >= PC_CELL_REASON + PC_REASONS);
		assert_true(cell[i] < PC_CELL_REASON_WOULD);
		/* They are in the cache line of the commonest reason. */
		assert_int_equal(PC_TOTAL_WIDE(cell[i]) / 8,
				 PC_TOTAL_WIDE(PC_CELL_REASON + PC_REASON_UNLISTED) / 8);
	}
}

/* A port's cell is read at another time than its reason's, and neither changes the other's
 * value. */
static void ports_do_not_touch_reasons(void **state)
{
	struct maps *maps = *state;

	put(maps, 0, PC_CELL_DROP + PC_PORT(PC_TCP, 25), 9, 540);
	put(maps, 0, PC_CELL_WOULD_DROP + PC_PORT(PC_UDP, 65535), 7, 420);
	put(maps, 0, PC_CELL_REASON + PC_REASON_SOURCE, 8, 480);
	sum(maps);
	assert_count(counters_reason(maps->counters, PC_REASON_UNLISTED).drop, 0, 0);
	assert_count(counters_reason(maps->counters, PC_REASON_UNLISTED).would_drop, 0, 0);
	assert_count(counters_reason(maps->counters, PC_REASON_SOURCE).drop, 8, 480);
	assert_count(counters_total(maps->counters).drop, 8, 480);
	assert_count(counters_total(maps->counters).would_drop, 0, 0);
}

/* Every packet counts once: drops at ports are in their reasons, and are not added again. */
static void total_counts_each_packet_once(void **state)
{
	struct maps *maps = *state;
	struct counts total;

	put(maps, 0, PC_CELL_PASS + PC_PORT(PC_TCP, 25), 1, 10);
	put(maps, 0, PC_CELL_PASS + PC_PORT(PC_UDP, 65535), 2, 20);
	put(maps, 1, PC_CELL_OTHER + PC_OTHER_NON_IP, 4, 40);
	put(maps, 1, PC_CELL_OTHER + PC_OTHER_REPLY, 8, 80);
	put(maps, 0, PC_CELL_DROP + PC_PORT(PC_TCP, 25), 16, 160);
	put(maps, 0, PC_CELL_REASON + PC_REASON_SOURCE, 16, 160);
	put(maps, 1, PC_CELL_DROP + PC_PORT(PC_UDP, 0), 256, 2560);
	put(maps, 1, PC_CELL_REASON + PC_REASON_UNLISTED, 256, 2560);
	put(maps, 2, PC_CELL_REASON + PC_REASON_PROTOCOL, 32, 320);
	put(maps, 2, PC_CELL_REASON_WOULD + PC_REASON_FRAGMENT, 64, 640);
	put(maps, 2, PC_CELL_WOULD_DROP + PC_PORT(PC_TCP, 1), 128, 1280);
	put(maps, 2, PC_CELL_REASON_WOULD + PC_REASON_SOURCE, 128, 1280);
	sum(maps);
	total = counters_total(maps->counters);
	assert_count(total.pass, 15, 150);
	assert_count(total.drop, 304, 3040);
	assert_count(total.would_drop, 192, 1920);
}

static void rare(struct maps *maps, __u32 cell, __u64 packets, __u64 bytes)
{
	counters_add(maps->counters, cell, &(struct pc_count){packets, bytes});
}

/* Outgoing packets have cells and a total of their own, and do not count in the other total. */
static void outbound_is_apart(void **state)
{
	struct maps *maps = *state;
	__u32 port = PC_PORT(PC_UDP, 53);
	struct counts total;

	put(maps, 0, PC_CELL_OUT + port, 3, 300);
	put(maps, 1, PC_CELL_OUT + port, 4, 400);
	*total_of(maps, PC_CELL_OUT + port) = (1ULL << 27) * PC_CELL_PACKET;
	put(maps, 0, PC_CELL_EGRESS, 10, 1000);
	put(maps, 2, PC_CELL_EGRESS, 1, 1);
	put(maps, 0, PC_CELL_REASON + PC_REASON_OUTBOUND, 5, 50);
	put(maps, 0, PC_CELL_REASON_WOULD + PC_REASON_OUTBOUND, 6, 60);
	put(maps, 0, PC_CELL_REASON + PC_REASON_ICMP, 2, 20);
	sum(maps);
	rare(maps, PC_CELL_OUT_DROP + port, 5, 50);
	rare(maps, PC_CELL_OUT_WOULD_DROP + port, 6, 60);
	assert_count(counters_out(maps->counters, port).pass, 7 + (1ULL << 27), 700);
	assert_count(counters_out(maps->counters, port).drop, 5, 50);
	assert_count(counters_out(maps->counters, port).would_drop, 6, 60);
	assert_count(counters_port(maps->counters, port).pass, 0, 0);
	assert_count(counters_port(maps->counters, port).drop, 0, 0);
	total = counters_total(maps->counters);
	assert_count(total.pass, 0, 0);
	assert_count(total.drop, 2, 20);
	assert_count(total.would_drop, 0, 0);
	total = counters_outbound_total(maps->counters);
	assert_count(total.pass, 11, 1001);
	assert_count(total.drop, 5, 50);
	assert_count(total.would_drop, 6, 60);
}

/* A map of another layout cannot cause a write past the cells. */
static void added_to_cells_only(void **state)
{
	struct maps *maps = *state;

	rare(maps, PC_CELLS - 1, 1, 1);
	rare(maps, 0, 1, 1);
	rare(maps, 0, 2, 5);
	assert_false(maps->counters->rare);
	rare(maps, PC_CELLS_END, 1, 1);
	rare(maps, 0xffffffff, 1, 1);
	rare(maps, PC_CELLS, 2, 2);
	rare(maps, PC_CELLS_ALL - 1, 3, 3);
	assert_count(maps->counters->cell[PC_CELLS - 1], 1, 1);
	assert_count(maps->counters->cell[0], 3, 6);
	assert_count(counters_out(maps->counters, 0).drop, 2, 2);
	assert_count(counters_out(maps->counters, PC_PORTS - 1).would_drop, 3, 3);
}

static void reasons_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < PC_REASONS; i++)
		assert_non_null(reason_name[i]);
	assert_string_equal(reason_name[PC_REASON_OUTBOUND], "outbound");
}

/* Never below zero; cells after the counted ones are not read. */
static void test_subtract(void **state)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));

	(void)state;
	counters->cell[7] = (struct count){5, 500};
	counters_subtract(counters, 7, &(struct pc_count){3, 200});
	assert_int_equal(counters->cell[7].packets, 2);
	assert_int_equal(counters->cell[7].bytes, 300);
	counters_subtract(counters, 7, &(struct pc_count){3, 200});
	assert_int_equal(counters->cell[7].packets, 0);
	assert_int_equal(counters->cell[7].bytes, 100);
	counters_subtract(counters, PC_CELLS_END, &(struct pc_count){1, 1});
	counters_subtract(counters, PC_CELLS, &(struct pc_count){1, 1});
	counters_add(counters, PC_CELLS, &(struct pc_count){2, 120});
	counters_subtract(counters, PC_CELLS, &(struct pc_count){1, 60});
	assert_int_equal(counters->cell[PC_CELLS].packets, 1);
	free(counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adds_up_cpus, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(fields_do_not_touch, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(policies_share_words, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(adds_totals, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(totals_have_cells, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(waits_for_a_flush, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(waits_for_a_carry, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(reasons_have_their_own_cells, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(gates_count_nothing, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(ports_do_not_touch_reasons, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(total_counts_each_packet_once, make_maps,
						free_maps),
		cmocka_unit_test_setup_teardown(outbound_is_apart, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(added_to_cells_only, make_maps, free_maps),
		cmocka_unit_test(test_subtract),
		cmocka_unit_test(reasons_have_names),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
