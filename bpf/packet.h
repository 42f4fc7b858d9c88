/* SPDX-License-Identifier: GPL-2.0 */
/* A packet: the layout of its headers, struct packet, and the functions that read the frame. */
#ifndef PORTCULLIS_PACKET_H
#define PORTCULLIS_PACKET_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
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

/* Host order; RFC 791 and RFC 8200, 4.5. IP_FRAGMENT_AT is in units of 8 bytes. */
#define IP_FRAGMENT_MORE 0x2000
#define IP_FRAGMENT_AT	 0x1fff
#define IPV6_MORE	 0x0001
#define IPV6_AT		 0xfff8
#define IPV6_AT_SHIFT	 3

#define PROTOCOL_ICMP	1
#define PROTOCOL_IGMP	2
#define PROTOCOL_TCP	6
#define PROTOCOL_UDP	17
#define PROTOCOL_ICMPV6 58

#define IPV6_HOP_BY_HOP 0
#define IPV6_ROUTING	43
#define IPV6_FRAGMENT	44
#define IPV6_OPTIONS	60

/* The struct in linux/if_ether.h is packed, so clang would read it byte by byte. */
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
	__u8 length;	 /* in units of 8 bytes, not counting the first 8 */
	__be16 fragment; /* in a fragment header: IPV6_AT and IPV6_MORE */
	__u32 id;
};

/* The first words of an IPv6 header; the addresses follow. */
struct ipv6_start {
	__u8 version; /* in the upper 4 bits */
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

/* From include/net/xdp.h, `flags` since Linux 5.18. libbpf finds offsets by the kernel's BTF. */
struct xdp_buff {
	struct xdp_rxq_info *rxq;
	__u32 flags;
} __attribute__((preserve_access_index));
#define XDP_FLAGS_HAS_FRAGS 1u

/* From kernel/bpf/helpers.c, since Linux 6.2. The verifier makes one instruction of it. */
extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/*
 * A parsed packet. Offsets are in bytes from the start of the frame, ports in host order. The
 * remote side is the source of an incoming packet, and the destination of an outgoing one.
 */
struct packet {
	void *ctx; /* struct __sk_buff * at egress, else struct xdp_md * */
	void *data;
	void *data_end;
	__u32 length; /* of the frame, in all its buffers */
	__u32 ip;     /* offset of the IP header */
	/* offset of the next header to parse; at the end that of the transport header */
	__u32 at;
	/* Offset of the packet's end; a trailer may follow. 0: there is no whole IP header. */
	__u32 end;
	__u32 tcp; /* TCP: tcp_word_pack */
	__u16 remote_port;
	__u16 local_port;  /* ICMP echo: its identifier */
	__u16 fragment_at; /* IPv6: offset of the fragment header, or 0 */
	__u16 link;	   /* the lower half of pc_generation.link */
	__u64 machine;	   /* struct machine_word of the machine on this side */
	__u8 ipv6;
	__u8 protocol;
	__u8 transport; /* enum pc_transport */
	__u8 hop_limit;
	__u8 fragment; /* the packet is a first fragment */
	__u8 icmp_type;
	__u8 icmp_code;
	/* Each caller sets these to constants, so that the compiler leaves out the other case. */
	bool gather;  /* read headers from all buffers, not only from the linear part */
	bool egress;  /* ctx is a struct __sk_buff * */
	bool outward; /* the packet is an outgoing one: this side is its source */
	bool asked;   /* at egress: `explains` is set */
	bool behind;  /* `machine` is a machine's; otherwise the packet is to or from this host */
	bool marks;   /* skip socket look-ups if mark_skips says so */
};

/*
 * The flags of a TCP header in the lower bits. The upper bits are a sequence number of the remote
 * side without its last byte: an incoming packet's own, or the one that an outgoing packet
 * acknowledges.
 */
#define TCP_FIN	  0x01u
#define TCP_SYN	  0x02u
#define TCP_RST	  0x04u
#define TCP_ACK	  0x10u
#define TCP_FLAGS 0xffu
_Static_assert(TCP_FLAGS == (1u << PC_HEARD_SHIFT) - 1, "packet.tcp");

static __always_inline __u32 tcp_word_pack(__u32 sequence, __u8 flags)
{
	return (sequence & ~TCP_FLAGS) | flags;
}

/* The sequence number without its last byte, as in pc_flow_state.slot. */
static __always_inline __u32 tcp_word_sequence(__u32 word)
{
	return word >> PC_HEARD_SHIFT;
}

/* Begins a packet of which a global function knows the offsets. */
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

/* The length of a frame in all its buffers. The call costs 5 ns. */
static __always_inline __u32 frame_length(struct xdp_md *ctx)
{
	return have_frags ? bpf_xdp_get_buff_len(ctx) : linear_length(ctx);
}

/*
 * As frame_length, but calls the helper only if the kernel's struct says that the frame has several
 * buffers.
 */
static __always_inline __u32 frame_length_inline(struct xdp_md *ctx)
{
	const struct xdp_buff *buff = bpf_cast_to_kern_ctx(ctx);

	return buff->flags & XDP_FLAGS_HAS_FRAGS ? bpf_xdp_get_buff_len(ctx) : linear_length(ctx);
}

/* Begins a packet that is to be parsed. */
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

/*
 * PC_TCP for TCP, PC_UDP for any other protocol. It has no branch, which the compiler makes even of
 * a value that is 0 or 1.
 */
static __always_inline __u8 transport_of(__u8 protocol)
{
	__u64 tcp = opaque((__u64)(protocol ^ PROTOCOL_TCP) - 1) >> 63;

	return PC_UDP - opaque(tcp);
}
_Static_assert(PC_TCP == 0 && PC_UDP == 1, "transport_of");

/* A value for `forgotten`. It is read again each time where possible, so that it takes no stack. */
static __always_inline __u32 packet_any(const struct packet *packet)
{
	return packet->egress ?
		       *(const volatile __u32 *)&((const struct __sk_buff *)packet->ctx)->len :
		       packet->length;
}

/*
 * Reads a pointer of the context again. `asm`, because the compiler would add to the context
 * pointer, which the verifier refuses.
 */
#define context_pointer(context, type, field)                             \
	({                                                                \
		void *context_value;                                      \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                     \
			     : "=r"(context_value)                        \
			     : "r"(context), "i"(offsetof(type, field))); \
		context_value;                                            \
	})

/* Reads the frame's pointers again: the verifier forgets which headers were read. */
static __always_inline void packet_again(struct packet *packet)
{
	if (packet->egress) {
		packet->data = context_pointer(packet->ctx, struct __sk_buff, data);
		packet->data_end = context_pointer(packet->ctx, struct __sk_buff, data_end);
	} else {
		packet->data = context_pointer(packet->ctx, struct xdp_md, data);
		packet->data_end = context_pointer(packet->ctx, struct xdp_md, data_end);
	}
}

/*
 * The functions that read a header set `header` to `size` bytes at `offset`, and return false if
 * they cannot.
 */

/* Reads in place. False: the bytes are not in the linear part. */
static __always_inline bool packet_linear(const struct packet *packet, __u32 offset, __u32 size,
					  const void **header)
{
	*header = packet->data + offset;
	return *header + size <= packet->data_end;
}

/* Copies into `buffer`, from any buffers of the frame. False: the frame is too short. */
static __always_inline bool packet_copy(const struct packet *packet, __u32 offset, __u32 size,
					void *buffer, const void **header)
{
	*header = buffer;
	if (packet->egress)
		return !bpf_skb_load_bytes(packet->ctx, offset, buffer, size);
	return have_frags && !bpf_xdp_load_bytes(packet->ctx, offset, buffer, size);
}

/* Reads in place, or copies what is not in the linear part. */
static __always_inline bool packet_fetch(const struct packet *packet, __u32 offset, __u32 size,
					 void *buffer, const void **header)
{
	return packet_linear(packet, offset, size, header) ||
	       packet_copy(packet, offset, size, buffer, header);
}

/* Reads in place or from all buffers, as packet.gather says. */
static __always_inline bool packet_read(const struct packet *packet, __u32 offset, __u32 size,
					void *buffer, const void **header)
{
	return packet->gather ? packet_fetch(packet, offset, size, buffer, header) :
				packet_linear(packet, offset, size, header);
}

/*
 * packet_read of a part of the IP header. Reads the frame's pointers again: keeping them would take
 * registers, and the verifier would follow separate states by how much was read before. `asm` keeps
 * the compiler from computing the pointer twice: the verifier would not see that the checked
 * pointer and the read one are equal.
 */
static __always_inline bool packet_read_ip(const struct packet *packet, __u32 skip, __u32 size,
					   void *buffer, const void **header)
{
	struct packet again = *packet;
	const void *at;

	packet_again(&again);
	at = again.data + packet->ip;
	asm volatile("" : "+r"(at));
	*header = at + skip;
	if (*header + size <= again.data_end)
		return true;
	return packet->gather && packet_copy(packet, packet->ip + skip, size, buffer, header);
}

/* Whether an IPv6 address with this first word is in fe80::/10. */
static __always_inline bool is_link_local6(__be32 word)
{
	return (word & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* Whether an IPv6 address with this first word is in ff00::/8. */
static __always_inline bool is_multicast6(__be32 word)
{
	return (word & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}

/*
 * The machine behind this host that a packet is to or from, as one word, because two fields would
 * take more stack.
 */
struct machine_word {
	__u64 class : 32;   /* index in pc_generation.class; 0: this host */
	__u64 tallies : 32; /* pc_machine.tallies */
};

static __always_inline __u64 machine_pack(__u32 class, __u32 tallies)
{
	struct machine_word word = {.class = class, .tallies = tallies};

	return bits_as(__u64, word);
}

static __always_inline __u32 packet_class(const struct packet *packet)
{
	return bits_as(struct machine_word, packet->machine).class;
}

static __always_inline __u32 packet_tallies(const struct packet *packet)
{
	return bits_as(struct machine_word, packet->machine).tallies;
}

/*
 * Eight bytes of a frame, which is known to have them. Global functions, because the verifier then
 * checks them once, and the stacks of their callers have no room for copies.
 */
static __always_inline __u64 eight_of(const struct packet *packet, __u32 offset)
{
	const void *bytes;
	__u64 buffer = 0;

	if (packet_fetch(packet, offset & 0x7fff, sizeof(buffer), &buffer, &bytes))
		__builtin_memcpy(&buffer, bytes, sizeof(buffer));
	return buffer;
}

__noinline __u64 packet_eight(struct xdp_md *ctx, __u32 offset)
{
	struct packet packet = {.gather = true};

	packet_start(&packet, ctx);
	return eight_of(&packet, offset);
}

__noinline __u64 packet_eight_egress(struct __sk_buff *skb, __u32 offset)
{
	struct packet packet = {};

	packet_init_egress(&packet, skb);
	return eight_of(&packet, offset);
}

/* An address as in pc_machine.address. */
struct address {
	__u64 first;
	__u64 second;
};

/* Reads the source or destination of a packet with a whole IP header. */
static __always_inline struct address packet_address(const struct packet *packet, bool source)
{
	/* The last eight bytes of an IPv4 header are its two addresses. */
	__u32 at = packet->ip + (blind(packet->ipv6) ? (source ? offsetof(struct ipv6hdr, saddr) :
								 offsetof(struct ipv6hdr, daddr)) :
						       offsetof(struct iphdr, saddr));
	struct address address = {};

	address.first = packet->egress ? packet_eight_egress(packet->ctx, at) :
					 packet_eight(packet->ctx, at);
	if (blind(packet->ipv6))
		address.second = packet->egress ? packet_eight_egress(packet->ctx, at + 8) :
						  packet_eight(packet->ctx, at + 8);
	else
		address.first = source ? (__u32)address.first : address.first >> 32;
	return address;
}

/*
 * packet_address without calls, for a packet whose IP header is in the linear part, as in the first
 * pass. False: it is not there.
 */
static __always_inline bool packet_address_linear(const struct packet *packet, bool source,
						  struct address *address)
{
	struct packet linear = *packet;
	const __be32 *word;

	linear.gather = false;
	address->second = 0;
	if (packet->ipv6) {
		if (!packet_read_ip(&linear,
				    source ? offsetof(struct ipv6hdr, saddr) :
					     offsetof(struct ipv6hdr, daddr),
				    16, NULL, (const void **)&word))
			return false;
		address->first = word[0] | (__u64)word[1] << 32;
		address->second = word[2] | (__u64)word[3] << 32;
		return true;
	}
	if (!packet_read_ip(&linear,
			    source ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr),
			    4, NULL, (const void **)&word))
		return false;
	address->first = word[0];
	return true;
}

/* Whether the program only explains. Always false in the first pass of ingress. */
static __always_inline bool is_explaining(const struct packet *packet)
{
	return packet->egress ? packet->asked : packet->gather && explains;
}

static __always_inline bool is_icmp(const struct packet *packet)
{
	return packet->protocol == (packet->ipv6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP);
}

/* Whether a packet is an echo request: RFC 792; RFC 4443. */
static __always_inline bool is_echo(const struct packet *packet)
{
	return is_icmp(packet) && packet->icmp_type == (packet->ipv6 ? 128 : 8);
}

/* Whether a packet begins a TCP connection, and so is not a reply. */
static __always_inline bool is_syn(const struct packet *packet)
{
	return blind(packet->transport) == PC_TCP && (packet->tcp & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

#endif
