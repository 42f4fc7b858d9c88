/* SPDX-License-Identifier: GPL-2.0 */
/* The text forms of `audit`: its findings, and the evidence of --report. */
#ifndef PORTCULLIS_REPORT_TEXT_AUDIT_H
#define PORTCULLIS_REPORT_TEXT_AUDIT_H

#include <jansson.h>
#include <stdio.h>

/* "java (tomcat9.service, docker:0123456789ab) listens, and no open service has the port". The
 * caller frees. */
char *audit_finding_text(const json_t *finding);

/* Prints {"version", "since", "findings", "interfaces"}. */
void report_audit_text(const json_t *report, FILE *to);

/* Prints the same with "host", "date" and the other keys of audit --report. */
void report_evidence_text(const json_t *report, FILE *to);

#endif
