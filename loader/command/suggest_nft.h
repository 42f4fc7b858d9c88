/* SPDX-License-Identifier: GPL-2.0 */
/* The present rules of nftables, as nft lists them, for `suggest`. */
#ifndef PORTCULLIS_COMMAND_SUGGEST_NFT_H
#define PORTCULLIS_COMMAND_SUGGEST_NFT_H

#include <jansson.h>

#include "loader/base/names.h"

/*
 * The JSON of `nft -j list ruleset` in this network namespace, from libnftables. NULL: there are no
 * rules, or they cannot be read, which adds a line to `remarks`. The caller frees.
 */
json_t *suggest_nft(struct names *remarks);

#endif
