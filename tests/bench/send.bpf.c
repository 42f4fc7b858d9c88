// SPDX-License-Identifier: GPL-2.0
/* Sends live frames out of an interface: unchanged, or each from another source and to another
 * port.
 */
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

#include "tests/bench/send.h"

char send_license[] SEC("license") = "GPL";

struct send_settings settings;

/* Sources of IPv4 are in 64.0.0.0/3, where all are hosts; those of IPv6 in a /96. */
#define SOURCE_KEPT	bpf_htonl(0xe0000000)
#define SOURCE		bpf_htonl(0x40000000)
#define SCATTER		2654435761u /* for a few sources, spread over all addresses */
#define HIGH_PORTS	bpf_htonl(0xf000)
#define SOURCE_PORT	bpf_htonl(0xffff0000)
#define IP_MASK		0x1f
#define UPPER_MASK	0x7f
#define TCP_UP_TO_CHECK 18 /* a datagram may be shorter than a segment */

/* RFC 1624: `change` is the sum of the new words and of the old ones' complements. */
static __always_inline __u16 patch(__u16 check, __u64 change)
{
	__u64 sum = (__u16)~check + change;

	sum = (sum >> 32) + (__u32)sum;
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return ~sum;
}

static __always_inline __u64 replace(__u32 *word, __u32 value)
{
	__u64 change = (__u64)(__u32) ~*word + value;

	*word = value;
	return change;
}

/* 0 means no checksum, which only IPv4 datagrams may have. */
static __always_inline void patch_upper(void *upper, __u64 change)
{
	__u16 *check =
		settings.tcp ? &((struct tcphdr *)upper)->check : &((struct udphdr *)upper)->check;

	if (*check)
		*check = patch(*check, change) ?: 0xffff;
}

/* If a frame passed, the stack moved its addresses over the tag, and the memory is used again. */
static __always_inline bool write_tag(void *data, void *end)
{
	if (data + sizeof(settings.ethernet) > end)
		return false;
	__builtin_memcpy(data, settings.ethernet, sizeof(settings.ethernet));
	return true;
}

static __always_inline bool write_random(void *data, void *end)
{
	void *ip = data + (settings.ip & IP_MASK), *upper = data + (settings.upper & UPPER_MASK);
	__u32 source = bpf_get_prandom_u32(), ports = bpf_get_prandom_u32();
	__u64 change;

	if (ip + sizeof(struct ipv6hdr) > end || upper + TCP_UP_TO_CHECK > end)
		return false;
	if (settings.high)
		ports |= HIGH_PORTS;
	if (settings.to_one)
		ports = (ports & SOURCE_PORT) | (*(__u32 *)upper & ~SOURCE_PORT);
	if (settings.ipv6) {
		change = replace(&((struct ipv6hdr *)ip)->saddr.in6_u.u6_addr32[3], source);
	} else {
		struct iphdr *ipv4 = ip;

		source = settings.sources ? bpf_htonl(source % settings.sources * SCATTER) :
					    (source & ~SOURCE_KEPT) | SOURCE;
		change = replace(&ipv4->saddr, source);
		ipv4->check = patch(ipv4->check, change);
	}
	change += replace(upper, ports);
	patch_upper(upper, change);
	return true;
}

SEC("xdp")
int send(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;

	if ((settings.tagged && !write_tag(data, end)) ||
	    (settings.random && !write_random(data, end)))
		return XDP_ABORTED;
	return bpf_redirect(settings.ifindex, 0);
}
