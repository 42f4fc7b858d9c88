// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: how much one source may begin, which sources a flood of forged ones cuts off, and which
 * sources share a cell.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "loader/base/memory.h"
#include "loader/compile/compile.h"
#include "loader/filter/generation.h"
#include "loader/recipe/machines.h"
#include "tests/packet/check.h"
#include "tests/packet/random.h"
#include "tests/packet/suites.h"

static const char yaml[] = "profile: limits\n"
			   "title: Services that are limited\n"
			   "services:\n"
			   "  - {name: smtp, in: 25/tcp}\n"
			   "  - {name: sip, in: 5060/tcp+udp}\n"
			   "  - {name: ssh, in: 22/tcp, from: trusted}\n"
			   "  - {name: ntp, in: 123/udp, from-port: 1000-2000/udp}\n"
			   "  - {name: one, in: 80/tcp}\n"
			   "  - {name: other, in: 80/tcp}\n"
			   "  - {name: third, in: 80/tcp, from: trusted}\n";

static const char *const groups[] = {"trusted=10.1.0.0/16,2001:db8:a::/48", "carrier=10.2.0.0/16"};

static struct frame frame;

/* --- tables --- */

/* Machines behind this host that share a recipe with a limit. */
static void add_machines(struct recipe *recipe, struct diag *diag)
{
	static const char *const word[] = {"one=192.0.2.10", "other=192.0.2.11,2001:db8::11"};
	const struct place place = {.file = "--machine"};

	for (size_t i = 0; i < ARRAY_SIZE(word); i++) {
		struct machine *machine = machines_word(recipe, word[i], &place, diag);

		recipe_profiles(&machine->own, "limits", diag);
		recipe_limit(&machine->own, "limits:smtp=5/h", diag);
	}
	machines_inherit(recipe);
}

/*
 * `limit`: arguments of --limit, up to NULL; "-SERVICE" disables a service, "machines" adds the
 * machines. Ends the process if they do not compile.
 */
static void limit_tables(const char *const *limit, enum pc_policy policy, struct tables *tables)
{
	struct recipe recipe = {.policy = policy};
	struct composition composition = {};
	struct catalog catalog = {};
	struct diag diag = {};

	catalog.profile = xcalloc(1, sizeof(*catalog.profile));
	if (!profile_parse("limits", yaml, strlen(yaml), &catalog.profile[0], &diag))
		catalog.profiles++;
	recipe_profiles(&recipe, "limits", &diag);
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		recipe_group(&recipe, groups[i], &diag);
	for (; *limit; limit++)
		if (!strcmp(*limit, "machines"))
			add_machines(&recipe, &diag);
		else if (**limit == '-')
			recipe_disable(&recipe, *limit + 1, &diag);
		else
			recipe_limit(&recipe, *limit, &diag);
	if (diag.errors || compose(&catalog, &recipe, false, &composition, &diag) ||
	    compile(&composition, tables, &diag)) {
		diag_print(&diag, stderr);
		exit(1);
	}
	composition_free(&composition);
	recipe_free(&recipe);
	catalog_close(&catalog);
	diag_free(&diag);
}

/* Resets the counts of all sources. */
static void forget(const struct runner *runner)
{
	struct pc_limiter limiter;
	__u32 zero = 0;

	bpf_map_delete_elem(runner->filter.fd[FILTER_LIMIT_CELLS], &zero);
	bpf_map_lookup_elem(runner->filter.fd[FILTER_LIMITER], &zero, &limiter);
	limiter.load = limiter.open_until = limiter.opened = 0;
	bpf_map_update_elem(runner->filter.fd[FILTER_LIMITER], &zero, &limiter, 0);
}

static struct pc_limiter limiter_of(const struct runner *runner)
{
	struct pc_limiter limiter = {};
	__u32 zero = 0;

	bpf_map_lookup_elem(runner->filter.fd[FILTER_LIMITER], &zero, &limiter);
	return limiter;
}

static bool put(struct runner *runner, const char *const *limit, enum pc_policy policy)
{
	struct tables tables = {};
	int err;

	limit_tables(limit, policy, &tables);
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	return !err;
}

/* --- frames --- */

static void syn_to(const char *target, const char *source, uint16_t port)
{
	struct frame_spec spec = {.family = strchr(source, ':') ? 6 : 4,
				  .source = source,
				  .target = target,
				  .protocol = 6,
				  .port = port};

	frame_build(&spec, &frame);
}

static void syn(const char *source, uint16_t port)
{
	syn_to(NULL, source, port);
}

static void datagram(const char *source, uint16_t source_port, uint16_t port)
{
	struct frame_spec spec = {.family = 4,
				  .source = source,
				  .protocol = 17,
				  .source_port = source_port,
				  .port = port,
				  .payload = 4};

	frame_build(&spec, &frame);
}

static void from_address(uint32_t address)
{
	address = htonl(address);
	memcpy(frame.data + frame.ip + 12, &address, sizeof(address));
}

/* How many of `count` frames pass. The explaining program must predict each. */
static unsigned int passing(struct runner *runner, unsigned int count)
{
	unsigned int passed = 0, wrong = 0;

	while (count--) {
		struct pc_event event = {};
		bool passes, said;

		if (question_ask(&runner->question, frame.data, frame.length, false, &event))
			wrong++;
		said = (event.how & (PC_EVENT_DROP | PC_EVENT_WOULD)) != PC_EVENT_DROP;
		passes = runner_fire(runner, &frame, RUN_WHOLE, 1) == XDP_PASS;
		wrong += passes != said;
		passed += passes;
	}
	if (wrong)
		check(false, "explain is right of %u frames more", wrong);
	return passed;
}

static uint64_t dropped(const struct runner *runner)
{
	return runner_total(runner, PC_CELL_REASON + PC_REASON_LIMIT).packets;
}

/* --- one source --- */

static void test_burst(struct runner *runner)
{
	static const char *const limit[] = {"limits:smtp=5/h", NULL};
	struct frame_spec ack = {.family = 4, .protocol = 6, .port = 25, .flags = FRAME_ACK};

	forget(runner);
	if (!check(put(runner, limit, PC_POLICY_ENFORCE), "a limit of 5 an hour"))
		return;
	syn(FRAME_SOURCE4, 25);
	check(passing(runner, 8) == 5, "a source begins 5");
	check(dropped(runner) == 3, "3 more are dropped as limit");
	check(runner_total(runner, PC_CELL_DROP + PC_PORT(PC_TCP, 25)).packets == 3,
	      "and counted at the port");
	syn("203.0.113.10", 25);
	check(passing(runner, 6) == 5, "another source has its own 5");
	syn(FRAME_SOURCE4, 80);
	check(passing(runner, 50) == 50, "another port is not limited");
	frame_build(&ack, &frame);
	check(passing(runner, 50) == 50, "what belongs to a connection is not limited");
	syn(FRAME_SOURCE6, 25);
	check(passing(runner, 6) == 5, "IPv6 is limited, too");
	if (!check(put(runner, limit, PC_POLICY_ENFORCE), "a swap"))
		return;
	syn(FRAME_SOURCE4, 25);
	check(passing(runner, 5) == 0, "keeps what was begun");
	if (!check(put(runner, limit, PC_POLICY_OBSERVE), "observe"))
		return;
	check(passing(runner, 5) == 5, "lets all pass");
	check(runner_total(runner, PC_CELL_REASON_WOULD + PC_REASON_LIMIT).packets == 5,
	      "and counts them as would-drop");
}

static void test_rate(struct runner *runner)
{
	static const char *const limit[] = {"limits:smtp={rate: 50/s, burst: 10}", NULL};
	unsigned int passed;

	forget(runner);
	if (!put(runner, limit, PC_POLICY_ENFORCE))
		return;
	syn(FRAME_SOURCE4, 25);
	passed = passing(runner, 40);
	check(passed >= 10 && passed <= 12, "50 a second: %u begin at once", passed);
	usleep(100000);
	passed = passing(runner, 40);
	/* A busy machine may take longer, and a coarse clock moves in ticks of up to 10 ms. */
	check(passed >= 4, "50 a second: %u more after 100 ms", passed);
}

static void test_who(struct runner *runner)
{
	static const char *const limit[] = {
		"limits:smtp={rate: 5/h, per: {ipv4: 24, ipv6: 56}, except: [carrier]}",
		"limits:ssh=5/h", NULL};

	forget(runner);
	if (!put(runner, limit, PC_POLICY_ENFORCE))
		return;
	syn("203.0.113.9", 25);
	check(passing(runner, 4) == 4, "4 of one address");
	syn("203.0.113.200", 25);
	check(passing(runner, 4) == 1, "the others of its /24 have 1 left");
	syn("203.0.114.9", 25);
	check(passing(runner, 6) == 5, "the next /24 has 5");
	syn("2001:db8:1:100::1", 25);
	check(passing(runner, 4) == 4, "4 of one IPv6 address");
	syn("2001:db8:1:1ff:ffff::1", 25);
	check(passing(runner, 4) == 1, "the others of its /56 have 1 left");
	syn("2001:db8:1:200::1", 25);
	check(passing(runner, 6) == 5, "the next /56 has 5");
	syn("10.2.3.4", 25);
	check(passing(runner, 100) == 100, "a carrier is not limited");
	syn("10.1.2.3", 22);
	check(passing(runner, 7) == 5, "a restricted service limits whom it admits");
	runner_zero(runner);
	syn("10.2.3.4", 22);
	check(passing(runner, 3) == 0 && !dropped(runner), "the others are dropped as source");
}

static void test_shared(struct runner *runner)
{
	static const struct {
		const char *name, *limit[4];
		unsigned int anyone, trusted;
	} port[] = {
		{"a limit beside a service without one",
		 {"limits:one=5/h", "-limits:third"},
		 100,
		 100},
		{"two limits", {"limits:one=5/h", "limits:other=7/h", "-limits:third"}, 12, 12},
		{"a limit beside a service of a group",
		 {"limits:one=5/h", "-limits:other"},
		 5,
		 100},
		{"three limits, one of a group",
		 {"limits:one=5/h", "limits:other=7/h", "limits:third=6/h"},
		 12,
		 18},
	};

	for (size_t i = 0; i < ARRAY_SIZE(port); i++) {
		unsigned int anyone, trusted;

		forget(runner);
		if (!put(runner, port[i].limit, PC_POLICY_ENFORCE))
			continue;
		syn(FRAME_SOURCE4, 80);
		anyone = passing(runner, 100);
		syn("10.1.2.3", 80);
		trusted = passing(runner, 100);
		check(anyone == port[i].anyone && trusted == port[i].trusted,
		      "%s: %u of anyone, %u of a member", port[i].name, anyone, trusted);
	}
}

static void test_source_ports(struct runner *runner)
{
	static const char *const limit[] = {"limits:ntp=5/h", NULL};

	forget(runner);
	if (!put(runner, limit, PC_POLICY_ENFORCE))
		return;
	datagram(FRAME_SOURCE4, 1500, 123);
	check(passing(runner, 4) == 4, "source ports of a service");
	datagram(FRAME_SOURCE4, 2000, 123);
	check(passing(runner, 4) == 1, "share one limit");
	runner_zero(runner);
	datagram(FRAME_SOURCE4, 2001, 123);
	check(passing(runner, 4) == 0 && !dropped(runner), "another one is not admitted");
}

static void test_machines(struct runner *runner)
{
	static const char *const limit[] = {"machines", NULL}, *const both[] = {"machines",
										"limits:smtp=7/h",
										NULL};

	forget(runner);
	if (!check(put(runner, limit, PC_POLICY_ENFORCE), "machines with a limit"))
		return;
	syn_to("192.0.2.10", FRAME_SOURCE4, 25);
	check(passing(runner, 8) == 5, "a source begins 5 at a machine");
	check(dropped(runner) == 3, "3 more are dropped as limit");
	syn_to("192.0.2.11", FRAME_SOURCE4, 25);
	check(passing(runner, 8) == 5, "and 5 at another one of the same recipe");
	syn_to("2001:db8::11", FRAME_SOURCE6, 25);
	check(passing(runner, 8) == 5, "by IPv6, too");
	syn_to("192.0.2.10", FRAME_SOURCE4, 80);
	check(passing(runner, 50) == 50, "another port of it is not limited");
	syn(FRAME_SOURCE4, 25);
	check(passing(runner, 50) == 50, "nor is this host");
	if (!put(runner, both, PC_POLICY_ENFORCE))
		return;
	check(passing(runner, 9) == 7, "unless it has a limit of its own");
	syn_to("192.0.2.10", FRAME_SOURCE4, 25);
	check(passing(runner, 3) == 0, "which is not that of the machine");
}

/* --- questions of this host --- */

static void send_from(struct runner *runner, const char *target, uint16_t port)
{
	struct frame_spec spec = {.family = 4,
				  .source = FRAME_TARGET4,
				  .target = target,
				  .protocol = 17,
				  .source_port = 5060,
				  .port = port,
				  .payload = 4};
	struct outcome outcome;

	frame_build(&spec, &frame);
	runner_send(runner, &frame, NULL, &outcome);
}

static void test_questions(struct runner *runner)
{
	static const char *const limit[] = {"limits:sip=5/h", NULL};

	forget(runner);
	if (!put(runner, limit, PC_POLICY_ENFORCE))
		return;
	datagram("203.0.113.20", 5060, 5060);
	check(passing(runner, 8) == 5, "datagrams are limited");
	send_from(runner, "203.0.113.20", 5060);
	datagram("203.0.113.20", 5060, 5060);
	check(passing(runner, 5) == 0, "answers of this host are not learned as questions");
	send_from(runner, "203.0.113.21", 5060);
	datagram("203.0.113.21", 5060, 5060);
	check(passing(runner, 300) == 300, "answers to a question of this host pass");
	datagram("203.0.113.21", 5061, 5060);
	check(passing(runner, 8) == 5, "and spend nothing of their source");
	datagram("203.0.113.21", 5060, 5060);
	check(passing(runner, 50) == 50, "which does not cut off the answers");
}

/* --- forged sources --- */

static uint32_t random_source(void)
{
	static struct random random = {1};

	return random_below(&random, UINT32_MAX) | 0x80000000u;
}

#define SKETCH_BURST 10
#define SKETCH_RATE  "limits:smtp={rate: 10/h, burst: 10}" /* refills only after the test */

/* The sketch a second time: the number of connections begun, for each cell. */
struct sketch {
	uint8_t begun[2][PC_LIMIT_CELLS];
	struct pc_limit limit;
	uint64_t secret;
};

static bool sketch_takes(struct sketch *sketch, uint32_t source)
{
	const __u64 prefix[2] = {source, 0};
	uint64_t hash = pc_limit_hash(prefix, sketch->limit.service, 0, sketch->secret);
	uint8_t *one = &sketch->begun[0][(uint32_t)hash % PC_LIMIT_CELLS];
	uint8_t *other = &sketch->begun[1][(uint32_t)(hash >> 32) % PC_LIMIT_CELLS];
	uint8_t least = *one < *other ? *one : *other;

	if (least >= SKETCH_BURST)
		return false;
	*one = *one > least ? *one : (uint8_t)(least + 1);
	*other = *other > least ? *other : (uint8_t)(least + 1);
	return true;
}

static struct sketch *sketch_begin(struct runner *runner)
{
	static const char *const limit[] = {SKETCH_RATE, NULL};
	struct sketch *sketch = xcalloc(1, sizeof(*sketch));
	struct tables tables = {};

	forget(runner);
	limit_tables(limit, PC_POLICY_ENFORCE, &tables);
	sketch->limit = tables.generation->limit[0];
	sketch->secret = limiter_of(runner).secret;
	if (!check(!runner_switch(runner, &tables), "a limit of 10 an hour"))
		text_free(&sketch);
	tables_free(&tables);
	syn(FRAME_SOURCE4, 25);
	return sketch;
}

static bool fires(struct runner *runner, uint32_t source)
{
	from_address(source);
	return runner_fire(runner, &frame, RUN_WHOLE, 1) == XDP_PASS;
}

/* A few sources that come often, and many that come once. */
static void test_sketch(struct runner *runner, unsigned int count)
{
	__free_text struct sketch *sketch = sketch_begin(runner);
	unsigned int wrong = 0, over = 0;

	if (!sketch)
		return;
	for (unsigned int i = 0; i < count; i++) {
		uint32_t source = random_source();
		bool takes;

		if (i % 2)
			source = 0x0a030000u + source % 997;
		takes = sketch_takes(sketch, source);
		wrong += fires(runner, source) != takes;
		over += !takes;
	}
	check(!wrong && over > 100, "%u frames as the model of the sketch has them: %u are over",
	      count, over);
}

/* Up to the bound no honest source loses a packet; above it, limits open. */
static void test_bound(struct runner *runner, bool quick)
{
	const unsigned int bound = PC_LIMIT_CELLS * 3 / 4, honest = 500;
	__free_text struct sketch *sketch = sketch_begin(runner);
	unsigned int lost = 0, past = 0, sent = 0, left, forged = quick ? 100000 : bound * 9 / 10;

	if (!sketch)
		return;
	for (unsigned int i = 0; i < forged; i++) {
		fires(runner, random_source());
		/* Each begins half of its burst during it. */
		if (i % (forged / (honest * SKETCH_BURST / 2)) == 0)
			lost += !fires(runner, 0x0a040000u + sent++ % honest);
	}
	check(!lost && !limiter_of(runner).opened, "%u forged sources cut off no honest one",
	      forged);
	syn("10.5.0.1", 25);
	left = passing(runner, 12);
	check(left >= SKETCH_BURST / 2 && left <= SKETCH_BURST,
	      "and of another one that begins too much, %u pass", left);
	if (quick)
		return;
	for (unsigned int i = 0; i < 4 * bound; i++)
		fires(runner, random_source());
	for (unsigned int i = 0; i < 20 * honest; i++)
		past += !fires(runner, 0x0a060000u + i % honest);
	check(!past && limiter_of(runner).opened,
	      "past the bound nobody is cut off, which is counted");
}

/* --- what it costs --- */

/* ns of one run of the frame: the least of 40 times, each with `count` runs. */
static double ns_of_run(const struct runner *runner, unsigned int count)
{
	double least = 1e9;

	for (int i = 0; i < 40; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data,
			    .data_size_in = frame.length, .repeat = count);

		if (!bpf_prog_test_run_opts(runner->filter.fd[FILTER_PROGRAM], &run) &&
		    run.duration < least)
			least = run.duration;
	}
	return least;
}

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The same with as many different sources, including the test's own cost. */
static double ns_of_sources(const struct runner *runner, unsigned int count)
{
	double start = seconds();

	for (unsigned int i = 0; i < count; i++)
		fires((struct runner *)runner, random_source());
	return (seconds() - start) / count * 1e9;
}

/* One warm source, and sources that come once: with a limit, and at an open port without one. */
static void note_cost(struct runner *runner)
{
	static const char *const limit[] = {"limits:smtp={rate: 1000000/s, burst: 1000000}", NULL};
	double open, limited, sources, cold;

	forget(runner);
	if (!put(runner, limit, PC_POLICY_ENFORCE))
		return;
	syn(FRAME_SOURCE4, 80);
	open = ns_of_run(runner, 10000);
	sources = ns_of_sources(runner, 200000);
	syn(FRAME_SOURCE4, 25);
	limited = ns_of_run(runner, 10000);
	cold = ns_of_sources(runner, 200000);
	note("a SYN to an open port: %.0f ns; to one with a limit: %.0f; of other sources each: %.0f more",
	     open, limited, cold - sources);
}

void suite_limits(struct runner *runner, bool quick)
{
	test_burst(runner);
	test_rate(runner);
	test_who(runner);
	test_shared(runner);
	test_source_ports(runner);
	test_machines(runner);
	test_questions(runner);
	test_sketch(runner, quick ? 40000 : 400000);
	test_bound(runner, quick);
	if (!quick)
		note_cost(runner);
	forget(runner);
	runner_zero(runner);
}
