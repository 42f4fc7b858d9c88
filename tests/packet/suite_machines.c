// SPDX-License-Identifier: GPL-2.0
/* Machines behind this host: every port of each, what is counted, and what belongs to what. */
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
	const char *word; /* as behind --machine */
	const char *profile;
	const char *group; /* of its own */
	bool observe, enforce_out;
	const char *address4, *address6; /* of the frames */
} spec[] = {
	{"web=192.0.2.10,2001:db8::10", "web", NULL, false, false, "192.0.2.10", "2001:db8::10"},
	{"lab=192.0.2.16/28,2001:db8::20/124", "desk", NULL, true, false, "192.0.2.17",
	 "2001:db8::2f"},
	{"boss=192.0.2.20,2001:db8::24", "desk", NULL, false, true, "192.0.2.20", "2001:db8::24"},
	{"tenant=192.0.2.40,2001:db8::40", "web", "mgmt=10.50.0.0/16,2001:db8:b::/48", false, false,
	 "192.0.2.40", "2001:db8::40"},
	/* FAR of fixture.h, from which this host forwards. */
	{"far=198.51.100.7,2001:db8:f::7", "desk", NULL, false, false, "198.51.100.7",
	 "2001:db8:f::7"},
};
#define MACHINES ARRAY_SIZE(spec)
enum { WEB, LAB, BOSS, TENANT, FAR_AWAY, HOST }; /* HOST: no machine */

static const char *const host4[] = {"192.0.2.1", "192.0.2.32", "192.0.2.15", "192.0.2.99"};
static const char *const host6[] = {"2001:db8::1", "2001:db8::30", "2001:db8::1f", "2001:db8::99"};

static const char *const source4[] = {"203.0.113.9", "10.1.2.3", "10.50.0.1"};
static const char *const source6[] = {"2001:db8:ffff::9", "2001:db8:a::3", "2001:db8:b::1"};
enum { ANYBODY, INSIDE, TENANTS };

static struct frame frame;

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
	if (machine == WEB || machine == TENANT) /* 16400 is of the range, too */
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
		machine->own.policy = spec[i].observe ? PC_POLICY_OBSERVE : PC_POLICY_ENFORCE;
		machine->own.outbound =
			spec[i].enforce_out ? PC_OUTBOUND_ENFORCE : PC_OUTBOUND_TRACK;
	}
	machines_inherit(recipe);
}

/* The first ones of `spec`. Ends the process if they do not compile: they are this test's own. */
static void machine_tables(size_t machines, struct tables *tables)
{
	struct composition composition = {};
	struct catalog catalog = {};
	struct recipe recipe = {};
	struct diag diag = {};

	read_profiles(&catalog, &diag);
	recipe_profiles(&recipe, "gateway", &diag);
	recipe_group(&recipe, MGMT, &diag);
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

/* The counts of a machine at a port, summed over all of its tallies that have it. */
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

/* What a sweep of one machine by one source counts. */
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

/* The sweep asked each port once for each family and source. */
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

void suite_machines(struct runner *runner, bool quick)
{
	if (!check(!put(runner, MACHINES), "machines: they compile"))
		return;
	runner_zero(runner);
	if (!quick)
		test_sweeps(runner);
	runner_zero(runner);
}
