// SPDX-License-Identifier: GPL-2.0
/* The slots of `generations`, for generation.c and confirm.c. */
#include "loader/filter/slots.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/installed.h"

int slot_put(const struct filter *filter, __u32 slot, int generation)
{
	return bpf_map_update_elem(filter->fd[FILTER_GENERATIONS], &slot, &generation, BPF_ANY) ?
		       -errno :
		       0;
}

bool slot_has_fallback(const struct filter *filter)
{
	__u32 slot = SLOT_FALLBACK, id;

	return !bpf_map_lookup_elem(filter->fd[FILTER_GENERATIONS], &slot, &id);
}

void slot_clear_fallback(const struct filter *filter)
{
	__u32 slot = SLOT_FALLBACK;

	if (slot_has_fallback(filter))
		bpf_map_delete_elem(filter->fd[FILTER_GENERATIONS], &slot);
}

struct pc_generation *generation_map_head(const struct installed *installed)
{
	void *head = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			  installed->generation, 0);

	if (head != MAP_FAILED)
		return head;
	error("cannot write to the generation: %s", strerror(errno));
	return NULL;
}

void generation_unmap_head(struct pc_generation **head)
{
	if (*head)
		munmap(*head, sysconf(_SC_PAGESIZE));
}

int generation_set_deadline(struct installed *installed, __u64 deadline)
{
	__cleanup(generation_unmap_head) struct pc_generation *head =
		generation_map_head(installed);

	if (!head)
		return -ENOMEM;
	__atomic_store_n(&head->deadline, deadline, __ATOMIC_SEQ_CST);
	installed->copy->deadline = deadline;
	return 0;
}

#define TRIE_LARGE 4096 /* entries; a retired trie with more is freed at once */

/* True if a generation that stays uses the trie of one that is removed. */
static bool trie_used(const struct filter *filter, __u32 slot)
{
	return filter->current.copy->tries_slot == slot ||
	       (filter->fallback.copy && filter->fallback.copy->tries_slot == slot);
}

void generation_retire(struct filter *filter, struct installed *old)
{
	const struct pc_generation *copy = old->copy;

	installed_unpin_others(filter);
	if (copy && copy->prefixes > TRIE_LARGE && !trie_used(filter, copy->tries_slot))
		bpf_map_delete_elem(filter->fd[FILTER_TRIES], &copy->tries_slot);
	installed_close(old);
}
