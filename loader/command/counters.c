// SPDX-License-Identifier: GPL-2.0
/* `counters`: the counters of each port, once or again and again. */
#include "loader/command/counters.h"

#include <time.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/json.h"
#include "loader/host/attached.h"
#include "loader/object/privilege.h"
#include "loader/report/json_forms.h"
#include "loader/report/text_counters.h"

static json_t *one_json(const struct live *live, bool all)
{
	const struct pc_generation *generation = live->filter.current.copy;
	char since[TIME_TEXT];
	json_t *one = json_pack("{s:o, s:I, s:s}", "name", text_json(live->hook.name), "generation",
				(json_int_t)generation->number, "since",
				report_time(generation->attached_at, since));
	json_t *counted =
		report_counters(live->counters, json_object_get(live->kept, "profiles"), all);

	json_object_update(one, counted);
	json_decref(counted);
	return one;
}

static json_t *read_report(const struct options *options, bool *left_out)
{
	json_t *interfaces;
	struct live *list;
	size_t count, i;

	if (live_read(&options->arguments, "counters", &list, &count, left_out))
		return NULL;
	interfaces = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(interfaces, one_json(&list[i], options->all));
	live_free(list, count);
	return report_new("interfaces", interfaces);
}

static double now_seconds(void)
{
	return clock_monotonic() / 1e9;
}

static int print_once(const struct options *options)
{
	bool left_out;
	json_t *report = read_report(options, &left_out);

	if (!report)
		return EXIT_FAILED;
	if (options->json)
		report_print(report, NULL);
	else
		report_counters_text(report, NULL, 0, options->all, stdout);
	if (!options->json)
		json_decref(report);
	return left_out ? EXIT_FAILED : EXIT_DONE;
}

/* Ends with an error when an interface is gone or the output fails, or by a signal. */
static int watch(const struct options *options)
{
	json_t *before = NULL, *report;
	double then = 0, now;
	bool left_out;

	while ((report = read_report(options, &left_out))) {
		now = now_seconds();
		if (options->json) {
			report_print(json_incref(report), NULL);
		} else {
			if (isatty(STDOUT_FILENO))
				fputs("\033[H\033[J", stdout);
			else if (before)
				putchar('\n');
			report_counters_text(report, before, now - then, options->all, stdout);
		}
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

int command_counters(const struct options *options, struct diag *diag)
{
	(void)diag;
	if (kernel_readable("counters"))
		return EXIT_FAILED;
	return options->watch ? watch(options) : print_once(options);
}
