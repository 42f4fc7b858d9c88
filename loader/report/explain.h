/* SPDX-License-Identifier: GPL-2.0 */
/* The report of `explain`: the verdict on a packet, and the reason. */
#ifndef PORTCULLIS_REPORT_EXPLAIN_H
#define PORTCULLIS_REPORT_EXPLAIN_H

#include <stdio.h>

#include "loader/report/event.h"

/*
 * A verdict of `explain`: the keys of event_json, and
 *
 *	why		a sentence: "no open service has 993/tcp"
 *	admitted_by	event_admissions
 *	closed		each with "why" too: "feature imap-ssl is off"
 *	list, until, comment, fix, site_line, confirm
 *			null, for the caller to set
 *	listed_by	[], likewise: services of other profiles that have the port
 *	next		[], likewise: what else decides about the packet
 *	dropped_behind	false, likewise: something of `next` is certain to drop it
 *	generation	the number of the generation that answered
 *
 * `kept` is the text that is kept with that generation. `services` is made from it.
 */
json_t *explain_verdict(const struct pc_event *event, const char *interface, const json_t *kept,
			struct event_services *services);

/* {"version", "verdicts"} as text. */
void report_explain_text(const json_t *report, FILE *to);

#endif
