/* SPDX-License-Identifier: GPL-2.0 */
/* Tells what else of this host decides about a packet: behind the filter, or before it. */
#ifndef PORTCULLIS_HOST_BEHIND_H
#define PORTCULLIS_HOST_BEHIND_H

#include "loader/host/behind_answer.h"

/*
 * Fills `next`: programs of others at TC, and at XDP of the interfaces above; the base chains of
 * nftables, tables of iptables-legacy, the reverse path filter, the socket. Ends at the first that
 * drops the packet, or gives it another destination.
 */
void behind_find(struct behind *behind);

#endif
