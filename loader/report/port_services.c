// SPDX-License-Identifier: GPL-2.0
/* Tells which open services list a port. */
#include "loader/report/port_services.h"

#include <stdlib.h>

#include "loader/base/memory.h"
#include "loader/recipe/compose_json.h"

/* A range of ports (PC_PORT, of one protocol) that a service lists. */
struct listed {
	__u32 first, last;
	json_t *service; /* "PROFILE:SERVICE" */
};

struct listing {
	struct listed *listed;
	size_t count;
};

static void list_range(struct listing *listing, const struct port_range *range, json_t *service)
{
	int transport;

	for (transport = 0; transport < PC_TRANSPORTS; transport++) {
		if (!(range->transports & 1 << transport))
			continue;
		listing->listed = grow(listing->listed, listing->count, sizeof(*listing->listed));
		listing->listed[listing->count++] = (struct listed){
			.first = PC_PORT(transport, range->first),
			.last = PC_PORT(transport, range->last),
			.service = json_incref(service),
		};
	}
}

static void list_service(struct listing *listing, const char *profile, const json_t *service)
{
	__cleanup(ports_free) struct ports ports = {};
	json_t *name =
		json_sprintf("%s:%s", profile, json_string_value(json_object_get(service, "name")));
	size_t i;

	service_ports(service, &ports);
	for (i = 0; i < ports.count; i++)
		list_range(listing, &ports.range[i], name);
	json_decref(name);
}

/* The open services of a direction. Closed services are left out, because packets to their ports
 * are unlisted. */
static void list_services(struct listing *listing, const json_t *profiles, bool out)
{
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (profiles, i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (service_open(service, out))
				list_service(listing,
					     json_string_value(json_object_get(profile, "name")),
					     service);
}

static void listing_free(struct listing *listing)
{
	size_t i;

	for (i = 0; i < listing->count; i++)
		json_decref(listing->listed[i].service);
	free(listing->listed);
}

/*
 * For each wanted port, the first wanted port of its run. A run is the ports between two at which a
 * range begins or ends; all of them are listed by the same services. PC_PORTS for a port that is
 * not wanted.
 */
static void find_heads(const struct listing *listing, const bool *wanted, __u32 *head)
{
	__cleanup(text_free) bool *turn = xcalloc(PC_PORTS + 1, sizeof(*turn));
	__u32 current = PC_PORTS, port;
	size_t i;

	for (i = 0; i < listing->count; i++) {
		turn[listing->listed[i].first] = true;
		turn[listing->listed[i].last + 1] = true;
	}
	for (port = 0; port < PC_PORTS; port++) {
		if (turn[port])
			current = PC_PORTS;
		if (wanted[port] && current == PC_PORTS)
			current = port;
		head[port] = wanted[port] ? current : PC_PORTS;
	}
}

/*
 * Thousands of services may list all ports, so only the first port of a run gets an array of its
 * own, and ranges are walked from run to run.
 */
static void join(const struct listing *listing, const bool *wanted, struct port_services *services)
{
	__cleanup(text_free) __u32 *head = xcalloc(PC_PORTS, sizeof(*head));
	__cleanup(text_free) __u32 *next = xcalloc(PC_PORTS + 1, sizeof(*next));
	__u32 port;
	size_t i;

	find_heads(listing, wanted, head);
	next[PC_PORTS] = PC_PORTS;
	for (port = PC_PORTS; port--;)
		next[port] = head[port] == port ? port : next[port + 1];
	for (i = 0; i < listing->count; i++) {
		const struct listed *listed = &listing->listed[i];

		for (port = next[listed->first]; port <= listed->last; port = next[port + 1]) {
			if (!services->of[port])
				services->of[port] = json_array();
			json_array_append(services->of[port], listed->service);
		}
	}
	for (port = 0; port < PC_PORTS; port++)
		if (head[port] < port)
			services->of[port] = json_incref(services->of[head[port]]);
}

struct port_services *port_services(const json_t *profiles, bool out, const bool *wanted)
{
	struct port_services *services = xcalloc(1, sizeof(*services));
	__cleanup(listing_free) struct listing listing = {};

	list_services(&listing, profiles, out);
	join(&listing, wanted, services);
	return services;
}

void port_services_free(struct port_services *services)
{
	__u32 port;

	for (port = 0; port < PC_PORTS; port++)
		json_decref(services->of[port]);
	free(services);
}
