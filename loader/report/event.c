// SPDX-License-Identifier: GPL-2.0
/* An event of a filter (a packet and its verdict) as JSON and as text. */
#include "loader/report/event.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/base/columns.h"
#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/terminal.h"
#include "loader/catalog/group.h"
#include "loader/catalog/ports.h"
#include "loader/recipe/compose_json.h"
#include "loader/report/counters.h"
#include "loader/recipe/kept_machines.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

#define EVENT_TIME 40 /* bytes of a time with its fraction */

enum event_way {
	EVENT_IN,
	EVENT_OUT,
	EVENT_WAYS,
};

/* A service, in the directions in which it is open or closed. */
struct event_service {
	json_t *name; /* "PROFILE:SERVICE" */
	json_t *why_closed;
	bool open, way[EVENT_WAYS];
	struct ports ports, from_ports;
	struct names from; /* groups; none: anyone */
};

/* The services that list a port, searched when the first event needs them. */
struct event_port {
	size_t *service; /* indexes of services */
	size_t count;
	bool known;
};

/* A machine behind the interface. Its services are read at its first event. */
struct event_machine {
	const char *name;
	struct prefix *address;
	size_t addresses;
	struct event_services *services;
};

struct event_services {
	json_t *kept; /* the machines' kept texts */
	struct event_machine *machine;
	size_t machines;
	struct event_service *service;
	size_t count;
	struct groups groups;
	const struct ban_set *grants; /* NULL: no grants are known */
	__u32 now;		      /* CLOCK_BOOTTIME second at which grants must hold */
	struct event_port port[EVENT_WAYS][PC_PORTS];
	json_t *protocol[256]; /* names of protocols; NULL: not looked up yet */
};

/* --- services --- */

static void read_ports(const json_t *list, struct ports *ports)
{
	const json_t *text;
	size_t i;

	json_array_foreach (list, i, text) {
		__free_text char *why = NULL;

		if (json_is_string(text))
			ports_parse(json_string_value(text), ports, &why);
	}
}

static void read_names(const json_t *list, struct names *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach (list, i, name)
		if (json_is_string(name))
			names_add(names, json_string_value(name));
}

static void add_service(struct event_services *services, const char *profile, const json_t *json)
{
	const char *direction = text_of(json, "direction");
	struct event_service service = {
		.name = json_sprintf("%s:%s", profile, text_of(json, "name")),
		.why_closed = json_incref(json_object_get(json, "why_closed")),
		.open = json_is_true(json_object_get(json, "open")),
		.way = {strcmp(direction, "out"), strcmp(direction, "in")},
	};

	service_ports(json, &service.ports);
	read_ports(json_object_get(json, "from_ports"), &service.from_ports);
	read_names(json_object_get(json, "from"), &service.from);
	services->service = grow(services->service, services->count, sizeof(service));
	services->service[services->count++] = service;
}

static void add_groups(struct groups *groups, const json_t *object)
{
	__cleanup(diag_free) struct diag diag = {};
	const json_t *list;
	const char *name;

	json_object_foreach ((json_t *)object, name, list) {
		__cleanup(names_free) struct names prefixes = {};

		read_names(list, &prefixes);
		groups_define_list(groups, name, &prefixes, NULL, &diag);
	}
}

static void add_machines(struct event_services *services, const json_t *kept)
{
	size_t count = kept_machines(kept);
	const json_t *text;
	size_t j;

	services->kept = json_incref((json_t *)kept);
	services->machine = xcalloc(count + 1, sizeof(*services->machine));
	for (size_t i = 0; i < count; i++) {
		struct event_machine *machine = &services->machine[services->machines++];
		const json_t *list = json_array_get(json_object_get(kept, "machines"), i);

		machine->name = kept_machine_name(kept, i);
		json_array_foreach (json_object_get(list, "address"), j, text) {
			__free_text char *why = NULL;
			struct prefix prefix;

			if (!json_is_string(text) ||
			    prefix_parse(json_string_value(text), &prefix, &why))
				continue;
			machine->address =
				grow(machine->address, machine->addresses, sizeof(prefix));
			machine->address[machine->addresses++] = prefix;
		}
	}
}

/*
 * The machine on this side of a packet; NULL: this host. Follows the program's answer, not the
 * prefix, because an address within the prefix may be this host's own.
 */
static struct event_machine *machine_of(struct event_services *services,
					const struct pc_event *event)
{
	struct event_machine *found = NULL;
	int longest = -1;

	for (size_t i = 0; event->class && event->family && i < services->machines; i++) {
		struct event_machine *machine = &services->machine[i];

		for (size_t j = 0; j < machine->addresses; j++) {
			const struct prefix *prefix = &machine->address[j];

			if (prefix->length <= longest ||
			    !prefix_contains(prefix, event->family == 4 ? AF_INET : AF_INET6,
					     (const __u8 *)event->local))
				continue;
			longest = prefix->length;
			found = machine;
		}
	}
	return found;
}

void event_services_grants(struct event_services *services, const struct ban_set *grants, __u32 now)
{
	services->grants = grants;
	services->now = now;
}

/* The services that decide about a packet. */
static struct event_services *own_services(struct event_services *services,
					   const struct pc_event *event)
{
	struct event_machine *machine = machine_of(services, event);
	json_t *kept;

	if (!machine)
		return services;
	if (!machine->services) {
		kept = kept_machine(services->kept, (size_t)(machine - services->machine));
		machine->services = event_services_new(kept);
		json_decref(kept);
	}
	event_services_grants(machine->services, services->grants, services->now);
	return machine->services;
}

const char *event_machine(const struct pc_event *event, struct event_services *services)
{
	const struct event_machine *machine = machine_of(services, event);

	return machine ? machine->name : NULL;
}

struct event_services *event_services_new(const json_t *kept)
{
	struct event_services *services = xcalloc(1, sizeof(*services));
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (json_object_get(kept, "profiles"), i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service)
			add_service(services, text_of(profile, "name"), service);
	add_groups(&services->groups, json_object_get(json_object_get(kept, "recipe"), "groups"));
	add_machines(services, kept);
	return services;
}

void event_services_free(struct event_services **freed)
{
	struct event_services *services = *freed;

	if (!services)
		return;
	for (size_t i = 0; i < services->count; i++) {
		struct event_service *service = &services->service[i];

		json_decref(service->name);
		json_decref(service->why_closed);
		ports_free(&service->ports);
		ports_free(&service->from_ports);
		names_free(&service->from);
	}
	for (size_t port = 0; port < PC_PORTS; port++)
		for (int way = 0; way < EVENT_WAYS; way++)
			free(services->port[way][port].service);
	for (size_t i = 0; i < ARRAY_SIZE(services->protocol); i++)
		json_decref(services->protocol[i]);
	groups_free(&services->groups);
	for (size_t i = 0; i < services->machines; i++) {
		event_services_free(&services->machine[i].services);
		free(services->machine[i].address);
	}
	free(services->machine);
	json_decref(services->kept);
	free(services->service);
	free(services);
	*freed = NULL;
}

static const struct event_port *port_services(struct event_services *services, enum event_way way,
					      __u32 index)
{
	struct event_port *port = &services->port[way][index];

	for (size_t i = 0; !port->known && i < services->count; i++) {
		const struct event_service *service = &services->service[i];

		if (!service->way[way] ||
		    !ports_have(&service->ports, pc_port_transport(index), pc_port_number(index)))
			continue;
		port->service = grow(port->service, port->count, sizeof(*port->service));
		port->service[port->count++] = i;
	}
	port->known = true;
	return port;
}

/* --- who is admitted --- */

static bool is_link_local(const struct pc_event *event)
{
	const __u8 *address = (const __u8 *)event->remote;

	return event->family == 4 ? address[0] == 169 && address[1] == 254 :
				    address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/*
 * The longest prefix of a group that contains the remote address, or NULL. Searches for each
 * length, because a group may have 131,072 prefixes.
 */
static const struct prefix *group_prefix(const struct group *group, const struct pc_event *event)
{
	bool ipv4 = event->family == 4;
	struct prefix prefix = {.family = ipv4 ? AF_INET : AF_INET6, .length = ipv4 ? 32 : 128};
	const struct prefix *found;

	memcpy(prefix.address, event->remote, prefix.length / 8);
	while (group->prefixes) {
		found = bsearch(&prefix, group->prefix, group->prefixes, sizeof(prefix),
				compare_prefixes);
		if (found)
			return found;
		if (!prefix.length)
			break;
		prefix.length--;
		prefix.address[prefix.length / 8] &= (__u8)(0xff00 >> prefix.length % 8);
	}
	return NULL;
}

/* The longest prefix granted into a group that contains the remote address, or NULL. */
static const struct prefix *granted_prefix(const struct event_services *services, const char *name,
					   const struct pc_event *event)
{
	__u8 family = event->family == 4 ? AF_INET : AF_INET6;
	const struct prefix *longest = NULL;

	for (size_t i = 0; services->grants && i < services->grants->count; i++) {
		const struct ban *grant = &services->grants->ban[i];

		if (!strcmp(grant->list, name) && ban_holds(grant, services->now) &&
		    prefix_contains(&grant->prefix, family, (const __u8 *)event->remote) &&
		    (!longest || grant->prefix.length > longest->length))
			longest = &grant->prefix;
	}
	return longest;
}

static bool group_admits(const struct event_services *services, const char *name,
			 const struct pc_event *event)
{
	const struct group *group = groups_find(&services->groups, name);

	if (!strcmp(name, GROUP_ANYONE))
		return true;
	if (!strcmp(name, GROUP_LINK_LOCAL))
		return is_link_local(event);
	return group && (group_prefix(group, event) || granted_prefix(services, name, event));
}

/* Whether an open service admits an incoming packet to a port that it lists. */
static bool service_admits(const struct event_services *services,
			   const struct event_service *service, const struct pc_event *event)
{
	enum pc_transport transport = event->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;

	/* A later fragment has no source port; its first fragment was admitted. */
	if (service->from_ports.count && !(event->how & PC_EVENT_LATER) &&
	    !ports_have(&service->from_ports, transport, event->remote_port))
		return false;
	for (size_t i = 0; i < service->from.count; i++)
		if (group_admits(services, service->from.name[i], event))
			return true;
	return !service->from.count;
}

/* --- the verdict --- */

static bool is_out(const struct pc_event *event)
{
	return event->how & PC_EVENT_OUT;
}

/* The reason of a drop; PC_REASONS: the packet passes. */
static enum pc_reason event_reason(const struct pc_event *event)
{
	return event->cell - PC_CELL_REASON < PC_REASONS ? event->cell - PC_CELL_REASON :
							   PC_REASONS;
}

/* The name of the rule; NULL: the cell belongs to none. */
static const char *event_rule(const struct pc_event *event)
{
	static const char *const other[PC_OTHERS] = {
		[PC_OTHER_NON_IP] = "non-ip",
		[PC_OTHER_ICMP] = "icmp",
		[PC_OTHER_PROTOCOL] = "protocol",
		[PC_OTHER_REPLY] = "reply",
	};
	enum pc_reason reason = event_reason(event);

	if (is_out(event))
		return "outbound";
	if (event->how & PC_EVENT_LATER)
		return "fragment";
	if (reason < PC_REASONS)
		return reason_name[reason];
	if (event->cell < PC_CELL_DROP)
		return "service";
	return event->cell - PC_CELL_OTHER < PC_OTHERS ? other[event->cell - PC_CELL_OTHER] : NULL;
}

static const char *event_verdict(const struct pc_event *event)
{
	return event->how & PC_EVENT_WOULD ? "would-drop" :
	       event->how & PC_EVENT_DROP  ? "drop" :
					     "pass";
}

/* Whether services are looked up for a packet, and at which port. */
static bool listed_port(const struct pc_event *event, enum event_way *way, __u32 *port)
{
	enum pc_transport transport = event->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP;
	bool reply = event->cell == PC_CELL_OTHER + PC_OTHER_REPLY;

	/* A later fragment has no ports, but it has the cell of its first fragment. */
	if (event->cell < PC_CELL_DROP) {
		*way = EVENT_IN;
		*port = event->cell - PC_CELL_PASS;
		return true;
	}
	*way = is_out(event) || reply ? EVENT_OUT : EVENT_IN;
	*port = PC_PORT(transport, *way == EVENT_OUT ? event->remote_port : event->local_port);
	return event->how & PC_EVENT_PORTS &&
	       (*way == EVENT_OUT || event_reason(event) == PC_REASON_SOURCE ||
		event_reason(event) == PC_REASON_LIMIT ||
		event_reason(event) == PC_REASON_UNLISTED);
}

/* Whether a service has a group into which its source may have been granted. */
static bool may_be_granted(const struct event_services *services,
			   const struct event_service *service)
{
	for (size_t i = 0; i < service->from.count; i++)
		if (groups_find(&services->groups, service->from.name[i]))
			return true;
	return false;
}

/* The open services of a packet that passed although no group admits it: a grant did. */
static void add_granted(json_t *open, const struct event_port *listed,
			const struct event_services *services)
{
	for (size_t i = 0; i < listed->count; i++) {
		const struct event_service *service = &services->service[listed->service[i]];

		if (service->open && may_be_granted(services, service))
			json_array_append(open, service->name);
	}
}

static void add_services(json_t *json, const struct pc_event *event,
			 struct event_services *services)
{
	json_t *open = json_array(), *closed = json_array();
	bool passes = event_reason(event) == PC_REASONS;
	bool limited = event_reason(event) == PC_REASON_LIMIT;
	const struct event_port *listed = NULL;
	enum event_way way;
	__u32 port;

	if (listed_port(event, &way, &port))
		listed = port_services(services, way, port);
	for (size_t i = 0; listed && i < listed->count; i++) {
		const struct event_service *service = &services->service[listed->service[i]];

		if (!service->open && !passes && !limited)
			json_array_append_new(closed,
					      json_pack("{s:O, s:O?}", "service", service->name,
							"why_closed", service->why_closed));
		if (service->open && ((!passes && !limited) || way == EVENT_OUT ||
				      service_admits(services, service, event)))
			json_array_append(open, service->name);
	}
	if (listed && passes && way == EVENT_IN && !json_array_size(open))
		add_granted(open, listed, services);
	json_object_set_new(json, "services", open);
	json_object_set_new(json, "closed", closed);
}

/* The group of a service that admits the remote address, and its prefix; without a group,
 * anyone. */
static json_t *admission_json(const struct event_services *services,
			      const struct event_service *service, const struct pc_event *event)
{
	const char *name = NULL;
	const struct group *group;
	const struct prefix *prefix;
	char text[PREFIX_TEXT];

	for (size_t i = 0; i < service->from.count && !name; i++)
		if (group_admits(services, service->from.name[i], event))
			name = service->from.name[i];
	group = name ? groups_find(&services->groups, name) : NULL;
	prefix = group ? group_prefix(group, event) : NULL;
	if (group && !prefix)
		prefix = granted_prefix(services, name, event);
	return json_pack("{s:O, s:s?, s:s?}", "service", service->name, "group", name, "prefix",
			 prefix ? prefix_format(prefix, text) : NULL);
}

json_t *event_admissions(const struct pc_event *event, struct event_services *services)
{
	json_t *list = json_array();
	const struct event_port *listed;

	if (event->cell >= PC_CELL_DROP)
		return list;
	services = own_services(services, event);
	listed = port_services(services, EVENT_IN, event->cell - PC_CELL_PASS);
	for (size_t i = 0; i < listed->count; i++) {
		const struct event_service *service = &services->service[listed->service[i]];

		if (service->open && service_admits(services, service, event))
			json_array_append_new(list, admission_json(services, service, event));
	}
	return list;
}

/* --- the packet --- */

/* Names that a filter knows itself: the system's database may be missing, or use other names. */
static json_t *protocol_json(const struct pc_event *event, struct event_services *services)
{
	/* A broken header has no protocol; 0 (hop-by-hop) is never a packet's last one. */
	if (!event->family || (event_reason(event) == PC_REASON_MALFORMED && !event->protocol))
		return json_null();
	return report_protocol_json(services->protocol, event->protocol);
}

static json_t *address_json(const struct pc_event *event, const __be32 *address)
{
	char text[INET6_ADDRSTRLEN];

	if (!event->family)
		return json_null();
	inet_ntop(event->family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	return json_string(text);
}

static json_t *port_json(const struct pc_event *event, __u16 port)
{
	return event->how & PC_EVENT_PORTS ? json_integer(port) : json_null();
}

static json_t *flags_json(const struct pc_event *event)
{
	/* The names of TCP flags from bit 0 on: RFC 9293, 3.1. */
	static const char *const name[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};
	json_t *flags = json_array();

	for (size_t i = 0; event->protocol == IPPROTO_TCP && i < ARRAY_SIZE(name); i++)
		if (event->tcp_flags & 1 << i)
			json_array_append_new(flags, json_string(name[i]));
	return flags;
}

static bool has_type(const struct pc_event *event)
{
	__u8 protocol = event->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	return event->family && event->protocol == protocol && !(event->how & PC_EVENT_LATER) &&
	       (event->local_port || event_reason(event) != PC_REASON_MALFORMED);
}

static const char *time_text(__u64 wall, char text[EVENT_TIME])
{
	char seconds[TIME_TEXT];

	report_time(wall, seconds);
	snprintf(text, EVENT_TIME, "%.*s.%06lluZ", (int)strcspn(seconds, "Z"), seconds,
		 (unsigned long long)(wall % 1000000000 / 1000));
	return text;
}

static void add_packet(json_t *json, const struct pc_event *event, struct event_services *services)
{
	const __be32 *source = is_out(event) ? event->local : event->remote;
	const __be32 *destination = is_out(event) ? event->remote : event->local;
	__u16 from = is_out(event) ? event->local_port : event->remote_port;
	__u16 to = is_out(event) ? event->remote_port : event->local_port;

	json_object_set_new(json, "protocol", protocol_json(event, services));
	json_object_set_new(json, "source", address_json(event, source));
	json_object_set_new(json, "source_port", port_json(event, from));
	json_object_set_new(json, "destination", address_json(event, destination));
	json_object_set_new(json, "destination_port", port_json(event, to));
	json_object_set_new(json, "flags", flags_json(event));
	if (!has_type(event))
		return;
	json_object_set_new(json, "type", json_integer(event->local_port >> 8));
	json_object_set_new(json, "code", json_integer(event->local_port & 0xff));
}

json_t *event_json(const struct pc_event *event, const char *interface, __u64 wall,
		   struct event_services *services)
{
	enum pc_reason reason = event_reason(event);
	json_t *json = json_pack("{s:i}", "version", 1);
	char when[EVENT_TIME];

	if (wall)
		json_object_set_new(json, "time", json_string(time_text(wall, when)));
	json_object_set_new(json, "interface", text_json(interface));
	json_object_set_new(json, "machine", text_json(event_machine(event, services)));
	json_object_set_new(json, "direction", json_string(is_out(event) ? "out" : "in"));
	json_object_set_new(json, "verdict", json_string(event_verdict(event)));
	json_object_set_new(json, "rule", text_json(event_rule(event)));
	json_object_set_new(json, "reason",
			    text_json(reason < PC_REASONS ? reason_name[reason] : NULL));
	add_packet(json, event, services);
	if (wall)
		json_object_set_new(json, "length", json_integer(event->length));
	add_services(json, event, own_services(services, event));
	return json;
}

/* --- text --- */

/* The local time of day of a time in event_json. The caller frees. */
static char *local_time(const char *when)
{
	struct tm tm = {};
	const char *fraction = strptime(when, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t seconds = timegm(&tm);
	char text[16];

	if (!fraction || !localtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof(text), "%H:%M:%S", &tm))
		return xstrdup(when);
	return xasprintf("%s%.*s", text, (int)strcspn(fraction, "Z"), fraction);
}

/* "192.0.2.1:25", "[2001:db8::1]:25"; only the address if there is no port. The caller frees. */
static char *end_text(const json_t *event, const char *address, const char *port)
{
	const char *text = text_of(event, address);
	const json_t *number = json_object_get(event, port);
	bool ipv6 = strchr(text, ':');

	if (!json_is_integer(number))
		return xstrdup(text);
	return xasprintf("%s%s%s:%lld", ipv6 ? "[" : "", text, ipv6 ? "]" : "",
			 (long long)json_integer_value(number));
}

char *event_packet_text(const json_t *event)
{
	__free_text char *source = end_text(event, "source", "source_port");
	__free_text char *destination = end_text(event, "destination", "destination_port");
	__free_text char *flags = report_joined(json_object_get(event, "flags"), ",");
	__free_text char *detail = NULL;
	const json_t *type = json_object_get(event, "type");
	const char *protocol = text_of(event, "protocol");

	if (!*source)
		return xasprintf("not IP, %lld bytes",
				 (long long)json_integer_value(json_object_get(event, "length")));
	detail = type ? xasprintf(" type %lld code %lld", (long long)json_integer_value(type),
				  (long long)json_integer_value(json_object_get(event, "code"))) :
			xasprintf("%s%s", *flags ? " " : "", flags);
	return xasprintf("%s -> %s%s%s%s", source, destination, *protocol ? "/" : "", protocol,
			 detail);
}

/* "; ssh:ssh", "; xeams:imap-ssl is closed: feature" */
static char *services_text(const json_t *event)
{
	__free_text char *open = report_joined(json_object_get(event, "services"), ", ");
	bool source = !strcmp(text_of(event, "reason"), reason_name[PC_REASON_SOURCE]);
	__cleanup(names_free) struct names closed = {};
	__free_text char *rest = NULL;
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(event, "closed"), i, one) {
		__free_text char *text = xasprintf("%s is closed: %s", text_of(one, "service"),
						   text_of(one, "why_closed"));

		names_add(&closed, text);
	}
	rest = names_join(&closed, ", ");
	return xasprintf("%s%s%s%s", *open ? source ? "; not admitted by " : "; " : "", open,
			 *rest ? "; " : "", rest);
}

/* The reason of a dropped packet, the rule of a passed one. */
static const char *reason_text_of(const json_t *event)
{
	const char *reason = text_of(event, "reason");

	return *reason ? reason : text_of(event, "rule");
}

char *event_why(const json_t *event)
{
	__free_text char *services = services_text(event);

	return xasprintf("%s%s", reason_text_of(event), services);
}

char *event_summary(const json_t *event)
{
	__free_text char *packet = event_packet_text(event);
	__free_text char *services = services_text(event);

	return xasprintf("%s %s %s%s", text_of(event, "verdict"), reason_text_of(event), packet,
			 services);
}

void event_text(const json_t *event, bool named, FILE *to)
{
	__free_text char *time = local_time(text_of(event, "time"));
	__free_text char *summary = event_summary(event);
	const char *machine = text_of(event, "machine");
	bool passes = !strcmp(text_of(event, "verdict"), "pass");

	fputs(tone_start(passes ? TONE_FAINT : TONE_PLAIN, to), to);
	text_line(to, terminal_columns(to), 0, 4, "%s %s%s%s%s%s", time,
		  named ? text_of(event, "interface") : "", named ? " " : "", machine,
		  *machine ? ": " : "", summary);
	fprintf(to, "%s\n", passes ? tone_end(to) : "");
}
