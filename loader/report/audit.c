// SPDX-License-Identifier: GPL-2.0
/* Compares the rules of a filter with what its host does. */
#include "loader/report/audit.h"

#include <stdlib.h>
#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/text.h"

/* ports of the largest range that is checked: of wider ranges (RTP, passive FTP) a server opens
 * only those in use */
#define RANGE 16

/* A service that is open for incoming packets. */
struct row {
	char *name; /* "xeams:smtp" */
	const json_t *json;
	struct ports ports;
	bool open;
	bool client; /* it admits only certain source ports, as DHCP does, so nothing need listen */
};

struct rows {
	struct row *row;
	size_t count;
};

static void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->row[i].name);
		ports_free(&rows->row[i].ports);
	}
	free(rows->row);
}

static void add_row(struct rows *rows, const json_t *profile, const json_t *service)
{
	const json_t *port;
	struct row row = {
		.name = xasprintf("%s:%s", text_of(profile, "name"), text_of(service, "name")),
		.json = service,
		.open = json_is_true(json_object_get(service, "open")),
		.client = json_array_size(json_object_get(service, "from_ports")),
	};
	size_t i;

	json_array_foreach (json_object_get(service, "ports"), i, port) {
		__free_text char *why = NULL;

		ports_parse(json_string_value(port), &row.ports, &why);
	}
	rows->row = grow(rows->row, rows->count, sizeof(row));
	rows->row[rows->count++] = row;
}

static struct rows rows_read(const json_t *kept)
{
	const json_t *profile, *service;
	struct rows rows = {};
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (strcmp(text_of(service, "direction"), "out") != 0)
				add_row(&rows, profile, service);
	return rows;
}

/* The names of the services, open or closed, that have the port. */
static json_t *services_with(const struct rows *rows, bool open, enum pc_transport transport,
			     __u16 port)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rows->count; i++)
		if (rows->row[i].open == open && ports_have(&rows->row[i].ports, transport, port))
			json_array_append_new(list, text_json(rows->row[i].name));
	return list;
}

static bool has_open(const struct rows *rows, enum pc_transport transport, __u16 port)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->row[i].open && ports_have(&rows->row[i].ports, transport, port))
			return true;
	return false;
}

bool audit_opens(const json_t *kept, enum pc_transport transport, __u16 port)
{
	__cleanup(rows_free) struct rows rows = rows_read(kept);

	return has_open(&rows, transport, port);
}

static bool listens(const struct audit_host *host, enum pc_transport transport, __u16 port)
{
	for (size_t i = 0; i < host->listeners; i++)
		if (host->listener[i].transport == transport && host->listener[i].port == port)
			return true;
	return false;
}

/* --- findings --- */

/* Adds a finding. `port`: PC_PORT; -1: none. Takes over `services`. */
static json_t *finding(const struct audit_host *host, const char *kind, int port, json_t *services)
{
	json_t *protocol = port < 0 ? json_null() :
				      json_string(transport_name[pc_port_transport((__u32)port)]);
	json_t *number = port < 0 ? json_null() : json_integer(pc_port_number((__u32)port));

	return json_pack("{s:s, s:o, s:n, s:o, s:o, s:o, s:n, s:n, s:n, s:n, s:n}", "kind", kind,
			 "interface", text_json(host->interface), "machine", "protocol", protocol,
			 "port", number, "services", services, "group", "process", "unit",
			 "container", "fix");
}

/* Processes that accept a container's published port on the host. */
static bool publishes(const char *process)
{
	static const char *const known[] = {"docker-proxy",  "rootlessport", "rootlesskit",
					    "slirp4netns",   "pasta",	     "pasta.avx2",
					    AUDIT_TRANSLATES};

	for (size_t i = 0; process && i < ARRAY_SIZE(known); i++)
		if (!strncmp(process, known[i], strlen(known[i])))
			return true;
	return false;
}

/* The port was already reported for another socket: of the other family, or of a second process. */
static bool was_told(const struct audit_host *host, size_t at)
{
	const struct audit_listener *one = &host->listener[at];

	for (size_t i = 0; i < at; i++)
		if (host->listener[i].transport == one->transport &&
		    host->listener[i].port == one->port)
			return true;
	return false;
}

static void add_listening(json_t *list, const struct audit_host *host, const struct rows *rows)
{
	for (size_t i = 0; i < host->listeners; i++) {
		const struct audit_listener *one = &host->listener[i];
		json_t *found;

		if (has_open(rows, one->transport, one->port) || was_told(host, i))
			continue;
		found = finding(host, publishes(one->process) ? "published" : "listens",
				(int)PC_PORT(one->transport, one->port),
				services_with(rows, false, one->transport, one->port));
		json_object_set_new(found, "process", text_json(one->process));
		json_object_set_new(found, "unit", text_json(one->unit));
		json_object_set_new(found, "container", text_json(one->container));
		json_array_append_new(list, found);
	}
}

static void add_silent_range(json_t *list, const struct audit_host *host, const struct rows *rows,
			     const struct port_range *range, bool *told)
{
	for (enum pc_transport transport = 0; transport < PC_TRANSPORTS; transport++) {
		if (!(range->transports & 1 << transport) || range->last - range->first >= RANGE)
			continue;
		for (__u32 number = range->first; number <= range->last; number++) {
			__u32 port = PC_PORT(transport, number);

			if (told[port] || listens(host, transport, (__u16)number))
				continue;
			told[port] = true;
			json_array_append_new(
				list, finding(host, "silent", (int)port,
					      services_with(rows, true, transport, (__u16)number)));
		}
	}
}

static void add_silent(json_t *list, const struct audit_host *host, const struct rows *rows)
{
	__free_text bool *told = xcalloc(PC_PORTS, sizeof(*told));

	for (size_t i = 0; i < rows->count; i++)
		for (size_t j = 0;
		     rows->row[i].open && !rows->row[i].client && j < rows->row[i].ports.count; j++)
			add_silent_range(list, host, rows, &rows->row[i].ports.range[j], told);
}

/* The evidence about the ports of a service. */
struct use {
	bool passed, heard; /* a packet was counted; something listens, or the range is wide */
	int port;	    /* the service's only port, else -1 */
};

static void use_range(const struct audit_host *host, const struct port_range *range,
		      struct use *use, size_t *ports)
{
	for (enum pc_transport transport = 0; transport < PC_TRANSPORTS; transport++) {
		if (!(range->transports & 1 << transport))
			continue;
		for (__u32 number = range->first; number <= range->last; number++) {
			__u32 port = PC_PORT(transport, number);

			use->passed |= host->counters &&
				       counters_port(host->counters, port).pass.packets > 0;
			use->heard |= range->last - range->first >= RANGE ||
				      listens(host, transport, (__u16)number);
			use->port = (*ports)++ ? -1 : (int)port;
		}
	}
}

static void add_unused(json_t *list, const struct audit_host *host, const struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->row[i];
		struct use use = {.port = -1};
		size_t ports = 0, j;

		for (j = 0; row->open && j < row->ports.count; j++)
			use_range(host, &row->ports.range[j], &use, &ports);
		if (host->counters && ports && !row->client && !use.passed && use.heard)
			json_array_append_new(list,
					      finding(host, "unused", use.port,
						      json_pack("[o]", text_json(row->name))));
	}
}

/* `kept`: that of the interface, or of the machine of that name. */
static void add_empty(json_t *list, const struct audit_host *host, const json_t *kept,
		      const char *machine, const struct rows *rows)
{
	const json_t *groups = json_object_get(json_object_get(kept, "recipe"), "groups");
	const json_t *members;
	const char *name;

	json_object_foreach ((json_t *)groups, name, members) {
		json_t *services = json_array(), *found;

		for (size_t i = 0; i < rows->count; i++)
			if (rows->row[i].open &&
			    json_list_has(json_object_get(rows->row[i].json, "from"), name))
				json_array_append_new(services, text_json(rows->row[i].name));
		if (json_array_size(members) || !json_array_size(services)) {
			json_decref(services);
			continue;
		}
		found = finding(host, "empty-group", -1, services);
		json_object_set_new(found, "group", text_json(name));
		json_object_set_new(found, "machine", text_json(machine));
		json_array_append_new(list, found);
	}
}

/* --- machines --- */

/* True if a machine's counters have a passed packet at a port of the row. */
static bool row_passed(const struct row *row, const json_t *ports)
{
	const json_t *port;
	size_t i;

	json_array_foreach (ports, i, port) {
		enum pc_transport transport =
			strcmp(text_of(port, "protocol"), "udp") != 0 ? PC_TCP : PC_UDP;
		json_t *number = json_object_get(port, "port");

		if (json_is_integer(number) && strcmp(text_of(port, "direction"), "out") != 0 &&
		    text_packets(port, "pass") > 0 &&
		    ports_have(&row->ports, transport, (__u16)json_integer_value(number)))
			return true;
	}
	return false;
}

static void add_unused_of(json_t *list, const struct audit_host *host, const json_t *counted,
			  const struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->row[i];
		json_t *found;

		if (!row->open || row->client || !row->ports.count ||
		    row_passed(row, json_object_get(counted, "ports")))
			continue;
		found = finding(host, "unused", -1, json_pack("[o]", text_json(row->name)));
		json_object_set(found, "machine", json_object_get(counted, "name"));
		json_array_append_new(list, found);
	}
}

static const json_t *counted_of(const struct audit_host *host, const char *machine)
{
	const json_t *counted;
	size_t i;

	json_array_foreach (host->machines, i, counted)
		if (!strcmp(text_of(counted, "name"), machine))
			return counted;
	return NULL;
}

static void add_machine(json_t *list, const struct audit_host *host, size_t at)
{
	const char *name = kept_machine_name(host->kept, at);
	const json_t *counted = counted_of(host, name);
	json_t *own = kept_machine(host->kept, at);
	struct rows rows = rows_read(own);

	if (counted)
		add_unused_of(list, host, counted, &rows);
	add_empty(list, host, own, name, &rows);
	rows_free(&rows);
	json_decref(own);
}

json_t *audit_findings(const struct audit_host *host)
{
	__cleanup(rows_free) struct rows rows = rows_read(host->kept);
	json_t *list = json_array();

	add_listening(list, host, &rows);
	add_silent(list, host, &rows);
	add_unused(list, host, &rows);
	add_empty(list, host, host->kept, NULL, &rows);
	for (size_t i = 0; i < kept_machines(host->kept); i++)
		add_machine(list, host, i);
	return list;
}

/* --- a line --- */

static bool is_closed(const json_t *finding)
{
	const char *kind = text_of(finding, "kind");

	return !strcmp(kind, "listens") || !strcmp(kind, "published");
}

static size_t count_kind(const json_t *findings, bool closed)
{
	const json_t *finding;
	size_t count = 0, i;

	json_array_foreach (findings, i, finding)
		count += closed ? is_closed(finding) : !strcmp(text_of(finding, "kind"), "silent");
	return count;
}

/* "8443/tcp (java)" of the first port that is closed; the caller frees. */
static char *first_closed(const json_t *findings)
{
	const json_t *finding;
	size_t i;

	json_array_foreach (findings, i, finding) {
		const char *process = text_of(finding, "process");

		if (is_closed(finding))
			return xasprintf(
				"%lld/%s%s%s%s",
				(long long)json_integer_value(json_object_get(finding, "port")),
				text_of(finding, "protocol"), *process ? " (" : "", process,
				*process ? ")" : "");
	}
	return xstrdup("");
}

char *audit_summary(const json_t *findings)
{
	size_t closed = count_kind(findings, true), silent = count_kind(findings, false);
	__free_text char *first = first_closed(findings);
	__free_text char *more = human_count(closed ? closed - 1 : 0, "more port", "more ports");
	__free_text char *open = human_count(silent, "open port is", "open ports are");

	if (!closed && !silent)
		return NULL;
	return xasprintf("%s%s%s%s%s%s%s", first, closed > 1 ? " and " : "", closed > 1 ? more : "",
			 closed > 1 ? " listen and are closed" :
			 closed	    ? " listens and is closed" :
				      "",
			 closed && silent ? "; " : "", silent ? open : "", silent ? " silent" : "");
}
