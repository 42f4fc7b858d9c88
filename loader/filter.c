// SPDX-License-Identifier: GPL-2.0
/* One filter: its programs and maps, loaded or opened from their pins. */
#include "loader/filter.h"

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/compile/cells.h"
#include "loader/net/netns.h"
#include "loader/object/admins.h"
#include "loader/object/log.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"
#include "loader/object/slot_update.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "portcullis.skel.h"

#define LOG_TAIL_LINES 15
#define PROGRAM_MAPS   64 /* more than a program of ours uses */

const struct filter_descriptor filter_descriptor[FILTER_FDS] = {
	[FILTER_LINK] = {"link", NULL, FD_HEAD | FD_APART},
	[FILTER_PROGRAM] = {"program", NULL, FD_HEAD},
	[FILTER_GENERATIONS] = {"generations", "generations", FD_HEAD},
	[FILTER_TRIES] = {"tries", "tries", 0},
	[FILTER_STATE] = {"filter", ".data.filter", FD_COUNTS},
	[FILTER_COUNTERS] = {"counters", "counters", FD_COUNTS},
	[FILTER_TOTALS] = {"totals", "totals", FD_COUNTS},
	[FILTER_CARRIES] = {"carries", "carries", FD_COUNTS},
	[FILTER_RARE] = {"rare", "rare", FD_COUNTS},
	[FILTER_PAST] = {"past", NULL, FD_OPTIONAL},
	[FILTER_FLOWS] = {"flows", "flows", FD_NAMESPACE},
	[FILTER_CONNECTIONS] = {"connections", "connections", FD_NAMESPACE},
	[FILTER_STREAMS] = {"streams", "streams", FD_NAMESPACE},
	[FILTER_LEARNED] = {"learned", "learned", FD_NAMESPACE},
	[FILTER_CAME_IN] = {"came_in", "came_in", FD_NAMESPACE},
	[FILTER_FRAGMENTS] = {"fragments", "fragments", FD_NAMESPACE},
	[FILTER_LARGE] = {"large", "large", FD_NAMESPACE},
	[FILTER_SHARED] = {"shared", "shared", FD_NAMESPACE},
	[FILTER_EGRESS] = {"egress", NULL, FD_APART},
	[FILTER_EGRESS_LINK] = {"egress_link", NULL, FD_OPTIONAL},
};

static void skeleton_destroy(struct portcullis_bpf **skeleton)
{
	portcullis_bpf__destroy(*skeleton);
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

/* The skeleton closes its own. */
static int keep_descriptors(const struct portcullis_bpf *skeleton,
			    const struct bpf_program *ingress, struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++) {
		const char *map = filter_descriptor[i].map;
		int fd = i == FILTER_PROGRAM ? bpf_program__fd(ingress) :
			 i == FILTER_EGRESS  ? bpf_program__fd(skeleton->progs.portcullis_egress) :
			 map		     ? bpf_object__find_map_fd_by_name(skeleton->obj, map) :
					       -1;

		filter->fd[i] = fd < 0 ? -1 : fd_dup(fd);
		if (filter->fd[i] < 0 && fd >= 0)
			return filter->fd[i];
	}
	return 0;
}

static bool has_helper(enum bpf_prog_type type, enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(type, helper, NULL) == 1;
}

/* Whether a program may look into the kernel's struct xdp_buff: 6.2 and newer. */
static bool has_kernel_context(void)
{
	struct btf *types = btf__load_vmlinux_btf();
	bool has =
		types && btf__find_by_name_kind(types, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;

	btf__free(types);
	return has;
}

/* The program for ingress; the other one is not loaded. */
static struct bpf_program *choose_ingress(struct portcullis_bpf *skeleton,
					  const struct filter *filter)
{
	bool kernel_context = filter->frags && has_kernel_context();

	bpf_program__set_autoload(skeleton->progs.portcullis, kernel_context);
	bpf_program__set_autoload(skeleton->progs.portcullis_old, !kernel_context);
	return kernel_context ? skeleton->progs.portcullis : skeleton->progs.portcullis_old;
}

static void set_constants(struct portcullis_bpf *skeleton, struct filter *filter)
{
	/* The helper and the flag came together, in 5.18. */
	filter->frags = has_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes);
	skeleton->rodata->have_frags = filter->frags;
	skeleton->rodata->have_xfrm =
		has_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skb_get_xfrm_state);
	skeleton->rodata->have_coarse =
		has_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns) &&
		has_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_ktime_get_coarse_ns);
}

/* Maps that are there are used again, instead of new ones. */
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

/* `flows`: of all three together. Some layouts had only the first. */
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
 * The CPUs that are there, off or on. There may be many more that never come: VMware and Hyper-V
 * announce 128.
 */
static void list_cpus(char *list, size_t size)
{
	__close_file FILE *file = fopen("/sys/devices/system/cpu/present", "re");

	if (!file || !fgets(list, size, file))
		snprintf(list, size, "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
}

static int size_counters(struct portcullis_bpf *skeleton, const struct pc_generation *generation)
{
	struct pc_filter *state = &skeleton->data_filter->filter;
	__u32 pages = generation ? cells_needed(generation) + PC_LISTED_GROWTH : 0;
	char cpus[4096];
	int err;

	list_cpus(cpus, sizeof(cpus));
	err = cells_rows(state, cpus, pages > PC_LISTED_LEAST ? pages : PC_LISTED_LEAST);
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.counters, cells_row_pages(state));
	if (!err)
		err = bpf_map__set_max_entries(skeleton->maps.totals, cells_total_pages(state));
	return err;
}

static int set_maps(struct portcullis_bpf *skeleton, const struct filter *flows_of,
		    const struct filter *counters_of, __u32 flows,
		    const struct pc_generation *generation)
{
	int err = size_flow_maps(skeleton, flows_of, flows);

	if (!err)
		err = reuse_maps(skeleton, flows_of, FD_NAMESPACE);
	if (!err && counters_of->fd[FILTER_COUNTERS] >= 0)
		err = reuse_maps(skeleton, counters_of, FD_COUNTS);
	else if (!err)
		err = size_counters(skeleton, generation);
	return err;
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
 * New flow maps are this network namespace's from now on. Those of a version that did not mark what
 * it learned may have a flow of any port.
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

int filter_load_sharing(struct filter *filter, const struct filter *flows_of,
			const struct filter *counters_of, __u32 flows, enum pc_frame frame,
			const struct pc_generation *generation)
{
	__cleanup(skeleton_destroy) struct portcullis_bpf *skeleton = NULL;
	struct bpf_program *ingress;
	int err;

	libbpf_log_start();
	skeleton = portcullis_bpf__open();
	if (!skeleton) {
		error("cannot open the BPF program: %s", strerror(errno));
		return -EINVAL;
	}
	*filter = FILTER_NONE;
	set_constants(skeleton, filter);
	skeleton->rodata->frame_kind = frame;
	ingress = choose_ingress(skeleton, filter);
	if (filter->frags)
		bpf_program__set_flags(ingress, BPF_F_XDP_HAS_FRAGS);
	err = set_maps(skeleton, flows_of, counters_of, flows, generation);
	if (err) {
		error("cannot set up the maps: %s", strerror(-err));
		return err;
	}
	err = portcullis_bpf__load(skeleton);
	if (err) {
		report_refusal(err);
		return err;
	}
	err = keep_descriptors(skeleton, ingress, filter);
	if (!err)
		err = object_program(filter->fd[FILTER_PROGRAM], &filter->program_id);
	if (!err)
		err = claim_flows(filter, flows_of);
	if (err) {
		error("cannot keep the BPF program: %s", strerror(-err));
		filter_close(filter);
	}
	return err;
}

int filter_load(struct filter *filter, enum pc_frame frame)
{
	return filter_load_sharing(filter, &FILTER_NONE, &FILTER_NONE, PC_FLOWS, frame, NULL);
}

/* Whether the map has the constants of a program like this version's; then it is read. */
static bool read_constants(__u32 id, struct portcullis_bpf__rodata *constants)
{
	__close_fd int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info;
	__u32 zero = 0;

	return fd >= 0 && !object_map(fd, &info) && strstr(info.name, ".rodata") &&
	       info.value_size == sizeof(*constants) && !bpf_map_lookup_elem(fd, &zero, constants);
}

int filter_frame(const struct filter *filter, enum pc_frame *frame)
{
	__u32 id[PROGRAM_MAPS], length = sizeof(struct bpf_prog_info), i;
	struct bpf_prog_info info = {.nr_map_ids = ARRAY_SIZE(id), .map_ids = (uintptr_t)id};
	struct portcullis_bpf__rodata constants;

	if (filter->fd[FILTER_PROGRAM] < 0 ||
	    bpf_obj_get_info_by_fd(filter->fd[FILTER_PROGRAM], &info, &length))
		return -EACCES;
	for (i = 0; i < info.nr_map_ids && i < ARRAY_SIZE(id); i++)
		if (read_constants(id[i], &constants)) {
			*frame = constants.frame_kind;
			return 0;
		}
	return -ENOENT;
}

void installed_close(struct installed *installed)
{
	fd_close(&installed->generation);
	fd_close(&installed->recipe);
	free(installed->copy);
	*installed = INSTALLED_NONE;
}

void filter_close(struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++)
		fd_close(&filter->fd[i]);
	fd_close(&filter->emptied);
	slot_update_end(&filter->placing);
	installed_close(&filter->current);
	installed_close(&filter->next);
	installed_close(&filter->fallback);
	installed_close(&filter->reverted);
	*filter = FILTER_NONE;
}

/* --- opening what is pinned --- */

/* Reads a pinned generation and its recipe. -EPROTO: of another layout. */
static int read_installed(const struct filter *filter, const char *pin, int generation,
			  const struct bpf_map_info *info, struct installed *installed)
{
	__free_text char *recipe = xasprintf("recipe-%s", strchr(pin, '-') + 1);
	__u32 zero = 0;

	if (info->value_size != sizeof(*installed->copy))
		return -EPROTO;
	installed->recipe = object_get(filter->id, recipe);
	if (installed->recipe < 0)
		return installed->recipe;
	installed->generation = fd_dup(generation);
	if (installed->generation < 0)
		return installed->generation;
	installed->copy = xcalloc(1, sizeof(*installed->copy));
	if (bpf_map_lookup_elem(generation, &zero, installed->copy))
		return -errno;
	if (installed->copy->magic != PC_MAGIC || installed->copy->version != PC_ABI_VERSION)
		return -EPROTO;
	return 0;
}

/* Whether a generation map is the one that is looked for. */
typedef bool wanted_fn(const struct filter *filter, __u32 id, __u32 wanted);

/* Opens the first pinned generation that is wanted. -ENOENT: none. */
static int open_wanted(const struct filter *filter, wanted_fn *is_wanted, __u32 wanted,
		       struct installed *installed)
{
	__free_text char *folder = object_path(filter->id, NULL);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int err = !dir && errno != ENOENT ? -errno : -ENOENT;

	while (dir && err == -ENOENT && (entry = readdir(dir))) {
		struct bpf_map_info info;
		__close_fd int fd = -1;

		if (strncmp(entry->d_name, "generation-", 11))
			continue;
		fd = object_get(filter->id, entry->d_name);
		if (fd == -ENOENT)
			continue;
		err = fd < 0 ? fd : object_map(fd, &info);
		if (err)
			break;
		err = -ENOENT;
		if (!is_wanted(filter, info.id, wanted))
			continue;
		err = read_installed(filter, entry->d_name, fd, &info, installed);
		if (err)
			installed_close(installed);
	}
	if (dir)
		closedir(dir);
	return err;
}

static bool is_id(const struct filter *filter, __u32 id, __u32 wanted)
{
	(void)filter;
	return id == wanted;
}

static bool is_any(const struct filter *filter, __u32 id, __u32 wanted)
{
	(void)filter;
	(void)id;
	(void)wanted;
	return true;
}

/* Opens the generation in a slot. A swap may unpin it between two looks: -ENOENT. */
static int open_slot(const struct filter *filter, __u32 slot, struct installed *installed)
{
	__u32 id;

	if (bpf_map_lookup_elem(filter->fd[FILTER_GENERATIONS], &slot, &id))
		return -errno;
	return open_wanted(filter, is_id, id, installed);
}

static int open_judging(struct filter *filter)
{
	int err = open_slot(filter, 0, &filter->current);

	if (err || !filter->current.copy->deadline)
		return err;
	err = open_slot(filter, filter->current.copy->fallback, &filter->fallback);
	if (err) {
		installed_close(&filter->current);
	} else if (clock_boot() >= filter->current.copy->deadline) {
		filter->reverted = filter->current;
		filter->current = filter->fallback;
		filter->fallback = INSTALLED_NONE;
	}
	return err;
}

/* A command that changes it may be at work: look again. */
static int open_current(struct filter *filter)
{
	int err = -ENOENT;
	int i;

	for (i = 0; i < 10 && err == -ENOENT; i++)
		err = open_judging(filter);
	return err;
}

static bool is_installed(const struct installed *installed, __u32 id)
{
	struct bpf_map_info info;

	return installed->copy && !object_map(installed->generation, &info) && info.id == id;
}

static bool is_left_over(const struct filter *filter, __u32 id, __u32 wanted)
{
	(void)wanted;
	return !is_installed(&filter->current, id) && !is_installed(&filter->fallback, id) &&
	       !is_installed(&filter->reverted, id);
}

int filter_left_over(struct filter *filter, __u64 *batch)
{
	int err;

	installed_close(&filter->next);
	err = open_wanted(filter, is_left_over, 0, &filter->next);
	*batch = err ? 0 : filter->next.copy->batch;
	if (err == -ENOENT)
		return 0;
	if (err)
		error("%s/%s: cannot tell what a killed command left: %s", PINS, filter->id,
		      strerror(-err));
	return err;
}

int filter_program(const char *id, __u32 *program_id)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	__cleanup(installed_close) struct installed any = INSTALLED_NONE;
	int err;

	snprintf(filter.id, sizeof(filter.id), "%s", id);
	err = open_wanted(&filter, is_any, 0, &any);
	*program_id = err ? 0 : any.copy->program_id;
	return err == -ENOENT || err == -EPROTO ? 0 : err;
}

/* Opens the pins with one of `flags`, or without any of `but`. */
static int open_pins(struct filter *filter, unsigned int flags, unsigned int but)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++) {
		const struct filter_descriptor *descriptor = &filter_descriptor[i];
		int fd;

		if ((flags && !(descriptor->flags & flags)) || descriptor->flags & but)
			continue;
		fd = object_get(filter->id, descriptor->pin);
		if (fd == -EACCES && geteuid() && !admins_read(descriptor->pin))
			continue; /* root's alone */
		if (fd == -ENOENT && descriptor->flags & FD_OPTIONAL)
			continue;
		if (fd < 0)
			return fd;
		filter->fd[i] = fd;
	}
	return 0;
}

/* The generation first: it tells whether the layout is ours, and so which pins there should be. */
static int open_filter(struct filter *filter)
{
	int err = open_pins(filter, FD_HEAD, 0);

	if (!err)
		err = open_current(filter);
	if (!err)
		err = open_pins(filter, 0, FD_HEAD);
	if (err)
		return err;
	filter->ifindex = object_interface(filter->fd[FILTER_LINK]);
	filter->program_id = filter->current.copy->program_id;
	return filter->fd[FILTER_PROGRAM] < 0 ?
		       0 :
		       object_program(filter->fd[FILTER_PROGRAM], &filter->program_id);
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

/* "eth0", as far as it can be told; the caller frees. */
static char *name_of(const char *id)
{
	__close_fd int link = object_get(id, "link");
	unsigned int ifindex = object_interface(link);
	char name[IF_NAMESIZE];

	return ifindex && if_indextoname(ifindex, name) ? xstrdup(name) : xasprintf(PINS "/%s", id);
}

int filter_open(const char *id, struct filter *filter)
{
	int err = filter_try_open(id, filter);
	__free_text char *name = err && err != -ENOENT ? name_of(id) : NULL;

	if (err == -EPROTO)
		error("%s: its filter was attached by another version of portcullis, whose layout this one does not know: portcullis swap %s takes an older one over; else use that version, or detach the interface and attach it again",
		      name, name);
	else if (name)
		error("%s: " PINS "/%s: %s", name, id, strerror(-err));
	return err;
}
