// SPDX-License-Identifier: GPL-2.0
/* How long whole commands take, from fork to wait. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

#define COMMANDS_MAX 8

static void execute(char **word, int output)
{
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execv(word[0], word);
	dprintf(STDERR_FILENO, "%s: %s\n", word[0], strerror(errno));
	_exit(127);
}

/* Runs it; shows its output if it fails. Returns its time in ms. */
static int run(char **word, double *ms)
{
	__close_fd int output = memfd_create("output", MFD_CLOEXEC);
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	int status = -1;
	char text[4096];
	ssize_t length;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		execute(word, output);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	*ms = (clock_ns(CLOCK_MONOTONIC) - start) / 1e6;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	lseek(output, 0, SEEK_SET);
	while ((length = read(output, text, sizeof(text))) > 0)
		fwrite(text, 1, length, stderr);
	error("bench: %s %s failed", word[0], word[1] ? word[1] : "");
	return -ECHILD;
}

static void split(char *command, char **word)
{
	size_t count = 0;
	char *next;

	while ((next = strsep(&command, " ")) && count < WORDS_MAX - 1)
		if (*next)
			word[count++] = next;
	word[count] = NULL;
}

int bench_times(int argc, char **argv)
{
	static char *word[COMMANDS_MAX][WORDS_MAX];
	unsigned int rounds = atoi(argv[0]), samples = 0, round;
	int commands = argc - 2, i;
	double *sample = xcalloc((size_t)rounds * commands, sizeof(double));

	if (commands > COMMANDS_MAX)
		return 2;
	for (i = 0; i < commands; i++)
		split(argv[i + 2] + (argv[i + 2][0] == '-'), word[i]);
	/* Round by round; with several commands, each round gives a sample for each. */
	for (round = 0; samples < rounds; round++) {
		for (i = 0; i < commands; i++) {
			double ms = 0;

			if (run(word[i], &ms))
				return 1;
			if (argv[i + 2][0] != '-')
				sample[samples++] = ms;
		}
		if (!samples)
			return 2;
	}
	printf("{\"kind\": \"times\", \"name\": \"%s\"", argv[1]);
	samples_print("ms", sample, samples);
	printf("}\n");
	free(sample);
	return 0;
}
