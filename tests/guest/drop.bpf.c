// SPDX-License-Identifier: GPL-2.0
/* The least that drops every packet: what is above it is the filter's. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char drop_license[] SEC("license") = "GPL";

SEC("xdp")
int drops_all(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}
