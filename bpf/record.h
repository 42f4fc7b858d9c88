/* SPDX-License-Identifier: GPL-2.0 */
/* Records drops in the map `drops` (abi_drops.h). */
#ifndef PORTCULLIS_RECORD_H
#define PORTCULLIS_RECORD_H

#include <stdbool.h>

#include "bpf/event.h"
#include "bpf/machine.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

#define GATE_ONE_SKIPPED (1u << PC_GATE_SKIP_SHIFT)

/* Whether a drop is one of a flood that is skipped. The usual case of a flood, in line. */
static __always_inline bool gate_skips(struct pc_gate *gate)
{
	__u32 state = gate->state;

	/* The flood continues in the same jiffy, and there are drops left to skip. */
	if (gate->jiffy != (__u32)bpf_jiffies64() || state < (PC_GATE_FLOOD | GATE_ONE_SKIPPED))
		return false;
	gate->state = state - GATE_ONE_SKIPPED + 1;
	return true;
}

/* The gate's state after adding the credit of the jiffies since the last drop. */
static __always_inline __u32 gate_refill(const struct pc_gate *gate, __u32 jiffy)
{
	__u32 spent = gate->state & PC_GATE_SPENT, since = jiffy - gate->jiffy;

	if (!since)
		return gate->state;
	if (spent > PC_DROP_CREDIT)
		spent = PC_DROP_CREDIT;
	if (since > PC_DROP_CREDIT)
		since = PC_DROP_CREDIT;
	spent = spent > since * PC_DROP_REFILL ? spent - since * PC_DROP_REFILL : 0;
	return spent <= PC_DROP_CREDIT / 2 ? spent : (gate->state & ~PC_GATE_SPENT) | spent;
}

/*
 * Sets how many drops are skipped: with the recorded one, `sample` on average. The number is
 * random, because otherwise some of several sources that send in turn would never be in the sample.
 * It is at least half of `sample`, because the estimate is better if the number varies less.
 */
static __always_inline __u32 gate_skip(__u32 state)
{
	bool coarse = (state & PC_GATE_SPENT) >= PC_DROP_FAST;
	__u32 sample = coarse ? PC_DROP_COARSE : PC_DROP_SAMPLE;

	state &= ~(PC_GATE_COARSE | PC_GATE_SKIP);
	return state | PC_GATE_FLOOD | (coarse ? PC_GATE_COARSE : 0) |
	       (sample / 2 + bpf_get_prandom_u32() % (sample - 1)) << PC_GATE_SKIP_SHIFT;
}

/* The gate in a CPU's page PC_PAGE_WIDE. */
static __always_inline struct pc_gate *gate_in(struct pc_page *page)
{
	return (struct pc_gate *)&page->word[PC_TOTAL_WIDE(PC_CELL_GATE)];
}

/* The gate of this CPU: in its row, or in its own memory if it has no row. */
static __always_inline struct pc_gate *gate_find(struct pc_heard_cpu *own)
{
	__u32 key = own_row() + PC_PAGE_WIDE;
	struct pc_page *page = bpf_map_lookup_elem(&counters, &key);

	if (!page)
		return &own->gate;
	/* Otherwise clang 19 adds to the pointer before it tests it, which the verifier refuses. */
	asm volatile("" : "+r"(page));
	return gate_in(page);
}

/*
 * The number of drops that the recorded one counts for; 0: it is not recorded. A global function,
 * for its stack, and so that the verifier checks it once.
 */
__noinline __u32 gate_pass(void)
{
	__u32 jiffy = bpf_jiffies64(), weight = 1, state;
	struct pc_heard_cpu *own = heard_own();
	struct pc_gate *gate;

	if (!own)
		return 0;
	gate = gate_find(own);
	state = gate_refill(gate, jiffy);
	if (!(state & PC_GATE_FLOOD) && (state & PC_GATE_SPENT) >= PC_DROP_CREDIT)
		state = gate_skip(state);
	if (state & PC_GATE_SKIP) {
		state -= GATE_ONE_SKIPPED;
		weight = 0;
	} else if (state & PC_GATE_FLOOD) {
		weight = state & PC_GATE_COARSE ? PC_DROP_COARSE : PC_DROP_SAMPLE;
		state = gate_skip(state);
	}
	*gate = (struct pc_gate){.state = state + 1, .jiffy = jiffy};
	return weight;
}

/*
 * The functions that read the entries of a bucket have no branches, because the verifier would
 * follow both sides of each. Most are not unrolled, because that would need too much stack.
 */
static __always_inline bool drop_equal(const struct pc_drop *entry, const struct pc_drop *drop)
{
	return !((entry->address[0] ^ drop->address[0]) | (entry->address[1] ^ drop->address[1]) |
		 (entry->address[2] ^ drop->address[2]) | (entry->address[3] ^ drop->address[3]) |
		 (entry->port ^ drop->port) | (entry->protocol ^ drop->protocol) |
		 (entry->reason ^ drop->reason) | ((entry->how & ~PC_DROP_AGAIN) ^ drop->how) |
		 (entry->machine ^ drop->machine));
}

/* PC_DROP_AGAIN if the entry came again and must be kept, else 0. */
static __always_inline __u64 drop_kept(const struct pc_drop *entry, __u32 now)
{
	__u64 age = (__u32)(now - entry->last);

	asm volatile("" : "+r"(age)); /* otherwise the compiler makes a branch of the comparison */
	return (entry->how & PC_DROP_AGAIN) * ((age - PC_DROP_KEPT) >> 63);
}

/* The lower the value, the sooner an entry is replaced. 0: the place is free. */
static __always_inline __u64 drop_worth(const struct pc_drop *entry, __u32 now)
{
	__u64 used = entry->how & PC_DROP_USED;

	return (drop_kept(entry, now) << 32 | entry->last | 1ULL << 40) * used;
}
_Static_assert(PC_DROP_USED == 1 && PC_DROP_AGAIN < 1 << 8, "drop_worth");
#define DROP_WORTH_KEPT ((__u64)PC_DROP_AGAIN << 32)

/* PC_DROP_AGAIN if another entry of the bucket may become a kept one, else 0. */
static __always_inline __u8 drop_may_stay(const struct pc_drop_bucket *bucket, __u32 now,
					  __u32 random)
{
	__u32 kept = 0;
	int i;

#pragma clang loop unroll(disable)
	for (i = 0; i < PC_DROP_PLACES; i++)
		kept += drop_kept(&bucket->drop[i], now);
	return kept < PC_DROP_AGAIN * (PC_DROP_PLACES - 1) || !(random % PC_DROP_CHANCE) ?
		       PC_DROP_AGAIN :
		       0;
}

/* Adds a drop to its entry of the bucket. False: the bucket has no such entry. Called under the
 * lock. */
static __always_inline bool drop_add(struct pc_drop_bucket *bucket, const struct pc_drop *drop,
				     __u32 random)
{
	__u8 again = drop_may_stay(bucket, drop->last, random);
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < PC_DROP_PLACES; i++) {
		struct pc_drop *entry = &bucket->drop[i];

		if (!drop_equal(entry, drop))
			continue;
		entry->how |= entry->last == drop->last ? 0 : again;
		entry->last = drop->last;
		entry->packets += drop->packets;
		entry->bytes += drop->bytes;
		return true;
	}
	return false;
}

/* Replaces the entry with the lowest value by a drop. Called under the lock. */
static __always_inline void drop_replace(struct pc_drop_bucket *bucket, const struct pc_drop *drop,
					 __u32 random)
{
	__u64 least = drop_worth(&bucket->drop[0], drop->last);
	struct pc_drop *entry;
	__u64 place = 0;
	int i;

#pragma clang loop unroll(disable)
	for (i = 1; i < PC_DROP_PLACES; i++) {
		__u64 worth = drop_worth(&bucket->drop[i], drop->last);
		__u64 less = opaque(worth - least) >> 63;

		/* the compiler makes a branch even of a value that is 0 or 1 */
		less = opaque(less);
		least += (worth - least) * less;
		place += (i - place) * less;
	}
	/* If all entries are kept ones, choose at random: the oldest may be from before the
	 * flood. */
	if (least & DROP_WORTH_KEPT)
		place = random / PC_DROP_CHANCE;
	entry = &bucket->drop[bounded(place, PC_DROP_PLACES - 1)];
	if (least) {
		bucket->forgotten++;
		if (bucket->reached < entry->last)
			bucket->reached = entry->last;
	}
	*entry = *drop;
}
_Static_assert(!(PC_DROP_PLACES & (PC_DROP_PLACES - 1)), "PC_DROP_PLACES");

/* The pc_drop.machine of a drop. A swap may have come in between. */
static __always_inline __u32 drop_machine(const struct pc_event *event)
{
	struct address local = {.first = event->local[0]};

	if (!event->class)
		return 0;
	if (event->family == 6) {
		local.first |= (__u64)event->local[1] << 32;
		local.second = event->local[2] | (__u64)event->local[3] << 32;
	}
	return machine_first_tally(local.first, local.second, event->family == 6) ?:
		       PC_DROP_MACHINE_UNKNOWN;
}

/* The flags of a drop. Without branches, as drop_equal. */
static __always_inline __u8 drop_how(const struct pc_event *event)
{
	return PC_DROP_USED | (event->family & 2 /* 6, not 4 */) | (event->how & PC_EVENT_OUT) |
	       (event->how & PC_EVENT_WOULD) << 2;
}
_Static_assert(PC_DROP_IPV6 == 2 && PC_DROP_OUT == PC_EVENT_OUT &&
		       PC_DROP_WOULD == PC_EVENT_WOULD << 2,
	       "drop_how");

/*
 * Records the drop of the event of this CPU. It counts for `weight` drops; above 1 it is a sample
 * of a flood. A global function, as gate_pass.
 */
__noinline int drop_record(__u32 weight, __u32 machine)
{
	struct pc_heard_cpu *own = heard_own();
	const struct pc_event *event = own ? &own->event : NULL;
	struct pc_drop drop = {
		.packets = weight,
		.machine = machine,
	};
	struct pc_drop_bucket *bucket;
	__u32 index, random;

	if (!event)
		return 0;
	__builtin_memcpy(drop.address, event->remote, sizeof(drop.address));
	drop.bytes = (__u64)weight * event->length;
	/* ICMP has its type and code in `local_port`. */
	drop.port = event->how & PC_EVENT_OUT && event->how & PC_EVENT_PORTS ? event->remote_port :
									       event->local_port;
	drop.protocol = event->protocol;
	drop.reason = event->cell - PC_CELL_REASON;
	drop.how = drop_how(event);
	index = pc_drop_bucket_of(&drop, filter.drops_secret, weight > 1);
	bucket = bpf_map_lookup_elem(&drops, &index);
	if (!bucket)
		return 0;
	drop.first = drop.last = bpf_ktime_get_boot_ns() / PC_SECOND;
	random = bpf_get_prandom_u32();
	bpf_spin_lock(&bucket->lock);
	if (!drop_add(bucket, &drop, random))
		drop_replace(bucket, &drop, random);
	bpf_spin_unlock(&bucket->lock);
	return 0;
}

#endif
