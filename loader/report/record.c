// SPDX-License-Identifier: GPL-2.0
/* Records changes in the journal; without systemd in the system's log. */
#include "loader/report/record.h"

#include <stdlib.h>
#include <syslog.h>

#include "loader/base/memory.h"
#include "loader/base/utf8.h"
#include "loader/report/caller.h"
#include "loader/report/journal.h"

static const struct {
	const char *name; /* in the field of the entry */
	const char *done; /* in the message of the entry */
} action[] = {
	[RECORD_ATTACH] = {"attach", "attached"}, [RECORD_SWAP] = {"swap", "swapped"},
	[RECORD_DETACH] = {"detach", "detached"}, [RECORD_CONFIRM] = {"confirm", "confirmed"},
	[RECORD_REVERT] = {"revert", "reverted"}, [RECORD_TAKEOVER] = {"takeover", "taken over"},
	[RECORD_RESUME] = {"resume", "resumed"},  [RECORD_REFRESH] = {"refresh", "refreshed"},
};
_Static_assert(ARRAY_SIZE(action) == RECORD_ACTIONS, "an action has no name");

const char *record_action_name(enum record_action which)
{
	return action[which].name;
}

static char *final_text(const struct record *record)
{
	if (record->action == RECORD_REVERT || record->action == RECORD_CONFIRM ||
	    record->action == RECORD_RESUME)
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

/* 5: LOG_NOTICE */
#define RECORD_HEAD "MESSAGE_ID=" RECORD_ID "\nPRIORITY=5\nSYSLOG_IDENTIFIER=portcullis\n"

static void caller_fields(FILE *to, const struct caller *caller)
{
	journal_field(to, "PORTCULLIS_BY", caller->name);
	journal_field(to, "PORTCULLIS_SUDO_USER", caller->sudo_user);
	journal_field(to, "PORTCULLIS_CLIENT", caller->client);
	journal_field(to, "PORTCULLIS_COMMAND", caller->command);
}

static char *fields_text(const struct record *record, const struct caller *caller,
			 const char *message, size_t *length)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, length);

	if (!to)
		return NULL;
	journal_field(to, "MESSAGE", message);
	fputs(RECORD_HEAD, to);
	journal_field(to, "PORTCULLIS_INTERFACE", record->interface);
	journal_field(to, "PORTCULLIS_ACTION", action[record->action].name);
	if (record->number)
		fprintf(to, "PORTCULLIS_NUMBER=%llu\n", record->number);
	if (record->generation)
		fprintf(to, "PORTCULLIS_GENERATION=%llu\n", record->generation);
	journal_field(to, "PORTCULLIS_CHANGES", record->what);
	journal_field(to, "PORTCULLIS_COMMENT", record->comment);
	journal_field(to, "PORTCULLIS_FINAL", record->seconds ? "no" : "yes");
	caller_fields(to, caller);
	return fclose(to) ? (free(text), NULL) : text;
}

static void send(const char *message, const char *fields, size_t length,
		 const struct caller *caller)
{
	if (fields && !journal_send(fields, length, false))
		return;
	openlog("portcullis", LOG_PID, LOG_DAEMON);
	syslog(LOG_NOTICE, "%s (%s)", message, caller->command ? caller->command : "");
	closelog();
}

void record_change(const struct record *record, const struct caller *caller)
{
	__free_text char *message = message_text(record, caller);
	size_t length = 0;
	__free_text char *fields = fields_text(record, caller, message, &length);

	send(message, fields, length, caller);
}

/* "ban by alice from 192.0.2.7: 198.51.100.7/32 until 18:00 (list manual); comment: scans" */
static char *admission_text(const struct admission *admission, const struct caller *caller)
{
	return xasprintf("%s by %s%s%s: %s (%s %s)%s%s", admission->action, caller->name,
			 caller->client ? " from " : "", caller->client ?: "", admission->what,
			 admission->grants ? "group" : "list", admission->list ?: "every one",
			 admission->comment ? "; comment: " : "", admission->comment ?: "");
}

void record_admission(const struct admission *admission, const struct caller *caller)
{
	__free_text char *message = admission_text(admission, caller), *fields = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&fields, &length);

	if (to) {
		journal_field(to, "MESSAGE", message);
		fputs(RECORD_HEAD, to);
		journal_field(to, "PORTCULLIS_ACTION", admission->action);
		journal_field(to, admission->grants ? "PORTCULLIS_GROUP" : "PORTCULLIS_LIST",
			      admission->list);
		journal_field(to, "PORTCULLIS_CHANGES", admission->what);
		journal_field(to, "PORTCULLIS_COMMENT", admission->comment);
		caller_fields(to, caller);
		fclose(to);
	}
	send(message, fields, length, caller);
}
