/* SPDX-License-Identifier: GPL-2.0 */
/* Asks the base chains of nftables at one step of a packet's way. */
#ifndef PORTCULLIS_HOST_BEHIND_NFT_H
#define PORTCULLIS_HOST_BEHIND_NFT_H

#include "loader/host/behind_answer.h"

/* The hooks at which chains are asked. */
enum behind_step {
	BEHIND_INGRESS,
	BEHIND_EGRESS,
	BEHIND_BRIDGE_PREROUTING,
	BEHIND_BRIDGE_INPUT,
	BEHIND_BRIDGE_FORWARD,
	BEHIND_BRIDGE_OUTPUT,
	BEHIND_BRIDGE_POSTROUTING,
	BEHIND_PREROUTING,
	BEHIND_INPUT,
	BEHIND_FORWARD,
	BEHIND_OUTPUT,
	BEHIND_POSTROUTING,
};

/* Adds a sentence for each chain of the step that decides, by priority. `at`: the interface of the
 * step. */
void behind_nft_ask(struct behind *behind, struct nft_rules *rules, enum behind_step step,
		    const struct link *at);

#endif
