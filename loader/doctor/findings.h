/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `doctor`: finds what keeps a filter from working as it should, each with the command that fixes
 * it, and changes nothing. Each check is `ok`, `warning` or `problem`; without privilege it names
 * what it cannot check.
 */
#ifndef PORTCULLIS_DOCTOR_FINDINGS_H
#define PORTCULLIS_DOCTOR_FINDINGS_H

#include <jansson.h>

#include "loader/catalog/catalog.h"
#include "loader/filter/hook.h"
#include "loader/recipe/site.h"

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_WARNING,
	DOCTOR_PROBLEM,
};

#define DOCTOR_SUDO "sudo portcullis doctor" /* the finding for callers who lack the privilege */

struct doctor {
	const struct names *folders; /* folders of profiles, from --catalog */
	const char *site_path;	     /* path from --site; NULL: SITE_FILE */
	json_t *checks;
	const char *interface; /* the interface of the next findings; NULL: the host */
	bool privileged;
	bool problem;	  /* a problem was found */
	bool warned;	  /* a warning was found */
	json_t *heard;	  /* messages of other functions, which doctor_heard reports */
	/* without a path there is no file; with errors, only the parts that could be read */
	struct site site;
	bool site_wrong;  /* the site file has errors: apply refuses it */
	bool site_tried;  /* the site file was applied and not confirmed, so that `apply` is no fix
			   */
	struct catalog catalog;
	struct hooks hooks; /* the filters of this host */
	int hooks_err;	    /* -errno of reading the filters, which is reported */
};

/* Adds a finding. `fix` is a command to paste, or else what has to be done; NULL: nothing. */
void doctor_say(struct doctor *doctor, const char *check, enum doctor_state state, const char *fix,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * Reports the messages of error() and warning() since the last call as findings of this check.
 * Errors are problems; without privilege they are warnings. Returns how many there were.
 */
size_t doctor_heard(struct doctor *doctor, const char *check);
/* Discards the messages of error() and warning() since the last call. */
void doctor_unhear(struct doctor *doctor);

/* Prints the text of a whole report. */
void doctor_text(const json_t *report, FILE *to);

#endif
