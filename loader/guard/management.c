// SPDX-License-Identifier: GPL-2.0
/* Ports by which hosts are managed. */
#include "loader/guard/management.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"

const struct management_port management_port[MANAGEMENT_PORTS] = {
	{21, PC_TCP, false, "FTP sends passwords unencrypted"},
	{22, PC_TCP, true, NULL},   /* SSH */
	{23, PC_TCP, true, NULL},   /* Telnet */
	{135, PC_TCP, false, NULL}, /* Windows RPC */
	{161, PC_UDP, false, NULL}, /* SNMP */
	{389, PC_TCP, false, "LDAP, a directory, is not encrypted"},
	{445, PC_TCP, false, NULL},  /* SMB */
	{623, PC_UDP, false, NULL},  /* IPMI */
	{2375, PC_TCP, false, NULL}, /* Docker */
	{3389, PC_TCP, true, NULL},  /* RDP */
	{5900, PC_TCP, true, NULL},  /* VNC */
	{5985, PC_TCP, true, NULL},  /* WinRM */
	{5986, PC_TCP, true, NULL},
};

bool management_watched(const struct ports *given, enum pc_transport transport, __u16 port)
{
	size_t i;

	if (given)
		return ports_have(given, transport, port);
	for (i = 0; i < MANAGEMENT_PORTS; i++)
		if (management_port[i].port == port && management_port[i].transport == transport)
			return management_port[i].login;
	return false;
}

/* The address families that a service admits completely, without a group or by its groups
 * together. */
static enum prefixes_cover admits_anyone(const struct composition *composition,
					 const struct composed *service)
{
	__cleanup(text_free) struct prefix *all = NULL;
	size_t count = 0, room = 0, i;

	if (service->from_port.count)
		return PREFIXES_NONE;
	if (!service->from.count)
		return PREFIXES_ALL;
	for (i = 0; i < service->from.count; i++) {
		const struct group *group = composition_group(composition, service->from.name[i]);

		room += group ? group->prefixes : 0;
	}
	all = xcalloc(room, sizeof(*all));
	for (i = 0; i < service->from.count; i++) {
		const struct group *group = composition_group(composition, service->from.name[i]);

		if (group && group->prefixes)
			memcpy(all + count, group->prefix, group->prefixes * sizeof(*all));
		count += group ? group->prefixes : 0;
	}
	prefixes_sort(all, count);
	return prefixes_cover(all, count);
}

static bool is_open(const struct composed *service)
{
	return service->why == WHY_OPEN && service->direction & DIRECTION_IN;
}

static void say_open(const char *interface, const char *ports, int cover, const char *services,
		     const char *why)
{
	warning("%s%s%s is open to %s by %s%s%s", interface ?: "", interface ? ": " : "", ports,
		prefixes_cover_text(cover), services, why ? ": " : "", why ?: "");
}

static void warn_open(const char *interface, const struct composition *composition,
		      const struct management_port *management)
{
	__cleanup(names_free) struct names services = {};
	__free_text char *port = xasprintf("%u/%s", management->port,
					   management->transport == PC_TCP ? "tcp" : "udp");
	__free_text char *list = NULL;
	int cover = PREFIXES_NONE;
	size_t i;

	for (i = 0; i < composition->services && cover != PREFIXES_ALL; i++) {
		const struct composed *service = &composition->service[i];
		__free_text char *name = NULL;
		int more;

		if (!is_open(service) ||
		    !ports_have(&service->ports, management->transport, management->port))
			continue;
		more = admits_anyone(composition, service);
		if (!(more & ~cover))
			continue;
		cover |= more;
		name = xasprintf("%s:%s", service->profile->name, service->service->name);
		names_add(&services, name);
	}
	list = names_join(&services, ", ");
	if (cover)
		say_open(interface, port, cover, list, management->why);
}

static bool is_administration(const struct service *service)
{
	return strcasestr(service->name, "admin") ||
	       (service->title && strcasestr(service->title, "admin"));
}

/* A well-known port is in the warning by its number. */
static bool is_well_known(const struct ports *ports)
{
	size_t i;

	for (i = 0; i < MANAGEMENT_PORTS; i++)
		if (ports_have(ports, management_port[i].transport, management_port[i].port))
			return true;
	return false;
}

static void warn_administration(const char *interface, const struct composition *composition,
				const struct composed *service)
{
	__cleanup(names_free) struct names ports = {};
	__free_text char *name = NULL, *list = NULL;
	int cover;

	if (!is_open(service) || !is_administration(service->service) ||
	    is_well_known(&service->ports))
		return;
	cover = admits_anyone(composition, service);
	ports_strings(&service->ports, &ports);
	list = names_join(&ports, ", ");
	name = xasprintf("%s:%s", service->profile->name, service->service->name);
	if (cover)
		say_open(interface, list, cover, name, "it is for administration");
}

static void warn_composition(const char *interface, const struct composition *composition)
{
	size_t i;

	for (i = 0; i < MANAGEMENT_PORTS; i++)
		warn_open(interface, composition, &management_port[i]);
	for (i = 0; i < composition->services; i++)
		warn_administration(interface, composition, &composition->service[i]);
}

void management_warn_open(const char *interface, const struct plan *plan)
{
	const struct composition *composition = &plan->composition;
	size_t i;

	warn_composition(interface, composition);
	for (i = 0; i < composition->machines; i++) {
		const struct composed_machine *machine = &composition->machine[i];
		__free_text char *name = xasprintf("%s%smachine %s", interface ?: "",
						   interface ? ": " : "", machine->machine->name);

		if (machine->like == i) /* the warning is the same for others with this recipe */
			warn_composition(name, &machine->composition);
	}
}
