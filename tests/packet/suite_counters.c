// SPDX-License-Identifier: GPL-2.0
/* The arithmetic of the counters: in the program, which writes them, and in the loader. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "loader/filter/counter_maps.h"
#include "loader/filter/generation.h"
#include "tests/packet/check.h"
#include "tests/packet/suites.h"

/* The values that fill a field of a wide word, and of a narrow one: see abi_counters.h. */
#define FULL_BYTES     (1ULL << 35)
#define FULL_PACKETS   (1ULL << 27)
#define NARROW_BYTES   (1ULL << 20)
#define NARROW_PACKETS (1ULL << 9)

static const struct frame_spec admitted = {.family = 4, .protocol = 6, .port = 80, .payload = 46};
static const struct frame_spec unlisted = {.family = 6, .protocol = 6, .port = 81, .payload = 26};
static const struct frame_spec stranger = {.family = 4, .protocol = 6, .port = 22, .payload = 3};
static const struct frame_spec arp = {.ethertype = 0x0806, .payload = 28};
static const struct frame_spec redirect = {.family = 4, .protocol = 1, .type = 5};

/* A static, because it is large; one test at a time uses it. */
static struct frame frame;
static struct counters counters;

static bool start(struct runner *runner, enum test_profile_id id)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[id], &tables);
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	return check(!err, "switch to profile %s", test_profile[id].name);
}

/* The same, without resetting the counters. */
static bool switch_on(struct runner *runner, enum test_profile_id id)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[id], &tables);
	err = filter_switch(&runner->filter, &tables, "{}", false);
	tables_free(&tables);
	return !err;
}

static void fire(struct runner *runner, const struct frame_spec *spec, unsigned int times)
{
	frame_build(spec, &frame);
	for (unsigned int i = 0; i < times; i++) {
		int action = runner_fire(runner, &frame, RUN_WHOLE, 1);

		if (action < 0)
			note("BPF_PROG_TEST_RUN: %s", strerror(-action));
	}
}

static void read_all(const struct runner *runner)
{
	int err;

	memset(&counters, 0, sizeof(counters));
	err = filter_counters(&runner->filter, &counters);
	if (err)
		check(false, "filter_counters: %s", strerror(-err));
}

static bool is(struct count count, __u64 packets, __u64 bytes)
{
	if (count.packets == packets && count.bytes == bytes)
		return true;
	note("%llu packets %llu bytes, expected %llu and %llu", count.packets, count.bytes, packets,
	     bytes);
	return false;
}

/* The content of a cell before some frames are run. */
struct before {
	struct count own;     /* in the word of this CPU */
	struct count shared;  /* in its total */
	struct count carried; /* in `carries` */
};

static void set_carried(struct runner *runner, unsigned int cell, struct count count)
{
	__u32 index = runner_index(runner, cell);
	struct pc_count value = {count.packets, count.bytes};

	if (bpf_map_update_elem(runner->filter.fd[FILTER_CARRIES], &index, &value, BPF_ANY))
		note("carries: %s", strerror(errno));
}

/* A word that a CPU could have left: no field is full. */
static bool is_settled(const struct runner *runner, unsigned int cell)
{
	bool narrow = cell < PC_CELL_REASON;
	__u64 word = runner_word(runner, cell), shared = *runner_shared(runner, cell);

	return word >> 36 < (narrow ? NARROW_PACKETS : FULL_PACKETS) &&
	       (word & 0xfffffffffULL) < (narrow ? NARROW_BYTES : FULL_BYTES) &&
	       shared >> 36 < FULL_PACKETS && (shared & 0xfffffffffULL) < FULL_BYTES;
}

/* Runs three frames from that content, and expects both readers to know the exact sum. */
static bool carry_exact(struct runner *runner, unsigned int cell, struct before before)
{
	struct count expect = {
		before.own.packets + before.shared.packets + before.carried.packets + 3,
		before.own.bytes + before.shared.bytes + before.carried.bytes + 3 * frame.length};
	struct total total;

	set_carried(runner, cell, before.carried);
	*runner_shared(runner, cell) = before.shared.packets << 36 | before.shared.bytes;
	runner_set(runner, cell, before.own.packets, before.own.bytes);
	for (int i = 0; i < 3; i++)
		runner_fire(runner, &frame, RUN_WHOLE, 1);
	read_all(runner);
	total = runner_total(runner, cell);
	return is_settled(runner, cell) &&
	       is((struct count){total.packets, total.bytes}, expect.packets, expect.bytes) &&
	       is(counters.cell[cell], expect.packets, expect.bytes);
}

static void test_carry(struct runner *runner, const struct frame_spec *spec, unsigned int cell,
		       const char *name)
{
	bool narrow = cell < PC_CELL_REASON;
	__u64 bytes = narrow ? NARROW_BYTES : FULL_BYTES;
	__u64 packets = narrow ? NARROW_PACKETS : FULL_PACKETS, length;
	/* Wide words are carried at once, and leave nothing in the total. */
	struct before before = {.shared = {7, 11}, .carried = {3 * FULL_PACKETS, 5 * FULL_BYTES}};

	runner_zero(runner);
	frame_build(spec, &frame);
	length = frame.length;
#define OWN(p, b)                                                          \
	({                                                                 \
		before.own = (struct count){.packets = (p), .bytes = (b)}; \
		before;                                                    \
	})
	check(carry_exact(runner, cell, OWN(5, bytes - 1)), "bytes carry, %s", name);
	check(carry_exact(runner, cell, OWN(5, bytes - length)), "bytes reach the carry, %s", name);
	check(carry_exact(runner, cell, OWN(5, bytes - 3 * length - 1)), "bytes just below it, %s",
	      name);
	check(carry_exact(runner, cell, OWN(packets - 1, 7)), "packets carry, %s", name);
	check(carry_exact(runner, cell, OWN(packets - 4, 7)), "packets just below it, %s", name);
	check(carry_exact(runner, cell, OWN(packets - 2, bytes - 2 * length)),
	      "both carry at once, %s", name);
	check(carry_exact(runner, cell, OWN(packets - 1, bytes - 2 * length)),
	      "both carry, one after the other, %s", name);
	if (!narrow)
		return;
	before.shared = (struct count){FULL_PACKETS - 1, FULL_BYTES - 1};
	check(carry_exact(runner, cell, OWN(packets - 1, bytes - 1)), "the total is full, %s",
	      name);
	before.carried = (struct count){};
	check(carry_exact(runner, cell, OWN(0, 0)), "the total stays just below full, %s", name);
#undef OWN
}

static void test_carries(struct runner *runner)
{
	test_carry(runner, &admitted, PC_CELL_PASS + PC_PORT(PC_TCP, 80), "port passed");
	test_carry(runner, &unlisted, PC_CELL_DROP + PC_PORT(PC_TCP, 81), "port dropped");
	test_carry(runner, &stranger, PC_CELL_DROP + PC_PORT(PC_TCP, 22),
		   "port dropped for its source");
	test_carry(runner, &stranger, PC_CELL_REASON + PC_REASON_SOURCE, "reason source");
	test_carry(runner, &unlisted, PC_CELL_REASON + PC_REASON_UNLISTED, "reason unlisted");
	test_carry(runner, &redirect, PC_CELL_REASON + PC_REASON_ICMP, "reason icmp");
	test_carry(runner, &arp, PC_CELL_OTHER + PC_OTHER_NON_IP, "non-ip");
	if (!switch_on(runner, OBSERVE))
		return;
	test_carry(runner, &unlisted, PC_CELL_WOULD_DROP + PC_PORT(PC_TCP, 81), "port observed");
	test_carry(runner, &stranger, PC_CELL_REASON_WOULD + PC_REASON_SOURCE,
		   "reason source observed");
	test_carry(runner, &unlisted, PC_CELL_REASON_WOULD + PC_REASON_UNLISTED,
		   "reason unlisted observed");
}

/*
 * Drops and would-drops of a port share a word. The counts that the other policy left there go to
 * its own total, and nothing is counted under the wrong policy.
 */
static void test_policies(struct runner *runner)
{
	unsigned int drop = PC_CELL_DROP + PC_PORT(PC_TCP, 81), would = PC_CELL_PARTNER(drop);
	__u64 length, dropped = 0, observed = 0;
	bool right = true;

	if (!start(runner, GROUPS))
		return;
	frame_build(&unlisted, &frame);
	length = frame.length;
	for (unsigned int turn = 1; turn < 6 && right; turn++) {
		fire(runner, &unlisted, 300 * turn);
		dropped += 300 * turn;
		right = switch_on(runner, OBSERVE);
		read_all(runner); /* the word still has the drops */
		right = right && is(counters.cell[drop], dropped, dropped * length);
		fire(runner, &unlisted, 200 * turn);
		observed += 200 * turn;
		read_all(runner);
		right = right && is(counters.cell[drop], dropped, dropped * length) &&
			is(counters.cell[would], observed, observed * length) &&
			switch_on(runner, GROUPS);
	}
	check(right, "policies take turns at one word");
	runner_zero(runner);
}

/* A CPU that was added later counts in the totals, up to their carry, next to the rows of
 * others. */
static void test_no_row(struct runner *runner)
{
	unsigned int port = PC_CELL_DROP + PC_PORT(PC_TCP, 81);
	unsigned int reason = PC_CELL_REASON + PC_REASON_UNLISTED;
	unsigned int pass = PC_CELL_PASS + PC_PORT(PC_TCP, 80);
	__u32 row = runner->state->row[runner->cpu];
	__u64 length;

	if (!start(runner, GROUPS))
		return;
	frame_build(&unlisted, &frame);
	length = frame.length;
	fire(runner, &unlisted, 3);
	runner->state->row[runner->cpu] = PC_ROW_NONE;
	fire(runner, &unlisted, 1000);
	fire(runner, &admitted, 5);
	*runner_shared(runner, port) += (FULL_PACKETS - 1004) << 36;
	*runner_shared(runner, reason) += FULL_BYTES - 1000 * length - 1;
	fire(runner, &unlisted, 7);
	read_all(runner);
	runner->state->row[runner->cpu] = row;
	check(is(counters.cell[port], FULL_PACKETS + 6, 1010 * length) &&
		      is(counters.cell[reason], 1010, FULL_BYTES + 10 * length - 1) &&
		      is(counters.cell[pass], 5, 5 * length),
	      "a CPU without a row counts exactly");
	fire(runner, &unlisted, 2);
	read_all(runner);
	check(is(counters.cell[reason], 1012, FULL_BYTES + 12 * length - 1),
	      "the row is counted beside it");
	runner_zero(runner);
}

/* Ports whose page had no room in a row are counted exactly, in `rare`. */
static void test_no_page(struct runner *runner)
{
	unsigned int pass = PC_CELL_PASS + PC_PORT(PC_TCP, 80);
	__u16 page;

	if (!start(runner, GROUPS))
		return;
	page = runner->state->page[PC_LISTED(pass)];
	frame_build(&admitted, &frame);
	fire(runner, &admitted, 600);
	runner->state->page[PC_LISTED(pass)] = 0;
	fire(runner, &admitted, 700);
	runner->state->page[PC_LISTED(pass)] = page;
	read_all(runner);
	check(page && is(counters.cell[pass], 1300, 1300 * frame.length),
	      "a port without a page counts exactly");
	bpf_map_delete_elem(runner->filter.fd[FILTER_RARE], &pass);
	runner_zero(runner);
}

/* A known mix of packets, under enforce and then under observe, and every reader of the loader. */
static void test_readers(struct runner *runner)
{
	struct counts total, port, reason;

	if (!start(runner, GROUPS))
		return;
	fire(runner, &admitted, 7);  /* 100 bytes */
	fire(runner, &unlisted, 5);  /* 100 */
	fire(runner, &stranger, 3);  /* 57 */
	fire(runner, &arp, 2);	     /* 42 */
	fire(runner, &redirect, 11); /* 42 */
	check(switch_on(runner, OBSERVE), "switch under counts");
	fire(runner, &admitted, 1);
	fire(runner, &unlisted, 20);
	fire(runner, &stranger, 30);
	fire(runner, &redirect, 40);
	read_all(runner);

	port = counters_port(&counters, PC_PORT(PC_TCP, 80));
	check(is(port.pass, 8, 800) && is(port.drop, 0, 0) && is(port.would_drop, 0, 0),
	      "a listed port counts on over a switch");
	port = counters_port(&counters, PC_PORT(PC_TCP, 81));
	check(is(port.pass, 0, 0) && is(port.drop, 5, 500) && is(port.would_drop, 20, 2000),
	      "an unlisted port: dropped, then observed");
	port = counters_port(&counters, PC_PORT(PC_TCP, 22));
	check(is(port.pass, 0, 0) && is(port.drop, 3, 171) && is(port.would_drop, 30, 1710),
	      "a restricted port: dropped, then observed");
	reason = counters_reason(&counters, PC_REASON_SOURCE);
	check(is(reason.drop, 3, 171) && is(reason.would_drop, 30, 1710), "reason source");
	reason = counters_reason(&counters, PC_REASON_UNLISTED);
	check(is(reason.drop, 5, 500) && is(reason.would_drop, 20, 2000), "reason unlisted");
	reason = counters_reason(&counters, PC_REASON_ICMP);
	check(is(reason.drop, 11, 462) && is(reason.would_drop, 40, 1680), "reason icmp");
	reason = counters_reason(&counters, PC_REASON_MALFORMED);
	check(is(reason.drop, 0, 0) && is(reason.would_drop, 0, 0), "reason malformed");
	check(is(counters_other(&counters, PC_OTHER_NON_IP), 2, 84), "non-ip");
	total = counters_total(&counters);
	check(is(total.pass, 10, 884) && is(total.drop, 19, 1133) && is(total.would_drop, 90, 5390),
	      "the total is every packet");
}

static void test_cpus(struct runner *runner)
{
	unsigned int cell = PC_CELL_PASS + PC_PORT(PC_TCP, 80), first = runner->cpu;
	cpu_set_t usable;
	unsigned int other;

	if (runner->cpus < 2) {
		skip("one CPU", "sums over CPUs");
		return;
	}
	other = first ? 0 : 1;
	CPU_ZERO(&usable);
	CPU_SET(other, &usable);
	if (sched_setaffinity(0, sizeof(usable), &usable)) {
		skip("one usable CPU", "sums over CPUs");
		return;
	}
	if (!start(runner, GROUPS))
		return;
	frame_build(&admitted, &frame);
	runner_move(runner, first);
	runner_set(runner, cell, 100, NARROW_BYTES - frame.length);
	fire(runner, &admitted, 4);
	runner_move(runner, other);
	runner_set(runner, cell, NARROW_PACKETS - 3, NARROW_BYTES - 2 * frame.length);
	fire(runner, &admitted, 6);
	fire(runner, &stranger, 2);
	check(runner_word(runner, cell) >> 36 == 4, "each CPU writes its own row");
	runner_move(runner, first);
	read_all(runner);
	check(is(counters.cell[cell], 100 + 4 + NARROW_PACKETS - 3 + 6, 2 * NARROW_BYTES + 700),
	      "one cell, carried by two CPUs");
	check(is(counters_total(&counters).drop, 2, 114), "the total adds up two CPUs");
	runner_zero(runner);
}

/* The frames that the other CPU runs while this one reads. */
struct traffic {
	struct runner *runner;
	unsigned int cpu;
	unsigned int times;
	int result;
	bool done;
};

static void *run_traffic(void *argument)
{
	struct traffic *traffic = argument;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(traffic->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* of this thread */
	traffic->result = runner_fire(traffic->runner, &frame, RUN_WHOLE, traffic->times);
	__atomic_store_n(&traffic->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * A reader next to a program that often carries: counts never decrease, and every byte belongs to a
 * whole packet. Frames of 64 KiB fill a narrow word every 16 packets, and its total once in half a
 * million.
 */
static void test_live(struct runner *runner)
{
	struct traffic traffic = {.runner = runner, .cpu = runner->cpu ? 0 : 1, .times = 4000000};
	struct frame_spec spec = admitted;
	__u64 packets = 0, reads = 0, odd = 0;
	unsigned int cell = PC_CELL_PASS + PC_PORT(PC_TCP, 80);
	pthread_t thread;

	spec.payload = 65000;
	frame_build(&spec, &frame);
	if (runner->cpus < 2 || !runner_takes(runner, &frame, RUN_WHOLE)) {
		skip(runner->cpus < 2 ? "needs two CPUs" : "this kernel has no xdp.frags",
		     "counters read while they carry");
		return;
	}
	runner_zero(runner);
	if (pthread_create(&thread, NULL, run_traffic, &traffic)) {
		check(false, "no thread to run traffic");
		return;
	}
	while (!__atomic_load_n(&traffic.done, __ATOMIC_ACQUIRE)) {
		read_all(runner);
		odd += counters.cell[cell].packets < packets ||
		       counters.cell[cell].bytes != counters.cell[cell].packets * frame.length;
		packets = counters.cell[cell].packets;
		reads++;
	}
	pthread_join(thread, NULL);
	read_all(runner);
	check(!odd && traffic.result == XDP_PASS &&
		      is(counters.cell[cell], traffic.times, traffic.times * frame.length),
	      "counters read %llu times while they carry: %llu odd", reads, odd);
	runner_zero(runner);
}

/* Drops for one reason while they are read: no other reason counts any, and the total equals that
 * reason. */
static void test_live_reasons(struct runner *runner)
{
	struct traffic traffic = {.runner = runner, .cpu = runner->cpu ? 0 : 1, .times = 4000000};
	struct count source = {};
	__u64 reads = 0, odd = 0;
	pthread_t thread;

	if (runner->cpus < 2) {
		skip("needs two CPUs", "reasons read while they count");
		return;
	}
	runner_zero(runner);
	frame_build(&stranger, &frame);
	if (pthread_create(&thread, NULL, run_traffic, &traffic)) {
		check(false, "no thread to run traffic");
		return;
	}
	while (!__atomic_load_n(&traffic.done, __ATOMIC_ACQUIRE)) {
		struct count total;

		read_all(runner);
		source = counters_reason(&counters, PC_REASON_SOURCE).drop;
		total = counters_total(&counters).drop;
		odd += counters_reason(&counters, PC_REASON_UNLISTED).drop.packets ||
		       total.packets != source.packets || total.bytes != source.bytes;
		reads++;
	}
	pthread_join(thread, NULL);
	read_all(runner);
	source = counters_reason(&counters, PC_REASON_SOURCE).drop;
	check(!odd && traffic.result == XDP_DROP &&
		      is(source, traffic.times, traffic.times * frame.length),
	      "reasons read %llu times while they count: %llu odd", reads, odd);
	runner_zero(runner);
}

void suite_counters(struct runner *runner)
{
	if (!start(runner, GROUPS))
		return;
	test_carries(runner);
	test_readers(runner);
	test_policies(runner);
	test_no_row(runner);
	test_no_page(runner);
	test_cpus(runner);
	test_live(runner);
	test_live_reasons(runner);
}
