/* SPDX-License-Identifier: GPL-2.0 */
/* The changes of the history: the outcome of each, and the rule sets before and after. */
#ifndef PORTCULLIS_REPORT_HISTORY_H
#define PORTCULLIS_REPORT_HISTORY_H

#include "loader/base/names.h"
#include "loader/report/history_file.h"

/* The id of this boot, which tells whether a deadline is of this boot; NULL: unknown. The caller
 * frees. */
char *history_boot(void);

/*
 * Adds to each change "state": "final", "pending", "confirmed" or "reverted"; "confirmed": true,
 * false (reverted), or null (no confirmation was needed, or it is pending); and "settled":
 * {"number", "time", "by", "client", "comment"} of the change that confirmed or undid it, or null.
 * `now`: clock_boot.
 */
void history_settle(const struct history_lines *lines, const char *boot, unsigned long long now);

/* The change of that number, or NULL. */
json_t *history_find(const struct history_lines *lines, unsigned long long number);

/* An interface in its network namespace (NULL: the host's own). */
struct history_interface {
	const char *network, *name;
};

/* True if an entry of a change's "interfaces" is about this interface. */
bool history_is_of(const json_t *change, const json_t *interface,
		   const struct history_interface *of);

/* The interfaces of a network namespace in the history, in the order of their first change. */
void history_names(const struct history_lines *lines, const char *network, struct names *names);

/* The state of an interface after a change. */
struct history_state {
	bool known;
	const char *digest;	 /* of its rule set's text; NULL: no filter */
	const json_t *kept;	 /* NULL: also if the history does not have the text any more */
	const json_t *profiles;	 /* digests of the profiles' texts, by profile name */
	const json_t *interface; /* "mode", "flows" of the change that made it; NULL: unknown */
};

/* The state after change `number`; before the first change of the interface, the state that this
 * change found. */
struct history_state history_state(const struct history_lines *lines,
				   const struct history_interface *of, unsigned long long number);

/*
 * The last change of these interfaces (no names: of any) in a network namespace that still has an
 * effect; 0: none. Skips changes that were reverted, and those that reverted them.
 */
unsigned long long history_last(const struct history_lines *lines, const char *network,
				const struct names *names);

/* A change in the form of `history --json`; the caller frees. */
json_t *history_change_json(const json_t *change);

/* Which changes are shown. */
struct history_select {
	const struct names *names; /* interfaces; NULL or empty: any */
	long long since;	   /* seconds since 1970; 0: any */
	int port;		   /* PC_PORT that the change opened, closed or changed; -1: any */
};
bool history_is_chosen(const json_t *change, const struct history_select *select);

/*
 * The difference between the states after two changes: an array in the form of a change's
 * "interfaces", with the interfaces that differ.
 */
json_t *history_difference(const struct history_lines *lines, unsigned long long from,
			   unsigned long long to);

#endif
