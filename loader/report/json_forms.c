// SPDX-License-Identifier: GPL-2.0
/* The JSON forms. */
#include "loader/report/json_forms.h"

#include <netdb.h>
#include <netinet/in.h>
#include <time.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/ports.h"
#include "loader/report/port_services.h"

json_t *report_new(const char *name, json_t *list)
{
	return json_pack("{s:i, s:o}", "version", 1, name, list);
}

void report_print(json_t *report, void (*text)(const json_t *report, FILE *to))
{
	if (text) {
		text(report, stdout);
	} else {
		json_print(report, JSON_INDENT(2));
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
		if (json_is_string(name))
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

static json_t *port_json(const char *direction, __u32 port, struct counts counts, json_t *services)
{
	json_t *entry = json_pack("{s:s, s:s, s:i}", "direction", direction, "protocol",
				  transport_name[pc_port_transport(port)], "port",
				  (int)pc_port_number(port));

	json_object_set(entry, "services", services);
	merge(entry, report_counts(counts));
	return entry;
}

static struct counts counts_of(const struct counters *counters, bool out, __u32 port)
{
	return out ? counters_out(counters, port) : counters_port(counters, port);
}

/* Appends the ports of a direction that counted something; with `all`, also those that a service
 * lists. */
static void add_ports(json_t *list, const struct counters *counters, const json_t *profiles,
		      bool out, bool all)
{
	__cleanup(text_free) bool *wanted = xcalloc(PC_PORTS, sizeof(*wanted));
	bool any = false;
	struct port_services *services;
	json_t *none;
	__u32 port;

	for (port = 0; port < PC_PORTS; port++) {
		wanted[port] = all || counted(counts_of(counters, out, port));
		any = any || wanted[port];
	}
	if (!any)
		return;
	none = json_array();
	services = port_services(profiles, out, wanted);
	for (port = 0; port < PC_PORTS; port++) {
		json_t *listed = services->of[port];
		struct counts counts;

		if (!wanted[port])
			continue;
		counts = counts_of(counters, out, port);
		if (counted(counts) || listed)
			json_array_append_new(list, port_json(out ? "out" : "in", port, counts,
							      listed ? listed : none));
	}
	json_decref(none);
	port_services_free(services);
}

/* Sorts by direction, protocol and port, because text_counters.c searches them. */
static json_t *ports_json(const struct counters *counters, const json_t *profiles, bool all)
{
	json_t *list = json_array();

	add_ports(list, counters, profiles, false, all);
	add_ports(list, counters, profiles, true, all);
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
		json_t *reason;

		if (!reason_name[i])
			continue;
		reason = report_counts(counters_reason(counters, i));
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
	json_object_set_new(report, "outbound_total",
			    report_counts(counters_outbound_total(counters)));
	return report;
}

const char *report_protocol(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP: return transport_name[PC_TCP];
	case IPPROTO_UDP: return transport_name[PC_UDP];
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_ICMPV6: return "icmpv6";
	case IPPROTO_IGMP: return "igmp";
	}
	return NULL;
}

json_t *report_protocol_json(json_t **known, __u8 protocol)
{
	const char *name = known[protocol] ? NULL : report_protocol(protocol);
	const struct protoent *entry = known[protocol] || name ? NULL : getprotobynumber(protocol);

	if (entry)
		name = entry->p_name;
	if (!known[protocol])
		known[protocol] = name ? text_json(name) : json_sprintf("%d", protocol);
	return json_incref(known[protocol]);
}
