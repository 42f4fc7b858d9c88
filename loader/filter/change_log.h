/* SPDX-License-Identifier: GPL-2.0 */
/* Records what a command did: one entry of the history, and a line of the journal an interface. */
#ifndef PORTCULLIS_FILTER_CHANGE_LOG_H
#define PORTCULLIS_FILTER_CHANGE_LOG_H

#include <jansson.h>

#include "loader/compile/plan.h"
#include "loader/filter/hook.h"
#include "loader/report/history_file.h"
#include "loader/report/record.h"

/* A change of an interface. */
struct logged {
	enum record_action action;
	const char *name;
	unsigned long long generation; /* that filters now; 0: none */
	const json_t *before, *after;  /* kept texts; NULL: no filter, or as the next one says */
	const char *before_text, *after_text;  /* the same as they are pinned; NULL: not at hand */
	bool before_unknown;		       /* the history knows it from the change before */
	const struct composition *composition; /* of `after`, for its profiles; NULL: not at hand */
	enum hook_mode mode;		       /* of the filter that is there now, or was */
	__u32 flows;	      /* size of its flow maps, as --flows gives it; 0: unknown */
	const char *what;     /* a sentence instead of the difference; NULL: none */
	unsigned int seconds; /* in which it is to be confirmed; 0: it is final */
	__u64 deadline;	      /* the end of that time (clock_boot); 0: it is final */
	__u64 time; /* of a deadline that passed, which no user gave (clock_wall); 0: it is now */
};

/* The entry of a command. All zero at first; change_log_free is due. */
struct change_log {
	const char *comment; /* of --comment; NULL: none */
	bool journal_only;   /* no change of a rule set: DNS answers otherwise */
	const char *as;	     /* the name that udev is about to give the interface; NULL: its own */
	char id[17];	     /* of the entry; empty: nothing is written yet */
	unsigned long long number;
	struct caller caller;
	json_t *interfaces; /* that are not written yet */
	struct names texts; /* of them, lines of the history */
	struct record *record;
	size_t records;
	__u64 time;
};

/* Notes what happened to one more interface, of this network namespace. */
void change_log_add(struct change_log *log, const struct logged *logged);

/*
 * Writes what was noted since the last call: it is one change, whatever the number of calls. The
 * lock of pins_lock must be held. Cannot fail: the change is made already.
 */
void change_log_write(struct change_log *log);
void change_log_free(struct change_log *log);

/* A change of its own, of one interface. */
void change_log_one(const struct logged *logged, const char *comment);

/* The host's history, with the group that may read it. */
struct history_place change_log_place(void);

/* The network namespace as the history names it; NULL: the host's own. The caller frees. */
char *change_log_network(void);

#endif
