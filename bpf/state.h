/* SPDX-License-Identifier: GPL-2.0 */
/* What no table lists but belongs to something admitted before: verdict lines 3 and 7. */
#ifndef PORTCULLIS_STATE_H
#define PORTCULLIS_STATE_H

#include <stdbool.h>

#include "bpf/packet.h"

/* Line 3. Fragments are not tracked yet: none is known. */
static __always_inline bool state_fragment(const struct packet *packet)
{
	(void)packet;
	return false;
}

/* Line 7. State is not kept yet: nothing is a reply. */
static __always_inline bool state_reply(const struct packet *packet)
{
	(void)packet;
	return false;
}

#endif
