// SPDX-License-Identifier: GPL-2.0
/*
 * Waits until few of the BPF objects that faults.c has written down are left.
 *
 *	wait_for_objects IDS COUNT
 *
 * 40 s at most; then it prints those that are there, and fails. Else these remain in IDS.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_LIMIT   40
#define EXIT_TROUBLE 97

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void die(const char *what)
{
	fprintf(stderr, "wait_for_objects: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

static FILE *open_file(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file)
		die(path);
	return file;
}

static bool is_there(const char *kind, unsigned int id)
{
	static const struct {
		const char *kind;
		int command;
	} ways[] = {{"map", BPF_MAP_GET_FD_BY_ID},
		    {"program", BPF_PROG_GET_FD_BY_ID},
		    {"link", BPF_LINK_GET_FD_BY_ID},
		    {"btf", BPF_BTF_GET_FD_BY_ID}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		union bpf_attr attr = {.map_id = id};
		int fd;

		if (strcmp(kind, ways[i].kind))
			continue;
		fd = syscall(SYS_bpf, ways[i].command, &attr, sizeof(attr));
		if (fd < 0 && errno != ENOENT)
			die("cannot look up an id");
		if (fd >= 0)
			close(fd);
		return fd >= 0;
	}
	fprintf(stderr, "wait_for_objects: what is a %s?\n", kind);
	exit(EXIT_TROUBLE);
}

/* Reads which of the objects in `path` still exist: their number, and the text. */
static unsigned int read_left(const char *path, char **text)
{
	char kind[16], name[32];
	FILE *ids = open_file(path, "re"), *lines;
	unsigned int id, left = 0;
	size_t size;

	lines = open_memstream(text, &size);
	while (lines && fscanf(ids, "%15s %u %31s", kind, &id, name) == 3)
		if (is_there(kind, id)) {
			fprintf(lines, "%s %u %s\n", kind, id, name);
			left++;
		}
	if (!lines || fclose(lines) || fclose(ids))
		die(path);
	return left;
}

/* The kernel frees objects late: after a grace period, in a worker thread. */
static int await_few(const char *path, unsigned int count)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	FILE *ids;
	char *text;
	int i;

	for (i = 0; i < WAIT_LIMIT * 100 && read_left(path, &text) > count; i++) {
		free(text);
		nanosleep(&pause, NULL);
	}
	if (i == WAIT_LIMIT * 100) {
		read_left(path, &text);
		fputs(text, stdout);
		return EXIT_FAILURE;
	}
	ids = open_file(path, "we");
	if (fputs(text, ids) < 0 || fclose(ids))
		die(path);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return await_few(argv[1], atoi(argv[2]));
	fprintf(stderr, "wait_for_objects: not IDS COUNT\n");
	return EXIT_TROUBLE;
}
