// SPDX-License-Identifier: GPL-2.0
/* The egress program on a real device: forwarded packets, which no local socket sent, and packets
 * of sockets. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/base/memory.h"
#include "loader/compile/tables.h"
#include "loader/filter/filter.h"
#include "tests/packet/check.h"
#include "tests/packet/egress_hook.h"
#include "tests/packet/fixture.h"
#include "tests/packet/suites.h"

#define NEVER -1

#define FAR4   "198.51.100.7"
#define NEAR4  "10.77.0.1"
#define BEYOND "10.77.0.2"
#define ABOVE4 "10.78.0.1"
#define BEHIND "10.78.0.2"

/* A packet from FAR to 10.77.0.2 that this host forwards, and the flags of the flow that it
 * makes. */
static const struct {
	const char *name;
	enum test_profile_id profile;
	struct frame_spec spec;
	bool out;  /* it goes out */
	int flags; /* PC_FLOW_*, or NEVER */
} forwarded[] = {
	{"UDP", FORWARD, {.protocol = 17, .source_port = 3000, .port = 5300}, true, 0},
	{"TCP SYN", FORWARD, {.protocol = 6, .source_port = 3001, .port = 80}, true, 0},
	{"TCP ACK of an older connection",
	 FORWARD,
	 {.protocol = 6, .source_port = 3002, .port = 80, .flags = FRAME_ACK},
	 true,
	 0},
	{"TCP FIN",
	 FORWARD,
	 {.protocol = 6, .source_port = 3003, .port = 80, .flags = FRAME_FIN | FRAME_ACK},
	 true,
	 PC_FLOW_FIN_OUT},
	{"TCP RST",
	 FORWARD,
	 {.protocol = 6, .source_port = 3004, .port = 80, .flags = FRAME_RST},
	 true,
	 NEVER},
	{"echo request", FORWARD, {.protocol = 1, .type = 8, .identifier = 3005}, true, 0},
	{"echo reply", FORWARD, {.protocol = 1, .type = 0, .identifier = 3006}, true, NEVER},
	{"UDP from a listed port",
	 FORWARD,
	 {.protocol = 17, .source_port = 53, .port = 3007},
	 true,
	 NEVER},
	{"TCP SYN-ACK from a listed port",
	 FORWARD,
	 {.protocol = 6, .source_port = 25, .port = 3008, .flags = FRAME_SYN | FRAME_ACK},
	 true,
	 NEVER},
	{"TCP SYN-ACK: the other side began",
	 FORWARD,
	 {.protocol = 6, .source_port = 3015, .port = 80, .flags = FRAME_SYN | FRAME_ACK},
	 true,
	 NEVER},
	{"UDP, without --forward",
	 STATE,
	 {.protocol = 17, .source_port = 3010, .port = 5300},
	 true,
	 NEVER},
	{"TCP, without --forward",
	 STATE,
	 {.protocol = 6, .source_port = 3011, .port = 80},
	 true,
	 NEVER},
	{"echo request, without --forward",
	 STATE,
	 {.protocol = 1, .type = 8, .identifier = 3012},
	 true,
	 NEVER},
	{"UDP, outbound enforced",
	 OUTBOUND,
	 {.protocol = 17, .source_port = 3013, .port = 5300},
	 false,
	 NEVER},
	{"TCP that is covered, outbound enforced",
	 OUTBOUND,
	 {.protocol = 6, .source_port = 3014, .port = 993},
	 true,
	 NEVER},
};

/* Packets that local sockets send to 10.77.0.2. */
static const struct {
	const char *name;
	uint16_t local, remote;
	bool peer;
	const char *device;
	int flags;
} sent[] = {
	{"UDP without a peer", 3100, 5300, false, NULL, 0},
	{"UDP connected", 3101, 5300, true, NULL, NEVER},
	{"UDP connected, bound to this device", 3102, 5300, true, "out0", 0},
	{"UDP from a listed port, without a peer", 53, 5301, false, NULL, NEVER},
};

/* Packets that local sockets send to 10.78.0.2 through a bridge, and so through a device to which
 * none is bound. */
static const struct {
	const char *name;
	uint8_t protocol;
	uint16_t local;
	bool peer, bound;
	int flags;
} bridged[] = {
	{"UDP connected", 17, 3200, true, false, NEVER},
	{"UDP connected, bound to the bridge", 17, 3201, true, true, 0},
	{"UDP without a peer", 17, 3202, false, false, 0},
	{"UDP without a peer, bound to the bridge", 17, 3203, false, true, 0},
	{"UDP connected, bound to the bridge, from a listed port", 17, 53, true, true, NEVER},
	{"TCP SYN", 6, 3204, true, false, NEVER},
	{"TCP SYN, bound to the bridge", 6, 3205, true, true, 0},
};

/* A static, because it is large; one suite at a time uses it. */
static struct frame frame;
static struct model_state state;

static int flags_at(const struct runner *runner, unsigned int device, uint8_t protocol,
		    const char *local, uint16_t local_port, const char *remote,
		    uint16_t remote_port)
{
	struct pc_flow_state value;
	struct in_addr from, to;
	struct pc_flow tuple;

	inet_pton(AF_INET, local, &from);
	inet_pton(AF_INET, remote, &to);
	tuple = model_tuple(AF_INET, protocol, &to, &from, remote_port, local_port);
	if (bpf_map_lookup_elem(runner->filter.fd[FILTER_FLOWS], &tuple, &value))
		return NEVER;
	if (value.ifindex != device) {
		note("learned at ifindex %u, not %u", value.ifindex, device);
		return -2;
	}
	return value.flags;
}

static int flags_of(const struct runner *runner, uint8_t protocol, const char *local,
		    uint16_t local_port, uint16_t remote_port)
{
	return flags_at(runner, fixture_out(), protocol, local, local_port, BEYOND, remote_port);
}

static bool start(struct runner *runner, enum test_profile_id id)
{
	struct tables tables = {0};
	int err;

	profile_tables(&test_profile[id], &tables);
	err = runner_switch(runner, &tables);
	tables_free(&tables);
	fixture_state(&state);
	state.flows = 0;
	fixture_install(runner, &state);
	return check(!err, "forwarding under profile %s", test_profile[id].name);
}

static void test_forwarded(struct runner *runner, size_t i)
{
	struct frame_spec spec = forwarded[i].spec;
	bool echo = spec.protocol == 1, out;
	uint16_t local = echo ? spec.identifier : spec.source_port;
	int flags;

	spec.family = 4;
	spec.source = FAR4;
	spec.target = BEYOND;
	frame_build(&spec, &frame);
	fixture_went_out(0);
	if (fixture_forward(&frame, 4))
		return;
	usleep(2000);
	out = fixture_went_out(echo ? (uint16_t)(spec.type << 8) : spec.source_port);
	flags = flags_of(runner, spec.protocol, FAR4, local, echo ? 0 : spec.port);
	if (!check(out == forwarded[i].out && flags == forwarded[i].flags, "forwarded: %s",
		   forwarded[i].name))
		note("%s, flow %d, expected %d", out ? "went out" : "did not go out", flags,
		     forwarded[i].flags);
}

static void test_sent(struct runner *runner, size_t i)
{
	int flags;

	if (!check(!fixture_send(sent[i].local, sent[i].remote, sent[i].peer, sent[i].device),
		   "sent: %s", sent[i].name))
		return;
	flags = flags_of(runner, 17, NEAR4, sent[i].local, sent[i].remote);
	if (!check(flags == sent[i].flags, "learned or not: %s", sent[i].name))
		note("flow %d, expected %d", flags, sent[i].flags);
}

/* Under enforce a live connection continues, and one that no service covers cannot begin. */
static void test_live(struct runner *runner)
{
	__u32 blocked = PC_CELL_OUT_DROP + PC_PORT(PC_TCP, 9000), device = 1; /* lo */
	struct pc_count count = {0};
	struct egress_hook hook;

	if (!check(!egress_hook_open(runner, device, &hook), "egress of lo"))
		return;
	check(!fixture_talk() &&
		      bpf_map_lookup_elem(runner->filter.fd[FILTER_RARE], &blocked, &count),
	      "outbound enforced: a live connection goes on");
	check(!fixture_begin() &&
		      !bpf_map_lookup_elem(runner->filter.fd[FILTER_RARE], &blocked, &count) &&
		      count.packets == 1,
	      "outbound enforced: the same cannot begin");
	egress_hook_close(&hook);
}

static void test_bridged(struct runner *runner)
{
	struct egress_hook hook;

	if (fixture_bridge()) {
		skip("needs a bridge", "sockets bound to another device");
		return;
	}
	if (!check(!egress_hook_open(runner, fixture_port(), &hook), "egress of a bridge's port"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(bridged); i++) {
		int flags, err = fixture_send_bridged(bridged[i].protocol, bridged[i].local,
						      bridged[i].peer, bridged[i].bound);
		unsigned int cell = PC_CELL_EGRESS;
		struct total total = runner_total(runner, cell);

		flags = flags_at(runner, fixture_port(), bridged[i].protocol, ABOVE4,
				 bridged[i].local, BEHIND, 5300);
		if (!check(!err && total.packets > 0 && flags == bridged[i].flags,
			   "by a bridge: %s", bridged[i].name))
			note("%llu packets went out, flow %d, expected %d", total.packets, flags,
			     bridged[i].flags);
		runner_zero(runner);
	}
	egress_hook_close(&hook);
}

void suite_forward(struct runner *runner)
{
	static const enum test_profile_id id[] = {STATE, FORWARD, OUTBOUND};
	struct egress_hook hook;

	if (!check(!egress_hook_open(runner, fixture_out(), &hook), "egress of a device"))
		return;
	for (size_t part = 0; part < ARRAY_SIZE(id); part++) {
		if (!start(runner, id[part]))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
			if (forwarded[i].profile == id[part])
				test_forwarded(runner, i);
		if (id[part] == OUTBOUND)
			test_live(runner);
		for (size_t i = 0; id[part] == STATE && i < ARRAY_SIZE(sent); i++)
			test_sent(runner, i);
		if (id[part] == STATE)
			test_bridged(runner);
	}
	egress_hook_close(&hook);
	/* The drops at these are in `rare`. */
	for (__u32 key; !bpf_map_get_next_key(runner->filter.fd[FILTER_RARE], NULL, &key);)
		bpf_map_delete_elem(runner->filter.fd[FILTER_RARE], &key);
	runner_zero(runner);
}
