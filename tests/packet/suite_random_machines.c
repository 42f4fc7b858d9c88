// SPDX-License-Identifier: GPL-2.0
/* Program against model: random frames for and from machines behind this host. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/compile/admit.h"
#include "loader/compile/compile.h"
#include "loader/compile/tallies.h"
#include "loader/filter/tally_maps.h"
#include "loader/recipe/machines.h"
#include "tests/packet/check.h"
#include "tests/packet/fixture.h"
#include "tests/packet/random.h"
#include "tests/packet/suites.h"

#define FRAMES	     40000 /* of each part */
#define FRAMES_QUICK 3000
#define STATE_FRAMES 250 /* as in suite_random.c */
#define SHOWN	     5
#define TALLIES	     1024

static const char rtp_yaml[] = "profile: rtp\n"
			       "title: A range that is counted as one, and an `out` service\n"
			       "services:\n"
			       "  - name: rtp\n"
			       "    in: 61000-61299/udp\n"
			       "  - name: ldap\n"
			       "    out: 389/tcp\n"
			       "    to: trusted\n";

/* Wide prefixes with machines, and this host, inside them. `twin` has the same recipe as `wide`. */
static const struct {
	const char *word;
	const char *profiles;
	const char *const group[3]; /* of its own */
	enum pc_policy policy;
	enum pc_outbound outbound;
} spec[] = {
	{"any-wide=192.0.2.0/25,2001:db8::/64",
	 "groups,rtp",
	 {},
	 PC_POLICY_ENFORCE,
	 PC_OUTBOUND_TRACK},
	{"any-lab=192.0.2.16/28,2001:db8::20/124",
	 "state",
	 {},
	 PC_POLICY_OBSERVE,
	 PC_OUTBOUND_TRACK},
	{"any-watched=192.0.2.20,2001:db8::24",
	 "observe,rtp",
	 {},
	 PC_POLICY_OBSERVE,
	 PC_OUTBOUND_ENFORCE},
	{"any-strict=192.0.2.64/26,2001:db8::1:0:0/96",
	 "state",
	 {},
	 PC_POLICY_ENFORCE,
	 PC_OUTBOUND_ENFORCE},
	{"any-tenant=192.0.2.40,2001:db8::40",
	 "groups,protocols",
	 {"trusted=203.0.113.0/24,2001:db8:ffff::/48", "one=10.0.0.0/8"},
	 PC_POLICY_ENFORCE,
	 PC_OUTBOUND_TRACK},
	{"any-twin=198.51.100.7,2001:db8:f::7",
	 "groups,rtp",
	 {},
	 PC_POLICY_ENFORCE,
	 PC_OUTBOUND_TRACK},
};

/* The first two addresses are this host's; then one of each machine. Flows of FLOWERS are
 * learned. */
static const char *const target4[] = {NULL,	    "192.0.2.200", "192.0.2.9",	 "192.0.2.17",
				      "192.0.2.20", "192.0.2.70",  "192.0.2.40", "198.51.100.7"};
static const char *const target6[] = {NULL,	      "2001:db8:1::9", "2001:db8::9",
				      "2001:db8::21", "2001:db8::24",  "2001:db8::1:0:9",
				      "2001:db8::40", "2001:db8:f::7"};
static const size_t flowers[] = {2, 5, 6};

static const uint16_t port[] = {25,   53,   60000, 61000, 61299, 61300, 65535, 993,
				389,  22,   80,	   68,	  546,	 4000,	4003,  5000,
				5004, 5006, 6005,  5060,  123,	 5353,	995,   636};
static const uint16_t source_port[] = {40000, 67,  547, 20,  700, 710,	 705,  100, 200,
				       150,   123, 993, 389, 53,  65535, 1000, 2000};
static const char *const source4[] = {"203.0.113.9", "10.9.9.9",    "10.1.9.9",	  "10.1.2.130",
				      "10.1.2.200",  "192.168.3.3", "169.254.3.3"};
static const char *const source6[] = {"2001:db8:ffff::9",     "2001:db8:a::1", "2001:db8:a:1::1",
				      "2001:db8:a:1:8000::1", "2001:db8:b::1", "fe80::1",
				      "2001:db8:c::1"};
static const uint8_t protocol[] = {50, 47, 132, 4, 51};
static const uint32_t fragment_id[] = {0, 0x2001, 0x2002, 0x20010000, 0x20020000, 0x70010002};

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
	.target4 = target4,
	.targets4 = ARRAY_SIZE(target4),
	.target6 = target6,
	.targets6 = ARRAY_SIZE(target6),
	.protocol = protocol,
	.protocols = ARRAY_SIZE(protocol),
	.tuple = tuple,
	.id = fragment_id,
	.ids = ARRAY_SIZE(fragment_id),
};

static struct model_state fresh, state, before;
static struct frame frame;

struct contest {
	struct runner *runner;
	struct tables tables;
	struct tallies tallies;
	struct model_machine *machine; /* by prefix; then this host's addresses */
	__u64 *name;		       /* of each of them: tallies_machine */
	size_t machines;
	bool egress;
	struct model_verdict model;
	const char *odd;				/* the difference that was found */
	__u64 seen[TALLIES * PC_TALLY_KINDS];		/* of the tallies */
	uint64_t met[ARRAY_SIZE(spec) + 1][MODEL_WHYS]; /* [0]: this host */
};

/* --- tables --- */

static void add_machines(struct recipe *recipe, struct diag *diag)
{
	const struct place place = {.file = "--machine"};

	for (size_t i = 0; i < ARRAY_SIZE(spec); i++) {
		struct machine *machine = machines_word(recipe, spec[i].word, &place, diag);

		recipe_profiles(&machine->own, spec[i].profiles, diag);
		for (size_t j = 0; j < ARRAY_SIZE(spec[i].group) && spec[i].group[j]; j++)
			recipe_group(&machine->own, spec[i].group[j], diag);
		machine->policy_given = machine->outbound_given = true;
		machine->own.policy = spec[i].policy;
		machine->own.outbound = spec[i].outbound;
	}
	machines_inherit(recipe);
}

static void read_profiles(struct catalog *catalog, struct diag *diag)
{
	static const enum test_profile_id id[] = {GROUPS, OBSERVE, STATE, PROTOCOLS};

	catalog->profile = xcalloc(ARRAY_SIZE(id) + 1, sizeof(*catalog->profile));
	for (size_t i = 0; i < ARRAY_SIZE(id); i++) {
		const struct test_profile *of = &test_profile[id[i]];

		if (!profile_parse(of->name, of->yaml, strlen(of->yaml),
				   &catalog->profile[catalog->profiles], diag))
			catalog->profiles++;
	}
	if (!profile_parse("rtp", rtp_yaml, strlen(rtp_yaml), &catalog->profile[catalog->profiles],
			   diag))
		catalog->profiles++;
}

/* Ends the process if they do not compile, because they are this test's own. */
static void machine_tables(enum pc_policy policy, struct tables *tables)
{
	struct composition composition = {};
	struct catalog catalog = {};
	struct recipe recipe = {.policy = policy};
	struct diag diag = {};

	read_profiles(&catalog, &diag);
	recipe_profiles(&recipe, "state", &diag);
	for (size_t i = 0; test_profile[STATE].group[i]; i++)
		recipe_group(&recipe, test_profile[STATE].group[i], &diag);
	add_machines(&recipe, &diag);
	if (diag.errors || compose(&catalog, &recipe, false, &composition, &diag) ||
	    compile(&composition, tables, &diag)) {
		diag_print(&diag, stderr);
		exit(1);
	}
	tables->generation->echo_interval = 0;
	composition_free(&composition);
	recipe_free(&recipe);
	catalog_close(&catalog);
	diag_free(&diag);
}

/* --- what the model knows of them: written by hand, but for the classes --- */

static void add_prefix(struct contest *contest, const char *text, uint16_t class, __u64 name)
{
	struct model_machine *machine;
	char *why = NULL;

	contest->machine = grow(contest->machine, contest->machines, sizeof(*contest->machine));
	contest->name = grow(contest->name, contest->machines, sizeof(*contest->name));
	contest->name[contest->machines] = name;
	machine = &contest->machine[contest->machines++];
	machine->class = class;
	if (prefix_parse(text, &machine->prefix, &why)) {
		fprintf(stderr, "%s: %s\n", text, why);
		exit(1);
	}
}

static void know_machines(struct contest *contest)
{
	char word[128], *rest, *part, *name;

	for (size_t i = 0; i < ARRAY_SIZE(spec); i++) {
		snprintf(word, sizeof(word), "%s", spec[i].word);
		name = strtok_r(word, "=", &rest);
		while ((part = strtok_r(NULL, ",", &rest)))
			add_prefix(contest, part, contest->tables.machine[i].class,
				   tallies_machine(name));
	}
	add_prefix(contest, FRAME_TARGET4, 0, 0);
	add_prefix(contest, FRAME_TARGET6, 0, 0);
	model_machines(contest->machine, contest->machines);
}

/* --- counts --- */

/* The tally of the machine whose packet was decided last; 0: none. */
static unsigned int tally_of(const struct contest *contest, bool out, uint32_t index)
{
	__u64 name = contest->name[state.machine - contest->machine];
	unsigned int rest = 0;

	for (size_t i = 0; i < contest->tallies.count; i++) {
		const struct pc_tally *tally = &contest->tallies.tally[i];

		if (tally->machine != name || !!tally->out != out)
			continue;
		if (tally->last < tally->first)
			rest = (unsigned int)i + 1;
		else if (index >= tally->first && index <= tally->last)
			return (unsigned int)i + 1;
	}
	return rest;
}

#define CELLS 3

/* The cells that must count a frame, once each. */
static size_t cells_of(const struct contest *contest, unsigned int cell[CELLS])
{
	const struct model_verdict *model = &contest->model;
	bool would = model->action == MODEL_WOULD_DROP;
	uint32_t remote = model->out - PC_CELL_OUT;
	size_t count = 0;

	if (!state.machine) {
		cell[count++] = model_cell(model);
		if (model->why == MODEL_SOURCE || model->why == MODEL_UNLISTED)
			cell[count++] = (would ? PC_CELL_WOULD_DROP : PC_CELL_DROP) +
					(unsigned int)model->port;
		if (model->out)
			cell[count++] = model->out;
		return count;
	}
	if (model->why != MODEL_PASS_PORT)
		cell[count++] = model_cell(model);
	if (model->port >= 0)
		cell[count++] =
			PC_CELL_MACHINE(tally_of(contest, contest->egress, (uint32_t)model->port),
					would			    ? PC_TALLY_WOULD_DROP :
					model->action == MODEL_DROP ? PC_TALLY_DROP :
								      PC_TALLY_PASS);
	if (model->out)
		cell[count++] = PC_CELL_MACHINE(tally_of(contest, true, remote), PC_TALLY_SENT);
	return count;
}

struct moved {
	unsigned int cell[CELLS];
	size_t count;
	bool wrong; /* not counted as one packet of that length, or too many cells */
};

static void look(struct contest *contest, unsigned int cell, __u64 *seen, struct moved *moved)
{
	__u64 now = runner_counted(contest->runner, cell), by = now - *seen;

	*seen = now;
	if (!by)
		return;
	if (moved->count == CELLS || by >> 36 != 1 || (by & 0xfffffffffULL) != frame.length)
		moved->wrong = true;
	else
		moved->cell[moved->count++] = cell;
}

static void look_at_all(struct contest *contest, struct moved *moved)
{
	const unsigned int kind[] = {PC_CELL_PASS, PC_CELL_DROP, PC_CELL_WOULD_DROP};
	const struct model_verdict *model = &contest->model;
	struct runner *runner = contest->runner;

	for (unsigned int cell = PC_CELL_REASON; cell < PC_CELLS; cell++)
		look(contest, cell, &runner->seen[cell], moved);
	for (size_t i = 0; model->port >= 0 && i < ARRAY_SIZE(kind); i++) {
		unsigned int cell = kind[i] + (unsigned int)model->port;

		look(contest, cell, &runner->seen[cell], moved);
	}
	if (model->out)
		look(contest, model->out, &runner->seen[model->out], moved);
	for (unsigned int i = 0; i < (contest->tallies.count + 1) * PC_TALLY_KINDS; i++)
		look(contest, PC_CELL_MACHINES + i, &contest->seen[i], moved);
}

static bool counts_agree(struct contest *contest)
{
	unsigned int cell[CELLS];
	struct moved moved = {};
	size_t count = cells_of(contest, cell), found = 0;

	look_at_all(contest, &moved);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < moved.count; j++)
			found += cell[i] == moved.cell[j];
	if (!moved.wrong && found == count && moved.count == count)
		return true;
	for (size_t i = 0; i < count; i++)
		note("cell %u should count it", cell[i]);
	for (size_t i = 0; i < moved.count; i++)
		note("cell %u counted it", moved.cell[i]);
	return false;
}

/* --- frames --- */

static const char *judge_both(struct contest *contest, size_t linear)
{
	struct runner *runner = contest->runner;
	struct pc_event event;
	int explained = runner_explain(runner, &frame, contest->egress, &event), err = 0, action;

	if (contest->egress) {
		contest->model =
			model_egress(frame.data, frame.length, false, &contest->tables, &state);
		err = runner_fire_egress(runner, &frame, &action);
	} else {
		contest->model = model_judge(frame.data, frame.length, &contest->tables, &state);
		action = runner_fire(runner, &frame, linear, 1);
	}
	if (err)
		return "the kernel refuses to run it";
	if (!counts_agree(contest))
		return "other cells count it";
	if (action != runner_action(&contest->model, contest->egress))
		return "the program returns something else";
	if (explained)
		return "explain has no answer";
	return runner_explained(&event, &contest->model) ? NULL : "explain says otherwise";
}

static bool agree(struct contest *contest, size_t linear)
{
	const char *odd = judge_both(contest, linear);
	int tries = 0;

	while (odd && fixture_retry(&tries)) {
		model_copy(&state, &before);
		fixture_install(contest->runner, &state);
		odd = judge_both(contest, linear);
	}
	contest->odd = odd;
	if (!odd)
		contest->met[state.machine ? 1 + (state.machine - contest->machine) / 2 : 0]
			    [contest->model.why]++;
	return !odd;
}

/* In two buffers from time to time. */
static size_t split(struct random *random, const struct runner *runner)
{
	size_t linear;

	if (random_below(random, 10))
		return RUN_WHOLE;
	linear = random_below(random, frame.length > 150 ? 150 : (uint32_t)frame.length);
	return runner_takes(runner, &frame, linear) ? linear : RUN_WHOLE;
}

static void make_frame(const struct contest *contest, struct random *random)
{
	random_frame(random, &aims, &frame);
	while (frame.length < RUN_FRAME_MIN)
		frame.data[frame.length++] = 0;
	frame_cut(&frame, contest->egress ? RUN_SEND_MAX : RUN_LINEAR_MAX);
}

static bool renew(struct contest *contest, bool first)
{
	bool holds = first || fixture_stale() || fixture_holds(contest->runner, &state);

	model_copy(&state, &fresh);
	fixture_install(contest->runner, &state);
	return holds;
}

static uint64_t random_contest(struct contest *contest, uint64_t seed, uint64_t count)
{
	uint64_t differ = 0;

	for (uint64_t index = 0; index < count; index++) {
		struct random random = random_of(seed, index);
		size_t linear;

		make_frame(contest, &random);
		linear = contest->egress ? RUN_WHOLE : split(&random, contest->runner);
		if (index % STATE_FRAMES == 0 || fixture_stale())
			differ += !renew(contest, !index);
		if (contest->egress && !runner_sends(&frame))
			continue;
		model_copy(&before, &state);
		if (agree(contest, linear) || ++differ > SHOWN)
			continue;
		note("seed %" PRIu64 ", frame %" PRIu64 "%s: %s", seed, index,
		     linear == RUN_WHOLE ? "" : " in two buffers", contest->odd);
		verdict_print(state.machine ? "model, of a machine" : "model", &contest->model);
		frame_print(&frame);
	}
	return differ + !renew(contest, false);
}

/* --- aims --- */

static void aim_at_flow(const struct pc_flow *flow)
{
	bool ipv4 = flow->family == 4;

	tuple[aims.tuples++] =
		(struct random_tuple){flow->family, flow->protocol,
				      ntohs(ipv4 ? flow->ipv4.remote_port : flow->ipv6.remote_port),
				      ntohs(ipv4 ? flow->ipv4.local_port : flow->ipv6.local_port)};
}

/* The flows of this host, and the same flows for some machines. */
static void add_flows(void)
{
	size_t own = fresh.flows;

	for (size_t i = 0; i < own; i++)
		aim_at_flow(&fresh.flow[i].tuple);
	for (size_t i = 0; i < own * ARRAY_SIZE(flowers); i++) {
		struct model_flow *flow = &fresh.flow[fresh.flows++];
		size_t of = flowers[i / own];

		*flow = fresh.flow[i % own];
		if (flow->tuple.family == 4)
			inet_pton(AF_INET, target4[of], &flow->tuple.ipv4.local);
		else
			inet_pton(AF_INET6, target6[of], flow->tuple.ipv6.local);
	}
}

static bool is_listed(const struct contest *contest, uint32_t index)
{
	bool found = false;

	for (size_t i = 0; i < contest->machines; i++)
		found |= tables_entry(contest->tables.generation, contest->machine[i].class, 0,
				      index) != PC_PORT_CLOSED;
	return found;
}

static void aim(const struct contest *contest)
{
	for (int transport = 0; transport < PC_TRANSPORTS; transport++) {
		size_t count = 0;

		for (uint32_t n = 0; n < 1 << 16; n++)
			if (is_listed(contest, PC_PORT(transport, n)))
				listed[transport][count++] = (uint16_t)n;
		aims.listeds[transport] = count;
	}
	aims.tuples = 0;
	add_flows();
	aims.outward = contest->egress;
}

/* --- parts --- */

static bool start(struct contest *contest, enum pc_policy policy)
{
	struct runner *runner = contest->runner;

	machine_tables(policy, &contest->tables);
	if (!check(!runner_switch(runner, &contest->tables) && !fixture_refresh() &&
			   !tallies_read(&runner->filter, &contest->tallies) &&
			   contest->tallies.count < TALLIES,
		   "random frames, machines: tables are in place"))
		return false;
	know_machines(contest);
	fixture_state(&fresh);
	aim(contest);
	return true;
}

/* Whether each machine met enough kinds of verdicts, to notice a generator that reaches too few. */
static void test_met(const struct contest *contest, const char *name)
{
	bool all = true;

	for (size_t i = 0; i <= ARRAY_SIZE(spec); i++) {
		unsigned int kinds = 0;

		for (int why = 0; why < MODEL_WHYS; why++)
			kinds += contest->met[i][why] > 0;
		all &= kinds >= (contest->egress ? 1 : 7);
		if (contest->egress && i && spec[i - 1].outbound == PC_OUTBOUND_ENFORCE)
			all &= kinds == 2;
	}
	if (check(all, "machines, %s: each met every kind of verdict", name))
		return;
	for (size_t i = 0; i <= ARRAY_SIZE(spec); i++)
		for (int why = 0; why < MODEL_WHYS; why++)
			note("%s: %" PRIu64 " %s", i ? spec[i - 1].word : "this host",
			     contest->met[i][why], model_why_name[why]);
}

static void run_part(struct runner *runner, const char *name, enum pc_policy policy, bool egress,
		     uint64_t seed, uint64_t count)
{
	struct contest *contest = xcalloc(1, sizeof(*contest));
	uint64_t differ;

	contest->runner = runner;
	contest->egress = egress;
	if (start(contest, policy)) {
		differ = random_contest(contest, seed, count);
		check(!differ, "%" PRIu64 " random frames, machines, %s: %" PRIu64 " differ", count,
		      name, differ);
		check(runner_settled(runner), "machines, %s: nothing else was counted", name);
		if (count >= 10000)
			test_met(contest, name);
	}
	model_machines(NULL, 0);
	tables_free(&contest->tables);
	tallies_free(&contest->tallies);
	free(contest->machine);
	free(contest->name);
	free(contest);
}

void suite_random_machines(struct runner *runner, uint64_t seed, bool quick)
{
	uint64_t count = quick ? FRAMES_QUICK : FRAMES;

	run_part(runner, "in", PC_POLICY_ENFORCE, false, seed, count);
	if (random_refusals(runner, true))
		run_part(runner, "in, with bans and grants", PC_POLICY_OBSERVE, false, seed, count);
	random_refusals(runner, false);
	run_part(runner, "out", PC_POLICY_ENFORCE, true, seed, count);
}
