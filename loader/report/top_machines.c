// SPDX-License-Identifier: GPL-2.0
/* The services of machines behind an interface by tally, for the rows of `top`. */
#include "loader/report/top_machines.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/report/json_forms.h"

static char *ports_text(const struct pc_tally *tally)
{
	const char *protocol = transport_name[pc_port_transport(tally->first)];
	unsigned int first = pc_port_number(tally->first), last = pc_port_number(tally->last);

	if (tally->last < tally->first)
		return xstrdup("any");
	return port_range_text(first, last, protocol);
}

/* The row of the machine with the same direction and services. NULL: none. */
static struct top_machine *same_row(struct top_machines *machines, size_t from, const char *name,
				    bool out)
{
	for (size_t i = from; i < machines->count; i++) {
		struct top_machine *row = &machines->row[i];

		if (row->listed && row->out == out && !strcmp(row->name, name))
			return row;
	}
	return NULL;
}

static struct top_machine *new_row(struct top_machines *machines, const char *name,
				   const struct pc_tally *tally, bool listed)
{
	machines->row = grow(machines->row, machines->count, sizeof(*machines->row));
	machines->row[machines->count] = (struct top_machine){.name = xstrdup(name),
							      .ports = ports_text(tally),
							      .out = tally->out,
							      .listed = listed};
	return &machines->row[machines->count++];
}

static void add_tally(struct top_machine *row, __u32 number)
{
	row->tally = grow(row->tally, row->tallies, sizeof(*row->tally));
	row->tally[row->tallies++] = number;
}

static void add_ports(struct top_machine *row, const struct pc_tally *tally)
{
	__free_text char *more = ports_text(tally), *before = row->ports;

	row->ports = xasprintf("%s, %s", before, more);
}

struct making {
	struct top_machines *machines;
	const char *machine;	   /* of the last tally */
	size_t from;		   /* its first row */
	const struct pc_tally *of; /* the last tally, and its row */
	size_t row;
};

static void take(void *context, const char *machine, const struct pc_tally *tally, __u32 number,
		 bool again, const json_t *services)
{
	struct making *making = context;
	bool listed = json_array_size(services);
	__free_text char *joined = listed ? report_joined(services, ", ") : xstrdup("unlisted");
	__free_text char *name = xasprintf("%s: %s", machine, joined);
	struct top_machine *row;

	if (making->machine != machine) {
		making->machine = machine;
		making->from = making->machines->count;
	}
	if (again) {
		row = &making->machines->row[making->row];
	} else {
		row = listed ? same_row(making->machines, making->from, name, tally->out) : NULL;
		if (row)
			add_ports(row, tally);
		else
			row = new_row(making->machines, name, tally, listed);
	}
	making->row = (size_t)(row - making->machines->row);
	add_tally(row, number);
}

struct top_machines *top_machines_new(const struct machine_tallies *tallies, const json_t *kept)
{
	struct top_machines *machines = xcalloc(1, sizeof(*machines));
	struct making making = {.machines = machines};

	report_machine_tallies(tallies, kept, take, &making);
	return machines;
}

void top_machines_free(struct top_machines *machines)
{
	for (size_t i = 0; machines && i < machines->count; i++) {
		free(machines->row[i].name);
		free(machines->row[i].ports);
		free(machines->row[i].tally);
	}
	if (machines)
		free(machines->row);
	free(machines);
}
