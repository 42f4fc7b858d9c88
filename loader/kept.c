// SPDX-License-Identifier: GPL-2.0
/* Whom a kept text admits by its groups. */
#include "loader/kept.h"

#include "loader/base/memory.h"
#include "loader/prefix.h"
#include "loader/report.h"

static bool group_has(const json_t *list, __u8 family, const __u8 *address)
{
	const json_t *text;
	size_t i;

	json_array_foreach (list, i, text) {
		__free_text char *why = NULL;
		struct prefix prefix;

		if (json_is_string(text) && !prefix_parse(json_string_value(text), &prefix, &why) &&
		    prefix.length && prefix_contains(&prefix, family, address))
			return true;
	}
	return false;
}

static bool has_port(const json_t *service, enum pc_transport transport, __u16 port)
{
	__cleanup(ports_free) struct ports ports = {};

	report_ports(service, &ports);
	return ports_have(&ports, transport, port);
}

static bool service_admits(const json_t *kept, const json_t *service, __u8 family,
			   const __u8 *address)
{
	const json_t *groups = json_object_get(json_object_get(kept, "recipe"), "groups"), *name;
	size_t i;

	json_array_foreach (json_object_get(service, "from"), i, name)
		if (json_is_string(name) &&
		    group_has(json_object_get(groups, json_string_value(name)), family, address))
			return true;
	return false;
}

bool kept_group_admits(const json_t *kept, enum pc_transport transport, __u16 port, __u8 family,
		       const __u8 *address)
{
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			if (report_open(service, false) && has_port(service, transport, port) &&
			    service_admits(kept, service, family, address))
				return true;
	return false;
}
