// SPDX-License-Identifier: GPL-2.0
/* Ports that a site opens in addition to its profiles, and the profile that they make. */
#include "loader/recipe/opens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/group.h"

/* "587/tcp" or "60000-60099/udp", with another character instead of the slash. */
static char *range_text(const struct port_range *range, char slash)
{
	const char *transport = range->transports == 1 << PC_TCP ? "tcp" : "udp";

	if (range->first == range->last)
		return xasprintf("%u%c%s", range->first, slash, transport);
	return xasprintf("%u-%u%c%s", range->first, range->last, slash, transport);
}

char *open_port_service(const struct open_port *port)
{
	return range_text(&port->range, '-');
}

char *open_port_text(const struct open_port *port)
{
	__free_text char *groups = names_join(&port->groups, ",");
	__free_text char *text = range_text(&port->range, '/');

	return xasprintf("%s%s%s", text, *groups ? "=" : "", groups);
}

static bool same_range(const struct port_range *a, const struct port_range *b)
{
	return a->first == b->first && a->last == b->last && a->transports == b->transports;
}

struct open_port *opens_find(const struct opens *opens, const char *service)
{
	for (size_t i = 0; i < opens->count; i++) {
		__free_text char *name = open_port_service(&opens->port[i]);

		if (!strcmp(name, service))
			return &opens->port[i];
	}
	return NULL;
}

/* Replaces the entry with the same range by `port`, or appends `port`. */
static void put(struct opens *opens, struct open_port *port)
{
	size_t at = 0;

	while (at < opens->count && !same_range(&opens->port[at].range, &port->range))
		at++;
	if (at == opens->count)
		opens->port = grow(opens->port, opens->count++, sizeof(*opens->port));
	else
		open_port_free(&opens->port[at]);
	opens->port[at] = *port;
	*port = (struct open_port){0};
}

/* The item's ranges, one for each transport, with the groups. */
static void add_ranges(struct opens *opens, const struct ports *ports, const struct names *groups,
		       struct names *services)
{
	for (size_t i = 0; i < ports->count; i++) {
		for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
			struct open_port port = {.range = ports->range[i]};
			__free_text char *service = NULL;

			if (!(port.range.transports & 1 << transport))
				continue;
			port.range.transports = (__u8)(1 << transport);
			names_copy(&port.groups, groups);
			service = open_port_service(&port);
			names_add(services, service);
			put(opens, &port);
		}
	}
}

/* The first range that is in the list twice. */
static int check_twice(const struct ports *ports, const struct place *place, struct diag *diag)
{
	for (size_t i = 0; i < ports->count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct port_range *a = &ports->range[j], *b = &ports->range[i];
			struct port_range both = *a;
			__free_text char *text = NULL;

			both.transports &= b->transports;
			if (a->first != b->first || a->last != b->last || !both.transports)
				continue;
			if (both.transports & 1 << PC_TCP)
				both.transports = 1 << PC_TCP;
			text = range_text(&both, '/');
			diag_error(diag, place, "%s is listed twice", text);
			return -EINVAL;
		}
	}
	return 0;
}

int opens_add(struct opens *opens, const char *word, const struct place *place,
	      struct names *services, struct diag *diag)
{
	const char *equals = strchr(word, '=');
	__free_text char *list = xstrndup(word, equals ? (size_t)(equals - word) : strlen(word));
	__cleanup(ports_free) struct ports ports = {0};
	__cleanup(names_free) struct names groups = {0};
	__free_text char *why = NULL;

	if (ports_parse_list(list, &ports, &why)) {
		diag_error(diag, place, "%s", why);
		return -EINVAL;
	}
	if (equals && !equals[1]) {
		diag_error(diag, place,
			   "'%s' has no group; write %s for anyone, or %s=GROUP[,GROUP]", word,
			   list, list);
		return -EINVAL;
	}
	if (opens->count + ports.count > OPENS_LIMIT) {
		diag_error(
			diag, place,
			"at most %d ports can be opened beside the profiles; join them into ranges",
			OPENS_LIMIT);
		return -EINVAL;
	}
	if (check_twice(&ports, place, diag) ||
	    (equals && group_names_parse(equals + 1, &groups, place, diag)))
		return -EINVAL;
	if (names_have(&groups, GROUP_ANYONE))
		names_free(&groups);
	add_ranges(opens, &ports, &groups, services);
	return 0;
}

struct profile *opens_profile(const struct opens *opens)
{
	struct profile *profile;

	if (!opens->count)
		return NULL;
	profile = xcalloc(1, sizeof(*profile));
	profile->name = xstrdup(PROFILE_SITE);
	profile->outbound = PROFILE_OUTBOUND_NONE;
	profile->title = xstrdup("Ports that this site opens beside its profiles");
	profile->service = xcalloc(opens->count, sizeof(*profile->service));
	profile->services = opens->count;
	for (size_t i = 0; i < opens->count; i++) {
		const struct open_port *port = &opens->port[i];
		struct service *service = &profile->service[i];
		struct ports in = {.range = (struct port_range *)&port->range, .count = 1};

		service->name = open_port_service(port);
		service->note = xstrdup(port->comment);
		ports_copy(&service->in, &in);
		names_copy(&service->from, &port->groups);
	}
	return profile;
}

void open_port_free(struct open_port *port)
{
	names_free(&port->groups);
	free(port->comment);
	*port = (struct open_port){0};
}

void opens_free(struct opens *opens)
{
	for (size_t i = 0; i < opens->count; i++)
		open_port_free(&opens->port[i]);
	free(opens->port);
	*opens = (struct opens){0};
}
