/* SPDX-License-Identifier: GPL-2.0 */
/* Sends events to the commands that listen (abi_events.h). */
#ifndef PORTCULLIS_LISTEN_H
#define PORTCULLIS_LISTEN_H

#include <stdbool.h>

#include "bpf/event.h"
#include "bpf/maps.h"

/* The CLOCK_BOOTTIME second. The clock costs 44 ns, so it is read once a jiffy. */
static __always_inline __u32 boot_second(struct pc_heard_cpu *own)
{
	__u64 jiffy = bpf_jiffies64();

	if (own->jiffy != jiffy) {
		own->jiffy = jiffy;
		own->second = bpf_ktime_get_boot_ns() / PC_SECOND;
	}
	return own->second;
}

/* The second with which ends of bans and grants are compared: one with a later end is in force. */
static __always_inline __u32 second_of_ends(void)
{
	struct pc_heard_cpu *own;

	if (replays)
		return explained.second;
	own = heard_own();
	return own ? boot_second(own) : PC_BAN_NEVER - 1;
}

/* Whether a listener's rate for this second and CPU is used up; if not, counts one more event. */
static __always_inline bool listener_is_over(const struct pc_listener *listener,
					     struct pc_heard *slot, __u32 second)
{
	if (slot->second != second) {
		slot->second = second;
		slot->used = 0;
	}
	if (!listener->rate || slot->used < listener->rate)
		return false;
	slot->over++;
	return true;
}

/* Clears the flag for listeners, unless a lease has begun meanwhile. */
static __always_inline void listeners_end(__u32 second)
{
	int i;

	filter.listeners = 0;
	barrier();
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LISTENERS; i++)
		if (*(volatile __u32 *)&listeners[i].until > second)
			filter.listeners = 1;
}

/*
 * Whether a listener may want a packet of this verdict. The rate of a listener that wants any
 * address and port is tested here, so that in a flood no packet is parsed again for it. A global
 * function, so that the verifier checks it once and not for each slot.
 */
__noinline int listener_may_want(__u32 slot, __u64 word)
{
	const struct pc_listener *listener = &listeners[bounded(slot, PC_LISTENERS - 1)];
	struct decided_word decided = decided_unpack(word);
	struct pc_heard_cpu *own = heard_own();
	__u32 reason = (decided.cell - PC_CELL_REASON) & 31;

	if (!own ||
	    (decided.how & DECIDED_DROP ? !(listener->reasons >> reason & 1) : !listener->passed))
		return false;
	return listener->port || listener->family ||
	       !listener_is_over(listener, &own->slot[bounded(slot, PC_LISTENERS - 1)],
				 own->second);
}

/* The word PC_CELL_DEAF, in a CPU's page PC_PAGE_WIDE. */
static __always_inline struct pc_deaf *deaf_in(struct pc_page *page)
{
	return (struct pc_deaf *)&page->word[PC_TOTAL_WIDE(PC_CELL_DEAF)];
}

/*
 * Whether no listener gets a drop that the gate skipped. In line, so that a flood does not pay for
 * listeners whose rate is used up.
 */
static __always_inline bool deaf_skips(struct pc_deaf *deaf, __u32 reason)
{
	if (!(deaf->reasons >> reason & 1))
		return false;
	deaf->skipped++;
	return true;
}

/*
 * Counts the drops that were skipped. If none of the `leased` slots is `wanting`, more drops will
 * be skipped: those for this reason, and for the reasons that the same listeners want. Both
 * arguments have a bit for each slot. A global function, for its stack.
 */
__noinline int deaf_renew(__u32 reason, __u32 leased, __u32 wanting)
{
	__u32 key = own_row() + PC_PAGE_WIDE, all = -1U, none = 0, slots = 0;
	struct pc_page *page = bpf_map_lookup_elem(&counters, &key);
	struct pc_heard_cpu *own = heard_own();
	struct pc_deaf *deaf;
	int i;

	if (!page || !own)
		return 0;
	asm volatile("" : "+r"(page)); /* as in gate_find */
	deaf = deaf_in(page);
	/* It has no branches, because the verifier would follow both sides of each. Unrolled, it
	 * would need too much stack. */
#pragma clang loop unroll(disable)
	for (i = 0; i < PC_LISTENERS; i++) {
		__u32 reasons = listeners[i].reasons, is_leased = -(leased >> i & 1);
		__u32 wants = -(reasons >> (reason & 31) & 1) & is_leased;

		own->slot[i].over += deaf->skipped & -(deaf->slots >> i & 1);
		all &= reasons | ~wants;
		none |= reasons & is_leased & ~wants;
		slots |= wants & 1U << i;
	}
	*deaf = (struct pc_deaf){.reasons = leased && !wanting ? all & ~none : 0, .slots = slots};
	return 0;
}

/*
 * A bit for each listener whose lease lasts. `asm` keeps the compiler from making branches, because
 * the verifier would follow both sides of each.
 */
static __always_inline __u32 listeners_leased(__u32 second)
{
	__u32 leased = 0;
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < PC_LISTENERS; i++) {
		__u64 until = listeners[i].until;

		asm volatile("" : "+r"(until));
		leased |= (second - until) >> 63 << i;
	}
	return leased;
}

/*
 * The listeners that may want a packet of this verdict, as a bit each. A global function, for its
 * stack, and so that the verifier checks it once.
 */
__noinline __u32 listeners_wanting(__u64 word)
{
	struct decided_word decided = decided_unpack(word);
	struct pc_heard_cpu *own = heard_own();
	__u32 second, leased, wanting = 0;
	int i;

	if (!own)
		return 0;
	second = boot_second(own);
	leased = listeners_leased(second);
	if (!leased)
		listeners_end(second);
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LISTENERS; i++)
		if (leased & 1U << i)
			wanting |= listener_may_want(i, word) << i;
	if (decided.how & DECIDED_DROP)
		deaf_renew(decided.cell - PC_CELL_REASON, leased, wanting);
	return wanting;
}

/* The local port, at egress the remote one, as pc_listener.port; 0: the packet has no ports. */
static __always_inline __u32 event_port(const struct pc_event *event)
{
	if (!(event->how & PC_EVENT_PORTS))
		return 0;
	return 1 + PC_PORT(event->protocol == PROTOCOL_UDP ? PC_UDP : PC_TCP,
			   event->how & PC_EVENT_OUT ? event->remote_port : event->local_port);
}

/* Whether a listener wants packets of this port and remote address. */
static __always_inline bool listener_wants(const struct pc_listener *listener,
					   const struct pc_event *event)
{
	if (listener->port && listener->port != event_port(event))
		return false;
	if (!listener->family)
		return true;
	return listener->family == event->family &&
	       !(((event->remote[0] ^ listener->address[0]) & listener->mask[0]) |
		 ((event->remote[1] ^ listener->address[1]) & listener->mask[1]) |
		 ((event->remote[2] ^ listener->address[2]) & listener->mask[2]) |
		 ((event->remote[3] ^ listener->address[3]) & listener->mask[3]));
}

/* Sends an event to the listener in slot `slot`. */
static __always_inline void listener_send(void *ctx, struct pc_heard_cpu *own, __u32 slot)
{
	const struct pc_listener *listener = &listeners[slot];
	struct pc_event *event = &own->event;
	struct pc_heard *counts = &own->slot[slot];
	__u32 captured = event->length;
	__u64 index = slot * filter.event_cpus + bpf_get_smp_processor_id();

	if (captured > listener->capture)
		captured = listener->capture;
	if (captured > PC_CAPTURE_MAX)
		captured = PC_CAPTURE_MAX;
	event->captured = captured;
	counts->used++;
	if (bpf_perf_event_output(ctx, &events, (__u64)captured << 32 | index, event,
				  sizeof(*event)))
		counts->full++;
	else
		counts->events++;
}

/* Sends the event in `own` to the listeners of `wanting`. */
static __always_inline void listeners_tell(void *ctx, struct pc_heard_cpu *own, __u32 wanting)
{
	int i;

	own->event.time = bpf_ktime_get_boot_ns();
#pragma clang loop unroll(full)
	for (i = 0; i < PC_LISTENERS; i++) {
		const struct pc_listener *listener = &listeners[i];

		if (!(wanting & 1U << i) || !listener_wants(listener, &own->event))
			continue;
		if ((listener->port || listener->family) &&
		    listener_is_over(listener, &own->slot[i], own->second))
			continue;
		listener_send(ctx, own, i);
	}
}

#endif
