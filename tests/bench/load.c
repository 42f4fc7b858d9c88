// SPDX-License-Identifier: GPL-2.0
/* The load of a CPU: a paced flood's share of it, and the programs of an idle interface. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

#define TICK 5000000 /* ns between two portions of a paced flood */

static void sleep_until(uint64_t ns)
{
	struct timespec when = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

/* The share of this CPU that the flood takes, in percent. */
static int sample(struct flood *flood, uint64_t ns, uint64_t pps, double *share)
{
	unsigned int portion = pps * TICK / 1000000000;
	uint64_t packets, after, start, next, busy;
	int err = veth_counter(&flood->receiver, -1, "xdp_packets", &packets);

	flood_choose(flood);
	start = next = clock_ns(CLOCK_MONOTONIC);
	busy = busy_ns();
	while (!err && next - start < ns) {
		err = flood_burst(flood, portion);
		next += TICK;
		sleep_until(next);
	}
	busy = busy_ns() - busy;
	*share = 100.0 * busy / (clock_ns(CLOCK_MONOTONIC) - start);
	if (!err)
		err = veth_counter(&flood->receiver, -1, "xdp_packets", &after);
	if (err) {
		error("bench: %s, %s: %s", flood->work, flood->name, strerror(-err));
		return err;
	}
	flood->frames += after - packets;
	if (after == packets)
		flood->wrong = xasprintf("%s: took no frame", flood->work);
	return 0;
}

int bench_load(int argc, char **argv)
{
	static struct flood flood[LINES_MAX];
	unsigned int rounds = atoi(argv[0]), round;
	uint64_t ns = atoi(argv[1]) * 1000000ULL, pps = atoi(argv[2]);
	int floods = floods_read(flood, rounds), i;

	(void)argc;
	if (floods < 0)
		return 1;
	for (round = 0; round < rounds; round++)
		for (i = 0; i < floods; i++)
			if (!flood[i].wrong && sample(&flood[i], ns, pps, &flood[i].sample[round]))
				return 1;
	floods_print("load", "share", flood, floods, rounds);
	return 0;
}

static int program_runs(int program, uint64_t *runs, uint64_t *ns)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	*runs += info.run_cnt;
	*ns += info.run_time_ns;
	return 0;
}

/* bench idle MILLISECONDS PROGRAM...: how often these run, and how long, if no packet comes in. */
int bench_idle(int argc, char **argv)
{
	__close_fd int counting = bpf_enable_stats(BPF_STATS_RUN_TIME);
	uint64_t runs[2] = {}, ns[2] = {};
	int look, i;

	if (counting < 0) {
		error("bench: BPF run times: %s", strerror(errno));
		return 1;
	}
	for (look = 0; look < 2; look++) {
		for (i = 1; i < argc; i++) {
			__close_fd int program = program_open(argv[i]);

			if (program < 0 || program_runs(program, &runs[look], &ns[look]))
				return 1;
		}
		if (!look)
			usleep(atoi(argv[0]) * 1000);
	}
	printf("{\"kind\": \"idle\", \"programs\": %d, \"seconds\": %.3f, \"runs\": %llu, \"run_ns\": %llu",
	       argc - 1, atoi(argv[0]) / 1e3, (unsigned long long)(runs[1] - runs[0]),
	       (unsigned long long)(ns[1] - ns[0]));
	printf("}\n");
	return 0;
}
