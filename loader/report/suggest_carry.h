/* SPDX-License-Identifier: GPL-2.0 */
/* The conclusions from the present rules of nftables for a suggestion. */
#ifndef PORTCULLIS_REPORT_SUGGEST_CARRY_H
#define PORTCULLIS_REPORT_SUGGEST_CARRY_H

#include <jansson.h>

#include "loader/report/suggest.h"

/*
 * Carries over to a suggestion what the rules admit: ports that listen are opened to the same
 * sources, services that are open get the sources that the rules have. What cannot be carried over
 * is named. `ruleset`: the JSON of nft.
 */
void suggest_carry(const json_t *ruleset, const char *interface, struct catalog *catalog,
		   const struct suggest_host *host, struct suggestion *suggestion,
		   struct diag *diag);

#endif
