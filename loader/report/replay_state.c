// SPDX-License-Identifier: GPL-2.0
/* The state that a filter would have after a capture's packets. */
#include "loader/report/replay_state.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define SETS	  (1u << 17)
#define PLACES	  8 /* entries of a set: 64 MiB in all; unused memory is never touched */
#define CONNECTED (432000 * PC_SECOND) /* pc_flow_lifetime of an assured TCP flow */
#define BEGINNING (130 * PC_SECOND)    /* the kernel repeats a SYN for so long */
#define ENDING	  (60 * PC_SECOND)     /* duration of the time-wait state */
#define CAME	  ((__u64)PC_CAME_LATELY << PC_CAME_SHIFT)
#define JUST	  ((__u64)(PC_CAME_JUST + 1) << PC_CAME_SHIFT)
#define STREAM	  ((__u64)PC_STREAM_AGE << PC_SINCE_SHIFT)

enum kind {
	KIND_NONE,
	KIND_FLOW,
	/*
	 * An incoming datagram was refused, or passed at a port with a limit: what this host sends
	 * back is its answer.
	 */
	KIND_CAME,
	KIND_LARGE, /* a large datagram was sent */
	KIND_FRAGMENT,
};

/* Flags of a flow, in addition to PC_FLOW_REPLIED, FIN_IN, FIN_OUT, RESET, ASSURED and MAYBE. */
#define FLOW_REFUSED 0x100 /* TCP: the other side began, or the filter refused this one's SYN */
/* the other side began, and the port table decides, so that nothing is learned */
#define FLOW_SERVED  0x200
#define FLOW_BEGAN   0x400 /* TCP: this side has sent a SYN, and no packet came since */

/* Flags of KIND_CAME. */
#define CAME_REFUSED 1
#define CAME_PASSED  2 /* passed at a port with a limit; `began` is the last time */

struct entry {
	__u8 key[40]; /* struct pc_flow or pc_fragment */
	__u64 seen;
	union {
		__u64 began; /* used for UDP and KIND_CAME */
		struct {
			__u32 cell, second; /* cells of a first fragment */
		};
	};
	__u16 flags;
	__u8 kind;
};
_Static_assert(sizeof(struct pc_flow) == 40 && sizeof(struct pc_fragment) == 40, "entry.key");
_Static_assert(sizeof(struct entry) == 64, "entry");

struct replay_state {
	__u32 echo_interval;
	__u64 echo_next;
	__u64 secret;
	__u64 forgotten;
	struct entry *entry;
};

struct replay_state *replay_state_new(__u32 echo_interval)
{
	struct replay_state *state = xcalloc(1, sizeof(*state));

	state->entry = xcalloc((size_t)SETS * PLACES, sizeof(*state->entry));
	state->echo_interval = echo_interval;
	/* A random seed of the table, so that no capture can be made to collide in it. */
	state->secret = (__u64)(uintptr_t)state->entry ^ (__u64)(uintptr_t)state;
	return state;
}

void replay_state_free(struct replay_state **freed)
{
	if (*freed)
		free((*freed)->entry);
	free(*freed);
	*freed = NULL;
}

__u64 replay_state_forgotten(const struct replay_state *state)
{
	return state->forgotten;
}

/* --- the table --- */

static struct entry *set_of(struct replay_state *state, enum kind kind, const void *key)
{
	__u64 hash = state->secret + kind;
	__u32 word[10];
	size_t i;

	memcpy(word, key, sizeof(word));
	for (i = 0; i < ARRAY_SIZE(word); i++)
		hash = pc_mix(hash, word[i]);
	return state->entry + (pc_mix(hash, 0) >> 16) % SETS * PLACES;
}

static struct entry *find(struct replay_state *state, enum kind kind, const void *key)
{
	struct entry *set = set_of(state, kind, key);
	int i;

	for (i = 0; i < PLACES; i++)
		if (set[i].kind == kind && !memcmp(set[i].key, key, sizeof(set[i].key)))
			return &set[i];
	return NULL;
}

static __u64 flow_lifetime(const struct entry *entry)
{
	const struct pc_flow *flow = (const void *)entry->key;

	if (flow->protocol != IPPROTO_TCP)
		return pc_flow_lifetime(flow->protocol, (__u8)entry->flags);
	if (entry->flags & FLOW_BEGAN)
		return BEGINNING;
	return (entry->flags & (PC_FLOW_FIN_IN | PC_FLOW_FIN_OUT)) ==
			       (PC_FLOW_FIN_IN | PC_FLOW_FIN_OUT) ?
		       ENDING :
		       CONNECTED;
}

static __u64 lifetime(const struct entry *entry)
{
	switch (entry->kind) {
	case KIND_FLOW: return flow_lifetime(entry);
	case KIND_CAME: return CAME;
	case KIND_LARGE: return PC_LARGE_LIFETIME;
	}
	return PC_FRAGMENT_LIFETIME;
}

/* Times in a capture may go back a little, because its packets come from several CPUs. */
static bool within(__u64 at, __u64 seen, __u64 span)
{
	return (__s64)(at - seen) < (__s64)span;
}

static bool is_alive(const struct entry *entry, __u64 at)
{
	return within(at, entry->seen, lifetime(entry));
}

/* The entry of a key, made if there is none. Flags and cells are the former ones, or 0. */
static struct entry *enter(struct replay_state *state, enum kind kind, const void *key, __u64 at)
{
	struct entry *entry = find(state, kind, key), *set;
	int i;

	if (!entry) {
		set = set_of(state, kind, key);
		for (entry = set, i = 0; i < PLACES && entry->kind; i++) {
			if (!set[i].kind || set[i].seen < entry->seen)
				entry = &set[i];
		}
		if (entry->kind && is_alive(entry, at))
			state->forgotten++;
		*entry = (struct entry){.kind = (__u8)kind};
		memcpy(entry->key, key, sizeof(entry->key));
	}
	entry->seen = at;
	return entry;
}

/* --- keys --- */

/* The key of a packet in this direction. `out`: its source is this side. */
static struct pc_flow flow_key(const struct replay_tuple *tuple, bool out)
{
	const __be32 *remote = out ? tuple->destination : tuple->source;
	const __be32 *local = out ? tuple->source : tuple->destination;
	bool echo = tuple->protocol != IPPROTO_TCP && tuple->protocol != IPPROTO_UDP;
	__be16 remote_port = htons(out ? tuple->destination_port : tuple->source_port);
	__be16 local_port = htons(out ? tuple->source_port : tuple->destination_port);
	struct pc_flow key;

	memset(&key, 0, sizeof(key));
	if (tuple->family == 4) {
		key.ipv4.remote = remote[0];
		key.ipv4.local = local[0];
		key.ipv4.remote_port = echo ? 0 : remote_port;
		key.ipv4.local_port = local_port;
	} else {
		memcpy(key.ipv6.remote, remote, sizeof(key.ipv6.remote));
		memcpy(key.ipv6.local, local, sizeof(key.ipv6.local));
		key.ipv6.remote_port = echo ? 0 : remote_port;
		key.ipv6.local_port = local_port;
	}
	key.protocol = tuple->protocol;
	key.family = tuple->family;
	return key;
}

/* An answer may come from another address of this host. */
static struct pc_flow came_key(const struct pc_flow *flow)
{
	struct pc_flow key = *flow;

	if (key.family == 4)
		key.ipv4.local = 0;
	else
		memset(key.ipv6.local, 0, sizeof(key.ipv6.local));
	return key;
}

static struct pc_fragment fragment_key(const struct replay_packet *packet)
{
	struct pc_fragment key;

	memset(&key, 0, sizeof(key));
	memcpy(key.source, packet->tuple.source, sizeof(key.source));
	memcpy(key.destination, packet->tuple.destination, sizeof(key.destination));
	key.id = packet->id;
	key.family = packet->tuple.family;
	key.protocol = packet->tuple.family == 4 ? packet->tuple.protocol : 0;
	key.egress = packet->way == REPLAY_OUT;
	return key;
}

/* --- what the program is told --- */

static bool is_begin(__u8 flags)
{
	return (flags & (TH_SYN | TH_ACK)) == TH_SYN;
}

static bool lives(const struct entry *flow, __u64 at)
{
	return flow && !(flow->flags & (FLOW_REFUSED | FLOW_SERVED | PC_FLOW_RESET)) &&
	       is_alive(flow, at);
}

/*
 * An outgoing TCP packet without a SYN in the capture belongs to a connection that began before the
 * capture, unless it answers one that the other side begins.
 */
static bool is_from_before(const struct replay_packet *packet)
{
	return packet->tuple.protocol == IPPROTO_TCP && !(packet->tcp_flags & (TH_SYN | TH_RST));
}

static __u8 tell_flow(struct replay_state *state, const struct replay_packet *packet, __u64 at)
{
	bool quotes = packet->quoted.ports, out = packet->way == REPLAY_OUT;
	const struct replay_tuple *tuple = quotes ? &packet->quoted : &packet->tuple;
	struct pc_flow key;
	struct entry *flow;
	__u8 what = 0;

	if (!tuple->ports)
		return 0;
	key = flow_key(tuple, quotes || out);
	flow = find(state, KIND_FLOW, &key);
	if (lives(flow, at) || (out && !quotes && !flow && is_from_before(packet)))
		what |= PC_TOLD_FLOW;
	if (quotes && tuple->protocol == IPPROTO_UDP) {
		flow = find(state, KIND_LARGE, &key);
		if (flow && is_alive(flow, at))
			what |= PC_TOLD_LARGE;
	}
	return what;
}

/* As echo_due in bpf/icmp.h, for one CPU. Returns the time of the next request; 0: this one is over
 * the limit. */
static __u64 echo_due(const struct replay_state *state, __u64 at)
{
	__u64 due = state->echo_next;

	if ((__s64)(due - at) < -(__s64)PC_SECOND)
		due = at - PC_SECOND;
	due += state->echo_interval;
	return (__s64)(due - at) > 0 ? 0 : due;
}

__u8 replay_state_tell(struct replay_state *state, const struct replay_packet *packet, __u64 at,
		       __u32 *first_cell, __u32 *first_second)
{
	__u8 what = tell_flow(state, packet, at);
	struct pc_fragment key;
	const struct entry *first;

	*first_cell = *first_second = 0;
	if (echo_due(state, at))
		what |= PC_TOLD_ECHO;
	if (!packet->later)
		return what;
	key = fragment_key(packet);
	first = find(state, KIND_FRAGMENT, &key);
	if (!first || !is_alive(first, at))
		return what;
	*first_cell = first->cell;
	*first_second = first->second;
	return what | PC_TOLD_FRAGMENT;
}

/* When such a datagram last passed at a port with a limit, if that was recently. */
static bool passed_lately(const struct entry *came, __u64 at)
{
	return came && came->flags & CAME_PASSED && within(at, came->began, CAME);
}

bool replay_state_unsent(struct replay_state *state, const struct replay_packet *packet, __u64 at)
{
	const struct replay_tuple *tuple = &packet->tuple;
	const struct entry *flow, *came;
	struct pc_flow key;

	if (packet->way != REPLAY_OUT || !tuple->ports || packet->later)
		return false;
	key = flow_key(tuple, true);
	flow = find(state, KIND_FLOW, &key);
	if (tuple->protocol == IPPROTO_TCP)
		return flow && flow->flags & FLOW_REFUSED && !is_begin(packet->tcp_flags) &&
		       is_alive(flow, at);
	if (tuple->protocol != IPPROTO_UDP || lives(flow, at))
		return false;
	key = came_key(&key);
	came = find(state, KIND_CAME, &key);
	return came && came->flags & CAME_REFUSED && within(at, came->seen, JUST) &&
	       !passed_lately(came, at);
}

/* --- what is remembered --- */

static void note_tcp_out(struct replay_state *state, const struct replay_packet *packet,
			 const struct pc_flow *key, struct entry *flow, __u64 at, bool dropped)
{
	__u8 flags = packet->tcp_flags;

	if (is_begin(flags)) {
		enter(state, KIND_FLOW, key, at)->flags = dropped ? FLOW_REFUSED : FLOW_BEGAN;
		return;
	}
	if (dropped || (!flow && flags & TH_RST))
		return;
	if (!flow && flags & TH_SYN) {
		enter(state, KIND_FLOW, key, at)->flags = FLOW_SERVED;
		return;
	}
	flow = enter(state, KIND_FLOW, key, at);
	flow->flags &= ~(FLOW_BEGAN | PC_FLOW_RESET);
	if (flags & TH_FIN)
		flow->flags |= PC_FLOW_FIN_OUT;
	if (flags & TH_RST)
		flow->flags |= PC_FLOW_RESET;
}

static void note_tcp_in(struct replay_state *state, const struct replay_packet *packet,
			const struct pc_flow *key, struct entry *flow, __u64 at, bool dropped)
{
	if (is_begin(packet->tcp_flags)) {
		if (dropped && !(lives(flow, at) && !(flow->flags & PC_FLOW_FIN_OUT)))
			enter(state, KIND_FLOW, key, at)->flags = FLOW_REFUSED;
		else if (!dropped && flow && flow->flags & FLOW_REFUSED)
			flow->flags = FLOW_SERVED; /* a limit dropped it, or a ban that has ended */
		return;
	}
	if (!lives(flow, at) || dropped)
		return;
	flow->seen = at;
	flow->flags &= ~FLOW_BEGAN;
	if (packet->tcp_flags & TH_FIN)
		flow->flags |= PC_FLOW_FIN_IN;
	if (packet->tcp_flags & TH_RST)
		flow->flags |= PC_FLOW_RESET;
}

static void assure(struct entry *flow, __u64 at)
{
	if (flow->flags & PC_FLOW_REPLIED && !within(at, flow->began, STREAM))
		flow->flags |= PC_FLOW_ASSURED;
}

/*
 * An answer begins no flow, but a further packet without a new question does. After a datagram
 * passed at a port with a limit, every packet to its sender is an answer.
 */
static void begin_flow(struct replay_state *state, const struct pc_flow *key, struct entry *flow,
		       __u64 at)
{
	struct pc_flow came = came_key(key);
	const struct entry *before = find(state, KIND_CAME, &came);
	__u16 flags = 0;

	if (passed_lately(before, at))
		return;
	if (before && is_alive(before, at)) {
		bool again = flow && flow->flags & PC_FLOW_MAYBE;

		if (within(at, before->seen, JUST) || (again && within(at, flow->seen, JUST)))
			return;
		flags = again ? 0 : PC_FLOW_MAYBE;
	}
	flow = enter(state, KIND_FLOW, key, at);
	flow->flags = flags;
	flow->began = at;
}

static bool is_group(const struct pc_flow *key)
{
	__u8 first = *(const __u8 *)&key->ipv4.remote;

	return key->family == 6 ? first == 0xff :
				  first >> 4 == 14 || key->ipv4.remote == INADDR_BROADCAST;
}

static void note_flow_out(struct replay_state *state, const struct replay_packet *packet,
			  const struct pc_flow *key, struct entry *flow, __u64 at, bool dropped)
{
	bool echo = key->protocol != IPPROTO_UDP;
	struct pc_flow came = came_key(key);

	if (dropped || is_group(key))
		return;
	if (!echo && packet->payload > PC_LARGE + 8 &&
	    ((flow && flow->flags & FLOW_SERVED) ||
	     passed_lately(find(state, KIND_CAME, &came), at))) {
		enter(state, KIND_LARGE, key, at);
		flow = find(state, KIND_FLOW, key);
	}
	if (!echo && flow && flow->flags & FLOW_SERVED)
		return;
	if (echo && packet->icmp_type != (key->family == 4 ? 8 : 128))
		return;
	if (lives(flow, at)) {
		flow->seen = at;
		assure(flow, at);
	} else {
		begin_flow(state, key, flow, at);
	}
}

static void note_came(struct replay_state *state, const struct pc_flow *key, __u64 at, bool passed)
{
	struct pc_flow came = came_key(key);
	struct entry *entry = enter(state, KIND_CAME, &came, at);

	if (passed)
		entry->began = at;
	entry->flags |= passed ? CAME_PASSED : CAME_REFUSED;
}

static void note_flow_in(struct replay_state *state, const struct pc_flow *key, struct entry *flow,
			 __u64 at, const struct pc_event *event, bool limited)
{
	bool service = event->cell < PC_CELL_DROP;

	if (event->how & PC_EVENT_DROP) {
		if (key->protocol == IPPROTO_UDP)
			note_came(state, key, at, false);
	} else if ((event->cell == PC_CELL_OTHER + PC_OTHER_REPLY || (service && limited)) &&
		   lives(flow, at)) {
		flow->seen = at;
		flow->flags |= PC_FLOW_REPLIED;
		if (key->protocol == IPPROTO_UDP)
			assure(flow, at);
	} else if (service && limited) {
		note_came(state, key, at, true);
	} else if (service) {
		enter(state, KIND_FLOW, key, at)->flags = FLOW_SERVED;
	}
}

static void note_tuple(struct replay_state *state, const struct replay_packet *packet, __u64 at,
		       const struct pc_event *event, bool limited)
{
	bool out = packet->way == REPLAY_OUT, dropped = event->how & PC_EVENT_DROP;
	struct pc_flow key = flow_key(&packet->tuple, out);
	struct entry *flow = find(state, KIND_FLOW, &key);

	if (key.protocol == IPPROTO_TCP && out)
		note_tcp_out(state, packet, &key, flow, at, dropped);
	else if (key.protocol == IPPROTO_TCP)
		note_tcp_in(state, packet, &key, flow, at, dropped);
	else if (out)
		note_flow_out(state, packet, &key, flow, at, dropped);
	else
		note_flow_in(state, &key, flow, at, event, limited);
}

/* An echo request that passes, and each of its fragments, uses up the limit. */
static void note_echo(struct replay_state *state, const struct replay_packet *packet, __u64 at,
		      const struct pc_event *event)
{
	const struct pc_fragment key = fragment_key(packet);
	const struct entry *first = packet->later ? find(state, KIND_FRAGMENT, &key) : NULL;
	bool of_echo = first && first->second == PC_FRAGMENT_ECHO;
	bool request =
		packet->tuple.ports && packet->icmp_type == (packet->tuple.family == 4 ? 8 : 128);
	__u64 due = echo_due(state, at);

	if (packet->way == REPLAY_IN && !(event->how & PC_EVENT_DROP) && (of_echo || request) &&
	    due)
		state->echo_next = due;
}

void replay_state_note(struct replay_state *state, const struct replay_packet *packet, __u64 at,
		       const struct pc_event *event, __u32 second, bool limited)
{
	struct pc_fragment key;
	struct entry *first;

	if (packet->first && !packet->later && !(event->how & PC_EVENT_DROP)) {
		key = fragment_key(packet);
		first = enter(state, KIND_FRAGMENT, &key, at);
		first->cell = event->cell;
		first->second = second;
	}
	if (packet->tuple.ports && !packet->later)
		note_tuple(state, packet, at, event, limited);
	if (event->cell == PC_CELL_OTHER + PC_OTHER_ICMP)
		note_echo(state, packet, at, event);
}
