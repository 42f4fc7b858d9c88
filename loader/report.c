// SPDX-License-Identifier: GPL-2.0
/* The JSON forms. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/ports.h"
#include "loader/report.h"
#include "loader/util.h"

#define DIRECTIONS 2 /* in, out */

json_t *report_new(const char *name, json_t *list)
{
	return json_pack("{s:i, s:o}", "version", 1, name, list);
}

void report_print(json_t *report, void (*text)(const json_t *report, FILE *to))
{
	if (text) {
		text(report, stdout);
	} else {
		json_dumpf(report, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(report);
}

const char *report_time(__u64 ns, char text[TIME_TEXT])
{
	time_t seconds = ns / 1000000000;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

char *report_joined(const json_t *names, const char *separator)
{
	struct names list = {};
	const json_t *name;
	char *joined;
	size_t i;

	json_array_foreach (names, i, name)
		names_add(&list, json_string_value(name));
	joined = names_join(&list, separator);
	names_free(&list);
	return joined;
}

static json_t *count_json(struct count count)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)count.packets, "bytes",
			 (json_int_t)count.bytes);
}

json_t *report_counts(struct counts counts)
{
	return json_pack("{s:o, s:o, s:o}", "pass", count_json(counts.pass), "drop",
			 count_json(counts.drop), "would_drop", count_json(counts.would_drop));
}

/* For each port of each direction, the services that list it: "PROFILE:SERVICE", NULL if none. */
struct listing {
	json_t *services[DIRECTIONS][PC_PORTS];
};

static void list_ports(struct listing *listing, int direction, const json_t *ports, json_t *name)
{
	const json_t *text;
	size_t i, j;

	json_array_foreach (ports, i, text) {
		struct ports parsed = {};
		__free_text char *why = NULL;
		enum pc_transport transport;
		__u32 port;

		if (ports_parse(json_string_value(text), &parsed, &why))
			continue;
		for (j = 0; j < parsed.count; j++) {
			transport = parsed.range[j].transports == 1 << PC_TCP ? PC_TCP : PC_UDP;
			for (port = parsed.range[j].first; port <= parsed.range[j].last; port++) {
				json_t **list =
					&listing->services[direction][PC_PORT(transport, port)];

				if (!*list)
					*list = json_array();
				json_array_append(*list, name);
			}
		}
		ports_free(&parsed);
	}
}

/* Open services only: a packet to a closed one's port is unlisted. */
static struct listing *list_services(const json_t *profiles)
{
	struct listing *listing = xcalloc(1, sizeof(*listing));
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (profiles, i, profile) {
		json_array_foreach (json_object_get(profile, "services"), j, service) {
			const char *direction =
				json_string_value(json_object_get(service, "direction"));
			const json_t *ports = json_object_get(service, "ports");
			json_t *name;

			if (!json_is_true(json_object_get(service, "open")) || !direction)
				continue;
			name = json_sprintf("%s:%s",
					    json_string_value(json_object_get(profile, "name")),
					    json_string_value(json_object_get(service, "name")));
			if (strcmp(direction, "out"))
				list_ports(listing, 0, ports, name);
			if (strcmp(direction, "in"))
				list_ports(listing, 1, ports, name);
			json_decref(name);
		}
	}
	return listing;
}

static void listing_free(struct listing *listing)
{
	__u32 port;
	int direction;

	for (direction = 0; direction < DIRECTIONS; direction++)
		for (port = 0; port < PC_PORTS; port++)
			json_decref(listing->services[direction][port]);
	free(listing);
}

static bool counted(struct counts counts)
{
	return counts.pass.packets || counts.drop.packets || counts.would_drop.packets;
}

/* Moves the keys of `from` into `to`. */
static void merge(json_t *to, json_t *from)
{
	json_object_update(to, from);
	json_decref(from);
}

static json_t *port_json(int direction, __u32 port, struct counts counts, json_t *services)
{
	json_t *entry =
		json_pack("{s:s, s:s, s:i}", "direction", direction ? "out" : "in", "protocol",
			  port >> 16 == PC_TCP ? "tcp" : "udp", "port", (int)(port & 0xffff));

	json_object_set_new(entry, "services", services ? json_incref(services) : json_array());
	merge(entry, report_counts(counts));
	return entry;
}

static json_t *ports_json(const struct counters *counters, const json_t *profiles, bool all)
{
	struct listing *listing = list_services(profiles);
	json_t *list = json_array();
	__u32 port;

	for (port = 0; port < PC_PORTS; port++) {
		struct counts counts = counters_port(counters, port);
		json_t *services = listing->services[0][port];

		if (counted(counts) || (all && services))
			json_array_append_new(list, port_json(0, port, counts, services));
	}
	for (port = 0; all && port < PC_PORTS; port++) {
		json_t *services = listing->services[1][port];

		if (services)
			json_array_append_new(list,
					      port_json(1, port, (struct counts){}, services));
	}
	listing_free(listing);
	return list;
}

json_t *report_counters(const struct counters *counters, const json_t *profiles, bool all)
{
	static const struct {
		enum pc_other other;
		const char *name;
	} other[] = {
		{PC_OTHER_NON_IP, "non_ip"},
		{PC_OTHER_ICMP, "icmp"},
		{PC_OTHER_PROTOCOL, "protocol"},
	};
	json_t *report = json_object();
	json_t *reasons = json_object();
	json_t *others = json_object();
	size_t i;

	json_object_set_new(report, "ports", ports_json(counters, profiles, all));
	for (i = 0; i < PC_REASONS; i++) {
		json_t *reason = report_counts(counters_reason(counters, i));

		json_object_del(reason, "pass");
		json_object_set_new(reasons, reason_name[i], reason);
	}
	for (i = 0; i < ARRAY_SIZE(other); i++)
		json_object_set_new(others, other[i].name,
				    count_json(counters_other(counters, other[i].other)));
	json_object_set_new(report, "reasons", reasons);
	json_object_set_new(report, "replies",
			    count_json(counters_other(counters, PC_OTHER_REPLY)));
	json_object_set_new(report, "other", others);
	json_object_set_new(report, "total", report_counts(counters_total(counters)));
	return report;
}
