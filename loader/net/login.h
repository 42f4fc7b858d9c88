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
	bool found; /* the connection is a login */
	__u32 uid;  /* its loginuid, or LOGIN_UID_NONE */
};

/*
 * A session is a login if a process that holds its socket, or one that descends from it, is in an
 * audit session (pam_loginuid) or a session scope of logind in which no process is that holds a
 * server's socket of the port. So a handshake is none, nor is a peer that has not authenticated
 * yet, also where a server was started by hand in an administrator's login. Only processes of
 * system accounts are looked at, as sshd's monitor, and none that holds the server's socket, too.
 * `proc`: the folder of processes; those of other PID namespaces are not seen.
 */
void logins_find(const char *proc, const struct socket_info *server, size_t servers,
		 struct login *login, size_t count);

/* The account by which a process was logged in (loginuid), or LOGIN_UID_NONE. */
__u32 login_uid(const char *proc, pid_t pid);

/*
 * True if an account is root's or the system's, with which no person logs in: up to SYS_UID_MAX of
 * login.defs(5) (or below UID_MIN, or 1000), or one that systemd gives to a service (DynamicUser=).
 */
bool login_is_system(__u32 uid);

/* The last account of the system, by the text of login.defs(5). */
__u32 login_last_system(const char *text);

/* Appends the inodes of the sockets that a process holds to an array made with grow(). */
void login_sockets(const char *proc, pid_t pid, __u32 **inode, size_t *count);

#endif
