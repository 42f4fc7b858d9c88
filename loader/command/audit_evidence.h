/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The evidence of `audit --report` for an interface: open ports, groups, exceptions, who confirmed
 * them.
 */
#ifndef PORTCULLIS_COMMAND_AUDIT_EVIDENCE_H
#define PORTCULLIS_COMMAND_AUDIT_EVIDENCE_H

#include <jansson.h>

#include "loader/report/history.h"

/*
 * Adds "open", a list of {"service", "ports", "from", "product", "release", "as_of", "url"};
 * "groups"; and "exceptions", a list of {"text", "comment", "change", "since", "by",
 * "confirmed_by"}.
 */
void audit_evidence(json_t *interface, const char *name, const json_t *kept,
		    const struct history_lines *lines);

#endif
