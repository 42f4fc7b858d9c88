// SPDX-License-Identifier: GPL-2.0
/* What a verdict costs: a frame through a program many times by BPF_PROG_TEST_RUN. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/util.h"
#include "tests/bench/bench.h"

#define LINES_MAX 128
#define ATTEMPTS  5

struct line {
	const char *name, *frame_name, *state;
	struct frame frame;
	int program;
	int action;
	double *duration, *cpu; /* samples, ns */
};

/*
 * The kernel's `duration` leaves out the time that others had the CPU, but is cut to whole ns. The
 * thread's CPU time is the same to a fraction: it is kept if the two agree, which they do not when
 * the machine below took the CPU away. Returns 0 or -errno.
 */
static int sample(const struct line *line, unsigned int repeat, double *duration, double *cpu)
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
			error("bench: %s, %s: action %u where %d is right", line->name,
			      line->frame_name, run.retval, line->action);
			return -EPROTO;
		}
		if (*cpu > *duration - 0.5 && *cpu < *duration * 1.02 + 1.5)
			break;
	}
	return 0;
}

static int line_open(struct line *line, char **word, unsigned int rounds)
{
	line->name = word[0];
	line->frame_name = word[2];
	line->state = word[4];
	if (action_of(word[3], &line->action) || frame_build(word[2], &line->frame))
		return -EINVAL;
	line->program = program_open(word[1]);
	if (line->program < 0)
		return line->program;
	line->duration = xcalloc(rounds, sizeof(double));
	line->cpu = xcalloc(rounds, sizeof(double));
	return state_make(line->state, &line->frame, line->frame_name, line->program);
}

static void line_print(const struct line *line, unsigned int rounds)
{
	printf("{\"kind\": \"verdict\", \"name\": \"%s\", \"frame\": \"%s\", \"state\": \"%s\", \"length\": %zu",
	       line->name, line->frame_name, line->state, line->frame.length);
	samples_print("duration", line->duration, rounds);
	samples_print("ns", line->cpu, rounds);
	printf("}\n");
}

int bench_verdict(int argc, char **argv)
{
	static char *row[LINES_MAX][WORDS_MAX];
	static struct line line[LINES_MAX];
	unsigned int rounds = atoi(argv[0]), repeat = atoi(argv[1]), round;
	size_t lines = rows_read(row, LINES_MAX, 5), i;

	(void)argc;
	for (i = 0; i < lines; i++)
		if (line_open(&line[i], row[i], rounds))
			return 1;
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < lines; i++) {
			int err = sample(&line[i], repeat, &line[i].duration[round],
					 &line[i].cpu[round]);

			if (err) {
				error("bench: %s, %s: %s", line[i].name, line[i].frame_name,
				      strerror(-err));
				return 1;
			}
		}
	}
	for (i = 0; i < lines; i++)
		line_print(&line[i], rounds);
	return 0;
}
