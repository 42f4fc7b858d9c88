// SPDX-License-Identifier: GPL-2.0
/* Assigns tallies: which counter of which port of which machine behind this host. */
#include "loader/compile/tallies.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/base/pool.h"

void tallies_free(struct tallies *tallies)
{
	free(tallies->tally);
	*tallies = (struct tallies){};
}

__u64 tallies_machine(const char *name)
{
	char text[(NAME_LIMIT + 8) / 8 * 8] = {};

	memcpy(text, name, strnlen(name, NAME_LIMIT));
	return pool_digest(0, text, sizeof(text));
}

/* Indexes of the first tally of each row: a row begins with that for unlisted local ports. */
struct starts {
	size_t *at;
	size_t count;
};

static void starts_free(struct starts *starts)
{
	free(starts->at);
}

static void add_start(struct starts *starts, size_t at)
{
	starts->at = grow(starts->at, starts->count, sizeof(*starts->at));
	starts->at[starts->count++] = at;
}

static void find_starts(const struct tallies *tallies, struct starts *starts)
{
	for (size_t i = 0; i < tallies->count; i++)
		if (tallies->tally[i].last < tallies->tally[i].first && !tallies->tally[i].out)
			add_start(starts, i);
}

/* True if the row that begins at `at` counts the same ports for that machine. */
static bool is_row(const struct tallies *tallies, size_t at, __u64 machine,
		   const struct class_tallies *wanted)
{
	if (wanted->count > tallies->count - at || tallies->tally[at].machine != machine)
		return false;
	for (size_t i = 0; i < wanted->count; i++) {
		const struct pc_tally *known = &tallies->tally[at + i], *want = &wanted->tally[i];

		if (known->machine != machine || known->first != want->first ||
		    known->last != want->last || known->out != want->out)
			return false;
	}
	return true;
}

/* Appends a row. Returns its first tally, or 0 if there is no room. */
static __u32 append_row(struct tallies *tallies, struct starts *starts, __u64 machine,
			const struct class_tallies *wanted)
{
	size_t at = tallies->count;

	if (wanted->count > PC_TALLIES - 1 - at)
		return 0;
	add_start(starts, at);
	for (size_t i = 0; i < wanted->count; i++) {
		tallies->tally = grow(tallies->tally, tallies->count, sizeof(*tallies->tally));
		tallies->tally[tallies->count] = wanted->tally[i];
		tallies->tally[tallies->count++].machine = machine;
	}
	return (__u32)at + 1;
}

static __u32 find_row(struct tallies *tallies, struct starts *starts, __u64 machine,
		      const struct class_tallies *wanted)
{
	for (size_t i = 0; i < starts->count; i++)
		if (is_row(tallies, starts->at[i], machine, wanted))
			return (__u32)starts->at[i] + 1;
	return append_row(tallies, starts, machine, wanted);
}

size_t tallies_assign(struct tallies *tallies, struct tables *tables)
{
	__cleanup(starts_free) struct starts starts = {};
	size_t without = 0;

	find_starts(tallies, &starts);
	for (size_t i = 0; i < tables->machines; i++) {
		const struct table_machine *machine = &tables->machine[i];
		__u32 first = find_row(tallies, &starts, tallies_machine(machine->name),
				       &tables->tallies[machine->class - 1]);

		without += !first;
		for (size_t j = 0; j < machine->prefixes; j++)
			tables->prefix[machine->prefix + j].tallies = first;
	}
	return without;
}
