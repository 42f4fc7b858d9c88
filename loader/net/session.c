// SPDX-License-Identifier: GPL-2.0
/* Which session this command runs in, from SSH_CONNECTION and the processes above it. */
#include "loader/net/session.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/process.h"
#include "loader/net/login.h"

#define VARIABLE "SSH_CONNECTION="
#define ENVIRON	 (4 << 20) /* bytes; execve takes 2 MiB by default */

static bool parse_address(char *text, __u8 *family, __u8 address[16])
{
	static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};

	text[strcspn(text, "%")] = '\0';
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	memset(address, 0, 16);
	if (inet_pton(*family, text, address) != 1)
		return false;
	if (*family == AF_INET6 && !memcmp(address, mapped, sizeof(mapped))) {
		memmove(address, address + sizeof(mapped), 4);
		memset(address + 4, 0, 12);
		*family = AF_INET;
	}
	return true;
}

static bool parse_port(const char *text, __u16 *port)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value = strtoul(text, NULL, 10);

	*port = value;
	return digits && digits <= 5 && !text[digits] && value && value <= 65535;
}

bool session_parse(const char *text, struct session *session)
{
	__free_text char *copy = xstrdup(text);
	char *rest = copy, *word[4];
	struct session read = {};
	__u8 family;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(word); i++) {
		word[i] = strsep(&rest, " ");
		if (!word[i])
			return false;
	}
	if (rest || !parse_address(word[0], &read.family, read.remote) ||
	    !parse_port(word[1], &read.remote_port) ||
	    !parse_address(word[2], &family, read.local) ||
	    !parse_port(word[3], &read.local_port) || family != read.family)
		return false;
	*session = read;
	return true;
}

static void add(struct sessions *sessions, const char *text)
{
	struct session session;

	if (!text || !session_parse(text, &session))
		return;
	sessions->session = grow(sessions->session, sessions->count, sizeof(session));
	sessions->session[sessions->count++] = session;
}

static void add_environ(struct sessions *sessions, const char *proc, pid_t pid)
{
	__free_text char *path = xasprintf("%s/%d/environ", proc, pid);
	__free_text char *text = NULL;
	size_t length, at;

	if (read_file(path, ENVIRON, &text, &length))
		return;
	for (at = 0; at < length; at += strlen(text + at) + 1)
		if (!strncmp(text + at, VARIABLE, strlen(VARIABLE))) {
			add(sessions, text + at + strlen(VARIABLE));
			return; /* the first counts, as for getenv */
		}
}

static void add_sockets(struct sessions *sessions, const char *proc, pid_t pid)
{
	struct ancestor ancestor = {};

	login_sockets(proc, pid, &ancestor.inode, &ancestor.count);
	if (!ancestor.count)
		return;
	sessions->ancestor =
		grow(sessions->ancestor, sessions->ancestors, sizeof(*sessions->ancestor));
	sessions->ancestor[sessions->ancestors++] = ancestor;
}

void sessions_find(const char *proc, pid_t pid, struct sessions *sessions)
{
	int i;

	add(sessions, getenv("SSH_CONNECTION"));
	for (i = 0; i < PROCESS_ANCESTORS; i++) {
		pid = process_parent(proc, pid);
		if (pid <= 0)
			return;
		add_environ(sessions, proc, pid);
		if (pid > 1)
			add_sockets(sessions, proc, pid);
	}
}

bool sessions_have(const struct sessions *sessions, const struct socket_info *socket)
{
	size_t i;

	for (i = 0; i < sessions->count; i++) {
		const struct session *session = &sessions->session[i];

		if (session->family == socket->family &&
		    session->local_port == socket->local_port &&
		    session->remote_port == socket->remote_port &&
		    !memcmp(session->local, socket->local, sizeof(session->local)) &&
		    !memcmp(session->remote, socket->remote, sizeof(session->remote)))
			return true;
	}
	return false;
}

void sessions_free(struct sessions *sessions)
{
	for (size_t i = 0; i < sessions->ancestors; i++)
		free(sessions->ancestor[i].inode);
	free(sessions->ancestor);
	free(sessions->session);
	*sessions = (struct sessions){};
}
