// SPDX-License-Identifier: GPL-2.0
/* The cost of a verdict: a frame runs through a program many times by BPF_PROG_TEST_RUN. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

#define ATTEMPTS 5

struct line {
	const char *work, *name, *frame_name;
	struct frame frame;
	struct place place; /* namespace in which sockets are looked up */
	int program;
	int action;
	char *wrong;
	double *duration, *cpu; /* samples, ns */
};

/*
 * The kernel's `duration` excludes the time in which other tasks had the CPU, but is cut to whole
 * ns. The thread's CPU time is the same with fractions. It is used if both agree; they do not if
 * the hypervisor took the CPU away. Returns 0 or -errno.
 */
static int sample(struct line *line, unsigned int repeat, double *duration, double *cpu)
{
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS; attempt++) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = line->frame.data,
			    .data_size_in = line->frame.length, .repeat = repeat);
		uint64_t before = clock_ns(CLOCK_THREAD_CPUTIME_ID);

		if (bpf_prog_test_run_opts(line->program, &run))
			return -errno;
		*cpu = (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - before) / repeat;
		*duration = run.duration;
		if ((int)run.retval != line->action) {
			line->wrong = xasprintf("%s: action %u instead of %d", line->work,
						run.retval, line->action);
			return 0;
		}
		if (*cpu > *duration - 0.5 && *cpu < *duration * 1.02 + 1.5)
			break;
	}
	return 0;
}

static int turn(struct line *line, unsigned int repeat, unsigned int round)
{
	int err = place_enter(&line->place);

	if (!err) {
		err = sample(line, repeat, &line->duration[round], &line->cpu[round]);
		place_leave(&line->place);
	}
	if (err)
		error("bench: %s, %s: %s", line->work, line->name, strerror(-err));
	return err;
}

/* Programs that no interface has are run in this namespace. */
static int line_open(struct line *line, char **word, unsigned int rounds)
{
	const char *place = strstr(word[2], "p-");

	line->work = word[0];
	line->name = word[1];
	line->frame_name = word[3];
	line->place.netns = -1;
	if (action_of(word[4], &line->action) || frame_build(word[3], &line->frame))
		return -EINVAL;
	line->program = program_open(word[2]);
	if (line->program < 0)
		return line->program;
	if (place && place_open(place, &line->place))
		return -ENODEV;
	line->duration = xcalloc(rounds, sizeof(double));
	line->cpu = xcalloc(rounds, sizeof(double));
	return state_make(word[5], &line->frame, &line->place, line->program);
}

static void line_print(const struct line *line, unsigned int rounds)
{
	if (line->wrong) {
		wrong_print(line->work, line->name, line->wrong);
		return;
	}
	printf("{\"kind\": \"verdict\", \"work\": \"%s\", \"name\": \"%s\", \"frame\": \"%s\", \"length\": %zu",
	       line->work, line->name, line->frame_name, line->frame.length);
	samples_print("duration", line->duration, rounds);
	samples_print("ns", line->cpu, rounds);
	printf("}\n");
}

int bench_verdict(int argc, char **argv)
{
	static char *row[LINES_MAX][WORDS_MAX];
	static struct line line[LINES_MAX];
	unsigned int rounds = atoi(argv[0]), repeat = atoi(argv[1]), round;
	size_t lines = rows_read(row, LINES_MAX, 6), i;

	(void)argc;
	for (i = 0; i < lines; i++)
		if (line_open(&line[i], row[i], rounds))
			return 1;
	for (round = 0; round < rounds; round++)
		for (i = 0; i < lines; i++)
			if (!line[i].wrong && turn(&line[i], repeat, round))
				return 1;
	for (i = 0; i < lines; i++)
		line_print(&line[i], rounds);
	return 0;
}
