// SPDX-License-Identifier: GPL-2.0
/* `drops`: recent drops, once or repeatedly; and clearing them. */
#include "loader/command/drops.h"

#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/terminal.h"
#include "loader/command/screen.h"
#include "loader/command/select_words.h"
#include "loader/filter/drop_maps.h"
#include "loader/host/attached.h"
#include "loader/host/machine_counts.h"
#include "loader/net/link.h"
#include "loader/object/folder.h"
#include "loader/object/privilege.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/json_forms.h"
#include "loader/report/port_services.h"
#include "loader/report/text_drops.h"

#define TERMINAL_TOP 40 /* rows on a terminal by default */

/* The services of the ports that rows of one filter, machine and direction have. */
struct row_services {
	size_t filter;
	__u32 machine;
	bool out;
	struct port_services *services; /* NULL: no row has a port */
};

/* A report: the rows, and the names for them. */
struct recorded {
	struct live *list; /* the filters */
	size_t filters;
	struct drops drops;
	struct row_services *services;
	size_t count; /* entries of `services` */
	__u64 booted; /* CLOCK_REALTIME ns of the boot */
	bool left_out;
};

static void recorded_free(struct recorded *recorded)
{
	for (size_t i = 0; i < recorded->count; i++)
		if (recorded->services[i].services)
			port_services_free(recorded->services[i].services);
	free(recorded->services);
	drops_free(&recorded->drops);
	live_free(recorded->list, recorded->filters);
}

static bool is_of(const struct row_services *services, const struct drops_row *row)
{
	return row->filter == services->filter && row->machine == services->machine &&
	       row->out == services->out;
}

/* The kept text of the active rule set, a new reference; NULL: unknown. */
static json_t *kept_of(const struct recorded *recorded, const struct row_services *services)
{
	const struct live *live = &recorded->list[services->filter];

	if (!services->machine)
		return json_incref(live->kept);
	return services->machine == MACHINE_GONE ? NULL :
						   kept_machine(live->kept, services->machine - 1);
}

static void find_services_of(const struct recorded *recorded, struct row_services *services)
{
	__free_text bool *wanted = xcalloc(PC_PORTS, sizeof(*wanted));
	json_t *kept = kept_of(recorded, services);
	bool any = false;
	__u32 port;

	for (size_t i = 0; i < recorded->drops.count; i++) {
		const struct drops_row *row = &recorded->drops.row[i];

		if (!is_of(services, row) || !drops_port(row, &port))
			continue;
		wanted[port] = true;
		any = true;
	}
	if (any && kept)
		services->services =
			port_services(json_object_get(kept, "profiles"), services->out, wanted);
	json_decref(kept);
}

static const struct row_services *services_find(const struct recorded *recorded,
						const struct drops_row *row)
{
	for (size_t i = 0; i < recorded->count; i++)
		if (is_of(&recorded->services[i], row))
			return &recorded->services[i];
	return NULL;
}

static void find_services(struct recorded *recorded)
{
	for (size_t i = 0; i < recorded->drops.count; i++) {
		const struct drops_row *row = &recorded->drops.row[i];
		struct row_services *next;

		if (services_find(recorded, row))
			continue;
		recorded->services =
			grow(recorded->services, recorded->count, sizeof(*recorded->services));
		next = &recorded->services[recorded->count++];
		*next = (struct row_services){
			.filter = row->filter, .machine = row->machine, .out = row->out};
		find_services_of(recorded, next);
	}
}

/* Seconds from the boot to a time given in seconds since 1970. */
static __u32 since_boot(const struct recorded *recorded, __u64 wall)
{
	__u64 ns = wall * PC_SECOND;

	return ns > recorded->booted ? (__u32)((ns - recorded->booted) / PC_SECOND) : 0;
}

static void arrange(const struct options *options, struct recorded *recorded)
{
	const struct drops_select select = {
		.source = options->source,
		.port = options->port,
		.reasons = options->reasons,
		.since = since_boot(recorded,
				    moment_seconds(&options->since, clock_wall() / PC_SECOND)),
	};

	drops_choose(&recorded->drops, &select);
	if (options->by)
		drops_sum(&recorded->drops, options->by);
	else if (!options->json && !options->source.family)
		drops_collapse(&recorded->drops);
	drops_sort(&recorded->drops, options->by);
}

static int read_recorded(const struct options *options, struct recorded *recorded)
{
	int err;

	*recorded = (struct recorded){.booted = clock_wall() - clock_boot()};
	err = live_read_kept(&options->arguments, "drops", &recorded->list, &recorded->filters,
			     &recorded->left_out);
	for (size_t i = 0; i < recorded->filters && !err; i++) {
		err = filter_drops(&recorded->list[i].filter, i, &options->source,
				   &recorded->drops);
		if (err)
			error("%s: cannot read the recorded drops: %s", recorded->list[i].hook.name,
			      strerror(-err));
		else
			err = machine_counts_find(&recorded->list[i], i, &recorded->drops);
	}
	if (err)
		return err;
	arrange(options, recorded);
	find_services(recorded);
	return 0;
}

static json_t *row_json(void *context, const struct drops_row *row)
{
	struct recorded *recorded = context;
	const struct row_services *of = services_find(recorded, row);
	const struct port_services *services = of ? of->services : NULL;
	const struct live *live = &recorded->list[row->filter];
	__u32 port;

	return drops_json(&recorded->drops, row, live->hook.name, machine_counts_name(live, row),
			  services && drops_port(row, &port) ? services->of[port] : NULL,
			  recorded->booted);
}

/* When the record began; NULL: no interface has a filter. */
static const char *since_text(const struct recorded *recorded, char text[TIME_TEXT])
{
	return recorded->filters ?
		       report_time(recorded->booted + recorded->drops.since * PC_SECOND, text) :
		       NULL;
}

/* --- JSON: a line a row --- */

static void print_json(const struct options *options, struct recorded *recorded)
{
	size_t count = recorded->drops.count;
	size_t shown =
		options->top >= 0 && (size_t)options->top < count ? (size_t)options->top : count;
	char since[TIME_TEXT];
	json_t *began = text_json(since_text(recorded, since));

	fputs("{\n  \"version\": 1,\n  \"since\": ", stdout);
	json_print(began, JSON_ENCODE_ANY);
	json_decref(began);
	printf(",\n  \"sampled\": %s,\n  \"forgotten\": %llu,\n",
	       recorded->drops.sampled ? "true" : "false",
	       (unsigned long long)recorded->drops.forgotten);
	if (options->top >= 0)
		printf("  \"drops_left_out\": %zu,\n", count - shown);
	fputs("  \"drops\": [", stdout);
	for (size_t i = 0; i < shown; i++) {
		json_t *json = row_json(recorded, &recorded->drops.row[i]);

		printf("%s\n    ", i ? "," : "");
		json_print(json, 0);
		json_decref(json);
	}
	printf("%s]\n}\n", shown ? "\n  " : "");
}

/* --- text --- */

static void write_text(const void *context, size_t top, FILE *to)
{
	report_drops_text(context, top, to);
}

/* Prints one report, or the next one of --watch. */
static void print_report(const struct options *options, struct recorded *recorded, bool first)
{
	__free_text char *passes = select_words_passes(options);
	size_t rows = terminal_rows(stdout);
	char since[TIME_TEXT];
	const struct drops_view view = {
		.drops = &recorded->drops,
		.since = since_text(recorded, since),
		.row = row_json,
		.context = recorded,
		.chosen = options_given(options, OPTIONS_SELECT) || options->since.at ||
			  options->since.back,
		.named = recorded->filters > 1,
		.passes = passes,
		.columns = terminal_columns(stdout),
	};
	size_t top = options->top >= 0 ? (size_t)options->top : SIZE_MAX;

	if (options->json)
		print_json(options, recorded);
	else if (options->watch)
		screen_print(write_text, &view, top, first);
	else
		report_drops_text(&view, options->top < 0 && rows ? TERMINAL_TOP : top, stdout);
}

static int print_once(const struct options *options)
{
	__cleanup(recorded_free) struct recorded recorded;

	if (read_recorded(options, &recorded))
		return EXIT_FAILED;
	print_report(options, &recorded, true);
	return recorded.left_out ? EXIT_FAILED : EXIT_DONE;
}

/* Runs until an interface is gone, the output fails, or a signal comes. */
static int watch(const struct options *options)
{
	for (bool first = true;; first = false) {
		__cleanup(recorded_free) struct recorded recorded;

		if (read_recorded(options, &recorded))
			return EXIT_FAILED;
		print_report(options, &recorded, first);
		if (fflush(stdout))
			return EXIT_FAILED;
		sleep(options->watch);
	}
}

/* --- --clear --- */

static int clear_all(const struct live *list, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		err = filter_drops_clear(&list[i].filter);
		if (err)
			error("%s: cannot clear the recorded drops: %s", list[i].hook.name,
			      strerror(-err));
	}
	return err;
}

static void say_cleared(const struct live *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		say_line("%s: cleared the recorded drops", list[i].hook.name);
	if (!count)
		say_line("portcullis is attached to no interface of this network namespace");
}

static int clear(const struct options *options)
{
	__close_fd int lock = -1;
	struct live *list = NULL;
	size_t count = 0;
	bool left_out = false;
	int ready, err;

	if (kernel_privileged("drops --clear"))
		return EXIT_FAILED;
	/* Holds the lock, because a takeover in progress may be about to use other maps. */
	ready = pins_ready(false);
	err = ready < 0 ? ready : ready ? pins_lock(&lock) : 0;
	if (!err)
		err = live_open(&options->arguments, "drops", &list, &count, &left_out);
	if (!err)
		err = clear_all(list, count);
	if (!err && !options->json)
		say_cleared(list, count);
	live_free(list, count);
	if (!err && options->json)
		err = print_once(options);
	return err || left_out ? EXIT_FAILED : EXIT_DONE;
}

/* An address or a port must be given by an option, because an interface may have such a name. */
static bool names_packets(const struct names *arguments)
{
	char real[IF_NAMESIZE];

	for (size_t i = 0; i < arguments->count; i++) {
		__free_text char *fix = select_words_fix("drops", arguments->name[i]);

		if (!fix || link_find(arguments->name[i], real) > 0)
			continue;
		error_fix(fix, "drops: '%s' is not an interface", arguments->name[i]);
		return true;
	}
	return false;
}

int command_drops(const struct options *options, struct diag *diag)
{
	const char *chosen = options_given(options, OPTIONS_SELECT);

	(void)diag;
	if (names_packets(&options->arguments))
		return EXIT_USAGE;
	if (options->clear && options->watch) {
		error("drops: give either --clear or --watch, not both");
		return EXIT_USAGE;
	}
	if (options->clear && chosen) {
		error("drops: --clear forgets all that was recorded; it cannot be given with --%s",
		      chosen);
		return EXIT_USAGE;
	}
	if (options->clear)
		return clear(options);
	if (kernel_readable("drops"))
		return EXIT_FAILED;
	return options->watch ? watch(options) : print_once(options);
}
