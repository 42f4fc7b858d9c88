// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the filters as a rule set of nftables: a chain for each filter and direction. Its rules
 * have the names of portcullis(8), VERDICTS.
 */
#include "loader/report/nftables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <netdb.h>

#include "loader/base/memory.h"
#include "loader/base/names.h"
#include "loader/catalog/group.h"
#include "loader/recipe/compose_json.h"
#include "loader/recipe/sends.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

#define TABLE	      "portcullis"
#define COMMENT_LIMIT 120 /* characters; nftables takes 128 bytes */

/* One filter, and the file for its rules. */
struct writer {
	FILE *to;
	const json_t *interface, *recipe, *profiles;
	/* number in the names of its chains and sets: the interface's name may have any byte */
	size_t number;
	bool out;
};

static const struct {
	const char *type, *header;
} family[] = {{"ipv4_addr", "ip"}, {"ipv6_addr", "ip6"}};

/* --- sets of the groups --- */

static bool is_ipv6(const char *prefix)
{
	return strchr(prefix, ':');
}

static bool has_family(const json_t *group, bool ipv6)
{
	const json_t *prefix;
	size_t i;

	json_array_foreach (group, i, prefix)
		if (is_ipv6(json_string_value(prefix)) == ipv6)
			return true;
	return false;
}

static void put_set(const struct writer *writer, const char *name, const json_t *group, bool ipv6)
{
	const json_t *prefix;
	const char *before = "\t\telements = { ";
	size_t i;

	if (!has_family(group, ipv6))
		return;
	fprintf(writer->to,
		"\tset if%zu-%s-%s {\n\t\ttype %s\n\t\tflags interval\n\t\tauto-merge\n",
		writer->number, name, family[ipv6].header, family[ipv6].type);
	json_array_foreach (group, i, prefix) {
		if (is_ipv6(json_string_value(prefix)) != ipv6)
			continue;
		fprintf(writer->to, "%s%s", before, json_string_value(prefix));
		before = ",\n\t\t\t";
	}
	fputs(" }\n\t}\n", writer->to);
}

static const json_t *groups_of(const struct writer *writer)
{
	return json_object_get(writer->recipe, "groups");
}

static void put_sets(const struct writer *writer)
{
	const char *name;
	json_t *group;

	json_object_foreach ((json_t *)groups_of(writer), name, group) {
		put_set(writer, name, group, false);
		put_set(writer, name, group, true);
	}
}

/* --- services --- */

/* "25, 60000-60099": the ports of a transport. NULL: none. The caller frees. */
static char *ports_text(const json_t *list, const char *transport)
{
	__cleanup(names_free) struct names names = {};
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		const char *text = json_string_value(item),
			   *slash = text ? strchr(text, '/') : NULL;
		__free_text char *port = NULL;

		if (!slash || strcmp(slash + 1, transport))
			continue;
		port = xstrndup(text, (size_t)(slash - text));
		names_add(&names, port);
	}
	return names.count ? names_join(&names, ", ") : NULL;
}

/* The rule of a service for one kind of sources; `peers`: " ip saddr @set", or "" for anyone. */
static void put_rule(const struct writer *writer, const char *match, const char *peers,
		     const char *service)
{
	fprintf(writer->to, "\t\t%s%s accept comment \"%.*s\"\n", match, peers, COMMENT_LIMIT,
		service);
}

/* The remote sides of a service: groups, link-local, anyone. */
static void put_peers(const struct writer *writer, const char *match, const json_t *groups,
		      const char *service)
{
	const char *side = writer->out ? "daddr" : "saddr";
	const json_t *name;
	size_t i, ipv6;

	if (!json_array_size(groups)) {
		put_rule(writer, match, "", service);
		return;
	}
	json_array_foreach (groups, i, name) {
		const char *text = json_string_value(name);
		const json_t *group = json_object_get(groups_of(writer), text);

		if (!strcmp(text, GROUP_LINK_LOCAL)) {
			__free_text char *ipv4_peers =
				xasprintf(" ip %s %s", side,
					  writer->out ? "{ 169.254.0.0/16, 224.0.0.0/24 }" :
							"169.254.0.0/16");
			/* The multicast addresses of the link's scope, for all 16 values of the
			 * flags. */
			__free_text char *ipv6_peers = xasprintf(" ip6 %s fe80::/10", side);

			put_rule(writer, match, ipv4_peers, service);
			put_rule(writer, match, ipv6_peers, service);
			if (writer->out)
				put_rule(writer, match, " ip6 daddr & ff0f:: == ff02::", service);
			continue;
		}
		for (ipv6 = 0; ipv6 < ARRAY_SIZE(family); ipv6++) {
			__free_text char *peers =
				xasprintf(" %s %s @if%zu-%s-%s", family[ipv6].header, side,
					  writer->number, text, family[ipv6].header);

			if (has_family(group, ipv6))
				put_rule(writer, match, peers, service);
		}
	}
}

/*
 * The condition of a rule: the service's ports, and the source ports that it admits. `own`: the
 * field of the service's ports: "dport", or "sport" in an answer. NULL: it has no port of the
 * transport. The caller frees.
 */
static char *match_text(const json_t *service, const json_t *sources, const char *transport,
			const char *own)
{
	__free_text char *ports = ports_text(json_object_get(service, "ports"), transport);
	__free_text char *from = ports_text(sources, transport);
	const char *other = strcmp(own, "dport") ? "dport" : "sport";

	if (!ports || (json_array_size(sources) && !from))
		return NULL;
	return from ? xasprintf("%s %s { %s } %s %s { %s }", transport, own, ports, transport,
				other, from) :
		      xasprintf("%s %s { %s }", transport, own, ports);
}

static void put_service(const struct writer *writer, const json_t *service, const char *name,
			const char *transport)
{
	const json_t *sources = writer->out ? NULL : json_object_get(service, "from_ports");
	__free_text char *match = match_text(service, sources, transport, "dport");

	if (match)
		put_peers(writer, match, json_object_get(service, writer->out ? "to" : "from"),
			  name);
}

/*
 * The rule for answers of an open port: an `in` service with source and destination exchanged. A
 * SYN is not an answer.
 */
static void put_answer(const struct writer *writer, const json_t *service, const char *name,
		       const char *transport)
{
	__free_text char *match =
		match_text(service, json_object_get(service, "from_ports"), transport, "sport");
	__free_text char *answer = NULL;

	if (!match)
		return;
	answer = xasprintf(
		"%s%s", strcmp(transport, "tcp") ? "" : "tcp flags & (syn | ack) != syn ", match);
	put_peers(writer, answer, json_object_get(service, "from"), name);
}

/* The rules of each service that is open in a direction; `before` goes before their names. */
static void put_all(const struct writer *writer, bool out, const char *before,
		    void (*put)(const struct writer *writer, const json_t *service,
				const char *name, const char *transport))
{
	const json_t *profile, *service;
	size_t i, j;

	json_array_foreach (writer->profiles, i, profile)
		json_array_foreach (json_object_get(profile, "services"), j, service) {
			__free_text char *name =
				xasprintf("%s%s:%s", before, text_of(profile, "name"),
					  text_of(service, "name"));

			if (!service_open(service, out))
				continue;
			put(writer, service, name, "tcp");
			put(writer, service, name, "udp");
		}
}

/* --- other protocols than TCP and UDP --- */

static void put_protocols(const struct writer *writer)
{
	__cleanup(names_free) struct names numbers = {};
	__free_text char *list = NULL;
	const json_t *profile, *name;
	size_t i, j;

	json_array_foreach (writer->profiles, i, profile)
		json_array_foreach (json_object_get(profile, "protocols"), j, name) {
			const struct protoent *known = getprotobyname(json_string_value(name));
			__free_text char *number = known ? xasprintf("%d", known->p_proto) :
							   xstrdup(json_string_value(name));

			names_add_once(&numbers, number);
		}
	list = names_join(&numbers, ", ");
	if (numbers.count)
		fprintf(writer->to, "\t\tmeta l4proto { %s } accept comment \"protocol\"\n", list);
}

static void put_icmp(const struct writer *writer)
{
	json_int_t limit = json_integer_value(json_object_get(writer->recipe, "echo_limit"));
	__free_text char *rate =
		limit ? xasprintf(" limit rate %lld/second burst %lld packets", limit, limit) :
			xstrdup("");

	fprintf(writer->to,
		"\t\ticmp type echo-request%s accept comment \"icmp\"\n"
		"\t\ticmpv6 type echo-request%s accept comment \"icmp\"\n"
		"\t\ticmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem } ct state established,related accept comment \"icmp\"\n"
		"\t\ticmpv6 type { echo-reply, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ct state established,related accept comment \"icmp\"\n"
		"\t\ticmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept comment \"icmp\"\n"
		"\t\ticmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept comment \"icmp\"\n"
		"\t\tip protocol igmp accept comment \"icmp\"\n"
		"\t\tmeta l4proto { icmp, icmpv6 } goto if%zu-drop\n",
		rate, rate, writer->number);
}

/* --- chains --- */

static bool observes(const struct writer *writer)
{
	return strcmp(text_of(writer->interface, "policy"), "enforce") != 0;
}

static void put_drop(const struct writer *writer)
{
	fprintf(writer->to, "\tchain if%zu-drop {\n\t\tcounter%s\n\t}\n", writer->number,
		observes(writer) ? " accept comment \"observed: would be dropped\"" : " drop");
}

static void put_in(const struct writer *writer)
{
	fprintf(writer->to, "\tchain if%zu-in {\n", writer->number);
	put_icmp(writer);
	put_all(writer, false, "", put_service);
	/* A SYN begins a connection, even between addresses and ports that had one. */
	fprintf(writer->to,
		"\t\ttcp flags & (syn | ack) != syn ct state established,related accept comment \"reply\"\n"
		"\t\tmeta l4proto udp ct state established,related accept comment \"reply\"\n");
	put_protocols(writer);
	fprintf(writer->to, "\t\tgoto if%zu-drop\n\t}\n", writer->number);
}

static void put_out(struct writer *writer)
{
	writer->out = true;
	fprintf(writer->to, "\tchain if%zu-out {\n", writer->number);
	put_all(writer, true, "", put_service);
	put_all(writer, false, "answers of ", put_answer);
	fprintf(writer->to,
		"\t\ttcp flags & (syn | ack) != syn ct state established,related accept comment \"connected\"\n"
		"\t\tmeta l4proto { icmp, icmpv6, igmp } accept\n");
	put_protocols(writer);
	fprintf(writer->to, "\t\tgoto if%zu-drop\n\t}\n", writer->number);
	writer->out = false;
}

static bool holds_outbound(const struct writer *writer)
{
	__cleanup(names_free) struct names any = {};

	if (strcmp(text_of(writer->recipe, "outbound"), "enforce"))
		return false;
	sends_any(writer->recipe, writer->profiles, &any);
	return !any.count;
}

/* --- denied sources --- */

static bool denies(const struct writer *writer)
{
	return json_array_size(json_object_get(writer->recipe, "deny"));
}

/* " ip saddr != @if1-friends-ip" for each group of `never-ban`. The caller frees. */
static char *never_text(const struct writer *writer, bool ipv6)
{
	char *text = xstrdup("");
	const json_t *name;
	size_t i;

	json_array_foreach (json_object_get(writer->recipe, "never_ban"), i, name) {
		const char *group = json_string_value(name);
		char *longer;

		if (!has_family(json_object_get(groups_of(writer), group), ipv6))
			continue;
		longer = xasprintf("%s %s saddr != @if%zu-%s-%s", text, family[ipv6].header,
				   writer->number, group, family[ipv6].header);
		free(text);
		text = longer;
	}
	return text;
}

/*
 * Rules for denied sources come first, even before machines, but after neighbour discovery and
 * DHCP.
 */
static void put_denied(const struct writer *writer)
{
	const json_t *name;
	size_t i, ipv6;

	fprintf(writer->to,
		"\tchain if%zu-denied {\n"
		"\t\ticmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 return\n"
		"\t\tmeta nfproto ipv4 udp sport { 67, 68 } udp dport { 67, 68 } return\n"
		"\t\tmeta nfproto ipv6 udp sport { 546, 547 } udp dport { 546, 547 } return\n",
		writer->number);
	json_array_foreach (json_object_get(writer->recipe, "deny"), i, name)
		for (ipv6 = 0; ipv6 < ARRAY_SIZE(family); ipv6++) {
			const char *group = json_string_value(name);
			__free_text char *never = never_text(writer, ipv6);

			if (has_family(json_object_get(groups_of(writer), group), ipv6))
				fprintf(writer->to,
					"\t\t%s saddr @if%zu-%s-%s%s goto if%zu-drop comment \"denied\"\n",
					family[ipv6].header, writer->number, group,
					family[ipv6].header, never, writer->number);
		}
	fputs("\t}\n", writer->to);
}

/* The rule that sends packets to a chain: "jump if1-in". */
struct jump {
	const char *way;   /* "iifname" */
	const char *match; /* "ip daddr 192.0.2.10 ", or "" */
	const char *what;  /* "jump if1-in", or a verdict */
};

/* A name in quotes. nftables has no escapes, but interfaces cannot have a quote in their name
 * either. */
static void put_interface(FILE *to, const struct jump *jump, const char *name)
{
	if (!strpbrk(name, "\"\n"))
		fprintf(to, "\t\t%s \"%s\" %s%s\n", jump->way, name, jump->match, jump->what);
}

static void put_jumps(FILE *to, const json_t *interface, const struct jump *jump)
{
	const json_t *name;
	size_t i;

	put_interface(to, jump, text_of(interface, "name"));
	json_array_foreach (json_object_get(interface, "above"), i, name)
		put_interface(to, jump, json_string_value(name));
}

static struct writer writer_of(const json_t *interface, size_t number, FILE *to)
{
	const json_t *kept = json_object_get(interface, "kept");

	return (struct writer){
		.to = to,
		.interface = interface,
		.recipe = json_object_get(kept, "recipe"),
		.profiles = json_object_get(kept, "profiles"),
		.number = number,
	};
}

static bool is_machine(const json_t *interface)
{
	return json_is_array(json_object_get(interface, "address"));
}

/* The jump to a machine's chain for one of its prefixes. Packets that the chain does not drop are
 * accepted. */
static void put_machine(FILE *to, const json_t *machine, size_t number, bool out,
			const char *prefix)
{
	const struct writer writer = writer_of(machine, number, to);
	__free_text char *match = xasprintf("%s %s %s ", strchr(prefix, ':') ? "ip6" : "ip",
					    out ? "saddr" : "daddr", prefix);
	__free_text char *what = xasprintf("jump if%zu-%s", number, out ? "out" : "in");
	const char *way = out ? "oifname" : "iifname";

	if (!out || holds_outbound(&writer))
		put_jumps(to, machine, &(struct jump){way, match, what});
	put_jumps(to, machine, &(struct jump){way, match, "accept"});
}

static unsigned long length_of(const char *prefix)
{
	const char *slash = strchr(prefix, '/');

	return slash ? strtoul(slash + 1, NULL, 10) : 0;
}

/* Machines come before their interfaces, and longer prefixes before shorter ones. */
static void put_machines(const json_t *interfaces, bool out, FILE *to)
{
	const json_t *one, *prefix;
	size_t i, j;

	for (unsigned long length = 129; length--;)
		json_array_foreach (interfaces, i, one)
			json_array_foreach (json_object_get(one, "address"), j, prefix)
				if (length_of(json_string_value(prefix)) == length)
					put_machine(to, one, i + 1, out, json_string_value(prefix));
}

/* A base chain that sends the packets of each filter to its chain. Forwarded packets pass two
 * filters. */
static void put_base(const json_t *interfaces, const char *hook, bool out, FILE *to)
{
	const json_t *interface;
	size_t i;

	fprintf(to, "\tchain %s-%s {\n\t\ttype filter hook %s priority filter%s; policy accept;\n",
		hook, out ? "out" : "in", hook, out && !strcmp(hook, "forward") ? " + 1" : "");
	json_array_foreach (interfaces, i, interface) {
		struct writer writer = writer_of(interface, i + 1, to);
		__free_text char *what = xasprintf("jump if%zu-denied", i + 1);

		if (!out && !is_machine(interface) && denies(&writer))
			put_jumps(to, interface, &(struct jump){"iifname", "", what});
	}
	if (!strcmp(hook, "forward"))
		put_machines(interfaces, out, to);
	json_array_foreach (interfaces, i, interface) {
		struct writer writer = writer_of(interface, i + 1, to);
		__free_text char *what = xasprintf("jump if%zu-%s", i + 1, out ? "out" : "in");
		const struct jump jump = {out ? "oifname" : "iifname", "", what};

		if (!is_machine(interface) && (!out || holds_outbound(&writer)))
			put_jumps(to, interface, &jump);
	}
	fputs("\t}\n", to);
}

void report_nftables(const json_t *interfaces, FILE *to)
{
	const json_t *interface;
	size_t i;

	fputs("table inet " TABLE "\ndelete table inet " TABLE "\n\ntable inet " TABLE " {\n", to);
	json_array_foreach (interfaces, i, interface) {
		struct writer writer = writer_of(interface, i + 1, to);
		__free_text char *profiles =
			report_joined(json_object_get(writer.recipe, "profiles"), " + ");

		fputc('\t', to);
		text_print(to, "# if%zu: %s%s%s, %s%s", i + 1, text_of(interface, "name"),
			   is_machine(interface) ? ", machine " : "", text_of(interface, "machine"),
			   profiles, observes(&writer) ? ", observed" : "");
		fputs("\n", to);
		put_sets(&writer);
		put_drop(&writer);
		if (!is_machine(interface) && denies(&writer))
			put_denied(&writer);
		put_in(&writer);
		if (holds_outbound(&writer))
			put_out(&writer);
	}
	put_base(interfaces, "input", false, to);
	put_base(interfaces, "forward", false, to);
	put_base(interfaces, "output", true, to);
	put_base(interfaces, "forward", true, to);
	fputs("}\n", to);
}
