// SPDX-License-Identifier: GPL-2.0
/* Another tool's egress program: it counts packets, and ends the chain of programs. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

SEC("tc")
int somebody_elses(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&seen, &zero);

	(void)skb;
	if (count)
		__sync_fetch_and_add(count, 1);
	return TC_ACT_OK;
}
