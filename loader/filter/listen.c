// SPDX-License-Identifier: GPL-2.0
/*
 * Listens at a filter. A listener has a slot with a lease, which it renews each second. The program
 * skips a slot whose lease has ended, so a listener that was killed or stopped costs nothing. The
 * slots are mapped, so renewing a lease needs no capability.
 */
#include "loader/filter/listen.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/hook.h"
#include "loader/object/folder.h"
#include "loader/object/log.h"
#include "loader/object/pin.h"

#define LISTEN_LEASE 3 /* seconds; renewed each second */
/* pc_listener.until while a slot is filled: the lease is over, so the program skips the slot */
#define LISTEN_CLAIMED 1
#define WAKE_PART 4 /* the listener is woken when a quarter of a buffer is full */

/* A record of a perf buffer (perf_event_open(2), PERF_RECORD_SAMPLE). */
struct listen_sample {
	struct perf_event_header header;
	__u32 size;
	__u8 data[];
} __attribute__((packed));

static __u32 boot_second(void)
{
	return (__u32)(clock_boot() / 1000000000ULL);
}

/* --- the buffers --- */

static enum bpf_perf_event_ret take_record(void *context, int cpu, struct perf_event_header *header)
{
	const struct listen_sample *sample = (const void *)header;
	struct listen *listen = context;
	struct pc_event event;

	(void)cpu;
	/* Lost records of the kernel are ignored: the program counts the same events itself. */
	if (header->type != PERF_RECORD_SAMPLE || sample->size < sizeof(event))
		return LIBBPF_PERF_EVENT_CONT;
	memcpy(&event, sample->data, sizeof(event));
	if (event.captured > sample->size - sizeof(event))
		event.captured = (__u16)(sample->size - sizeof(event));
	listen->wish.take(listen->context, &event, sample->data + sizeof(event));
	return LIBBPF_PERF_EVENT_CONT;
}

/* The CPUs that are online, from a list such as "0-3,8". */
static void read_online(bool *online, __u32 cpus)
{
	__close_file FILE *file = fopen("/sys/devices/system/cpu/online", "re");
	unsigned int first, last;
	int mark = ',';

	memset(online, 0, cpus * sizeof(*online));
	while (file && mark == ',' && fscanf(file, "%u", &first) == 1) {
		last = first;
		mark = fgetc(file);
		if (mark == '-' && fscanf(file, "%u", &last) == 1)
			mark = fgetc(file);
		for (; first <= last && first < cpus; first++)
			online[first] = true;
	}
}

static struct perf_buffer *open_buffer(struct listen *listen, __u32 cpu)
{
	int key = (int)(listen->slot * listen->cpus + cpu), which = (int)cpu;
	LIBBPF_OPTS(perf_buffer_raw_opts, opts, .cpu_cnt = 1, .cpus = &which, .map_keys = &key);
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.watermark = 1,
		.wakeup_watermark = listen->wish.buffer / WAKE_PART,
	};
	size_t pages = listen->wish.buffer / (size_t)getpagesize();
	struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = listen};
	struct perf_buffer *buffer;

	libbpf_log_start();
	buffer = perf_buffer__new_raw(listen->entered, pages ?: 1, &attr, take_record, listen,
				      &opts);
	if (!buffer)
		return NULL;
	if (epoll_ctl(listen->wish.epoll, EPOLL_CTL_ADD, perf_buffer__buffer_fd(buffer, 0),
		      &wanted)) {
		perf_buffer__free(buffer);
		return NULL;
	}
	return buffer;
}

/*
 * When libbpf closes a buffer, it deletes the map entry at the buffer's index, which may belong to
 * another listener by then. So its descriptor is replaced by one of another map, which has no such
 * entries. The kernel removes the entries of this process when the process closes the map.
 */
static void close_buffers(struct listen *listen)
{
	if (listen->entered >= 0)
		dup3(listen->heard, listen->entered, O_CLOEXEC);
	for (__u32 cpu = 0; listen->buffer && cpu < listen->cpus; cpu++) {
		perf_buffer__free(listen->buffer[cpu]);
		listen->buffer[cpu] = NULL;
	}
	fd_close(&listen->entered);
}

/* Opens a buffer for each online CPU. A buffer whose CPU was offline in between gets no events, so
 * close it. */
static int open_buffers(struct listen *listen)
{
	__free_text bool *online = xcalloc(listen->cpus, sizeof(*online));

	if (listen->entered < 0)
		listen->entered = fd_dup(listen->events);
	if (listen->entered < 0)
		return listen->entered;
	read_online(online, listen->cpus);
	for (__u32 cpu = 0; cpu < listen->cpus; cpu++) {
		struct perf_buffer **buffer = &listen->buffer[cpu];

		if (!online[cpu] && *buffer) {
			perf_buffer__consume(*buffer);
			perf_buffer__free(*buffer);
			*buffer = NULL;
		}
		if (!online[cpu] || *buffer)
			continue;
		*buffer = open_buffer(listen, cpu);
		if (!*buffer && errno != ENODEV) /* the CPU went offline meanwhile */
			return -errno;
	}
	return 0;
}

/*
 * Enters the open buffers at a newly claimed slot. They are not opened again, because the process
 * may have given up the capability for that.
 */
static int enter_buffers(const struct listen *listen)
{
	for (__u32 cpu = 0; cpu < listen->cpus; cpu++) {
		__u32 key = listen->slot * listen->cpus + cpu;
		int fd = listen->buffer[cpu] ? perf_buffer__buffer_fd(listen->buffer[cpu], 0) : -1;

		if (fd >= 0 && bpf_map_update_elem(listen->entered, &key, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

void listen_read(struct listen *listen)
{
	for (__u32 cpu = 0; listen->buffer && cpu < listen->cpus; cpu++)
		if (listen->buffer[cpu])
			perf_buffer__consume(listen->buffer[cpu]);
}

/* --- lost events --- */

/* Counts the events of a CPU that the program has not added to `over` yet (struct pc_deaf). */
static int count_skipped(const struct listen *listen, __u32 cpu, __u64 *over)
{
	__u32 row = cpu < PC_CPUS ? listen->filter->row[cpu] : PC_ROW_NONE;
	__u32 key = row + PC_PAGE_WIDE;
	struct pc_deaf deaf;
	struct pc_page page;

	if (row == PC_ROW_NONE)
		return 0;
	if (bpf_map_lookup_elem(listen->counters, &key, &page))
		return -errno;
	memcpy(&deaf, &page.word[PC_TOTAL_WIDE(PC_CELL_DEAF)], sizeof(deaf));
	if (deaf.slots >> listen->slot & 1)
		*over += deaf.skipped;
	return 0;
}

/*
 * Reads skipped packets last, so that none is counted twice if the program adds it to `over`
 * meanwhile.
 */
static int count_slot(const struct listen *listen, struct listen_lost *lost)
{
	__free_text struct pc_heard_cpu *heard = xcalloc(listen->cpus, sizeof(*heard));
	__u32 zero = 0;
	int err = 0;

	*lost = (struct listen_lost){};
	if (bpf_map_lookup_elem(listen->heard, &zero, heard))
		return -errno;
	for (__u32 cpu = 0; cpu < listen->cpus && !err; cpu++) {
		lost->over += heard[cpu].slot[listen->slot].over;
		lost->full += heard[cpu].slot[listen->slot].full;
		err = count_skipped(listen, cpu, &lost->over);
	}
	return err;
}

/* Without a slot (`until` is 0) the result is that of the last count. */
int listen_count_lost(struct listen *listen, struct listen_lost *lost)
{
	struct listen_lost now;
	int err = listen->until ? count_slot(listen, &now) : 0;

	if (err)
		return err;
	if (listen->until)
		listen->counted = (struct listen_lost){
			.over = now.over + listen->before.over - listen->began.over,
			.full = now.full + listen->before.full - listen->began.full,
		};
	*lost = listen->counted;
	return 0;
}

/* --- the slot and its lease --- */

static __u32 *lease(const struct listen *listen)
{
	return &listen->listeners[listen->slot].until;
}

/* Changes the lease, if it is still the one that this listener wrote. False: another listener has
 * the slot. */
static bool set_lease(struct listen *listen, __u32 until)
{
	if (!__atomic_compare_exchange_n(lease(listen), &listen->until, until, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return false;
	listen->until = until;
	if (until > LISTEN_CLAIMED)
		__atomic_store_n(&listen->filter->listeners, 1, __ATOMIC_SEQ_CST);
	return true;
}

static int all_taken(const struct listen *listen)
{
	__cleanup(names_free) struct names owners = {};
	__free_text char *list = NULL;

	for (size_t i = 0; i < PC_LISTENERS; i++) {
		__free_text char *owner = xasprintf("%u", listen->listeners[i].owner);

		names_add(&owners, owner);
	}
	list = names_join(&owners, ", ");
	error("%s: %d commands listen already, and there is room for no more; end one of these processes: %s",
	      listen->name, PC_LISTENERS, list);
	return -EBUSY;
}

/* Takes a slot whose lease has ended. The lock of pins keeps other listeners from taking it,
 * too. */
static int take_slot(struct listen *listen)
{
	__u32 now = boot_second();

	for (listen->slot = 0; listen->slot < PC_LISTENERS; listen->slot++) {
		struct pc_listener *entry = &listen->listeners[listen->slot];
		struct pc_listener wanted = listen->wish.entry;

		listen->until = __atomic_load_n(&entry->until, __ATOMIC_SEQ_CST);
		if (listen->until > now || !set_lease(listen, LISTEN_CLAIMED))
			continue;
		wanted.until = listen->until;
		wanted.owner = (__u32)getpid();
		memcpy((__u8 *)entry + sizeof(entry->until), (__u8 *)&wanted + sizeof(wanted.until),
		       sizeof(wanted) - sizeof(wanted.until));
		return 0;
	}
	listen->slot = 0;
	listen->until = 0;
	return all_taken(listen);
}

static int claim_failed(const struct listen *listen, int err)
{
	__free_text char *log = libbpf_log_tail(1);

	error("%s: cannot open buffers for events: %s%s%s", listen->name, strerror(-err),
	      *log ? ": " : "", log);
	return err;
}

/* The lease begins when all buffers are ready, so that every event sent under it finds one. */
static int claim(struct listen *listen)
{
	__close_fd int lock = -1;
	int err = pins_lock_only(&lock);

	if (!err)
		err = take_slot(listen);
	if (err)
		return err;
	err = count_slot(listen, &listen->began);
	if (!err)
		err = listen->entered < 0 ? open_buffers(listen) : enter_buffers(listen);
	if (!err && !set_lease(listen, boot_second() + LISTEN_LEASE))
		err = -EBUSY;
	if (!err)
		return 0;
	close_buffers(listen);
	set_lease(listen, 0);
	return claim_failed(listen, err);
}

/* --- one interface --- */

static void *map_shared(int map, size_t size)
{
	size_t page = (size_t)getpagesize();
	void *at = mmap(NULL, (size + page - 1) / page * page, PROT_READ | PROT_WRITE, MAP_SHARED,
			map, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void unmap(void *at, size_t size)
{
	size_t page = (size_t)getpagesize();

	if (at)
		munmap(at, (size + page - 1) / page * page);
}

/* The buffers count against RLIMIT_MEMLOCK: the kernel's extra allowance is only half a MB a
 * CPU. */
static void raise_memlock(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

static int open_maps(struct listen *listen, const struct filter *filter)
{
	listen->events = fd_dup(filter->fd[FILTER_EVENTS]);
	if (listen->events < 0)
		return listen->events;
	listen->heard = fd_dup(filter->fd[FILTER_HEARD]);
	if (listen->heard < 0)
		return listen->heard;
	listen->counters = fd_dup(filter->fd[FILTER_COUNTERS]);
	if (listen->counters < 0)
		return listen->counters;
	listen->filter = map_shared(filter->fd[FILTER_STATE], sizeof(*listen->filter));
	if (!listen->filter)
		return -errno;
	listen->listeners =
		map_shared(filter->fd[FILTER_LISTENERS], PC_LISTENERS * sizeof(*listen->listeners));
	return listen->listeners ? 0 : -errno;
}

int listen_begin(struct listen *listen, const char *name, const struct filter *filter,
		 const struct listen_wish *wish, void *context)
{
	int err;

	*listen = LISTEN_NONE;
	snprintf(listen->name, sizeof(listen->name), "%s", name);
	memcpy(listen->id, filter->id, sizeof(listen->id));
	listen->ifindex = filter->ifindex;
	listen->program_id = filter->program_id;
	listen->wish = *wish;
	listen->context = context;
	err = open_maps(listen, filter);
	if (err) {
		error("%s: cannot map the listeners: %s", name, strerror(-err));
		listen_end(listen);
		return err;
	}
	listen->cpus = listen->filter->event_cpus;
	listen->buffer = xcalloc(listen->cpus, sizeof(*listen->buffer));
	raise_memlock();
	err = claim(listen);
	if (err)
		listen_end(listen);
	return err;
}

static bool is_pinned(const struct listen *listen)
{
	__free_text char *link = object_path(listen->id, "link");

	return !access(link, F_OK);
}

/* Whether the filter is still at its interface. */
static enum listen_state look(const struct listen *listen)
{
	struct hook hook;
	char name[IF_NAMESIZE];

	if (!if_indextoname(listen->ifindex, name))
		return LISTEN_DELETED;
	if (is_pinned(listen))
		return LISTEN_ON;
	if (hook_query(listen->ifindex, NULL, 0, &hook) || !hook.program_id ||
	    hook.program_id == listen->program_id)
		return LISTEN_DETACHED;
	return LISTEN_REPLACED;
}

/* Another listener has the slot, and has entered its buffers: takes another slot. */
static enum listen_state claim_again(struct listen *listen)
{
	listen->before = listen->counted; /* later counts of the slot may be another listener's */
	return claim(listen) ? LISTEN_FAILED : LISTEN_LAPSED;
}

/* Warns once that a CPU was added whose packets are not shown. */
static void say_unopened(struct listen *listen, int err)
{
	if (err && !listen->unopened)
		warning("%s: a CPU was added, and its packets are not shown: cannot open a buffer: %s; run the command again",
			listen->name, strerror(-err));
	listen->unopened = err;
}

enum listen_state listen_renew(struct listen *listen, __u32 *seconds)
{
	enum listen_state state = look(listen);
	__u32 now = boot_second();
	struct listen_lost lost;

	if (state != LISTEN_ON)
		return state;
	/* The lease ends at the start of the second `until`. */
	*seconds = now < listen->until ? 0 : now > listen->until ? now - listen->until : 1;
	if (!set_lease(listen, now + LISTEN_LEASE)) {
		*seconds = *seconds ?: 1;
		return claim_again(listen);
	}
	say_unopened(listen, open_buffers(listen));
	listen_count_lost(listen, &lost);
	return *seconds ? LISTEN_LAPSED : LISTEN_ON;
}

void listen_end(struct listen *listen)
{
	if (listen->listeners && listen->until)
		set_lease(listen, 0);
	close_buffers(listen);
	free(listen->buffer);
	unmap(listen->filter, sizeof(*listen->filter));
	unmap(listen->listeners, PC_LISTENERS * sizeof(*listen->listeners));
	fd_close(&listen->events);
	fd_close(&listen->heard);
	fd_close(&listen->counters);
	*listen = LISTEN_NONE;
}
