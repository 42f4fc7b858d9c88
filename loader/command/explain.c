// SPDX-License-Identifier: GPL-2.0
/* `explain`: what the filter does with a packet, and why. */
#include "loader/command/explain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/json.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/compile/admit.h"
#include "loader/command/explain_target.h"
#include "loader/command/packet_words.h"
#include "loader/doctor/attach_words.h"
#include "loader/guard/fix.h"
#include "loader/host/bans.h"
#include "loader/host/behind.h"
#include "loader/host/grants.h"
#include "loader/net/link.h"
#include "loader/net/local_address.h"
#include "loader/net/netlink.h"
#include "loader/net/sockets.h"
#include "loader/object/pin.h"
#include "loader/object/privilege.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/recipe_json.h"
#include "loader/report/bans.h"
#include "loader/report/explain.h"
#include "loader/report/groups.h"
#include "loader/report/json_forms.h"

#define TRIES 5

/* The packet in question, and this host's side of it. */
struct asking {
	const struct options *options;
	struct packet_words words;
	struct links links;
	struct mnl_socket *routes;
	struct grants grants;
	json_t *verdicts;
	bool dropped;
};

/* --- the packet --- */

/* Refuses an address of this host as the remote side, because a filter never sees such packets. */
static int check_remote(const struct asking *asking)
{
	const struct packet_words *words = &asking->words;
	const struct link_address *own = local_find(&asking->links, words->family, words->remote);
	char text[INET6_ADDRSTRLEN];

	if (!own)
		return 0;
	inet_ntop(words->family, words->remote, text, sizeof(text));
	error("explain: %s is an address of this host: packets between its own addresses stay on lo, where there is no filter; name the address of the other side",
	      text);
	return -EINVAL;
}

/* Link-local addresses of a bridge's port are the bridge's. */
static void find_route(const struct asking *asking, unsigned int ifindex, struct route *route)
{
	const struct packet_words *words = &asking->words;
	bool near = words->family == AF_INET6 &&
		    IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)words->remote);

	*route = (struct route){};
	route_back(asking->routes, words->family, words->remote, NULL,
		   near ? links_zone(&asking->links, ifindex) : 0, route);
}

/* addresses tried: the first ones may be this host's, or another machine's */
#define ADDRESSES_TRIED 64

/* True if the filter gives the address to the machine. */
static bool is_machine(const struct explain_target *target, size_t at,
		       const struct link_address *own, size_t count, const struct prefix *address)
{
	size_t size = address->family == AF_INET ? 4 : 16;

	for (size_t i = 0; i < count; i++)
		if (own[i].family == address->family &&
		    !memcmp(own[i].address, address->address, size))
			return false;
	return kept_machine_of(target->kept, address->family, address->address) == at;
}

/* The first address of the prefix that the filter gives to the machine. */
static bool choose_address(const struct asking *asking, const struct explain_target *target,
			   size_t at, const struct prefix *prefix, __u8 local[16])
{
	__cleanup(text_free) struct link_address *own = NULL;
	size_t count = local_taken(&asking->links, &own), last = prefix->family == AF_INET ? 3 : 15;
	struct prefix address = *prefix;

	for (__u8 i = 0; i < ADDRESSES_TRIED; i++) {
		address.address[last] = prefix->address[last] + i;
		if (!prefix_contains(prefix, address.family, address.address))
			return false;
		if (!is_machine(target, at, own, count, &address))
			continue;
		memcpy(local, address.address, 16);
		return true;
	}
	return false;
}

/* The machine's first address of the right family. */
static int find_machine(const struct asking *asking, const struct explain_target *target,
			__u8 local[16])
{
	const char *name = asking->options->machine_name;
	const json_t *machines = json_object_get(target->kept, "machines"), *text;
	size_t at = kept_machine_find(target->kept, name), i;
	bool found = false;

	if (at == kept_machines(target->kept)) {
		error("explain: %s: there is no machine '%s'", target->name, name);
		return -ENOENT;
	}
	json_array_foreach (json_object_get(json_array_get(machines, at), "address"), i, text) {
		__free_text char *why = NULL;
		struct prefix prefix;

		if (!json_is_string(text) || prefix_parse(json_string_value(text), &prefix, &why) ||
		    prefix.family != asking->words.family)
			continue;
		found = true;
		if (choose_address(asking, target, at, &prefix, local))
			return 0;
	}
	if (found)
		error("explain: the first %s addresses of machine '%s' are this host's or another machine's; give one with --local",
		      asking->words.family == AF_INET ? "IPv4" : "IPv6", name);
	else
		error("explain: machine '%s' has no %s address", name,
		      asking->words.family == AF_INET ? "IPv4" : "IPv6");
	return -EADDRNOTAVAIL;
}

/* Refuses words that contradict each other. */
static int check_machine(const struct asking *asking, const struct explain_target *target)
{
	const struct packet_words *words = &asking->words;
	const char *name = asking->options->machine_name;
	size_t at = kept_machine_of(target->kept, words->family, words->local);
	const char *other =
		at < kept_machines(target->kept) ? kept_machine_name(target->kept, at) : NULL;
	char text[INET6_ADDRSTRLEN];

	if (other && !strcmp(other, name))
		return 0;
	inet_ntop(words->family, words->local, text, sizeof(text));
	if (kept_machine_find(target->kept, name) == kept_machines(target->kept))
		error("explain: %s: there is no machine '%s'", target->name, name);
	else if (other)
		error("explain: %s: --local %s is an address of machine '%s', not of '%s'",
		      target->name, text, other, name);
	else
		error("explain: %s: --local %s is not an address of machine '%s'; to list them: portcullis status",
		      target->name, text, name);
	return -EINVAL;
}

/* Fills in this host's address. */
static int find_local(const struct asking *asking, const struct explain_target *target,
		      __u8 local[16])
{
	const struct packet_words *words = &asking->words;
	const struct link_address *own;
	struct route route;

	if (words->has_local) {
		memcpy(local, words->local, 16);
		return asking->options->machine_name ? check_machine(asking, target) : 0;
	}
	if (asking->options->machine_name)
		return find_machine(asking, target, local);
	find_route(asking, target->ifindex, &route);
	own = local_choose(&asking->links, target->ifindex, words->family, words->remote, &route);
	if (!own) {
		error("explain: this host has no %s address; give one with --local",
		      words->family == AF_INET ? "IPv4" : "IPv6");
		return -EADDRNOTAVAIL;
	}
	memcpy(local, own->address, 16);
	return 0;
}

static struct made_packet make_packet(const struct packet_words *words, const __u8 local[16])
{
	struct made_packet packet = {
		.family = words->family,
		.protocol = words->protocol,
		.source_port = words->from,
		.destination_port = words->port,
		.tcp_flags = words->tcp_flags,
		.icmp_type = words->icmp_type,
		.icmp_code = words->icmp_code,
	};

	memcpy(packet.source, words->out ? local : words->remote, sizeof(packet.source));
	memcpy(packet.destination, words->out ? words->remote : local, sizeof(packet.destination));
	return packet;
}

/* The packet quoted in an ICMP error, which went in the opposite direction. */
static struct made_packet make_quoted(const struct packet_words *words,
				      const struct made_packet *packet)
{
	struct made_packet quoted = {
		.family = words->family,
		.protocol = words->quoted,
		.source_port = words->port,
		.destination_port = words->from,
		.tcp_flags = TH_ACK,
	};

	memcpy(quoted.source, packet->destination, sizeof(quoted.source));
	memcpy(quoted.destination, packet->source, sizeof(quoted.destination));
	return quoted;
}

/* The event for a filter without a generation: it has no verdict. */
static void event_without(const struct made_packet *packet, bool out, struct pc_event *event)
{
	size_t size = packet->family == AF_INET ? 4 : 16;
	bool ports = packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP;

	*event = (struct pc_event){
		.cell = PC_CELLS_ALL,
		.remote_port = out ? packet->destination_port : packet->source_port,
		.local_port = out ? packet->source_port : packet->destination_port,
		.family = packet->family == AF_INET ? 4 : 6,
		.protocol = packet->protocol,
		.tcp_flags = packet->tcp_flags,
		.how = (out ? PC_EVENT_OUT : 0) | (ports ? PC_EVENT_PORTS : 0),
	};
	memcpy(event->remote, out ? packet->destination : packet->source, size);
	memcpy(event->local, out ? packet->source : packet->destination, size);
}

/* True if this host has a TCP connection with these ports and that peer. */
static bool has_connection(const struct made_packet *packet)
{
	size_t size = packet->family == AF_INET ? 4 : 16, count = 0, i;
	struct socket_info *list = NULL;
	bool has = false;

	sockets_list(IPPROTO_TCP, ~(__u32)SOCKET_STATE(TCP_LISTEN), &list, &count);
	for (i = 0; i < count && !has; i++)
		has = list[i].family == packet->family &&
		      list[i].local_port == packet->source_port &&
		      list[i].remote_port == packet->destination_port &&
		      !memcmp(list[i].remote, packet->destination, size);
	free(list);
	return has;
}

/* Makes the packet, with the one that it quotes. */
struct asked {
	struct made_packet packet, quoted;
};

static int ask(const struct asking *asking, struct explain_target *target, struct asked *asked,
	       struct pc_event *event)
{
	const struct packet_words *words = &asking->words;
	__u8 local[16], frame[FRAME_MADE_MOST];
	size_t length;
	int err = find_local(asking, target, local);

	if (err)
		return err;
	asked->packet = make_packet(words, local);
	if (words->quoted) {
		asked->quoted = make_quoted(words, &asked->packet);
		asked->packet.quoted = &asked->quoted;
	}
	target->question.sent_by_socket =
		words->out && words->protocol == IPPROTO_TCP && has_connection(&asked->packet);
	length = frame_make(&asked->packet, target->question.frame, frame);
	err = question_ask(&target->question, frame, length, words->out, event);
	if (err == -ENODATA) {
		event_without(&asked->packet, words->out, event);
		return 0;
	}
	if (err)
		error("%s: the kernel does not run the BPF program: %s", target->name,
		      strerror(-err));
	return err;
}

/* --- the fix --- */

char *explain_fix(const struct explain_target *target, const struct guard_opening *opening)
{
	__free_text char *all = NULL;
	__free_text char *name = shell_word(*target->name ? target->name : "IFACE");
	json_t *kept;

	if (target->live)
		return xasprintf("portcullis swap %s%s%s", name, *opening->words ? " " : "",
				 opening->words);
	kept = json_copy((json_t *)target->kept);
	json_object_set(kept, "recipe", opening->recipe);
	all = doctor_words(kept);
	json_decref(kept);
	return xasprintf("portcullis %s %s%s%s", target->hook ? "swap" : "attach", name,
			 target->hook ? " --fresh" : "", all);
}

/* True if granting the source into the group would admit it; tried with the filter's tables. */
static bool admits_by(const struct explain_target *target, const struct pc_event *event,
		      bool behind, const char *group)
{
	const struct tables *tables = &target->planned->plan.tables;
	int family = event->family == 4 ? AF_INET : AF_INET6;
	size_t size = family == AF_INET ? 4 : 16;
	struct ban one = {.list = group,
			  .until = PC_BAN_FOREVER,
			  .prefix = {.family = (__u8)family, .length = (__u8)(size * 8)}};
	const struct ban_set set = {.ban = &one, .count = 1};

	memcpy(one.prefix.address, event->remote, size);
	/* The compiled tables do not know this host's addresses within prefixes of machines. */
	return tables_granted(tables,
			      behind ? tables_class(tables, family, (const __u8 *)event->local) : 0,
			      &set, 0, family, (const __u8 *)event->remote,
			      event->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP, event->remote_port,
			      event->local_port);
}

/*
 * The group into which a grant would admit the source, or NULL. Of several groups, the one that
 * opens the fewest services to it: a mail server, for example, should not be able to log in.
 */
static const char *grantable(const struct explain_target *target, const struct pc_event *event,
			     bool behind)
{
	json_t *groups = json_object_get(json_object_get(target->kept, "recipe"), "groups"), *list;
	const char *name, *best = NULL;
	size_t least = SIZE_MAX;

	json_object_foreach (groups, name, list) {
		size_t services = report_groups_admitted(target->kept, name);

		if (services < least && admits_by(target, event, behind, name)) {
			least = services;
			best = name;
		}
	}
	return best;
}

/* The words that open the port to the packet, as options or as keys of the site file. */
static bool open_by(const struct guard_command *command, const struct explain_target *target,
		    const struct plan *plan, const struct pc_event *event, const char *group,
		    struct guard_opening *opening)
{
	struct socket_info peer = {
		.family = event->family == 4 ? AF_INET : AF_INET6,
		.protocol = event->protocol,
		.local_port = event->local_port,
		.remote_port = event->remote_port,
	};
	const struct guard_peer list[] = {{&peer, true}};
	struct guard_need need = {
		.transport = event->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP,
		.port = event->how & PC_EVENT_OUT ? event->remote_port : event->local_port,
		.peer = list,
		.peers = 1,
		.out = event->how & PC_EVENT_OUT,
		.group = group,
	};
	struct guard_target of = {
		.interface = target->name,
		.ifindex = target->ifindex,
		.plan = plan,
		.catalog = &target->planned->catalog,
		.kept = plan->kept,
	};

	memcpy(peer.remote, event->remote, sizeof(peer.remote));
	return need.port && guard_open(command, &of, &need, opening);
}

/*
 * Opens a machine's port: tries its own recipe like an interface's, and writes the words after
 * --machine.
 */
static void add_machine_fix(json_t *verdict, const struct explain_target *target,
			    const struct pc_event *event, const char *machine, const char *group)
{
	const json_t *planned = target->planned->plan.kept;
	json_t *kept = kept_machine(planned, kept_machine_find(planned, machine));
	__cleanup(guard_opening_free) struct guard_opening opening = {}, line = {};
	__cleanup(recipe_free) struct recipe recipe = {};
	__cleanup(plan_free) struct plan plan = {};
	__cleanup(diag_free) struct diag unused = {};
	__free_text char *name = shell_word(*target->name ? target->name : "IFACE");
	const struct names folders = {};
	int err = recipe_from_json(&recipe, json_object_get(kept, "recipe"), &unused);

	json_decref(kept);
	if (err || plan_make(&target->planned->catalog, &folders, &recipe, false, &plan, &unused))
		return;
	if (target->live && open_by(&guard_explain, target, &plan, event, group, &opening))
		json_object_set_new(verdict, "fix",
				    json_sprintf("portcullis swap %s --machine %s %s", name,
						 machine, opening.words));
	if (open_by(&guard_explain_site, target, &plan, event, group, &line))
		json_object_set_new(verdict, "site_line",
				    json_sprintf("machines: {%s: {%s}}", machine, line.words));
}

/* For a listed port that is closed to the source: a grant, because it does not change the rules. */
static void add_grant_fix(json_t *verdict, const struct explain_target *target, const char *group)
{
	const char *fix = json_string_value(json_object_get(verdict, "fix"));
	__free_text char *name = shell_word(target->name);
	__free_text char *swap = xasprintf("portcullis swap %s", name);

	/* The site file already admits the source, so a swap without options is enough. */
	if (fix && !strcmp(fix, swap))
		return;
	if (group)
		json_object_set_new(
			verdict, "fix",
			json_sprintf("portcullis grant %s %s --for 8h", group,
				     json_string_value(json_object_get(verdict, "source"))));
}

static void add_fix(json_t *verdict, const struct explain_target *target,
		    const struct pc_event *event, const char *group)
{
	const char *machine = json_string_value(json_object_get(verdict, "machine"));
	__cleanup(guard_opening_free) struct guard_opening opening = {}, line = {};
	__free_text char *fix = NULL;

	if (!target->planned || (event->protocol != IPPROTO_TCP && event->protocol != IPPROTO_UDP))
		return;
	if (machine) {
		add_machine_fix(verdict, target, event, machine, group);
		return;
	}
	if (!target->of && open_by(target->hook ? &guard_explain : &guard_explain_new, target,
				   &target->planned->plan, event, group, &opening)) {
		fix = explain_fix(target, &opening);
		json_object_set_new(verdict, "fix", text_json(fix));
	}
	if (open_by(&guard_explain_site, target, &target->planned->plan, event, group, &line))
		json_object_set_new(verdict, "site_line", text_json(line.words));
}

/* --- limits --- */

char *explain_limit_fix(const struct explain_target *target, const json_t *verdict)
{
	const char *machine = json_string_value(json_object_get(verdict, "machine"));
	__free_text char *name = shell_word(*target->name ? target->name : "IFACE"), *all = NULL;
	__cleanup(names_free) struct names words = {};
	const json_t *service;
	size_t i;

	json_array_foreach (json_object_get(verdict, "services"), i, service)
		names_add(&words, json_string_value(service));
	if (!words.count || !target->live)
		return NULL;
	all = names_join(&words, " --no-limit ");
	return xasprintf("portcullis swap %s%s%s --no-limit %s", name, machine ? " --machine " : "",
			 machine ?: "", all);
}

static void add_limit_fix(json_t *verdict, const struct explain_target *target)
{
	__free_text char *fix = explain_limit_fix(target, verdict);

	if (fix)
		json_object_set_new(verdict, "fix", text_json(fix));
}

/* --- bans --- */

/* The bans that hold for a source, in words, and the command that lifts them. */
struct ban_words {
	struct names why, prefixes;
	const struct ban *last; /* the ban with the latest end */
};

static void add_ban(struct ban_words *words, const struct ban *ban, const struct ban_clock *clock)
{
	__free_text char *end = ban_end_text(ban, clock);
	char prefix[PREFIX_TEXT];
	__free_text char *text =
		xasprintf("by %s %s (%s)", ban->list, end, prefix_format(&ban->prefix, prefix));

	names_add(&words->why, text);
	names_add_once(&words->prefixes, prefix);
	if (!words->last || ban->until > words->last->until)
		words->last = ban;
}

static void set_ban(json_t *verdict, const struct ban_words *words, const struct ban_clock *clock)
{
	__free_text char *why = names_join(&words->why, ", ");
	__free_text char *prefixes = names_join(&words->prefixes, " ");
	const struct pc_ban_count none = {};
	json_t *ban = ban_json(words->last, clock, &none);

	json_object_set_new(verdict, "why", json_pack("s++", "banned ", why, ""));
	json_object_set_new(verdict, "fix", json_pack("s++", "portcullis unban ", prefixes, ""));
	json_object_set(verdict, "list", json_object_get(ban, "list"));
	json_object_set(verdict, "until", json_object_get(ban, "until"));
	json_object_set(verdict, "comment", json_object_get(ban, "comment"));
	json_decref(ban);
}

/* The ban of the source: by whom, until when and why, and the command that lifts it. */
static void add_bans(json_t *verdict, const struct pc_event *event)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	__cleanup(bans_close) struct bans bans = {.table = BAN_TABLE_NONE};
	struct ban_words words = {};
	__u8 family = event->family == 4 ? AF_INET : AF_INET6;
	size_t i;

	if (hooks_read(&hooks) || bans_read(&hooks, &bans))
		return;
	for (i = 0; i < bans.file.set.count; i++) {
		const struct ban *ban = &bans.file.set.ban[i];

		if (ban_holds(ban, (__u32)bans.clock.boot) &&
		    prefix_contains(&ban->prefix, family, (const __u8 *)event->remote))
			add_ban(&words, ban, &bans.clock);
	}
	if (words.last)
		set_ban(verdict, &words, &bans.clock);
	names_free(&words.why);
	names_free(&words.prefixes);
}

/* --- grants --- */

static void set_granted(json_t *verdict, const struct ban *grant, const struct ban_clock *clock)
{
	__free_text char *end = ban_end_text(grant, clock);
	json_t *json = report_grant_json(grant, clock);

	json_object_set_new(verdict, "why",
			    json_sprintf("%s, granted %s",
					 json_string_value(json_object_get(verdict, "why")), end));
	json_object_set(verdict, "until", json_object_get(json, "until"));
	json_object_set(verdict, "comment", json_object_get(json, "comment"));
	json_decref(json);
}

/* Until when a grant lets the packet pass: the latest end of the grants that do. */
static void add_granted(const struct asking *asking, json_t *verdict)
{
	const struct ban *last = NULL;
	const json_t *admission;
	size_t i, j;

	json_array_foreach (json_object_get(verdict, "admitted_by"), i, admission) {
		const char *group = json_string_value(json_object_get(admission, "group"));
		const char *prefix = json_string_value(json_object_get(admission, "prefix"));

		for (j = 0; group && prefix && j < asking->grants.file.set.count; j++) {
			const struct ban *grant = &asking->grants.file.set.ban[j];
			char text[PREFIX_TEXT];

			if (grants_hold(&asking->grants, grant) && !strcmp(grant->list, group) &&
			    !strcmp(prefix_format(&grant->prefix, text), prefix) &&
			    (!last || grant->until > last->until))
				last = grant;
		}
	}
	if (last)
		set_granted(verdict, last, &asking->grants.clock);
}

/* --- what else decides --- */

/* The conntrack state of the packet. */
static enum nft_state state_of(const struct pc_event *event)
{
	bool begins = event->protocol != IPPROTO_TCP ||
		      (event->tcp_flags & (TH_SYN | TH_ACK | TH_RST)) == TH_SYN;

	if (event->cell == PC_CELL_OTHER + PC_OTHER_REPLY)
		return NFT_STATE_ESTABLISHED;
	return begins && (event->protocol == IPPROTO_TCP || event->protocol == IPPROTO_UDP) ?
		       NFT_STATE_NEW :
		       NFT_STATE_UNKNOWN;
}

static void add_next(const struct asking *asking, const struct explain_target *target,
		     const struct made_packet *packet, const struct pc_event *event,
		     json_t *verdict)
{
	struct behind behind = {
		.links = &asking->links,
		.routes = asking->routes,
		.ifindex = target->ifindex,
		.packet = packet,
		.out = asking->words.out,
		.machine = json_is_string(json_object_get(verdict, "machine")),
		.state = state_of(event),
	};

	if (target->live)
		object_program(target->live->filter.fd[FILTER_EGRESS], &behind.egress);
	behind_find(&behind);
	json_object_set_new(verdict, "next", names_json(&behind.next));
	json_object_set_new(verdict, "dropped_behind", json_boolean(behind.drops));
	names_free(&behind.next);
}

/* --- verdicts --- */

/* Repeats if a swap, or the end of a deadline, comes between reading the recipe and asking. */
static bool is_stale(const struct explain_target *target, const struct pc_event *event)
{
	return target->live && event->cell != PC_CELLS_ALL &&
	       event->generation != (__u32)target->live->filter.current.copy->number;
}

/* Warns that on this kernel the result may be wrong for a socket that is bound to a device. */
static void warn_blind(const struct asking *asking, const struct explain_target *target,
		       const struct pc_event *event)
{
	bool begins =
		event->protocol == IPPROTO_TCP && (event->tcp_flags & (TH_SYN | TH_ACK)) == TH_SYN;

	if (target->question.blind && !asking->words.out && !begins &&
	    (event->cell == PC_CELL_REASON + PC_REASON_UNLISTED ||
	     event->cell == PC_CELL_REASON + PC_REASON_SOURCE))
		warning("%s: before Linux 5.15 explain cannot name the interface to the filter: if the socket of this connection is bound to a device, the packet passes",
			target->name);
}

static int explain_one(struct asking *asking, struct explain_target *target)
{
	struct pc_event event = {};
	struct asked asked = {};
	const char *group = NULL;
	json_t *verdict;
	int err = ask(asking, target, &asked, &event);
	bool drops = (event.how & (PC_EVENT_DROP | PC_EVENT_WOULD)) == PC_EVENT_DROP;

	if (err)
		return err;
	if (is_stale(target, &event))
		return -EAGAIN;
	warn_blind(asking, target, &event);
	if (target->live)
		event_services_grants(target->services, &asking->grants.file.set,
				      (__u32)asking->grants.clock.boot);
	verdict = explain_verdict(&event, *target->name ? target->name : NULL, target->kept,
				  target->services);
	if (event.cell == PC_CELL_REASON + PC_REASON_SOURCE && target->planned)
		group = grantable(target, &event,
				  !json_is_null(json_object_get(verdict, "machine")));
	if (event.cell == PC_CELL_REASON + PC_REASON_BANNED)
		add_bans(verdict, &event);
	else if (event.cell == PC_CELL_REASON + PC_REASON_LIMIT)
		add_limit_fix(verdict, target);
	else if (event.how & (PC_EVENT_DROP | PC_EVENT_WOULD) &&
		 event.cell != PC_CELL_REASON + PC_REASON_DENIED)
		add_fix(verdict, target, &event, group);
	else if (event.cell < PC_CELL_DROP && target->live)
		add_granted(asking, verdict);
	if (event.cell == PC_CELL_REASON + PC_REASON_SOURCE && target->live && target->planned)
		add_grant_fix(verdict, target, group);
	if (!drops)
		add_next(asking, target, &asked.packet, &event, verdict);
	if (target->live)
		json_object_set_new(verdict, "confirm", filter_confirm_json(&target->live->filter));
	asking->dropped |= drops;
	json_array_append_new(asking->verdicts, verdict);
	return 0;
}

static bool has_machine(const struct asking *asking, const struct explain_target *target)
{
	const char *name = asking->options->machine_name;

	return kept_machine_find(target->kept, name) < kept_machines(target->kept);
}

/* Without an interface, a machine's packet is asked at the filter that has the machine. */
static bool passes_over(const struct asking *asking, const struct explain_targets *targets,
			const struct explain_target *target)
{
	if (asking->words.interface || !asking->options->machine_name ||
	    has_machine(asking, target))
		return false;
	for (size_t i = 0; i < targets->count; i++)
		if (has_machine(asking, &targets->target[i]))
			return true;
	return false;
}

static int explain_targets(struct asking *asking, struct diag *diag)
{
	__cleanup(explain_targets_close) struct explain_targets targets = {.command = "explain"};
	size_t i;
	int err;

	json_array_clear(asking->verdicts);
	asking->dropped = false;
	err = explain_targets_open(asking->options, asking->words.interface, &targets, diag);
	diag_report(diag);
	for (i = 0; i < targets.count && !err; i++)
		if (!passes_over(asking, &targets, &targets.target[i]))
			err = explain_one(asking, &targets.target[i]);
	return !err && targets.left_out ? -EPROTO : err;
}

static int explain_all(struct asking *asking, struct diag *diag)
{
	int err = -EAGAIN, tries;

	for (tries = 0; tries < TRIES && err == -EAGAIN; tries++)
		err = explain_targets(asking, diag);
	if (err == -EAGAIN)
		error("explain: the filter changes all the time; try again");
	return err;
}

static int read_host(struct asking *asking)
{
	__cleanup(hooks_free) struct hooks hooks = {};
	int err = links_read(&asking->links);

	if (!err)
		err = netlink_open(NETLINK_ROUTE, &asking->routes);
	if (err)
		error("explain: cannot list the addresses of this host: %s", strerror(-err));
	if (!err)
		err = hooks_read(&hooks);
	if (!err)
		err = grants_read(&hooks, &asking->grants);
	return err ? err : check_remote(asking);
}

static bool is_there(const char *name)
{
	char real[IF_NAMESIZE];

	return link_find(name, real) > 0;
}

int command_explain(const struct options *options, struct diag *diag)
{
	struct asking asking = {.options = options};
	int err;

	if (packet_words_read(options, is_there, &asking.words))
		return EXIT_USAGE;
	if (kernel_privileged("explain"))
		return EXIT_FAILED;
	asking.verdicts = json_array();
	err = read_host(&asking);
	if (!err)
		err = explain_all(&asking, diag);
	if (!err)
		report_print(report_new("verdicts", asking.verdicts),
			     options->json ? NULL : report_explain_text);
	else
		json_decref(asking.verdicts);
	links_free(&asking.links);
	grants_close(&asking.grants);
	netlink_close(&asking.routes);
	return err ? EXIT_FAILED : options->exit_code && asking.dropped ? EXIT_DIFFERS : EXIT_DONE;
}
