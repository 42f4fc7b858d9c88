/* SPDX-License-Identifier: GPL-2.0 */
/* The learned flows of a network namespace. */
#ifndef PORTCULLIS_FILTER_FLOWS_H
#define PORTCULLIS_FILTER_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

#include "bpf/abi.h"
#include "loader/report/flow.h"

/* The maps of a network namespace that hold flows (abi_flows.h). */
enum flow_map {
	FLOWS_CONNECTIONS,
	FLOWS_STREAMS,
	FLOWS_REST,
	FLOW_MAPS,
};

extern const char *const flow_map_name[FLOW_MAPS];

/* The number of flows in each map. */
struct flows {
	struct flow *flow; /* only if asked for */
	size_t count;
	struct flow_use {
		size_t used; /* live ones, of all interfaces */
		size_t size; /* the most that the map holds */
	} use[FLOW_MAPS], all;
};

/* The id by which two filters that share a map are known. Returns 0 or -errno. */
int flows_id(int map, __u32 *id);
/* Counts the live flows of the maps: `use` and `all`. Returns 0 or -errno. */
int flows_count(const int map[FLOW_MAPS], struct flows *flows);
/*
 * Reads those that the egress of `ifindexes` learned (none given: all), sorted. Returns 0 or
 * -errno.
 */
int flows_read(const int map[FLOW_MAPS], const __u32 *ifindex, size_t ifindexes,
	       struct flows *flows);
/* {"used", "size", "connections": {"used", "size"}, "streams", "rest"} */
json_t *flows_use_json(const struct flows *flows);
void flows_free(struct flows *flows);

#endif
