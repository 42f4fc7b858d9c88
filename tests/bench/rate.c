// SPDX-License-Identifier: GPL-2.0
/* How many frames a second a receiver accepts, for each CPU's working time. */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/message.h"
#include "tests/bench/bench.h"

#define QUEUES	2	  /* queues of each veth; a CPU sends by the one with its number */
#define BURST	(1 << 14) /* frames between two readings of the clock */
#define WARM_UP 10000000  /* ns */

/* One core's part of a sample. */
struct part {
	const struct flood *flood;
	int cpu;
	uint64_t ns;
	pthread_barrier_t *start;
	double rate; /* millions a second */
	int err;
};

static int send_for(const struct flood *flood, uint64_t ns)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	int err;

	do
		err = flood_burst(flood, BURST);
	while (!err && clock_ns(CLOCK_MONOTONIC) - start < ns);
	return err;
}

static int part_measure(struct part *part)
{
	const struct place *receiver = &part->flood->receiver;
	uint64_t before, after, busy, passed;
	int err;

	err = veth_counter(receiver, part->cpu % QUEUES, "xdp_packets", &before);
	if (err)
		return err;
	passed = clock_ns(CLOCK_MONOTONIC);
	busy = busy_ns();
	err = send_for(part->flood, part->ns);
	busy = busy_ns() - busy;
	passed = clock_ns(CLOCK_MONOTONIC) - passed;
	if (err || (err = veth_counter(receiver, part->cpu % QUEUES, "xdp_packets", &after)))
		return err;
	if (busy > passed)
		busy = passed;
	part->rate = (after - before) * 1000.0 / busy;
	return 0;
}

static void *part_run(void *argument)
{
	struct part *part = argument;

	part->err = hold_cpu(part->cpu);
	if (!part->err)
		part->err = send_for(part->flood, WARM_UP);
	/* even after an error, because the other thread waits for it */
	pthread_barrier_wait(part->start);
	if (!part->err)
		part->err = part_measure(part);
	return NULL;
}

/* The first core is this thread's, the second one is its neighbour, with another queue. */
static int sample(const struct flood *flood, int cpu, uint64_t ns, double *rate)
{
	struct part part[CORES_MAX];
	pthread_t thread[CORES_MAX];
	pthread_barrier_t start;
	unsigned int i;
	int err = 0;

	pthread_barrier_init(&start, NULL, flood->cores);
	for (i = 0; i < flood->cores; i++) {
		part[i] = (struct part){flood, i ? cpu + (cpu ? -1 : 1) : cpu, ns, &start, 0, 0};
		if (i && pthread_create(&thread[i], NULL, part_run, &part[i])) {
			error("bench: no thread: %s", strerror(errno));
			exit(1);
		}
	}
	part_run(&part[0]);
	for (*rate = 0, i = 0; i < flood->cores; i++) {
		if (i)
			pthread_join(thread[i], NULL);
		err = err ? err : part[i].err;
		*rate += part[i].rate;
	}
	pthread_barrier_destroy(&start);
	return err;
}

/* One turn, after which the receiver's results are checked, too. */
static int turn(struct flood *flood, int cpu, uint64_t ns, double *rate)
{
	uint64_t packets[2], drops[2];
	int err;

	flood_choose(flood);
	err = veth_counter(&flood->receiver, -1, "xdp_packets", &packets[0]);
	if (err || (err = veth_counter(&flood->receiver, -1, "xdp_drops", &drops[0])) ||
	    (err = sample(flood, cpu, ns, rate)) ||
	    (err = veth_counter(&flood->receiver, -1, "xdp_packets", &packets[1])) ||
	    (err = veth_counter(&flood->receiver, -1, "xdp_drops", &drops[1]))) {
		error("bench: %s, %s: %s", flood->work, flood->name, strerror(-err));
		return err;
	}
	flood->frames += packets[1] - packets[0];
	flood_judge(flood, packets[1] - packets[0], drops[1] - drops[0]);
	return 0;
}

int bench_rate(int argc, char **argv)
{
	static struct flood flood[LINES_MAX];
	unsigned int rounds = atoi(argv[0]), round;
	uint64_t ns = atoi(argv[1]) * 1000000ULL;
	int cpu = sched_getcpu(), floods = floods_read(flood, rounds), i;

	(void)argc;
	if (floods < 0)
		return 1;
	for (round = 0; round < rounds; round++)
		for (i = 0; i < floods; i++)
			if (!flood[i].wrong && turn(&flood[i], cpu, ns, &flood[i].sample[round]))
				return 1;
	floods_print("rate", "mpps", flood, floods, rounds);
	return 0;
}

/* bench live: whether this kernel makes live frames (5.18), by one of a flood. */
int bench_live(int argc, char **argv)
{
	static struct flood flood[LINES_MAX];

	(void)argc;
	(void)argv;
	if (floods_read(flood, 1) != 1)
		return 1;
	flood_choose(flood);
	return flood_burst(flood, 1) ? 1 : 0;
}
