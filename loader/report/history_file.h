/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file of the history: a line of JSON each for a change, for a part of one that came later, and
 * for a text that changes refer to by its digest.
 *
 *	{"portcullis_history":1}				the first line
 *	{"digest":"9f86..","kept":{..},"profiles":{"ssh":"2c26.."}}	a rule set: kept text,
 *profiles
 *	{"digest":"2c26..","profile":"ssh","text":".."}		a profile, as its file was
 *	{"number":7,"id":"0f3a..","time":..,"interfaces":[..]}	a change
 *	{"more":"0f3a..","interfaces":[..]}			the change of this id has these, too
 *
 * Lines are appended by one write and synced; a line that was torn by a crash is passed over. What
 * cannot be written is kept in a second file of the same form, with the number 0, and is moved to
 * the first one by the next command that can.
 */
#ifndef PORTCULLIS_REPORT_HISTORY_FILE_H
#define PORTCULLIS_REPORT_HISTORY_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "loader/base/names.h"

#define HISTORY_NAME	"history"
#define HISTORY_VERSION 1
#define HISTORY_LIMIT	(16 << 20) /* bytes; above it the older half is removed */

struct history_place {
	const char *folder; /* folder of the main file */
	/* folder of the spare file, for what the main file cannot take; it lasts until boot */
	const char *spare;
	gid_t readers;	    /* a group that may read both files; 0: none */
	size_t limit;	    /* HISTORY_LIMIT, or less for a test */
};

/* The files of this host's history. */
extern const struct history_place history_host;

/*
 * Appends a change, and those of `texts` (lines as above, without the newline; NULL: none) whose
 * digests the file lacks. A change without "number" gets the next one, in `*number`; 0: it is kept
 * in the spare file, with a warning. NULL: only what is in the spare file is moved. Cannot fail: if
 * no file can be written, that is a warning.
 */
void history_append(const struct history_place *place, json_t *change, const struct names *texts,
		    unsigned long long *number);

/* Lines of both files; a change of the spare file has the number that it will get. */
struct history_lines {
	json_t *changes; /* in order; "more" is added to its change */
	json_t *texts;	 /* by their digest */
	size_t damaged;	 /* lines that cannot be read */
	bool spare;	 /* the spare file has changes */
};

/* Returns 0, or -errno with a message: a file cannot be read, or is not a history. */
int history_lines_read(const struct history_place *place, struct history_lines *lines);
void history_lines_free(struct history_lines *lines);

#endif
