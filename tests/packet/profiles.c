// SPDX-License-Identifier: GPL-2.0
/* The profiles that the packet tests run under. */
#include "tests/packet/rows.h"

static const char open_yaml[] = "profile: open\n"
				"title: Ports open to anyone, and services that are closed\n"
				"services:\n"
				"  - name: smtp\n"
				"    in: 25/tcp\n"
				"  - name: dns\n"
				"    in: 53/tcp+udp\n"
				"  - name: rtp\n"
				"    in: 60000-60099/udp\n"
				"  - name: bottom\n"
				"    in: 1/udp\n"
				"  - name: top\n"
				"    in: [65535/tcp, 65535/udp]\n"
				"  - name: outward\n"
				"    out: 993/tcp\n"
				"  - name: optional\n"
				"    in: 143/tcp\n"
				"    feature: imap\n"
				"  - name: internal\n"
				"    in: 389/tcp\n"
				"    local: true\n"
				"  - name: nowhere\n"
				"    in: 69/udp\n"
				"    from: undefined\n";

/* Every second of 10, 100 and 1,000 ports: a rule with as many spans as possible. */
#define ODD_10(tens) tens "1/udp, " tens "3/udp, " tens "5/udp, " tens "7/udp, " tens "9/udp, "
#define ODD_100(hundreds)    \
	ODD_10(hundreds "0") \
	ODD_10(hundreds "1") \
	ODD_10(hundreds "2") \
	ODD_10(hundreds "3") \
	ODD_10(hundreds "4") \
	ODD_10(hundreds "5") \
	ODD_10(hundreds "6") \
	ODD_10(hundreds "7") ODD_10(hundreds "8") ODD_10(hundreds "9")
#define ODD_1000(thousands)    \
	ODD_100(thousands "0") \
	ODD_100(thousands "1") \
	ODD_100(thousands "2") \
	ODD_100(thousands "3") \
	ODD_100(thousands "4") \
	ODD_100(thousands "5") \
	ODD_100(thousands "6") \
	ODD_100(thousands "7") ODD_100(thousands "8") ODD_100(thousands "9")
#define ODD_1024                             \
	ODD_1000("1")                        \
	ODD_1000("2")                        \
	ODD_10("300")                        \
	ODD_10("301")                        \
	ODD_10("302")                        \
	ODD_10("303") "3041/udp, 3043/udp, " \
		      "3045/udp, 3047/udp"

#define RESTRICTED_SERVICES                                 \
	"services:\n"                                       \
	"  - name: ssh\n"                                   \
	"    in: 22/tcp\n"                                  \
	"    from: trusted\n"                               \
	"  - name: cluster\n"                               \
	"    in: 4000/tcp\n"                                \
	"    from: cluster\n"                               \
	"  - name: dmz\n"                                   \
	"    in: 4001/tcp+udp\n"                            \
	"    from: dmz\n"                                   \
	"  - name: one\n"                                   \
	"    in: 4002/tcp\n"                                \
	"    from: one\n"                                   \
	"  - name: either\n"                                \
	"    in: 4003/tcp\n"                                \
	"    from: [cluster, dmz]\n"                        \
	"  - name: union-cluster\n"                         \
	"    in: 5000/tcp\n"                                \
	"    from: cluster\n"                               \
	"  - name: union-trusted\n"                         \
	"    in: 5000/tcp\n"                                \
	"    from: trusted\n"                               \
	"    from-port: 700-710/tcp\n"                      \
	"  - name: union-anyone\n"                          \
	"    in: 5000/tcp\n"                                \
	"    from-port: 20/tcp\n"                           \
	"  - name: dhcp\n"                                  \
	"    in: 68/udp\n"                                  \
	"    from-port: 67/udp\n"                           \
	"  - name: dhcp6\n"                                 \
	"    in: 546/udp\n"                                 \
	"    from: link-local\n"                            \
	"  - name: link\n"                                  \
	"    in: 5001/tcp\n"                                \
	"    from: link-local\n"                            \
	"  - name: link-port\n"                             \
	"    in: 5002/udp\n"                                \
	"    from: [link-local, one]\n"                     \
	"    from-port: 547/udp\n"                          \
	"  - name: spans\n"                                 \
	"    in: 5003/udp\n"                                \
	"    from-port: [67/udp, 100-200/udp, 65535/udp]\n" \
	"  - name: most-spans\n"                            \
	"    in: 5007/udp\n"                                \
	"    from-port: [" ODD_1024 "]\n"                   \
	"  - name: overlap-trusted\n"                       \
	"    in: 5004/tcp\n"                                \
	"    from: trusted\n"                               \
	"    from-port: 1-1023/tcp\n"                       \
	"  - name: overlap-cluster\n"                       \
	"    in: 5004/tcp\n"                                \
	"    from: cluster\n"                               \
	"    from-port: 1000-2000/tcp\n"                    \
	"  - name: closed\n"                                \
	"    in: 5005/tcp\n"                                \
	"    from: undefined\n"                             \
	"  - name: half-defined\n"                          \
	"    in: 5006/tcp\n"                                \
	"    from: [undefined, trusted]\n"                  \
	"  - name: web\n"                                   \
	"    in: 80/tcp\n"                                  \
	"  - name: web-trusted\n"                           \
	"    in: 80/tcp\n"                                  \
	"    from: trusted\n"                               \
	"  - name: range\n"                                 \
	"    in: 6000-6009/tcp\n"                           \
	"    from: trusted\n"

static const char groups_yaml[] =
	"profile: groups\n"
	"title: Ports restricted by source and source port\n" RESTRICTED_SERVICES;

static const char observe_yaml[] = "profile: observe\n"
				   "title: The same, watched only\n"
				   "protocols: [esp]\n" RESTRICTED_SERVICES;

static const char world_yaml[] = "profile: world\n"
				 "title: A group of every address of both families, and one in it\n"
				 "services:\n"
				 "  - name: all\n"
				 "    in: 7000/tcp\n"
				 "    from: world\n"
				 "  - name: some\n"
				 "    in: 7001/tcp\n"
				 "    from: some\n";

static const char protocols_yaml[] = "profile: protocols\n"
				     "title: Further IP protocols, by name and number\n"
				     "protocols: [esp, gre, 132, 59, 255, 4, 41, 108]\n"
				     "services:\n"
				     "  - name: smtp\n"
				     "    in: 25/tcp\n";

/* Ports that the fixture's sockets and flows use are not listed, except the remote ones. */
#define STATE_SERVICES             \
	"protocols: [esp, ah]\n"   \
	"services:\n"              \
	"  - name: smtp\n"         \
	"    in: 25/tcp\n"         \
	"  - name: dns\n"          \
	"    in: 53/udp\n"         \
	"  - name: sip\n"          \
	"    in: 5060/udp\n"       \
	"    from: trusted\n"      \
	"  - name: ssh\n"          \
	"    in: 22/tcp\n"         \
	"    from: trusted\n"      \
	"  - name: ntp\n"          \
	"    in: 123/udp\n"        \
	"    from: trusted\n"      \
	"    from-port: 123/udp\n" \
	"  - name: dhcp6\n"        \
	"    in: 546/udp\n"        \
	"    from: link-local\n"   \
	"  - name: mdns\n"         \
	"    in: 5353/udp\n"       \
	"    from: link-local\n"   \
	"  - name: link\n"         \
	"    in: 5001/tcp\n"       \
	"    from: link-local\n"   \
	"  - name: imaps\n"        \
	"    out: 993/tcp\n"       \
	"  - name: resolver\n"     \
	"    out: 53/tcp+udp\n"    \
	"  - name: directory\n"    \
	"    out: 636/tcp\n"       \
	"    to: trusted\n"        \
	"  - name: optional\n"     \
	"    out: 995/tcp\n"       \
	"    feature: pop\n"

static const char state_yaml[] = "profile: state\n"
				 "title: Little is listed, both ways\n" STATE_SERVICES;

static const char *const no_group[] = {NULL};

/* Nested groups: an address in dmz is in cluster, which is in trusted; dmz has a branch of its own,
 * too. */
static const char *const nested_groups[] = {
	"trusted=10.0.0.0/8,2001:db8:a::/48",
	"cluster=10.1.0.0/16,2001:db8:a:1::/64",
	"dmz=10.1.2.128/25,192.168.0.0/16,2001:db8:a:1:8000::/65,2001:db8:b::/48",
	"one=10.1.2.200,2001:db8:a:1:8000::1",
	NULL,
};

static const char *const world_groups[] = {
	"world=0.0.0.0/0,::/0",
	"some=100.64.0.0/10,2001:db8:c::/47",
	NULL,
};

const struct test_profile test_profile[TEST_PROFILES] = {
	[OPEN] = {"open", open_yaml, no_group, PC_POLICY_ENFORCE, PC_OUTBOUND_TRACK, false},
	[GROUPS] = {"groups", groups_yaml, nested_groups, PC_POLICY_ENFORCE, PC_OUTBOUND_TRACK,
		    false},
	[WORLD] = {"world", world_yaml, world_groups, PC_POLICY_ENFORCE, PC_OUTBOUND_TRACK, false},
	[PROTOCOLS] = {"protocols", protocols_yaml, no_group, PC_POLICY_ENFORCE, PC_OUTBOUND_TRACK,
		       false},
	[OBSERVE] = {"observe", observe_yaml, nested_groups, PC_POLICY_OBSERVE, PC_OUTBOUND_TRACK,
		     false},
	[STATE] = {"state", state_yaml, nested_groups, PC_POLICY_ENFORCE, PC_OUTBOUND_TRACK, false},
	[STATE_OBSERVE] = {"state", state_yaml, nested_groups, PC_POLICY_OBSERVE, PC_OUTBOUND_TRACK,
			   false},
	[OUTBOUND] = {"state", state_yaml, nested_groups, PC_POLICY_ENFORCE, PC_OUTBOUND_ENFORCE,
		      false},
	[OUTBOUND_OBSERVE] = {"state", state_yaml, nested_groups, PC_POLICY_OBSERVE,
			      PC_OUTBOUND_ENFORCE, false},
	[FORWARD] = {"state", state_yaml, nested_groups, PC_POLICY_ENFORCE, PC_OUTBOUND_TRACK,
		     true},
};
