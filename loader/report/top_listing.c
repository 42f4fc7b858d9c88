// SPDX-License-Identifier: GPL-2.0
/* The open services of a generation by port, for the rows of `top`. */
#include "loader/report/top_listing.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/ports.h"
#include "loader/report/json_forms.h"
#include "loader/report/port_services.h"

struct entry {
	char *name, *ports;
};

/* ports of one direction */
struct entries {
	struct entry *entry;
	size_t count;
	__u32 at[PC_PORTS];
};

struct top_listing {
	struct entries way[2]; /* in, out */
};

/* The index of the entry with the name; `known` has the indexes by name. */
static __u32 find_entry(struct entries *entries, json_t *known, const char *name)
{
	const json_t *place = json_object_get(known, name);

	if (place)
		return (__u32)json_integer_value(place);
	entries->entry = grow(entries->entry, entries->count, sizeof(*entries->entry));
	entries->entry[entries->count] = (struct entry){.name = xstrdup(name)};
	json_object_set_new(known, name, json_integer((json_int_t)entries->count));
	return (__u32)entries->count++;
}

static void find_entries(struct entries *entries, const struct port_services *services)
{
	json_t *known = json_object();
	const json_t *last = NULL;
	__u32 at = TOP_LISTED_NOT;

	for (__u32 port = 0; port < PC_PORTS; port++) {
		const json_t *listed = services->of[port];

		if (listed && listed != last) {
			__free_text char *name = report_joined(listed, ", ");

			at = find_entry(entries, known, name);
			last = listed;
		}
		entries->at[port] = listed ? at : TOP_LISTED_NOT;
	}
	json_decref(known);
}

/* Adds a port, which must be above those in the list. */
static void add_port(struct ports *ports, __u32 port)
{
	struct port_range *last = ports->count ? &ports->range[ports->count - 1] : NULL;
	__u8 transport = (__u8)(1 << pc_port_transport(port));

	if (last && last->transports == transport && last->last + 1 == pc_port_number(port)) {
		last->last++;
		return;
	}
	ports->range = grow(ports->range, ports->count, sizeof(*ports->range));
	ports->range[ports->count++] = (struct port_range){.first = pc_port_number(port),
							   .last = pc_port_number(port),
							   .transports = transport};
}

/* TCP ranges come before UDP ranges. If both have the same ports, the first half is enough. */
static bool join_transports(struct ports *ports)
{
	size_t half = ports->count / 2;

	if (!half || ports->count % 2)
		return false;
	for (size_t i = 0; i < half; i++) {
		const struct port_range *tcp = &ports->range[i], *udp = &ports->range[half + i];

		if (tcp->transports == udp->transports || tcp->first != udp->first ||
		    tcp->last != udp->last)
			return false;
	}
	ports->count = half;
	return true;
}

static char *ports_text(struct ports *ports)
{
	struct names names = {};
	bool both = join_transports(ports);
	char *text;

	for (size_t i = 0; i < ports->count; i++) {
		const struct port_range *range = &ports->range[i];
		const char *protocol = both				? "tcp+udp" :
				       range->transports == 1 << PC_TCP ? transport_name[PC_TCP] :
									  transport_name[PC_UDP];
		__free_text char *one = port_range_text(range->first, range->last, protocol);

		names_add(&names, one);
	}
	text = names_join(&names, ", ");
	names_free(&names);
	return text;
}

static void name_ports(struct entries *entries)
{
	struct ports *ports = xcalloc(entries->count + 1, sizeof(*ports));

	for (__u32 port = 0; port < PC_PORTS; port++)
		if (entries->at[port] != TOP_LISTED_NOT)
			add_port(&ports[entries->at[port]], port);
	for (size_t i = 0; i < entries->count; i++) {
		entries->entry[i].ports = ports_text(&ports[i]);
		ports_free(&ports[i]);
	}
	free(ports);
}

struct top_listing *top_listing_new(const json_t *profiles)
{
	struct top_listing *listing = xcalloc(1, sizeof(*listing));
	__cleanup(text_free) bool *all = xcalloc(PC_PORTS, sizeof(*all));

	memset(all, true, PC_PORTS * sizeof(*all));
	for (int out = 0; out < 2; out++) {
		struct port_services *services = port_services(profiles, out, all);

		find_entries(&listing->way[out], services);
		name_ports(&listing->way[out]);
		port_services_free(services);
	}
	return listing;
}

void top_listing_free(struct top_listing *listing)
{
	for (int out = 0; listing && out < 2; out++) {
		struct entries *entries = &listing->way[out];

		for (size_t i = 0; i < entries->count; i++) {
			free(entries->entry[i].name);
			free(entries->entry[i].ports);
		}
		free(entries->entry);
	}
	free(listing);
}

size_t top_listing_count(const struct top_listing *listing, bool out)
{
	return listing->way[out].count;
}

__u32 top_listing_at(const struct top_listing *listing, bool out, __u32 port)
{
	return listing->way[out].at[port];
}

const char *top_listing_name(const struct top_listing *listing, bool out, __u32 at)
{
	return listing->way[out].entry[at].name;
}

const char *top_listing_ports(const struct top_listing *listing, bool out, __u32 at)
{
	return listing->way[out].entry[at].ports;
}
