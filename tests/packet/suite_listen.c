// SPDX-License-Identifier: GPL-2.0
/* The events that listeners get (abi_events.h). */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/base/clock.h"
#include "loader/base/memory.h"
#include "tests/packet/check.h"
#include "tests/packet/suites.h"

#define EVERY_REASON ((1U << PC_REASONS) - 1)
#define STRANGER     "198.51.100.7"
#define KEPT	     64	   /* events that are kept */
#define JIFFY	     20000 /* us; at least one */

/* A listener of this test: one slot, a buffer on the CPU of the runner. */
struct ear {
	unsigned int slot;
	struct perf_buffer *buffer;
	struct pc_listener *entry;
	unsigned int events;
	struct {
		struct pc_event event;
		uint8_t frame[128];
	} heard[KEPT];
	__u64 lost;
};

/* A static, because it is large; one test at a time uses it. */
static struct frame frame;
static struct ear ear, other;
static struct pc_listener *listeners; /* the map's memory */

static bool start(struct runner *runner, enum test_profile_id id)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[id], &tables);
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	return check(!err, "switch to profile %s", test_profile[id].name);
}

static __u32 boot_second(void)
{
	return (__u32)(clock_boot() / PC_SECOND);
}

/* Events that a slot has sent in this second count for its next listener, too. */
static void await_second(void)
{
	__u32 now = boot_second();

	while (boot_second() == now)
		usleep(20000);
}

static enum bpf_perf_event_ret hear(void *context, int cpu, struct perf_event_header *header)
{
	struct ear *this = context;
	const struct {
		struct perf_event_header header;
		__u32 size;
		uint8_t data[];
	} *sample = (const void *)header;

	(void)cpu;
	if (header->type != PERF_RECORD_SAMPLE) {
		this->lost++;
		return LIBBPF_PERF_EVENT_CONT;
	}
	if (this->events < KEPT) {
		size_t size = sample->size;

		if (size > sizeof(this->heard[0]))
			size = sizeof(this->heard[0]);
		memset(&this->heard[this->events], 0, sizeof(this->heard[0]));
		memcpy(&this->heard[this->events], sample->data, size);
	}
	this->events++;
	return LIBBPF_PERF_EVENT_CONT;
}

static bool ear_open(const struct runner *runner, struct ear *this, unsigned int slot)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
				       .type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_BPF_OUTPUT,
				       .sample_type = PERF_SAMPLE_RAW,
				       .sample_period = 1,
				       .wakeup_events = 1};
	int cpu = (int)runner->cpu, key = (int)(slot * runner->state->event_cpus + runner->cpu);
	LIBBPF_OPTS(perf_buffer_raw_opts, options, .cpu_cnt = 1, .cpus = &cpu, .map_keys = &key);

	*this = (struct ear){.slot = slot, .entry = &listeners[slot]};
	this->buffer = perf_buffer__new_raw(runner->filter.fd[FILTER_EVENTS], 8, &attr, hear, this,
					    &options);
	return !libbpf_get_error(this->buffer);
}

/*
 * Listens for `wants`, for a minute, and forgets earlier events. During a flood a new listener gets
 * nothing until a jiffy has passed.
 */
static void listen_for(const struct runner *runner, struct ear *this, struct pc_listener wants)
{
	perf_buffer__consume(this->buffer);
	this->events = 0;
	this->lost = 0;
	wants.until = boot_second() + 60;
	*this->entry = wants;
	runner->state->listeners = 1;
	usleep(JIFFY);
}

static void stop(struct ear *this)
{
	this->entry->until = 0;
	perf_buffer__free(this->buffer);
	this->buffer = NULL;
}

static unsigned int heard(struct ear *this)
{
	perf_buffer__consume(this->buffer);
	return this->events;
}

static struct pc_deaf *deaf_of(const struct runner *runner)
{
	struct pc_page *row = &runner->pages[runner->state->row[runner->cpu]];

	return (struct pc_deaf *)&row[PC_PAGE_WIDE].word[PC_TOTAL_WIDE(PC_CELL_DEAF)];
}

static struct pc_heard counts_of(const struct runner *runner, unsigned int slot)
{
	struct pc_heard_cpu *all = xcalloc(runner->cpus, sizeof(*all));
	const struct pc_deaf *deaf = deaf_of(runner);
	struct pc_heard counts;
	__u32 zero = 0;

	bpf_map_lookup_elem(runner->filter.fd[FILTER_HEARD], &zero, all);
	counts = all[runner->cpu].slot[slot];
	if (deaf->slots >> slot & 1)
		counts.over += deaf->skipped;
	free(all);
	return counts;
}

static void fire(struct runner *runner, const struct frame_spec *spec, unsigned int times)
{
	int action;

	frame_build(spec, &frame);
	action = runner_fire(runner, &frame, RUN_WHOLE, times);
	if (action < 0)
		note("BPF_PROG_TEST_RUN: %s", strerror(-action));
}

static const struct frame_spec drop = {.family = 4,
				       .protocol = 6,
				       .port = 81,
				       .source = STRANGER,
				       .source_port = 4711,
				       .payload = 200};
static const struct frame_spec udp = {.family = 4, .protocol = 17, .port = 81};
static const struct frame_spec pass = {.family = 6, .protocol = 6, .port = 25};
static const struct frame_spec arp = {.ethertype = 0x0806, .payload = 28};

static void test_event(struct runner *runner)
{
	const struct pc_event *event = &ear.heard[0].event;
	__u64 before = clock_boot();
	__be32 remote, local;

	inet_pton(AF_INET, STRANGER, &remote);
	inet_pton(AF_INET, FRAME_TARGET4, &local);
	listen_for(runner, &ear, (struct pc_listener){.reasons = EVERY_REASON, .capture = 100});
	fire(runner, &drop, 1);
	check(heard(&ear) == 1 && event->time >= before && event->time <= clock_boot() &&
		      event->cell == PC_CELL_REASON + PC_REASON_UNLISTED &&
		      event->length == frame.length && event->remote[0] == remote &&
		      event->local[0] == local && !event->remote[1] && event->remote_port == 4711 &&
		      event->local_port == 81 && event->family == 4 && event->protocol == 6 &&
		      event->tcp_flags == FRAME_SYN &&
		      event->how == (PC_EVENT_DROP | PC_EVENT_PORTS) &&
		      event->generation == (__u32)runner->filter.current.copy->number,
	      "listeners: a drop, whole");
	check(event->captured == 100 && !memcmp(ear.heard[0].frame, frame.data, 100),
	      "listeners: the frame's first bytes");
	fire(runner, &pass, 3);
	fire(runner, &arp, 1);
	check(heard(&ear) == 1, "listeners: no passed ones");

	listen_for(runner, &ear, (struct pc_listener){.passed = 1, .capture = PC_CAPTURE_MAX + 1});
	fire(runner, &drop, 2);
	fire(runner, &pass, 1);
	check(heard(&ear) == 1 && event->cell == PC_CELL_PASS + PC_PORT(PC_TCP, 25) &&
		      event->how == PC_EVENT_PORTS && event->family == 6 &&
		      event->captured == frame.length,
	      "listeners: passed ones alone, the whole frame");
	fire(runner, &arp, 1);
	check(heard(&ear) == 2 && ear.heard[1].event.cell == PC_CELL_OTHER + PC_OTHER_NON_IP &&
		      !ear.heard[1].event.family,
	      "listeners: a frame without IP");
}

/* Events that a listener does not want do not use up its rate. */
static void test_filters(struct runner *runner)
{
	struct pc_listener wants = {
		.reasons = EVERY_REASON, .rate = 3, .port = 1 + PC_PORT(PC_TCP, 81)};
	struct pc_heard before = counts_of(runner, ear.slot);

	await_second();
	listen_for(runner, &ear, wants);
	fire(runner, &udp, 1000);
	fire(runner, &drop, 1);
	check(heard(&ear) == 1 && counts_of(runner, ear.slot).over == before.over,
	      "listeners: a port, before the rate");

	wants = (struct pc_listener){.reasons = EVERY_REASON, .rate = 3, .family = 4};
	inet_pton(AF_INET, "198.51.100.0", wants.address);
	wants.mask[0] = htonl(0xffffff00);
	listen_for(runner, &ear, wants);
	fire(runner, &udp, 1000);
	fire(runner, &(struct frame_spec){.family = 6, .protocol = 17, .port = 81}, 1);
	fire(runner, &drop, 1);
	check(heard(&ear) == 1 && counts_of(runner, ear.slot).over == before.over,
	      "listeners: a prefix of IPv4, before the rate");

	wants = (struct pc_listener){.reasons = EVERY_REASON, .family = 6};
	inet_pton(AF_INET6, "2001:db8:ffff::", wants.address);
	memset(wants.mask, 0xff, 8);
	listen_for(runner, &ear, wants);
	fire(runner, &drop, 1);
	fire(runner, &(struct frame_spec){.family = 6, .protocol = 17, .port = 81}, 1);
	fire(runner,
	     &(struct frame_spec){.family = 6, .protocol = 17, .port = 81, .source = "2001:db8::9"},
	     1);
	check(heard(&ear) == 1, "listeners: a prefix of IPv6");

	listen_for(runner, &ear, (struct pc_listener){.reasons = 1 << PC_REASON_ICMP});
	fire(runner, &drop, 1);
	fire(runner, &(struct frame_spec){.family = 4, .protocol = 1, .type = 5, .code = 2}, 1);
	check(heard(&ear) == 1 && ear.heard[0].event.local_port == (5 << 8 | 2) &&
		      ear.heard[0].event.protocol == 1,
	      "listeners: a reason");
	fire(runner, &(struct frame_spec){.family = 4, .protocol = 17, .fragment = 9, .payload = 8},
	     1);
	listen_for(runner, &ear, (struct pc_listener){.reasons = EVERY_REASON});
	fire(runner, &(struct frame_spec){.family = 4, .protocol = 17, .fragment = 9, .payload = 8},
	     1);
	check(heard(&ear) == 1 && ear.heard[0].event.how == (PC_EVENT_DROP | PC_EVENT_LATER) &&
		      !ear.heard[0].event.local_port && ear.heard[0].event.remote[0],
	      "listeners: a later fragment");
}

static void test_rate(struct runner *runner)
{
	struct pc_heard before, after;
	int tries = 0;

	/* The second must not end meanwhile. */
	do {
		before = counts_of(runner, ear.slot);
		listen_for(runner, &ear, (struct pc_listener){.reasons = EVERY_REASON, .rate = 5});
		ear.entry->rate = 5;
		fire(runner, &drop, 20);
		after = counts_of(runner, ear.slot);
	} while ((heard(&ear) != 5 || after.over - before.over != 15) && ++tries < 5 &&
		 !usleep(1100000));
	check(heard(&ear) == 5 && after.over - before.over == 15 &&
		      after.events - before.events == 5,
	      "listeners: a rate, and what is over it is counted");
	await_second();
	fire(runner, &drop, 2);
	check(heard(&ear) == 7, "listeners: the rate is a second's");
	before = counts_of(runner, ear.slot);
	listen_for(runner, &ear,
		   (struct pc_listener){.reasons = EVERY_REASON, .capture = PC_CAPTURE_MAX});
	fire(runner, &drop, 2000);
	after = counts_of(runner, ear.slot);
	check(heard(&ear) < 1000 && after.full - before.full == 2000 - ear.events,
	      "listeners: what a full buffer loses is counted");
}

/* In a flood, the events that a listener loses by its rate are counted separately, and exactly. */
static void test_flood(struct runner *runner)
{
	const unsigned int flood = 100000;
	struct pc_heard before = counts_of(runner, ear.slot), after;
	unsigned int known;

	await_second();
	listen_for(runner, &ear, (struct pc_listener){.reasons = EVERY_REASON, .rate = 5});
	fire(runner, &drop, flood);
	after = counts_of(runner, ear.slot);
	check(deaf_of(runner)->reasons >> PC_REASON_UNLISTED & 1 &&
		      deaf_of(runner)->slots == 1 << ear.slot,
	      "listeners: in a flood, no drop is told of when the rate is spent");
	known = heard(&ear);
	check(known && after.events - before.events == known &&
		      after.over - before.over == flood - known,
	      "listeners: of a flood, each drop is heard or lost: %u, %llu of %u", known,
	      after.over - before.over, flood);
	await_second();
	fire(runner, &drop, 2);
	check(heard(&ear) == known + 2 && counts_of(runner, ear.slot).over == after.over,
	      "listeners: in the next second a flood is heard again");
}

/* Events that one listener cannot get in a flood reach another one that wants them, without
 * loss. */
static void test_flood_beside(struct runner *runner)
{
	const struct frame_spec redirect = {.family = 4, .protocol = 1, .type = 5, .code = 2};
	const unsigned int flood = 50000;
	struct pc_heard before, after, own;

	if (!check(ear_open(runner, &other, 0), "a listener beside a flood"))
		return;
	before = counts_of(runner, ear.slot);
	own = counts_of(runner, other.slot);
	listen_for(runner, &ear,
		   (struct pc_listener){.reasons = 1 << PC_REASON_UNLISTED, .rate = 5});
	listen_for(runner, &other, (struct pc_listener){.reasons = 1 << PC_REASON_ICMP, .rate = 5});
	fire(runner, &drop, flood);
	fire(runner, &redirect, 1);
	fire(runner, &drop, flood);
	fire(runner, &redirect, 1);
	after = counts_of(runner, ear.slot);
	check(heard(&other) == 2 && counts_of(runner, other.slot).over == own.over,
	      "listeners: two rare drops in a flood that another one cannot hear");
	check(after.events + after.over - before.events - before.over == 2 * flood,
	      "listeners: and that one loses no count");
	other.entry->reasons = EVERY_REASON;
	other.entry->port = 1 + PC_PORT(PC_UDP, 81);
	usleep(JIFFY);
	fire(runner, &drop, flood);
	fire(runner, &udp, 1);
	check(heard(&other) == 3, "listeners: a rare port in that flood");
	other.entry->reasons = 0;
	other.entry->port = 0;
	other.entry->passed = 1;
	usleep(JIFFY);
	fire(runner, &drop, flood);
	fire(runner, &pass, 1);
	check(heard(&other) == 4, "listeners: what passes in that flood");
	stop(&other);
}

static void test_several(struct runner *runner)
{
	if (!check(ear_open(runner, &other, PC_LISTENERS - 1), "a second listener"))
		return;
	listen_for(runner, &ear, (struct pc_listener){.reasons = 1 << PC_REASON_UNLISTED});
	listen_for(runner, &other, (struct pc_listener){.passed = 1});
	fire(runner, &drop, 2);
	fire(runner, &pass, 3);
	check(heard(&ear) == 2 && heard(&other) == 3, "listeners: each has its own");
	stop(&other);
	fire(runner, &drop, 2);
	check(heard(&ear) == 4 && runner->state->listeners, "listeners: one leaves, one stays");
}

static void test_lease(struct runner *runner)
{
	listen_for(runner, &ear, (struct pc_listener){.reasons = EVERY_REASON});
	fire(runner, &drop, 1);
	ear.entry->until = boot_second();
	usleep(JIFFY); /* the clock is read again */
	fire(runner, &drop, 5);
	check(heard(&ear) == 1 && !runner->state->listeners,
	      "listeners: the program takes the flag away when no lease is left");
	runner->state->flag = PC_FILTER_BANS;
	runner->state->listeners = 1;
	fire(runner, &pass, 1);
	check(!runner->state->listeners && runner->state->flag == PC_FILTER_BANS,
	      "listeners: and no other flag");
	runner->state->flag = 0;
	fire(runner, &drop, 5);
	check(heard(&ear) == 1, "listeners: nobody listens");
}

/* Would-drops, and outgoing packets. */
static void test_hooks(struct runner *runner)
{
	const struct frame_spec sent = {.family = 6,
					.protocol = 17,
					.source = FRAME_TARGET6,
					.target = "2001:db8:f::7",
					.source_port = 45000,
					.port = 6667,
					.payload = 30};
	const struct frame_spec ping = {
		.family = 4, .protocol = 1, .type = 8, .source = FRAME_TARGET4, .target = STRANGER};
	const struct pc_event *event = &ear.heard[0].event;
	struct outcome outcome;
	__be32 far;

	inet_pton(AF_INET, STRANGER, &far);
	if (!start(runner, OUTBOUND_OBSERVE))
		return;
	listen_for(runner, &ear,
		   (struct pc_listener){.reasons = EVERY_REASON,
					.capture = 1000,
					.port = 1 + PC_PORT(PC_UDP, 6667)});
	frame_build(&sent, &frame);
	runner_send(runner, &frame, NULL, &outcome);
	check(heard(&ear) == 1 && event->cell == PC_CELL_REASON + PC_REASON_OUTBOUND &&
		      event->how ==
			      (PC_EVENT_DROP | PC_EVENT_WOULD | PC_EVENT_OUT | PC_EVENT_PORTS) &&
		      event->family == 6 && event->remote_port == 6667 &&
		      event->local_port == 45000 && event->remote[0] == htonl(0x20010db8) &&
		      event->remote[1] == htonl(0x000f0000) && event->remote[3] == htonl(7) &&
		      event->local[3] == htonl(1) && event->length == frame.length &&
		      !memcmp(ear.heard[0].frame, frame.data, event->captured),
	      "listeners: a sent packet that would be dropped");
	listen_for(runner, &ear, (struct pc_listener){.passed = 1});
	frame_build(&ping, &frame);
	runner_send(runner, &frame, NULL, &outcome);
	check(heard(&ear) == 1 && event->cell == PC_CELL_EGRESS && event->how == PC_EVENT_OUT &&
		      event->local_port == 8 << 8 && event->protocol == 1 &&
		      event->remote[0] == far,
	      "listeners: a sent ping");
	listen_for(runner, &ear, (struct pc_listener){.reasons = EVERY_REASON});
	fire(runner, &drop, 1);
	check(heard(&ear) == 1 && event->how == (PC_EVENT_DROP | PC_EVENT_WOULD | PC_EVENT_PORTS),
	      "listeners: an incoming packet that would be dropped");
}

void suite_listen(struct runner *runner)
{
	listeners = mmap(NULL, PC_LISTENERS * sizeof(*listeners), PROT_READ | PROT_WRITE,
			 MAP_SHARED, runner->filter.fd[FILTER_LISTENERS], 0);
	if (!check(listeners != MAP_FAILED, "listeners are mapped") || !start(runner, OPEN))
		return;
	if (check(ear_open(runner, &ear, 2), "a listener")) {
		test_event(runner);
		test_filters(runner);
		test_rate(runner);
		test_flood(runner);
		test_flood_beside(runner);
		test_several(runner);
		test_lease(runner);
		test_hooks(runner);
		stop(&ear);
	}
	munmap(listeners, PC_LISTENERS * sizeof(*listeners));
}
