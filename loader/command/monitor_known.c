// SPDX-License-Identifier: GPL-2.0
/* The services by which `monitor` explains events, also after swaps. */
#include "loader/command/monitor_known.h"

#include <bpf/bpf.h>
#include <string.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/filter/open.h"

#define KNOWN_PAUSE 1000000000ULL /* ns between two searches for an unknown generation */

static void know(struct known *known, const struct filter *filter, const json_t *kept)
{
	event_services_free(&known->generation[KNOWN_MOST - 1].services);
	memmove(known->generation + 1, known->generation,
		(KNOWN_MOST - 1) * sizeof(*known->generation));
	known->generation[0] = (struct known_generation){(__u32)filter->current.copy->number,
							 event_services_new(kept)};
}

static struct event_services *find(const struct known *known, __u32 number)
{
	for (size_t i = 0; i < KNOWN_MOST; i++)
		if (known->generation[i].services && known->generation[i].number == number)
			return known->generation[i].services;
	return NULL;
}

/* Reads the active generation, which is the fallback after an unconfirmed change. */
static void read_active(struct known *known)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	json_t *kept = NULL;

	known->asked = clock_boot();
	if (filter_try_open(known->id, &filter) ||
	    find(known, (__u32)filter.current.copy->number) ||
	    filter_kept(known->name, &filter, &kept))
		return;
	know(known, &filter, kept);
	json_decref(kept);
}

void known_look(struct known *known)
{
	__u32 slot = 0, id;

	if (bpf_map_lookup_elem(known->generations, &slot, &id) || id == known->active)
		return;
	known->active = id;
	read_active(known);
}

int known_begin(struct known *known, const char *name, const struct live *live)
{
	*known = KNOWN_NONE;
	known->name = name;
	memcpy(known->id, live->filter.id, sizeof(known->id));
	know(known, &live->filter, live->kept);
	known->generations = fd_dup(live->filter.fd[FILTER_GENERATIONS]);
	if (known->generations < 0)
		return known->generations;
	known_look(known);
	return 0;
}

struct event_services *known_services(struct known *known, const struct pc_event *event)
{
	struct event_services *services = find(known, event->generation);

	if (!services && clock_boot() > known->asked + KNOWN_PAUSE) {
		read_active(known);
		services = find(known, event->generation);
	}
	return services ?: known->generation[0].services;
}

void known_end(struct known *known)
{
	for (size_t i = 0; i < KNOWN_MOST; i++)
		event_services_free(&known->generation[i].services);
	fd_close(&known->generations);
}
