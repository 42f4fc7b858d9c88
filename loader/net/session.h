/* SPDX-License-Identifier: GPL-2.0 */
/* Which session this command runs in, from SSH_CONNECTION and the processes above it. */
#ifndef PORTCULLIS_NET_SESSION_H
#define PORTCULLIS_NET_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "loader/net/sockets.h"

/* The two ends of a connection; as in struct socket_info. */
struct session {
	__u8 family;
	__u16 local_port;
	__u16 remote_port;
	__u8 local[16];
	__u8 remote[16];
};

/* The sockets that a process above the caller holds, as inodes. */
struct ancestor {
	__u32 *inode;
	size_t count;
};

struct sessions {
	struct session *session;
	size_t count;
	struct ancestor *ancestor;
	size_t ancestors;
};

/*
 * "CLIENT PORT SERVER PORT", as sshd(8) writes SSH_CONNECTION; a zone behind an address ("%eth0")
 * is left out. Returns whether the text has this form.
 */
bool session_parse(const char *text, struct session *session);

/*
 * Finds SSH_CONNECTION in the caller's environment and in that of each process above `pid` in the
 * `proc` folder, because sudo, su and tmux do not pass it on; and the sockets that these processes
 * hold, as telnetd's does. Anyone can set the variable, so it counts only if a socket has these
 * ends. The environment of other processes is read as far as privileges allow.
 */
void sessions_find(const char *proc, pid_t pid, struct sessions *sessions);

/* True if SSH_CONNECTION of one of these processes names the connection. */
bool sessions_have(const struct sessions *sessions, const struct socket_info *socket);
void sessions_free(struct sessions *sessions);

#endif
