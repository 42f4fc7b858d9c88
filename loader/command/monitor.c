// SPDX-License-Identifier: GPL-2.0
/* `monitor`: packets with their verdicts as they arrive, until Ctrl-C. */
#include "loader/command/monitor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/columns.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/command/monitor_known.h"
#include "loader/command/monitor_output.h"
#include "loader/command/monitor_words.h"
#include "loader/command/privileges.h"
#include "loader/filter/listen.h"
#include "loader/host/attached.h"
#include "loader/net/frame_find.h"
#include "loader/object/privilege.h"
#include "loader/report/capture_filter.h"
#include "loader/report/event.h"

#define RATE	       1000	   /* events a second on each CPU, without --rate */
#define FILTER_CAPTURE 256	   /* captured bytes of a frame, for FILTER alone: the headers */
#define BUFFER	       (256 << 10) /* bytes of a buffer for each CPU */
#define BUFFER_LARGE   (1 << 20)   /* for whole frames, or without a limit of the rate */
#define PAUSE_MS       50	   /* an event waits at most so long in a buffer that is not full */
#define SECOND	       1000000000ULL
#define LOST_SECONDS   5 /* between two reports of lost events */

struct monitor;

/* An interface that is listened at. */
struct ear {
	struct monitor *monitor;
	struct listen listen;
	bool on;
	__u32 number; /* index in the order of the file's interfaces */
	enum pc_frame frame;
	struct capture_filter *filter; /* NULL: no filter */
	struct known known;
	struct listen_lost said;
};

struct monitor {
	const struct options *options;
	struct ear *ear;
	size_t count;
	int epoll, signals;
	__u64 offset; /* difference between the wall clock and the clock of events, ns */
	__u64 shown;
	bool begun; /* the file is being written */
	bool done;  /* --count packets were shown */
	struct monitor_output output;
};

/* --- one event --- */

static void take(void *context, const struct pc_event *event, const __u8 *frame)
{
	struct ear *ear = context;
	struct monitor *monitor = ear->monitor;
	__u64 wall = event->time + monitor->offset;
	json_t *json;

	if (monitor->done || monitor->output.err)
		return;
	if (ear->filter &&
	    !capture_filter_match(ear->filter, frame, event->captured, event->length))
		return;
	json = event_json(event, ear->listen.name, wall, known_services(&ear->known, event));
	monitor_output_event(&monitor->output, ear->number, wall, event, frame, json);
	json_decref(json);
	monitor->shown++;
	monitor->done = monitor->options->count && monitor->shown == monitor->options->count;
}

/* --- beginning --- */

/*
 * The conditions that the programs check. The prefix is of the remote address. FILTER is applied
 * after the rate.
 */
static struct listen_wish wish_of(const struct monitor *monitor, const struct monitor_words *words)
{
	const struct options *options = monitor->options;
	const struct prefix *source = &options->source;
	struct listen_wish wish = {
		.entry = {.reasons = options->reasons ?: ~0U,
			  .rate = options->rate < 0 ? RATE : (__u32)options->rate,
			  .capture = options->write ? MONITOR_CAPTURE :
				     words->filter  ? FILTER_CAPTURE :
						      0,
			  .port = options->port < 0 ? 0 : 1 + (__u32)options->port,
			  .family = !source->family	      ? 0 :
				    source->family == AF_INET ? 4 :
								6,
			  .passed = options->all},
		.buffer = options->write || !options->rate ? BUFFER_LARGE : BUFFER,
		.epoll = monitor->epoll,
		.take = take,
	};
	__u8 *mask = (__u8 *)wish.entry.mask;

	if (source->family)
		memcpy(wish.entry.address, source->address, sizeof(source->address));
	for (size_t bit = 0; bit < source->length; bit++)
		mask[bit / 8] |= (__u8)(0x80 >> bit % 8);
	return wish;
}

/* Reports every error in the options before it listens at the first interface. */
static int prepare(struct ear *ear, const struct live *live, const struct monitor_words *words)
{
	__free_text char *why = NULL;
	int err = frame_of(live->hook.name, live->hook.ifindex, &ear->frame);

	if (err || !words->filter)
		return err;
	err = capture_filter_compile(words->filter, ear->frame == PC_FRAME_ETHERNET, &ear->filter,
				     &why);
	if (err == -EINVAL)
		monitor_words_wrong(words, why);
	else if (err)
		error("monitor: %s", why);
	return err;
}

static int begin_one(struct ear *ear, const struct live *live, const struct listen_wish *wish)
{
	int err = listen_begin(&ear->listen, live->hook.name, &live->filter, wish, ear);

	if (err)
		return err;
	ear->on = true;
	return known_begin(&ear->known, ear->listen.name, live);
}

static int begin_all(struct monitor *monitor, const struct live *list,
		     const struct monitor_words *words)
{
	struct listen_wish wish = wish_of(monitor, words);
	int err = 0;
	size_t i;

	for (i = 0; i < monitor->count && !err; i++) {
		monitor->ear[i] =
			(struct ear){.monitor = monitor, .listen = LISTEN_NONE, .number = (__u32)i};
		err = prepare(&monitor->ear[i], &list[i], words);
	}
	if (!err)
		err = monitor_output_begin(&monitor->output, monitor->options, monitor->count > 1);
	monitor->begun = !err;
	for (i = 0; i < monitor->count && !err; i++) {
		monitor_output_interface(&monitor->output, list[i].hook.name, monitor->ear[i].frame,
					 words->filter);
		err = begin_one(&monitor->ear[i], &list[i], &wish);
	}
	return err;
}

static void end_all(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->count; i++) {
		struct ear *ear = &monitor->ear[i];

		listen_end(&ear->listen);
		capture_filter_free(&ear->filter);
		known_end(&ear->known);
	}
	free(monitor->ear);
	monitor_output_end(&monitor->output);
	fd_close(&monitor->epoll);
	fd_close(&monitor->signals);
}

/* --- reading events --- */

static void say_lost(struct ear *ear)
{
	struct listen_lost lost, since;

	if (listen_count_lost(&ear->listen, &lost))
		return;
	since = (struct listen_lost){lost.over - ear->said.over, lost.full - ear->said.full};
	if (!since.over && !since.full)
		return;
	monitor_output_lost(&ear->monitor->output, ear->listen.name, &since);
	ear->said = lost;
}

static void stop_one(struct ear *ear)
{
	struct monitor *monitor = ear->monitor;

	listen_read(&ear->listen);
	say_lost(ear);
	monitor_output_total(&monitor->output, ear->number, clock_wall(),
			     ear->said.over + ear->said.full);
	listen_end(&ear->listen);
	ear->on = false;
}

static void renew(struct ear *ear)
{
	static const char *const ended[] = {
		[LISTEN_DETACHED] = "its filter was detached",
		[LISTEN_REPLACED] = "another filter is attached now; run the command again",
		[LISTEN_DELETED] = "the interface was deleted",
	};
	char text[HUMAN_TEXT];
	__u32 seconds;
	enum listen_state state = listen_renew(&ear->listen, &seconds);

	if (state == LISTEN_ON)
		return;
	if (state == LISTEN_LAPSED) {
		warning("%s: no packets were shown for %s, because the command was stopped (as by Ctrl-Z)",
			ear->listen.name, human_seconds(seconds, text));
		return;
	}
	if (state != LISTEN_FAILED)
		warning("%s: %s", ear->listen.name, ended[state]);
	stop_one(ear);
}

/* What is done each second. */
static void keep_on(struct monitor *monitor, __u64 now)
{
	monitor->offset = clock_wall() - clock_boot();
	for (size_t i = 0; i < monitor->count; i++) {
		struct ear *ear = &monitor->ear[i];

		if (ear->on)
			renew(ear);
		if (ear->on && now / SECOND % LOST_SECONDS == 0)
			say_lost(ear);
	}
}

static bool any_on(const struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->count; i++)
		if (monitor->ear[i].on)
			return true;
	return false;
}

/* True if a signal came, or the reader of stdout is gone. */
static bool wait_for_events(struct monitor *monitor)
{
	struct epoll_event event[64];
	int count = epoll_wait(monitor->epoll, event, ARRAY_SIZE(event), PAUSE_MS);

	for (int i = 0; i < count; i++) {
		if (!event[i].data.ptr)
			return true;
		if (event[i].data.ptr == monitor && event[i].events & (EPOLLERR | EPOLLHUP)) {
			monitor->output.err = -EPIPE;
			return true;
		}
	}
	return false;
}

static void read_all(struct monitor *monitor)
{
	for (size_t i = 0; i < monitor->count; i++) {
		if (!monitor->ear[i].on)
			continue;
		known_look(&monitor->ear[i].known);
		listen_read(&monitor->ear[i].listen);
	}
}

static void listen_on(struct monitor *monitor)
{
	__u64 due = clock_monotonic(), now;
	bool stop = false;

	while (!stop && !monitor->done && any_on(monitor)) {
		now = clock_monotonic();
		if (now >= due) {
			keep_on(monitor, now);
			due = now + SECOND;
		}
		stop = wait_for_events(monitor);
		read_all(monitor);
		if (!monitor_output_flush(&monitor->output))
			stop = true;
	}
}

/* --- the command --- */

/* Signals that end the command are read as events, so that it ends between two packets. */
static int open_events(struct monitor *monitor)
{
	struct epoll_event signals = {.events = EPOLLIN};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	monitor->epoll = epoll_create1(EPOLL_CLOEXEC);
	monitor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (monitor->epoll < 0 || monitor->signals < 0 ||
	    epoll_ctl(monitor->epoll, EPOLL_CTL_ADD, monitor->signals, &signals)) {
		error("monitor: cannot wait for events: %s", strerror(errno));
		return -EIO;
	}
	return 0;
}

/* Notices that the reader of a pipe is gone. Some descriptors cannot be waited for (EPERM). */
static void watch_reader(struct monitor *monitor)
{
	struct epoll_event reader = {.data.ptr = monitor};

	if (monitor->output.lines || monitor->options->write_fd == STDOUT_FILENO)
		epoll_ctl(monitor->epoll, EPOLL_CTL_ADD, STDOUT_FILENO, &reader);
}

static void say_begun(const struct monitor *monitor)
{
	__cleanup(names_free) struct names names = {};
	__free_text char *list = NULL;

	for (size_t i = 0; i < monitor->count; i++)
		names_add(&names, monitor->ear[i].listen.name);
	list = names_join(&names, ", ");
	hint("listening at %s; Ctrl-C ends", list);
}

static void say_ended(const struct monitor *monitor)
{
	__free_text char *shown = human_count(monitor->shown, "packet", "packets");
	__u64 lost = 0;

	for (size_t i = 0; i < monitor->count; i++)
		lost += monitor->ear[i].said.over + monitor->ear[i].said.full;
	hint("%s, %llu lost", shown, lost);
	if (monitor->output.unrecorded)
		warning("the journal did not take %llu of these packets; to see why: systemctl status systemd-journald",
			monitor->output.unrecorded);
}

static int run(struct monitor *monitor)
{
	bool ended;

	say_begun(monitor);
	watch_reader(monitor);
	listen_on(monitor);
	ended = !any_on(monitor);
	for (size_t i = 0; i < monitor->count; i++)
		if (monitor->ear[i].on)
			stop_one(&monitor->ear[i]);
	monitor_output_flush(&monitor->output);
	if (monitor->output.err != -EPIPE)
		say_ended(monitor);
	return ended || monitor->output.err ? EXIT_FAILED : EXIT_DONE;
}

/* Closes the filters: their programs would stay attached as long as their links are open here. */
static int begin(struct monitor *monitor, const struct monitor_words *words, bool *left_out)
{
	struct live *list = NULL;
	int err = live_read_kept(&words->interfaces, "monitor", &list, &monitor->count, left_out);

	if (err)
		return err;
	monitor->ear = xcalloc(monitor->count, sizeof(*monitor->ear));
	if (!monitor->count)
		error("monitor: portcullis is attached to no interface of this network namespace");
	err = monitor->count ? open_events(monitor) : -ENOENT;
	if (!err)
		err = begin_all(monitor, list, words);
	live_free(list, monitor->count);
	if (!err)
		err = privileges_drop_rest("monitor");
	return err;
}

static int listen_at(struct monitor *monitor, const struct monitor_words *words)
{
	bool left_out = false;
	int code = begin(monitor, words, &left_out) ? EXIT_FAILED : run(monitor);

	end_all(monitor);
	return left_out ? EXIT_FAILED : code;
}

/* True, with a message, if the options contradict each other. */
static bool is_wrong(const struct options *options)
{
	if (options->json && options->write_fd == STDOUT_FILENO) {
		error("monitor: --json and --write - both write to stdout; give --write a file");
		return true;
	}
	return false;
}

int command_monitor(const struct options *options, struct diag *diag)
{
	__cleanup(monitor_words_free) struct monitor_words words = {};
	struct monitor monitor = {
		.options = options, .epoll = -1, .signals = -1, .output.file = PCAPNG_NONE};
	int code;

	(void)diag;
	monitor_words_read(&options->arguments, &words);
	code = is_wrong(options)	    ? EXIT_USAGE :
	       kernel_privileged("monitor") ? EXIT_FAILED :
					      listen_at(&monitor, &words);
	if (!monitor.begun)
		monitor_discard_file(options);
	if (monitor.output.err == -EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return code;
}
