// SPDX-License-Identifier: GPL-2.0
/* Facts about processes, read from /proc. */
#include "loader/base/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"

#define STATUS_LIMIT (1 << 20)

pid_t process_parent(const char *proc, pid_t pid)
{
	__free_text char *path = xasprintf("%s/%d/status", proc, pid);
	__free_text char *text = NULL;
	size_t length;
	char *line;

	if (read_file(path, STATUS_LIMIT, &text, &length))
		return 0;
	line = strstr(text, "\nPPid:");
	return line ? atoi(line + strlen("\nPPid:")) : 0;
}

unsigned long long process_capabilities(void)
{
	__close_file FILE *status = fopen("/proc/self/status", "re");
	unsigned long long capabilities = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapEff: %llx", &capabilities) == 1)
			break;
	return capabilities;
}
