// SPDX-License-Identifier: GPL-2.0
/* The metrics, made from the JSON form of the counters. */
#include "loader/report/text_metrics.h"

#include <stdbool.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

/* A label's value: OpenMetrics 1.0, "escaped-string". */
static void put_value(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", to);
		else if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else
			fputc(*text, to);
	}
}

static void put_label(FILE *to, const char *before, const char *name, const char *value)
{
	fprintf(to, "%s%s=\"", before, name);
	put_value(to, value);
	fputc('"', to);
}

static const char *const verdict[] = {"pass", "drop", "would_drop"};
static const char *const verdict_label[] = {"pass", "drop", "would-drop"};

/* A run of neighbouring ports with the same services, and the sums of their counts. */
struct run {
	const char *direction, *protocol;
	json_int_t first, last;
	const json_t *services;
	json_int_t count[ARRAY_SIZE(verdict)];
};

/* The interface that the counters belong to, or a machine behind it. */
struct of {
	const char *interface;
	const char *machine; /* "" */
};

/* "packets" or "bytes" of a verdict. */
static json_int_t count_of(const json_t *counts, const char *name, const char *unit)
{
	return json_integer_value(json_object_get(json_object_get(counts, name), unit));
}

static void put_count(FILE *to, const char *unit, const struct of *of, const struct run *run,
		      const char *service, size_t which)
{
	char port[32] = "";

	if (run->last)
		snprintf(port, sizeof(port), "%lld", run->first);
	if (run->last > run->first)
		snprintf(port + strlen(port), sizeof(port) - strlen(port), "-%lld", run->last);
	fprintf(to, "portcullis_%s_total", unit);
	put_label(to, "{", "interface", of->interface);
	put_label(to, ",", "machine", of->machine);
	put_label(to, ",", "direction", run->direction);
	put_label(to, ",", "service", service);
	put_label(to, ",", "port", port);
	put_label(to, ",", "protocol", run->protocol);
	put_label(to, ",", "verdict", verdict_label[which]);
	fprintf(to, "} %lld\n", run->count[which]);
}

static void put_run(FILE *to, const char *unit, const struct of *of, const struct run *run)
{
	__free_text char *services = report_joined(run->services, ",");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verdict); i++)
		put_count(to, unit, of, run, services, i);
}

static struct run run_of(const json_t *port, const char *unit)
{
	json_int_t number = json_integer_value(json_object_get(port, "port"));
	struct run run = {
		.direction = text_of(port, "direction"),
		.protocol = text_of(port, "protocol"),
		.first = number,
		.last = json_object_get(port, "last") ?
				json_integer_value(json_object_get(port, "last")) :
				number,
		.services = json_object_get(port, "services"),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verdict); i++)
		run.count[i] = count_of(port, verdict[i], unit);
	return run;
}

static bool continues(const struct run *run, const struct run *next)
{
	return next->first == run->last + 1 && !strcmp(run->direction, next->direction) &&
	       !strcmp(run->protocol, next->protocol) && json_equal(run->services, next->services);
}

/* Writes the ports of the run that begins at index `from`: each port, or if they are many, all as
 * one. */
static size_t put_ports_from(FILE *to, const char *unit, const struct of *of, const json_t *ports,
			     size_t from)
{
	struct run all = run_of(json_array_get(ports, from), unit), next;
	size_t end, i;

	for (end = from + 1; end < json_array_size(ports); end++) {
		next = run_of(json_array_get(ports, end), unit);
		if (!continues(&all, &next))
			break;
		all.last = next.last;
		for (i = 0; i < ARRAY_SIZE(verdict); i++)
			all.count[i] += next.count[i];
	}
	if (!json_array_size(all.services))
		return end;
	if (end - from > METRICS_RANGE) {
		put_run(to, unit, of, &all);
		return end;
	}
	for (; from < end; from++) {
		next = run_of(json_array_get(ports, from), unit);
		put_run(to, unit, of, &next);
	}
	return end;
}

/*
 * Packets without a listed port. Their drops are counted by reason, so that no counter decreases
 * when a swap lists the port.
 */
static void put_others(FILE *to, const char *unit, const json_t *interface)
{
	const struct of of = {text_of(interface, "name"), ""};
	static const struct {
		const char *direction, *reason;
	} unlisted[] = {{"in", "unlisted"}, {"out", "outbound"}};
	static const struct {
		const char *key, *service;
	} passed[] = {{"non_ip", "non-ip"}, {"icmp", "icmp"}, {"protocol", "protocol"}};
	const json_t *reasons = json_object_get(interface, "reasons");
	struct run run = {.direction = "in", .protocol = ""};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(unlisted); i++) {
		const json_t *counts = json_object_get(reasons, unlisted[i].reason);

		run.direction = unlisted[i].direction;
		for (j = 1; j < ARRAY_SIZE(verdict); j++) {
			run.count[j] = count_of(counts, verdict[j], unit);
			put_count(to, unit, &of, &run, "unlisted", j);
		}
	}
	run.direction = "in";
	run.count[0] = count_of(interface, "replies", unit);
	put_count(to, unit, &of, &run, "reply", 0);
	for (i = 0; i < ARRAY_SIZE(passed); i++) {
		run.count[0] = count_of(json_object_get(interface, "other"), passed[i].key, unit);
		put_count(to, unit, &of, &run, passed[i].service, 0);
	}
}

/* OpenMetrics names a counter's family without "_total", the older text format with it. */
static void put_family(FILE *to, enum metrics_format format, const char *name, const char *type,
		       const char *help)
{
	const char *suffix = format == METRICS_TEXT && !strcmp(type, "counter") ? "_total" : "";

	fprintf(to, "# HELP portcullis_%s%s %s\n# TYPE portcullis_%s%s %s\n", name, suffix, help,
		name, suffix, type);
}

/* All ports that no service of a machine lists are one metric. */
static void put_machine(FILE *to, const char *unit, const char *interface, const json_t *machine)
{
	const struct of of = {interface, text_of(machine, "name")};
	const json_t *ports = json_object_get(machine, "ports"), *port;
	size_t at, i, j;

	for (at = 0; at < json_array_size(ports);)
		at = put_ports_from(to, unit, &of, ports, at);
	json_array_foreach (ports, i, port) {
		struct run run = {.direction = text_of(port, "direction"), .protocol = ""};

		for (j = 1; json_is_null(json_object_get(port, "port")) && j < ARRAY_SIZE(verdict);
		     j++) {
			run.count[j] = count_of(port, verdict[j], unit);
			put_count(to, unit, &of, &run, "unlisted", j);
		}
	}
}

static void put_counts(FILE *to, enum metrics_format format, const char *unit, const char *help,
		       const json_t *interfaces)
{
	const json_t *interface, *machine;
	size_t i, j, at;

	put_family(to, format, unit, "counter", help);
	json_array_foreach (interfaces, i, interface) {
		const struct of of = {text_of(interface, "name"), ""};
		const json_t *ports = json_object_get(interface, "ports");

		for (at = 0; at < json_array_size(ports);)
			at = put_ports_from(to, unit, &of, ports, at);
		put_others(to, unit, interface);
		json_array_foreach (json_object_get(interface, "machines"), j, machine)
			put_machine(to, unit, of.interface, machine);
	}
}

static void put_reasons(FILE *to, enum metrics_format format, const json_t *interfaces)
{
	const json_t *interface, *counts;
	const char *reason;
	size_t i, j;

	put_family(to, format, "reason_packets", "counter",
		   "Packets that were dropped, or would have been, by reason.");
	json_array_foreach (interfaces, i, interface) {
		json_object_foreach ((json_t *)json_object_get(interface, "reasons"), reason,
				     counts) {
			bool out = !strcmp(reason, "outbound");

			for (j = 1; j < ARRAY_SIZE(verdict); j++) {
				fputs("portcullis_reason_packets_total", to);
				put_label(to, "{", "interface", text_of(interface, "name"));
				put_label(to, ",", "direction", out ? "out" : "in");
				put_label(to, ",", "reason", reason);
				put_label(to, ",", "verdict", verdict_label[j]);
				fprintf(to, "} %lld\n", count_of(counts, verdict[j], "packets"));
			}
		}
	}
}

/* Writes a metric that is one number for each interface. */
static const struct {
	const char *name, *type, *suffix, *key, *help;
} number[] = {
	{"enforcing", "gauge", "", "enforcing",
	 "1 if the filter drops packets, 0 if it observes: also after an attach that was not confirmed."},
	{"generation", "gauge", "", "generation",
	 "The number of the active generation: 1 after attach, and 1 more for each change of the rule set."},
	{"generation_timestamp_seconds", "gauge", "", "generation_at",
	 "When the active generation was made, in seconds since 1970."},
	{"attached_timestamp_seconds", "gauge", "", "attached_at",
	 "When the filter was attached, in seconds since 1970."},
	{"confirm_seconds", "gauge", "", "confirm_seconds",
	 "Seconds left to confirm the last change; 0 if no change is pending."},
	{"reverted", "gauge", "", "reverted",
	 "1 if the last change was not confirmed in time, and was undone."},
	{"program_errors", "counter", "_total", "errors",
	 "Packets that the kernel did not pass to a program of the filter."},
};

static void put_numbers(FILE *to, enum metrics_format format, const json_t *interfaces)
{
	const json_t *interface;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(number); i++) {
		put_family(to, format, number[i].name, number[i].type, number[i].help);
		json_array_foreach (interfaces, j, interface) {
			const json_t *value = json_object_get(interface, number[i].key);

			fprintf(to, "portcullis_%s%s", number[i].name, number[i].suffix);
			put_label(to, "{", "interface", text_of(interface, "name"));
			fprintf(to, "} %lld\n",
				json_is_boolean(value) ? (json_int_t)json_is_true(value) :
							 json_integer_value(value));
		}
	}
}

static void put_expected(FILE *to, enum metrics_format format, const json_t *expected)
{
	const json_t *name;
	size_t i;

	put_family(to, format, "expected", "gauge", "1: the site file names the interface.");
	json_array_foreach (expected, i, name) {
		fputs("portcullis_expected", to);
		put_label(to, "{", "interface", json_string_value(name));
		fputs("} 1\n", to);
	}
}

static void put_flows(FILE *to, enum metrics_format format, const json_t *flows)
{
	if (!json_is_object(flows))
		return;
	put_family(to, format, "flows", "gauge", "Live learned flows of all interfaces.");
	fprintf(to, "portcullis_flows %lld\n", json_integer_value(json_object_get(flows, "used")));
	put_family(to, format, "flows_size", "gauge", "Room for learned flows.");
	fprintf(to, "portcullis_flows_size %lld\n",
		json_integer_value(json_object_get(flows, "size")));
}

static void put_bans(FILE *to, enum metrics_format format, const json_t *bans)
{
	if (!json_is_integer(bans))
		return;
	put_family(to, format, "bans", "gauge", "Banned prefixes.");
	fprintf(to, "portcullis_bans %lld\n", json_integer_value(bans));
}

void report_metrics_text(const json_t *report, enum metrics_format format, FILE *to)
{
	const json_t *interfaces = json_object_get(report, "interfaces");

	put_counts(to, format, "packets",
		   "Packets by service and verdict; of listed outgoing ports, replies too.",
		   interfaces);
	put_counts(
		to, format, "bytes",
		"Bytes of whole frames by service and verdict; of listed outgoing ports, replies too.",
		interfaces);
	put_reasons(to, format, interfaces);
	put_numbers(to, format, interfaces);
	put_expected(to, format, json_object_get(report, "expected"));
	put_flows(to, format, json_object_get(report, "flows"));
	put_bans(to, format, json_object_get(report, "bans"));
	if (format == METRICS_OPEN)
		fputs("# EOF\n", to);
}
