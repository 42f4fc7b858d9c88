// SPDX-License-Identifier: GPL-2.0
/* Loads the programs and maps of a new filter. */
#include "loader/filter/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "portcullis.skel.h"

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/compile/cells.h"
#include "loader/filter/limit_maps.h"
#include "loader/net/netns.h"
#include "loader/object/beside.h"
#include "loader/object/log.h"
#include "loader/object/pin.h"

#define LOG_TAIL_LINES	 15
#define PROGRAM_MAPS	 64 /* more than a program of ours uses */
#define EXPLAINING_FLOWS 1024

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

/* The programs of the object that are loaded. */
struct programs {
	struct bpf_program *ingress, *egress;
	struct bpf_program *devices; /* NULL: none */
};

/* The skeleton closes its own. */
static int keep_descriptors(const struct portcullis_bpf *skeleton, const struct programs *programs,
			    int ingress, bool explains, struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++) {
		const struct filter_descriptor *descriptor = &filter_descriptor[i];
		const char *map =
			descriptor->flags & FD_EXPLAINING && !explains ? NULL : descriptor->map;
		int fd = i == FILTER_PROGRAM ? ingress :
			 i == FILTER_EGRESS  ? bpf_program__fd(programs->egress) :
			 i == FILTER_DEVICES && programs->devices ?
					      bpf_program__fd(programs->devices) :
			 map ? bpf_object__find_map_fd_by_name(skeleton->obj, map) :
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

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"

/*
 * True if a program may read the kernel's struct xdp_buff: 6.2 and newer, which have a function for
 * that. Looks for its name alone, because libbpf takes 15 ms to read all types of the kernel.
 */
static bool has_kernel_context(void)
{
	static const char name[] = "bpf_cast_to_kern_ctx";
	const size_t size = 256 << 10;
	__free_text char *block = xcalloc(1, sizeof(name) + size);
	__close_fd int fd = open(KERNEL_TYPES, O_RDONLY | O_CLOEXEC);
	bool has = false;
	ssize_t length;

	/* The end of the block before stands in front, as a name may be in both. */
	while (fd >= 0 && !has && (length = read(fd, block + sizeof(name), size)) > 0) {
		has = memmem(block, sizeof(name) + length, name, sizeof(name));
		memmove(block, block + length, sizeof(name));
	}
	return has;
}

/* The other programs are not loaded. */
static struct programs choose_programs(struct portcullis_bpf *skeleton, const struct filter *filter,
				       bool explains)
{
	bool context = !explains && filter->frags && has_kernel_context();
	const struct programs programs = {
		.ingress = explains ? skeleton->progs.portcullis_explain :
			   context  ? skeleton->progs.portcullis :
				      skeleton->progs.portcullis_old,
		.egress = explains ? skeleton->progs.portcullis_explain_egress :
				     skeleton->progs.portcullis_egress,
		.devices = context ? skeleton->progs.portcullis_devices : NULL,
	};
	struct bpf_program *program = NULL;

	while ((program = bpf_object__next_program(skeleton->obj, program)))
		bpf_program__set_autoload(program, program == programs.ingress ||
							   program == programs.egress ||
							   program == programs.devices);
	return programs;
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

/* A buffer for each listener and CPU. */
static int size_events(struct portcullis_bpf *skeleton, const struct filter *kept)
{
	int cpus = libbpf_num_possible_cpus();

	if (kept->fd[FILTER_EVENTS] >= 0)
		return 0;
	return cpus < 0 ? cpus :
			  bpf_map__set_max_entries(skeleton->maps.events, PC_LISTENERS * cpus);
}

/* How a filter is loaded. */
struct loading {
	const struct filter *flows_of, *kept; /* whose maps it uses, where they have them */
	__u32 flows;
	const struct pc_generation *generation;
	bool explains; /* `flows_of` is the filter that is asked */
	bool told;     /* and its flows are not: the caller tells them */
};

/* A program that explains counts nothing, so that its maps are small. */
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

static int set_maps(struct portcullis_bpf *skeleton, const struct loading *how)
{
	int err;

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
 * Sets what the filter's state has of the maps `drops` and `events`. The state may be older than
 * these maps: then it belongs to a filter that had none.
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

/* Loads the object. Returns the descriptor of the ingress program, which is the object's. */
static int load_object(struct portcullis_bpf *skeleton, const struct programs *programs,
		       struct beside *beside)
{
	int err = portcullis_bpf__load(skeleton);
	/* Also if libbpf failed: the thread must not outlive the object's maps. */
	int ingress = beside ? beside_wait(beside) : bpf_program__fd(programs->ingress);

	return err ?: ingress;
}

/* Sets up what is loaded: the programs, their constants and maps. */
static int set_up(struct portcullis_bpf *skeleton, struct filter *filter, const struct loading *how,
		  enum pc_frame frame, struct programs *programs)
{
	int err;

	*filter = FILTER_NONE;
	set_constants(skeleton, filter);
	skeleton->rodata->frame_kind = frame;
	skeleton->rodata->explains = how->explains;
	skeleton->rodata->replays = how->told;
	*programs = choose_programs(skeleton, filter, how->explains);
	if (filter->frags)
		bpf_program__set_flags(programs->ingress, BPF_F_XDP_HAS_FRAGS);
	err = set_maps(skeleton, how);
	if (err)
		error("cannot set up the maps: %s", strerror(-err));
	return err;
}

/* Keeps what is loaded, and marks maps as this filter's. */
static int keep(const struct portcullis_bpf *skeleton, const struct programs *programs, int ingress,
		const struct loading *how, struct filter *filter)
{
	int err = keep_descriptors(skeleton, programs, ingress, how->explains, filter);

	if (!err)
		err = object_program(filter->fd[FILTER_PROGRAM], &filter->program_id);
	if (!err && !how->told && (!how->explains || how->flows_of->fd[FILTER_SHARED] < 0))
		err = claim_flows(filter, how->flows_of);
	if (!err && !how->explains)
		err = claim_drops(filter, how->kept);
	if (!err && (how->told || (!how->explains && how->kept->fd[FILTER_LIMITER] < 0)))
		err = limits_claim(filter);
	if (err) {
		error("cannot keep the BPF program: %s", strerror(-err));
		filter_close(filter);
	}
	return err;
}

/*
 * Loads the programs: the ingress program by `beside`, or after the other one. *refused: the kernel
 * refused a program, and no message says why.
 */
static int load_by(struct beside *beside, struct filter *filter, const struct loading *how,
		   enum pc_frame frame, bool *refused)
{
	__cleanup(skeleton_destroy) struct portcullis_bpf *skeleton = NULL;
	struct programs programs;
	int err, ingress;

	*refused = false;
	libbpf_log_start();
	skeleton = portcullis_bpf__open();
	if (!skeleton) {
		error("cannot open the BPF program: %s", strerror(errno));
		return -EINVAL;
	}
	err = set_up(skeleton, filter, how, frame, &programs);
	if (err)
		return err;
	if (beside)
		beside_choose(beside, programs.ingress);
	ingress = load_object(skeleton, &programs, beside);
	*refused = ingress < 0;
	return *refused ? ingress : keep(skeleton, &programs, ingress, how, filter);
}

static int load(struct filter *filter, const struct loading *how, enum pc_frame frame)
{
	__cleanup(beside_end) struct beside *beside =
		beside_begin("xdp", BPF_PROG_TYPE_XDP, BPF_XDP);
	bool refused = false;
	int err = load_by(beside, filter, how, frame, &refused);

	/* Only libbpf, which loads one program after the other, keeps the verifier's log. */
	if (refused && beside) {
		beside_end(&beside);
		err = load_by(NULL, filter, how, frame, &refused);
	}
	if (refused)
		report_refusal(err);
	return err;
}

int filter_load_sharing(struct filter *filter, const struct filter *flows_of,
			const struct filter *kept, __u32 flows, enum pc_frame frame,
			const struct pc_generation *generation)
{
	const struct loading how = {
		.flows_of = flows_of, .kept = kept, .flows = flows, .generation = generation};

	return load(filter, &how, frame);
}

int filter_load(struct filter *filter, enum pc_frame frame)
{
	return filter_load_sharing(filter, &FILTER_NONE, &FILTER_NONE, PC_FLOWS, frame, NULL);
}

int filter_load_explaining(struct filter *filter, const struct filter *live, enum pc_frame frame)
{
	const struct filter none = FILTER_NONE;
	const struct loading how = {
		.flows_of = live ? live : &none, .kept = &none, .explains = true};

	return load(filter, &how, frame);
}

int filter_load_told(struct filter *filter, const struct filter *live, enum pc_frame frame)
{
	const struct filter none = FILTER_NONE;
	const struct loading how = {
		.flows_of = live ? live : &none, .kept = &none, .explains = true, .told = true};

	return load(filter, &how, frame);
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
