// SPDX-License-Identifier: GPL-2.0
/* The places of cells: rows for the CPUs of a list, pages for listed ports. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader/base/memory.h"
#include "loader/compile/cells.h"

static int make(void **state)
{
	*state = xcalloc(1, sizeof(struct pc_filter));
	return 0;
}

static int done(void **state)
{
	free(*state);
	return 0;
}

/* Which CPUs have a row, as bits of their ids. */
static __u64 with_row(const struct pc_filter *filter)
{
	__u64 bits = 0;
	__u32 cpu;

	for (cpu = 0; cpu < 64; cpu++)
		bits |= (__u64)(filter->row[cpu] != PC_ROW_NONE) << cpu;
	return bits;
}

static void cpus_have_rows(void **state)
{
	static const struct {
		const char *list;
		__u32 rows;
		__u64 bits;
	} each[] = {
		{"0", 1, 1},
		{"0\n", 1, 1},
		{"0-1\n", 2, 3},
		{"0,2\n", 2, 5},
		{"0-2,8,62-63\n", 6, 0xc000000000000107},
		{"5\n", 1, 32},
	};
	struct pc_filter *filter = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(each); i++) {
		memset(filter, 0, sizeof(*filter));
		assert_int_equal(cells_rows(filter, each[i].list, 10), 0);
		assert_int_equal(filter->rows, each[i].rows);
		assert_true(with_row(filter) == each[i].bits);
	}
}

/* Rows do not overlap, and begin at a page of memory. */
static void rows_are_apart(void **state)
{
	struct pc_filter *filter = *state;

	assert_int_equal(cells_rows(filter, "0,2\n", 10), 0);
	assert_true(filter->row_pages >= PC_PAGE_LISTED + 10);
	assert_int_equal(filter->row_pages % 4, 0);
	assert_int_equal(filter->row[0], 0);
	assert_int_equal(filter->row[2], filter->row_pages);
	assert_int_equal(cells_row_pages(filter), filter->row[2] + filter->row_pages);
}

static void high_ids_have_none(void **state)
{
	struct pc_filter *filter = *state;

	assert_int_equal(cells_rows(filter, "8190-9000000000\n", 10), 0);
	assert_int_equal(filter->rows, 2);
	assert_int_equal(filter->row[PC_CPUS - 1], filter->row_pages);
	assert_int_equal(filter->row[0], PC_ROW_NONE);
}

static void other_texts_are_refused(void **state)
{
	static const char *const text[] = {"", "\n", "a", "0-", "3-2", "0,", "0 1", "0-1-2", "-1"};
	struct pc_filter *filter = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(text); i++)
		assert_int_equal(cells_rows(filter, text[i], 10), -EINVAL);
}

static void listed_ports_have_pages(void **state)
{
	struct pc_generation *generation = xcalloc(1, sizeof(*generation));
	struct pc_filter *filter = *state;

	assert_int_equal(cells_needed(generation), 0);
	generation->port[PC_PORT(PC_TCP, 25)] = PC_PORT_OPEN;
	generation->port[PC_PORT(PC_TCP, 255)] = PC_PORT_RULE;
	generation->port[PC_PORT(PC_UDP, 65535)] = PC_PORT_RULE + 7;
	generation->out[PC_PORT(PC_TCP, 25)] = PC_PORT_OPEN;
	assert_int_equal(cells_needed(generation), 3);
	assert_int_equal(cells_rows(filter, "0", 4), 0);
	assert_int_equal(cells_list(filter, generation), 0);
	assert_int_equal(filter->listed, 3);
	assert_int_equal(filter->page[PC_LISTED(PC_CELL_PASS + 25)], PC_PAGE_LISTED);
	assert_int_equal(filter->page[PC_LISTED(PC_CELL_PASS + PC_PORT(PC_UDP, 65535))],
			 PC_PAGE_LISTED + 1);
	assert_int_equal(filter->page[PC_LISTED(PC_CELL_OUT + 25)], PC_PAGE_LISTED + 2);
	assert_int_equal(filter->page[PC_LISTED(PC_CELL_PASS + 256)], 0);
	free(generation);
}

/* The counts of a port that is no longer listed stay. */
static void pages_are_kept(void **state)
{
	struct pc_generation *generation = xcalloc(1, sizeof(*generation));
	struct pc_filter *filter = *state;

	assert_int_equal(cells_rows(filter, "0", 2), 0); /* a multiple of 4 with 514: 516 */
	generation->port[PC_PORT(PC_TCP, 1000)] = PC_PORT_OPEN;
	assert_int_equal(cells_list(filter, generation), 0);
	generation->port[PC_PORT(PC_TCP, 1000)] = PC_PORT_CLOSED;
	generation->port[PC_PORT(PC_TCP, 2000)] = PC_PORT_OPEN;
	generation->port[PC_PORT(PC_TCP, 3000)] = PC_PORT_OPEN;
	generation->out[PC_PORT(PC_TCP, 4000)] = PC_PORT_OPEN;
	assert_int_equal(cells_list(filter, generation), 2);
	assert_int_equal(filter->page[PC_LISTED(PC_CELL_PASS + 1000)], PC_PAGE_LISTED);
	assert_int_equal(filter->page[PC_LISTED(PC_CELL_PASS + 2000)], PC_PAGE_LISTED + 1);
	assert_int_equal(filter->page[PC_LISTED(PC_CELL_PASS + 3000)], 0);
	assert_int_equal(cells_list(filter, generation), 2);
	free(generation);
}

/* A machine's tallies have pages, whatever the ports; a place without a machine has none. */
static void machines_have_pages(void **state)
{
	struct pc_generation *generation = xcalloc(1, sizeof(*generation));
	struct pc_filter *filter = *state;
	const __u32 per_page = PC_PAGE_CELLS / PC_TALLY_KINDS;
	__u32 first, last;

	generation->class[2].tallies = per_page;
	generation->machine[7] = (struct pc_machine){.family = 4, .class = 3, .tallies = 5};
	generation->machine[8] = (struct pc_machine){.class = 3, .tallies = 5 + 9 * per_page};
	generation->machine[9] = (struct pc_machine){.family = 4, .class = 3};
	assert_int_equal(cells_needed(generation), 0);
	generation->machines = 1;
	first = PC_LISTED_MACHINE(PC_CELL_MACHINE(5, 0));
	last = PC_LISTED_MACHINE(PC_CELL_MACHINE(4 + per_page, PC_TALLY_KINDS - 1));
	assert_int_equal(last, first + 1);
	assert_int_equal(cells_needed(generation), 2);
	assert_int_equal(cells_rows(filter, "0", 4), 0);
	assert_int_equal(cells_list(filter, generation), 0);
	assert_int_not_equal(filter->page[first], 0);
	assert_int_not_equal(filter->page[last], 0);
	assert_int_equal(filter->page[last + 1], 0);
	/* One tally less, and one page is enough. */
	generation->machine[7].tallies = 1;
	generation->class[2].tallies = 1;
	assert_int_equal(cells_needed(generation), 1);
	free(generation);
}

/* Each cell of a page leads to that page, and to no other cell's place. */
static void numbers_fit(void **state)
{
	__u32 page;

	(void)state;
	for (page = 0; page < PC_LISTED_PAGES; page++) {
		__u32 first = PC_LISTED_CELL(page);

		assert_int_equal(PC_LISTED(first), page);
		assert_int_equal(PC_LISTED(first + PC_PAGE_CELLS - 1), page);
		assert_true(first < PC_CELL_DROP ||
			    (first >= PC_CELL_OUT && first < PC_CELL_REASON));
	}
	assert_int_equal(PC_CELL_PARTNER(PC_CELL_DROP + 7), PC_CELL_WOULD_DROP + 7);
	assert_int_equal(PC_CELL_PARTNER(PC_CELL_WOULD_DROP + 7), PC_CELL_DROP + 7);
	assert_int_equal(PC_TOTAL_PORT(PC_CELL_DROP), PC_TOTAL_WIDE(PC_CELLS));
	assert_int_equal(PC_TOTAL_LISTED(PC_PAGE_LISTED, 0), PC_TOTAL_PORT(PC_CELL_OUT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cpus_have_rows, make, done),
		cmocka_unit_test_setup_teardown(rows_are_apart, make, done),
		cmocka_unit_test_setup_teardown(high_ids_have_none, make, done),
		cmocka_unit_test_setup_teardown(other_texts_are_refused, make, done),
		cmocka_unit_test_setup_teardown(listed_ports_have_pages, make, done),
		cmocka_unit_test_setup_teardown(pages_are_kept, make, done),
		cmocka_unit_test_setup_teardown(machines_have_pages, make, done),
		cmocka_unit_test(numbers_fit),
	};

	return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
