/* SPDX-License-Identifier: GPL-2.0 */
/* Tells which process, unit and container a socket belongs to. */
#ifndef PORTCULLIS_NET_SOCKET_OWNER_H
#define PORTCULLIS_NET_SOCKET_OWNER_H

#include <sys/types.h>

#include "loader/net/sockets.h"

struct socket_owner {
	/* name of the process (comm); empty: none was found, as for the kernel's own sockets */
	char process[16];
	pid_t pid;
	char *unit;	 /* unit of systemd, "postfix.service"; NULL: none */
	char *container; /* "docker:0123456789ab", "lxc:NAME"; NULL: none */
};

/*
 * Sets the owner of each socket: the process with the lowest id that holds it. `proc`: the folder
 * of processes.
 */
void owners_find(const char *proc, const struct socket_info *socket, size_t count,
		 struct socket_owner *owner);
void owners_free(struct socket_owner *owner, size_t count);

/* Finds unit and container in a /proc/PID/cgroup, of cgroup version 2 or 1. The caller frees
 * both. */
void cgroup_read(const char *text, char **unit, char **container);

#endif
