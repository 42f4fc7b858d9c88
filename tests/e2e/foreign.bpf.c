// SPDX-License-Identifier: GPL-2.0
/* Another tool's XDP program, which portcullis must name and leave alone. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

SEC("xdp")
int somebody_elses(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}
