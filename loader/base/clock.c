// SPDX-License-Identifier: GPL-2.0
/* The clocks: of the wall, of the kernel since boot, and of the BPF programs. */
#include "loader/base/clock.h"

#include <stdio.h>
#include <time.h>

#include "loader/base/file.h"

#define SECOND 1000000000LL /* time in ns */

__u64 clock_wall(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

__u64 clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

__u64 clock_boot(void)
{
	__close_file FILE *offsets = fopen("/proc/self/timens_offsets", "re");
	long long seconds = 0, nanoseconds = 0;
	struct timespec now;
	char line[128];

	clock_gettime(CLOCK_BOOTTIME, &now);
	while (offsets && fgets(line, sizeof(line), offsets))
		if (sscanf(line, "boottime %lld %lld", &seconds, &nanoseconds) == 2)
			break;
	return (now.tv_sec - seconds) * SECOND + now.tv_nsec - nanoseconds;
}
