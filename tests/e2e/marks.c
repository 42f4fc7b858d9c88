// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and changes the marks of local ports (bpf/abi_marks.h).
 *
 *	marks PIN trusted	prints 1 if the filters trust them, else 0. Later changes of
 *				interfaces are not seen
 *	marks PIN count		prints how many local ports have a mark
 *	marks PIN alone		no socket look-up is made for a port without a mark, as in a
 *				flood that has used them up
 *	marks PIN clear		removes every mark
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/abi_marks.h"

static int open_pin(const char *path)
{
	union bpf_attr attributes = {.pathname = (uintptr_t)path};

	return (int)syscall(SYS_bpf, BPF_OBJ_GET, &attributes, sizeof(attributes));
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open_pin(argv[1]) : -1, count = 0;
	struct pc_marks *table;

	if (fd < 0) {
		fprintf(stderr, "usage: marks PIN trusted|count|alone|clear: %s\n",
			strerror(errno));
		return 2;
	}
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (table == MAP_FAILED) {
		perror("marks: mmap");
		return 1;
	}
	if (!strcmp(argv[2], "trusted")) {
		printf("%d\n", !!table->devices.changes);
	} else if (!strcmp(argv[2], "count")) {
		for (size_t i = 0; i < PC_PORTS; i++)
			count += !!table->port[i];
		printf("%d\n", count);
	} else if (!strcmp(argv[2], "alone")) {
		table->looks = 0;
	} else {
		memset(table->port, 0, sizeof(table->port));
	}
	return 0;
}
