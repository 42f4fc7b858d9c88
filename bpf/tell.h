/* SPDX-License-Identifier: GPL-2.0 */
/* The end of each pass: reports a packet and its verdict to `drops`, listeners and `explain`. */
#ifndef PORTCULLIS_TELL_H
#define PORTCULLIS_TELL_H

#include <stdbool.h>

#include "bpf/event.h"
#include "bpf/kind.h"
#include "bpf/listen.h"
#include "bpf/maps.h"
#include "bpf/record.h"

/* The reports of a packet: the number of drops for which it counts in `drops`, and its
 * listeners. */
struct audience {
	__u32 weight;
	__u32 wanting;
};

static __always_inline struct audience audience_of(__u64 word)
{
	struct audience audience = {};
	__u32 how = decided_unpack(word).how;

	if (how & DECIDED_NOTE)
		audience.weight = gate_pass();
	if (filter.listeners && !(how & DECIDED_SILENT))
		audience.wanting = listeners_wanting(word);
	return audience;
}

static __always_inline void audience_tell(void *ctx, struct pc_heard_cpu *own,
					  struct audience audience)
{
	if (audience.weight)
		drop_record(audience.weight, drop_machine(&own->event));
	if (audience.wanting)
		listeners_tell(ctx, own, audience.wanting);
}

/* Reports an incoming packet. `word`: decided_pack. */
__noinline int tell_ingress(struct xdp_md *ctx, __u64 word)
{
	struct pc_heard_cpu *own = heard_own();
	struct audience audience;

	if (explains) {
		event_of_ingress(ctx, word, noted_kind(frame_parse(ctx)));
		return 0;
	}
	if (!own)
		return 0;
	audience = audience_of(word);
	if (!audience.weight && !audience.wanting)
		return 0;
	event_of_ingress(ctx, word, noted_kind(frame_parse(ctx)));
	audience_tell(ctx, own, audience);
	return 0;
}

/* Reports an outgoing packet. `sent`: kind_pack. */
__noinline int tell_egress(struct __sk_buff *skb, __u64 word, __u64 sent)
{
	struct pc_heard_cpu *own = heard_own();
	struct audience audience;

	if (explains) {
		event_of_egress(skb, word, sent);
		return 0;
	}
	if (!own)
		return 0;
	audience = audience_of(word);
	if (!audience.weight && !audience.wanting)
		return 0;
	event_of_egress(skb, word, sent);
	audience_tell(skb, own, audience);
	return 0;
}

#endif
