/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that tc brings into an interface behind its XDP hook. */
#ifndef PORTCULLIS_NET_REDIRECT_H
#define PORTCULLIS_NET_REDIRECT_H

#include <stdbool.h>

/*
 * True if a filter of tc redirects or mirrors packets to the ingress of the interface (act_mirred).
 * False also if the kernel cannot be asked. Redirects by BPF programs are not seen.
 */
bool redirect_comes(unsigned int ifindex);

#endif
