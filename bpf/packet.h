/* SPDX-License-Identifier: GPL-2.0 */
/* Parses a frame down to its transport header: verdict lines 1 and 2, and what the others read. */
#ifndef PORTCULLIS_PACKET_H
#define PORTCULLIS_PACKET_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/maps.h"

#define VLAN_TAGS	 2
#define EXTENSIONS	 8
#define IP_FRAGMENT_MORE 0x2000 /* RFC 791, host order */
#define IP_FRAGMENT_AT	 0x1fff /* in units of 8 bytes */
#define IPV6_MORE	 0x0001 /* RFC 8200, 4.5 */
#define IPV6_AT		 0xfff8
#define PROTOCOL_ICMP	 1
#define PROTOCOL_IGMP	 2
#define PROTOCOL_TCP	 6
#define PROTOCOL_UDP	 17
#define PROTOCOL_ICMPV6	 58
#define IPV6_HOP_BY_HOP	 0
#define IPV6_ROUTING	 43
#define IPV6_FRAGMENT	 44
#define IPV6_OPTIONS	 60

/* linux/if_ether.h has it packed, and would be read byte by byte. */
struct ethernet_header {
	__u8 destination[6];
	__u8 source[6];
	__be16 type;
};

struct vlan_tag {
	__be16 tci;
	__be16 type;
};

struct ipv6_extension {
	__u8 next;
	__u8 length;	 /* in units of 8 bytes, the first not counted */
	__be16 fragment; /* of a fragment header: offset and the more flag */
	__u32 id;
};

/* The first words of an IPv6 header; the addresses follow. */
struct ipv6_start {
	__u8 version; /* the upper half */
	__u8 label[3];
	__be16 payload;
	__u8 next;
	__u8 hop_limit;
};

struct icmp_header {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 id;
	__be16 sequence;
};

/* include/net/xdp.h, from 5.18 on. Where the field is, libbpf asks the kernel's types. */
struct xdp_buff {
	__u32 flags;
} __attribute__((preserve_access_index));
#define XDP_FLAGS_HAS_FRAGS 1u

/* kernel/bpf/helpers.c, from 6.2 on: an instruction, not a call. */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/*
 * Offsets count from the start of the frame, in bytes. Remote is the side that the host talks to:
 * the source of what comes in, the destination of what goes out.
 */
struct packet {
	void *ctx; /* struct __sk_buff * at egress, else struct xdp_md * */
	void *data;
	void *data_end;
	__u32 length;	   /* of the frame, all buffers */
	__u32 ip;	   /* offset of the IP header */
	__u32 at;	   /* offset of what comes next: at last, of the transport header */
	__u32 end;	   /* offset of the packet's end; a trailer may follow */
	__u32 tcp;	   /* of TCP: see TCP_* */
	__u16 remote_port; /* host order */
	__u16 local_port;
	__u16 fragment_at; /* IPv6: offset of the fragment header */
	__u16 link;	   /* the lower half of pc_generation.link */
	__u8 ipv6;
	__u8 protocol;
	__u8 transport; /* enum pc_transport */
	__u8 hop_limit;
	__u8 fragment; /* a first fragment */
	__u8 icmp_type;
	/* Constants where they are read: */
	bool gather;  /* headers are fetched from wherever they are */
	bool egress;  /* ctx is a struct __sk_buff * */
	bool outward; /* it goes out: this side is its source */
};

/*
 * The flags of a TCP header, and above them all but the last byte of a sequence number: the remote
 * side's. Of its packets it is their own; of what goes out, what that acknowledges.
 */
#define TCP_FIN		   0x01u
#define TCP_SYN		   0x02u
#define TCP_RST		   0x04u
#define TCP_ACK		   0x10u
#define TCP_FLAGS	   0xffu
#define TCP_SEQUENCE(word) ((word) >> PC_HEARD_SHIFT)

enum parsed {
	PARSED_MALFORMED,
	PARSED_NON_IP,
	PARSED_LATER_FRAGMENT,
	PARSED_PORT, /* TCP, UDP */
	PARSED_PACKET,
	PARSED_ELSEWHERE, /* a header is not in the linear part: parse again with `gather` */
};

/* The state of reading, for the functions that are told where the headers are. */
static __always_inline void packet_start(struct packet *packet, struct xdp_md *ctx)
{
	packet->ctx = ctx;
	packet->data = (void *)(long)ctx->data;
	packet->data_end = (void *)(long)ctx->data_end;
}

static __always_inline __u32 linear_length(const struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

/* The length of a frame, all buffers: a call, 5 ns. */
static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	return have_frags ? bpf_xdp_get_buff_len(ctx) : linear_length(ctx);
}

/*
 * The same with a look into the kernel's own struct first, so that only frames of several buffers
 * pay for the call.
 */
static __always_inline __u32 frame_length_inline(struct xdp_md *ctx)
{
	const struct xdp_buff *buff = bpf_cast_to_kern_ctx(ctx);

	return buff->flags & XDP_FLAGS_HAS_FRAGS ? bpf_xdp_get_buff_len(ctx) : linear_length(ctx);
}

static __always_inline void packet_init(struct packet *packet, struct xdp_md *ctx, __u32 length)
{
	packet_start(packet, ctx);
	packet->length = length;
}

static __always_inline void packet_init_egress(struct packet *packet, struct __sk_buff *skb)
{
	packet->ctx = skb;
	packet->data = (void *)(long)skb->data;
	packet->data_end = (void *)(long)skb->data_end;
	packet->length = skb->len;
	packet->gather = true;
	packet->egress = true;
	packet->outward = true;
}

/* Points to `size` bytes at `offset`, in place; false if they are not in the linear part. */
static __always_inline bool packet_linear(const struct packet *packet, __u32 offset, __u32 size,
					  const void **header)
{
	*header = packet->data + offset;
	return *header + size <= packet->data_end;
}

/* Copies from all buffers into `buffer`; false if the frame ends before. */
static __always_inline bool packet_copy(const struct packet *packet, __u32 offset, __u32 size,
					void *buffer, const void **header)
{
	*header = buffer;
	if (packet->egress)
		return !bpf_skb_load_bytes(packet->ctx, offset, buffer, size);
	return have_frags && !bpf_xdp_load_bytes(packet->ctx, offset, buffer, size);
}

/* In place if they are in the linear part, else copied: for what is parsed once for both. */
static __always_inline bool packet_fetch(const struct packet *packet, __u32 offset, __u32 size,
					 void *buffer, const void **header)
{
	return packet_linear(packet, offset, size, header) ||
	       packet_copy(packet, offset, size, buffer, header);
}

static __always_inline bool packet_read(const struct packet *packet, __u32 offset, __u32 size,
					void *buffer, const void **header)
{
	return packet->gather ? packet_fetch(packet, offset, size, buffer, header) :
				packet_linear(packet, offset, size, header);
}

/*
 * packet_read of a part of the IP header. The pointer is made once: from two sums of equal parts
 * the verifier would not see that the one checked is the one read.
 */
static __always_inline bool packet_read_ip(const struct packet *packet, __u32 skip, __u32 size,
					   void *buffer, const void **header)
{
	const void *at = packet->data + packet->ip;

	asm volatile("" : "+r"(at));
	*header = at + skip;
	if (*header + size <= packet->data_end)
		return true;
	return packet->gather && packet_copy(packet, packet->ip + skip, size, buffer, header);
}

/* The verdict on a header that packet_read did not find. */
static __always_inline enum parsed packet_unread(const struct packet *packet)
{
	return have_frags && !packet->gather ? PARSED_ELSEWHERE : PARSED_MALFORMED;
}

/* fe80::/10; the first word of an address. */
static __always_inline bool is_link_local6(__be32 word)
{
	return (word & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

static __always_inline bool is_multicast6(__be32 word)
{
	return (word & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}

static __always_inline void set_ports(struct packet *packet, __be16 source, __be16 destination)
{
	packet->remote_port = bpf_ntohs(packet->outward ? destination : source);
	packet->local_port = bpf_ntohs(packet->outward ? source : destination);
}

static __always_inline enum parsed parse_transport(struct packet *packet)
{
	union {
		struct tcphdr tcp;
		struct udphdr udp;
		struct icmp_header icmp;
	} buffer;

	if (packet->protocol == PROTOCOL_TCP) {
		const struct tcphdr *tcp;

		if (packet->at + sizeof(*tcp) > packet->end)
			return PARSED_MALFORMED;
		if (!packet_read(packet, packet->at, sizeof(*tcp), &buffer, (const void **)&tcp))
			return packet_unread(packet);
		if (tcp->doff < 5 || packet->at + tcp->doff * 4 > packet->end)
			return PARSED_MALFORMED;
		packet->transport = PC_TCP;
		packet->tcp = (bpf_ntohl(packet->outward ? tcp->ack_seq : tcp->seq) & ~TCP_FLAGS) |
			      ((const __u8 *)tcp)[13];
		set_ports(packet, tcp->source, tcp->dest);
		return PARSED_PORT;
	} else if (packet->protocol == PROTOCOL_UDP) {
		const struct udphdr *udp;

		if (packet->at + sizeof(*udp) > packet->end)
			return PARSED_MALFORMED;
		if (!packet_read(packet, packet->at, sizeof(*udp), &buffer, (const void **)&udp))
			return packet_unread(packet);
		packet->transport = PC_UDP;
		set_ports(packet, udp->source, udp->dest);
		return PARSED_PORT;
	} else if (packet->protocol == (packet->ipv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP)) {
		const struct icmp_header *icmp;

		if (packet->at + sizeof(*icmp) > packet->end)
			return PARSED_MALFORMED;
		if (!packet_read(packet, packet->at, sizeof(*icmp), &buffer, (const void **)&icmp))
			return packet_unread(packet);
		packet->icmp_type = icmp->type;
		packet->local_port = bpf_ntohs(icmp->id); /* an echo's identifier */
	}
	return PARSED_PACKET;
}

/* RFC 1858: a TCP fragment at offset 8 could overwrite the flags of the header before it. */
static __always_inline enum parsed parse_later_fragment(__u8 protocol, __u32 units)
{
	return protocol == PROTOCOL_TCP && units == 1 ? PARSED_MALFORMED : PARSED_LATER_FRAGMENT;
}

static __always_inline enum parsed parse_ipv4(struct packet *packet)
{
	struct iphdr buffer;
	const struct iphdr *ip;
	__u32 header, total, fragment;

	if (!packet_read(packet, packet->ip, sizeof(*ip), &buffer, (const void **)&ip))
		return packet_unread(packet);
	if (ip->version != 4 || ip->ihl < 5)
		return PARSED_MALFORMED;
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (!total) { /* BIG TCP */
		total = packet->length - packet->ip;
		if (total <= 0xffff)
			return PARSED_MALFORMED;
	}
	packet->end = packet->ip + total;
	if (total < header || packet->end > packet->length)
		return PARSED_MALFORMED;
	packet->protocol = ip->protocol;
	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & IP_FRAGMENT_AT)
		return parse_later_fragment(ip->protocol, fragment & IP_FRAGMENT_AT);
	packet->fragment = !!(fragment & IP_FRAGMENT_MORE);
	packet->at = packet->ip + header;
	return parse_transport(packet);
}

static __always_inline bool is_extension(__u32 next)
{
	return next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING || next == IPV6_FRAGMENT ||
	       next == IPV6_OPTIONS;
}

/*
 * Walks the extension headers from `at` on, of which `next` is the first. Returns 0 if the chain is
 * broken, else WALKED | where it ends; what follows is left in the packed fields. A later fragment
 * ends the walk at its fragment header.
 */
#define WALKED		   (1ULL << 63)
#define WALKED_AT(w)	   ((__u32)(w)&0x7fff) /* at most WALK_FROM + 8 * 2048 */
#define WALKED_IS_FIRST	   (1ULL << 24)
#define WALKED_NEXT(w)	   ((__u8)((w) >> 16))
#define WALKED_MORE(w)	   ((__u8)((w) >> 24) & 1)
#define WALKED_FRAGMENT(w) ((__u32)((w) >> 25) & 0x7fff) /* where the fragment header is */
#define WALKED_UNITS(w)	   ((__u32)((w) >> 40) & 0x1fff)
#define WALK_FROM	   0xfff

static __always_inline __u64 walk(const struct packet *packet, __u32 at, __u32 end, __u32 next)
{
	struct ipv6_extension buffer;
	__u64 fragment = 0;
	int i;

	at &= WALK_FROM;
	/*
	 * Unrolled: 5.10 and 6.1 refuse a loop that clang closes by falling through ("back-edge").
	 */
#pragma clang loop unroll(full)
	for (i = 0; i <= EXTENSIONS; i++) {
		const struct ipv6_extension *extension;
		__u32 length = sizeof(*extension);

		if (!is_extension(next))
			return WALKED | fragment | next << 16 | at;
		if (i == EXTENSIONS || at + length > end)
			return 0;
		if (!packet_fetch(packet, at, sizeof(*extension), &buffer,
				  (const void **)&extension))
			return 0;
		if (next == IPV6_FRAGMENT) {
			__u64 word = bpf_ntohs(extension->fragment);
			/* Fragments in fragments: the outermost counts, because it is reassembled
			 * first. */
			__u64 outer = fragment ? fragment : (__u64)at << 25 | WALKED_IS_FIRST;

			if (word & IPV6_AT)
				return WALKED | (word & IPV6_AT) << 37 |
				       (outer & ~WALKED_IS_FIRST) | extension->next << 16 | at;
			if (word & IPV6_MORE)
				fragment = outer;
		} else {
			length += extension->length * 8;
		}
		if (at + length > end)
			return 0;
		at += length;
		next = extension->next;
	}
	return 0;
}

/* Global functions, as vlan_walk: the verifier looks at one once, not in every state of its caller.
 */
__noinline __u64 extension_walk(struct xdp_md *ctx, __u32 at, __u32 end, __u32 next)
{
	struct packet packet = {};

	packet_start(&packet, ctx);
	return walk(&packet, at, end, next);
}

__noinline __u64 extension_walk_egress(struct __sk_buff *ctx, __u32 at, __u32 end, __u32 next)
{
	struct packet packet = {};

	packet_init_egress(&packet, ctx);
	return walk(&packet, at, end, next);
}

static __always_inline enum parsed parse_ipv6(struct packet *packet)
{
	struct ipv6_start buffer;
	const struct ipv6_start *ip;
	__u32 payload;
	__u64 walked;

	if (!packet_read(packet, packet->ip, sizeof(*ip), &buffer, (const void **)&ip))
		return packet_unread(packet);
	if (ip->version >> 4 != 6)
		return PARSED_MALFORMED;
	packet->ipv6 = 1;
	packet->hop_limit = ip->hop_limit;
	packet->protocol = ip->next;
	packet->at = packet->ip + sizeof(struct ipv6hdr);
	if (packet->at > packet->length)
		return PARSED_MALFORMED;
	payload = bpf_ntohs(ip->payload);
	if (!payload && packet->length - packet->at > 0xffff) /* BIG TCP */
		payload = packet->length - packet->at;
	packet->end = packet->at + payload;
	if (packet->end > packet->length)
		return PARSED_MALFORMED;
	if (!is_extension(packet->protocol))
		return parse_transport(packet);
	if (packet->egress)
		walked = extension_walk_egress(packet->ctx, packet->at, packet->end,
					       packet->protocol);
	else
		walked = extension_walk(packet->ctx, packet->at, packet->end, packet->protocol);
	if (!walked)
		return PARSED_MALFORMED;
	packet->protocol = WALKED_NEXT(walked);
	packet->at = WALKED_AT(walked);
	packet->fragment = WALKED_MORE(walked);
	packet->fragment_at = WALKED_FRAGMENT(walked);
	if (WALKED_UNITS(walked))
		return parse_later_fragment(packet->protocol, WALKED_UNITS(walked));
	return parse_transport(packet);
}

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/*
 * Returns 0 if the tags are too many or cut, else the ethertype behind them << 16 | its header's
 * offset.
 */
static __always_inline __u32 untag(const struct packet *packet)
{
	struct vlan_tag buffer;
	__u32 at = sizeof(struct ethernet_header);
	int i;

	for (i = 0; i < VLAN_TAGS; i++) {
		const struct vlan_tag *tag;

		if (!packet_fetch(packet, at, sizeof(*tag), &buffer, (const void **)&tag))
			return 0;
		at += sizeof(*tag);
		if (!is_vlan(tag->type))
			return (__u32)tag->type << 16 | at;
	}
	return 0;
}

__noinline __u32 vlan_walk(struct xdp_md *ctx)
{
	struct packet packet = {};

	packet_start(&packet, ctx);
	return untag(&packet);
}

__noinline __u32 vlan_walk_egress(struct __sk_buff *ctx)
{
	struct packet packet = {};

	packet_init_egress(&packet, ctx);
	return untag(&packet);
}

/*
 * Whether what looks like IPv6 may be a VLAN tag instead. GRE carries any ethertype, and the kernel
 * takes a tag of VLAN 0 off and delivers the packet behind it. Such a tag has 0x6000 for TCI, then
 * the next ethertype where IPv6 has its flow label, then a tag again or the first word of IP. A
 * real flow label is random in 20 bits; a packet of its own, not put together by GRO, is not that
 * long.
 */
static __always_inline bool may_be_tagged(const struct ipv6_start *ip)
{
	__be16 type = *(const __be16 *)&ip->label[1];
	__u16 version = bpf_ntohs(ip->payload) >> 12;

	if (ip->version != 0x60 || ip->label[0])
		return false;
	return is_vlan(type) || (type == bpf_htons(ETH_P_IP) && version == 4) ||
	       (type == bpf_htons(ETH_P_IPV6) && version == 6);
}

/*
 * A frame without an Ethernet header. What is neither IPv4 nor IPv6 is malformed: on such links
 * nothing else is needed, as ARP is on Ethernet.
 */
static __always_inline enum parsed parse_bare(struct packet *packet)
{
	struct ipv6_start buffer;
	const struct ipv6_start *ip;

	packet->ip = 0;
	if (!packet_read(packet, 0, sizeof(*ip), &buffer, (const void **)&ip))
		return packet_unread(packet);
	if (ip->version >> 4 == 4)
		return parse_ipv4(packet);
	if (ip->version >> 4 != 6 || (frame_kind == PC_FRAME_GRE && may_be_tagged(ip)))
		return PARSED_MALFORMED;
	return parse_ipv6(packet);
}

/* A frame that passes line 1 and is IP fills `packet`. */
static __always_inline enum parsed packet_parse(struct packet *packet)
{
	struct ethernet_header buffer;
	const struct ethernet_header *ethernet;
	__be16 type;

	if (frame_kind != PC_FRAME_ETHERNET)
		return parse_bare(packet);
	if (!packet_read(packet, 0, sizeof(*ethernet), &buffer, (const void **)&ethernet))
		return packet_unread(packet);
	type = ethernet->type;
	packet->ip = sizeof(*ethernet);
	if (is_vlan(type)) {
		__u32 walked =
			packet->egress ? vlan_walk_egress(packet->ctx) : vlan_walk(packet->ctx);

		if (!walked)
			return PARSED_MALFORMED;
		type = walked >> 16;
		packet->ip = walked & 0x1f;
	}
	if (type == bpf_htons(ETH_P_IP))
		return parse_ipv4(packet);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(packet);
	return PARSED_NON_IP;
}

#endif
