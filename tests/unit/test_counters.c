// SPDX-License-Identifier: GPL-2.0
/* The arithmetic of counters: cells, carries, rows of CPUs, reasons and totals. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "loader/counters.h"
#include "loader/util.h"

#define CPUS 3

struct maps {
	__u64 *rows, *carries;
	struct counters *counters;
};

static int make_maps(void **state)
{
	struct maps *maps = xcalloc(1, sizeof(*maps));

	maps->rows = xcalloc(CPUS * PC_CELLS, sizeof(__u64));
	maps->carries = xcalloc(PC_CELLS, sizeof(__u64));
	maps->counters = xcalloc(1, sizeof(*maps->counters));
	*state = maps;
	return 0;
}

static int free_maps(void **state)
{
	struct maps *maps = *state;

	free(maps->rows);
	free(maps->carries);
	free(maps->counters);
	free(maps);
	return 0;
}

static void sum(struct maps *maps)
{
	counters_sum(maps->rows, CPUS, maps->carries, maps->counters);
}

static void put(struct maps *maps, int cpu, __u32 cell, __u64 packets, __u64 bytes)
{
	maps->rows[cpu * PC_CELLS + cell] = packets * PC_CELL_PACKET + bytes;
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
	put(maps, 2, PC_CELLS - 1, 9, 9);
	sum(maps);
	assert_count(counters_port(maps->counters, 25).pass, 7, 3460);
	assert_count(counters_port(maps->counters, 26).pass, 0, 0);
	assert_count(maps->counters->cell[PC_CELLS - 1], 9, 9);
}

static void fields_do_not_touch(void **state)
{
	struct maps *maps = *state;
	__u64 most_packets = (PC_CELL_PACKET_CARRY >> PC_CELL_BYTES_BITS) - 1;
	__u64 most_bytes = PC_CELL_BYTES_CARRY - 1;

	put(maps, 0, 7, most_packets, most_bytes);
	sum(maps);
	assert_count(maps->counters->cell[7], most_packets, most_bytes);
}

static void adds_carries(void **state)
{
	struct maps *maps = *state;

	put(maps, 0, 7, 5, 6);
	maps->carries[7] = 3 * PC_CARRY_PACKETS + 4 * PC_CARRY_BYTES;
	sum(maps);
	assert_count(maps->counters->cell[7], (3ULL << 27) + 5, (4ULL << 35) + 6);
	maps->carries[7] = 0xffffffffffffffff;
	sum(maps);
	assert_count(maps->counters->cell[7], (0xffffffffULL << 27) + 5,
		     (__u64)((unsigned __int128)0xffffffff << 35) + 6);
}

/* A CPU in the middle of a carry: its cell still has the top bit, `carries` is not told yet. */
static void *finish_carry(void *argument)
{
	struct maps *maps = argument;
	struct timespec pause = {.tv_nsec = 200000};

	nanosleep(&pause, NULL);
	__atomic_fetch_add(&maps->carries[7], PC_CARRY_BYTES, __ATOMIC_SEQ_CST);
	__atomic_store_n(&maps->rows[7], PC_CELL_PACKET + 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void waits_for_a_carry(void **state)
{
	struct maps *maps = *state;
	pthread_t thread;

	put(maps, 0, 7, 1, PC_CELL_BYTES_CARRY + 1);
	assert_int_equal(pthread_create(&thread, NULL, finish_carry, maps), 0);
	sum(maps);
	pthread_join(thread, NULL);
	assert_count(maps->counters->cell[7], 1, PC_CELL_BYTES_CARRY + 1);
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

/* A port's cell is read at another moment than its reason's: neither changes the other's value. */
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

/* Every packet once: drops at ports stand at their reasons, and are not added again. */
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
	counters_rare(maps->counters, cell, &(struct pc_count){packets, bytes});
}

/* What is sent has its own cells and its own total; the other total does not have it. */
static void outbound_is_apart(void **state)
{
	struct maps *maps = *state;
	__u32 port = PC_PORT(PC_UDP, 53);
	struct counts total;

	put(maps, 0, PC_CELL_OUT + port, 3, 300);
	put(maps, 1, PC_CELL_OUT + port, 4, 400);
	maps->carries[PC_CELL_OUT + port] = PC_CARRY_PACKETS;
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

/* A map of another layout cannot write past the cells, or into those of the array. */
static void rare_cells_only(void **state)
{
	struct maps *maps = *state;

	rare(maps, PC_CELLS - 1, 1, 1);
	rare(maps, 0, 1, 1);
	rare(maps, PC_CELLS_ALL, 1, 1);
	rare(maps, 0xffffffff, 1, 1);
	rare(maps, PC_CELLS, 2, 2);
	rare(maps, PC_CELLS_ALL - 1, 3, 3);
	rare(maps, PC_CELLS_ALL - 1, 3, 3); /* shown twice */
	assert_count(maps->counters->cell[PC_CELLS - 1], 0, 0);
	assert_count(maps->counters->cell[0], 0, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adds_up_cpus, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(fields_do_not_touch, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(adds_carries, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(waits_for_a_carry, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(reasons_have_their_own_cells, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(ports_do_not_touch_reasons, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(total_counts_each_packet_once, make_maps,
						free_maps),
		cmocka_unit_test_setup_teardown(outbound_is_apart, make_maps, free_maps),
		cmocka_unit_test_setup_teardown(rare_cells_only, make_maps, free_maps),
		cmocka_unit_test(reasons_have_names),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
