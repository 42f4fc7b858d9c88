/* SPDX-License-Identifier: GPL-2.0 */
/* Tells logins from other connections, by the processes that hold the sockets. */
#ifndef PORTCULLIS_NET_LOGIN_H
#define PORTCULLIS_NET_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "loader/net/sockets.h"

#define LOGIN_UID_NONE ((__u32)-1)

/* A session to ask about, and the answer. */
struct login {
	const struct socket_info *session;
	bool found; /* the session is a login */
	__u32 uid;  /* its loginuid, or LOGIN_UID_NONE */
};

/*
 * A session is a login if a process that holds its socket, or a descendant of that process, is in
 * an audit session (pam_loginuid) or in a session scope of logind. The audit session or scope must
 * not contain a process that holds a server's socket of the port: an administrator may have started
 * the server by hand within a login. So a handshake, or a peer that has not authenticated, is no
 * login. Only processes of system accounts count, such as sshd's monitor, unless they hold the
 * server's socket, too. `proc`: the folder of processes; those of other PID namespaces are not
 * seen.
 */
void logins_find(const char *proc, const struct socket_info *server, size_t servers,
		 struct login *login, size_t count);

/* The account that logged in to start a process (loginuid), or LOGIN_UID_NONE. */
__u32 login_uid(const char *proc, pid_t pid);

/*
 * True for root and for system accounts, which are not for logins of people: up to SYS_UID_MAX of
 * login.defs(5) (or below UID_MIN, or 1000), or one that systemd gives to a service (DynamicUser=).
 */
bool login_is_system(__u32 uid);

/* The highest uid of a system account, from the text of login.defs(5). */
__u32 login_last_system(const char *text);

/* Appends the inodes of the sockets that a process holds. The array is made by grow(). */
void login_sockets(const char *proc, pid_t pid, __u32 **inode, size_t *count);

#endif
