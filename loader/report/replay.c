// SPDX-License-Identifier: GPL-2.0
/* Counts the verdicts of a filter on a capture's packets. */
#include "loader/report/replay.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/json_forms.h"
#include "loader/report/port_services.h"

#define SETS   8192u
#define PLACES 8 /* rows of a set */
#define SECOND 1000000000ULL

struct replay_table {
	struct drops_row row[SETS * PLACES]; /* 0 `sources`: the place is free */
};

void replay_begin(struct replay *replay)
{
	*replay = (struct replay){};
	replay->counters = xcalloc(1, sizeof(*replay->counters));
	replay->table = xcalloc(1, sizeof(*replay->table));
}

void replay_end(struct replay *replay)
{
	free(replay->counters);
	free(replay->table);
	names_free(&replay->machines);
	*replay = (struct replay){};
}

/* --- counters --- */

static void count_cells(struct counters *counters, const struct pc_event *event, __u32 second,
			const struct pc_count *count)
{
	bool drop = event->how & PC_EVENT_DROP, would = event->how & PC_EVENT_WOULD;

	if (drop && second && second < PC_CELL_MACHINES)
		counters_add(counters, second + (would ? PC_CELL_WOULD_DROP - PC_CELL_DROP : 0),
			     count);
	else if (second && second != PC_FRAGMENT_ECHO)
		counters_add(counters, second, count);
	counters_add(counters,
		     event->cell + (drop && would ? PC_CELL_REASON_WOULD - PC_CELL_REASON : 0),
		     count);
}

/* --- drops --- */

static struct drops_row row_of(const struct pc_event *event, __u32 machine, __u64 at)
{
	bool out = event->how & PC_EVENT_OUT;
	struct drops_row row = {
		.machine = machine,
		.first = (__u32)(at / SECOND),
		.last = (__u32)(at / SECOND),
		.sources = 1,
		.ports = 1,
		.port = out && event->how & PC_EVENT_PORTS ? event->remote_port : event->local_port,
		.protocol = event->protocol,
		.reason = (__u8)(event->cell - PC_CELL_REASON),
		.family = event->family,
		.one = DROPS_ONE_ADDRESS | DROPS_ONE_PREFIX | DROPS_ONE_PORT | DROPS_ONE_PROTOCOL |
		       DROPS_ONE_REASON,
		.out = out,
	};

	memcpy(row.address, event->remote, sizeof(row.address));
	return row;
}

static bool same_row(const struct drops_row *a, const struct drops_row *b)
{
	return a->sources && a->port == b->port && a->protocol == b->protocol &&
	       a->reason == b->reason && a->family == b->family && a->out == b->out &&
	       a->machine == b->machine && !memcmp(a->address, b->address, sizeof(a->address));
}

static struct drops_row *set_of(struct replay_table *table, const struct drops_row *row)
{
	__u64 hash = (__u64)(uintptr_t)table;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row->address); i++)
		hash = pc_mix(hash, row->address[i]);
	hash = pc_mix(hash, (__u32)row->port << 16 | row->protocol << 8 | row->reason);
	hash = pc_mix(hash, row->out);
	return table->row + (hash >> 16) % SETS * PLACES;
}

/* A row that was seen once is replaced first, then the one whose last packet is oldest. */
static bool is_worse(const struct drops_row *a, const struct drops_row *b)
{
	return a->again != b->again ? !a->again : a->last < b->last;
}

static struct drops_row *find_row(struct replay *replay, const struct drops_row *wanted)
{
	struct drops_row *set = set_of(replay->table, wanted), *worst = set;
	int i;

	for (i = 0; i < PLACES; i++)
		if (same_row(&set[i], wanted))
			return &set[i];
	for (i = 0; i < PLACES && worst->sources; i++)
		if (!set[i].sources || is_worse(&set[i], worst))
			worst = &set[i];
	replay->forgotten += worst->sources;
	*worst = *wanted;
	return worst;
}

/* 1 + the index of a name; a new name is added. 0: this host. */
static __u32 machine_at(struct replay *replay, const char *machine)
{
	size_t i = 0;

	if (!machine)
		return 0;
	while (i < replay->machines.count && strcmp(replay->machines.name[i], machine) != 0)
		i++;
	if (i == replay->machines.count)
		names_add(&replay->machines, machine);
	return (__u32)i + 1;
}

const char *replay_machine(const struct replay *replay, const struct drops_row *row)
{
	return row->machine ? replay->machines.name[row->machine - 1] : NULL;
}

static void record(struct replay *replay, const struct pc_event *event, const char *machine,
		   const struct pc_count *count, __u64 at)
{
	const struct drops_row wanted = row_of(event, machine_at(replay, machine), at);
	struct drops_row *row = find_row(replay, &wanted);
	struct count *sum = event->how & PC_EVENT_WOULD ? &row->would_drop : &row->drop;

	sum->packets += count->packets;
	sum->bytes += count->bytes;
	row->again |= wanted.last != row->first;
	if (wanted.first < row->first)
		row->first = wanted.first;
	if (wanted.last > row->last)
		row->last = wanted.last;
}

void replay_count(struct replay *replay, const struct pc_event *event, const char *machine,
		  __u32 second, __u32 length, __u64 at)
{
	const struct pc_count count = {.packets = 1, .bytes = length};

	count_cells(replay->counters, event, second, &count);
	if (event->how & PC_EVENT_DROP)
		record(replay, event, machine, &count, at);
	replay->packets++;
}

void replay_drops(const struct replay *replay, struct drops *drops)
{
	size_t i;

	*drops = (struct drops){.forgotten = replay->forgotten};
	for (i = 0; i < SETS * PLACES; i++) {
		if (!replay->table->row[i].sources)
			continue;
		drops->row = grow(drops->row, drops->count, sizeof(*drops->row));
		drops->row[drops->count++] = replay->table->row[i];
	}
	drops_sort(drops, true);
}

/* --- JSON --- */

/* The services of the ports in the rows of one machine and direction. */
struct row_services {
	__u32 machine;
	bool out;
	struct port_services *services; /* NULL: no row has a port, or the machine is gone */
};

struct replay_services {
	struct row_services *of;
	size_t count;
};

static bool is_of(const struct row_services *services, const struct drops_row *row)
{
	return row->machine == services->machine && row->out == services->out;
}

static const struct row_services *find_services(const struct replay_services *services,
						const struct drops_row *row)
{
	for (size_t i = 0; i < services->count; i++)
		if (is_of(&services->of[i], row))
			return &services->of[i];
	return NULL;
}

/* A new reference, or NULL. */
static json_t *profiles_of(const struct replay *replay, const struct drops_row *row,
			   const json_t *kept)
{
	const char *machine = replay_machine(replay, row);
	size_t at = machine ? kept_machine_find(kept, machine) : 0;

	if (!machine)
		return json_incref(json_object_get(kept, "profiles"));
	return json_incref(
		json_object_get(json_array_get(json_object_get(kept, "machines"), at), "profiles"));
}

static void read_services(const struct drops *drops, json_t *profiles,
			  struct row_services *services)
{
	__free_text bool *wanted = xcalloc(PC_PORTS, sizeof(*wanted));
	bool any = false;
	__u32 port;

	for (size_t i = 0; i < drops->count; i++) {
		if (!is_of(services, &drops->row[i]) || !drops_port(&drops->row[i], &port))
			continue;
		wanted[port] = true;
		any = true;
	}
	services->services =
		any && profiles ? port_services(profiles, services->out, wanted) : NULL;
	json_decref(profiles);
}

struct replay_services *replay_services_new(const struct replay *replay, const struct drops *drops,
					    const json_t *kept)
{
	struct replay_services *services = xcalloc(1, sizeof(*services));

	for (size_t i = 0; i < drops->count; i++) {
		const struct drops_row *row = &drops->row[i];
		struct row_services *next;

		if (find_services(services, row))
			continue;
		services->of = grow(services->of, services->count, sizeof(*services->of));
		next = &services->of[services->count++];
		*next = (struct row_services){.machine = row->machine, .out = row->out};
		read_services(drops, profiles_of(replay, row, kept), next);
	}
	return services;
}

json_t *replay_services_of(const struct replay_services *services, const struct drops_row *row)
{
	const struct row_services *of = find_services(services, row);
	__u32 port;

	return of && of->services && drops_port(row, &port) ? of->services->of[port] : NULL;
}

void replay_services_free(struct replay_services *services)
{
	for (size_t i = 0; i < services->count; i++)
		if (services->of[i].services)
			port_services_free(services->of[i].services);
	free(services->of);
	free(services);
}

static json_t *drops_list(const struct replay *replay, struct drops *drops, const char *interface,
			  const json_t *kept)
{
	struct replay_services *services = replay_services_new(replay, drops, kept);
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < drops->count; i++) {
		const struct drops_row *row = &drops->row[i];

		json_array_append_new(list,
				      drops_json(drops, row, interface, replay_machine(replay, row),
						 replay_services_of(services, row), 0));
	}
	replay_services_free(services);
	return list;
}

static json_t *time_json(const struct replay *replay, __u64 at)
{
	char text[TIME_TEXT];

	return replay->last ? json_string(report_time(at, text)) : json_null();
}

json_t *replay_json(const struct replay *replay, const struct replay_title *title,
		    const json_t *kept, json_t *machines, json_t *fixes)
{
	__cleanup(drops_free) struct drops drops;
	json_t *report, *counted = report_counters(replay->counters,
						   json_object_get(kept, "profiles"), false);

	if (machines)
		json_object_set_new(counted, "machines", machines);
	replay_drops(replay, &drops);
	report = json_pack(
		"{s:i, s:o, s:o, s:s, s:o, s:o, s:I, s:{s:I, s:I, s:I}, s:I}", "version", 1, "file",
		text_json(title->file), "interface", text_json(title->interface), "policy",
		title->policy == PC_POLICY_ENFORCE ? "enforce" : "observe", "first",
		time_json(replay, replay->first), "last", time_json(replay, replay->last),
		"packets", (json_int_t)replay->packets, "left_out", "other_hosts",
		(json_int_t)replay->aside, "cut", (json_int_t)replay->cut, "unsent",
		(json_int_t)replay->unsent, "flows_forgotten", (json_int_t)title->forgotten);
	json_object_update(report, counted);
	json_decref(counted);
	json_object_set_new(report, "drops", drops_list(replay, &drops, title->interface, kept));
	json_object_set_new(report, "drops_forgotten", json_integer((json_int_t)drops.forgotten));
	json_object_set_new(report, "fixes", fixes);
	return report;
}
