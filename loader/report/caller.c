// SPDX-License-Identifier: GPL-2.0
/* Finds the user who gave this command: by audit login, sudo and SSH. */
#include "loader/report/caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "loader/net/session.h"

#define COMMAND_LIMIT (64 << 10) /* bytes of /proc/self/cmdline */
#define NO_LOGIN      ((uid_t)-1)

static uid_t login_uid(void)
{
	__free_text char *text = NULL;
	size_t length;
	char *end;
	unsigned long uid;

	if (read_file("/proc/self/loginuid", 64, &text, &length) || !length)
		return NO_LOGIN;
	uid = strtoul(text, &end, 10);
	return *end && *end != '\n' ? NO_LOGIN : (uid_t)uid;
}

/* Reads only /etc/passwd: the change itself may have cut off a directory service. */
static char *user_name(uid_t uid)
{
	__close_file FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *user;

	while (users && (user = fgetpwent(users)))
		if (user->pw_uid == uid)
			return text_printable(user->pw_name);
	return xasprintf("%u", uid);
}

static char *sudo_user(void)
{
	const char *user = getenv("SUDO_USER");

	return user && *user ? text_printable(user) : NULL;
}

static char *caller_name(uid_t login)
{
	char *sudo;

	if (login != NO_LOGIN)
		return user_name(login);
	sudo = sudo_user();
	if (sudo)
		return sudo;
	if (getenv("INVOCATION_ID")) /* systemd(1) sets it for the processes of a unit */
		return xstrdup("systemd");
	return user_name(getuid());
}

static char *client_address(void)
{
	struct sessions sessions = {};
	char text[INET6_ADDRSTRLEN];
	char *client = NULL;

	sessions_find("/proc", getpid(), &sessions);
	if (sessions.count &&
	    inet_ntop(sessions.session[0].family, sessions.session[0].remote, text, sizeof(text)))
		client = xstrdup(text);
	sessions_free(&sessions);
	return client;
}

/* The arguments of the command, "apply --boot", without the name of the program. */
static char *command_line(void)
{
	__free_text char *text = NULL;
	size_t length, at, start;

	if (read_file("/proc/self/cmdline", COMMAND_LIMIT, &text, &length) || !length)
		return NULL;
	start = strlen(text) + 1;
	for (at = start; at + 1 < length; at++)
		if (!text[at])
			text[at] = ' ';
	return start < length ? text_printable(text + start) : NULL;
}

void caller_find(struct caller *caller)
{
	caller->login = login_uid();
	caller->name = caller_name(caller->login);
	caller->sudo_user = sudo_user();
	caller->client = client_address();
	caller->command = command_line();
}

void caller_free(struct caller *caller)
{
	free(caller->name);
	free(caller->sudo_user);
	free(caller->client);
	free(caller->command);
}
