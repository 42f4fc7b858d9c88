// SPDX-License-Identifier: GPL-2.0
/* Made frames, compared byte by byte with those of scapy. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "loader/base/memory.h"
#include "loader/net/frame_make.h"
#include "tests/unit/expect.h"

#define REMOTE4 {198, 51, 100, 7}
#define LOCAL4	{192, 0, 2, 1}
#define REMOTE6 {0x20, 1, 0xd, 0xb8, [15] = 7}
#define LOCAL6	{0x20, 1, 0xd, 0xb8, [15] = 1}
#define IPV4	.family = AF_INET, .source = REMOTE4, .destination = LOCAL4
#define IPV6	.family = AF_INET6, .source = REMOTE6, .destination = LOCAL6

static const struct made_packet sent_tcp = {
	.family = AF_INET,
	.protocol = IPPROTO_TCP,
	.source = LOCAL4,
	.destination = REMOTE4,
	.source_port = 25,
	.destination_port = 50000,
	.tcp_flags = TH_ACK,
};

static const struct made_packet sent_udp = {
	.family = AF_INET6,
	.protocol = IPPROTO_UDP,
	.source = LOCAL6,
	.destination = REMOTE6,
	.source_port = 53,
	.destination_port = 50000,
};

static const struct {
	struct made_packet packet;
	enum pc_frame kind;
	const char *bytes;
} cases[] = {
	{{IPV4, .protocol = IPPROTO_TCP, .source_port = 50000, .destination_port = 25,
	  .tcp_flags = TH_SYN},
	 PC_FRAME_ETHERNET,
	 "0200000000010200000000020800450000280001400040064e93c6336407c0000201c350001900000001000000005002faf0054b0000"},
	{{IPV6, .protocol = IPPROTO_TCP, .source_port = 50000, .destination_port = 25,
	  .tcp_flags = TH_ACK},
	 PC_FRAME_ETHERNET,
	 "02000000000102000000000286dd600000000014064020010db800000000000000000000000720010db8000000000000000000000001c350001900000001000000015010faf095fe0000"},
	{{IPV4, .protocol = IPPROTO_UDP, .source_port = 50000, .destination_port = 53},
	 PC_FRAME_IP,
	 "4500001c0001400040114e94c6336407c0000201c35000350008501c"},
	{{IPV6, .protocol = IPPROTO_UDP, .source_port = 50000, .destination_port = 53},
	 PC_FRAME_ETHERNET,
	 "02000000000102000000000286dd600000000008114020010db800000000000000000000000720010db8000000000000000000000001c35000350008e0de"},
	{{IPV4, .protocol = IPPROTO_ICMP, .source_port = 50000, .icmp_type = 8},
	 PC_FRAME_ETHERNET,
	 "02000000000102000000000208004500001c0001400040014ea4c6336407c0000201080034aec3500001"},
	{{IPV6, .protocol = IPPROTO_ICMPV6, .source_port = 50000, .icmp_type = 128},
	 PC_FRAME_ETHERNET,
	 "02000000000102000000000286dd6000000000083a4020010db800000000000000000000000720010db8000000000000000000000001800060f1c3500001"},
	{{IPV4, .protocol = IPPROTO_ICMP, .icmp_type = 3, .icmp_code = 4, .quoted = &sent_tcp},
	 PC_FRAME_ETHERNET,
	 "0200000000010200000000020800450000440001400040014e7cc6336407c00002010304e3da00000578450000280001400040064e93c0000201c63364070019c35000000001000000015010faf0053c0000"},
	{{IPV6, .protocol = IPPROTO_ICMPV6, .icmp_type = 2, .quoted = &sent_udp},
	 PC_FRAME_ETHERNET,
	 "02000000000102000000000286dd6000000000383a4020010db800000000000000000000000720010db800000000000000000000000102002b6c00000578600000000008114020010db800000000000000000000000120010db80000000000000000000000070035c3500008e0de"},
	{{IPV6, .protocol = IPPROTO_ICMPV6, .icmp_type = 135},
	 PC_FRAME_ETHERNET,
	 "02000000000102000000000286dd6000000000183aff20010db800000000000000000000000720010db800000000000000000000000187001d330000000000000000000000000000000000000000"},
	{{IPV4, .protocol = IPPROTO_ESP},
	 PC_FRAME_ETHERNET,
	 "02000000000102000000000208004500001c0001400040324e73c6336407c00002010000000000000000"},
};

static void test_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		__u8 frame[FRAME_MADE_MOST];
		size_t length = frame_make(&cases[i].packet, cases[i].kind, frame);
		char text[2 * FRAME_MADE_MOST + 1] = "";

		for (size_t at = 0; at < length; at++)
			sprintf(text + 2 * at, "%02x", frame[at]);
		assert_string_equal(text, cases[i].bytes);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_make)};

	return cmocka_run_group_tests_name("net/frame_make", tests, NULL, NULL);
}
