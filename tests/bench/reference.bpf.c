// SPDX-License-Identifier: GPL-2.0
/*
 * Programs with which keeping state is compared: they parse in the plain way and do one look-up,
 * with no VLAN, extension header, table or counter.
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

#include "bpf/abi.h"

char reference_license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PC_FLOWS);
	__type(key, struct pc_flow);
	__type(value, struct pc_flow_state);
} flows SEC(".maps");

/* Fills the key of a TCP segment or UDP datagram; its beginning is a socket's tuple. */
static __always_inline bool parse(struct xdp_md *ctx, struct pc_flow *flow)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *ethernet = data;
	struct udphdr *ports; /* TCP has the ports there, too */

	if ((void *)(ethernet + 1) > end)
		return false;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(ethernet + 1);

		if ((void *)(ip + 1) > end || ip->ihl < 5)
			return false;
		ports = (void *)ip + ip->ihl * 4;
		if ((void *)(ports + 1) > end)
			return false;
		flow->ipv4.remote = ip->saddr;
		flow->ipv4.local = ip->daddr;
		flow->ipv4.remote_port = ports->source;
		flow->ipv4.local_port = ports->dest;
		flow->protocol = ip->protocol;
		flow->family = 4;
	} else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = (void *)(ethernet + 1);

		ports = (void *)(ip + 1);
		if ((void *)(ports + 1) > end)
			return false;
		__builtin_memcpy(flow->ipv6.remote, &ip->saddr, 16);
		__builtin_memcpy(flow->ipv6.local, &ip->daddr, 16);
		flow->ipv6.remote_port = ports->source;
		flow->ipv6.local_port = ports->dest;
		flow->protocol = ip->nexthdr;
		flow->family = 6;
	} else {
		return false;
	}
	return flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP;
}

static __always_inline __u32 tuple_size(const struct pc_flow *flow)
{
	return flow->family == 4 ? sizeof(flow->ipv4) : sizeof(flow->ipv6);
}

SEC("xdp")
int tcp_socket(struct xdp_md *ctx)
{
	struct pc_flow flow = {};
	struct bpf_sock *socket;
	bool live;

	if (!parse(ctx, &flow))
		return XDP_PASS;
	socket = bpf_skc_lookup_tcp(ctx, (void *)&flow, tuple_size(&flow), BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return XDP_DROP;
	live = socket->state != BPF_TCP_LISTEN;
	bpf_sk_release(socket);
	return live ? XDP_PASS : XDP_DROP;
}

static __always_inline int udp_judge(struct xdp_md *ctx, struct pc_flow *flow)
{
	struct bpf_sock *socket;
	bool live;

	socket = bpf_sk_lookup_udp(ctx, (void *)flow, tuple_size(flow), BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return XDP_DROP;
	live = socket->state == BPF_TCP_ESTABLISHED;
	bpf_sk_release(socket);
	return live ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int udp_socket(struct xdp_md *ctx)
{
	struct pc_flow flow = {};

	return parse(ctx, &flow) ? udp_judge(ctx, &flow) : XDP_PASS;
}

SEC("xdp")
int flow_map(struct xdp_md *ctx)
{
	struct pc_flow flow = {};

	if (!parse(ctx, &flow))
		return XDP_PASS;
	return bpf_map_lookup_elem(&flows, &flow) ? XDP_PASS : XDP_DROP;
}

/* Both look-ups, as a datagram without a flow needs them. */
SEC("xdp")
int both(struct xdp_md *ctx)
{
	struct pc_flow flow = {};

	if (!parse(ctx, &flow))
		return XDP_PASS;
	return bpf_map_lookup_elem(&flows, &flow) ? XDP_PASS : udp_judge(ctx, &flow);
}
