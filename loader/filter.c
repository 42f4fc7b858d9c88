// SPDX-License-Identifier: GPL-2.0
/* One filter: the loaded program and its maps, the switch of its generation, its pins. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "loader/kernel.h"
#include "loader/libbpf_log.h"
#include "loader/link.h"
#include "loader/outer.h"
#include "portcullis.skel.h"

#define RECIPE_CHUNK   4096
#define TRIE_LARGE     4096 /* entries: a retired trie of more is freed at once */
#define BATCH	       16384
#define LOG_TAIL_LINES 15
#define PROGRAM_MAPS   32
#define HASH_ENTRY     48 /* bytes of struct htab_elem and struct bucket, kernel/bpf/hashtab.c */
#define HASH_BUCKET    16

_Static_assert(sizeof(PORTCULLIS_VERSION) <= sizeof(((struct pc_generation *)0)->program_version),
	       "version text");

static void skeleton_destroy(struct portcullis_bpf **skeleton)
{
	portcullis_bpf__destroy(*skeleton);
}

static int dup_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

/* Whether the running kernel is older than KERNEL_OLDEST. */
static bool kernel_old(const char *release)
{
	int need[2], have[2];

	return sscanf(KERNEL_OLDEST, "%d.%d", &need[0], &need[1]) == 2 &&
	       sscanf(release, "%d.%d", &have[0], &have[1]) == 2 &&
	       (have[0] < need[0] || (have[0] == need[0] && have[1] < need[1]));
}

static void report_refusal(int err)
{
	__free_text char *log = libbpf_log_tail(LOG_TAIL_LINES);
	struct utsname kernel = {};

	uname(&kernel);
	if (*log)
		fprintf(stderr, "%s", log);
	error("the kernel refuses the BPF program: %s; this is Linux %s, " KERNEL_OLDEST
	      " or newer is needed%s",
	      strerror(-err), kernel.release,
	      kernel_old(kernel.release) ?
		      "" :
		      ", with BPF and its JIT; if it has them, report the lines above");
}

static int program_id(int program, __u32 *id)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	*id = info.id;
	return 0;
}

/* The skeleton closes its own. */
static int keep_descriptors(const struct portcullis_bpf *skeleton, struct filter *filter)
{
	const struct {
		int from;
		int *to;
	} each[] = {
		{bpf_program__fd(skeleton->progs.portcullis), &filter->program},
		{bpf_map__fd(skeleton->maps.generations), &filter->generations},
		{bpf_map__fd(skeleton->maps.tries), &filter->tries},
		{bpf_map__fd(skeleton->maps.counters), &filter->counters},
		{bpf_map__fd(skeleton->maps.carries), &filter->carries},
		{bpf_map__fd(skeleton->maps.rare), &filter->rare},
		{bpf_map__fd(skeleton->maps.flows), &filter->flows},
		{bpf_map__fd(skeleton->maps.observed), &filter->observed},
		{bpf_map__fd(skeleton->maps.strangers), &filter->strangers},
		{bpf_map__fd(skeleton->maps.open_ports), &filter->open_ports},
		{bpf_map__fd(skeleton->maps.shared), &filter->shared},
		{bpf_program__fd(skeleton->progs.portcullis_egress), &filter->egress},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(each); i++) {
		*each[i].to = dup_fd(each[i].from);
		if (*each[i].to < 0)
			return *each[i].to;
	}
	return 0;
}

static bool has_helper(enum bpf_prog_type type, enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(type, helper, NULL) == 1;
}

static void set_constants(struct portcullis_bpf *skeleton, struct filter *filter)
{
	/* The helper and the flag came together, in 5.18. */
	filter->frags = has_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes);
	skeleton->rodata->have_frags = filter->frags;
	skeleton->rodata->have_coarse =
		has_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns) &&
		has_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_ktime_get_coarse_ns);
	if (filter->frags)
		bpf_program__set_flags(skeleton->progs.portcullis, BPF_F_XDP_HAS_FRAGS);
}

static int set_maps(struct portcullis_bpf *skeleton, int cpus, const struct filter *with,
		    __u32 flows)
{
	int err;

	bpf_map__set_max_entries(skeleton->maps.counters, PC_CELLS * cpus);
	if (with->flows < 0)
		return bpf_map__set_max_entries(skeleton->maps.flows, flows);
	err = bpf_map__reuse_fd(skeleton->maps.flows, with->flows);
	if (!err)
		err = bpf_map__reuse_fd(skeleton->maps.observed, with->observed);
	if (!err)
		err = bpf_map__reuse_fd(skeleton->maps.strangers, with->strangers);
	if (!err)
		err = bpf_map__reuse_fd(skeleton->maps.open_ports, with->open_ports);
	if (!err)
		err = bpf_map__reuse_fd(skeleton->maps.shared, with->shared);
	return err;
}

/* New flow maps are this network namespace's from now on. */
static int claim_shared(const struct filter *filter)
{
	struct pc_shared shared = {.netns = netns_inode()};
	__u32 zero = 0;

	return bpf_map_update_elem(filter->shared, &zero, &shared, BPF_ANY) ? -errno : 0;
}

int filter_load_sharing(struct filter *filter, const struct filter *with, __u32 flows)
{
	__cleanup(skeleton_destroy) struct portcullis_bpf *skeleton = NULL;
	int cpus = libbpf_num_possible_cpus();
	int err;

	libbpf_log_start();
	skeleton = portcullis_bpf__open();
	if (!skeleton || cpus < 1) {
		error("cannot open the BPF program: %s", strerror(errno));
		return -EINVAL;
	}
	*filter = FILTER_NONE;
	set_constants(skeleton, filter);
	err = set_maps(skeleton, cpus, with, flows);
	if (err) {
		error("cannot set up the maps: %s", strerror(-err));
		return err;
	}
	err = portcullis_bpf__load(skeleton);
	if (err) {
		report_refusal(err);
		return err;
	}
	err = keep_descriptors(skeleton, filter);
	if (!err)
		err = program_id(filter->program, &filter->program_id);
	if (!err && with->flows < 0) {
		err = claim_shared(filter);
		share_begin(filter);
	}
	if (err) {
		error("cannot keep the BPF program: %s", strerror(-err));
		filter_close(filter);
	}
	return err;
}

int filter_load(struct filter *filter)
{
	return filter_load_sharing(filter, &FILTER_NONE, PC_FLOWS);
}

static void installed_close(struct installed *installed)
{
	fd_close(&installed->generation);
	fd_close(&installed->recipe);
	free(installed->copy);
	*installed = (struct installed){-1, -1, NULL};
}

void filter_close(struct filter *filter)
{
	int *fd[] = {&filter->program,	 &filter->link,	     &filter->generations,
		     &filter->tries,	 &filter->counters,  &filter->carries,
		     &filter->rare,	 &filter->flows,     &filter->observed,
		     &filter->shared,	 &filter->egress,    &filter->egress_link,
		     &filter->strangers, &filter->open_ports};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fd); i++)
		fd_close(fd[i]);
	outer_end(&filter->placing);
	installed_close(&filter->current);
	installed_close(&filter->next);
	*filter = FILTER_NONE;
}

/* --- pins --- */

/* The folder `id`, or the pin `name` in it; the caller frees. */
static char *pin_path(const char *id, const char *name)
{
	return name ? xasprintf(PINS "/%s/%s", id, name) : xasprintf(PINS "/%s", id);
}

static int pin_object(const char *id, const char *name, int fd)
{
	__free_text char *path = pin_path(id, name);
	int err;

	if (!bpf_obj_pin(fd, path))
		return 0;
	err = -errno;
	error("%s: cannot pin: %s", path, strerror(-err));
	return err;
}

static int pin_get(const char *id, const char *name)
{
	__free_text char *path = pin_path(id, name);
	int fd = bpf_obj_get(path);

	return fd < 0 ? -errno : fd;
}

/*
 * Removes the pins in a folder whose names begin with `prefix`, but for those that end in `keep`.
 */
static void unpin_matching(const char *id, const char *prefix, const char *keep)
{
	__free_text char *folder = pin_path(id, NULL);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *dash = strchr(entry->d_name, '-');

		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		if (keep && dash && !strcmp(dash + 1, keep))
			continue;
		unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

int filter_unpin(const struct filter *filter)
{
	__free_text char *folder = pin_path(filter->id, NULL);
	__free_text char *link = pin_path(filter->id, "link");
	int err = 0;

	/* The link first: what is left without it is nobody's, and collected. */
	if (unlink(link) && errno != ENOENT) {
		err = -errno;
		error("%s: cannot unpin: %s", link, strerror(-err));
		return err;
	}
	unpin_matching(filter->id, "", NULL);
	if (rmdir(folder) && errno != ENOENT) {
		err = -errno;
		error("%s: cannot remove: %s", folder, strerror(-err));
	}
	return err;
}

/* The interface of the filter's link; 0: it lost it. */
static unsigned int link_ifindex(int link)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);

	return link < 0 || bpf_obj_get_info_by_fd(link, &info, &length) ? 0 : info.xdp.ifindex;
}

/* What filter_detach needs of a filter that is known by its id only. */
static void open_hooks(struct filter *filter)
{
	if (filter->link < 0)
		filter->link = pin_get(filter->id, "link");
	if (filter->egress < 0)
		filter->egress = pin_get(filter->id, "egress");
	if (filter->egress_link < 0)
		filter->egress_link = pin_get(filter->id, "egress_link");
	if (!filter->ifindex)
		filter->ifindex = link_ifindex(filter->link);
}

int filter_detach(struct filter *filter)
{
	int err = 0;

	if (filter->id[0])
		open_hooks(filter);
	/* At once, not when the kernel gets to freeing the link. */
	if (filter->link >= 0 && bpf_link_detach(filter->link) && errno != ENOLINK) {
		err = -errno;
		error("cannot detach: %s", strerror(-err));
		return err;
	}
	err = egress_detach(filter, filter->ifindex);
	if (err)
		return err;
	return filter->id[0] ? filter_unpin(filter) : 0;
}

/* The recipe first: a generation that is there has one. */
static int pin_generation(const struct filter *filter, const struct installed *installed)
{
	__u64 number = installed->copy->number;
	__free_text char *generation_name = xasprintf("generation-%llu", number);
	__free_text char *recipe_name = xasprintf("recipe-%llu", number);
	int err = pin_object(filter->id, recipe_name, installed->recipe);

	return err ? err : pin_object(filter->id, generation_name, installed->generation);
}

/* Unpins every generation but this one. */
static void unpin_others(const struct filter *filter, const struct installed *installed)
{
	__free_text char *keep = xasprintf("%llu", installed->copy->number);

	if (!filter->id[0])
		return;
	unpin_matching(filter->id, "generation-", keep);
	unpin_matching(filter->id, "recipe-", keep);
}

int filter_pin(struct filter *filter)
{
	const struct {
		const char *name;
		int fd;
	} pin[] = {
		{"program", filter->program},	  {"generations", filter->generations},
		{"tries", filter->tries},	  {"counters", filter->counters},
		{"carries", filter->carries},	  {"rare", filter->rare},
		{"flows", filter->flows},	  {"observed", filter->observed},
		{"strangers", filter->strangers}, {"open_ports", filter->open_ports},
		{"shared", filter->shared},	  {"egress_link", filter->egress_link},
	};
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(pin); i++) {
		err = pin[i].fd < 0 ? 0 : pin_object(filter->id, pin[i].name, pin[i].fd);
		if (err)
			return err;
	}
	err = pin_generation(filter, &filter->current);
	/* Last: with it the filter counts as there. */
	return err ? err : pin_object(filter->id, "link", filter->link);
}

int filter_pin_egress(struct filter *filter)
{
	__free_text char *folder = NULL;
	__u64 id;
	int err;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id)) {
		error("cannot get a random number for a pin's folder");
		return -EIO;
	}
	snprintf(filter->id, sizeof(filter->id), "%016llx", id);
	folder = pin_path(filter->id, NULL);
	if (mkdir(folder, 0700)) {
		err = -errno;
		error("%s: %s", folder, strerror(-err));
		filter->id[0] = '\0';
		return err;
	}
	err = pin_object(filter->id, "egress", filter->egress);
	if (err) {
		filter_unpin(filter);
		filter->id[0] = '\0';
	}
	return err;
}

int filter_repin_egress(const struct filter *filter)
{
	__free_text char *link = pin_path(filter->id, "egress_link");
	int err = unlink(link) && errno != ENOENT ? -errno : 0;

	if (err)
		error("%s: cannot unpin: %s", link, strerror(-err));
	else if (filter->egress_link >= 0)
		err = pin_object(filter->id, "egress_link", filter->egress_link);
	return err;
}

/* --- generations --- */

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
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

/* The generation's own map, filled. Returns its descriptor. */
static int make_generation(const struct pc_generation *generation)
{
	__u32 zero = 0;
	__close_fd int fd = map_create(BPF_MAP_TYPE_ARRAY, "generation", sizeof(zero),
				       sizeof(*generation), 1, 0);

	if (fd < 0)
		return fd;
	if (bpf_map_update_elem(fd, &zero, generation, 0)) {
		int err = -errno;

		error("cannot fill the generation's map: %s", strerror(-err));
		return err;
	}
	return dup_fd(fd);
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
	return dup_fd(fd);
}

int filter_recipe(const struct filter *filter, char **recipe)
{
	size_t length = filter->current.copy->recipe_length;
	size_t size = (length / RECIPE_CHUNK + 1) * RECIPE_CHUNK;
	void *memory = mmap(NULL, size, PROT_READ, MAP_SHARED, filter->current.recipe, 0);

	if (memory == MAP_FAILED) {
		int err = -errno;

		error("cannot read the recipe: %s", strerror(-err));
		return err;
	}
	*recipe = xstrndup(memory, length);
	munmap(memory, size);
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
	__close_fd int fd = map_create(BPF_MAP_TYPE_LPM_TRIE, "prefixes", sizeof(*key),
				       sizeof(*groups), count, BPF_F_NO_PREALLOC);
	int err = fd < 0 ? fd : 0;

	if (!err) {
		trie_entries(tables, key, groups);
		err = trie_fill(fd, key, groups, count);
		if (!err)
			err = outer_begin(filter->tries, slot, fd, &filter->placing);
		if (err)
			error("cannot put %zu group prefixes into the kernel: %s", count,
			      strerror(-err));
	}
	free(key);
	free(groups);
	return err;
}

/* Uses the current trie again if its prefixes are the same. */
static int place_trie(struct filter *filter, const struct tables *tables,
		      struct pc_generation *generation)
{
	const struct pc_generation *current = filter->current.copy;

	generation->prefixes = tables->tries4 + tables->tries6;
	if (!generation->prefixes) {
		generation->tries_slot = PC_SLOTS;
		return 0;
	}
	if (current && current->tries_slot < PC_SLOTS &&
	    current->prefixes == generation->prefixes &&
	    current->tries_digest == generation->tries_digest) {
		generation->tries_slot = current->tries_slot;
		return 0;
	}
	generation->tries_slot = current ? (current->tries_slot + 1) % PC_SLOTS : 0;
	return make_trie(filter, tables, generation->tries_slot);
}

static void fill_header(const struct filter *filter, struct pc_generation *generation,
			size_t recipe_length, __u64 batch)
{
	const struct pc_generation *current = filter->current.copy;

	generation->magic = PC_MAGIC;
	generation->version = PC_ABI_VERSION;
	generation->made_at = now_ns();
	generation->number = current ? current->number + 1 : 1;
	generation->attached_at = current ? current->attached_at : generation->made_at;
	generation->recipe_length = recipe_length;
	generation->batch = batch;
	if (generation->forward && filter->ifindex)
		link_uppers(filter->ifindex, generation->upper);
	memcpy(generation->program_version, current ? current->program_version : PORTCULLIS_VERSION,
	       current ? sizeof(current->program_version) : sizeof(PORTCULLIS_VERSION));
}

int filter_prepare(struct filter *filter, const struct tables *tables, const char *recipe,
		   __u64 batch)
{
	struct installed *next = &filter->next;
	int err;

	installed_close(next);
	next->copy = xcalloc(1, sizeof(*next->copy));
	*next->copy = *tables->generation;
	fill_header(filter, next->copy, strlen(recipe), batch);
	err = place_trie(filter, tables, next->copy);
	if (!err) {
		next->recipe = make_recipe(recipe, next->copy->recipe_length);
		err = next->recipe < 0 ? next->recipe : 0;
	}
	if (!err) {
		next->generation = make_generation(next->copy);
		err = next->generation < 0 ? next->generation : 0;
	}
	if (!err && filter->id[0])
		err = pin_generation(filter, next);
	if (err)
		filter_undo(filter);
	return err;
}

/* The update waits until no packet is judged by the old generation any more. */
static int put_in_place(const struct filter *filter, int generation)
{
	__u32 judging = 0;

	if (!bpf_map_update_elem(filter->generations, &judging, &generation, BPF_ANY))
		return 0;
	return -errno;
}

/* Whether the interface that the filter is attached to is in the caller's network namespace. */
static bool is_here(const struct filter *filter)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);

	return filter->ifindex && !bpf_xdp_query(filter->ifindex, 0, &found) &&
	       (found.drv_prog_id == filter->program_id || found.skb_prog_id == filter->program_id);
}

int filter_commit(struct filter *filter)
{
	struct installed old = filter->current;
	int err;

	/* What the old generation admitted by its table, it did not let the program learn. */
	if (is_here(filter))
		seed_live(filter, filter->ifindex, filter->next.copy->forward);
	err = share_open(filter, filter->next.copy);
	if (!err)
		err = put_in_place(filter, filter->next.generation);
	outer_end(&filter->placing);
	if (err) {
		error("cannot switch to the new generation: %s", strerror(-err));
		return err;
	}
	filter->current = filter->next;
	filter->next = old; /* until finish or undo */
	return 0;
}

void filter_finish(struct filter *filter)
{
	const struct pc_generation *old = filter->next.copy;

	unpin_others(filter, &filter->current);
	if (old && old->prefixes > TRIE_LARGE &&
	    old->tries_slot != filter->current.copy->tries_slot)
		bpf_map_delete_elem(filter->tries, &old->tries_slot);
	installed_close(&filter->next);
}

void filter_undo(struct filter *filter)
{
	bool committed;

	outer_end(&filter->placing);
	committed = filter->next.copy && filter->current.copy &&
		    filter->next.copy->number < filter->current.copy->number;

	if (committed && !put_in_place(filter, filter->next.generation)) {
		struct installed failed = filter->current;

		filter->current = filter->next;
		filter->next = failed;
	}
	if (filter->current.copy)
		unpin_others(filter, &filter->current);
	installed_close(&filter->next);
}

int filter_switch(struct filter *filter, const struct tables *tables, const char *recipe)
{
	int err = filter_prepare(filter, tables, recipe, 0);

	if (err)
		return err;
	err = filter_commit(filter);
	if (err)
		filter_undo(filter);
	else
		filter_finish(filter);
	return err;
}

/* --- opening what is pinned --- */

static int map_info(int fd, struct bpf_map_info *info)
{
	__u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &length) ? -errno : 0;
}

/* Reads a pinned generation and its recipe. -EPROTO: of another layout. */
static int read_installed(const struct filter *filter, const char *pin, int generation,
			  const struct bpf_map_info *info, struct installed *installed)
{
	__free_text char *recipe = xasprintf("recipe-%s", strchr(pin, '-') + 1);
	__u32 zero = 0;

	if (info->value_size != sizeof(*installed->copy))
		return -EPROTO;
	installed->recipe = pin_get(filter->id, recipe);
	if (installed->recipe < 0)
		return installed->recipe;
	installed->generation = dup_fd(generation);
	if (installed->generation < 0)
		return installed->generation;
	installed->copy = xcalloc(1, sizeof(*installed->copy));
	if (bpf_map_lookup_elem(generation, &zero, installed->copy))
		return -errno;
	if (installed->copy->magic != PC_MAGIC || installed->copy->version != PC_ABI_VERSION)
		return -EPROTO;
	return 0;
}

/* Opens the pinned generation that is the one that judges, or one that is not. -ENOENT: none. */
static int open_generation(const struct filter *filter, bool judging, struct installed *installed)
{
	__free_text char *folder = pin_path(filter->id, NULL);
	__u32 zero = 0, judging_id = 0;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int err = -ENOENT;

	if (bpf_map_lookup_elem(filter->generations, &zero, &judging_id) ||
	    (!dir && errno != ENOENT))
		err = -errno;
	while (dir && err == -ENOENT && (entry = readdir(dir))) {
		struct bpf_map_info info;
		__close_fd int fd = -1;

		if (strncmp(entry->d_name, "generation-", 11))
			continue;
		fd = pin_get(filter->id, entry->d_name);
		if (fd == -ENOENT)
			continue;
		err = fd < 0 ? fd : map_info(fd, &info);
		if (err)
			break;
		err = -ENOENT;
		if ((info.id == judging_id) != judging)
			continue;
		err = read_installed(filter, entry->d_name, fd, &info, installed);
		if (err)
			installed_close(installed);
	}
	if (dir)
		closedir(dir);
	return err;
}

static int open_current(struct filter *filter)
{
	int err = -ENOENT;
	int i;

	/* A swap of another command may remove the pin between two looks: look again. */
	for (i = 0; i < 10 && err == -ENOENT; i++)
		err = open_generation(filter, true, &filter->current);
	return err;
}

int filter_pending(struct filter *filter, __u64 *batch)
{
	int err;

	installed_close(&filter->next);
	err = open_generation(filter, false, &filter->next);
	*batch = err ? 0 : filter->next.copy->batch;
	if (err == -ENOENT)
		return 0;
	if (err)
		error("%s/%s: cannot tell what a killed command left: %s", PINS, filter->id,
		      strerror(-err));
	return err;
}

struct pin {
	const char *name;
	int *fd;
};

static int open_pins(const struct filter *filter, const struct pin *pin, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		int fd = pin_get(filter->id, pin[i].name);

		if (fd < 0)
			return fd;
		*pin[i].fd = fd;
	}
	return 0;
}

/* The generation first: it tells whether the layout is ours, and so which pins there should be. */
static int open_filter(struct filter *filter)
{
	const struct pin first[] = {
		{"link", &filter->link},
		{"program", &filter->program},
		{"generations", &filter->generations},
	};
	const struct pin rest[] = {
		{"tries", &filter->tries},	   {"counters", &filter->counters},
		{"carries", &filter->carries},	   {"rare", &filter->rare},
		{"flows", &filter->flows},	   {"observed", &filter->observed},
		{"strangers", &filter->strangers}, {"open_ports", &filter->open_ports},
		{"shared", &filter->shared},	   {"egress", &filter->egress},
	};
	int err = open_pins(filter, first, ARRAY_SIZE(first));

	if (!err)
		err = open_current(filter);
	if (!err)
		err = open_pins(filter, rest, ARRAY_SIZE(rest));
	if (err)
		return err;
	filter->ifindex = link_ifindex(filter->link);
	filter->egress_link = pin_get(filter->id, "egress_link");
	if (filter->egress_link < 0 && filter->egress_link != -ENOENT)
		return filter->egress_link;
	return program_id(filter->program, &filter->program_id);
}

int filter_try_open(const char *id, struct filter *filter)
{
	struct filter opened = FILTER_NONE;
	int err;

	snprintf(opened.id, sizeof(opened.id), "%s", id);
	err = open_filter(&opened);
	if (err) {
		filter_close(&opened);
		return err;
	}
	*filter = opened;
	return 0;
}

int filter_open(const char *id, struct filter *filter)
{
	int err = filter_try_open(id, filter);

	if (err == -EPROTO)
		error("%s/%s: was made by another version of portcullis, whose layout this one does not know: use that version, or detach the interface and attach it again",
		      PINS, id);
	else if (err && err != -ENOENT)
		error("%s/%s: %s", PINS, id, strerror(-err));
	return err;
}

/* --- memory --- */

static __u64 memlock(int fd)
{
	__free_text char *path = xasprintf("/proc/self/fdinfo/%d", fd);
	__close_file FILE *info = fopen(path, "re");
	unsigned long long bytes = 0;
	char line[256];

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

/*
 * 6.1 says more for an array than it takes (the size of a key for each entry), and less for a hash
 * of ready-made entries (no heads of entries and buckets).
 */
static __u64 map_memory(int fd)
{
	struct bpf_map_info info;
	__u64 said = memlock(fd), bytes, buckets = 1;

	if (map_info(fd, &info))
		return said;
	if (info.type == BPF_MAP_TYPE_ARRAY)
		return (__u64)(info.value_size + 7) / 8 * 8 * info.max_entries;
	if (info.type != BPF_MAP_TYPE_LRU_HASH)
		return said;
	while (buckets < info.max_entries)
		buckets <<= 1;
	bytes = (__u64)info.max_entries *
			(HASH_ENTRY + (info.key_size + 7) / 8 * 8 + (info.value_size + 7) / 8 * 8) +
		buckets * HASH_BUCKET;
	return bytes > said ? bytes : said;
}

/* The maps whose ids are new to `seen`, which has room. */
static __u64 maps_memory(const __u32 *id, __u32 ids, __u32 *seen, __u32 *count)
{
	__u64 bytes = 0;
	__u32 i, j;

	for (i = 0; i < ids; i++) {
		__close_fd int fd = -1;

		for (j = 0; j < *count && seen[j] != id[i]; j++)
			;
		if (j < *count)
			continue;
		seen[(*count)++] = id[i];
		fd = bpf_map_get_fd_by_id(id[i]);
		if (fd >= 0)
			bytes += map_memory(fd);
	}
	return bytes;
}

/* A program and its maps. */
static __u64 program_memory(int program, __u32 *seen, __u32 *count)
{
	__u32 id[PROGRAM_MAPS];
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS,
				     .map_ids = (__u64)(unsigned long)id};
	__u32 length = sizeof(info);
	__u32 ids;

	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return memlock(program);
	ids = info.nr_map_ids < PROGRAM_MAPS ? info.nr_map_ids : PROGRAM_MAPS;
	return memlock(program) + maps_memory(id, ids, seen, count);
}

__u64 filter_memory(const struct filter *filter)
{
	__u32 seen[2 * PROGRAM_MAPS], count = 0;
	__u64 bytes = program_memory(filter->program, seen, &count) +
		      program_memory(filter->egress, seen, &count);
	__u32 slot, id;

	bytes += map_memory(filter->current.generation) + map_memory(filter->current.recipe);
	for (slot = 0; slot < PC_SLOTS; slot++) {
		__close_fd int trie = -1;

		if (!bpf_map_lookup_elem(filter->tries, &slot, &id))
			trie = bpf_map_get_fd_by_id(id);
		if (trie >= 0)
			bytes += map_memory(trie);
	}
	return bytes;
}
