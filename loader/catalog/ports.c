// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of ports as the field writes them: `25/tcp`, `5060/tcp+udp`, `60000-60099/udp`,
 * `imaps/tcp`.
 */
#include "loader/catalog/ports.h"

#include <stdio.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define TRANSPORT_TCP (1 << PC_TCP)
#define TRANSPORT_UDP (1 << PC_UDP)

const char *const transport_name[PC_TRANSPORTS] = {[PC_TCP] = "tcp", [PC_UDP] = "udp"};

static void add_range(struct ports *ports, unsigned int first, unsigned int last, __u8 transports)
{
	ports->range = grow(ports->range, ports->count, sizeof(*ports->range));
	ports->range[ports->count++] = (struct port_range){
		.first = (__u16)first, .last = (__u16)last, .transports = transports};
}

/* A mask for "tcp", "udp", "tcp+udp" and "udp+tcp"; 0 for any other text. */
static __u8 parse_transports(const char *text)
{
	if (!strcmp(text, "tcp"))
		return TRANSPORT_TCP;
	if (!strcmp(text, "udp"))
		return TRANSPORT_UDP;
	if (!strcmp(text, "tcp+udp") || !strcmp(text, "udp+tcp"))
		return TRANSPORT_TCP | TRANSPORT_UDP;
	return 0;
}

/* Why the text behind the '/' is no protocol. `one`: only one protocol may be given. */
static char *why_protocol(const char *port, const char *protocol, bool one)
{
	if (!*protocol && one)
		return xasprintf("'%s/' has no protocol; write %s/tcp or %s/udp", port, port, port);
	if (!*protocol)
		return xasprintf("'%s/' has no protocol; write %s/tcp, %s/udp or %s/tcp+udp", port,
				 port, port, port);
	if (!strcasecmp(protocol, "tcp") || !strcasecmp(protocol, "udp"))
		return xasprintf("unknown protocol '%s'; write %s/%s", protocol, port,
				 strcasecmp(protocol, "tcp") ? "udp" : "tcp");
	return xasprintf("unknown protocol '%s'; a port is of %s", protocol,
			 one ? "tcp or udp" : "tcp, udp or tcp+udp");
}

/* Reads digits, however many: a number that does not fit is reported as out of range. */
static int parse_number(const char *text, size_t length, unsigned int *number, char **why)
{
	unsigned int value = 0;

	for (size_t i = 0; i < length; i++) {
		if (value <= 65535)
			value = 10 * value + (unsigned int)(text[i] - '0');
	}
	if (!value || value > 65535) {
		*why = xasprintf("port %.*s is out of range 1-65535", (int)length, text);
		return -EINVAL;
	}
	if (text[0] == '0') {
		*why = xasprintf("port %.*s has leading zeros; write %u", (int)length, text, value);
		return -EINVAL;
	}
	*number = value;
	return 0;
}

/* Reads "N" or "N-M". `port` has only digits, or a dash with digits after it. */
static int parse_numbers(const char *port, __u8 transports, struct ports *ports, char **why)
{
	size_t digits = strspn(port, "0123456789");
	unsigned int first, last;
	int err;

	err = parse_number(port, digits, &first, why);
	if (err)
		return err;
	last = first;
	if (port[digits]) {
		const char *end = port + digits + 1;

		err = parse_number(end, strlen(end), &last, why);
		if (err)
			return err;
	}
	if (last < first) {
		*why = xasprintf("range %u-%u is reversed; write %u-%u", first, last, last, first);
		return -EINVAL;
	}
	add_range(ports, first, last, transports);
	return 0;
}

static bool is_number(const char *port)
{
	size_t digits = strspn(port, "0123456789");

	if (!digits)
		return false;
	if (port[digits] == '-') {
		size_t more = strspn(port + digits + 1, "0123456789");

		if (!more)
			return false;
		digits += 1 + more;
	}
	return !port[digits];
}

/* True if the services database has `name` for every protocol in the mask; appends its ports. */
static bool look_up(const char *name, __u8 transports, struct ports *ports)
{
	for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
		const struct servent *entry;
		unsigned int port;

		if (!(transports & 1 << transport))
			continue;
		entry = getservbyname(name, transport_name[transport]);
		if (!entry)
			return false;
		port = ntohs((__u16)entry->s_port);
		if (!port) /* some databases list port 0, which is reserved */
			return false;
		add_range(ports, port, port, (__u8)(1 << transport));
	}
	return true;
}

/* Why the services database has no port for `name`: it has the other protocol, or the name is
 * misspelt. */
static char *why_service(const char *name, __u8 transports)
{
	struct names known = {0};
	struct servent *entry;
	const char *near;
	char *why;

	for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
		int other = !transport;

		if (transports & 1 << transport &&
		    !getservbyname(name, transport_name[transport]) &&
		    getservbyname(name, transport_name[other]))
			return xasprintf(
				"service '%s' is known with %s, but not with %s; write %s/%s or a number",
				name, transport_name[other], transport_name[transport], name,
				transport_name[other]);
	}
	setservent(0);
	while ((entry = getservent())) {
		names_add(&known, entry->s_name);
		for (char **alias = entry->s_aliases; *alias; alias++)
			names_add(&known, *alias);
	}
	endservent();
	near = nearest_name(name, &known);
	why = near ? xasprintf("unknown service name '%s'; did you mean '%s'?", name, near) :
		     xasprintf("unknown service name '%s'; write the port's number", name);
	names_free(&known);
	return why;
}

/* Service names as RFC 6335 and /etc/services have them, dots and underscores included. */
static bool is_service_name(const char *name)
{
	bool letter = false;

	for (const char *c = name; *c; c++) {
		bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');

		if (!is_letter && !(*c >= '0' && *c <= '9') && !strchr("-_.+", *c))
			return false;
		letter |= is_letter;
	}
	return letter && strlen(name) <= NAME_LIMIT;
}

static int parse_name(const char *name, __u8 transports, struct ports *ports, char **why)
{
	size_t before = ports->count;

	if (!is_service_name(name)) {
		*why = xasprintf(
			"'%s' is not a port; write a number, a range or a service name, as in 25/tcp",
			name);
		return -EINVAL;
	}
	if (look_up(name, transports, ports))
		return 0;
	ports->count = before;
	*why = why_service(name, transports);
	return -EINVAL;
}

static char *why_no_port(const char *item, bool one)
{
	return xasprintf("'%s' is not a port; write it as %s", item,
			 one ? "25/tcp" : "25/tcp, 5060/tcp+udp or 60000-60099/udp");
}

static char *why_no_protocol(const char *item, bool one)
{
	if (!*item)
		return xstrdup("a port is empty; write it as 25/tcp");
	if (!is_number(item) && !is_service_name(item))
		return why_no_port(item, one);
	if (one)
		return xasprintf("'%s' has no protocol; write %s/tcp or %s/udp", item, item, item);
	return xasprintf("'%s' has no protocol; write %s/tcp, %s/udp or %s/tcp+udp", item, item,
			 item, item);
}

static int parse(const char *item, struct ports *ports, bool one, char **why)
{
	const char *slash = strchr(item, '/');
	__free_text char *port = NULL;
	__u8 transports;

	if (strchr(item, ',')) {
		*why = xasprintf(
			one ? "'%s' is not one port; write it as 25/tcp" :
			      "'%s' is not one port; write a list of ports: [25/tcp, 587/tcp]",
			item);
		return -EINVAL;
	}
	if (!slash) {
		*why = why_no_protocol(item, one);
		return -EINVAL;
	}
	port = xstrndup(item, (size_t)(slash - item));
	if (!is_number(port) && !is_service_name(port)) {
		*why = why_no_port(item, one);
		return -EINVAL;
	}
	transports = parse_transports(slash + 1);
	if (!transports) {
		*why = why_protocol(port, slash + 1, one);
		return -EINVAL;
	}
	if (is_number(port))
		return parse_numbers(port, transports, ports, why);
	return parse_name(port, transports, ports, why);
}

int ports_parse(const char *item, struct ports *ports, char **why)
{
	return parse(item, ports, false, why);
}

int port_parse(const char *item, __u32 *port, char **why)
{
	__cleanup(ports_free) struct ports ports = {};
	const struct port_range *range;
	int err = parse(item, &ports, true, why);

	if (err)
		return err;
	range = ports.range;
	if (ports.count != 1 || range->first != range->last) {
		*why = xasprintf("'%s' is more than one port; name one, as 25/tcp", item);
		return -EINVAL;
	}
	if (range->transports & (range->transports - 1)) {
		*why = xasprintf("'%s' is more than one port; name %u/tcp or %u/udp", item,
				 range->first, range->first);
		return -EINVAL;
	}
	*port = PC_PORT(range->transports & TRANSPORT_TCP ? PC_TCP : PC_UDP, range->first);
	return 0;
}

int ports_parse_list(const char *list, struct ports *ports, char **why)
{
	size_t before = ports->count;

	for (;;) {
		size_t length = strcspn(list, ",");
		__free_text char *item = NULL;
		int err;

		item = xstrndup(list, length);
		err = ports_parse(item, ports, why);
		if (err) {
			ports->count = before;
			return err;
		}
		if (!list[length])
			return 0;
		list += length + 1;
	}
}

void ports_copy(struct ports *to, const struct ports *from)
{
	for (size_t i = 0; i < from->count; i++)
		add_range(to, from->range[i].first, from->range[i].last, from->range[i].transports);
}

void ports_free(struct ports *ports)
{
	free(ports->range);
	*ports = (struct ports){0};
}

static int compare_first(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* The ranges of one transport, sorted; those that touch or overlap are joined. */
static void ports_of(const struct ports *ports, enum pc_transport transport, struct ports *to)
{
	struct ports all = {0};

	for (size_t i = 0; i < ports->count; i++) {
		const struct port_range *range = &ports->range[i];

		if (range->transports & 1 << transport)
			add_range(&all, range->first, range->last, (__u8)(1 << transport));
	}
	if (all.count)
		qsort(all.range, all.count, sizeof(*all.range), compare_first);
	for (size_t i = 0; i < all.count; i++) {
		const struct port_range *range = &all.range[i];
		struct port_range *last = to->count ? &to->range[to->count - 1] : NULL;

		if (!last || range->first > last->last + 1)
			add_range(to, range->first, range->last, range->transports);
		else if (range->last > last->last)
			last->last = range->last;
	}
	ports_free(&all);
}

bool ports_equal(const struct ports *a, const struct ports *b)
{
	bool equal = true;

	for (int transport = 0; equal && transport < PC_TRANSPORTS; transport++) {
		struct ports x = {0}, y = {0};

		ports_of(a, (enum pc_transport)transport, &x);
		ports_of(b, (enum pc_transport)transport, &y);
		equal = x.count == y.count;
		for (size_t i = 0; equal && i < x.count; i++)
			equal = x.range[i].first == y.range[i].first &&
				x.range[i].last == y.range[i].last;
		ports_free(&x);
		ports_free(&y);
	}
	return equal;
}

bool ports_have(const struct ports *ports, enum pc_transport transport, __u16 port)
{
	for (size_t i = 0; i < ports->count; i++) {
		const struct port_range *range = &ports->range[i];

		if (range->transports & 1 << transport && range->first <= port &&
		    port <= range->last)
			return true;
	}
	return false;
}

char *port_range_text(unsigned int first, unsigned int last, const char *protocol)
{
	return first == last ? xasprintf("%u/%s", first, protocol) :
			       xasprintf("%u-%u/%s", first, last, protocol);
}

void ports_strings(const struct ports *ports, struct names *names)
{
	for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
		struct ports joined = {0};

		ports_of(ports, (enum pc_transport)transport, &joined);
		for (size_t i = 0; i < joined.count; i++) {
			const struct port_range *range = &joined.range[i];
			__free_text char *text = port_range_text(range->first, range->last,
								 transport_name[transport]);

			names_add(names, text);
		}
		ports_free(&joined);
	}
}
