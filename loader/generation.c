// SPDX-License-Identifier: GPL-2.0
/* The generation of a filter: made beside the one that judges, then switched to in one update. */
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
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/compile/cells.h"
#include "loader/filter.h"
#include "loader/net/link.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"
#include "loader/object/slot_update.h"
#include "loader/seed.h"

#define RECIPE_CHUNK 4096
#define TRIE_LARGE   4096 /* entries: a retired trie of more is freed at once */
#define BATCH	     16384

#define FALLBACK_SLOT 1	      /* of `generations` */
#define NOT_ARMED     (~0ULL) /* a deadline that filter_arm is to set */

_Static_assert(sizeof(PORTCULLIS_VERSION) <= sizeof(((struct pc_generation *)0)->program_version),
	       "version text");

unsigned int seconds_left(const struct pc_generation *generation)
{
	__u64 now = clock_boot();

	return generation->deadline > now ?
		       (generation->deadline - now + PC_SECOND - 1) / PC_SECOND :
		       0;
}

static int map_create(enum bpf_map_type type, const char *name, __u32 key, __u32 value,
		      __u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
	int fd = bpf_map_create(type, name, key, value, entries, &options);
	int err = -errno;

	if (fd < 0)
		error("cannot make the map '%s' of %u entries: %s", name, entries, strerror(-err));
	return fd < 0 ? err : fd;
}

/*
 * The generation's own map, filled. Returns a copy of its descriptor: with this last one made, one
 * more is known to be free, with which filter_undo can list the folder.
 */
static int make_generation(const struct pc_generation *generation)
{
	__u32 zero = 0;
	__close_fd int fd = map_create(BPF_MAP_TYPE_ARRAY, "generation", sizeof(zero),
				       sizeof(*generation), 1, BPF_F_MMAPABLE);

	if (fd < 0)
		return fd;
	if (bpf_map_update_elem(fd, &zero, generation, 0)) {
		int err = -errno;

		error("cannot fill the generation's map: %s", strerror(-err));
		return err;
	}
	return fd_dup(fd);
}

static int make_recipe(const char *recipe, size_t length)
{
	__u32 chunks = length / RECIPE_CHUNK + 1;
	__close_fd int fd = map_create(BPF_MAP_TYPE_ARRAY, "recipe", sizeof(__u32), RECIPE_CHUNK,
				       chunks, BPF_F_MMAPABLE);
	void *memory;

	if (fd < 0)
		return fd;
	memory = mmap(NULL, (size_t)chunks * RECIPE_CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	if (memory == MAP_FAILED) {
		int err = -errno;

		error("cannot fill the recipe's map: %s", strerror(-err));
		return err;
	}
	memcpy(memory, recipe, length);
	munmap(memory, (size_t)chunks * RECIPE_CHUNK);
	bpf_map_freeze(fd); /* it never changes; a kernel that cannot leaves it as it is */
	return fd_dup(fd);
}

int filter_recipe(const struct filter *filter, char **recipe)
{
	size_t length = filter->current.copy->recipe_length;
	__u32 chunks = length / RECIPE_CHUNK + 1, i;
	__free_text char *text = xcalloc(chunks, RECIPE_CHUNK);

	/* Not by mmap, for which the kernel wants a map that can be written. */
	for (i = 0; i < chunks; i++)
		if (bpf_map_lookup_elem(filter->current.recipe, &i,
					text + (size_t)i * RECIPE_CHUNK)) {
			int err = -errno;

			error("cannot read the recipe: %s", strerror(-err));
			return err;
		}
	*recipe = xstrndup(text, length);
	return 0;
}

/* Writes all entries, in batches where the kernel has them (LPM tries: 5.14). */
static int trie_fill(int fd, struct pc_key *key, __u64 *groups, size_t count)
{
	size_t done = 0;

	while (done < count) {
		__u32 batch = count - done < BATCH ? count - done : BATCH;
		LIBBPF_OPTS(bpf_map_batch_opts, options);

		if (bpf_map_update_batch(fd, key + done, groups + done, &batch, &options))
			break;
		done += batch;
	}
	for (; done < count; done++)
		if (bpf_map_update_elem(fd, key + done, groups + done, BPF_ANY))
			return -errno;
	return 0;
}

static void trie_entries(const struct tables *tables, struct pc_key *key, __u64 *groups)
{
	size_t i;

	for (i = 0; i < tables->tries4; i++, key++, groups++) {
		key->length = PC_KEY_FAMILY_BITS + tables->trie4[i].key.length;
		key->family = htonl(4);
		memcpy(key->address, tables->trie4[i].key.address, 4);
		*groups = tables->trie4[i].groups;
	}
	for (i = 0; i < tables->tries6; i++, key++, groups++) {
		key->length = PC_KEY_FAMILY_BITS + tables->trie6[i].key.length;
		key->family = htonl(6);
		memcpy(key->address, tables->trie6[i].key.address, 16);
		*groups = tables->trie6[i].groups;
	}
}

/* A new trie of all prefixes, put into `slot`, which nothing may refer to. */
static int make_trie(struct filter *filter, const struct tables *tables, __u32 slot)
{
	size_t count = tables->tries4 + tables->tries6;
	struct pc_key *key = xcalloc(count, sizeof(*key));
	__u64 *groups = xcalloc(count, sizeof(*groups));
	__close_fd int fd =
		map_create(BPF_MAP_TYPE_LPM_TRIE, "prefixes", sizeof(*key), sizeof(*groups), count,
			   BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	int err = fd < 0 ? fd : 0;

	if (!err) {
		trie_entries(tables, key, groups);
		err = trie_fill(fd, key, groups, count);
		bpf_map_freeze(fd); /* as a recipe's */
		if (!err)
			err = slot_update_begin(filter->fd[FILTER_TRIES], slot, fd,
						&filter->placing);
		if (err)
			error("cannot put %zu group prefixes into the kernel: %s", count,
			      strerror(-err));
	}
	free(key);
	free(groups);
	return err;
}

/* Whether a generation has the trie that is wanted, and may lend it. */
static bool same_trie(const struct pc_generation *generation, const struct pc_generation *wanted)
{
	return generation && generation->tries_slot < PC_SLOTS &&
	       generation->prefixes == wanted->prefixes &&
	       generation->tries_digest == wanted->tries_digest;
}

/* Uses a trie again whose prefixes are the same. */
static int place_trie(struct filter *filter, const struct tables *tables,
		      struct pc_generation *generation)
{
	const struct pc_generation *current = filter->current.copy;
	const struct pc_generation *fallback = filter->fallback.copy;

	generation->tries_slot = PC_SLOTS;
	generation->prefixes = tables->tries4 + tables->tries6;
	if (!generation->prefixes)
		return 0;
	if (same_trie(current, generation) || same_trie(fallback, generation)) {
		generation->tries_slot =
			same_trie(current, generation) ? current->tries_slot : fallback->tries_slot;
		return 0;
	}
	generation->tries_slot = current ? (current->tries_slot + 1) % PC_SLOTS : 0;
	if (fallback && fallback->tries_slot == generation->tries_slot)
		generation->tries_slot = (generation->tries_slot + 1) % PC_SLOTS;
	return make_trie(filter, tables, generation->tries_slot);
}

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
		generation->fallback = FALLBACK_SLOT;
	}
	generation->link = filter->ifindex ? link_zone(filter->ifindex) : 0;
	if (generation->forward && filter->ifindex)
		link_uppers(filter->ifindex, generation->upper);
	memcpy(generation->program_version, current ? current->program_version : PORTCULLIS_VERSION,
	       current ? sizeof(current->program_version) : sizeof(PORTCULLIS_VERSION));
}

/* The update waits until no packet is judged any more by what was in the slot. */
static int put_in_place(const struct filter *filter, __u32 slot, int generation)
{
	return bpf_map_update_elem(filter->fd[FILTER_GENERATIONS], &slot, &generation, BPF_ANY) ?
		       -errno :
		       0;
}

int filter_await_packets(const struct filter *filter)
{
	return put_in_place(filter, 0, filter->current.generation);
}

static void clear_fallback(const struct filter *filter)
{
	__u32 slot = FALLBACK_SLOT, id;

	if (!bpf_map_lookup_elem(filter->fd[FILTER_GENERATIONS], &slot, &id))
		bpf_map_delete_elem(filter->fd[FILTER_GENERATIONS], &slot);
}

/* Whether `generation`, and none before it, needs the one that it follows as its fallback. */
static bool first_to_confirm(const struct filter *filter, const struct pc_generation *generation)
{
	return generation->deadline && !filter->fallback.copy;
}

static int build_next(struct filter *filter, const struct tables *tables, const char *recipe)
{
	struct installed *next = &filter->next;
	int err = place_trie(filter, tables, next->copy);

	if (err)
		return err;
	next->recipe = make_recipe(recipe, next->copy->recipe_length);
	if (next->recipe < 0)
		return next->recipe;
	next->generation = make_generation(next->copy);
	if (next->generation < 0)
		return next->generation;
	if (first_to_confirm(filter, next->copy)) {
		err = put_in_place(filter, FALLBACK_SLOT, filter->current.generation);
		if (err)
			error("cannot keep the generation that judges: %s", strerror(-err));
	}
	if (!err && filter->id[0])
		err = installed_pin(filter, next);
	return err;
}

/* Ports that are listed from now on get a place for their counts, and keep it. */
static int list_ports(const struct filter *filter, const struct pc_generation *generation)
{
	struct pc_filter *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED,
				       filter->fd[FILTER_STATE], 0);

	if (state == MAP_FAILED) {
		int err = -errno;

		error("cannot write where ports are counted: %s", strerror(-err));
		return err;
	}
	cells_list(state, generation);
	munmap(state, sizeof(*state));
	return 0;
}

int filter_prepare(struct filter *filter, const struct tables *tables, const char *recipe,
		   __u64 batch, bool confirm)
{
	struct installed *next = &filter->next;
	int err;

	installed_close(next);
	next->copy = xcalloc(1, sizeof(*next->copy));
	*next->copy = *tables->generation;
	fill_header(filter, next->copy, strlen(recipe), batch, confirm);
	err = list_ports(filter, next->copy);
	if (!err)
		err = build_next(filter, tables, recipe);
	if (err)
		filter_undo(filter);
	return err;
}

/* The head of a generation, as the programs read it; NULL with a message. */
static struct pc_generation *map_head(const struct installed *installed)
{
	void *head = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  installed->generation, 0);

	if (head != MAP_FAILED)
		return head;
	error("cannot write to the generation: %s", strerror(errno));
	return NULL;
}

static void unmap_head(struct pc_generation **head)
{
	if (*head)
		munmap(*head, sysconf(_SC_PAGESIZE));
}

/* One store, at once for all packets. */
static int set_deadline(struct installed *installed, __u64 deadline)
{
	__cleanup(unmap_head) struct pc_generation *head = map_head(installed);

	if (!head)
		return -ENOMEM;
	__atomic_store_n(&head->deadline, deadline, __ATOMIC_SEQ_CST);
	installed->copy->deadline = deadline;
	return 0;
}

int filter_arm(struct filter *filter, __u64 deadline)
{
	return filter->next.copy->deadline == NOT_ARMED ? set_deadline(&filter->next, deadline) : 0;
}

/* Whether the interface that the filter is attached to is in the caller's network namespace. */
static bool is_here(const struct filter *filter)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);

	return filter->ifindex && !bpf_xdp_query(filter->ifindex, 0, &found) &&
	       (found.drv_prog_id == filter->program_id || found.skb_prog_id == filter->program_id);
}

/* It stands there since filter_prepare, unless a killed command's was cleared away since. */
static int keep_fallback(const struct filter *filter)
{
	__u32 slot = FALLBACK_SLOT, id;

	if (!bpf_map_lookup_elem(filter->fd[FILTER_GENERATIONS], &slot, &id))
		return 0;
	return put_in_place(filter, FALLBACK_SLOT, filter->current.generation);
}

int filter_commit(struct filter *filter)
{
	struct installed old = filter->current;
	int err = 0;

	/* What the old generation admitted by its table, it did not let the program learn. */
	if (is_here(filter))
		seed_live(filter, filter->ifindex, filter->next.copy->forward);
	if (first_to_confirm(filter, filter->next.copy))
		err = keep_fallback(filter);
	if (!err)
		err = put_in_place(filter, 0, filter->next.generation);
	slot_update_end(&filter->placing);
	if (err) {
		error("cannot switch to the new generation: %s", strerror(-err));
		return err;
	}
	filter->current = filter->next;
	filter->next = old; /* until finish or undo */
	return 0;
}

/* What was only to attach with becomes what is fallen back to: from now on it observes. */
static void let_stand_in_observe(struct installed *stand_in)
{
	__cleanup(unmap_head) struct pc_generation *head = map_head(stand_in);

	if (head)
		__atomic_store_n(&head->policy, PC_POLICY_OBSERVE, __ATOMIC_RELAXED);
}

/* Whether a generation that is there uses the trie of one that goes. */
static bool trie_used(const struct filter *filter, __u32 slot)
{
	return filter->current.copy->tries_slot == slot ||
	       (filter->fallback.copy && filter->fallback.copy->tries_slot == slot);
}

/* Frees what judges no more, and is no fallback. */
static void retire(struct filter *filter, struct installed *old)
{
	const struct pc_generation *copy = old->copy;

	installed_unpin_others(filter);
	if (copy && copy->prefixes > TRIE_LARGE && !trie_used(filter, copy->tries_slot))
		bpf_map_delete_elem(filter->fd[FILTER_TRIES], &copy->tries_slot);
	installed_close(old);
}

void filter_finish(struct filter *filter)
{
	if (filter->next.copy && first_to_confirm(filter, filter->current.copy)) {
		filter->fallback = filter->next;
		filter->next = INSTALLED_NONE;
		if (filter->fallback.copy->policy == PC_POLICY_START)
			let_stand_in_observe(&filter->fallback);
	}
	if (!filter->fallback.copy)
		clear_fallback(filter); /* a killed command's */
	retire(filter, &filter->next);
}

void filter_undo(struct filter *filter)
{
	const struct pc_generation *current = filter->current.copy, *next = filter->next.copy;
	bool committed, parked;

	slot_update_end(&filter->placing);
	committed = next && current && next->number < current->number;
	parked = next && current && first_to_confirm(filter, committed ? current : next);

	if (committed && !put_in_place(filter, 0, filter->next.generation)) {
		struct installed failed = filter->current;

		filter->current = filter->next;
		filter->next = failed;
		committed = false;
	}
	if (parked && !committed)
		clear_fallback(filter);
	if (filter->current.copy)
		installed_unpin_others(filter);
	installed_close(&filter->next);
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

int filter_confirm(struct filter *filter)
{
	int err;

	if (filter->reverted.copy ||
	    (filter->current.copy->deadline && clock_boot() >= filter->current.copy->deadline))
		return -ETIME;
	if (!filter->current.copy->deadline)
		return 0;
	err = set_deadline(&filter->current, 0);
	if (err)
		return err;
	clear_fallback(filter);
	filter->next = filter->fallback;
	filter->fallback = INSTALLED_NONE;
	retire(filter, &filter->next);
	return 0;
}

int filter_settle_reverted(struct filter *filter)
{
	__cleanup(unmap_head) struct pc_generation *head = map_head(&filter->current);
	__u64 late = clock_boot() - filter->reverted.copy->deadline;
	int err;

	if (!head)
		return -ENOMEM;
	__atomic_store_n(&head->reverted_at, clock_wall() - late, __ATOMIC_RELAXED);
	err = put_in_place(filter, 0, filter->current.generation);
	if (err) {
		error("cannot put the generation back that judges: %s", strerror(-err));
		return err;
	}
	clear_fallback(filter);
	retire(filter, &filter->reverted);
	return 0;
}

int filter_ready(struct filter *filter, const char *interface)
{
	if (!filter->current.copy->stand_in)
		return filter->reverted.copy ? filter_settle_reverted(filter) : 0;
	error("%s: the attach was not confirmed in time, and everything passes; attach again",
	      interface);
	return -ENOENT;
}

int filter_empty(struct filter *filter)
{
	__u32 judging = 0, number;

	if (filter->fd[FILTER_GENERATIONS] < 0 ||
	    (bpf_map_lookup_elem(filter->fd[FILTER_GENERATIONS], &judging, &number) &&
	     errno == ENOENT))
		return 0;
	fd_close(&filter->emptied);
	filter->emptied = bpf_map_get_fd_by_id(number);
	if (filter->emptied < 0 || bpf_map_delete_elem(filter->fd[FILTER_GENERATIONS], &judging))
		return -errno;
	return 0;
}

void filter_refill(const struct filter *filter)
{
	if (filter->emptied >= 0 && put_in_place(filter, 0, filter->emptied))
		error("%s/%s: cannot put back what judged: %s", PINS, filter->id, strerror(errno));
}

bool filter_is_empty(const char *id)
{
	__close_fd int generations = object_get(id, "generations");
	__u32 judging = 0, number;

	return generations >= 0 && bpf_map_lookup_elem(generations, &judging, &number) &&
	       errno == ENOENT;
}
