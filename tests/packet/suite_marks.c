// SPDX-License-Identifier: GPL-2.0
/* Marks of local ports: when sockets are looked up, and which packets leave a mark. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "loader/base/memory.h"
#include "tests/packet/check.h"
#include "tests/packet/suites.h"

static struct frame frame;

/* Answers to sockets of the fixture. */
static const struct {
	const char *what;
	struct frame_spec spec;
} answer[] = {
	{"TCP",
	 {.family = 4, .protocol = 6, .source_port = 993, .port = 40100, .flags = FRAME_ACK}},
	{"TCP6",
	 {.family = 6, .protocol = 6, .source_port = 993, .port = 40100, .flags = FRAME_ACK}},
	{"a SYN with ACK",
	 {.family = 4,
	  .protocol = 6,
	  .source = "198.51.100.7",
	  .source_port = 9000,
	  .port = 40105,
	  .flags = FRAME_SYN | FRAME_ACK}},
	{"time-wait",
	 {.family = 4, .protocol = 6, .source_port = 9000, .port = 40103, .flags = FRAME_ACK}},
	{"a request",
	 {.family = 4,
	  .protocol = 6,
	  .source = "198.51.100.7",
	  .source_port = 50010,
	  .port = 2222,
	  .flags = FRAME_ACK}},
	{"UDP", {.family = 4, .protocol = 17, .source_port = 53, .port = 40200}},
	{"UDP6", {.family = 6, .protocol = 17, .source_port = 53, .port = 40200}},
};

static __u32 mark_of(const struct frame_spec *spec)
{
	return PC_PORT(spec->protocol == 6 ? PC_TCP : PC_UDP, spec->port);
}

static struct pc_spare *spare_of(const struct runner *runner)
{
	return (void *)&runner->pages[runner->state->row[runner->cpu] + PC_PAGE_WIDE]
		.word[PC_TOTAL_WIDE(PC_CELL_SPARE)];
}

/* Simulates a new jiffy. */
static bool passes(const struct runner *runner, const struct frame_spec *spec)
{
	*spare_of(runner) = (struct pc_spare){};
	frame_build(spec, &frame);
	return runner_fire(runner, &frame, RUN_WHOLE, 1) == XDP_PASS;
}

static bool all_pass(const struct runner *runner)
{
	for (size_t i = 0; i < ARRAY_SIZE(answer); i++)
		if (!passes(runner, &answer[i].spec)) {
			note("%s does not pass", answer[i].what);
			return false;
		}
	return true;
}

static bool none_passes(const struct runner *runner)
{
	for (size_t i = 0; i < ARRAY_SIZE(answer); i++)
		if (passes(runner, &answer[i].spec)) {
			note("%s passes", answer[i].what);
			return false;
		}
	return true;
}

static void clear(struct pc_marks *table)
{
	memset(table->port, 0, sizeof(table->port));
}

static bool count_devices(const struct runner *runner, struct pc_devices *devices)
{
	__u8 bytes[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bytes, .data_size_in = sizeof(bytes),
		    .data_out = bytes, .data_size_out = sizeof(bytes), .repeat = 1);

	if (bpf_prog_test_run_opts(runner->filter.fd[FILTER_DEVICES], &options))
		return false;
	memcpy(devices, bytes, sizeof(*devices));
	return devices->changes;
}

/* Without spare look-ups, only a mark lets an answer pass. */
static void by_marks(const struct runner *runner, struct pc_marks *table)
{
	table->looks = 0;
	clear(table);
	check(none_passes(runner), "without a mark nobody asks the sockets");
	for (size_t i = 0; i < ARRAY_SIZE(answer); i++) {
		table->port[mark_of(&answer[i].spec)] = 1;
		check(passes(runner, &answer[i].spec), "with its mark %s passes", answer[i].what);
	}
}

/* A look-up without a mark leaves one. */
static void by_spare_looks(const struct runner *runner, struct pc_marks *table)
{
	struct frame_spec closed = answer[0].spec;
	bool marked = true, spent = false;

	clear(table);
	table->looks = PC_SPARE_LOOKS;
	check(all_pass(runner), "in peace sockets are asked without a mark");
	/* One after the other, because the IPv4 and IPv6 ones share ports. */
	for (size_t i = 0; i < ARRAY_SIZE(answer); i++) {
		clear(table);
		passes(runner, &answer[i].spec);
		marked &= table->port[mark_of(&answer[i].spec)] == 1;
	}
	check(marked, "and what is found is marked");
	closed.port = 81;
	check(!passes(runner, &closed) && !table->port[mark_of(&closed)],
	      "but not a port without a connection");
	/* A jiffy may end in between. */
	for (int i = 0; i < 100 && !spent; i++) {
		runner_fire(runner, &frame, RUN_WHOLE, 10);
		spent = spare_of(runner)->left == PC_SPARE_LOOKS - 10;
	}
	check(spent, "each takes one of those that there are for a jiffy");
}

/* Marks are trusted as long as the interfaces are those that the loader saw. */
static void in_doubt(const struct runner *runner, struct pc_marks *table)
{
	const struct pc_devices known = table->devices;

	table->looks = 0;
	clear(table);
	table->devices.changes = 0;
	check(all_pass(runner), "where marks are not trusted, sockets are asked");
	clear(table);
	table->devices.changes = known.changes + 1;
	check(all_pass(runner), "and when an interface came or went");
	clear(table);
	table->devices = known;
	table->devices.netns++;
	check(all_pass(runner), "and in another network namespace");
	clear(table);
	table->devices = known;
	table->devices.ups++;
	table->any_ups = 0;
	check(all_pass(runner), "and when one was set up that was down");
	clear(table);
	table->any_ups = 1;
	check(none_passes(runner), "if there was one");
	table->devices = known;
}

static void sends(struct runner *runner, struct pc_marks *table, const char *what,
		  struct frame_spec spec, bool marks)
{
	/* Packets of this host have its port as their source. */
	__u32 port = PC_PORT(spec.protocol == 6 ? PC_TCP : PC_UDP, spec.source_port);
	struct outcome outcome;

	clear(table);
	frame_build(&spec, &frame);
	runner_send(runner, &frame, NULL, &outcome);
	check(!!table->port[port] == marks, "%s leaves %s mark", what, marks ? "a" : "no");
}

static void by_egress(struct runner *runner, struct pc_marks *table)
{
	struct frame_spec spec = {.family = 4,
				  .protocol = 6,
				  .source = FRAME_TARGET4,
				  .target = FRAME_SOURCE4,
				  .source_port = 45000,
				  .port = 80};

	sends(runner, table, "a SYN", spec, true);
	spec.flags = FRAME_SYN | FRAME_ACK;
	sends(runner, table, "a SYN with ACK", spec, true);
	spec.flags = FRAME_ACK | FRAME_PSH;
	sends(runner, table, "a segment", spec, true);
	spec.flags = FRAME_RST;
	sends(runner, table, "a RST", spec, false);
	spec.flags = FRAME_RST | FRAME_ACK;
	sends(runner, table, "a RST with ACK", spec, false);
	spec.protocol = 17;
	sends(runner, table, "a datagram", spec, true);
	spec.fragment = FRAGMENT_MORE;
	sends(runner, table, "the first fragment of a datagram", spec, true);
	spec = (struct frame_spec){.family = 6,
				   .protocol = 17,
				   .source = FRAME_TARGET6,
				   .target = FRAME_SOURCE6,
				   .source_port = 45001,
				   .port = 53};
	sends(runner, table, "a datagram of IPv6", spec, true);
}

void suite_marks(struct runner *runner)
{
	struct tables tables = {0};
	struct pc_marks *table;
	int err;

	if (runner->filter.fd[FILTER_DEVICES] < 0) {
		skip("this kernel gives programs no context of its own (Linux 6.2)",
		     "marks of local ports");
		return;
	}
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED,
		     runner->filter.fd[FILTER_MARKS], 0);
	if (!check(table != MAP_FAILED, "marks are mapped"))
		return;
	profile_tables(&test_profile[GROUPS], &tables);
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	check(!err && count_devices(runner, &table->devices), "the interfaces are counted");
	by_marks(runner, table);
	by_spare_looks(runner, table);
	in_doubt(runner, table);
	by_egress(runner, table);
	memset(table, 0, sizeof(*table));
	munmap(table, sizeof(*table));
	runner_zero(runner);
}
