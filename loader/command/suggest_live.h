/* SPDX-License-Identifier: GPL-2.0 */
/* The evidence of a live filter, for `suggest`. */
#ifndef PORTCULLIS_COMMAND_SUGGEST_LIVE_H
#define PORTCULLIS_COMMAND_SUGGEST_LIVE_H

#include "loader/host/attached.h"
#include "loader/report/suggest_evidence.h"

/* Calls suggest_evidence with a filter's counters and recorded drops. 0, or -errno with a
 * message. */
int suggest_live(const struct live *live, struct catalog *catalog, const struct suggest_host *host,
		 struct suggestion *suggestion, struct diag *diag);

#endif
