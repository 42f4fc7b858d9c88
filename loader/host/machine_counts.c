// SPDX-License-Identifier: GPL-2.0
/* Reads the counters of the machines behind a filter's interface. */
#include "loader/host/machine_counts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/machine_table.h"
#include "loader/compile/tallies.h"
#include "loader/filter/tally_maps.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/machine_counters.h"

json_t *machine_counts_json(const char *name, const struct filter *filter,
			    const struct counters *counters, const json_t *kept, bool all)
{
	__cleanup(tallies_free) struct tallies tallies = {};
	int err;

	if (!kept_machines(kept))
		return NULL;
	err = tallies_read(filter, &tallies);
	if (err) {
		error("%s: cannot read the counters of machines: %s", name, strerror(-err));
		return NULL;
	}
	return report_machine_counters(
		counters, &(struct machine_tallies){tallies.tally, tallies.count, tallies_machine},
		kept, all);
}

void machine_counts_add(const struct live *live, bool all, json_t *interface)
{
	json_t *machines = machine_counts_json(live->hook.name, &live->filter, live->counters,
					       live->kept, all);

	if (machines)
		json_object_set_new(interface, "machines", machines);
}

int machine_counts_top(const struct live *live, struct top_machines **behind)
{
	__cleanup(tallies_free) struct tallies tallies = {};
	int err = tallies_read(&live->filter, &tallies);

	if (err) {
		error("%s: cannot read the counters of machines: %s", live->hook.name,
		      strerror(-err));
		return err;
	}
	*behind = top_machines_new(
		&(struct machine_tallies){tallies.tally, tallies.count, tallies_machine},
		live->kept);
	return 0;
}

__u32 machine_counts_cell(const struct pc_generation *generation, const struct pc_event *event,
			  enum pc_tally_kind kind, bool out, __u32 port)
{
	const struct pc_machine *machine = machine_table_find(
		generation, event->family == 4 ? AF_INET : AF_INET6, (const __u8 *)event->local);
	const struct pc_class_page *page;
	__u32 tally;

	if (!machine || !machine->class || !machine->tallies)
		return PC_CELLS_END;
	page = &generation->class_page[generation->class[machine->class - 1]
					       .page[out][port / PC_CLASS_PAGE_PORTS]];
	tally = page->port[port % PC_CLASS_PAGE_PORTS].tally;
	if (out && !tally)
		tally = PC_TALLY_OUT;
	return PC_CELL_MACHINE(machine->tallies + tally, kind);
}

/* The machine and port of each tally of a filter. */
struct naming {
	struct tallies tallies;
	__u64 *name; /* tallies_machine of each machine of the recipe */
	size_t machines;
};

/* 1 + the index of the machine whose tallies begin at `first`. */
static __u32 machine_at(const struct naming *naming, __u32 first)
{
	if (first > naming->tallies.count)
		return MACHINE_GONE;
	for (size_t i = 0; i < naming->machines; i++)
		if (naming->name[i] == naming->tallies.tally[first - 1].machine)
			return (__u32)i + 1;
	return MACHINE_GONE;
}

static void naming_free(struct naming *naming)
{
	tallies_free(&naming->tallies);
	free(naming->name);
}

static int naming_read(const struct live *live, struct naming *naming)
{
	int err = tallies_read(&live->filter, &naming->tallies);

	if (err) {
		error("%s: cannot read the counters of machines: %s", live->hook.name,
		      strerror(-err));
		return err;
	}
	naming->machines = kept_machines(live->kept);
	naming->name = xcalloc(naming->machines + 1, sizeof(*naming->name));
	for (size_t i = 0; i < naming->machines; i++)
		naming->name[i] = tallies_machine(kept_machine_name(live->kept, i));
	return 0;
}

int machine_counts_find(const struct live *live, size_t filter, struct drops *drops)
{
	__cleanup(naming_free) struct naming naming = {};
	int err = naming_read(live, &naming);

	for (size_t i = 0; i < drops->count && !err; i++) {
		struct drops_row *row = &drops->row[i];

		if (row->filter == filter && row->machine)
			row->machine = machine_at(&naming, row->machine);
	}
	return err;
}

struct machine_names *machine_names_read(const struct live *live)
{
	__cleanup(naming_free) struct naming naming = {};
	const struct pc_generation *generation = live->filter.current.copy;
	struct machine_names *names;

	if (!kept_machines(live->kept) || naming_read(live, &naming))
		return NULL;
	names = xcalloc(1, sizeof(*names));
	names->generation = generation;
	for (size_t i = 0; i < PC_MACHINES; i++) {
		const struct pc_machine *machine = &generation->machine[i];
		__u32 at;

		if (!machine->family || !machine->class)
			continue;
		at = machine->tallies ? machine_at(&naming, machine->tallies) : MACHINE_GONE;
		names->of[i] = at == MACHINE_GONE ? "?" : kept_machine_name(live->kept, at - 1);
	}
	return names;
}

const char *machine_names_find(const struct machine_names *names, int family, const __u8 *address)
{
	const struct pc_machine *machine =
		names ? machine_table_find(names->generation, family, address) : NULL;

	return machine ? names->of[machine - names->generation->machine] : NULL;
}

const char *machine_counts_name(const struct live *live, const struct drops_row *row)
{
	if (!row->machine)
		return NULL;
	return row->machine == MACHINE_GONE ? "?" : kept_machine_name(live->kept, row->machine - 1);
}
