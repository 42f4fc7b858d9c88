// SPDX-License-Identifier: GPL-2.0
/* Makes a generation beside the active one, and switches to it with one update. */
#include "loader/filter/generation.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/cells.h"
#include "loader/filter/generation_maps.h"
#include "loader/filter/installed.h"
#include "loader/filter/limit_maps.h"
#include "loader/filter/seed.h"
#include "loader/filter/slots.h"
#include "loader/filter/tally_maps.h"
#include "loader/net/link.h"
#include "loader/object/slot_update.h"

_Static_assert(sizeof(PORTCULLIS_VERSION) <= sizeof(((struct pc_generation *)0)->program_version),
	       "version text");

static void fill_header(const struct filter *filter, struct pc_generation *generation,
			size_t recipe_length, __u64 batch, bool confirm)
{
	const struct pc_generation *current = filter->current.copy;

	generation->magic = PC_MAGIC;
	generation->version = PC_ABI_VERSION;
	generation->made_at = clock_wall();
	generation->program_id = filter->program_id;
	if (current) {
		generation->grace = current->grace;
		generation->number = current->number + 1;
		generation->attached_at = current->attached_at;
	} else if (!generation->attached_at) {
		generation->number = !generation->stand_in;
		generation->attached_at = generation->made_at;
	}
	generation->recipe_length = recipe_length;
	generation->batch = batch;
	if (confirm || filter->fallback.copy) {
		generation->deadline = confirm ? NOT_ARMED : current->deadline;
		generation->fallback = SLOT_FALLBACK;
	}
	generation->link = filter->ifindex ? link_zone(filter->ifindex) : 0;
	if (generation->forward && filter->ifindex)
		link_uppers(filter->ifindex, generation->upper);
	memcpy(generation->program_version, current ? current->program_version : PORTCULLIS_VERSION,
	       current ? sizeof(current->program_version) : sizeof(PORTCULLIS_VERSION));
}

int filter_await_packets(const struct filter *filter)
{
	return slot_put(filter, SLOT_ACTIVE, filter->current.generation);
}

/* True if `generation` begins a pending change: the active generation becomes its fallback. */
static bool first_to_confirm(const struct filter *filter, const struct pc_generation *generation)
{
	return generation->deadline && !filter->fallback.copy;
}

static int build_next(struct filter *filter, const struct tables *tables, const char *recipe)
{
	struct installed *next = &filter->prepared;
	int err = generation_place_trie(filter, tables, next->copy);

	if (err)
		return err;
	next->recipe = generation_make_recipe(recipe, next->copy->recipe_length);
	if (next->recipe < 0)
		return next->recipe;
	err = generation_store_head(next);
	if (err)
		return err;
	if (first_to_confirm(filter, next->copy)) {
		err = slot_put(filter, SLOT_FALLBACK, filter->current.generation);
		if (err)
			error("cannot keep the active generation: %s", strerror(-err));
	}
	if (!err && filter->id[0])
		err = installed_pin(filter, next);
	return err;
}

/* Gives newly listed ports a place for their counts; they keep it from then on. */
static int list_ports(const struct filter *filter, const struct pc_generation *generation)
{
	struct pc_filter *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
				       filter->fd[FILTER_STATE], 0);

	if (state == MAP_FAILED) {
		int err = -errno;

		error("cannot write the map of counted ports: %s", strerror(-err));
		return err;
	}
	cells_list(state, generation);
	munmap(state, sizeof(*state));
	return 0;
}

int filter_prepare(struct filter *filter, const struct tables *tables, const char *recipe,
		   __u64 batch, bool confirm)
{
	struct installed *next = &filter->prepared;
	struct tables own = *tables;
	int err;

	installed_close(next);
	err = generation_make(tables->generation, next);
	if (!err) {
		own.generation = next->copy;
		fill_header(filter, next->copy, strlen(recipe), batch, confirm);
		err = tallies_place(filter, &own);
	}
	if (!err)
		err = list_ports(filter, next->copy);
	if (!err)
		err = limits_place(filter, next->copy);
	if (!err)
		err = build_next(filter, tables, recipe);
	if (err)
		filter_undo(filter);
	return err;
}

int filter_arm(struct filter *filter, __u64 deadline)
{
	return filter->prepared.copy->deadline == NOT_ARMED ?
		       generation_set_deadline(&filter->prepared, deadline) :
		       0;
}

/* True if the filter is attached to an interface in the caller's network namespace. */
static bool is_here(const struct filter *filter)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);

	return filter->ifindex && !bpf_xdp_query(filter->ifindex, 0, &found) &&
	       (found.drv_prog_id == filter->program_id || found.skb_prog_id == filter->program_id);
}

/* filter_prepare stored the fallback there; stores it again if it was cleared since. */
static int keep_fallback(const struct filter *filter)
{
	return slot_has_fallback(filter) ?
		       0 :
		       slot_put(filter, SLOT_FALLBACK, filter->current.generation);
}

void filters_seed(const struct filter *const *filter, size_t count)
{
	struct seed *seed = xcalloc(count, sizeof(*seed));
	size_t here = 0;

	for (size_t i = 0; i < count; i++)
		if (is_here(filter[i]))
			seed[here++] = (struct seed){.filter = filter[i],
						     .ifindex = filter[i]->ifindex,
						     .generation = filter[i]->prepared.copy};
	seed_live(seed, here);
	free(seed);
}

/* Packets in flight may still use the former generation: filter_finish waits for them. */
static int activate(struct filter *filter)
{
	slot_update_end(&filter->begun);
	return slot_update_begin(filter->fd[FILTER_GENERATIONS], SLOT_ACTIVE,
				 filter->prepared.generation, &filter->begun);
}

int filter_commit(struct filter *filter)
{
	int err = 0;

	if (first_to_confirm(filter, filter->prepared.copy))
		err = keep_fallback(filter);
	if (!err)
		err = activate(filter);
	if (err) {
		error("cannot switch to the new generation: %s", strerror(-err));
		return err;
	}
	filter->replaced = filter->current;
	filter->current = filter->prepared;
	filter->prepared = INSTALLED_NONE;
	return 0;
}

/* The stand-in of the attach becomes the fallback: from here on its packets count as observed. */
static void let_stand_in_observe(struct installed *stand_in)
{
	__cleanup(generation_unmap_head) struct pc_generation *head = generation_map_head(stand_in);

	if (head)
		__atomic_store_n(&head->policy, PC_POLICY_OBSERVE, __ATOMIC_RELAXED);
}

void filter_finish(struct filter *filter)
{
	slot_update_end(&filter->placing);
	if (filter->replaced.copy)
		/* until then a packet may use the generation and its trie */
		slot_update_end(&filter->begun);
	if (filter->replaced.copy && first_to_confirm(filter, filter->current.copy)) {
		filter->fallback = filter->replaced;
		filter->replaced = INSTALLED_NONE;
		if (filter->fallback.copy->policy == PC_POLICY_START)
			let_stand_in_observe(&filter->fallback);
	}
	if (!filter->fallback.copy)
		slot_clear_fallback(filter); /* an interrupted command left it */
	generation_retire(filter, &filter->replaced);
}

void filter_undo(struct filter *filter)
{
	bool committed = filter->replaced.copy;
	const struct installed *old = committed ? &filter->replaced : &filter->current;
	const struct installed *failed = committed ? &filter->current : &filter->prepared;
	bool parked = old->copy && failed->copy && first_to_confirm(filter, failed->copy);

	slot_update_end(&filter->begun);
	slot_update_end(&filter->placing);
	if (committed && !slot_put(filter, SLOT_ACTIVE, filter->replaced.generation)) {
		filter->prepared = filter->current;
		filter->current = filter->replaced;
		filter->replaced = INSTALLED_NONE;
		committed = false;
	}
	if (parked && !committed)
		slot_clear_fallback(filter);
	if (filter->current.copy)
		installed_unpin_others(filter);
	installed_close(&filter->prepared);
	installed_close(&filter->replaced);
}

int filter_switch(struct filter *filter, const struct tables *tables, const char *recipe,
		  bool confirm)
{
	int err = filter_prepare(filter, tables, recipe, 0, confirm);

	if (err)
		return err;
	err = filter_commit(filter);
	if (err)
		filter_undo(filter);
	else
		filter_finish(filter);
	return err;
}
