/* SPDX-License-Identifier: GPL-2.0 */
/* The ports that rules of nftables mention. */
#ifndef PORTCULLIS_REPORT_SUGGEST_MENTIONED_H
#define PORTCULLIS_REPORT_SUGGEST_MENTIONED_H

#include <jansson.h>
#include <stdbool.h>

/* Marks each destination port (PC_PORT) that a rule compares, except ranges of more than 16. */
void suggest_mentioned(const json_t *ruleset, bool *mentioned);

#endif
