/* SPDX-License-Identifier: GPL-2.0 */
/* The report of `replay`: counters and drops of a capture, and the fixes. */
#ifndef PORTCULLIS_REPORT_REPLAY_H
#define PORTCULLIS_REPORT_REPLAY_H

#include <jansson.h>
#include <stdio.h>

#include "loader/report/counters.h"
#include "loader/report/drops.h"
#include "loader/report/event.h"
#include "loader/report/replay_packet.h"

struct replay_services;
struct replay_table;

/* All counts of a capture. Its memory does not grow with the capture. */
struct replay {
	struct counters *counters;
	struct replay_table *table; /* drops by source, port and reason */
	/* a row's machine is 1 + its index in these names; 0: this host */
	struct names machines;
	__u64 packets;		    /* packets that were decided */
	__u64 aside;		    /* packets by REPLAY_ASIDE, as the next one */
	__u64 cut;
	__u64 unsent;	   /* see replay_state_unsent */
	__u64 first, last; /* times, ns since 1970 */
	__u64 forgotten;   /* rows of the table that were replaced by others */
};

void replay_begin(struct replay *replay);
void replay_end(struct replay *replay);

/*
 * Counts a packet as the program would. `machine`: its name; NULL: this host. `length`: bytes of
 * the frame; `second`: the second cell (struct pc_explained), or the cell of a machine's tally.
 */
void replay_count(struct replay *replay, const struct pc_event *event, const char *machine,
		  __u32 second, __u32 length, __u64 at);

/* The name of a row's machine; NULL: this host. */
const char *replay_machine(const struct replay *replay, const struct drops_row *row);

/*
 * The rows of the table; the caller calls drops_free. `first` and `last` are seconds since 1970.
 * Rows with a port come first, those with the most packets before others.
 */
void replay_drops(const struct replay *replay, struct drops *drops);

/*
 * The services of the ports in the rows, of this host and of machines, from the text that is kept
 * with a generation. replay_services_of: the array for one row, or NULL.
 */
struct replay_services *replay_services_new(const struct replay *replay, const struct drops *drops,
					    const json_t *kept);
json_t *replay_services_of(const struct replay_services *services, const struct drops_row *row);
void replay_services_free(struct replay_services *services);

/* The subject of the report. */
struct replay_title {
	const char *file;
	const char *interface; /* NULL: no interface was named */
	enum pc_policy policy;
	__u64 forgotten; /* flows: from replay_state_forgotten */
};

/*
 * `kept`: the text that is kept with a generation. Takes over `machines` (report_machine_counters,
 * or NULL) and `fixes` (a list of texts).
 */
json_t *replay_json(const struct replay *replay, const struct replay_title *title,
		    const json_t *kept, json_t *machines, json_t *fixes);

#endif
