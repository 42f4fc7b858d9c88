// SPDX-License-Identifier: GPL-2.0
/* Entry of the bench's helper, and what its measurements share. scripts/bench drives it. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "loader/util.h"
#include "tests/bench/bench.h"

#define LINE_LIMIT 4096

uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

size_t rows_read(char *(*row)[WORDS_MAX], size_t limit, size_t words)
{
	char line[LINE_LIMIT];
	size_t rows = 0, count;

	while (rows < limit && fgets(line, sizeof(line), stdin)) {
		char *rest = line, *word;

		for (count = 0; (word = strsep(&rest, " \t\n"));)
			if (*word && count < WORDS_MAX)
				row[rows][count++] = xstrdup(word);
		if (count != words && count) {
			error("bench: a line of %zu words where %zu are right", count, words);
			exit(2);
		}
		rows += !!count;
	}
	return rows;
}

void samples_print(const char *name, const double *sample, size_t count)
{
	size_t i;

	printf(", \"%s\": [", name);
	for (i = 0; i < count; i++)
		printf("%s%.3f", i ? ", " : "", sample[i]);
	printf("]");
}

static int hold_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		error("bench: CPU %d: %s", cpu, strerror(errno));
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
		int arguments; /* at least */
		bool anywhere; /* commands run on every CPU, as they do in life */
	} measure[] = {
		{"verdict", bench_verdict, 2, false}, {"rate", bench_rate, 2, false},
		{"send", bench_send, 2, false},	      {"times", bench_times, 3, true},
		{"program", bench_program, 1, true},  {"attach", bench_attach, 2, true},
	};
	size_t i;

	/* Ahead of whatever else runs. */
	setpriority(PRIO_PROCESS, 0, -20);
	for (i = 0; argc > 2 && i < ARRAY_SIZE(measure); i++) {
		if (strcmp(argv[2], measure[i].name) || argc - 3 < measure[i].arguments)
			continue;
		if (!measure[i].anywhere && hold_cpu(atoi(argv[1])))
			return 1;
		return measure[i].run(argc - 3, argv + 3);
	}
	fprintf(stderr,
		"bench CPU verdict ROUNDS REPEAT < lines of: NAME PROGRAM FRAME drop|pass|next STATE\n"
		"bench CPU rate ROUNDS MILLISECONDS < lines of: NAME PROGRAM SENDER RECEIVER FRAME drop|pass\n"
		"bench CPU send ROUNDS MILLISECONDS < lines of: NAME INTERFACE ADDRESS PORT\n"
		"bench CPU times ROUNDS NAME COMMAND... (-COMMAND: run, not timed)\n"
		"bench CPU program PROGRAM\n"
		"bench CPU attach INTERFACE pass|none\n"
		"PROGRAM: drop, pass or next (does only this), reference:NAME, egress:INTERFACE, or the interface that holds it\n"
		"FRAME: [-]tcp4,PORT[,SOURCE] or ack4, udp4, tcp6, ack6, udp6\n"
		"STATE: established, listening, connected, learned, none\n");
	return 2;
}
