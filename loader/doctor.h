/* SPDX-License-Identifier: GPL-2.0 */
/*
 * `doctor`: what keeps a filter from being what it seems, each with the command that mends it.
 * Nothing is changed. Each check says `ok`, `warning` or `problem`, or that it cannot see.
 */
#ifndef PORTCULLIS_DOCTOR_H
#define PORTCULLIS_DOCTOR_H

#include <jansson.h>

#include "loader/catalog/catalog.h"
#include "loader/filter/filter.h"
#include "loader/filter/hook.h"
#include "loader/net/link.h"
#include "loader/net/nic.h"
#include "loader/options.h"
#include "loader/recipe/site.h"

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_WARNING,
	DOCTOR_PROBLEM,
};

#define DOCTOR_SUDO "sudo portcullis doctor" /* for those who cannot see */

struct doctor {
	const struct options *options;
	json_t *checks;
	const char *interface; /* what is said now is of it; NULL: of the host */
	bool privileged;
	bool problem;	  /* one was said */
	json_t *heard;	  /* messages of others, which doctor_heard says */
	struct site site; /* without a path: there is none; with errors, what could be read */
	bool site_wrong;  /* it has errors: apply refuses it */
	bool site_tried;  /* it was applied, and not confirmed in time: to apply it is no fix */
	struct catalog catalog;
};

/* `fix` is a command to paste, or what has to be done where there is none; NULL: nothing. */
void doctor_say(struct doctor *doctor, const char *check, enum doctor_state state, const char *fix,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * Says as this check what error() and warning() were given since the last call. Errors are
 * problems, but what needs privilege is a warning to those without. Returns how many there were.
 */
size_t doctor_heard(struct doctor *doctor, const char *check);
/* The same, but says nothing. */
void doctor_unhear(struct doctor *doctor);

/* The text of a whole report. */
void doctor_text(const json_t *report, FILE *to);

/* --- doctor_host.c --- */
void doctor_host(struct doctor *doctor);

/* --- doctor_interface.c --- */

/* An interface under examination. */
struct patient {
	struct hook hook;
	struct link_facts link;
	struct nic nic;
	struct filter filter;
	int opened;   /* 0 or -errno of opening `filter`, where hook.id is set */
	bool open;    /* it is open */
	json_t *kept; /* as filter_kept; NULL: there is none */
	char *name;   /* as shell_word */
};

/* By name; false, and it is said, if there is none. */
bool doctor_interface(struct doctor *doctor, const char *interface);

/* --- doctor_site.c: profiles and site file --- */

/* Opens doctor->catalog and doctor->site, for the interfaces too. */
void doctor_site(struct doctor *doctor);

/* What the site file says of an interface; NULL: nothing. */
const struct site_interface *doctor_wanted(const struct doctor *doctor, const struct hook *hook);
/* Says whether its filter is that. */
void doctor_wants(struct doctor *doctor, const struct patient *patient);

/*
 * "START --catalog DIR.. PATH", and apply with --site and --catalog as given, or where the file has
 * errors or was reverted what is to be done before; the caller frees.
 */
char *doctor_command(const struct options *options, const char *start, const char *path);
char *doctor_apply(const struct doctor *doctor);

/* --- doctor_nic.c: driver, queues, offloads --- */
void doctor_nic(struct doctor *doctor, const struct patient *patient);

/* --- doctor_filter.c: the filter's own state --- */
void doctor_filter(struct doctor *doctor, const struct patient *patient);
/* Whether what judges is back because the last change was not confirmed; the filter is open. */
bool doctor_reverted(const struct patient *patient);

/* --- doctor_recipe.c --- */

/* " -p ssh --group ..": the options of attach that make it again; NULL: " -p PROFILE". To be freed.
 */
char *doctor_words(const json_t *kept);
/* Of what judges, or in the place of a stand-in of the attach that was not confirmed. */
char *doctor_recipe(const struct patient *patient);

/* --- doctor_programs.c: XDP and TC programs of others --- */
void doctor_programs(struct doctor *doctor, const struct patient *patient);

#endif
