/* SPDX-License-Identifier: GPL-2.0 */
/* The services by which `monitor` explains events, also after swaps. */
#ifndef PORTCULLIS_COMMAND_MONITOR_KNOWN_H
#define PORTCULLIS_COMMAND_MONITOR_KNOWN_H

#include "loader/host/attached.h"
#include "loader/report/event.h"

#define KNOWN_MOST 4 /* generations: an event may wait in a buffer while there are several swaps \
		      */

struct known {
	const char *name; /* of the interface */
	char id[20];	  /* name of the filter's folder */
	struct known_generation {
		__u32 number; /* as in pc_event */
		struct event_services *services;
	} generation[KNOWN_MOST]; /* the newest first */
	int generations;	  /* `generations`; its first slot has the active one: */
	__u32 active;		  /* id of the active one */
	__u64 asked;		  /* CLOCK_BOOTTIME ns when it was read last */
};

#define KNOWN_NONE ((struct known){.generations = -1})

/* Copies `name`, and duplicates only the map of generations. Returns 0 or -errno. */
int known_begin(struct known *known, const char *name, const struct live *live);

/* Reads a generation that became active since the last call, because it may be gone later. */
void known_look(struct known *known);

/* The services of the event's generation; if it cannot be read, those of the newest one. */
struct event_services *known_services(struct known *known, const struct pc_event *event);

void known_end(struct known *known);

#endif
