/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes a line to the journal for each change of an interface: who made it, what it is, and
 * whether it is final.
 */
#ifndef PORTCULLIS_REPORT_RECORD_H
#define PORTCULLIS_REPORT_RECORD_H

#include <stdbool.h>

#include "loader/report/caller.h"

/* MESSAGE_ID of every record; portcullis(8), RECORDS. */
#define RECORD_ID "a19c35a4e1b34fd0a39a1a6b5e2ac0c8"

enum record_action {
	RECORD_ATTACH,
	RECORD_SWAP,
	RECORD_DETACH,
	RECORD_CONFIRM,
	RECORD_REVERT, /* the change was not confirmed in time, or its command was interrupted */
	RECORD_TAKEOVER,
	RECORD_RESUME,	/* after a suspend its programs were put back into the driver */
	RECORD_REFRESH, /* groups have other prefixes, by DNS or by a changed file */
	RECORD_ACTIONS,
};

/* "attach" */
const char *record_action_name(enum record_action which);

struct record {
	enum record_action action;
	unsigned long long number; /* number of the change in the history; 0: none */
	const char *interface;
	unsigned long long generation; /* generation that filters after it; 0: none */
	const char *what;	       /* "opens 25/tcp; closes 22/tcp"; NULL: nothing to add */
	const char *comment;	       /* text of --comment; NULL: none */
	/* time in which the change must be confirmed; 0: it is final */
	unsigned int seconds;
};

/*
 * Sends the record to the journal with its fields, or without systemd to syslog(3). Cannot fail,
 * because the change is already made.
 */
void record_change(const struct record *record, const struct caller *caller);

/* A change by ban, unban, grant or revoke. */
struct admission {
	const char *action; /* "ban" */
	const char *list;   /* list of the bans, or group of the grants; NULL: every list */
	bool grants;
	const char *what;    /* "192.0.2.7/32, 192.0.2.8/32 until 18:00" */
	const char *comment; /* text of --comment; NULL: none */
};

/* Sends it to the journal, or to syslog(3), as record_change does. */
void record_admission(const struct admission *admission, const struct caller *caller);

#endif
