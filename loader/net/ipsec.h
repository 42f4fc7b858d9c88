/* SPDX-License-Identifier: GPL-2.0 */
/* IPsec of the kernel, which can bring packets past the filter. */
#ifndef PORTCULLIS_NET_IPSEC_H
#define PORTCULLIS_NET_IPSEC_H

#include <stdbool.h>

/* The warning for a host where IPsec decrypts. */
#define IPSEC_UNFILTERED \
	"IPsec is in use: native mode filters ESP and not what was in it, so its policies, or nftables (meta secpath exists), have to say what may come; generic mode filters what tunnel mode decrypts, too, but knows no answers to UDP, pings and forwarded packets that went out encrypted, and drops these"

/*
 * True if the caller's network namespace has IPsec states. False without the right to ask, or
 * without xfrm_user, because asking would load it.
 */
bool ipsec_decrypts(void);

#endif
