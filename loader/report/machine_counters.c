// SPDX-License-Identifier: GPL-2.0
/* The counters of the ports of machines behind an interface, as JSON. */
#include "loader/report/machine_counters.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/json_forms.h"

/* An open service of a machine. */
struct listed {
	json_t *name; /* PROFILE:SERVICE */
	struct ports ports;
	bool in, out;
};

struct listing {
	struct listed *service;
	size_t count;
};

static void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		json_decref(listing->service[i].name);
		ports_free(&listing->service[i].ports);
	}
	free(listing->service);
}

static void read_services(const json_t *profiles, struct listing *listing)
{
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (profiles, i, profile) {
		const char *name = json_string_value(json_object_get(profile, "name"));

		json_array_foreach (json_object_get(profile, "services"), j, service) {
			const char *own = json_string_value(json_object_get(service, "name"));
			struct listed listed = {.in = service_open(service, false),
						.out = service_open(service, true)};

			if (!name || !own || !(listed.in || listed.out))
				continue;
			listed.name = json_sprintf("%s:%s", name, own);
			service_ports(service, &listed.ports);
			listing->service = grow(listing->service, listing->count, sizeof(listed));
			listing->service[listing->count++] = listed;
		}
	}
}

static json_t *services_of(const struct listing *listing, const struct pc_tally *tally)
{
	json_t *list = json_array();

	for (size_t i = 0; i < listing->count && tally->first <= tally->last; i++) {
		const struct listed *listed = &listing->service[i];

		if ((tally->out ? listed->out : listed->in) &&
		    ports_have(&listed->ports, pc_port_transport(tally->first),
			       pc_port_number(tally->first)))
			json_array_append(list, listed->name);
	}
	return list;
}

/* The same ports may have several tallies, if the machine had another recipe in between. */
static bool same_ports(const struct pc_tally *a, const struct pc_tally *b)
{
	bool unlisted = a->last < a->first;

	return a->machine == b->machine && a->out == b->out && unlisted == (b->last < b->first) &&
	       (unlisted || (a->first == b->first && a->last == b->last));
}

static void add_counts(struct counts *to, struct counts more)
{
	to->pass.packets += more.pass.packets;
	to->pass.bytes += more.pass.bytes;
	to->drop.packets += more.drop.packets;
	to->drop.bytes += more.drop.bytes;
	to->would_drop.packets += more.would_drop.packets;
	to->would_drop.bytes += more.would_drop.bytes;
}

static json_t *entry_json(const struct pc_tally *tally, struct counts counts, json_t *services)
{
	bool listed = tally->first <= tally->last;
	json_t *entry =
		json_pack("{s:s, s:s?, s:o}", "direction", tally->out ? "out" : "in", "protocol",
			  listed ? transport_name[pc_port_transport(tally->first)] : NULL, "port",
			  listed ? json_integer(pc_port_number(tally->first)) : json_null());
	json_t *numbers = report_counts(counts);

	if (tally->last > tally->first)
		json_object_set_new(entry, "last", json_integer(pc_port_number(tally->last)));
	json_object_set_new(entry, "services", services);
	json_object_update(entry, numbers);
	json_decref(numbers);
	return entry;
}

static bool counted(struct counts counts)
{
	return counts.pass.packets || counts.drop.packets || counts.would_drop.packets;
}

/* In the order of a report's ports: in, out; tcp, udp; by number; unlisted ones before the
 * ports. */
static int compare_tallies(const void *a, const void *b)
{
	const struct pc_tally *one = *(const struct pc_tally *const *)a;
	const struct pc_tally *other = *(const struct pc_tally *const *)b;
	bool last = one->last < one->first, other_last = other->last < other->first;

	if (one->out != other->out)
		return one->out ? 1 : -1;
	if (last != other_last)
		return last ? -1 : 1;
	return one->first < other->first ? -1 : one->first > other->first;
}

static json_t *ports_json(const struct counters *counters, const struct machine_tallies *tallies,
			  const struct pc_tally **own, size_t count, const struct listing *listing,
			  bool all)
{
	json_t *list = json_array();

	if (count)
		qsort(own, count, sizeof(*own), compare_tallies);
	for (size_t i = 0, next; i < count; i = next) {
		struct counts counts = {};
		json_t *services = services_of(listing, own[i]);

		for (next = i; next < count && same_ports(own[i], own[next]); next++)
			add_counts(&counts,
				   counters_tally(counters, (__u32)(own[next] - tallies->tally) + 1,
						  own[next]->out));
		if (counted(counts) || (all && json_array_size(services)))
			json_array_append_new(list, entry_json(own[i], counts, services));
		else
			json_decref(services);
	}
	return list;
}

/* Copies the tallies of a machine to `own`, and returns their number. */
static size_t find_own(const struct machine_tallies *tallies, const char *machine,
		       const struct pc_tally **own)
{
	__u64 digest = tallies->digest(machine);
	size_t count = 0;

	for (size_t i = 0; i < tallies->count; i++)
		if (tallies->tally[i].machine == digest)
			own[count++] = &tallies->tally[i];
	return count;
}

static const json_t *profiles_at(const json_t *kept, size_t at)
{
	return json_object_get(json_array_get(json_object_get(kept, "machines"), at), "profiles");
}

json_t *report_machine_counters(const struct counters *counters,
				const struct machine_tallies *tallies, const json_t *kept, bool all)
{
	const struct pc_tally **own = xcalloc(tallies->count + 1, sizeof(*own));
	json_t *list = json_array();

	for (size_t i = 0; i < kept_machines(kept); i++) {
		__cleanup(listing_free) struct listing listing = {};
		const char *name = kept_machine_name(kept, i);
		size_t count = find_own(tallies, name, own);

		read_services(profiles_at(kept, i), &listing);
		json_array_append_new(
			list, json_pack("{s:s, s:o}", "name", name, "ports",
					ports_json(counters, tallies, own, count, &listing, all)));
	}
	free(own);
	return list;
}

/* The tallies of one machine. */
static void tell_machine(const struct machine_tallies *tallies, const struct pc_tally **own,
			 size_t count, const char *machine, const struct listing *listing,
			 machine_tally_tell *tell, void *context)
{
	json_t *services = NULL;

	if (count)
		qsort(own, count, sizeof(*own), compare_tallies);
	for (size_t i = 0; i < count; i++) {
		bool again = i && same_ports(own[i - 1], own[i]);

		if (!again) {
			json_decref(services);
			services = services_of(listing, own[i]);
		}
		tell(context, machine, own[i], (__u32)(own[i] - tallies->tally) + 1, again,
		     services);
	}
	json_decref(services);
}

void report_machine_tallies(const struct machine_tallies *tallies, const json_t *kept,
			    machine_tally_tell *tell, void *context)
{
	const struct pc_tally **own = xcalloc(tallies->count + 1, sizeof(*own));

	for (size_t i = 0; i < kept_machines(kept); i++) {
		__cleanup(listing_free) struct listing listing = {};
		const char *name = kept_machine_name(kept, i);
		size_t count = find_own(tallies, name, own);

		read_services(profiles_at(kept, i), &listing);
		tell_machine(tallies, own, count, name, &listing, tell, context);
	}
	free(own);
}

void report_flatten_machines(json_t *interface)
{
	json_t *ports = json_object_get(interface, "ports"), *port;
	const json_t *machine;
	size_t i, j;

	json_array_foreach (ports, i, port)
		json_object_set_new(port, "machine", json_null());
	json_array_foreach (json_object_get(interface, "machines"), i, machine) {
		json_array_foreach (json_object_get(machine, "ports"), j, port) {
			json_object_set(port, "machine", json_object_get(machine, "name"));
			json_array_append(ports, port);
		}
	}
	json_object_del(interface, "machines");
}
