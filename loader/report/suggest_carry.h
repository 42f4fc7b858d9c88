/* SPDX-License-Identifier: GPL-2.0 */
/* Uses the present rules of nftables for a suggestion. */
#ifndef PORTCULLIS_REPORT_SUGGEST_CARRY_H
#define PORTCULLIS_REPORT_SUGGEST_CARRY_H

#include <jansson.h>

#include "loader/report/suggest.h"

/*
 * Adds what the rules admit to a suggestion: ports that listen are opened to the same sources, and
 * open services are restricted to the sources that the rules admit. Names what cannot be used.
 * `ruleset`: the JSON of nft.
 */
void suggest_carry(const json_t *ruleset, const char *interface, struct catalog *catalog,
		   const struct suggest_host *host, struct suggestion *suggestion,
		   struct diag *diag);

#endif
