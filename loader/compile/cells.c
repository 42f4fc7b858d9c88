// SPDX-License-Identifier: GPL-2.0
/* Places the cells of a filter's counters: rows for CPUs, pages for listed ports. */
#include "loader/compile/cells.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "loader/base/memory.h"

#define ROW_ALIGN 4 /* pages of cells in a memory page of 4 KiB */

static bool read_number(const char **text, __u32 *number)
{
	char *end;
	unsigned long value;

	if (**text < '0' || **text > '9')
		return false;
	value = strtoul(*text, &end, 10);
	*number = value < PC_CPUS ? value : PC_CPUS;
	*text = end;
	return true;
}

/* Reads "2-5" or "2" as its two ends. */
static bool read_range(const char **text, __u32 *first, __u32 *last)
{
	if (!read_number(text, first))
		return false;
	*last = *first;
	if (**text != '-')
		return true;
	(*text)++;
	return read_number(text, last) && *last >= *first;
}

int cells_rows(struct pc_filter *filter, const char *cpus, __u32 pages)
{
	__u32 first, last, cpu;

	for (cpu = 0; cpu < PC_CPUS; cpu++)
		filter->row[cpu] = PC_ROW_NONE;
	filter->row_pages = (PC_PAGE_LISTED + pages + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
	for (;;) {
		if (!read_range(&cpus, &first, &last))
			return -EINVAL;
		for (; first <= last && first < PC_CPUS; first++)
			if (filter->row[first] == PC_ROW_NONE)
				filter->row[first] = filter->rows++ * filter->row_pages;
		if (*cpus != ',')
			return *cpus && *cpus != '\n' ? -EINVAL : 0;
		cpus++;
	}
}

/* True if a generation lists a port of the page that has this PC_LISTED number. */
static bool lists_port(const struct pc_generation *generation, __u32 page)
{
	const __u32 half = PC_LISTED_PAGES / 2;
	const __u16 *port = page < half ? generation->port : generation->out;
	__u32 first = page % half * PC_PAGE_CELLS, i;

	for (i = first; i < first + PC_PAGE_CELLS; i++)
		if (port[i] != PC_PORT_CLOSED)
			return true;
	return false;
}

/* The pages that a generation counts on, by their PC_LISTED number. */
struct listed {
	bool page[PC_LISTED_PAGES + PC_MACHINE_PAGES];
};

static void list_tallies(const struct pc_generation *generation, struct listed *listed)
{
	for (__u32 i = 0; generation->machines && i < PC_MACHINES; i++) {
		const struct pc_machine *machine = &generation->machine[i];
		__u32 tally = machine->tallies, page;

		if (!machine->family || !tally)
			continue;
		tally += generation->class[machine->class - 1].tallies - 1;
		page = PC_LISTED_MACHINE(PC_CELL_MACHINE(machine->tallies, 0));
		for (; page <= PC_LISTED_MACHINE(PC_CELL_MACHINE(tally, PC_TALLY_KINDS - 1)) &&
		       page < ARRAY_SIZE(listed->page);
		     page++)
			listed->page[page] = true;
	}
}

static void list_pages(const struct pc_generation *generation, struct listed *listed)
{
	*listed = (struct listed){};
	for (__u32 page = 0; page < PC_LISTED_PAGES; page++)
		listed->page[page] = lists_port(generation, page);
	list_tallies(generation, listed);
}

__u32 cells_needed(const struct pc_generation *generation)
{
	struct listed listed;
	__u32 page, count = 0;

	list_pages(generation, &listed);
	for (page = 0; page < ARRAY_SIZE(listed.page); page++)
		count += listed.page[page];
	return count;
}

__u32 cells_list(struct pc_filter *filter, const struct pc_generation *generation)
{
	__u32 page, without = 0;
	struct listed listed;

	list_pages(generation, &listed);
	for (page = 0; page < ARRAY_SIZE(listed.page); page++) {
		__u32 next = PC_PAGE_LISTED + filter->listed;

		if (filter->page[page] || !listed.page[page])
			continue;
		if (next >= filter->row_pages) {
			without++;
			continue;
		}
		/*
		 * The order matters: a command that is killed between the two steps loses a page,
		 * but no count.
		 */
		filter->listed++;
		__atomic_store_n(&filter->page[page], (__u16)next, __ATOMIC_RELEASE);
	}
	return without;
}

__u32 cells_row_pages(const struct pc_filter *filter)
{
	return filter->rows * filter->row_pages;
}

__u32 cells_total_pages(const struct pc_filter *filter)
{
	return PC_TOTALS(filter->row_pages - PC_PAGE_LISTED) / PC_PAGE_WORDS;
}
