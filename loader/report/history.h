/* SPDX-License-Identifier: GPL-2.0 */
/* The changes of the history: what became of each, and the rule sets before and after. */
#ifndef PORTCULLIS_REPORT_HISTORY_H
#define PORTCULLIS_REPORT_HISTORY_H

#include "loader/base/names.h"
#include "loader/report/history_file.h"

/* The id of this boot, by which a deadline is known to be of another; NULL: unknown. Freed. */
char *history_boot(void);

/*
 * Adds to each change "state": "final", "pending", "confirmed" or "reverted"; "confirmed": true,
 * false (reverted), or null (it needed none, or is pending); and "settled": {"number", "time",
 * "by", "client", "comment"} of the change that confirmed or undid it, null: none did. `now`:
 * clock_boot.
 */
void history_settle(const struct history_lines *lines, const char *boot, unsigned long long now);

/* The change of that number, or NULL. */
json_t *history_find(const struct history_lines *lines, unsigned long long number);

/* An interface in its network namespace (NULL: the host's own). */
struct history_interface {
	const char *network, *name;
};

/* True if an entry of a change's "interfaces" is about it. */
bool history_is_of(const json_t *change, const json_t *interface,
		   const struct history_interface *of);

/* The interfaces that the history knows in a network namespace, in order of their first change. */
void history_names(const struct history_lines *lines, const char *network, struct names *names);

/* The state of an interface after a change. */
struct history_state {
	bool known;
	const char *digest;	 /* of its rule set; NULL: no filter */
	const json_t *kept;	 /* NULL: also if the history does not have it any more */
	const json_t *profiles;	 /* by name, digests of their texts */
	const json_t *interface; /* of the change that made it: "mode", "flows"; NULL */
};

/* After the change `number`; before the first one that names the interface, what it had there. */
struct history_state history_state(const struct history_lines *lines,
				   const struct history_interface *of, unsigned long long number);

/*
 * The last change in a network namespace that still has an effect, of these interfaces, or of any
 * (no names); 0: there is none. What was reverted, and what reverted it, is passed over.
 */
unsigned long long history_last(const struct history_lines *lines, const char *network,
				const struct names *names);

/* A change as `history --json` shows it; the caller frees. */
json_t *history_change_json(const json_t *change);

/* Which changes are shown. */
struct history_select {
	const struct names *names; /* interfaces; NULL or empty: any */
	long long since;	   /* seconds since 1970; 0: any */
	int port;		   /* PC_PORT, that it opened, closed or changed; -1: any */
};
bool history_is_chosen(const json_t *change, const struct history_select *select);

/*
 * The difference between the states after two changes: an array as "interfaces" of a change, of
 * those interfaces that differ.
 */
json_t *history_difference(const struct history_lines *lines, unsigned long long from,
			   unsigned long long to);

#endif
