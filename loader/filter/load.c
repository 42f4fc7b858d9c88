// SPDX-License-Identifier: GPL-2.0
/* Loads the programs and maps of a new filter. */
#include "loader/filter/load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "portcullis.skel.h"

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/compile/cells.h"
#include "loader/net/netns.h"
#include "loader/object/log.h"
#include "loader/object/pin.h"

#define LOG_TAIL_LINES 15
#define PROGRAM_MAPS   64 /* more than a program of ours uses */

static void skeleton_destroy(struct portcullis_bpf **skeleton)
{
	portcullis_bpf__destroy(*skeleton);
}

/* True if the running kernel is older than KERNEL_OLDEST. */
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

/* True if a program may read the kernel's struct xdp_buff: 6.2 and newer. */
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
 * Marks new flow maps as this network namespace's. Maps of a version that did not mark ports may
 * have a flow of any port, so all are marked.
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

/* True if the map has the constants of a program of this version; copies them. */
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
