// SPDX-License-Identifier: GPL-2.0
/* The maps of one generation. */
#include "loader/filter/generation_maps.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/object/slot_update.h"

#define RECIPE_CHUNK 4096
#define BATCH	     16384

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

/* The bytes of a generation that may change while it is active: those before the tables. */
#define HEAD_SIZE 4096

_Static_assert(offsetof(struct pc_generation, protocol) <= HEAD_SIZE, "head of a generation");

/* The head has a mapping of its own, in whole pages. */
static size_t head_size(void)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return page > HEAD_SIZE ? page : HEAD_SIZE;
}

struct pc_generation *generation_map(int generation, bool write)
{
	const int access = write ? PROT_READ | PROT_WRITE : PROT_READ;
	const size_t size = sizeof(struct pc_generation), head = head_size();
	void *live = mmap(NULL, head, PROT_READ, MAP_SHARED, generation, 0), *tables = MAP_FAILED;
	char *all = MAP_FAILED;

	if (live != MAP_FAILED)
		all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all != MAP_FAILED) {
		memcpy(all, live, head);
		tables = mmap(all + head, size - head, access, MAP_SHARED | MAP_FIXED, generation,
			      (off_t)head);
	}
	if (live != MAP_FAILED)
		munmap(live, head);
	if (tables == MAP_FAILED && all != MAP_FAILED)
		munmap(all, size);
	return tables == MAP_FAILED ? NULL : (struct pc_generation *)all;
}

static int store_failed(int err)
{
	error("cannot store the filter's tables in the kernel: %s", strerror(-err));
	return err;
}

int generation_make(const struct pc_generation *tables, struct installed *installed)
{
	installed->generation = map_create(BPF_MAP_TYPE_ARRAY, "generation", sizeof(__u32),
					   sizeof(*tables), 1, BPF_F_MMAPABLE);
	if (installed->generation < 0)
		return installed->generation;
	installed->copy = generation_map(installed->generation, true);
	installed->mapped = installed->copy;
	if (!installed->mapped)
		return store_failed(-errno);
	memcpy(installed->copy, tables, sizeof(*tables));
	return 0;
}

int generation_store_head(const struct installed *installed)
{
	void *live = mmap(NULL, head_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
			  installed->generation, 0);

	if (live == MAP_FAILED)
		return store_failed(-errno);
	memcpy(live, installed->copy, head_size());
	munmap(live, head_size());
	return 0;
}

/*
 * Returns a duplicate of the map's descriptor. The original is closed then, which leaves one
 * descriptor free: filter_undo needs it to list the folder.
 */
int generation_make_recipe(const char *recipe, size_t length)
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

		error("cannot keep the recipe with the filter in the kernel: %s", strerror(-err));
		return err;
	}
	memcpy(memory, recipe, length);
	munmap(memory, (size_t)chunks * RECIPE_CHUNK);
	bpf_map_freeze(fd); /* a generation never changes; where the kernel cannot freeze the map,
	 * it stays as it is */
	return fd_dup(fd);
}

int filter_recipe(const struct filter *filter, char **recipe)
{
	size_t length = filter->current.copy->recipe_length;
	__u32 chunks = length / RECIPE_CHUNK + 1, i;
	__free_text char *text = xcalloc(chunks, RECIPE_CHUNK);

	/* The kernel allows mmap only for maps that can be written. */
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
static int trie_fill(int fd, struct pc_key *key, struct pc_groups *groups, size_t count)
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

static void trie_entries(const struct tables *tables, struct pc_key *key, struct pc_groups *groups)
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

/* Makes a trie of all prefixes, and puts it into `slot`, which no generation may refer to. */
static int make_trie(struct filter *filter, const struct tables *tables, __u32 slot)
{
	size_t count = tables->tries4 + tables->tries6;
	struct pc_key *key = xcalloc(count, sizeof(*key));
	struct pc_groups *groups = xcalloc(count, sizeof(*groups));
	__close_fd int fd =
		map_create(BPF_MAP_TYPE_LPM_TRIE, "prefixes", sizeof(*key), sizeof(*groups), count,
			   BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG);
	int err = fd < 0 ? fd : 0;

	if (!err) {
		trie_entries(tables, key, groups);
		err = trie_fill(fd, key, groups, count);
		bpf_map_freeze(fd); /* a trie never changes, as a recipe (generation_make_recipe) */
		if (!err)
			err = slot_update_begin(filter->fd[FILTER_TRIES], slot, fd,
						&filter->placing);
		if (err)
			error("cannot put the prefixes of the groups into the kernel: %s",
			      strerror(-err));
	}
	free(key);
	free(groups);
	return err;
}

/* True if the generation has the same trie, so that it can be shared. */
static bool same_trie(const struct pc_generation *generation, const struct pc_generation *wanted)
{
	return generation && generation->tries_slot < PC_SLOTS &&
	       generation->prefixes == wanted->prefixes &&
	       generation->tries_digest == wanted->tries_digest;
}

int generation_place_trie(struct filter *filter, const struct tables *tables,
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
