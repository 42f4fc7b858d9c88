// SPDX-License-Identifier: GPL-2.0
/* Machines behind this host: every port of each, what is counted, and which packet belongs to
 * which. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/compile/compile.h"
#include "loader/compile/tallies.h"
#include "loader/filter/counter_maps.h"
#include "loader/filter/generation.h"
#include "loader/filter/tally_maps.h"
#include "loader/recipe/machines.h"
#include "loader/report/counters.h"
#include "tests/packet/check.h"
#include "tests/packet/egress_hook.h"
#include "tests/packet/fixture.h"
#include "tests/packet/suites.h"

static const char *const yaml[][2] = {
	{"gateway", "profile: gateway\n"
		    "title: This host itself\n"
		    "services:\n"
		    "  - name: ssh\n"
		    "    in: 2200/tcp\n"
		    "  - name: ntp\n"
		    "    in: 123/udp\n"},
	{"web", "profile: web\n"
		"title: Ports of anyone and of a group, and a long range\n"
		"protocols: [esp]\n"
		"services:\n"
		"  - name: ssh\n"
		"    in: 22/tcp\n"
		"    from: mgmt\n"
		"  - name: http\n"
		"    in: [80/tcp, 8000-8003/tcp]\n"
		"  - name: rtp\n"
		"    in: 16384-16999/udp\n"
		"  - name: sip\n"
		"    in: 16400/udp\n"
		"    from: mgmt\n"
		"  - name: smtp\n"
		"    out: 25/tcp\n"},
	{"desk", "profile: desk\n"
		 "title: Another list\n"
		 "services:\n"
		 "  - name: rdp\n"
		 "    in: 3389/tcp+udp\n"
		 "    from: mgmt\n"
		 "  - name: dns\n"
		 "    in: 53/tcp+udp\n"
		 "    out: 53/tcp+udp\n"},
};

#define MGMT "mgmt=10.1.0.0/16,2001:db8:a::/48"

static const struct machine_spec {
	const char *word; /* arguments of --machine */
	const char *profile;
	const char *group; /* a group of its own */
	bool observe;
	const char *address4, *address6; /* address in the frames */
} spec[] = {
	{"web=192.0.2.10,2001:db8::10", "web", NULL, false, "192.0.2.10", "2001:db8::10"},
	{"lab=192.0.2.16/28,2001:db8::20/124", "desk", NULL, true, "192.0.2.17", "2001:db8::2f"},
	{"boss=192.0.2.20,2001:db8::24", "desk", NULL, false, "192.0.2.20", "2001:db8::24"},
	{"tenant=192.0.2.40,2001:db8::40", "web", "mgmt=10.50.0.0/16,2001:db8:b::/48", false,
	 "192.0.2.40", "2001:db8::40"},
	/* FAR of fixture.h, from which this host forwards. */
	{"far=198.51.100.7,2001:db8:f::7", "desk", NULL, false, "198.51.100.7", "2001:db8:f::7"},
};
#define MACHINES ARRAY_SIZE(spec)
enum { WEB, LAB, BOSS, TENANT, FAR_AWAY, HOST }; /* HOST: no machine */

static const char *const host4[] = {"192.0.2.1", "192.0.2.32", "192.0.2.15", "192.0.2.99"};
static const char *const host6[] = {"2001:db8::1", "2001:db8::30", "2001:db8::1f", "2001:db8::99"};

static const char *const source4[] = {"203.0.113.9", "10.1.2.3", "10.50.0.1"};
static const char *const source6[] = {"2001:db8:ffff::9", "2001:db8:a::3", "2001:db8:b::1"};
enum { ANYBODY, INSIDE, TENANTS };

static struct frame frame;

/* Settings of `far`. */
static bool far_observed, far_enforced;

/* --forward of the interface: for hosts that are no machines, too. */
static bool others_forward;

/* --- what must come of it, written by hand --- */

static bool is_listed(size_t machine, bool udp, uint32_t port)
{
	switch (machine) {
	case HOST: return udp ? port == 123 : port == 2200;
	case WEB:
	case TENANT:
		return udp ? port >= 16384 && port <= 16999 :
			     port == 22 || port == 80 || (port >= 8000 && port <= 8003);
	default: return port == 3389 || port == 53;
	}
}

static bool is_admitted(size_t machine, bool udp, uint32_t port, int source)
{
	if (!is_listed(machine, udp, port))
		return false;
	if (machine == WEB || machine == TENANT) /* 16400 is in the range, too */
		return port != 22 || source == (machine == WEB ? INSIDE : TENANTS);
	return machine == HOST || port != 3389 || source == INSIDE;
}

/* --- tables --- */

static void read_profiles(struct catalog *catalog, struct diag *diag)
{
	catalog->profile = xcalloc(ARRAY_SIZE(yaml), sizeof(*catalog->profile));
	for (size_t i = 0; i < ARRAY_SIZE(yaml); i++)
		if (!profile_parse(yaml[i][0], yaml[i][1], strlen(yaml[i][1]),
				   &catalog->profile[catalog->profiles], diag))
			catalog->profiles++;
}

static void add_machines(struct recipe *recipe, size_t machines, struct diag *diag)
{
	const struct place place = {.file = "--machine"};

	for (size_t i = 0; i < machines; i++) {
		struct machine *machine = machines_word(recipe, spec[i].word, &place, diag);

		recipe_profiles(&machine->own, spec[i].profile, diag);
		if (spec[i].group)
			recipe_group(&machine->own, spec[i].group, diag);
		machine->policy_given = machine->outbound_given = true;
		machine->own.policy = spec[i].observe || (i == FAR_AWAY && far_observed) ?
					      PC_POLICY_OBSERVE :
					      PC_POLICY_ENFORCE;
		machine->own.outbound =
			i == FAR_AWAY && far_enforced ? PC_OUTBOUND_ENFORCE : PC_OUTBOUND_TRACK;
	}
	machines_inherit(recipe);
}

/* Uses the first entries of `spec`. Ends the process if they do not compile, because they are this
 * test's own. */
static void machine_tables(size_t machines, struct tables *tables)
{
	struct composition composition = {};
	struct catalog catalog = {};
	struct recipe recipe = {};
	struct diag diag = {};

	read_profiles(&catalog, &diag);
	recipe_profiles(&recipe, "gateway", &diag);
	recipe_group(&recipe, MGMT, &diag);
	recipe.forward = others_forward;
	add_machines(&recipe, machines, &diag);
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

static int put(struct runner *runner, size_t machines)
{
	struct tables tables = {};
	int err;

	machine_tables(machines, &tables);
	err = filter_switch(&runner->filter, &tables, "{}", false);
	tables_free(&tables);
	return err;
}

/* --- counters --- */

struct read {
	struct counters *counters;
	struct tallies tallies;
};

static void read_free(struct read *read)
{
	free(read->counters);
	tallies_free(&read->tallies);
}

static bool read_all(const struct runner *runner, struct read *read)
{
	read->counters = xcalloc(1, sizeof(*read->counters));
	return !filter_counters(&runner->filter, read->counters) &&
	       !tallies_read(&runner->filter, &read->tallies);
}

/* The counts of a machine at a port, summed over all of its tallies that have the port. */
static struct counts counts_of(const struct read *read, const char *machine, bool out,
			       uint32_t port)
{
	__u64 digest = tallies_machine(machine);
	struct counts sum = {};

	for (size_t i = 0; i < read->tallies.count; i++) {
		const struct pc_tally *tally = &read->tallies.tally[i];
		struct counts counts;

		if (tally->machine != digest || !!tally->out != out || port < tally->first ||
		    port > tally->last)
			continue;
		counts = counters_tally(read->counters, (__u32)i + 1, out);
		sum.pass.packets += counts.pass.packets;
		sum.drop.packets += counts.drop.packets;
		sum.would_drop.packets += counts.would_drop.packets;
	}
	return sum;
}

/* --- every port --- */

static void set_port(struct frame_spec *of, uint32_t port)
{
	of->port = (uint16_t)port;
	frame.data[frame.upper + 2] = (uint8_t)(port >> 8);
	frame.data[frame.upper + 3] = (uint8_t)port;
}

/* The counts that a sweep of one machine by one source must leave. */
struct sweep {
	size_t machine;
	int family, source;
	bool udp;
};

static const char *name_of(size_t machine)
{
	static const char *const name[] = {"web", "lab", "boss", "tenant", "far", "this host"};

	return name[machine];
}

/* Returns the number of ports with the wrong action. */
static unsigned int sweep_ports(const struct runner *runner, const struct sweep *sweep,
				const char *target)
{
	bool v4 = sweep->family == 4;
	struct frame_spec of = {
		.family = sweep->family,
		.protocol = sweep->udp ? 17 : 6,
		.source = (v4 ? source4 : source6)[sweep->source],
		.target = target,
		.source_port = 40999,
	};
	bool observe = sweep->machine != HOST && spec[sweep->machine].observe;
	unsigned int wrong = 0;

	frame_build(&of, &frame);
	for (uint32_t port = 0; port < 65536; port++) {
		bool passes =
			observe || is_admitted(sweep->machine, sweep->udp, port, sweep->source);
		int action;

		set_port(&of, port);
		action = runner_fire(runner, &frame, RUN_WHOLE, 1);
		if (action == (passes ? XDP_PASS : XDP_DROP))
			continue;
		if (!wrong++)
			note("%s: port %u: action %d, expected %s", target, port, action,
			     passes ? "pass" : "drop");
	}
	return wrong;
}

static void test_sweep(const struct runner *runner, size_t machine, const char *target4,
		       const char *target6)
{
	unsigned int wrong = 0;

	for (int family = 4; family <= 6; family += 2)
		for (int udp = 0; udp < 2; udp++)
			for (int source = ANYBODY; source <= TENANTS; source++)
				wrong += sweep_ports(runner,
						     &(struct sweep){machine, family, source, udp},
						     family == 4 ? target4 : target6);
	check(!wrong, "machines: all ports of %s (%s), inside and outside its groups",
	      name_of(machine), target4);
}

/* The sweep sent to each port once for each family and source. */
static void test_counts(const struct read *read, size_t machine)
{
	unsigned int wrong = 0;

	for (int udp = 0; udp < 2; udp++)
		for (uint32_t port = 0; port < 65536; port++) {
			struct counts counts = counts_of(read, name_of(machine), false,
							 PC_PORT(udp ? PC_UDP : PC_TCP, port));
			__u64 pass = 0, drop;

			if (!is_listed(machine, udp, port) || (udp && port >= 16384))
				continue;
			for (int source = ANYBODY; source <= TENANTS; source++)
				pass += 2 * is_admitted(machine, udp, port, source);
			drop = 6 - pass;
			wrong += counts.pass.packets != pass ||
				 counts.drop.packets != (spec[machine].observe ? 0 : drop) ||
				 counts.would_drop.packets != (spec[machine].observe ? drop : 0);
		}
	check(!wrong, "machines: what the ports of %s have counted", name_of(machine));
}

static void test_sweeps(struct runner *runner)
{
	__cleanup(read_free) struct read read = {};
	struct counts range;

	for (size_t i = 0; i < MACHINES; i++)
		test_sweep(runner, i, spec[i].address4, spec[i].address6);
	for (size_t i = 0; i < ARRAY_SIZE(host4); i += 3)
		test_sweep(runner, HOST, host4[i], host6[i]);
	if (!check(read_all(runner, &read), "machines: counters are read"))
		return;
	for (size_t i = 0; i < MACHINES; i++)
		test_counts(&read, i);
	range = counts_of(&read, "web", false, PC_PORT(PC_UDP, 16500));
	check(range.pass.packets == 6 * 615 && !range.drop.packets,
	      "machines: a range of 616 ports less one is counted as one");
}

/* --- one packet after the other --- */

/* A packet for a machine or this host, and whether it passes. */
static const struct {
	const char *name;
	struct frame_spec spec;
	bool passes;
} single[] = {
	{"ESP to a machine whose profile names it",
	 {.family = 4, .protocol = 50, .bare = true, .payload = 40, .target = "192.0.2.10"},
	 true},
	{"ESP to a machine whose profile does not",
	 {.family = 4, .protocol = 50, .bare = true, .payload = 40, .target = "192.0.2.20"},
	 false},
	{"ESP to this host, whose profile does not",
	 {.family = 4, .protocol = 50, .bare = true, .payload = 40},
	 false},
	{"ESP to an observed machine",
	 {.family = 4, .protocol = 50, .bare = true, .payload = 40, .target = "192.0.2.17"},
	 true},
	{"an echo request to a machine",
	 {.family = 6, .protocol = 58, .type = 128, .target = "2001:db8::10"},
	 true},
	{"an echo reply that no machine asked for",
	 {.family = 4, .protocol = 1, .type = 0, .identifier = 9, .target = "192.0.2.10"},
	 false},
	{"a neighbour solicitation to a machine",
	 {.family = 6, .protocol = 58, .type = 135, .hop_limit = 255, .target = "2001:db8::10"},
	 true},
	{"a neighbour solicitation from afar",
	 {.family = 6, .protocol = 58, .type = 135, .target = "2001:db8::10"},
	 false},
	{"an error that quotes a listed port of its machine",
	 {.family = 4,
	  .protocol = 1,
	  .type = 3,
	  .code = 4,
	  .mtu = 1400,
	  .target = "192.0.2.10",
	  .quote = &(const struct frame_spec){.family = 4,
					      .protocol = 6,
					      .source = "192.0.2.10",
					      .target = "203.0.113.9",
					      .source_port = 80,
					      .port = 40000,
					      .flags = FRAME_ACK}},
	 true},
	{"an error that quotes what its machine does not list",
	 {.family = 4,
	  .protocol = 1,
	  .type = 3,
	  .code = 4,
	  .mtu = 1400,
	  .target = "192.0.2.20",
	  .quote = &(const struct frame_spec){.family = 4,
					      .protocol = 6,
					      .source = "192.0.2.20",
					      .target = "203.0.113.9",
					      .source_port = 80,
					      .port = 40000,
					      .flags = FRAME_ACK}},
	 false},
	{"an error that quotes another machine",
	 {.family = 4,
	  .protocol = 1,
	  .type = 3,
	  .code = 4,
	  .mtu = 1400,
	  .target = "192.0.2.20",
	  .quote = &(const struct frame_spec){.family = 4,
					      .protocol = 6,
					      .source = "192.0.2.10",
					      .target = "203.0.113.9",
					      .source_port = 80,
					      .port = 40000,
					      .flags = FRAME_ACK}},
	 false},
	{"an error by a group of a tenant's own",
	 {.family = 6,
	  .protocol = 58,
	  .type = 2,
	  .mtu = 1400,
	  .target = "2001:db8::40",
	  .quote = &(const struct frame_spec){.family = 6,
					      .protocol = 6,
					      .source = "2001:db8::40",
					      .target = "2001:db8:b::7",
					      .source_port = 22,
					      .port = 40000,
					      .flags = FRAME_ACK}},
	 true},
	{"an error by a group that the tenant hides",
	 {.family = 6,
	  .protocol = 58,
	  .type = 2,
	  .mtu = 1400,
	  .target = "2001:db8::40",
	  .quote = &(const struct frame_spec){.family = 6,
					      .protocol = 6,
					      .source = "2001:db8::40",
					      .target = "2001:db8:a::7",
					      .source_port = 22,
					      .port = 40000,
					      .flags = FRAME_ACK}},
	 false},
	/* 192.0.2.1 is an address of this host, and outside the machines' prefixes. */
	{"multicast is this host's",
	 {.family = 4, .protocol = 17, .port = 123, .target = "224.0.1.1"},
	 true},
	{"a first fragment to a listed port",
	 {.family = 4,
	  .protocol = 17,
	  .port = 16500,
	  .fragment = FRAGMENT_MORE,
	  .id = 77,
	  .payload = 64,
	  .target = "192.0.2.10"},
	 true},
	{"its later fragment",
	 {.family = 4,
	  .protocol = 17,
	  .bare = true,
	  .fragment = 9,
	  .id = 77,
	  .payload = 64,
	  .target = "192.0.2.10"},
	 true},
	{"the same of another machine",
	 {.family = 4,
	  .protocol = 17,
	  .bare = true,
	  .fragment = 9,
	  .id = 77,
	  .payload = 64,
	  .target = "192.0.2.40"},
	 false},
	{"a first fragment to a port that another machine lists",
	 {.family = 4,
	  .protocol = 17,
	  .port = 16500,
	  .fragment = FRAGMENT_MORE,
	  .id = 78,
	  .payload = 64,
	  .target = "192.0.2.20"},
	 false},
	{"its later fragment, too",
	 {.family = 4,
	  .protocol = 17,
	  .bare = true,
	  .fragment = 9,
	  .id = 78,
	  .payload = 64,
	  .target = "192.0.2.20"},
	 false},
};

static void test_singles(struct runner *runner)
{
	__cleanup(read_free) struct read read = {};

	for (size_t i = 0; i < ARRAY_SIZE(single); i++) {
		int action;

		frame_build(&single[i].spec, &frame);
		action = runner_fire(runner, &frame, RUN_WHOLE, 1);
		if (!check(action == (single[i].passes ? XDP_PASS : XDP_DROP), "machines: %s",
			   single[i].name))
			note("action %d", action);
		/* Headers after the linear part are read by other code. */
		if (runner_takes(runner, &frame, 40) && !single[i].spec.bare)
			check(runner_fire(runner, &frame, 40, 1) == action,
			      "machines: the same in two buffers: %s", single[i].name);
	}
	if (read_all(runner, &read))
		check(counts_of(&read, "web", false, PC_PORT(PC_UDP, 16500)).pass.packets ==
			      (runner->filter.frags ? 3 : 2),
		      "machines: fragments count at the port of their machine");
}

/* --- what machines send --- */

static int forward_udp(const char *source, uint16_t port, uint16_t remote)
{
	const struct frame_spec of = {.family = 4,
				      .protocol = 17,
				      .source = source,
				      .target = "10.77.0.2",
				      .source_port = port,
				      .port = remote};

	frame_build(&of, &frame);
	return fixture_forward(&frame, 4);
}

static int answer_udp(const struct runner *runner, const char *target, uint16_t port,
		      uint16_t remote)
{
	const struct frame_spec of = {.family = 4,
				      .protocol = 17,
				      .source = "10.77.0.2",
				      .target = target,
				      .source_port = remote,
				      .port = port};

	frame_build(&of, &frame);
	return runner_fire(runner, &frame, RUN_WHOLE, 1);
}

static void test_learning(struct runner *runner)
{
	__cleanup(read_free) struct read read = {};
	struct counts counts;

	forward_udp("198.51.100.7", 3000, 5300);
	forward_udp("198.51.100.7", 3001, 53);
	usleep(2000);
	check(answer_udp(runner, "198.51.100.7", 3000, 5300) == XDP_PASS,
	      "machines: the answer to what a machine sent");
	check(answer_udp(runner, "198.51.100.7", 3009, 5300) == XDP_DROP,
	      "machines: an answer to what it did not send");
	check(answer_udp(runner, "192.0.2.20", 3000, 5300) == XDP_DROP,
	      "machines: an answer to what another machine sent");
	check(answer_udp(runner, "198.51.100.7", 3001, 53) == XDP_PASS && read_all(runner, &read),
	      "machines: the answer to a port of an `out` service");
	counts = counts_of(&read, "far", true, PC_PORT(PC_UDP, 53));
	check(counts.pass.packets == 2, "machines: what it sent to that port, and the answer");
}

/* Packets of strangers to every port of an observed machine. */
static void flood(const struct runner *runner, const char *target)
{
	struct frame_spec of = {.family = 4, .protocol = 17, .target = target};
	char source[INET_ADDRSTRLEN];

	for (unsigned int host = 1; host <= 4; host++) {
		snprintf(source, sizeof(source), "203.0.113.%u", host);
		of.source = source;
		frame_build(&of, &frame);
		for (uint32_t port = 0; port < 65536; port++) {
			set_port(&of, port);
			runner_fire(runner, &frame, RUN_WHOLE, 1);
		}
	}
}

static void test_observed(struct runner *runner)
{
	/* A stranger's packet passes, and its answer opens nothing. */
	far_observed = true;
	put(runner, MACHINES);
	check(answer_udp(runner, "198.51.100.7", 3020, 5300) == XDP_PASS,
	      "machines: a packet passes by observe");
	forward_udp("198.51.100.7", 3020, 5300);
	forward_udp("198.51.100.7", 3021, 5300);
	usleep(2000);
	far_observed = false;
	put(runner, MACHINES);
	check(answer_udp(runner, "198.51.100.7", 3020, 5300) == XDP_DROP,
	      "machines: the answer to what passed by observe is not learned");
	check(answer_udp(runner, "198.51.100.7", 3021, 5300) == XDP_PASS,
	      "machines: what an observed one began is");
}

/* The verdict on the answer to a packet of a host that is no machine, next to machines. */
static int answer_to_other(struct runner *runner, bool forward, uint16_t port)
{
	others_forward = forward;
	put(runner, FAR_AWAY);
	forward_udp("198.51.100.7", port, 5300);
	usleep(2000);
	return answer_udp(runner, "198.51.100.7", port, 5300);
}

static void test_others(struct runner *runner)
{
	check(answer_to_other(runner, false, 3040) == XDP_DROP,
	      "machines: without --forward, the answer to what no machine sent");
	check(answer_to_other(runner, true, 3041) == XDP_PASS,
	      "machines: with --forward, the answer to what no machine sent");
	others_forward = false;
	put(runner, MACHINES);
}

/* Machines whose addresses end alike share a part of the cells only by chance. */
static void test_parts(void)
{
	struct pc_flow one = {.family = 4, .protocol = 17}, other = one;
	unsigned int shared = 0;

	inet_pton(AF_INET, "198.51.100.7", &one.ipv4.local);
	inet_pton(AF_INET, "192.0.2.135", &other.ipv4.local);
	for (__u64 secret = 1; secret <= 1024; secret++) {
		__u32 by_port, by_tuple, first;

		pc_came_cells(&one, true, pc_mix(secret, 0), &first, &by_tuple);
		pc_came_cells(&other, true, pc_mix(secret, 0), &by_port, &by_tuple);
		shared += first / PC_CAME_MACHINE == by_port / PC_CAME_MACHINE;
	}
	if (!check(shared < 16, "machines: parts of the tuples that came in, by the whole address"))
		note("shared with %u of 1024 secrets", shared);
}

/* Whether the answer to a port of `far` passes within so many tries. */
static bool answer_comes(const struct runner *runner, uint16_t port, unsigned int *tries)
{
	while (answer_udp(runner, "198.51.100.7", port, 5300) != XDP_PASS) {
		if (!*tries)
			return false;
		--*tries;
		usleep(10000);
	}
	return true;
}

static void test_flood(struct runner *runner)
{
	unsigned int learned = 0, tries = 100; /* of 10 ms: the packets are on their way */

	far_observed = false;
	put(runner, MACHINES);
	flood(runner, "192.0.2.17");
	for (uint16_t port = 4000; port < 4064; port++)
		forward_udp("198.51.100.7", port, 5300);
	for (uint16_t port = 4000; port < 4064; port++)
		learned += answer_comes(runner, port, &tries);
	/*
	 * Packets that came in for `far` in earlier tests use one or two of the 512 cells of its
	 * part. One of these ports may share such a cell, and then collide with the flood's tuples.
	 */
	if (!check(learned >= 60,
		   "machines: a flood to an observed one keeps no other from learning"))
		note("%u of 64 answers pass", learned);
}

/* The tally of packets that the machine sends to ports that no service lists. */
static struct counts unlisted_out(const struct read *read, const char *machine)
{
	for (size_t i = 0; i < read->tallies.count; i++) {
		const struct pc_tally *tally = &read->tallies.tally[i];

		if (tally->machine == tallies_machine(machine) && tally->out &&
		    tally->last < tally->first)
			return counters_tally(read->counters, (__u32)i + 1, true);
	}
	return (struct counts){};
}

static void test_outbound(struct runner *runner)
{
	__cleanup(read_free) struct read read = {};
	__u64 before, after, dropped;

	if (!check(read_all(runner, &read), "machines: counters before they send"))
		return;
	before = counts_of(&read, "far", true, PC_PORT(PC_UDP, 53)).pass.packets;
	far_enforced = true;
	put(runner, MACHINES);
	fixture_went_out(0);
	forward_udp("198.51.100.7", 3100, 5300);
	usleep(2000);
	check(!fixture_went_out(3100), "machines: outbound enforced, a port that is not listed");
	forward_udp("198.51.100.7", 3101, 53);
	usleep(2000);
	check(fixture_went_out(3101), "machines: outbound enforced, a listed one");
	far_enforced = false;
	put(runner, MACHINES);
	forward_udp("198.51.100.7", 3102, 5300);
	usleep(2000);
	check(fixture_went_out(3102), "machines: outbound is not enforced any more");
	read_free(&read);
	read = (struct read){};
	if (!check(read_all(runner, &read), "machines: counters of what they sent"))
		return;
	after = counts_of(&read, "far", true, PC_PORT(PC_UDP, 53)).pass.packets;
	dropped = unlisted_out(&read, "far").drop.packets;
	if (!check(after == before + 1 && dropped == 1, "machines: both count at their machine"))
		note("%llu sent, %llu dropped", after - before, dropped);
}

/* --- swaps --- */

static __u64 passed_at_80(const struct runner *runner)
{
	__cleanup(read_free) struct read read = {};

	return read_all(runner, &read) ?
		       counts_of(&read, "web", false, PC_PORT(PC_TCP, 80)).pass.packets :
		       0;
}

static void fire_80(const struct runner *runner, unsigned int count)
{
	const struct frame_spec of = {
		.family = 4, .protocol = 6, .port = 80, .target = "192.0.2.10"};

	frame_build(&of, &frame);
	runner_fire(runner, &frame, RUN_WHOLE, count);
}

static void test_swaps(struct runner *runner)
{
	__u64 before = passed_at_80(runner);

	fire_80(runner, 3000); /* more than a word holds */
	check(passed_at_80(runner) == before + 3000, "machines: 3,000 packets are counted");
	put(runner, 0);
	check(passed_at_80(runner) == before + 3000, "machines: a swap without them keeps counts");
	put(runner, 2);
	fire_80(runner, 7);
	check(passed_at_80(runner) == before + 3007, "machines: one that comes back goes on");
	put(runner, MACHINES);
	fire_80(runner, 1);
	check(passed_at_80(runner) == before + 3008, "machines: a swap that adds some moves none");
}

void suite_machines(struct runner *runner, bool quick)
{
	struct egress_hook hook;

	test_parts();
	if (!check(!put(runner, MACHINES), "machines: they compile"))
		return;
	runner_zero(runner);
	test_singles(runner);
	if (check(!egress_hook_open(runner, fixture_out(), &hook),
		  "machines: egress of a device")) {
		test_learning(runner);
		test_outbound(runner);
		test_others(runner);
		test_observed(runner);
		if (!quick)
			test_flood(runner);
		egress_hook_close(&hook);
	}
	test_swaps(runner);
	runner_zero(runner);
	if (!quick)
		test_sweeps(runner);
	runner_zero(runner);
}
