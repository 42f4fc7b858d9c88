// SPDX-License-Identifier: GPL-2.0
/* Main program of the bench's helper, and code that its measurements share. scripts/bench runs
 * it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
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

void wrong_print(const char *work, const char *name, const char *reason)
{
	printf("{\"kind\": \"wrong\", \"work\": \"%s\", \"name\": \"%s\", \"reason\": \"%s\"}\n",
	       work, name, reason);
}

void samples_print(const char *name, const double *sample, size_t count)
{
	size_t i;

	printf(", \"%s\": [", name);
	for (i = 0; i < count; i++)
		printf("%s%.3f", i ? ", " : "", sample[i]);
	printf("]");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
		int arguments; /* at least */
		bool anywhere; /* commands run on every CPU, as in reality */
	} measure[] = {
		{"verdict", bench_verdict, 2, false}, {"rate", bench_rate, 2, false},
		{"load", bench_load, 3, false},	      {"send", bench_send, 2, false},
		{"idle", bench_idle, 2, true},	      {"times", bench_times, 3, true},
		{"program", bench_program, 2, true},  {"attach", bench_attach, 2, true},
		{"gro", bench_gro, 1, true},	      {"fill", bench_fill, 2, true},
		{"mark", bench_mark, 2, true},	      {"live", bench_live, 0, true},
	};
	size_t i;

	/* Runs it with a higher priority than other processes. */
	setpriority(PRIO_PROCESS, 0, -20);
	for (i = 0; argc > 2 && i < ARRAY_SIZE(measure); i++) {
		if (strcmp(argv[2], measure[i].name) || argc - 3 < measure[i].arguments)
			continue;
		if (!measure[i].anywhere && hold_cpu(atoi(argv[1])))
			return 1;
		return measure[i].run(argc - 3, argv + 3);
	}
	fprintf(stderr,
		"bench CPU verdict ROUNDS REPEAT < lines of: WORK NAME PROGRAM FRAME drop|pass|next STATE\n"
		"bench CPU rate ROUNDS MILLISECONDS < lines of: WORK NAME SENDER RECEIVER FRAME drop|pass|stack STATE CORES\n"
		"bench CPU load ROUNDS MILLISECONDS FRAMES_A_SECOND < lines as of rate\n"
		"bench CPU send ROUNDS MILLISECONDS < lines of: NAME INTERFACE ADDRESS PORT\n"
		"bench CPU times ROUNDS NAME COMMAND... (-COMMAND: run, not timed)\n"
		"bench CPU idle MILLISECONDS PROGRAM...\n"
		"bench CPU program NAME PROGRAM\n"
		"bench CPU attach PLACE drop|pass|none\n"
		"bench CPU gro PLACE (turns it on)\n"
		"bench CPU fill PLACE COUNT (learned flows)\n"
		"bench CPU mark PLACE COUNT (local ports)\n"
		"bench CPU live < a line as of rate (fails if the kernel makes no live frames)\n"
		"PLACE: p-NAME[@NAMESPACE], an interface\n"
		"PROGRAM: drop, pass or next (does only this), reference:NAME, egress:PLACE, or the PLACE that holds it\n"
		"FRAME: [-]syn4,PORT[,WORD]... or ack4, udp4, frag4, syn6, ...; words: see bench.h\n"
		"STATE: established, listening, connected, learned, none\n");
	return 2;
}
