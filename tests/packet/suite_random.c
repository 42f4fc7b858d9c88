// SPDX-License-Identifier: GPL-2.0
/* Program against model: random frames, and every value of the fields that decide. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/base/clock.h"
#include "loader/compile/tables.h"
#include "loader/filter/ban_table.h"
#include "loader/filter/flags.h"
#include "loader/filter/grant_map.h"
#include "tests/packet/check.h"
#include "tests/packet/explained.h"
#include "tests/packet/fixture.h"
#include "tests/packet/random.h"
#include "tests/packet/replayed.h"
#include "tests/packet/suites.h"

#define SHOWN	      5	   /* mismatches of one profile that are printed */
#define ASKED	      5000 /* frames of each profile that are only explained, at most */
#define ASKED_QUICK   4	   /* in a quick run, one of so many random frames is explained first */
#define SHRINK_LENGTH 400  /* length up to which a smaller failing frame is searched */

static const uint16_t port[] = {25,   53,   60000, 60050, 60099, 1,    65535, 993,  143,
				389,  69,   22,	   80,	  68,	 546,  4000,  4001, 4002,
				4003, 5000, 5001,  5002,  5003,	 5004, 5005,  5006, 6005};
static const uint16_t source_port[] = {40000, 67,  547,	 20,	700,  710,  705,   100,
				       200,   150, 1023, 65535, 1000, 2000, 40001, 1};
static const char *const source4[] = {"203.0.113.9", "10.9.9.9",   "10.1.9.9",
				      "10.1.2.130",  "10.1.2.200", "192.168.3.3",
				      "169.254.3.3", "0.0.0.0",	   "100.64.1.1"};
static const char *const source6[] = {"2001:db8:ffff::9",
				      "2001:db8:a::1",
				      "2001:db8:a:1::1",
				      "2001:db8:a:1:8000::2",
				      "2001:db8:a:1:8000::1",
				      "2001:db8:b::1",
				      "fe80::1",
				      "fec0::1",
				      "febf::1",
				      "::",
				      "2001:db8:c::1"};
static const uint8_t protocol[] = {50, 47, 132, 59, 255, 4, 51, 2};

static const uint32_t fragment_id[] = {0,	   0x2001,     0x2002,	   0x2003,
				       0x2004,	   0x2005,     0x2006,	   0x2007,
				       0x20010000, 0x20020000, 0x20030000, 0x20070000,
				       0x70010002, 0x70010003, 0x70010004, 0x70010005};
static struct random_tuple tuple[MODEL_SOCKETS + MODEL_FLOWS + 64];

static uint16_t listed[PC_TRANSPORTS][1 << 16];

static struct random_aims aims = {
	.listed = {listed[PC_TCP], listed[PC_UDP]},
	.port = port,
	.ports = ARRAY_SIZE(port),
	.source_port = source_port,
	.source_ports = ARRAY_SIZE(source_port),
	.source4 = source4,
	.sources4 = ARRAY_SIZE(source4),
	.source6 = source6,
	.sources6 = ARRAY_SIZE(source6),
	.protocol = protocol,
	.protocols = ARRAY_SIZE(protocol),
	.tuple = tuple,
	.id = fragment_id,
	.ids = ARRAY_SIZE(fragment_id),
};

/* One comparison. The tables of one profile are in place. */
struct contest {
	struct runner *runner;
	struct tables tables;
	struct model_verdict model;
	struct outcome program;
	bool egress;
	const struct filter *explaining; /* NULL: `explain` and `replay` are not asked */
	struct question *replaying;
	bool ask; /* both, about this frame */
	uint64_t met[MODEL_WHYS];
	uint64_t unsent; /* that the kernel does not run at egress */
};

/*
 * The host's state. It is made again from time to time, because flows end and first fragments
 * accumulate, and when it is too old on a slow machine, because the model has no clock.
 */
#define STATE_FRAMES 500
static struct model_state fresh, state, before;

/* A static, because it is large; one suite at a time uses it. */
static struct frame frame, smaller;

/* Both decide the frame. If the kernel refuses the run, that counts as a disagreement, too. */
static bool agree(struct contest *contest, const struct frame *judged, size_t linear)
{
	struct pc_explained explained;
	int err, action = 0;

	/* `explain` is asked first, because the frame changes the maps. */
	if (contest->ask)
		action = explained_run(contest->explaining, judged, linear, contest->egress,
				       &explained);
	if (contest->egress) {
		contest->model =
			model_egress(judged->data, judged->length, false, &contest->tables, &state);
		err = runner_send(contest->runner, judged, &contest->model, &contest->program);
	} else {
		contest->model =
			model_judge(judged->data, judged->length, &contest->tables, &state);
		err = runner_run(contest->runner, judged, linear, &contest->model,
				 &contest->program);
	}
	if (err) {
		note("BPF_PROG_TEST_RUN: %s", strerror(-err));
		contest->program.odd = "the kernel refuses to run it";
		return false;
	}
	contest->met[contest->model.why]++;
	return !contest->program.odd && model_equal(&contest->model, &contest->program.verdict) &&
	       (!contest->ask || (explained_agrees(action, &explained, &contest->program,
						   judged->length, contest->egress) &&
				  (!contest->replaying ||
				   replayed_agrees(contest->replaying, judged, contest->egress,
						   &contest->tables, &contest->program))));
}

static void copy(struct frame *to, const struct frame *from)
{
	memcpy(to->data, from->data, from->length);
	to->length = from->length;
	to->end = from->end;
}

/* The model decides with the state before the frame on which they differed. */
static bool agree_again(struct contest *contest, const struct frame *judged, size_t linear)
{
	model_copy(&state, &before);
	fixture_install(contest->runner, &state);
	return agree(contest, judged, linear);
}

static bool agree_in_time(struct contest *contest, const struct frame *judged, size_t linear)
{
	bool good = agree(contest, judged, linear);
	int tries = 0;

	while (!good && fixture_retry(&tries))
		good = agree_again(contest, judged, linear);
	return good;
}

/* Makes `frame` shorter and emptier as long as program and model still differ on it. */
static size_t shrink(struct contest *contest, size_t linear)
{
	if (linear != RUN_WHOLE && !agree_again(contest, &frame, RUN_WHOLE))
		linear = RUN_WHOLE;
	for (size_t length = RUN_FRAME_MIN; length < frame.length && length < SHRINK_LENGTH;
	     length++) {
		copy(&smaller, &frame);
		frame_cut(&smaller, length);
		if ((linear != RUN_WHOLE && linear >= length) ||
		    agree_again(contest, &smaller, linear))
			continue;
		copy(&frame, &smaller);
		break;
	}
	for (size_t at = 0; at < frame.length && at < SHRINK_LENGTH; at++) {
		uint8_t old = frame.data[at];

		frame.data[at] = 0;
		if (agree_again(contest, &frame, linear))
			frame.data[at] = old;
	}
	agree_again(contest, &frame, linear);
	return linear;
}

static void show(const struct contest *contest, size_t linear, const char *what)
{
	if (linear != RUN_WHOLE)
		note("%s, %zu bytes in the linear part", what, linear);
	else
		note("%s", what);
	verdict_print("model", &contest->model);
	outcome_print("program", &contest->program);
	frame_print(&frame);
}

static size_t random_split(struct random *random, const struct runner *runner)
{
	size_t linear;

	if (random_below(random, 10))
		return RUN_WHOLE;
	linear = random_below(random, (uint32_t)frame.length);
	if (linear > 150 && random_below(random, 2))
		linear = random_below(random, 100);
	return runner_takes(runner, &frame, linear) ? linear : RUN_WHOLE;
}

static uint64_t random_contest(struct contest *contest, uint64_t seed, uint64_t first, uint64_t end,
			       bool quick)
{
	uint64_t differ = 0;

	for (uint64_t index = first; index < end; index++) {
		struct random random = random_of(seed, index);
		size_t linear;

		random_frame(&random, &aims, &frame);
		if (contest->runner->kind != PC_FRAME_ETHERNET)
			frame_bare(&frame);
		while (frame.length < RUN_FRAME_MIN) /* neither a device nor TEST_RUN gives less */
			frame.data[frame.length++] = 0;
		frame_cut(&frame, contest->runner->filter.frags ? RUN_FRAME_MAX : RUN_LINEAR_MAX);
		linear = contest->egress ? RUN_WHOLE : random_split(&random, contest->runner);
		if (contest->egress)
			frame_cut(&frame, RUN_SEND_MAX);
		if (index % STATE_FRAMES == 0 || fixture_stale()) {
			if (index > first && !fixture_stale() &&
			    !fixture_holds(contest->runner, &state))
				differ++;
			model_copy(&state, &fresh);
			fixture_install(contest->runner, &state);
		}
		if (contest->egress && !runner_sends(&frame)) {
			contest->unsent++;
			continue;
		}
		model_copy(&before, &state);
		contest->ask = !quick || index % ASKED_QUICK == 0;
		if (agree_in_time(contest, &frame, linear) || ++differ > SHOWN)
			continue;
		note("seed %" PRIu64 ", frame %" PRIu64, seed, index);
		show(contest, linear, "as it was");
		linear = shrink(contest, linear);
		show(contest, linear, "shrunk");
	}
	if (end > first && !fixture_stale() && !fixture_holds(contest->runner, &state))
		differ++;
	return differ;
}

/* The verdicts that the frames led to, to notice a generator that reaches too few. */
static bool is_possible(enum model_why why, enum test_profile_id id, const struct contest *contest)
{
	bool egress = contest->egress;

	if (why == MODEL_PASS_NON_IP && contest->runner->kind != PC_FRAME_ETHERNET)
		return false;
	if (egress)
		return why == MODEL_PASS_EGRESS ||
		       (why == MODEL_OUTBOUND && test_profile[id].outbound == PC_OUTBOUND_ENFORCE);
	switch (why) {
	case MODEL_OUTBOUND:
	case MODEL_PASS_EGRESS: return false;
	case MODEL_DENIED: return id == GROUPS;
	case MODEL_SOURCE: return id != OPEN && id != PROTOCOLS;
	case MODEL_PASS_PROTOCOL: return id != OPEN && id != GROUPS;
	default: return true;
	}
}

static bool met_all(const struct contest *contest, enum test_profile_id id)
{
	bool all = true;

	for (int why = 0; why < MODEL_WHYS; why++) {
		note("%10" PRIu64 " %s", contest->met[why], model_why_name[why]);
		if (is_possible((enum model_why)why, id, contest))
			all &= contest->met[why] > 0;
	}
	return all;
}

/* Aims at every port that the tables list. A transport without one gets port 0. */
static void aim(const struct pc_generation *generation)
{
	for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
		uint16_t *list = listed[transport];
		size_t count = 0;

		for (uint32_t n = 0; n < 1 << 16; n++)
			if (generation->port[PC_PORT(transport, n)] != PC_PORT_CLOSED)
				list[count++] = (uint16_t)n;
		if (!count)
			list[count++] = 0;
		aims.listeds[transport] = count;
	}
}

static void aim_at(const struct pc_flow *flow)
{
	bool ipv4 = flow->family == 4;

	tuple[aims.tuples++] =
		(struct random_tuple){flow->family, flow->protocol,
				      ntohs(ipv4 ? flow->ipv4.remote_port : flow->ipv6.remote_port),
				      ntohs(ipv4 ? flow->ipv4.local_port : flow->ipv6.local_port)};
}

static void aim_at_state(void)
{
	aims.tuples = 0;
	for (size_t i = 0; i < fresh.sockets; i++)
		aim_at(&fresh.socket[i].tuple);
	for (size_t i = 0; i < fresh.flows; i++)
		aim_at(&fresh.flow[i].tuple);
}

static void mark_group(struct ban_table *table, const struct tables *tables)
{
	__u64 denied = tables->generation->denied;

	for (size_t i = 0; i < tables->tries4; i++) {
		struct prefix prefix = {.family = AF_INET,
					.length = (__u8)tables->trie4[i].key.length};

		memcpy(prefix.address, tables->trie4[i].key.address, 4);
		if (tables->trie4[i].groups.word[0] & denied)
			ban_table_mark(table, &prefix);
	}
	for (size_t i = 0; i < tables->tries6; i++) {
		struct prefix prefix = {.family = AF_INET6,
					.length = (__u8)tables->trie6[i].key.length};

		memcpy(prefix.address, tables->trie6[i].key.address, 16);
		if (tables->trie6[i].groups.word[0] & denied)
			ban_table_mark(table, &prefix);
	}
}

/*
 * In one profile, a group is denied whose members others admit, and grants into another one are
 * into `never-ban`, too.
 */
static int deny_a_group(struct contest *contest, enum test_profile_id id)
{
	struct pc_generation *generation = contest->tables.generation;
	struct ban_table table;
	int err;

	generation->denied = generation->never_ban = 0;
	for (size_t bit = 0; id == GROUPS && bit < PC_GROUPS; bit++) {
		if (generation->group[0][bit] == pc_group_id("dmz"))
			generation->denied = 1ULL << bit;
		if (generation->group[0][bit] == pc_group_id("one"))
			generation->never_ban = 1ULL << bit;
	}
	err = filter_flag_set(&contest->runner->filter, PC_FILTER_DENIED, generation->denied);
	if (!err)
		err = ban_table_open(&contest->runner->filter, true, &table);
	if (err)
		return err;
	mark_group(&table, &contest->tables);
	ban_table_close(&table);
	return 0;
}

static bool start(struct contest *contest, enum test_profile_id id)
{
	int err;

	profile_tables(&test_profile[id], &contest->tables);
	err = contest->explaining ? deny_a_group(contest, id) : 0; /* bans are in place */
	if (!err)
		err = runner_switch(contest->runner, &contest->tables) ? -EIO : fixture_refresh();
	fixture_state(&fresh);
	aim_at_state();
	model_copy(&state, &fresh);
	fixture_install(contest->runner, &state);
	if (err)
		check(false, "switch to profile %s: %s", test_profile[id].name, strerror(-err));
	return !err;
}

/* Asks about random frames, and checks that no byte of the filter's maps has changed. */
static bool asking_leaves_no_trace(struct contest *contest, uint64_t seed, uint64_t count)
{
	uint64_t was = explained_digest(&contest->runner->filter);
	struct pc_explained explained;

	for (uint64_t index = 0; index < count && index < ASKED; index++) {
		struct random random = random_of(seed + 1, index);

		random_frame(&random, &aims, &frame);
		if (contest->runner->kind != PC_FRAME_ETHERNET)
			frame_bare(&frame);
		while (frame.length < RUN_FRAME_MIN)
			frame.data[frame.length++] = 0;
		frame_cut(&frame, contest->egress ? RUN_SEND_MAX : RUN_LINEAR_MAX);
		if (!contest->egress || runner_sends(&frame))
			explained_run(contest->explaining, &frame, RUN_WHOLE, contest->egress,
				      &explained);
	}
	return explained_digest(&contest->runner->filter) == was;
}

/* Bans of sources of source4 and source6, with ended bans and with hosts that pass within wider
 * bans.
 */
static struct model_ban ban[] = {
	{.prefix = {{100, 64}, 10, AF_INET}},
	{.prefix = {{10, 1}, 16, AF_INET}},
	{.prefix = {{10, 1, 2, 200}, 32, AF_INET}, .kind = BAN_NEVER},
	{.prefix = {{10, 1, 2, 192}, 26, AF_INET}},
	{.prefix = {{192, 168, 3, 3}, 32, AF_INET}, .kind = BAN_ENDED},
	{.prefix = {{169, 254, 3, 2}, 31, AF_INET}},
	{.prefix = {{0x20, 1, 0xd, 0xb8, 0, 0xa, 0, 1}, 64, AF_INET6}},
	{.prefix = {{0x20, 1, 0xd, 0xb8, 0, 0xa, 0, 1, 0x80, [15] = 2}, 128, AF_INET6},
	 .kind = BAN_NEVER},
	{.prefix = {{0x20, 1, 0xd, 0xb8, 0, 0xb}, 48, AF_INET6}, .kind = BAN_ENDED},
	{.prefix = {{0x20, 1, 0xd, 0xb8, 0, 0xc, [15] = 0}, 127, AF_INET6}},
	{.prefix = {{0xfe, 0xc0}, 10, AF_INET6}},
	{.prefix = {{0xfe, 0xbf, [15] = 1}, 128, AF_INET6}},
	{.prefix = {{10, 1}, 20, AF_INET}, .kind = BAN_NEVER},
};

static __u32 line_of(const struct ban_table *table, __u32 length)
{
	const __u64 address[2] = {0x0a010000ULL << 32};

	return pc_ban_first(pc_ban_hash(address, PC_BAN_KIND4(length), table->head->secret),
			    table->head, false);
}

/* Chooses a secret with which two prefixes with the same first address share a line. */
static void share_a_line(struct ban_table *table)
{
	while (line_of(table, 16) != line_of(table, 20))
		table->head->secret++;
}

static bool install_bans(struct runner *runner)
{
	__u32 now = (__u32)(clock_boot() / PC_SECOND);
	struct ban_table table;
	int err = ban_table_make(ARRAY_SIZE(ban), ARRAY_SIZE(ban), &table);

	if (!err)
		share_a_line(&table);
	for (size_t i = 0; !err && i < ARRAY_SIZE(ban); i++)
		err = ban_table_set(&table, &ban[i].prefix,
				    ban[i].kind == BAN_NEVER ?
					    i % 2 ? now | PC_BAN_PASSES : PC_BAN_NEVER :
				    ban[i].kind == BAN_ENDED ? now :
				    i % 2		     ? PC_BAN_FOREVER :
				    i % 4		     ? now + 86400 :
							       (now + 86400) | PC_BAN_PASSES,
				    now);
	if (!err)
		err = ban_table_install(&runner->filter, &table, 0);
	if (!err)
		err = ban_flag_set(&runner->filter, true);
	ban_table_close(&table);
	model_bans(ban, ARRAY_SIZE(ban));
	return check(!err, "bans are put in place");
}

/* Grants into groups of the profiles, with wider ones and one that has ended. */
static const struct ban grant[] = {
	{.list = "trusted", .prefix = {{192, 168}, 16, AF_INET}, .until = PC_BAN_FOREVER},
	{.list = "dmz", .prefix = {{169, 254}, 17, AF_INET}, .until = PC_BAN_FOREVER},
	{.list = "one", .prefix = {{10}, 8, AF_INET}, .until = PC_BAN_FOREVER},
	{.list = "cluster", .prefix = {{10, 1, 2}, 24, AF_INET}, .until = 1},
	{.list = "one", .prefix = {{0x20, 1, 0xd, 0xb8}, 32, AF_INET6}, .until = PC_BAN_FOREVER},
	{.list = "undefined", .prefix = {{0}, 0, AF_INET}, .until = PC_BAN_FOREVER},
	{.list = "relays", .prefix = {{192}, 8, AF_INET}, .until = PC_BAN_FOREVER},
};

static bool install_grants(struct runner *runner, size_t count)
{
	struct ban_file file = {};
	int err;

	for (size_t i = 0; i < count; i++)
		ban_set_add(&file.set, &grant[i]);
	/* At second 0 all of them hold, so one of them has ended for the program. */
	err = grant_map_fill(&runner->filter, 1, &file, 0);
	ban_set_free(&file.set);
	model_grants(grant, count);
	return check(!err, "grants are put in place, or taken away");
}

bool random_refusals(struct runner *runner, bool on)
{
	if (on)
		return install_bans(runner) && install_grants(runner, ARRAY_SIZE(grant));
	model_bans(NULL, 0);
	install_grants(runner, 0);
	return check(!ban_flag_set(&runner->filter, false) && !ban_table_remove(&runner->filter),
		     "bans are taken away");
}

void suite_random(struct runner *runner, uint64_t seed, uint64_t count, bool quick)
{
	static const struct {
		enum test_profile_id id;
		bool egress;
	} part[] = {{OPEN, false},    {GROUPS, false},	{PROTOCOLS, false},
		    {OBSERVE, false}, {STATE, false},	{STATE_OBSERVE, false},
		    {STATE, true},    {OUTBOUND, true}, {OUTBOUND_OBSERVE, true}};

	struct filter explaining;
	struct question replaying;

	if (!check(!explained_open(runner, &explaining), "the programs that explain load") ||
	    !random_refusals(runner, true))
		return;
	if (!check(!question_open(&replaying, &runner->filter, true),
		   "the programs that are told what was before load")) {
		filter_close(&explaining);
		return;
	}
	note("random frames%s: --random %" PRIu64 " --seed %" PRIu64,
	     runner->kind == PC_FRAME_ETHERNET ? "" : " without an Ethernet header", count, seed);
	if (!runner->filter.frags)
		skip("this kernel has no xdp.frags", "random frames in several buffers");
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		struct contest contest = {
			.runner = runner,
			.egress = part[i].egress,
			.explaining = &explaining,
			.replaying = &replaying,
		};
		const char *name = test_profile[part[i].id].name;
		const char *way = part[i].egress ? "out" : "in";
		uint64_t first = count * i / ARRAY_SIZE(part);
		uint64_t end = count * (i + 1) / ARRAY_SIZE(part), differ;

		if (start(&contest, part[i].id)) {
			aims.outward = part[i].egress;
			aim(contest.tables.generation);
			differ = random_contest(&contest, seed, first, end, quick);
			if (contest.unsent)
				note("%" PRIu64 " of them are too short for the kernel to send",
				     contest.unsent);
			check(!differ,
			      "%" PRIu64 " random frames %s, profile %s: %" PRIu64 " differ",
			      end - first, way, name, differ);
			check(runner_settled(runner), "%s, %s: nothing else was counted", name,
			      way);
			/* The maps are the same for each kind of frame. */
			if (!quick || runner->kind == PC_FRAME_ETHERNET)
				check(asking_leaves_no_trace(&contest, seed, end - first),
				      "%s, %s: questions leave no trace in the maps", name, way);
			check(met_all(&contest, part[i].id) || end - first < 10000,
			      "%s, %s: every kind of verdict was met", name, way);
		}
		tables_free(&contest.tables);
	}
	aims.outward = false;
	random_refusals(runner, false);
	question_close(&replaying);
	filter_close(&explaining);
}

/* One field takes every value of its width. */
/* clang-format off */
static const struct sweep {
	const char *name;
	enum test_profile_id profile;
	struct frame_spec spec;
	enum frame_part from; /* as in struct frame_patch */
	uint16_t at;
	uint8_t width;
} sweep[] = {
	{"ethertype, IPv4 behind it", OPEN, {.family = 4, .protocol = 6, .port = 25}, FROM_FRAME,
	 12, 2},
	{"ethertype, IPv6 behind it", OPEN, {.family = 6, .protocol = 6, .port = 25}, FROM_FRAME,
	 12, 2},
	{"ethertype in a tag", OPEN, {.family = 4, .protocol = 6, .port = 25, .tags = 1},
	 FROM_FRAME, 16, 2},
	{"ethertype in a second tag", OPEN, {.family = 6, .protocol = 6, .port = 25, .tags = 2},
	 FROM_FRAME, 20, 2},
	{"version and ihl", OPEN,
	 {.family = 4, .protocol = 6, .port = 25, .options = 4, .payload = 4}, FROM_IP, 0, 1},
	{"total length", OPEN, {.family = 4, .protocol = 6, .port = 25, .payload = 100}, FROM_IP, 2,
	 2},
	{"total length of a large frame", OPEN,
	 {.family = 4, .protocol = 6, .port = 25, .payload = 65600}, FROM_IP, 2, 2},
	{"fragment field, TCP", OPEN, {.family = 4, .protocol = 6, .port = 25}, FROM_IP, 6, 2},
	{"fragment field, UDP", OPEN, {.family = 4, .protocol = 17, .port = 53}, FROM_IP, 6, 2},
	{"protocol", OPEN, {.family = 4, .protocol = 6, .port = 25, .payload = 50}, FROM_IP, 9, 1},
	{"protocol, named ones", PROTOCOLS, {.family = 4, .protocol = 6, .port = 25, .payload = 50},
	 FROM_IP, 9, 1},
	{"source, upper half", GROUPS, {.family = 4, .protocol = 6, .port = 22}, FROM_IP, 12, 2},
	{"source, lower half", GROUPS,
	 {.family = 4, .protocol = 6, .port = 4003, .source = "10.1.0.0"}, FROM_IP, 14, 2},
	{"IPv6 version", OPEN, {.family = 6, .protocol = 6, .port = 25}, FROM_IP, 0, 1},
	{"payload length", OPEN, {.family = 6, .protocol = 6, .port = 25, .payload = 100}, FROM_IP,
	 4, 2},
	{"payload length of a large frame", OPEN,
	 {.family = 6, .protocol = 17, .port = 53, .payload = 65600}, FROM_IP, 4, 2},
	{"next header", OPEN, {.family = 6, .protocol = 6, .port = 25, .payload = 50}, FROM_IP, 6,
	 1},
	{"next header, named ones", PROTOCOLS,
	 {.family = 6, .protocol = 17, .port = 25, .payload = 50}, FROM_IP, 6, 1},
	{"next header in an extension", OPEN,
	 {.family = 6, .protocol = 6, .port = 25, .payload = 50, .exts = 1, .ext = {{60}}}, FROM_IP,
	 40, 1},
	{"length of an extension", OPEN,
	 {.family = 6, .protocol = 6, .port = 25, .payload = 300, .exts = 1, .ext = {{43}}},
	 FROM_IP, 41, 1},
	{"IPv6 fragment field, TCP", OPEN,
	 {.family = 6, .protocol = 6, .port = 25, .exts = 1, .ext = {{44}}}, FROM_IP, 42, 2},
	{"IPv6 fragment field, ICMPv6", OPEN,
	 {.family = 6, .protocol = 58, .type = 135, .hop_limit = 255, .exts = 1, .ext = {{44}}},
	 FROM_IP, 42, 2},
	{"IPv6 source, 6th group", GROUPS,
	 {.family = 6, .protocol = 6, .port = 4001, .source = "2001:db8:a:1::"}, FROM_IP, 16, 2},
	{"IPv6 source, first group", GROUPS, {.family = 6, .protocol = 6, .port = 5001}, FROM_IP, 8,
	 2},
	{"IPv6 source, third group", GROUPS, {.family = 6, .protocol = 6, .port = 22}, FROM_IP, 12,
	 2},
	{"data offset", OPEN, {.family = 4, .protocol = 6, .port = 25, .payload = 17}, FROM_UPPER,
	 12, 1},
	{"data offset, IPv6", OPEN, {.family = 6, .protocol = 6, .port = 25, .payload = 17},
	 FROM_UPPER, 12, 1},
	{"TCP flags", OPEN, {.family = 4, .protocol = 6, .port = 26}, FROM_UPPER, 13, 1},
	{"UDP length", OPEN, {.family = 4, .protocol = 17, .port = 53}, FROM_UPPER, 4, 2},
	{"ICMP type", OPEN, {.family = 4, .protocol = 1}, FROM_UPPER, 0, 1},
	{"ICMP code", OPEN, {.family = 4, .protocol = 1, .type = 8}, FROM_UPPER, 1, 1},
	{"ICMPv6 type, hop limit 255", OPEN, {.family = 6, .protocol = 58, .hop_limit = 255},
	 FROM_UPPER, 0, 1},
	{"ICMPv6 type, hop limit 64", OPEN, {.family = 6, .protocol = 58}, FROM_UPPER, 0, 1},
	{"hop limit of a router advertisement", OPEN, {.family = 6, .protocol = 58, .type = 134},
	 FROM_IP, 7, 1},
	{"hop limit of an echo", OPEN, {.family = 6, .protocol = 58, .type = 128}, FROM_IP, 7, 1},
	{"TCP port", OPEN, {.family = 4, .protocol = 6}, FROM_UPPER, 2, 2},
	{"TCP port, IPv6", GROUPS, {.family = 6, .protocol = 6, .source = "2001:db8:a::1"},
	 FROM_UPPER, 2, 2},
	{"UDP port", GROUPS, {.family = 4, .protocol = 17, .source = "169.254.0.9"}, FROM_UPPER, 2,
	 2},
	{"UDP port, IPv6", OPEN, {.family = 6, .protocol = 17}, FROM_UPPER, 2, 2},
	{"UDP port, observed", OBSERVE, {.family = 6, .protocol = 17}, FROM_UPPER, 2, 2},
	{"source port of a union, stranger", GROUPS, {.family = 4, .protocol = 6, .port = 5000},
	 FROM_UPPER, 0, 2},
	{"source port of a union, trusted", GROUPS,
	 {.family = 4, .protocol = 6, .port = 5000, .source = "10.9.9.9"}, FROM_UPPER, 0, 2},
	{"source port of an overlap, cluster", GROUPS,
	 {.family = 6, .protocol = 6, .port = 5004, .source = "2001:db8:a:1::1"}, FROM_UPPER, 0, 2},
	{"source port of three spans", GROUPS, {.family = 6, .protocol = 17, .port = 5003},
	 FROM_UPPER, 0, 2},
};
/* clang-format on */

static void run_sweep(struct contest *contest, const struct sweep *this)
{
	struct frame_patch patch = {this->from, this->at, this->width, 0};
	uint32_t values = 1u << 8 * patch.width, differ = 0;

	frame_build(&this->spec, &frame);
	if (!runner_takes(contest->runner, &frame, RUN_WHOLE)) {
		skip("this kernel runs no frame of that length", "every %s", this->name);
		return;
	}
	for (patch.value = 0; patch.value < values; patch.value++) {
		/* A large frame costs 20 us a run. */
		if (frame.length > RUN_LINEAR_MAX && patch.value % 61 && patch.value < 65400)
			continue;
		frame_patch(&frame, &patch);
		if (!agree(contest, &frame, RUN_WHOLE) && ++differ <= SHOWN)
			show(contest, RUN_WHOLE, this->name);
	}
	check(!differ, "every %s: %u differ", this->name, differ);
}

void suite_sweeps(struct runner *runner)
{
	for (int id = 0; id < TEST_PROFILES; id++) {
		struct contest contest = {.runner = runner};

		if (start(&contest, (enum test_profile_id)id)) {
			for (size_t i = 0; i < ARRAY_SIZE(sweep); i++)
				if (sweep[i].profile == (enum test_profile_id)id)
					run_sweep(&contest, &sweep[i]);
			check(runner_settled(runner), "sweeps, %s: nothing else was counted",
			      test_profile[id].name);
		}
		tables_free(&contest.tables);
	}
}
