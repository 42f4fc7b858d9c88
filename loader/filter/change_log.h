/* SPDX-License-Identifier: GPL-2.0 */
/* Records what a command did: one entry of the history, and a line of the journal an interface. */
#ifndef PORTCULLIS_FILTER_CHANGE_LOG_H
#define PORTCULLIS_FILTER_CHANGE_LOG_H

#include <jansson.h>

#include "loader/compile/plan.h"
#include "loader/filter/hook.h"
#include "loader/report/history_file.h"
#include "loader/report/record.h"

/* A change at an interface. */
struct logged {
	enum record_action action;
	const char *name;
	/* number of the generation that filters after the change; 0: none */
	unsigned long long generation;
	const json_t *before, *after;  /* kept texts; NULL: no filter, or see below */
	/* these texts as they are pinned; NULL: not available */
	const char *before_text, *after_text;
	/* `before` is not given: the history has it from the previous change */
	bool before_unknown;
	/* of `after`, for its profiles; NULL: not available */
	const struct composition *composition;
	/* of the present filter, or of the one that was removed */
	enum hook_mode mode;
	__u32 flows;	      /* size of its flow maps, in the unit of --flows; 0: unknown */
	const char *what;     /* a sentence instead of the difference; NULL: none */
	unsigned int seconds; /* time to confirm it; 0: the change is final */
	/* end of the time to confirm it (clock_boot); 0: the change is final */
	__u64 deadline;
	/* when the deadline passed (clock_wall), if that is the change; 0: the present time */
	__u64 time;
};

/* The entry of a command. Zero it first; call change_log_free at the end. */
struct change_log {
	const char *comment; /* text of --comment; NULL: none */
	bool journal_only;   /* the rule set does not change: DNS gave other addresses */
	/* name that udev is about to give the interface; NULL: its present name */
	const char *as;
	char id[17];	     /* of the entry; empty: nothing is written yet */
	unsigned long long number;
	struct caller caller;
	json_t *interfaces; /* interfaces that are not written yet */
	struct names texts; /* their rule sets, as lines of the history */
	struct record *record;
	size_t records;
	__u64 time;
};

/* Adds what happened at one interface of this network namespace. */
void change_log_add(struct change_log *log, const struct logged *logged);

/*
 * Writes what was added since the last call. All calls write parts of one change. The caller must
 * hold the lock of pins_lock. Cannot fail, because the change is already made.
 */
void change_log_write(struct change_log *log);
void change_log_free(struct change_log *log);

/* Writes an entry of its own for a change at one interface. */
void change_log_one(const struct logged *logged, const char *comment);

/* Opens the host's history, with the group that may read it. */
struct history_place change_log_place(void);

/* The network namespace in the history's form; NULL: the host's own. The caller frees. */
char *change_log_network(void);

#endif
