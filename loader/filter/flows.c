// SPDX-License-Identifier: GPL-2.0
/* Reads the maps of learned flows. */
#include "loader/filter/flows.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/object/map_walk.h"

const char *const flow_map_name[FLOW_MAPS] = {
	[FLOWS_CONNECTIONS] = "connections", [FLOWS_STREAMS] = "streams", [FLOWS_REST] = "rest"};

/* --- reading --- */

struct reading {
	struct flows *flows;
	struct flow_use *use; /* use of the map that is being read */
	__u64 now;
	bool keep;
	const __u32 *ifindex;
	size_t ifindexes;
};

static bool wanted(const struct reading *reading, __u32 ifindex)
{
	size_t i;

	for (i = 0; i < reading->ifindexes; i++)
		if (reading->ifindex[i] == ifindex)
			return true;
	return !reading->ifindexes;
}

static void take(const void *key, const void *value, void *context)
{
	const struct pc_flow_state *state = value;
	struct reading *reading = context;
	struct flows *flows = reading->flows;
	struct flow flow = {.ifindex = state->ifindex, .flags = state->flags};

	memcpy(&flow.key, key, sizeof(flow.key));
	if (!flow_live(&flow.key, state, reading->now, &flow.idle))
		return;
	reading->use->used++;
	if (!reading->keep || !wanted(reading, flow.ifindex))
		return;
	flows->flow = grow(flows->flow, flows->count, sizeof(flow));
	flows->flow[flows->count++] = flow;
}

static int map_info(int map, struct bpf_map_info *info)
{
	__u32 length = sizeof(*info);

	*info = (struct bpf_map_info){};
	return bpf_obj_get_info_by_fd(map, info, &length);
}

int flows_id(int map, __u32 *id)
{
	struct bpf_map_info info;
	int err = map_info(map, &info);

	if (!err)
		*id = info.id;
	return err;
}

static int read_maps(const int map[FLOW_MAPS], struct reading *reading)
{
	struct flows *flows = reading->flows;
	struct bpf_map_info info;
	int err = 0, i;

	*flows = (struct flows){};
	for (i = 0; i < FLOW_MAPS && !err; i++) {
		err = map_info(map[i], &info);
		if (err)
			break;
		reading->use = &flows->use[i];
		reading->use->size = info.max_entries;
		err = map_walk(map[i], sizeof(struct pc_flow), sizeof(struct pc_flow_state), take,
			       reading);
		flows->all.used += reading->use->used;
		flows->all.size += reading->use->size;
	}
	return err;
}

int flows_count(const int map[FLOW_MAPS], struct flows *flows)
{
	struct reading reading = {.flows = flows, .now = clock_monotonic()};

	return read_maps(map, &reading);
}

static json_t *use_json(const struct flow_use *use)
{
	return json_pack("{s:I, s:I}", "used", (json_int_t)use->used, "size",
			 (json_int_t)use->size);
}

json_t *flows_use_json(const struct flows *flows)
{
	json_t *json = use_json(&flows->all);
	int i;

	for (i = 0; i < FLOW_MAPS; i++)
		json_object_set_new(json, flow_map_name[i], use_json(&flows->use[i]));
	return json;
}

/* Flows that were shown twice are neighbours after sorting. */
static void drop_doubles(struct flows *flows)
{
	size_t kept = 0, i;

	for (i = 0; i < flows->count; i++)
		if (!kept || flow_compare(&flows->flow[kept - 1], &flows->flow[i]))
			flows->flow[kept++] = flows->flow[i];
	flows->count = kept;
}

int flows_read(const int map[FLOW_MAPS], const __u32 *ifindex, size_t ifindexes,
	       struct flows *flows)
{
	struct reading reading = {.flows = flows,
				  .now = clock_monotonic(),
				  .keep = true,
				  .ifindex = ifindex,
				  .ifindexes = ifindexes};
	int err = read_maps(map, &reading);

	if (err) {
		flows_free(flows);
		return err;
	}
	if (flows->count)
		qsort(flows->flow, flows->count, sizeof(*flows->flow), flow_compare);
	drop_doubles(flows);
	return 0;
}

void flows_free(struct flows *flows)
{
	free(flows->flow);
	*flows = (struct flows){};
}
