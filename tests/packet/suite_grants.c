// SPDX-License-Identifier: GPL-2.0
/*
 * Grants beside limits, bans and denied groups: each kind of source sends each kind of frame. What
 * is counted, recorded and told has the frame's own length, ports and flags, whatever was asked
 * about its source before.
 */
#include <arpa/inet.h>
#include <string.h>

#include <bpf/bpf.h>

#include "loader/base/memory.h"
#include "loader/compile/compile.h"
#include "loader/filter/ban_table.h"
#include "loader/filter/flags.h"
#include "loader/filter/generation.h"
#include "loader/filter/grant_map.h"
#include "tests/packet/arrays.h"
#include "tests/packet/check.h"
#include "tests/packet/suites.h"

#define BURST 5
#define SPLIT 14 /* bytes that are linear where the rest is not */

static const char yaml[] = "profile: grants\n"
			   "title: Services with limits and groups\n"
			   "services:\n"
			   "  - {name: smtp, in: 25/tcp}\n"
			   "  - {name: sip, in: 5060/udp}\n"
			   "  - {name: ssh, in: 22/tcp, from: trusted}\n";

static struct frame frame;
static struct pc_drop_bucket bucket[PC_DROP_BUCKETS];

/* --- sources --- */

enum {
	BANNED = 1,
	DENIED = 2,
	NEVER = 4,    /* granted into the group of never-ban */
	EXCEPT = 8,   /* granted into the group that limits except */
	TRUSTED = 16, /* granted into the group of ssh */
	OVER = 32,    /* has used up its limits */
};

static const struct {
	const char *name, *address[2]; /* of IPv4 and IPv6 */
	unsigned int is;
} source[] = {
	{"any source", {"10.9.0.1", "2001:db8:9::1"}, 0},
	{"one over its limits", {"10.9.0.2", "2001:db8:9:2::1"}, OVER},
	{"one that limits except", {"10.9.0.3", "2001:db8:9:3::1"}, OVER | EXCEPT},
	{"a trusted one", {"10.9.0.4", "2001:db8:9:4::1"}, OVER | TRUSTED},
	{"a banned one", {"10.2.0.1", "2001:db8:2::1"}, BANNED},
	{"a banned one with grants", {"10.2.0.2", "2001:db8:2:2::1"}, BANNED | EXCEPT | TRUSTED},
	{"one of never-ban in a ban", {"10.2.0.3", "2001:db8:2:3::1"}, BANNED | NEVER | OVER},
	{"one with every grant in a ban",
	 {"10.2.0.4", "2001:db8:2:4::1"},
	 BANNED | NEVER | EXCEPT | TRUSTED | OVER},
	{"a denied one", {"10.3.0.1", "2001:db8:3::1"}, DENIED},
	{"one of never-ban in a denied group",
	 {"10.3.0.3", "2001:db8:3:3::1"},
	 DENIED | NEVER | EXCEPT | OVER},
};

static const struct {
	unsigned int is;
	const char *group;
} granted[] = {{NEVER, "friends"}, {EXCEPT, "carrier"}, {TRUSTED, "trusted"}};

static struct prefix prefix_of(const char *text)
{
	struct prefix prefix = {};
	char *why = NULL;

	if (prefix_parse(text, &prefix, &why))
		check(false, "%s is a prefix", text);
	free(why);
	return prefix;
}

static int grant_all(const struct runner *runner)
{
	struct ban_file file = {};
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(source); i++)
		for (size_t j = 0; j < ARRAY_SIZE(granted); j++)
			for (int family = 0; family < 2 && source[i].is & granted[j].is; family++) {
				struct ban ban = {.list = granted[j].group,
						  .prefix = prefix_of(source[i].address[family]),
						  .until = PC_BAN_FOREVER};

				ban_set_add(&file.set, &ban);
			}
	err = grant_map_fill(&runner->filter, 1, &file, 1);
	ban_set_free(&file.set);
	return err;
}

static int ban_all(const struct runner *runner)
{
	static const char *const banned[] = {"10.2.0.0/16", "2001:db8:2::/48"},
				 *const denied[] = {"10.3.0.0/16", "2001:db8:3::/48"};
	struct ban_table table;
	int err = ban_table_make(8, 8, &table);

	for (int family = 0; family < 2 && !err; family++) {
		struct prefix ban = prefix_of(banned[family]), deny = prefix_of(denied[family]);

		err = ban_table_set(&table, &ban, PC_BAN_FOREVER, 1);
		ban_table_mark(&table, &deny);
	}
	if (!err)
		err = ban_table_install(&runner->filter, &table, 0);
	if (!err)
		err = ban_flag_set(&runner->filter, true);
	if (!err)
		err = filter_flag_set(&runner->filter, PC_FILTER_DENIED, true);
	ban_table_close(&table);
	return err;
}

static void take_away(const struct runner *runner)
{
	struct ban_file none = {};

	check(!grant_map_fill(&runner->filter, 1, &none, 1) &&
		      !filter_flag_set(&runner->filter, PC_FILTER_DENIED, false) &&
		      !ban_flag_set(&runner->filter, false) && !ban_table_remove(&runner->filter),
	      "grants, bans and denied groups are taken away");
}

/* --- tables --- */

static int put(struct runner *runner)
{
	static const char *const group[] = {"bad=10.3.0.0/16,2001:db8:3::/48",
					    "friends=198.18.0.0/16", "carrier=198.19.0.0/16",
					    "trusted=198.20.0.0/16"};
	struct recipe recipe = {.policy = PC_POLICY_ENFORCE};
	struct composition composition = {};
	struct catalog catalog = {};
	struct tables tables = {};
	struct diag diag = {};
	int err;

	catalog.profile = xcalloc(1, sizeof(*catalog.profile));
	if (!profile_parse("grants", yaml, strlen(yaml), &catalog.profile[0], &diag))
		catalog.profiles++;
	recipe_profiles(&recipe, "grants", &diag);
	for (size_t i = 0; i < ARRAY_SIZE(group); i++)
		recipe_group(&recipe, group[i], &diag);
	recipe_limit(&recipe, "grants:smtp={rate: 5/h, except: [carrier]}", &diag);
	recipe_limit(&recipe, "grants:sip={rate: 5/h, except: [carrier]}", &diag);
	names_add(&recipe.deny, "bad");
	names_add(&recipe.never_ban, "friends");
	err = diag.errors || compose(&catalog, &recipe, false, &composition, &diag) ||
	      compile(&composition, &tables, &diag);
	if (err)
		diag_print(&diag, stderr);
	else
		err = runner_switch(runner, &tables);
	tables_free(&tables);
	composition_free(&composition);
	recipe_free(&recipe);
	catalog_close(&catalog);
	diag_free(&diag);
	return err;
}

/* --- frames --- */

/* Without family and source. The later fragment comes behind the first one. */
static const struct {
	const char *name;
	struct frame_spec spec;
	unsigned int cell; /* that counts it, if none of the other rules drops it */
	int reason;	   /* of the drop; -1: it passes */
	bool limited;
} kind[] = {
	{"SYN", {.protocol = 6, .port = 25}, PC_CELL_PASS + PC_PORT(PC_TCP, 25), -1, true},
	{"ACK",
	 {.protocol = 6, .port = 25, .flags = FRAME_ACK | FRAME_PSH, .payload = 9},
	 PC_CELL_PASS + PC_PORT(PC_TCP, 25),
	 -1,
	 false},
	{"SYN to a group's port", {.protocol = 6, .port = 22}, 0, PC_REASON_SOURCE, false},
	{"datagram",
	 {.protocol = 17, .port = 5060, .payload = 40},
	 PC_CELL_PASS + PC_PORT(PC_UDP, 5060),
	 -1,
	 true},
	{"first fragment",
	 {.protocol = 17, .port = 5060, .payload = 40},
	 PC_CELL_PASS + PC_PORT(PC_UDP, 5060),
	 -1,
	 true},
	{"later fragment",
	 {.protocol = 17, .port = 5060, .payload = 40},
	 PC_CELL_PASS + PC_PORT(PC_UDP, 5060),
	 -1,
	 true},
	{"echo request", {.payload = 20}, PC_CELL_OTHER + PC_OTHER_ICMP, -1, false},
	{"error about an open port", {}, PC_CELL_OTHER + PC_OTHER_ICMP, -1, false},
	{"error about what was never sent", {}, 0, PC_REASON_ICMP, false},
	{"unlisted port",
	 {.protocol = 6, .port = 81, .flags = FRAME_SYN | FRAME_PSH, .payload = 3},
	 0,
	 PC_REASON_UNLISTED,
	 false},
	{"other protocol", {.protocol = 47, .payload = 30}, 0, PC_REASON_PROTOCOL, false},
};
enum {
	FIRST_FRAGMENT = 4,
	LATER_FRAGMENT,
	ECHO_REQUEST,
	GOOD_ERROR,
	STRANGE_ERROR,
};

/* type << 8 | code of an ICMP message: an echo request, or that the host is unreachable. */
static __u16 icmp_type(size_t at, int family)
{
	if (at == ECHO_REQUEST)
		return (family ? 128 : 8) << 8;
	return family ? 1 << 8 : 3 << 8 | 1;
}

/* An answer of this host, as an error quotes it. */
static const struct frame_spec *quoted_answer(const struct frame_spec *error, uint16_t port)
{
	static struct frame_spec quote;

	quote = (struct frame_spec){.family = error->family,
				    .source = error->family == 6 ? FRAME_TARGET6 : FRAME_TARGET4,
				    .target = error->source,
				    .protocol = 6,
				    .source_port = port,
				    .port = 40000,
				    .flags = FRAME_SYN | FRAME_ACK};
	return &quote;
}

static bool is_icmp(size_t at)
{
	return at >= ECHO_REQUEST && at <= STRANGE_ERROR;
}

/* `id`: that no fragments before had. */
static void build(size_t at, int family, const char *from, uint32_t id)
{
	struct frame_spec spec = kind[at].spec;
	bool first = at == FIRST_FRAGMENT, later = at == LATER_FRAGMENT;

	spec.family = family ? 6 : 4;
	spec.source = from;
	if (is_icmp(at)) {
		spec.protocol = family ? 58 : 1;
		spec.type = icmp_type(at, family) >> 8;
		spec.code = icmp_type(at, family) & 255;
	}
	if (at == GOOD_ERROR || at == STRANGE_ERROR)
		spec.quote = quoted_answer(&spec, at == GOOD_ERROR ? 25 : 81);
	if (first || later) {
		spec.id = id;
		spec.bare = later;
		spec.fragment = later ? 6 : FRAGMENT_MORE;
		if (family) {
			spec.exts = 1;
			spec.ext[0] = (struct frame_ext){
				.type = 44, .offset = later ? 6 : 0, .more = first};
		}
	}
	frame_build(&spec, &frame);
}

/* The reason for which a source's frame is dropped; -1: it passes. */
static int drop_of(size_t at, unsigned int is)
{
	if (!(is & NEVER) && is & BANNED)
		return PC_REASON_BANNED;
	if (!(is & NEVER) && is & DENIED)
		return PC_REASON_DENIED;
	if (kind[at].limited && is & OVER && !(is & EXCEPT))
		return at == LATER_FRAGMENT ? PC_REASON_FRAGMENT : PC_REASON_LIMIT;
	if (kind[at].reason == PC_REASON_SOURCE && is & TRUSTED)
		return -1;
	return kind[at].reason;
}

/* --- what is found --- */

static const struct bpf_map_info drops_info = {.max_entries = PC_DROP_BUCKETS};

static void clear(struct runner *runner)
{
	runner_zero(runner);
	memset(bucket, 0, sizeof(bucket));
	if (array_write(runner->filter.fd[FILTER_DROPS], &drops_info, bucket))
		check(false, "the table of drops is cleared");
}

/* Whether the one recorded drop is that of the frame; without a reason, whether none is. */
static const char *wrong_record(const struct runner *runner, size_t at, int family, int reason,
				const char *from)
{
	const struct pc_drop *found = NULL;
	__u16 port = is_icmp(at)	  ? icmp_type(at, family) :
		     at == LATER_FRAGMENT ? 0 :
					    kind[at].spec.port;
	__be32 address[4] = {};

	array_read(runner->filter.fd[FILTER_DROPS], &drops_info, bucket);
	for (size_t i = 0; i < (size_t)PC_DROP_BUCKETS * PC_DROP_PLACES; i++) {
		const struct pc_drop *drop = &bucket[i / PC_DROP_PLACES].drop[i % PC_DROP_PLACES];

		if (!(drop->how & PC_DROP_USED))
			continue;
		if (found)
			return "two drops are recorded";
		found = drop;
	}
	if (reason < 0 || !found)
		return reason < 0 && !found ? NULL : "a drop is recorded, or is not";
	inet_pton(family ? AF_INET6 : AF_INET, from, address);
	if (memcmp(address, found->address, sizeof(address)) != 0)
		return "the recorded drop is another source's";
	return found->reason == reason && found->port == port && found->packets == 1 &&
			       found->bytes == frame.length ?
		       NULL :
		       "reason, port or bytes of the recorded drop are wrong";
}

static const char *wrong_count(const struct runner *runner, size_t at, int reason)
{
	unsigned int cell = kind[at].cell;
	struct total total;

	if (reason >= 0)
		cell = PC_CELL_REASON + (unsigned int)reason;
	else if (kind[at].reason == PC_REASON_SOURCE)
		cell = PC_CELL_PASS + PC_PORT(PC_TCP, 22);
	total = runner_total(runner, cell);
	if (total.packets != 1)
		return "it is not counted where it should be";
	return total.bytes == frame.length ? NULL : "the bytes that are counted are wrong";
}

/* What `explain` and `monitor` tell of it. */
static const char *wrong_event(const struct pc_event *event, size_t at, int family, int reason)
{
	const struct frame_spec *spec = &kind[at].spec;
	bool ports = spec->port && at != LATER_FRAGMENT;
	__u8 flags = spec->protocol != 6 ? 0 : spec->flags ? spec->flags : FRAME_SYN;

	if (!!(event->how & PC_EVENT_DROP) != (reason >= 0))
		return "explain has another verdict";
	if (event->length != frame.length || event->family != (family ? 6 : 4))
		return "explain has another length or family";
	if (ports && (event->local_port != spec->port || event->remote_port != 40000))
		return "explain has other ports";
	return event->tcp_flags == flags ? NULL : "explain has other flags";
}

static bool runs(struct runner *runner, size_t from, size_t at, int family, size_t linear)
{
	const char *address = source[from].address[family], *wrong = NULL;
	int reason = drop_of(at, source[from].is), action;
	static uint32_t id;
	struct pc_event event;

	build(at, family, address, at == LATER_FRAGMENT ? id : ++id);
	if (!runner_takes(runner, &frame, linear))
		return true;
	/* Explaining leaves no fragment behind. */
	if (runner_explain(runner, &frame, false, &event))
		wrong = "explain has no answer";
	clear(runner);
	action = runner_fire(runner, &frame, linear, 1);
	if (action != (reason < 0 ? XDP_PASS : XDP_DROP))
		wrong = wrong ?: "the verdict is wrong";
	wrong = wrong ?: wrong_count(runner, at, reason);
	wrong = wrong ?: wrong_record(runner, at, family, reason, address);
	wrong = wrong ?: wrong_event(&event, at, family, reason);
	if (wrong)
		note("%s, IPv%d, %zu bytes linear: %s", kind[at].name, family ? 6 : 4,
		     linear < frame.length ? linear : frame.length, wrong);
	return !wrong;
}

/* A source uses up its limits. */
static void spend(struct runner *runner, const char *address, int family)
{
	for (size_t at = 0; at <= 3; at += 3) {
		build(at, family, address, 0);
		runner_fire(runner, &frame, RUN_WHOLE, BURST + 1);
	}
}

static void test_source(struct runner *runner, size_t from)
{
	unsigned int wrong = 0;

	for (int family = 0; family < 2; family++) {
		if (source[from].is & OVER)
			spend(runner, source[from].address[family], family);
		for (size_t at = 0; at < ARRAY_SIZE(kind); at++)
			wrong += !runs(runner, from, at, family, RUN_WHOLE);
		/* All headers behind Ethernet's in another buffer. */
		for (size_t at = 0; at < ARRAY_SIZE(kind) && runner->filter.frags; at++)
			wrong += !runs(runner, from, at, family, SPLIT);
	}
	check(!wrong, "grants beside limits and bans: %s", source[from].name);
}

void suite_grants(struct runner *runner)
{
	if (!check(!put(runner) && !grant_all(runner) && !ban_all(runner),
		   "grants, limits, bans and denied groups are in place"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(source); i++)
		test_source(runner, i);
	take_away(runner);
	memset(bucket, 0, sizeof(bucket));
	clear(runner);
}
