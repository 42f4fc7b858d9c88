/* SPDX-License-Identifier: GPL-2.0 */
/* The sources that the present rules of nftables admit, as `nft -j list ruleset` tells them. */
#ifndef PORTCULLIS_REPORT_SUGGEST_RULES_H
#define PORTCULLIS_REPORT_SUGGEST_RULES_H

#include <jansson.h>

#include "loader/report/suggest.h"

/* The sources that may begin a connection to a port of this host. */
enum suggest_admits {
	SUGGEST_ANYONE,
	SUGGEST_SOME, /* `sources` has them */
	SUGGEST_NOBODY,
};

struct suggest_answer {
	enum suggest_admits admits;
	struct names sources; /* the prefixes */
	struct names unknown; /* rules with a condition or verdict that cannot be evaluated */
	bool asked;	      /* a base chain decided */
};

/*
 * Follows a new connection from another host to the port, by an interface, through the base chains
 * of the hook input. `ruleset`: the JSON of nft.
 */
void suggest_rules_ask(const json_t *ruleset, const char *interface, enum pc_transport transport,
		       __u16 port, struct suggest_answer *answer);
void suggest_answer_free(struct suggest_answer *answer);

#endif
