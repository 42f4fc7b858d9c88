// SPDX-License-Identifier: GPL-2.0
/* `counters`: the counters of each port, once or repeatedly; and clearing them. */
#include "loader/command/counters.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/columns.h"
#include "loader/base/file.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/terminal.h"
#include "loader/command/screen.h"
#include "loader/filter/cleared.h"
#include "loader/host/attached.h"
#include "loader/host/audit.h"
#include "loader/host/machine_counts.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/report/json_forms.h"
#include "loader/report/machine_counters.h"
#include "loader/report/text_counters.h"
#include "loader/report/unlisted.h"

/* Marks the ports on which this host listens, as far as that is known. */
static void mark_listening(json_t *one, const struct live *live, const struct audited_host *host)
{
	json_t *port;
	size_t i;

	json_array_foreach (json_object_get(one, "ports"), i, port) {
		const char *protocol = json_string_value(json_object_get(port, "protocol"));
		bool in = !strcmp(json_string_value(json_object_get(port, "direction")), "in");

		if (in)
			json_object_set_new(
				port, "listening",
				json_boolean(audited_listens(
					host, live->hook.ifindex,
					strcmp(protocol, "udp") ? PC_TCP : PC_UDP,
					(__u16)json_integer_value(json_object_get(port, "port")))));
	}
}

/* NULL, with a message: the values at the last clearing cannot be read. */
static json_t *one_json(const struct live *live, const struct audited_host *host, bool all)
{
	const struct pc_generation *generation = live->filter.current.copy;
	__u64 began = generation->attached_at;
	char since[TIME_TEXT];
	json_t *one, *counted;
	int err = cleared_subtract(&live->filter, live->counters, &began);

	if (err) {
		error("%s: cannot read the counters of the last --clear: %s", live->hook.name,
		      strerror(-err));
		return NULL;
	}
	one = json_pack("{s:o, s:s, s:I, s:s}", "name", text_json(live->hook.name), "policy",
			generation->policy == PC_POLICY_ENFORCE ? "enforce" : "observe",
			"generation", (json_int_t)generation->number, "since",
			report_time(began, since));
	counted = report_counters(live->counters, json_object_get(live->kept, "profiles"), all);
	json_object_update(one, counted);
	json_decref(counted);
	mark_listening(one, live, host);
	machine_counts_add(live, all, one);
	return one;
}

static json_t *list_json(const struct live *list, size_t count, bool all)
{
	__cleanup(audited_host_free) struct audited_host host = {};
	json_t *interfaces = json_array(), *report;
	char now[TIME_TEXT];
	size_t i;

	audited_host_list(&host);
	for (i = 0; i < count; i++) {
		json_t *one = one_json(&list[i], &host, all);

		if (!one) {
			json_decref(interfaces);
			return NULL;
		}
		json_array_append_new(interfaces, one);
	}
	report = report_new("interfaces", interfaces);
	json_object_set_new(report, "time", json_string(report_time(clock_wall(), now)));
	return report;
}

static json_t *read_report(const struct options *options, bool *left_out)
{
	struct live *list;
	json_t *report;
	size_t count;

	if (live_read(&options->arguments, "counters", &list, &count, left_out))
		return NULL;
	report = list_json(list, count, options->all);
	live_free(list, count);
	return report;
}

static double now_seconds(void)
{
	return clock_monotonic() / 1e9;
}

/* Prints the report, and takes it over. */
static void print_json(const struct options *options, json_t *report)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(report, "interfaces"), i, one) {
		if (options->top >= 0)
			unlisted_limit(one, (size_t)options->top);
		report_flatten_machines(one);
	}
	report_print(report, NULL);
}

/* The number of unlisted ports of each direction in text. */
static size_t shown_top(const struct options *options)
{
	return options->top >= 0 ? (size_t)options->top : options->all ? SIZE_MAX : COUNTERS_TOP;
}

static int print_once(const struct options *options)
{
	struct counters_view view = {.top = shown_top(options),
				     .columns = terminal_columns(stdout)};
	bool left_out;
	json_t *report = read_report(options, &left_out);

	if (!report)
		return EXIT_FAILED;
	if (options->json) {
		print_json(options, report);
	} else {
		report_counters_text(report, &view, stdout);
		json_decref(report);
	}
	return left_out ? EXIT_FAILED : EXIT_DONE;
}

/* --- --watch --- */

struct again {
	const json_t *report;
	struct counters_view view;
};

static void write_again(const void *context, size_t top, FILE *to)
{
	const struct again *again = context;
	struct counters_view view = again->view;

	view.top = top;
	report_counters_text(again->report, &view, to);
}

static void print_again(const struct options *options, const json_t *report, const json_t *before,
			double seconds)
{
	struct again again = {
		report,
		{.before = before, .seconds = seconds, .columns = terminal_columns(stdout)}};
	bool fits = terminal_rows(stdout) && options->top < 0;

	screen_print(write_again, &again, fits ? SIZE_MAX : shown_top(options), !before);
}

/* Runs until an interface is gone, the output fails, or a signal comes. */
static int watch(const struct options *options)
{
	json_t *before = NULL, *report;
	double then = 0, now;
	bool left_out;

	while ((report = read_report(options, &left_out))) {
		now = now_seconds();
		if (options->json)
			print_json(options, json_deep_copy(report));
		else
			print_again(options, report, before, now - then);
		json_decref(before);
		before = report;
		if (fflush(stdout))
			break;
		then = now;
		sleep(options->watch);
	}
	json_decref(before);
	return EXIT_FAILED;
}

/* --- --clear --- */

static int clear_all(struct live *list, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = cleared_put(&list[i].filter, list[i].counters);
	return err;
}

static void say_cleared(const struct live *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say_line("%s: counts from now on; portcullis status keeps the totals",
			 list[i].hook.name);
	if (!count)
		say_line("portcullis is attached to no interface of this network namespace");
}

static int clear(const struct options *options)
{
	__close_fd int lock = -1;
	struct live *list = NULL;
	size_t count = 0;
	bool left_out = false;
	json_t *report = NULL;
	int ready, err;

	if (kernel_privileged("counters --clear"))
		return EXIT_FAILED;
	/* Holds the lock, because a takeover in progress would not copy what is stored here. */
	ready = pins_ready(false);
	err = ready < 0 ? ready : ready ? pins_lock(&lock) : 0;
	if (!err)
		err = live_read(&options->arguments, "counters", &list, &count, &left_out);
	if (!err)
		err = clear_all(list, count);
	if (!err && options->json)
		report = list_json(list, count, options->all);
	if (report)
		print_json(options, report);
	else if (!err && !options->json)
		say_cleared(list, count);
	live_free(list, count);
	return err || left_out || (options->json && !report) ? EXIT_FAILED : EXIT_DONE;
}

int command_counters(const struct options *options, struct diag *diag)
{
	(void)diag;
	if (options->clear && options->watch) {
		error("counters: give either --clear or --watch, not both");
		return EXIT_USAGE;
	}
	if (options->clear)
		return clear(options);
	if (kernel_readable("counters"))
		return EXIT_FAILED;
	return options->watch ? watch(options) : print_once(options);
}
