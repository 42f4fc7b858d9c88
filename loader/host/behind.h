/* SPDX-License-Identifier: GPL-2.0 */
/* Finds what else on this host decides about a packet, before or behind the filter. */
#ifndef PORTCULLIS_HOST_BEHIND_H
#define PORTCULLIS_HOST_BEHIND_H

#include "loader/host/behind_answer.h"

/*
 * Fills `next`: other tools' programs at TC, and at XDP of the interfaces above; base chains of
 * nftables, tables of iptables-legacy, the reverse path filter, the socket. Ends at the first that
 * drops the packet, or changes its destination.
 */
void behind_find(struct behind *behind);

#endif
