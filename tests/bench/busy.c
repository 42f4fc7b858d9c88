// SPDX-License-Identifier: GPL-2.0
/* The time that a CPU works for a measurement: that of its thread, and of the CPU's ksoftirqd. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"

int hold_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (!sched_setaffinity(0, sizeof(set), &set))
		return 0;
	error("bench: CPU %d: %s", cpu, strerror(errno));
	return -errno;
}

/*
 * Opens the time account of this CPU's ksoftirqd, which may take over some of the work. NULL:
 * unseen.
 */
static FILE *softirqd_open(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char wanted[32], comm[32];
	FILE *account = NULL;

	snprintf(wanted, sizeof(wanted), "ksoftirqd/%d\n", sched_getcpu());
	while (dir && !account && (entry = readdir(dir))) {
		__free_text char *path = xasprintf("/proc/%s/comm", entry->d_name);
		__close_file FILE *file = atoi(entry->d_name) ? fopen(path, "re") : NULL;
		__free_text char *times = xasprintf("/proc/%s/schedstat", entry->d_name);

		if (file && fgets(comm, sizeof(comm), file) && !strcmp(comm, wanted))
			account = fopen(times, "re");
	}
	if (dir)
		closedir(dir);
	return account;
}

/* If ksoftirqd's share is unknown: the time that passed. The thread stays on its CPU. */
uint64_t busy_ns(void)
{
	static FILE *softirqd[CPU_SETSIZE]; /* each belongs to its own CPU's thread */
	static bool looked[CPU_SETSIZE];
	int cpu = sched_getcpu() % CPU_SETSIZE;
	unsigned long long ns = 0;

	if (!looked[cpu])
		softirqd[cpu] = softirqd_open();
	looked[cpu] = true;
	if (!softirqd[cpu])
		return clock_ns(CLOCK_MONOTONIC);
	rewind(softirqd[cpu]);
	fflush(softirqd[cpu]);
	if (fscanf(softirqd[cpu], "%llu", &ns) != 1)
		ns = 0;
	return clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;
}
