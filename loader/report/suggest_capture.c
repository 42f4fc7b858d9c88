// SPDX-License-Identifier: GPL-2.0
/* The sources in a capture, the ports that they used, and whether they got answers. */
#include "loader/report/suggest_capture.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

#define SLOTS  (2 * SUGGEST_KNOCKS) /* a power of two */
/* UDP tuples that this host began; a newer one replaces an older one */
#define ASKED  65536
#define SECOND 1000000000ULL

/* The sums over the packets of a source to a port. */
struct peer {
	__be32 address[4];
	__u16 port;	   /* port of this host */
	__u16 remote_port; /* remote port, of UDP that this host began; else 0 */
	__u8 family;	   /* 4 or 6; 0: the place is free */
	__u8 protocol;
};

struct seen {
	struct peer peer;
	bool offered;  /* this host has answered a SYN */
	bool answered; /* TCP: the other side went on after that; UDP: a datagram was answered */
	__u64 packets, first, last;
};

struct suggest_capture {
	struct seen seen[SLOTS];
	struct peer asked[ASKED];
	size_t count;
	bool full;
	__u64 first, last;
};

struct suggest_capture *suggest_capture_new(void)
{
	return xcalloc(1, sizeof(struct suggest_capture));
}

void suggest_capture_free(struct suggest_capture **capture)
{
	free(*capture);
	*capture = NULL;
}

/* FNV-1a. */
static __u32 hash(const struct peer *peer)
{
	const __u8 *bytes = (const __u8 *)peer;
	__u32 value = 2166136261U;

	for (size_t i = 0; i < sizeof(*peer); i++)
		value = (value ^ bytes[i]) * 16777619U;
	return value;
}

/* Sets all bytes, because keys are compared with memcmp. */
static struct peer peer_of(const struct replay_packet *packet)
{
	const struct replay_tuple *tuple = &packet->tuple;
	bool in = packet->way == REPLAY_IN;
	struct peer peer;

	memset(&peer, 0, sizeof(peer));
	memcpy(peer.address, in ? tuple->source : tuple->destination, sizeof(peer.address));
	peer.port = in ? tuple->destination_port : tuple->source_port;
	peer.remote_port = in ? tuple->source_port : tuple->destination_port;
	peer.family = tuple->family;
	peer.protocol = tuple->protocol;
	return peer;
}

/* The place of a peer; with `add`, a free place if it is new. NULL: none. */
static struct seen *find(struct suggest_capture *capture, const struct peer *peer, bool add)
{
	for (__u32 at = hash(peer);; at++) {
		struct seen *seen = &capture->seen[at % SLOTS];

		if (!memcmp(&seen->peer, peer, sizeof(*peer)))
			return seen;
		if (seen->peer.family)
			continue;
		if (add && capture->count == SUGGEST_KNOCKS)
			capture->full = true;
		if (!add || capture->full)
			return NULL;
		capture->count++;
		seen->peer = *peer;
		return seen;
	}
}

static void note(struct seen *seen, __u64 at)
{
	if (!seen->packets++)
		seen->first = at;
	seen->last = at;
}

/* A connection is made if the other side begins it, this host answers, and the other side goes
 * on. */
static void take_tcp(struct suggest_capture *capture, struct peer *peer, bool in, __u8 flags,
		     __u64 at)
{
	bool begins = in && flags & TH_SYN && !(flags & TH_ACK);
	struct seen *seen;

	peer->remote_port = 0;
	seen = find(capture, peer, begins);
	if (!seen)
		return;
	if (in)
		note(seen, at);
	if (!in && (flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK))
		seen->offered = true;
	if (in && seen->offered && flags & TH_ACK && !(flags & (TH_SYN | TH_RST)))
		seen->answered = true;
}

static void take_udp(struct suggest_capture *capture, struct peer *peer, bool in, __u64 at)
{
	struct peer *asked = &capture->asked[hash(peer) % ASKED];
	struct peer own = *peer;
	struct seen *seen;

	if (in && !memcmp(asked, peer, sizeof(*peer)))
		return;
	own.remote_port = 0;
	seen = find(capture, &own, in);
	if (in && seen)
		note(seen, at);
	else if (seen)
		seen->answered = true;
	else if (!in)
		*asked = *peer;
}

void suggest_capture_take(struct suggest_capture *capture, const struct replay_packet *packet,
			  __u64 at)
{
	struct peer peer = peer_of(packet);
	bool in = packet->way == REPLAY_IN;

	if (!capture->first || at < capture->first)
		capture->first = at;
	if (at > capture->last)
		capture->last = at;
	if (packet->later || !packet->tuple.ports || (!in && packet->way != REPLAY_OUT))
		return;
	if (peer.protocol == IPPROTO_TCP)
		take_tcp(capture, &peer, in, packet->tcp_flags, at);
	else if (peer.protocol == IPPROTO_UDP)
		take_udp(capture, &peer, in, at);
}

static void add_knock(struct suggest_evidence *evidence, const struct seen *seen)
{
	struct suggest_knock *knock;

	evidence->knock = grow(evidence->knock, evidence->count, sizeof(*evidence->knock));
	knock = &evidence->knock[evidence->count++];
	*knock = (struct suggest_knock){
		.family = seen->peer.family == 4 ? AF_INET : AF_INET6,
		.transport = seen->peer.protocol == IPPROTO_TCP ? PC_TCP : PC_UDP,
		.port = seen->peer.port,
		.answered = seen->answered,
		.packets = seen->packets,
		.first = seen->first / SECOND,
		.last = seen->last / SECOND,
	};
	memcpy(knock->address, seen->peer.address, seen->peer.family == 4 ? 4 : 16);
}

void suggest_capture_evidence(const struct suggest_capture *capture,
			      struct suggest_evidence *evidence)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (capture->seen[i].peer.family)
			add_knock(evidence, &capture->seen[i]);
	evidence->since = capture->first / SECOND;
	evidence->until = capture->last / SECOND;
	evidence->sampled = capture->full;
}
