// SPDX-License-Identifier: GPL-2.0
/* Loads the programs and maps of a new filter. */
#include "loader/filter/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "portcullis.skel.h"

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/object/beside.h"
#include "loader/object/log.h"
#include "loader/object/pin.h"

#define LOG_TAIL_LINES 15
#define PROGRAM_MAPS   64 /* more than a program of ours uses */
#define LOADS_MOST     4  /* loads at a time: each has two programs in the verifier */

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

static bool has_helper(enum bpf_prog_type type, enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(type, helper, NULL) == 1;
}

#define KERNEL_TYPES "/sys/kernel/btf/vmlinux"

/*
 * True if a program can read the kernel's struct xdp_buff: from 6.2 on the kernel has a function
 * for that. Only the function's name is searched, because libbpf takes 15 ms to read all types of
 * the kernel.
 */
static bool has_kernel_context(void)
{
	static const char name[] = "bpf_cast_to_kern_ctx";
	const size_t size = 256 << 10;
	__free_text char *block = xcalloc(1, sizeof(name) + size);
	__close_fd int fd = open(KERNEL_TYPES, O_RDONLY | O_CLOEXEC);
	struct btf_header header;
	bool has = false;
	ssize_t length;

	/* The names are at the end of the file. */
	if (fd < 0 || read(fd, &header, sizeof(header)) != sizeof(header) ||
	    lseek(fd, (off_t)header.hdr_len + header.str_off, SEEK_SET) < 0)
		return false;
	/* The end of the previous block is kept in front, because the name may begin there. */
	while (!has && (length = read(fd, block + sizeof(name), size)) > 0) {
		has = memmem(block, sizeof(name) + length, name, sizeof(name));
		memmove(block, block + length, sizeof(name));
	}
	return has;
}

/*
 * The kernel features that the programs use. They are looked up once for all programs that are
 * loaded together.
 */
struct kernel {
	bool frags, xfrm, coarse, context;
};

static void kernel_ask(const struct loading *how, struct kernel *kernel)
{
	if (how->shared)
		return;
	/* The helper and BPF_F_XDP_HAS_FRAGS both came with 5.18. */
	kernel->frags = has_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_load_bytes);
	kernel->xfrm = has_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_skb_get_xfrm_state);
	kernel->coarse = has_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_ktime_get_coarse_ns) &&
			 has_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_ktime_get_coarse_ns);
	kernel->context = !how->explains && kernel->frags && has_kernel_context();
}

/* The chosen programs of the object; NULL: that one is not loaded. */
struct programs {
	struct bpf_program *ingress, *egress;
	struct bpf_program *devices;
};

/* Chooses the programs; the others are not loaded. */
static struct programs choose_programs(struct portcullis_bpf *skeleton, const struct kernel *kernel,
				       const struct loading *how)
{
	struct programs programs = {
		.ingress = how->explains   ? skeleton->progs.portcullis_explain :
			   kernel->context ? skeleton->progs.portcullis :
					     skeleton->progs.portcullis_old,
		.egress = how->explains ? skeleton->progs.portcullis_explain_egress :
					  skeleton->progs.portcullis_egress,
		.devices = kernel->context ? skeleton->progs.portcullis_devices : NULL,
	};
	struct bpf_program *program = NULL;

	if (how->shared)
		programs = (struct programs){};
	while ((program = bpf_object__next_program(skeleton->obj, program)))
		bpf_program__set_autoload(program, program == programs.ingress ||
							   program == programs.egress ||
							   program == programs.devices);
	return programs;
}

static int program_descriptor(const struct bpf_program *program)
{
	return program ? bpf_program__fd(program) : -1;
}

/* The skeleton closes its own descriptors, so duplicate them. */
static int keep_descriptors(const struct portcullis_bpf *skeleton, const struct programs *programs,
			    int ingress, bool explains, struct filter *filter)
{
	int i;

	for (i = 0; i < FILTER_FDS; i++) {
		const struct filter_descriptor *descriptor = &filter_descriptor[i];
		const char *map =
			descriptor->flags & FD_EXPLAINING && !explains ? NULL : descriptor->map;
		int fd = i == FILTER_PROGRAM ? ingress :
			 i == FILTER_EGRESS  ? program_descriptor(programs->egress) :
			 i == FILTER_DEVICES ? program_descriptor(programs->devices) :
			 map		     ? bpf_object__find_map_fd_by_name(skeleton->obj, map) :
					       -1;

		filter->fd[i] = fd < 0 ? -1 : fd_dup(fd);
		if (filter->fd[i] < 0 && fd >= 0)
			return filter->fd[i];
	}
	return 0;
}

static int failed(struct load *load, const char *what, int err)
{
	load->failed = what;
	return err;
}

/* Chooses the programs, and sets their constants and maps. */
static int set_up(struct portcullis_bpf *skeleton, const struct kernel *kernel, struct load *load,
		  struct programs *programs)
{
	const struct loading *how = &load->how;
	int err;

	load->filter->frags = kernel->frags;
	skeleton->rodata->have_frags = kernel->frags;
	skeleton->rodata->have_xfrm = kernel->xfrm;
	skeleton->rodata->have_coarse = kernel->coarse;
	skeleton->rodata->frame_kind = load->frame;
	skeleton->rodata->explains = how->explains;
	skeleton->rodata->replays = how->told;
	*programs = choose_programs(skeleton, kernel, how);
	if (kernel->frags && programs->ingress)
		bpf_program__set_flags(programs->ingress, BPF_F_XDP_HAS_FRAGS);
	err = load_maps_set(skeleton, how);
	return err ? failed(load, "cannot set up the maps", err) : 0;
}

/* Duplicates the descriptors of what is loaded, and marks maps as this filter's. */
static int keep(const struct portcullis_bpf *skeleton, const struct programs *programs, int ingress,
		struct load *load)
{
	struct filter *filter = load->filter;
	int err = keep_descriptors(skeleton, programs, ingress, load->how.explains, filter);

	if (!err && ingress >= 0)
		err = object_program(filter->fd[FILTER_PROGRAM], &filter->program_id);
	if (!err)
		err = load_maps_claim(filter, &load->how);
	if (!err)
		return 0;
	filter_close(filter);
	return failed(load, "cannot keep the BPF program", err);
}

/* Loads the object: the ingress program in the thread of `beside`, or by libbpf. */
static int load_by(struct beside *beside, const struct kernel *kernel, struct load *load)
{
	__cleanup(skeleton_destroy) struct portcullis_bpf *skeleton = NULL;
	struct programs programs;
	int err, ingress;

	libbpf_log_forget();
	skeleton = portcullis_bpf__open();
	if (!skeleton)
		return failed(load, "cannot open the BPF program", -errno);
	err = set_up(skeleton, kernel, load, &programs);
	if (err)
		return err;
	if (beside)
		beside_choose(beside, programs.ingress);
	err = bpf_object__load(skeleton->obj);
	/* Wait also if libbpf failed: the thread must not outlive the object's maps. */
	ingress = beside ? beside_wait(beside) : program_descriptor(programs.ingress);
	if (!err && programs.ingress && ingress < 0)
		err = ingress;
	return err ? err : keep(skeleton, &programs, ingress, load);
}

static void load_one(const struct kernel *kernel, struct load *load)
{
	__cleanup(beside_end) struct beside *beside = load->how.shared ? NULL : beside_begin();

	load->err = load_by(beside, kernel, load);
	/* Only libbpf keeps the verifier's log, so load again without `beside`. */
	if (load->err && !load->failed && beside) {
		beside_end(&beside);
		load->err = load_by(NULL, kernel, load);
	}
	if (load->err && !load->failed)
		load->log = libbpf_log_tail(LOG_TAIL_LINES);
	libbpf_log_forget();
}

static void report(const struct load *load)
{
	struct utsname kernel = {};

	if (load->failed) {
		error("%s: %s", load->failed, strerror(-load->err));
		return;
	}
	uname(&kernel);
	fputs(load->log, stderr);
	error("the kernel refuses the BPF program: %s; this is Linux %s, " KERNEL_OLDEST
	      " or newer is needed%s",
	      strerror(-load->err), kernel.release,
	      kernel_old(kernel.release) ?
		      "" :
		      ", with BPF and its JIT; if it has them, report the lines above");
}

/* --- several filters at a time --- */

/* Filters that are loaded together. */
struct loads {
	struct load *load;
	size_t count;
	struct kernel kernel;
	atomic_size_t next;
	atomic_bool failed; /* a load failed, so that no other one begins */
};

/* Loads filters until none is left. A load that has begun is finished, so that the first failure is
 * always the same. */
static void *load_rest(void *argument)
{
	struct loads *loads = argument;
	size_t i;

	while (!atomic_load(&loads->failed) &&
	       (i = atomic_fetch_add(&loads->next, 1)) < loads->count) {
		load_one(&loads->kernel, &loads->load[i]);
		if (loads->load[i].err)
			atomic_store(&loads->failed, true);
	}
	return NULL;
}

/* Reports the first failed load, and closes the filters of the others. */
static int load_result(const struct loads *loads)
{
	const struct load *first = NULL;
	size_t i;

	for (i = 0; i < loads->count; i++)
		if (loads->load[i].err && !first)
			first = &loads->load[i];
	if (first)
		report(first);
	for (i = 0; i < loads->count; i++) {
		if (first)
			filter_close(loads->load[i].filter);
		free(loads->load[i].log);
	}
	return first ? first->err : 0;
}

/* Loads the filters in as many threads as there are CPUs. This thread is the first of them. */
int filters_load(struct load *load, size_t count)
{
	struct loads loads = {.load = load, .count = count};
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread[LOADS_MOST];
	size_t threads = 0, i;

	libbpf_log_start();
	for (i = 0; i < count; i++)
		*load[i].filter = FILTER_NONE;
	if (count)
		kernel_ask(&load->how, &loads.kernel);
	while (threads + 1 < count && (long)threads + 1 < cpus && threads + 1 < LOADS_MOST &&
	       !pthread_create(&thread[threads], NULL, load_rest, &loads))
		threads++;
	load_rest(&loads);
	while (threads)
		pthread_join(thread[--threads], NULL);
	return load_result(&loads);
}

int filter_load_sharing(struct filter *filter, const struct filter *flows_of,
			const struct filter *kept, __u32 flows, enum pc_frame frame,
			const struct pc_generation *generation)
{
	return filters_load(&(struct load){.how = {.flows_of = flows_of,
						   .kept = kept,
						   .flows = flows,
						   .generation = generation},
					   .frame = frame,
					   .filter = filter},
			    1);
}

int filter_load(struct filter *filter, enum pc_frame frame)
{
	return filter_load_sharing(filter, &FILTER_NONE, &FILTER_NONE, PC_FLOWS, frame, NULL);
}

static int load_explaining(struct filter *filter, const struct filter *live, enum pc_frame frame,
			   bool told)
{
	const struct filter none = FILTER_NONE;

	return filters_load(&(struct load){.how = {.flows_of = live ? live : &none,
						   .kept = &none,
						   .explains = true,
						   .told = told},
					   .frame = frame,
					   .filter = filter},
			    1);
}

int filter_load_explaining(struct filter *filter, const struct filter *live, enum pc_frame frame)
{
	return load_explaining(filter, live, frame, false);
}

int filter_load_told(struct filter *filter, const struct filter *live, enum pc_frame frame)
{
	return load_explaining(filter, live, frame, true);
}

int filter_load_shared(struct filter *filter, __u32 flows)
{
	return filters_load(&(struct load){.how = {.flows_of = &FILTER_NONE,
						   .kept = &FILTER_NONE,
						   .flows = flows,
						   .shared = true},
					   .filter = filter},
			    1);
}

/* Copies the program's constants; true if its map has those of a program of this version. */
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
