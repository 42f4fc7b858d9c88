// SPDX-License-Identifier: GPL-2.0
/* `metrics`: the filters as OpenMetrics, on stdout or as the answer to one HTTP request. */
#include "loader/command/metrics.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/http.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/filter/confirm.h"
#include "loader/filter/flows.h"
#include "loader/host/attached.h"
#include "loader/host/machine_counts.h"
#include "loader/host/bans.h"
#include "loader/net/link.h"
#include "loader/object/privilege.h"
#include "loader/recipe/site.h"
#include "loader/report/json_forms.h"
#include "loader/report/text_metrics.h"

/* Packets for which the kernel did not run a program, because that CPU was already running it. */
static json_int_t program_errors(const struct filter *filter)
{
	static const enum filter_fd program[] = {FILTER_PROGRAM, FILTER_EGRESS};
	json_int_t errors = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(program); i++) {
		struct bpf_prog_info info = {};
		__u32 length = sizeof(info);

		if (filter->fd[program[i]] >= 0 &&
		    !bpf_obj_get_info_by_fd(filter->fd[program[i]], &info, &length))
			errors += (json_int_t)info.recursion_misses;
	}
	return errors;
}

static json_t *interface_json(const struct live *live)
{
	const struct pc_generation *generation = live->filter.current.copy;
	json_t *one = json_pack("{s:o, s:b, s:I, s:I, s:I, s:I, s:b, s:I}", "name",
				text_json(live->hook.name), "enforcing",
				generation->policy == PC_POLICY_ENFORCE, "generation",
				(json_int_t)generation->number, "generation_at",
				(json_int_t)(generation->made_at / PC_SECOND), "attached_at",
				(json_int_t)(generation->attached_at / PC_SECOND),
				"confirm_seconds", (json_int_t)seconds_left(generation), "reverted",
				live->filter.reverted.copy || generation->reverted_at, "errors",
				program_errors(&live->filter));
	json_t *counted =
		report_counters(live->counters, json_object_get(live->kept, "profiles"), true);

	json_object_update(one, counted);
	json_decref(counted);
	machine_counts_add(live, true, one);
	return one;
}

/* The site file's interfaces, by their present names. From a wrong file: those that can be read.
 */
static json_t *expected_json(void)
{
	__cleanup(names_free) struct names names = {};
	__cleanup(site_free) struct site site = {};
	__cleanup(diag_free) struct diag unused = {};
	size_t i;

	site_open(NULL, &site, &unused);
	for (i = 0; i < site.interfaces; i++)
		names_add_once(&names, site.interface[i].name);
	link_real_names(&names);
	return names_json(&names);
}

/* Counts the flows of the first filter only: those of a namespace share their maps. */
static json_t *flows_json(const struct live *list, size_t count)
{
	struct flows flows = {};

	if (count) {
		const int *fd = list->filter.fd;
		const int map[FLOW_MAPS] = {fd[FILTER_CONNECTIONS], fd[FILTER_STREAMS],
					    fd[FILTER_FLOWS]};

		if (!flows_count(map, &flows))
			return flows_use_json(&flows);
	}
	return json_null();
}

/* Reads the first filter only, as flows_json does. */
static json_t *bans_json(const struct live *list, size_t count)
{
	long long bans = count ? bans_count(&list->filter) : -1;

	return bans < 0 ? json_null() : json_integer(bans);
}

/* NULL with a message. */
static json_t *read_report(const struct options *options, bool *left_out)
{
	json_t *interfaces = json_array(), *report;
	struct live *list;
	size_t count, i;

	if (kernel_readable("metrics") ||
	    live_read(&options->arguments, "metrics", &list, &count, left_out)) {
		json_decref(interfaces);
		return NULL;
	}
	for (i = 0; i < count; i++)
		json_array_append_new(interfaces, interface_json(&list[i]));
	report = report_new("interfaces", interfaces);
	json_object_set_new(report, "expected", expected_json());
	json_object_set_new(report, "flows", flows_json(list, count));
	json_object_set_new(report, "bans", bans_json(list, count));
	live_free(list, count);
	return report;
}

static int print(const struct options *options, FILE *to)
{
	bool left_out;
	json_t *report = read_report(options, &left_out);

	if (!report)
		return EXIT_FAILED;
	report_metrics_text(report, (enum metrics_format)options->format, to);
	json_decref(report);
	return left_out ? EXIT_FAILED : EXIT_DONE;
}

/* Answers the request on stdin, which is the connection of a socket unit. */
static int serve(const struct options *options)
{
	__free_text char *text = NULL;
	size_t length = 0;
	FILE *to;
	int code;

	if (!http_asked(STDIN_FILENO, STDOUT_FILENO, "/metrics"))
		return EXIT_DONE;
	to = open_memstream(&text, &length);
	if (!to) {
		error("metrics: no memory");
		return EXIT_FAILED;
	}
	code = print(options, to);
	fclose(to);
	if (code == EXIT_DONE)
		http_answer(STDOUT_FILENO, "200 OK",
			    "application/openmetrics-text; version=1.0.0; charset=utf-8", text,
			    length);
	else
		http_answer(STDOUT_FILENO, "500 Internal Server Error", "text/plain", HTTP_FAILED,
			    strlen(HTTP_FAILED));
	return code;
}

int command_metrics(const struct options *options, struct diag *diag)
{
	(void)diag;
	if (options->http && options->format == METRICS_TEXT) {
		error("metrics: --http answers in OpenMetrics; leave out --format text");
		return EXIT_USAGE;
	}
	return options->http ? serve(options) : print(options, stdout);
}
