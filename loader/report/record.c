// SPDX-License-Identifier: GPL-2.0
/* Records of changes in the journal, or without systemd in the system's log. */
#include "loader/report/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "loader/net/session.h"
#include "loader/report/journal.h"

#define COMMAND_LIMIT (64 << 10) /* bytes of /proc/self/cmdline */
#define NO_LOGIN      ((uid_t)-1)

static const struct {
	const char *name; /* in the field */
	const char *done; /* in the message */
} action[] = {
	[RECORD_ATTACH] = {"attach", "attached"}, [RECORD_SWAP] = {"swap", "swapped"},
	[RECORD_DETACH] = {"detach", "detached"}, [RECORD_CONFIRM] = {"confirm", "confirmed"},
	[RECORD_REVERT] = {"revert", "reverted"}, [RECORD_TAKEOVER] = {"takeover", "taken over"},
};
_Static_assert(ARRAY_SIZE(action) == RECORD_ACTIONS, "an action has no name");

/* The user who gave the command, as far as it is known. Unknown texts are NULL. */
struct caller {
	uid_t login; /* of the audit system: it outlives su and sudo; or NO_LOGIN */
	char *name;
	char *client; /* address of the SSH session */
	char *command;
};

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

/* Reads /etc/passwd alone: a directory service may be unreachable because of this very change. */
static char *user_name(uid_t uid)
{
	__close_file FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *user;

	while (users && (user = fgetpwent(users)))
		if (user->pw_uid == uid)
			return text_printable(user->pw_name);
	return xasprintf("%u", uid);
}

static char *caller_name(uid_t login)
{
	const char *sudo = getenv("SUDO_USER");

	if (login != NO_LOGIN)
		return user_name(login);
	if (sudo && *sudo)
		return text_printable(sudo);
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

/* The command as it was given, "apply --boot", without the name of the program. */
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

static void caller_find(struct caller *caller)
{
	caller->login = login_uid();
	caller->name = caller_name(caller->login);
	caller->client = client_address();
	caller->command = command_line();
}

static void caller_free(struct caller *caller)
{
	free(caller->name);
	free(caller->client);
	free(caller->command);
}

static char *final_text(const struct record *record)
{
	if (record->action == RECORD_REVERT || record->action == RECORD_CONFIRM)
		return xstrdup("");
	if (record->seconds)
		return xasprintf("; to be confirmed within %u s", record->seconds);
	return xstrdup("; final");
}

/* "eth0: swapped by alice from 192.0.2.7: opens 25/tcp; final" */
static char *message_text(const struct record *record, const struct caller *caller)
{
	__free_text char *interface = text_printable(record->interface);
	__free_text char *end = final_text(record);

	return xasprintf("%s: %s by %s%s%s%s%s%s%s%s", interface, action[record->action].done,
			 caller->name, caller->client ? " from " : "",
			 caller->client ? caller->client : "", record->what ? ": " : "",
			 record->what ? record->what : "", end,
			 record->comment ? "; comment: " : "", record->comment ?: "");
}

static char *fields_text(const struct record *record, const struct caller *caller,
			 const char *message, size_t *length)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, length);

	if (!to)
		return NULL;
	journal_field(to, "MESSAGE", message);
	fprintf(to, "MESSAGE_ID=" RECORD_ID "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=portcullis\n",
		LOG_NOTICE);
	journal_field(to, "PORTCULLIS_INTERFACE", record->interface);
	journal_field(to, "PORTCULLIS_ACTION", action[record->action].name);
	if (record->generation)
		fprintf(to, "PORTCULLIS_GENERATION=%llu\n", record->generation);
	journal_field(to, "PORTCULLIS_CHANGES", record->what);
	journal_field(to, "PORTCULLIS_COMMENT", record->comment);
	journal_field(to, "PORTCULLIS_FINAL", record->seconds ? "no" : "yes");
	journal_field(to, "PORTCULLIS_BY", caller->name);
	journal_field(to, "PORTCULLIS_SUDO_USER", getenv("SUDO_USER"));
	journal_field(to, "PORTCULLIS_CLIENT", caller->client);
	journal_field(to, "PORTCULLIS_COMMAND", caller->command);
	return fclose(to) ? (free(text), NULL) : text;
}

void record_change(const struct record *record)
{
	__cleanup(caller_free) struct caller caller = {};
	__free_text char *message = NULL;
	__free_text char *fields = NULL;
	size_t length;

	caller_find(&caller);
	message = message_text(record, &caller);
	fields = fields_text(record, &caller, message, &length);
	if (fields && !journal_send(fields, length, false))
		return;
	openlog("portcullis", LOG_PID, LOG_DAEMON);
	syslog(LOG_NOTICE, "%s (%s)", message, caller.command ? caller.command : "");
	closelog();
}
