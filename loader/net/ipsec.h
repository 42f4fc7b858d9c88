/* SPDX-License-Identifier: GPL-2.0 */
/* IPsec of the kernel, which can bring packets past the filter. */
#ifndef PORTCULLIS_NET_IPSEC_H
#define PORTCULLIS_NET_IPSEC_H

#include <stdbool.h>

/* The warning for a host where IPsec decrypts. */
#define IPSEC_UNFILTERED \
	"IPsec is in use: native mode filters ESP and not the packets inside it, so restrict these by the policies of IPsec or by nftables (meta secpath exists); generic mode also filters what tunnel mode decrypts, but drops the answers to UDP, pings and forwarded packets that went out encrypted"

/*
 * True if the caller's network namespace has IPsec states. False without the right to ask, or
 * without xfrm_user, because asking would load it.
 */
bool ipsec_decrypts(void);

#endif
