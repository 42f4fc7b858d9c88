// SPDX-License-Identifier: GPL-2.0
/* The maps of a filter that is being loaded: their sizes, and their first content. */
#include "loader/filter/load_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "portcullis.skel.h"

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/compile/cells.h"
#include "loader/filter/limit_maps.h"
#include "loader/net/netns.h"

#define EXPLAINING_FLOWS 1024

/* Uses existing maps instead of new ones. */
static int reuse_maps(struct portcullis_bpf *skeleton, const struct filter *of, unsigned int flags)
{
	int err = 0, i;

	for (i = 0; i < FILTER_FDS && !err; i++) {
		const struct filter_descriptor *descriptor = &filter_descriptor[i];

		if (descriptor->flags & flags && descriptor->map && of->fd[i] >= 0)
			err = bpf_map__reuse_fd(
				bpf_object__find_map_by_name(skeleton->obj, descriptor->map),
				of->fd[i]);
	}
	return err;
}

/* `flows`: entries of all three maps together. Some layouts had only the first map. */
static int size_flow_maps(struct portcullis_bpf *skeleton, const struct filter *of, __u32 flows)
{
	int err = 0;

	if (of->fd[FILTER_FLOWS] < 0)
		err = bpf_map__set_max_entries(skeleton->maps.flows, PC_FLOWS_REST(flows));
	if (!err && of->fd[FILTER_CONNECTIONS] < 0)
		err = bpf_map__set_max_entries(skeleton->maps.connections,
					       PC_FLOWS_CONNECTIONS(flows));
	if (!err && of->fd[FILTER_STREAMS] < 0)
		err = bpf_map__set_max_entries(skeleton->maps.streams, PC_FLOWS_STREAMS(flows));
	return err;
}

/*
 * The CPUs that exist, offline ones too. Many possible CPUs never come: VMware and Hyper-V announce
 * 128.
 */
static void list_cpus(char *list, size_t size)
{
	__close_file FILE *file = fopen("/sys/devices/system/cpu/present", "re");

	if (!file || !fgets(list, size, file))
		snprintf(list, size, "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
}

static int size_rows(struct portcullis_bpf *skeleton, const char *cpus, __u32 pages)
{
	struct pc_filter *state = &skeleton->data_filter->filter;
	int err = cells_rows(state, cpus, pages > PC_LISTED_LEAST ? pages : PC_LISTED_LEAST);

	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.counters, cells_row_pages(state));
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.totals, cells_total_pages(state));
	return err;
}

static int size_counters(struct portcullis_bpf *skeleton, const struct pc_generation *generation)
{
	char cpus[4096];

	list_cpus(cpus, sizeof(cpus));
	return size_rows(skeleton, cpus,
			 generation ? cells_needed(generation) + PC_LISTED_GROWTH : 0);
}

/* One buffer for each listener and CPU. */
static int size_events(struct portcullis_bpf *skeleton, const struct filter *kept)
{
	int cpus = libbpf_num_possible_cpus();

	if (kept->fd[FILTER_EVENTS] >= 0)
		return 0;
	return cpus < 0 ? cpus :
			  bpf_map__set_max_entries(skeleton->maps.events, PC_LISTENERS * cpus);
}

/* A program that explains counts nothing, so its maps are small. */
static int set_explaining_maps(struct portcullis_bpf *skeleton, const struct filter *asked,
			       bool told)
{
	int err = size_flow_maps(skeleton, told ? &FILTER_NONE : asked, EXPLAINING_FLOWS);

	if (!err)
		err = reuse_maps(skeleton, asked, told ? FD_REPLAYED : FD_NAMESPACE | FD_ASKED);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.drops, 1);
	return err || asked->fd[FILTER_STATE] >= 0 ? err : size_rows(skeleton, "0", 0);
}

/* Makes only the maps that the filters of a network namespace share. */
static int set_shared_maps(struct portcullis_bpf *skeleton, __u32 flows)
{
	struct bpf_map *map = NULL;
	int err = size_flow_maps(skeleton, &FILTER_NONE, flows), i;

	while (!err && (map = bpf_object__next_map(skeleton->obj, map)))
		err = bpf_map__set_autocreate(map, false);
	for (i = 0; i < FILTER_FDS && !err; i++)
		if (filter_descriptor[i].flags & FD_NAMESPACE)
			err = bpf_map__set_autocreate(
				bpf_object__find_map_by_name(skeleton->obj,
							     filter_descriptor[i].map),
				true);
	return err;
}

int load_maps_set(struct portcullis_bpf *skeleton, const struct loading *how)
{
	int err;

	if (how->shared)
		return set_shared_maps(skeleton, how->flows);
	if (how->explains)
		return set_explaining_maps(skeleton, how->flows_of, how->told);
	err = size_flow_maps(skeleton, how->flows_of, how->flows);
	if (!err)
		err = reuse_maps(skeleton, how->flows_of, FD_NAMESPACE);
	if (!err && how->kept->fd[FILTER_COUNTERS] >= 0)
		err = reuse_maps(skeleton, how->kept, FD_KEPT);
	else if (!err)
		err = size_counters(skeleton, how->generation);
	return err ? err : size_events(skeleton, how->kept);
}

static int new_secret(const struct filter *filter)
{
	struct pc_came_in *table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED,
					filter->fd[FILTER_CAME_IN], 0);
	int err = 0;

	if (table == MAP_FAILED)
		return -errno;
	if (getrandom(&table->secret, sizeof(table->secret), 0) != sizeof(table->secret))
		err = -EIO;
	munmap(table, sizeof(*table));
	return err;
}

/*
 * Sets the fields of the filter's state about the maps `drops` and `events`. The state may be older
 * than these maps, because it may come from a filter that did not have them.
 */
static int claim_drops(const struct filter *filter, const struct filter *kept)
{
	struct pc_filter *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
				       filter->fd[FILTER_STATE], 0);
	__u32 secret = 0;
	int err = 0;

	if (state == MAP_FAILED)
		return -errno;
	state->event_cpus = libbpf_num_possible_cpus();
	if (kept->fd[FILTER_DROPS] < 0)
		state->drops_since = clock_boot() / PC_SECOND;
	while (!err && !state->drops_secret)
		if (getrandom(&secret, sizeof(secret), 0) == sizeof(secret))
			state->drops_secret = secret;
		else
			err = -EIO;
	munmap(state, sizeof(*state));
	return err;
}

/*
 * Marks new flow maps as those of this network namespace. Maps of a version that did not mark ports
 * may have flows of any port, so all ports are marked.
 */
static int claim_flows(const struct filter *filter, const struct filter *flows_of)
{
	struct pc_shared shared = {.netns = netns_inode()};
	struct pc_learned all;
	__u32 zero = 0;
	int err = flows_of->fd[FILTER_CAME_IN] < 0 ? new_secret(filter) : 0;

	if (err)
		return err;
	if (flows_of->fd[FILTER_FLOWS] < 0)
		return bpf_map_update_elem(filter->fd[FILTER_SHARED], &zero, &shared, BPF_ANY) ?
			       -errno :
			       0;
	if (flows_of->fd[FILTER_LEARNED] >= 0)
		return 0;
	memset(&all, 1, sizeof(all));
	return bpf_map_update_elem(filter->fd[FILTER_LEARNED], &zero, &all, BPF_ANY) ? -errno : 0;
}

int load_maps_claim(const struct filter *filter, const struct loading *how)
{
	bool own = !how->explains && !how->shared;
	int err = 0;

	if (!how->told && (!how->explains || how->flows_of->fd[FILTER_SHARED] < 0))
		err = claim_flows(filter, how->flows_of);
	if (!err && own)
		err = claim_drops(filter, how->kept);
	if (!err && (how->told || (own && how->kept->fd[FILTER_LIMITER] < 0)))
		err = limits_claim(filter);
	return err;
}
