// SPDX-License-Identifier: GPL-2.0
/* The header of an interface's frames, by its type and kind and by the kernel's version. */
#include "tests/unit/expect.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/net/frame.h"

static void begins(__u16 type, const char *kind, const char *release, enum pc_frame expect)
{
	struct frame_link link = {.type = type};
	enum pc_frame frame;
	__free_text char *why = NULL;

	snprintf(link.kind, sizeof(link.kind), "%s", kind);
	why = frame_classify(&link, release, &frame);
	if (why)
		fail_msg("type %u, kind '%s': %s", type, kind, why);
	assert_int_equal(frame, expect);
}

static void refused(const struct frame_link *link, const char *release, const char *words)
{
	enum pc_frame frame;
	__free_text char *why = frame_classify(link, release, &frame);

	if (!why)
		fail_msg("type %u, kind '%s': is not refused", link->type, link->kind);
	if (!strstr(why, words))
		fail_msg("'%s' has no '%s'", why, words);
}

static void ethernet(void **state)
{
	static const char *const kinds[] = {"",	       "vlan",	"bridge", "bond",
					    "team",    "veth",	"dummy",  "ipvlan",
					    "macvlan", "vxlan", "macsec", "netkit"};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		begins(1, kinds[i], "5.10.0-40-amd64", PC_FRAME_ETHERNET);
	begins(772, "", "5.10.0", PC_FRAME_ETHERNET); /* lo */
}

static void ip(void **state)
{
	(void)state;
	begins(0xfffe, "tun", "5.10.0", PC_FRAME_IP);
	begins(0xfffe, "wireguard", "5.10.0", PC_FRAME_IP);
	begins(0xfffe, "", "5.10.0", PC_FRAME_IP); /* a modem */
	begins(512, "ppp", "5.10.0", PC_FRAME_IP);
	begins(768, "ipip", "5.14.0", PC_FRAME_IP);
	begins(769, "ip6tnl", "6.1.0-50-cloud-amd64", PC_FRAME_IP);
	begins(776, "sit", "5.14.0-362.el9", PC_FRAME_IP);
	begins(778, "gre", "6.12.1", PC_FRAME_GRE);
	begins(823, "ip6gre", "10.0", PC_FRAME_GRE);
	begins(0xfffe, "geneve", "6.1.0", PC_FRAME_GRE);
}

/* Before 5.14 the hook saw the outer header. */
static void old_kernels(void **state)
{
	static const struct frame_link tunnels[] = {
		{.type = 768, .kind = "ipip"},	 {.type = 769, .kind = "ip6tnl"},
		{.type = 776, .kind = "sit"},	 {.type = 778, .kind = "gre"},
		{.type = 823, .kind = "ip6gre"}, {.type = 0xfffe, .kind = "gtp"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(tunnels); i++) {
		refused(&tunnels[i], "5.13.19", "outer header");
		refused(&tunnels[i], "5.10.0-40-amd64", "5.10.0-40-amd64");
	}
}

static void not_filtered(void **state)
{
	(void)state;
	refused(&(struct frame_link){.type = 1, .kind = "vrf"}, "6.12.0", "vrf");
	refused(&(struct frame_link){.type = 1, .kind = "ifb"}, "6.12.0", "ifb");
	refused(&(struct frame_link){.type = 1, .kind = "ipvlan", .ipvlan_l3s = true}, "6.12.0",
		"l3s");
	refused(&(struct frame_link){.type = 778, .kind = "gre", .many_peers = true}, "6.12.0",
		"many peers");
	refused(&(struct frame_link){.type = 0xfffe, .kind = "xfrm"}, "6.12.0", "IPsec");
	refused(&(struct frame_link){.type = 768, .kind = "vti"}, "6.12.0", "IPsec");
	refused(&(struct frame_link){.type = 769, .kind = "vti6"}, "6.12.0", "IPsec");
	refused(&(struct frame_link){.type = 280, .kind = "vcan"}, "6.12.0", "280");
	refused(&(struct frame_link){.type = 32}, "6.12.0", "neither"); /* InfiniBand */
	refused(&(struct frame_link){.type = 824, .kind = "nlmon"}, "6.12.0", "neither");
	refused(&(struct frame_link){.type = 803}, "6.12.0", "neither"); /* a wireless monitor */
	refused(&(struct frame_link){.type = 519}, "6.12.0", "neither"); /* headers of a modem */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet),
		cmocka_unit_test(ip),
		cmocka_unit_test(old_kernels),
		cmocka_unit_test(not_filtered),
	};

	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
