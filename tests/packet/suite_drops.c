// SPDX-License-Identifier: GPL-2.0
/* What the program records about its drops (abi_drops.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "loader/filter/counter_maps.h"
#include "tests/packet/arrays.h"
#include "tests/packet/check.h"
#include "tests/packet/random.h"
#include "tests/packet/suites.h"

#define UNLISTED_PORT 81
#define PLACES	      (PC_DROP_BUCKETS * PC_DROP_PLACES)

/* A static, because it is large; one test at a time uses it. */
static struct frame frame;
static struct pc_drop_bucket bucket[PC_DROP_BUCKETS];

static const struct frame_spec knock = {
	.family = 4, .protocol = 6, .port = UNLISTED_PORT, .source = "198.51.100.7"};

static bool start(struct runner *runner, enum test_profile_id id)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[id], &tables);
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	return check(!err, "switch to profile %s", test_profile[id].name);
}

static __u64 *gate_of(const struct runner *runner, unsigned int cpu)
{
	return &runner->pages[runner->state->row[cpu] + PC_PAGE_WIDE]
			.word[PC_CELL_GATE - PC_CELL_REASON];
}

/* Gives a CPU all of its credit. */
static void gate_open(const struct runner *runner, unsigned int cpu)
{
	*gate_of(runner, cpu) = 0;
}

static const struct bpf_map_info drops_info = {.max_entries = PC_DROP_BUCKETS};

static void drops_clear(const struct runner *runner)
{
	memset(bucket, 0, sizeof(bucket));
	if (array_write(runner->filter.fd[FILTER_DROPS], &drops_info, bucket))
		check(false, "drops: the table is cleared");
	gate_open(runner, runner->cpu);
}

static void drops_read(const struct runner *runner)
{
	if (array_read(runner->filter.fd[FILTER_DROPS], &drops_info, bucket))
		check(false, "drops: the table is read");
}

/* The next entry of the table from a place on; NULL ends the walk. `flood`: only in the part for
 * floods. */
static const struct pc_drop *drop_next(unsigned int *place, bool flood)
{
	unsigned int end = flood ? PLACES : PC_DROP_PEACE * PC_DROP_PLACES;

	if (flood && *place < PC_DROP_PEACE * PC_DROP_PLACES)
		*place = PC_DROP_PEACE * PC_DROP_PLACES;
	for (; *place < end; ++*place) {
		const struct pc_drop *drop =
			&bucket[*place / PC_DROP_PLACES].drop[*place % PC_DROP_PLACES];

		if (drop->how & PC_DROP_USED) {
			++*place;
			return drop;
		}
	}
	return NULL;
}

/* The recorded packets of an IPv4 address; `entry` becomes its last entry. */
static __u64 packets_of(const char *address, bool flood, const struct pc_drop **entry)
{
	const struct pc_drop *drop;
	unsigned int place = 0;
	__u64 packets = 0;
	__be32 wanted;

	inet_pton(AF_INET, address, &wanted);
	while ((drop = drop_next(&place, flood)))
		if (drop->address[0] == wanted && !(drop->how & PC_DROP_IPV6)) {
			packets += drop->packets;
			*entry = drop;
		}
	return packets;
}

static __u64 entries(bool flood, __u64 *packets)
{
	const struct pc_drop *drop;
	unsigned int place = 0;
	__u64 count = 0;

	*packets = 0;
	while ((drop = drop_next(&place, flood))) {
		count++;
		*packets += drop->packets;
	}
	return count;
}

static void fire(const struct runner *runner, unsigned int times)
{
	int action = runner_fire(runner, &frame, RUN_WHOLE, times);

	if (action < 0)
		note("BPF_PROG_TEST_RUN: %s", strerror(-action));
}

static __u32 boot_second(void)
{
	return (__u32)(clock_boot() / PC_SECOND);
}

/* A burst within the credit is recorded exactly; more packets are a flood. */
static void test_gate(struct runner *runner)
{
	const struct pc_drop *entry = NULL;
	__u64 packets, flood_packets, length;

	drops_clear(runner);
	frame_build(&knock, &frame);
	length = frame.length;
	fire(runner, PC_DROP_CREDIT);
	drops_read(runner);
	check(packets_of(knock.source, false, &entry) == PC_DROP_CREDIT &&
		      entry->bytes == PC_DROP_CREDIT * length && !entries(true, &packets),
	      "drops: a burst of %d is exact", PC_DROP_CREDIT);
	fire(runner, 200000);
	drops_read(runner);
	packets = packets_of(knock.source, false, &entry);
	flood_packets = packets_of(knock.source, true, &entry);
	check(packets < 3 * PC_DROP_CREDIT && flood_packets && !(flood_packets % PC_DROP_SAMPLE) &&
		      entry->bytes == flood_packets * length,
	      "drops: what is more is a flood's sample");
	usleep(400000);
	frame_build(&(struct frame_spec){.family = 4,
					 .protocol = 17,
					 .port = UNLISTED_PORT,
					 .source = "198.51.100.8"},
		    &frame);
	fire(runner, 3);
	drops_read(runner);
	check(packets_of("198.51.100.8", false, &entry) == 3 && entry->protocol == 17 &&
		      !packets_of("198.51.100.8", true, &entry),
	      "drops: after a flood each one is recorded again");
}

/* The recorded drops are as many as the counters say, within 5 %. */
static void test_estimate(struct runner *runner, unsigned int drops, unsigned int turns)
{
	char source[4][16] = {"198.51.100.1", "198.51.101.1", "198.51.102.1", "198.51.103.1"};
	const struct pc_drop *entry = NULL;
	unsigned int near = 0;
	__u64 packets;

	drops_clear(runner);
	frame_build(&knock, &frame);
	fire(runner, drops);
	drops_read(runner);
	packets = packets_of(knock.source, false, &entry) + packets_of(knock.source, true, &entry);
	check(packets > drops / 20 * 19 && packets < drops / 20 * 21,
	      "drops: the source of a flood is estimated within 5 %%: %llu of %u", packets, drops);

	/* Sources in turn: with a fixed step, every 256th would always be the same source. */
	drops_clear(runner);
	for (unsigned int i = 0; i < turns; i++) {
		inet_pton(AF_INET, source[i % 4], frame.data + frame.ip + 12);
		runner_fire(runner, &frame, RUN_WHOLE, 1);
	}
	drops_read(runner);
	for (int i = 0; i < 4; i++) {
		packets =
			packets_of(source[i], false, &entry) + packets_of(source[i], true, &entry);
		near += packets > turns / 4 / 2 && packets < turns / 4 * 2;
	}
	check(near == 4, "drops: each of four sources in turn is in the sample");
}

/* Random sources, each with other ports. */
static void forge(struct runner *runner, unsigned int count, __be32 network, __be32 mask)
{
	static uint64_t time;
	struct random random = random_of(1, time++);

	for (unsigned int i = 0; i < count; i++) {
		__be32 address = (random_below(&random, UINT32_MAX) & ~mask) | (network & mask);
		__u16 port = (__u16)(10000 + random_below(&random, 10000));

		memcpy(frame.data + frame.ip + 12, &address, 4);
		frame_patch(&frame, &(struct frame_patch){FROM_UPPER, 2, 2, port});
		runner_fire(runner, &frame, RUN_WHOLE, 1);
	}
}

/* A source that knocked before is still recorded after a flood from everywhere. */
static void test_knocks(struct runner *runner, unsigned int flood)
{
	const struct pc_drop *entry = NULL;
	__u32 first = boot_second(), last;
	__u64 other;

	drops_clear(runner);
	frame_build(&knock, &frame);
	for (int i = 0; i < 3; i++) {
		if (i)
			usleep(1100000);
		fire(runner, 1);
	}
	last = boot_second();
	forge(runner, flood, 0, 0);
	drops_read(runner);
	check(packets_of(knock.source, false, &entry) == 3 && entry->port == UNLISTED_PORT &&
		      entry->protocol == 6 && entry->reason == PC_REASON_UNLISTED &&
		      entry->how == (PC_DROP_USED | PC_DROP_AGAIN) && entry->first - first <= 1 &&
		      last - entry->last <= 1,
	      "drops: three knocks are there after %u forged drops", flood);

	/* So slowly that the gate lets everything pass, and for so long that the table is full. */
	for (unsigned int i = 0; i < 2 * PLACES / PC_DROP_CREDIT; i++) {
		gate_open(runner, runner->cpu);
		forge(runner, PC_DROP_CREDIT, 0, 0);
	}
	drops_read(runner);
	check(packets_of(knock.source, false, &entry) == 3 &&
		      entries(false, &other) > PC_DROP_PEACE * PC_DROP_PLACES / 10 * 9,
	      "drops: three knocks are there when the table is full");
}

/* Sources by number, each with a key of its own, at one port. */
static void knock_from(struct runner *runner, __u32 network, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		/* Spread over the /24s, in another order than that of the numbers. */
		__be32 address = htonl(network | (i * 2654435761U >> 8));

		if (i % PC_DROP_CREDIT == 0)
			gate_open(runner, runner->cpu);
		memcpy(frame.data + frame.ip + 12, &address, 4);
		runner_fire(runner, &frame, RUN_WHOLE, 1);
	}
}

static void await_second(void)
{
	__u32 now = boot_second();

	while (boot_second() == now)
		usleep(10000);
}

static unsigned int entries_from(__u32 network)
{
	const struct pc_drop *entry;
	unsigned int place = 0, count = 0;

	while ((entry = drop_next(&place, false)))
		count += ntohl(entry->address[0]) >> 24 == network >> 24;
	return count;
}

/* Sources that are forged twice, below the gate's limit, do not replace those that came again. */
static void test_forged_twice(struct runner *runner)
{
	const unsigned int knockers = 1000, forged = 13500;
	const struct pc_drop *entry = NULL;
	unsigned int kept;

	drops_clear(runner);
	frame_build(&knock, &frame);
	for (int i = 0; i < 2; i++) {
		knock_from(runner, 10U << 24, knockers);
		await_second();
	}
	for (__u32 network = 20; network < 26; network += 2)
		for (int i = 0; i < 2; i++) {
			knock_from(runner, network << 24, forged);
			await_second();
		}
	drops_read(runner);
	kept = entries_from(10U << 24);
	check(kept > knockers / 10 * 9, "drops: %u of %u that came again stay, of %u forged twice",
	      kept, knockers, 3 * forged);
	knock_from(runner, 30U << 24, 500);
	/* There is nothing in between: a new entry gets one place of its bucket, which the next new
	 * one takes. */
	frame_build(&knock, &frame);
	for (int i = 0; i < 3; i++) {
		gate_open(runner, runner->cpu);
		fire(runner, 1);
	}
	drops_read(runner);
	check(packets_of(knock.source, false, &entry) == 3, "drops: a new one is seen after that");
}

/* Neighbouring ports are distributed evenly over the buckets of their prefix. */
static void test_ports(struct runner *runner)
{
	const unsigned int ports = 400;
	const struct pc_drop *entry;
	unsigned int place = 0, count = 0;

	drops_clear(runner);
	frame_build(&knock, &frame);
	for (unsigned int i = 0; i < ports; i++) {
		frame_patch(&frame, &(struct frame_patch){FROM_UPPER, 2, 2, 5001 + i});
		runner_fire(runner, &frame, RUN_WHOLE, 1);
	}
	drops_read(runner);
	while ((entry = drop_next(&place, false)))
		count += entry->packets == 1;
	check(count == ports, "drops: a scan of %u ports is whole: %u", ports, count);
}

/* No /24, no /64 and no /48 uses more than its share. */
static void test_share(struct runner *runner)
{
	const __u64 share = PC_DROP_PEACE * PC_DROP_PLACES / PC_DROP_SHARE;
	const __u64 share_48 = PC_DROP_PEACE * PC_DROP_PLACES / PC_DROP_SHARE_48;
	struct random random = random_of(2, 0);
	const struct pc_drop *entry;
	unsigned int place = 0, forgotten = 0;
	__u64 packets, count;

	drops_clear(runner);
	frame_build(&knock, &frame);
	for (int i = 0; i < 20; i++) {
		gate_open(runner, runner->cpu);
		forge(runner, PC_DROP_CREDIT, htonl(0xc6336400), htonl(0xffffff00));
	}
	drops_read(runner);
	count = entries(false, &packets);
	for (int i = 0; i < PC_DROP_PEACE; i++)
		forgotten += bucket[i].forgotten;
	check(count <= share && count > share / 10 * 9 && count + forgotten > 10000,
	      "drops: a /24 has %llu of %llu places that it may have; %u forgotten", count, share,
	      forgotten);

	drops_clear(runner);
	frame_build(&(struct frame_spec){.family = 6,
					 .protocol = 6,
					 .port = UNLISTED_PORT,
					 .source = "2001:db8:5:6::1"},
		    &frame);
	for (int i = 0; i < 20 * PC_DROP_CREDIT; i++) {
		__u32 word[2] = {random_below(&random, UINT32_MAX),
				 random_below(&random, UINT32_MAX)};

		if (i % PC_DROP_CREDIT == 0)
			gate_open(runner, runner->cpu);
		memcpy(frame.data + frame.ip + 16, word, 8);
		runner_fire(runner, &frame, RUN_WHOLE, 1);
	}
	drops_read(runner);
	count = 0;
	while ((entry = drop_next(&place, false)))
		count += entry->how & PC_DROP_IPV6 && entry->address[1] == htonl(0x00050006);
	check(count <= share && count > share / 10 * 9,
	      "drops: a /64 has %llu of %llu places that it may have", count, share);

	drops_clear(runner);
	for (int i = 0; i < 40 * PC_DROP_CREDIT; i++) {
		__u32 word[3] = {random_below(&random, UINT32_MAX),
				 random_below(&random, UINT32_MAX),
				 random_below(&random, UINT32_MAX)};

		if (i % PC_DROP_CREDIT == 0)
			gate_open(runner, runner->cpu);
		memcpy(frame.data + frame.ip + 14, word, 10);
		runner_fire(runner, &frame, RUN_WHOLE, 1);
	}
	drops_read(runner);
	count = place = 0;
	while ((entry = drop_next(&place, false)))
		count += entry->how & PC_DROP_IPV6 && (ntohl(entry->address[1]) >> 16) == 0x0005;
	check(count <= share_48 && count > share_48 / 10 * 9,
	      "drops: a /48 has %llu of %llu places that it may have", count, share_48);
}

/* A row of the table below: the entry that one packet becomes. */
struct expected {
	const char *name;
	enum test_profile_id profile;
	bool egress;
	struct frame_spec spec;
	struct frame_patch patch;
	size_t cut;
	struct pc_drop drop; /* without times and counts; the IPv4 address is that of `remote` */
	const char *remote;
};

/* clang-format off */
static const struct expected expected[] = {
	{"unlisted, IPv6", OPEN, false,
	 {.family = 6, .protocol = 17, .port = 81, .source = "2001:db8:f::7"}, {}, 0,
	 {.port = 81, .protocol = 17, .reason = PC_REASON_UNLISTED, .how = PC_DROP_IPV6},
	 "2001:db8:f::7"},
	{"source", GROUPS, false, {.family = 4, .protocol = 6, .port = 22}, {}, 0,
	 {.port = 22, .protocol = 6, .reason = PC_REASON_SOURCE}, FRAME_SOURCE4},
	{"would drop", OBSERVE, false, {.family = 4, .protocol = 6, .port = 81}, {}, 0,
	 {.port = 81, .protocol = 6, .reason = PC_REASON_UNLISTED, .how = PC_DROP_WOULD},
	 FRAME_SOURCE4},
	{"ICMP", OPEN, false, {.family = 4, .protocol = 1, .type = 5, .code = 1}, {}, 0,
	 {.port = 5 << 8 | 1, .protocol = 1, .reason = PC_REASON_ICMP}, FRAME_SOURCE4},
	{"an ICMP error", OPEN, false, {.family = 4, .protocol = 1, .type = 3, .code = 3}, {}, 0,
	 {.port = 3 << 8 | 3, .protocol = 1, .reason = PC_REASON_ICMP}, FRAME_SOURCE4},
	{"ICMPv6", OPEN, false, {.family = 6, .protocol = 58, .type = 137}, {}, 0,
	 {.port = 137 << 8, .protocol = 58, .reason = PC_REASON_ICMP, .how = PC_DROP_IPV6},
	 FRAME_SOURCE6},
	{"another protocol", OPEN, false, {.family = 4, .protocol = 50, .payload = 8}, {}, 0,
	 {.protocol = 50, .reason = PC_REASON_PROTOCOL}, FRAME_SOURCE4},
	{"a later fragment", OPEN, false,
	 {.family = 4, .protocol = 17, .fragment = 100, .bare = true, .payload = 8}, {}, 0,
	 {.protocol = 17, .reason = PC_REASON_FRAGMENT}, FRAME_SOURCE4},
	{"a broken TCP header", OPEN, false, {.family = 4, .protocol = 6, .port = 25},
	 {FROM_UPPER, 12, 1, 0x10}, 0,
	 {.protocol = 6, .reason = PC_REASON_MALFORMED}, FRAME_SOURCE4},
	{"an IP length of 0", OPEN, false, {.family = 4, .protocol = 6, .port = 25},
	 {FROM_IP, 2, 2, 0}, 0, {.reason = PC_REASON_MALFORMED}, FRAME_SOURCE4},
	{"another IP version", OPEN, false, {.family = 4, .protocol = 6, .port = 25},
	 {FROM_IP, 0, 1, 0x65}, 0, {.reason = PC_REASON_MALFORMED}, "0.0.0.0"},
	{"half an IPv6 header", OPEN, false, {.family = 6, .protocol = 6, .port = 25}, {}, 40,
	 {.reason = PC_REASON_MALFORMED}, "0.0.0.0"},
	{"three VLAN tags", OPEN, false, {.family = 4, .protocol = 6, .port = 25, .tags = 3}, {}, 0,
	 {.reason = PC_REASON_MALFORMED}, "0.0.0.0"},
	{"behind two VLAN tags", OPEN, false, {.family = 4, .protocol = 6, .port = 81, .tags = 2},
	 {}, 0, {.port = 81, .protocol = 6, .reason = PC_REASON_UNLISTED}, FRAME_SOURCE4},
	{"egress", OUTBOUND, true,
	 {.family = 4, .protocol = 6, .source = FRAME_TARGET4, .target = "198.51.100.7",
	  .source_port = 45000, .port = 6667}, {}, 0,
	 {.port = 6667, .protocol = 6, .reason = PC_REASON_OUTBOUND, .how = PC_DROP_OUT},
	 "198.51.100.7"},
	{"egress, IPv6, would drop", OUTBOUND_OBSERVE, true,
	 {.family = 6, .protocol = 17, .source = FRAME_TARGET6, .target = "2001:db8:f::7",
	  .source_port = 45000, .port = 6667}, {}, 0,
	 {.port = 6667, .protocol = 17, .reason = PC_REASON_OUTBOUND,
	  .how = PC_DROP_OUT | PC_DROP_WOULD | PC_DROP_IPV6}, "2001:db8:f::7"},
	{"egress, another protocol", OUTBOUND, true,
	 {.family = 4, .protocol = 47, .source = FRAME_TARGET4, .target = "198.51.100.7",
	  .payload = 8}, {}, 0,
	 {.protocol = 47, .reason = PC_REASON_OUTBOUND, .how = PC_DROP_OUT}, "198.51.100.7"},
};
/* clang-format on */

static bool is_expected(const struct pc_drop *drop, const struct expected *this)
{
	__be32 address[4] = {};

	inet_pton(strchr(this->remote, ':') ? AF_INET6 : AF_INET, this->remote, address);
	return drop && !memcmp(drop->address, address, sizeof(address)) && drop->packets == 1 &&
	       drop->bytes == frame.length && drop->port == this->drop.port &&
	       drop->protocol == this->drop.protocol && drop->reason == this->drop.reason &&
	       drop->how == (this->drop.how | PC_DROP_USED) && !drop->machine &&
	       drop->first == drop->last && boot_second() - drop->last <= 1;
}

static void test_entries(struct runner *runner)
{
	enum test_profile_id id = TEST_PROFILES;

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct expected *this = &expected[i];
		const struct pc_drop *drop;
		struct outcome outcome;
		unsigned int place = 0;
		bool good;

		if (id != this->profile && !start(runner, id = this->profile))
			return;
		drops_clear(runner);
		frame_build(&this->spec, &frame);
		frame_patch(&frame, &this->patch);
		if (this->cut)
			frame_cut(&frame, this->cut);
		this->egress ? runner_send(runner, &frame, NULL, &outcome) :
			       runner_run(runner, &frame, RUN_WHOLE, NULL, &outcome);
		drops_read(runner);
		drop = drop_next(&place, false);
		good = is_expected(drop, this) && !drop_next(&place, false);
		if (!good && drop)
			note("%08x port %u protocol %u reason %u how %#x, %llu packets, %llu bytes",
			     ntohl(drop->address[0]), drop->port, drop->protocol, drop->reason,
			     drop->how, drop->packets, drop->bytes);
		check(good, "drops: %s", this->name);
	}
}

/* Passed packets are not recorded, nor what a filter that is being attached would drop. */
static void test_passes(struct runner *runner)
{
	__u64 packets;

	if (!start(runner, OPEN))
		return;
	drops_clear(runner);
	frame_build(&(struct frame_spec){.family = 4, .protocol = 6, .port = 25}, &frame);
	fire(runner, 10);
	drops_read(runner);
	check(!entries(false, &packets), "drops: what passes is none");
}

/* A CPU that was added later has no row in the counters, and its gate elsewhere. */
static void test_no_row(struct runner *runner)
{
	__u32 row = runner->state->row[runner->cpu];
	const struct pc_drop *entry = NULL;
	__u64 packets;

	drops_clear(runner);
	frame_build(&knock, &frame);
	runner->state->row[runner->cpu] = PC_ROW_NONE;
	fire(runner, 3);
	drops_read(runner);
	check(packets_of(knock.source, false, &entry) == 3, "drops: of a CPU without a row");
	fire(runner, 200000);
	runner->state->row[runner->cpu] = row;
	drops_read(runner);
	packets = packets_of(knock.source, true, &entry);
	check(packets && packets < 400000 && packets_of(knock.source, false, &entry) < 2000,
	      "drops: a flood of a CPU without a row");
}

struct half {
	struct runner runner;
	pthread_barrier_t *barrier;
};

static void *fire_half(void *argument)
{
	struct half *half = argument;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(half->runner.cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	pthread_barrier_wait(half->barrier);
	fire(&half->runner, PC_DROP_CREDIT);
	return NULL;
}

/* Two CPUs add to one entry at the same time. */
static void test_two_cpus(struct runner *runner)
{
	struct half half[2] = {{.runner = *runner}, {.runner = *runner}};
	const struct pc_drop *entry = NULL;
	pthread_barrier_t barrier;
	pthread_t thread;
	const int rounds = 50;
	__u64 packets;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		skip("this machine has one CPU", "drops: two CPUs at one entry");
		return;
	}
	pthread_barrier_init(&barrier, NULL, 2);
	half[1].runner.cpu = !runner->cpu;
	half[0].barrier = half[1].barrier = &barrier;
	drops_clear(runner);
	frame_build(&knock, &frame);
	for (int i = 0; i < rounds; i++) {
		gate_open(runner, 0);
		gate_open(runner, 1);
		if (pthread_create(&thread, NULL, fire_half, &half[1]))
			break;
		fire_half(&half[0]);
		pthread_join(thread, NULL);
	}
	pthread_barrier_destroy(&barrier);
	drops_read(runner);
	packets = packets_of(knock.source, false, &entry);
	check(packets == 2ULL * PC_DROP_CREDIT * rounds,
	      "drops: two CPUs at one entry lose none of %llu: %llu",
	      2ULL * PC_DROP_CREDIT * rounds, packets);
	gate_open(runner, !runner->cpu);
}

void suite_drops(struct runner *runner, bool quick)
{
	if (!start(runner, OPEN))
		return;
	check(runner->state->drops_secret && boot_second() - runner->state->drops_since < 3600,
	      "drops: a secret, and since when");
	test_gate(runner);
	test_estimate(runner, quick ? 800000 : 2000000, quick ? 200000 : 400000);
	test_knocks(runner, quick ? 50000 : 2000000);
	if (!quick) /* which ones stay is decided by chance, in the same way on each kernel */
		test_forged_twice(runner);
	test_ports(runner);
	test_share(runner);
	test_no_row(runner);
	test_two_cpus(runner);
	test_passes(runner);
	test_entries(runner);
	drops_clear(runner);
}
