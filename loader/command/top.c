// SPDX-License-Identifier: GPL-2.0
/* `top`: services, reasons and sources by rate, full-screen, until `q`. */
#include "loader/command/top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/top_screen.h"
#include "loader/filter/cleared.h"
#include "loader/filter/counter_maps.h"
#include "loader/filter/drop_maps.h"
#include "loader/host/attached.h"
#include "loader/host/machine_counts.h"
#include "loader/object/privilege.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/top_sources.h"

#define INTERVAL  2	     /* seconds, without --watch */
#define SECOND	  1000000000 /* ns */
#define FIRST	  500000000  /* ns after the start until rates are shown */
#define HOST_TEXT 256

/* --- reading --- */

/* The last message of a reading, because it cannot be printed over the screen. */
static void keep_message(void *context, bool is_error, const char *text, const char *fix)
{
	char **message = context;

	(void)is_error;
	(void)fix;
	free(*message);
	*message = xstrdup(text);
}

/* Filters that were opened for one reading. */
struct opened {
	struct live *live;
	size_t count;
	int err; /* a recipe could not be read */
};

static void opened_free(struct opened *opened)
{
	live_free(opened->live, opened->count);
}

/* Opens the filters of `names`: one, or (empty) all. */
static int open_more(const struct names *names, struct opened *opened)
{
	struct live *live;
	size_t count;
	bool left_out; /* the error is reported */
	int err = live_open(names, "top", &live, &count, &left_out);

	if (err)
		return err;
	opened->live = xrealloc(opened->live, opened->count + count + 1, sizeof(*opened->live));
	memcpy(opened->live + opened->count, live, count * sizeof(*live));
	opened->count += count;
	free(live);
	return 0;
}

/* Opens each interface by itself, so that one that is gone or unreadable does not affect the
 * others. */
static int open_named(const struct names *names, struct opened *opened, struct names *missing)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct names one = {.name = &names->name[i], .count = 1};
		struct message_sink sink = messages_to(messages_drop, NULL);
		int err = open_more(&one, opened);

		messages_to(sink.take, sink.context);
		if (err == -ENOENT || err == -ENODEV)
			names_add(missing, names->name[i]);
		else if (err)
			return open_more(&one, opened); /* opens it once more, for the message */
	}
	return 0;
}

static int count_at(struct live *live, struct top_look *look)
{
	const struct pc_generation *generation = live->filter.current.copy;
	int err;

	*look = (struct top_look){
		.interface = xstrdup(live->hook.name),
		.generation = generation->number,
		.made_at = generation->made_at,
		.began = generation->attached_at,
		.deadline = generation->deadline,
		.observe = generation->policy == PC_POLICY_OBSERVE,
		.reverted = generation->reverted_at || live->filter.reverted.copy,
		.counters = xcalloc(1, sizeof(*look->counters)),
	};
	err = filter_counters(&live->filter, look->counters);
	if (!err)
		err = cleared_subtract(&live->filter, look->counters, &look->began);
	if (err)
		error("%s: cannot read the counters: %s", live->hook.name, strerror(-err));
	return err;
}

/* The names of the machines whose packets were dropped. The recipe is read only if there are such
 * drops. */
static int name_machines(struct live *live, size_t at, struct top_looks *looks)
{
	struct drops *drops = &looks->drops;
	bool any = false;
	int err;

	for (size_t i = 0; i < drops->count && !any; i++)
		any = drops->row[i].filter == at && drops->row[i].machine;
	err = any && !live->kept ? filter_kept(live->hook.name, &live->filter, &live->kept) : 0;
	if (!err && any)
		err = machine_counts_find(live, at, drops);
	for (size_t i = 0; i < kept_machines(live->kept) && any; i++)
		names_add(&looks->look[at].machines, kept_machine_name(live->kept, i));
	return err;
}

/* Adds the look at a filter. */
static int look_at(struct live *live, struct top_looks *looks)
{
	size_t at = looks->count++;
	int err = count_at(live, &looks->look[at]);

	if (err)
		return err;
	err = filter_drops(&live->filter, at, &(struct prefix){}, &looks->drops);
	if (err)
		error("%s: cannot read the recorded drops: %s", live->hook.name, strerror(-err));
	else
		err = name_machines(live, at, looks);
	return err;
}

/* Returns the profiles of a filter, and sets its machines; NULL with a message and opened->err. */
static json_t *profiles_of(void *context, size_t at, struct top_machines **behind)
{
	struct opened *opened = context;
	struct live *live = &opened->live[at];
	int err = live->kept ? 0 : filter_kept(live->hook.name, &live->filter, &live->kept);

	if (!err && kept_machines(live->kept))
		err = machine_counts_top(live, behind);
	if (err)
		opened->err = err;
	return err ? NULL : json_incref(json_object_get(live->kept, "profiles"));
}

/* Reads all filters that are shown. -errno with a message, and `looks` empty. */
static int read_looks(const struct names *names, struct top_looks *before, struct top_looks *looks,
		      struct names *missing)
{
	__cleanup(opened_free) struct opened opened = {};
	int err = names->count ? open_named(names, &opened, missing) : open_more(names, &opened);

	*looks = (struct top_looks){.look = xcalloc(opened.count + 1, sizeof(*looks->look))};
	for (size_t i = 0; i < opened.count && !err; i++)
		err = look_at(&opened.live[i], looks);
	looks->wall = clock_wall();
	looks->monotonic = clock_monotonic();
	looks->boot = clock_boot();
	if (!err) {
		top_sources_order(looks);
		top_listings(looks, before, profiles_of, &opened);
		err = opened.err;
	}
	if (err)
		top_looks_free(looks);
	return err;
}

/* --- the view --- */

static void make_rows(struct top_view *view)
{
	for (enum top_panel i = 0; i < TOP_PANELS; i++) {
		free(view->rows[i].row);
		top_rows(&view->now, &view->before, i, view->sort, &view->rows[i]);
	}
}

/* Reads the counters. After an error the screen keeps its data, and shows the message. */
static void update(struct top_view *view, const struct names *names)
{
	struct names missing = {};
	struct top_looks next;
	int err;

	free(view->message);
	view->message = NULL;
	messages_to(keep_message, &view->message);
	err = read_looks(names, &view->now, &next, &missing);
	messages_to(NULL, NULL);
	if (err) {
		names_free(&missing);
		return;
	}
	top_looks_free(&view->before);
	names_free(&view->missing);
	view->before = view->now;
	view->now = next;
	view->missing = missing;
	make_rows(view);
}

static void view_free(struct top_view *view)
{
	top_looks_free(&view->now);
	top_looks_free(&view->before);
	names_free(&view->missing);
	for (size_t i = 0; i < TOP_PANELS; i++)
		free(view->rows[i].row);
	free(view->host);
	free(view->message);
}

/* --- the loop --- */

/* Milliseconds until the counters are read again, or the seconds in the header change. */
static int wait_ms(const struct top_view *view, __u64 next)
{
	__u64 now = clock_monotonic(), second = SECOND - clock_wall() % SECOND;
	__u64 left = next > now ? next - now : 0;

	if (view->frozen || second < left)
		left = second;
	return (int)(left / 1000000) + 1;
}

/* The signals after which the terminal must be restored; and SIGCONT. */
static int open_signals(sigset_t *old)
{
	static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCONT};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		sigaddset(&set, taken[i]);
	sigprocmask(SIG_BLOCK, &set, old);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Returns 0, or the signal that ends the command. */
static int take_signals(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCONT)
			return (int)info.ssi_signo;
		top_screen_resume();
	}
	return 0;
}

/* Handles all pending keys. True: quit. */
static bool take_keys(struct top_view *view, __u64 *next)
{
	enum top_key key;

	while ((key = top_screen_key(view)) != TOP_KEY_NONE) {
		if (key == TOP_KEY_QUIT)
			return true;
		if (key == TOP_KEY_SORT)
			make_rows(view);
		if (key == TOP_KEY_AGAIN)
			*next = 0;
	}
	return false;
}

/* Returns 0 after `q`, else the signal that ended the command. */
static int run_screen(struct top_view *view, const struct names *names, int signals)
{
	__u64 next = clock_monotonic() + FIRST;
	int ended;

	for (;;) {
		struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
					 {.fd = signals, .events = POLLIN}};

		top_screen_draw(view);
		if (poll(ready, ARRAY_SIZE(ready), wait_ms(view, next)) < 0 && errno != EINTR)
			return SIGHUP;
		ended = take_signals(signals);
		if (ended)
			return ended;
		if (take_keys(view, &next))
			return 0;
		if (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			return SIGHUP;
		if (view->frozen || clock_monotonic() < next)
			continue;
		update(view, names);
		next = clock_monotonic() + view->interval * (__u64)SECOND;
	}
}

/* Ends by the signal's default action, because ncurses has handlers of its own. */
static int end_by(int number, const sigset_t *mask)
{
	signal(number, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	raise(number);
	return EXIT_FAILED;
}

static int show(struct top_view *view, const struct names *names)
{
	sigset_t mask;
	__close_fd int signals = open_signals(&mask);
	int ended;

	if (signals < 0) {
		error("top: cannot wait for signals: %s", strerror(errno));
		return EXIT_FAILED;
	}
	if (top_screen_begin())
		return EXIT_FAILED;
	ended = run_screen(view, names, signals);
	top_screen_end();
	return ended ? end_by(ended, &mask) : EXIT_DONE;
}

static char *host_name(void)
{
	char host[HOST_TEXT] = "";

	gethostname(host, sizeof(host) - 1);
	return xstrdup(host);
}

/* Reports a named interface that has no filter at the start: one that loses it later stays on the
 * screen. */
static int check_named(const struct names *names)
{
	struct live *live;
	size_t count;
	bool left_out;
	int err = names->count ? live_open(names, "top", &live, &count, &left_out) : 0;

	if (!err && names->count)
		live_free(live, count);
	return err;
}

int command_top(const struct options *options, struct diag *diag)
{
	__cleanup(view_free) struct top_view view = {.interval = options->watch ?: INTERVAL,
						     .host = host_name()};
	__cleanup(names_free) struct names names = {};

	(void)diag;
	for (size_t i = 0; i < options->arguments.count; i++)
		names_add_once(&names, options->arguments.name[i]);
	if (kernel_readable("top") || check_named(&names) ||
	    read_looks(&names, &view.before, &view.now, &view.missing))
		return EXIT_FAILED;
	make_rows(&view);
	return show(&view, &names);
}
