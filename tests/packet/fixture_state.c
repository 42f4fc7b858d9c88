// SPDX-License-Identifier: GPL-2.0
/* The state that the host has in every test, for the model and in the maps. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "loader/seed.h"
#include "tests/packet/check.h"
#include "tests/packet/fixture.h"

#define DAY 86400

static const struct {
	enum model_socket_state state;
	int family;
	uint8_t protocol;
	const char *remote;
	uint16_t remote_port;
	uint16_t local_port;
} socket_row[] = {
	{MODEL_CONNECTED, 4, 6, "203.0.113.9", 993, 40100},
	{MODEL_CONNECTED, 6, 6, "2001:db8:ffff::9", 993, 40100},
	{MODEL_CONNECTED, 4, 6, "203.0.113.9", 9000, 40102},
	{MODEL_CONNECTED, 4, 6, "203.0.113.9", 50000, 2222},
	{MODEL_CONNECTED, 6, 6, "2001:db8:ffff::9", 50000, 2223},
	{MODEL_CONNECTED, 4, 6, "203.0.113.9", 9000, 40103},
	{MODEL_CONNECTED, 6, 6, "2001:db8:ffff::9", 9000, 40103},
	{MODEL_CONNECTED, 4, 6, "203.0.113.9", 9000, 40104},
	{MODEL_CONNECTED, 4, 6, "203.0.113.9", 9000, 40107},
	{MODEL_CONNECTED, 4, 6, "198.51.100.7", 50010, 2222},
	{MODEL_CONNECTED, 6, 6, "2001:db8:f::7", 50010, 2223},
	{MODEL_CONNECTED, 4, 6, "198.51.100.7", 9000, 40105},
	{MODEL_ELSEWHERE, 4, 6, "198.51.100.7", 9000, 40106},
	{MODEL_LISTENING, 4, 6, "0.0.0.0", 0, 2222},
	{MODEL_LISTENING, 6, 6, "::", 0, 2223},
	{MODEL_CONNECTED, 4, 17, "203.0.113.9", 53, 40200},
	{MODEL_CONNECTED, 6, 17, "2001:db8:ffff::9", 53, 40200},
	{MODEL_CONNECTED, 4, 17, "203.0.113.9", 53, 40202},
	{MODEL_UNBOUND, 4, 17, "0.0.0.0", 0, 40203},
	{MODEL_UNBOUND, 6, 17, "::", 0, 40204},
	{MODEL_ELSEWHERE, 4, 17, "203.0.113.9", 53, 40205},
	{MODEL_CONNECTED, 4, 17, "203.0.113.9", 5300, 40206},
};

/* Of PEER. Ages in seconds, at the edges of abi.h's lifetimes. */
static const struct {
	int family;
	uint8_t protocol;
	uint16_t remote_port;
	uint16_t local_port; /* or an echo's identifier */
	uint8_t flags;
	uint32_t age;
} flow_row[] = {
	{4, 17, 53, 41000, 0, 0},
	{6, 17, 53, 41000, 0, 0},
	{4, 17, 53, 41001, 0, 29},
	{4, 17, 53, 41002, 0, 31},
	{6, 17, 53, 41002, 0, 31},
	{4, 17, 53, 41003, PC_FLOW_REPLIED, 179},
	{6, 17, 53, 41004, PC_FLOW_REPLIED, 181},
	{4, 17, 5300, 41005, PC_FLOW_REPLIED, 5},
	{4, 6, 993, 42000, 0, 0},
	{6, 6, 993, 42000, PC_FLOW_REPLIED, 100},
	{4, 6, 993, 42001, 0, 119},
	{4, 6, 993, 42002, 0, 121},
	{4, 6, 993, 42003, PC_FLOW_REPLIED, 5 * DAY - 1},
	{4, 6, 993, 42004, PC_FLOW_REPLIED, 5 * DAY + 1},
	{4, 6, 993, 42005, PC_FLOW_REPLIED | PC_FLOW_FIN_IN, 7439},
	{4, 6, 993, 42006, PC_FLOW_REPLIED | PC_FLOW_FIN_IN, 7441},
	{6, 6, 993, 42007, PC_FLOW_REPLIED | PC_FLOW_FIN_OUT, 119},
	{6, 6, 993, 42008, PC_FLOW_REPLIED | PC_FLOW_FIN_OUT, 121},
	{4, 6, 993, 42009, PC_FLOW_REPLIED | PC_FLOW_RESET, 9},
	{4, 6, 993, 42010, PC_FLOW_REPLIED | PC_FLOW_RESET, 11},
	{4, 6, 5300, 42011, PC_FLOW_REPLIED | PC_FLOW_FIN_IN | PC_FLOW_FIN_OUT, 60},
	{4, 6, 993, 42013, PC_FLOW_REPLIED | PC_FLOW_RESET_IN, 7439},
	{6, 6, 993, 42014, PC_FLOW_REPLIED | PC_FLOW_RESET_IN, 7441},
	{4, 1, 0, 7, 0, 0},
	{6, 58, 0, 7, 0, 0},
	{4, 1, 0, 8, 0, 31},
	{4, 1, 0, 9, PC_FLOW_REPLIED, 179},
	{6, 58, 0, 10, PC_FLOW_REPLIED, 181},
	{6, 58, 0, 11, 0, 29},
};

#define REPLY(cell)                                    \
	{                                              \
		MODEL_PASS, MODEL_PASS_REPLY, -1, cell \
	}

/* From PEER to the host; at egress the other way round. */
static const struct {
	int family;
	uint32_t id;
	uint8_t protocol;
	uint8_t egress;
	uint32_t age;
	struct model_verdict first;
} fragment_row[] = {
	{4, 0x2001, 17, 0, 0, {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_UDP, 53), 0}},
	{4, 0x2002, 17, 0, 31, {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_UDP, 53), 0}},
	{4, 0x2003, 17, 0, 29, REPLY(0)},
	{4, 0x2004, 1, 0, 0, {MODEL_PASS, MODEL_PASS_ICMP, -1, 0}},
	{4, 0x2005, 50, 0, 0, {MODEL_PASS, MODEL_PASS_PROTOCOL, -1, 0}},
	{4, 0x2006, 6, 0, 5, REPLY(PC_CELL_OUT + PC_PORT(PC_TCP, 993))},
	{4,
	 0x2007,
	 17,
	 1,
	 0,
	 {MODEL_PASS, MODEL_PASS_EGRESS, -1, PC_CELL_OUT + PC_PORT(PC_UDP, 53)}},
	{6, 0x20010000, 0, 0, 0, {MODEL_PASS, MODEL_PASS_PORT, PC_PORT(PC_UDP, 53), 0}},
	{6, 0x20020000, 0, 0, 31, REPLY(0)},
	{6, 0x20030000, 0, 0, 29, REPLY(PC_CELL_OUT + PC_PORT(PC_UDP, 53))},
	{6, 0x20070000, 0, 1, 0, {MODEL_PASS, MODEL_PASS_EGRESS, -1, 0}},
};

/* Of windows that the state did not begin with: from there on it has to be a new one. */
static const struct model_strangers stranger_row[] = {
	{PC_PORT(PC_UDP, 41900), 0, MODEL_CROWD - 1, 0},
	{PC_PORT(PC_UDP, 41901), 0, MODEL_CROWD, 0},
	{PC_PORT(PC_UDP, 41902), 0, 1, MODEL_CROWD},
	{PC_PORT(PC_UDP, 41903), -1, MODEL_CROWD, 0},
	{PC_PORT(PC_UDP, 41904), -1, MODEL_CROWD - 1, MODEL_CROWD},
	{PC_PORT(PC_UDP, 41905), -2, 2047, MODEL_CROWD},
	{PC_PORT(PC_UDP, 41906), -50, 2047, MODEL_CROWD},
	{PC_PORT(PC_TCP, 41907), 0, 2047, MODEL_CROWD},
	{PC_PORT(PC_TCP, 41908), 0, MODEL_CROWD - 1, 0},
};

static void parse(int family, const char *text, uint8_t address[16])
{
	memset(address, 0, 16);
	if (inet_pton(family == 4 ? AF_INET : AF_INET6, text, address) != 1)
		abort();
}

static struct pc_flow tuple_of(int family, uint8_t protocol, const char *remote,
			       uint16_t remote_port, uint16_t local_port)
{
	uint8_t from[16], to[16];

	parse(family, remote, from);
	parse(family, family == 4 ? FRAME_TARGET4 : FRAME_TARGET6, to);
	return model_tuple(family == 4 ? AF_INET : AF_INET6, protocol, from, to, remote_port,
			   local_port);
}

static struct pc_fragment fragment_key(size_t i)
{
	bool ipv4 = fragment_row[i].family == 4, egress = fragment_row[i].egress;
	struct pc_fragment key = {.protocol = fragment_row[i].protocol,
				  .family = (uint8_t)fragment_row[i].family,
				  .egress = egress};
	uint8_t peer[16], host[16];
	uint16_t id = htons((uint16_t)fragment_row[i].id);

	parse(fragment_row[i].family, ipv4 ? FRAME_SOURCE4 : FRAME_SOURCE6, peer);
	parse(fragment_row[i].family, ipv4 ? FRAME_TARGET4 : FRAME_TARGET6, host);
	memcpy(key.source, egress ? host : peer, 16);
	memcpy(key.destination, egress ? peer : host, 16);
	key.id = htonl(fragment_row[i].id);
	if (ipv4) {
		key.id = 0;
		memcpy(&key.id, &id, 2);
	}
	return key;
}

void fixture_state(struct model_state *state)
{
	state->sockets = state->flows = state->fragments = state->observeds = state->larges = 0;
	state->elapsed = 0;
	state->strangers = ARRAY_SIZE(stranger_row);
	memcpy(state->stranger, stranger_row, sizeof(stranger_row));
	for (size_t i = 0; i < ARRAY_SIZE(socket_row); i++)
		state->socket[state->sockets++] = (struct model_socket){
			tuple_of(socket_row[i].family, socket_row[i].protocol, socket_row[i].remote,
				 socket_row[i].remote_port, socket_row[i].local_port),
			socket_row[i].state};
	for (size_t i = 0; i < ARRAY_SIZE(flow_row); i++)
		state->flow[state->flows++] = (struct model_flow){
			tuple_of(flow_row[i].family, flow_row[i].protocol,
				 flow_row[i].family == 4 ? FRAME_SOURCE4 : FRAME_SOURCE6,
				 flow_row[i].remote_port, flow_row[i].local_port),
			flow_row[i].flags, flow_row[i].age * PC_SECOND};
	for (size_t i = 0; i < ARRAY_SIZE(fragment_row); i++)
		state->fragment[state->fragments++] = (struct model_fragment){
			fragment_key(i), fragment_row[i].first, fragment_row[i].age * PC_SECOND};
}

/* --- in the maps --- */

static uint64_t clock_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
	return (uint64_t)time.tv_sec * PC_SECOND + (uint64_t)time.tv_nsec;
}

static void wipe(int map, void *key, void *next)
{
	bool more = !bpf_map_get_next_key(map, NULL, next);

	while (more) {
		memcpy(key, next, sizeof(struct pc_flow));
		more = !bpf_map_get_next_key(map, key, next);
		bpf_map_delete_elem(map, key);
	}
}

static void put(int map, const void *key, const void *value)
{
	if (bpf_map_update_elem(map, key, value, BPF_ANY))
		note("state map: %s", strerror(errno));
}

/* --- strangers: words by port in a large array, of which few are ever set --- */

#define WINDOW ((uint64_t)MODEL_WINDOW * PC_SECOND)

static uint32_t word[PC_PORTS], every_port[PC_PORTS];
static uint32_t touched[PC_PORTS]; /* ports that may have a word */
static size_t touches;
static bool is_touched[PC_PORTS];
static const struct model_state nobody;

static void touch(const struct model_state *state)
{
	for (size_t i = 0; i < state->strangers; i++) {
		uint32_t port = state->stranger[i].port;

		if (!is_touched[port])
			touched[touches++] = port;
		is_touched[port] = true;
	}
}

/* What the program has for them; the window that the state began with is a while ago. */
static uint32_t word_of(const struct model_state *state, const struct model_strangers *them)
{
	int ago = (int)(state->elapsed / MODEL_WINDOW) - them->window;
	uint32_t window = (uint32_t)(clock_now() / WINDOW) - (uint32_t)ago;

	return window << 12 | (them->before >= MODEL_CROWD) << 11 |
	       (them->count < 2047 ? them->count : 2047);
}

/* A test takes less than a window's last seconds: none begins in those. */
static void wait_for_window(void)
{
	uint64_t left = WINDOW - clock_now() % WINDOW;

	if (left < 4 * PC_SECOND)
		usleep((useconds_t)(left / 1000) + 20000);
}

static void install_strangers(int map, const struct model_state *state)
{
	uint32_t none = 0;

	for (size_t i = 0; i < touches; i++) {
		put(map, &touched[i], &none);
		is_touched[touched[i]] = false;
	}
	touches = 0;
	for (size_t i = 0; i < state->strangers; i++) {
		uint32_t value = word_of(state, &state->stranger[i]);

		put(map, &state->stranger[i].port, &value);
	}
	touch(state);
}

static void age_strangers(int map, unsigned int windows)
{
	for (size_t i = 0; i < touches; i++) {
		uint32_t value = 0;

		bpf_map_lookup_elem(map, &touched[i], &value);
		if (value)
			value -= windows << 12;
		put(map, &touched[i], &value);
	}
}

static bool strangers_hold(int map, const struct model_state *state)
{
	bool good = true;

	for (size_t i = 0; i < state->strangers; i++) {
		const struct model_strangers *them = &state->stranger[i];
		uint32_t value = 0, expect = word_of(state, them);

		bpf_map_lookup_elem(map, &them->port, &value);
		if (value == expect)
			continue;
		note("strangers of port %u/%s: %#x, the model has %#x", them->port & 0xffff,
		     them->port >> 16 == PC_TCP ? "tcp" : "udp", value, expect);
		good = false;
	}
	return good;
}

bool fixture_forget_strangers(const struct runner *runner, const char *who)
{
	uint32_t count = PC_PORTS, batch, zero = 0;
	int map = runner->filter.strangers;
	bool clear = true;

	install_strangers(map, &nobody);
	if (bpf_map_lookup_batch(map, NULL, &batch, every_port, word, &count, NULL) &&
	    errno != ENOENT) {
		note("strangers: %s", strerror(errno));
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!word[i])
			continue;
		if (clear && who)
			note("%s: strangers of %u/%s are counted, by the program only", who,
			     every_port[i] & 0xffff, every_port[i] >> 16 == PC_TCP ? "tcp" : "udp");
		clear = false;
		put(map, &every_port[i], &zero);
	}
	return clear;
}

_Static_assert(sizeof(struct pc_flow) == sizeof(struct pc_fragment), "one buffer serves both");

static uint64_t installed_at;

bool fixture_stale(void)
{
	return clock_now() - installed_at > PC_SECOND / 2;
}

bool fixture_retry(int *tries)
{
	return fixture_stale() && ++*tries < 5;
}

void fixture_install(const struct runner *runner, const struct model_state *state)
{
	static const struct pc_learned nothing;
	struct pc_flow key, next;
	__u32 zero = 0;
	uint64_t now;

	if (fixture_stale())
		fixture_forget_strangers(runner, NULL); /* whom nobody has looked at */
	wait_for_window();
	now = installed_at = clock_now();
	install_strangers(runner->filter.strangers, state);
	wipe(runner->filter.flows, &key, &next);
	put(runner->filter.learned, &zero, &nothing);
	wipe(runner->filter.observed, &key, &next);
	wipe(runner->filter.fragments, &key, &next);
	for (size_t i = 0; i < state->flows; i++) {
		const struct model_flow *flow = &state->flow[i];
		/* May wrap: the machine can be younger than five days. */
		struct pc_flow_state value = {.seen = now - flow->age, .flags = flow->flags};

		seed_mark(&runner->filter, &flow->tuple);
		put(runner->filter.flows, &flow->tuple, &value);
	}
	for (size_t i = 0; i < state->fragments; i++) {
		const struct model_fragment *fragment = &state->fragment[i];
		struct pc_fragment_state value = {.seen = now - fragment->age,
						  .cell = model_cell(&fragment->first),
						  .second = fragment->first.out};

		put(runner->filter.fragments, &fragment->key, &value);
	}
	for (size_t i = 0; i < state->observeds && i < MODEL_OBSERVED; i++)
		put(runner->filter.observed, &state->observed[i], &now);
	wipe(runner->filter.large, &key, &next);
	for (size_t i = 0; i < state->larges; i++)
		put(runner->filter.large, &state->large[i], &now);
}

#define KEYS 4096 /* of a map, at most */

/*
 * The keys of a map that is to be updated: an update moves its key to the front of the bucket, and
 * a walk meanwhile over one with two keys would not end.
 */
static size_t keys_of(int map, struct pc_flow key[KEYS])
{
	size_t keys = 0;

	while (keys < KEYS && !bpf_map_get_next_key(map, keys ? &key[keys - 1] : NULL, &key[keys]))
		keys++;
	return keys;
}

/* Every map's value begins with the time. */
static void age_map(int map, uint64_t by)
{
	static struct pc_flow key[KEYS];
	size_t keys = keys_of(map, key);
	uint64_t value[4];

	for (size_t i = 0; i < keys; i++) {
		if (bpf_map_lookup_elem(map, &key[i], value))
			continue;
		value[0] -= by;
		put(map, &key[i], value);
	}
}

/* The program trusts a flow's age for a moment after it looked at the clock. */
static void forget_slots(int map)
{
	static struct pc_flow key[KEYS];
	size_t keys = keys_of(map, key);
	struct pc_flow_state value;

	for (size_t i = 0; i < keys; i++) {
		if (bpf_map_lookup_elem(map, &key[i], &value))
			continue;
		value.slot = 0;
		put(map, &key[i], &value);
	}
}

void fixture_elapse(const struct runner *runner, struct model_state *state, unsigned int seconds)
{
	uint64_t by = seconds * PC_SECOND;

	age_map(runner->filter.flows, by);
	forget_slots(runner->filter.flows);
	age_map(runner->filter.observed, by);
	age_map(runner->filter.fragments, by);
	for (size_t i = 0; i < state->flows; i++)
		state->flow[i].age += by;
	for (size_t i = 0; i < state->fragments; i++)
		state->fragment[i].age += by;
	touch(state);
	age_strangers(runner->filter.strangers,
		      (state->elapsed + seconds) / MODEL_WINDOW - state->elapsed / MODEL_WINDOW);
	state->elapsed += seconds;
	if (state->elapsed * PC_SECOND >= PC_OBSERVED_LIFETIME)
		state->observeds = 0;
	age_map(runner->filter.large, by);
	if (by >= PC_LARGE_LIFETIME)
		state->larges = 0;
}

static void print_tuple(const struct pc_flow *tuple, const char *what)
{
	char remote[INET6_ADDRSTRLEN] = "", local[INET6_ADDRSTRLEN] = "";
	bool ipv4 = tuple->family == 4;

	inet_ntop(ipv4 ? AF_INET : AF_INET6, tuple, remote, sizeof(remote));
	inet_ntop(ipv4 ? AF_INET : AF_INET6,
		  ipv4 ? (const void *)&tuple->ipv4.local : (const void *)tuple->ipv6.local, local,
		  sizeof(local));
	note("flow of protocol %u, %s port %u with %s port %u: %s", tuple->protocol, local,
	     ntohs(ipv4 ? tuple->ipv4.local_port : tuple->ipv6.local_port), remote,
	     ntohs(ipv4 ? tuple->ipv4.remote_port : tuple->ipv6.remote_port), what);
}

static size_t count_keys(int map)
{
	struct pc_flow key, next;
	size_t count = 0;

	if (bpf_map_get_next_key(map, NULL, &next))
		return 0;
	do {
		key = next;
		count++;
	} while (!bpf_map_get_next_key(map, &key, &next));
	return count;
}

/* A flow in the map that the model does not have. */
static void print_stray(int map, const struct model_state *state)
{
	struct pc_flow key, next;
	bool more = !bpf_map_get_next_key(map, NULL, &next);

	for (; more; more = !bpf_map_get_next_key(map, &key, &next)) {
		bool known = false;

		key = next;
		for (size_t i = 0; !known && i < state->flows; i++)
			known = !memcmp(&state->flow[i].tuple, &key, sizeof(key));
		if (!known)
			print_tuple(&key, "learned, by the program only");
	}
}

static bool flow_holds(const struct runner *runner, const struct model_flow *flow, uint64_t now)
{
	struct pc_flow_state value;
	int64_t by;

	if (bpf_map_lookup_elem(runner->filter.flows, &flow->tuple, &value)) {
		print_tuple(&flow->tuple, "not there");
		return false;
	}
	if (value.flags != flow->flags) {
		note("flags %#x, the model has %#x", value.flags, flow->flags);
		print_tuple(&flow->tuple, "flags");
		return false;
	}
	by = (int64_t)(now - value.seen - flow->age);
	if (by > -(int64_t)PC_SECOND && by < 4 * (int64_t)PC_SECOND)
		return true;
	note("%" PRId64 " ms since it was seen, the model has %" PRIu64,
	     (int64_t)(now - value.seen) / 1000000, flow->age / 1000000);
	print_tuple(&flow->tuple, "age");
	return false;
}

bool fixture_holds(const struct runner *runner, const struct model_state *state)
{
	size_t observed = state->observeds < MODEL_OBSERVED ? state->observeds : MODEL_OBSERVED;
	uint64_t now = clock_now();
	bool good = true;

	for (size_t i = 0; i < state->flows; i++)
		good &= flow_holds(runner, &state->flow[i], now);
	if (count_keys(runner->filter.flows) != state->flows) {
		note("%zu flows, the model has %zu", count_keys(runner->filter.flows),
		     state->flows);
		print_stray(runner->filter.flows, state);
		good = false;
	}
	for (size_t i = 0; i < observed; i++) {
		uint64_t seen;

		if (!bpf_map_lookup_elem(runner->filter.observed, &state->observed[i], &seen))
			continue;
		print_tuple(&state->observed[i], "not noted as observed");
		good = false;
	}
	for (size_t i = 0; i < state->larges; i++) {
		uint64_t seen;

		if (!bpf_map_lookup_elem(runner->filter.large, &state->large[i], &seen))
			continue;
		print_tuple(&state->large[i], "not noted as large");
		good = false;
	}
	if (!state->elapsed && count_keys(runner->filter.large) != state->larges) {
		note("%zu large datagrams, the model has %zu", count_keys(runner->filter.large),
		     state->larges);
		good = false;
	}
	if (!observed && !state->elapsed && count_keys(runner->filter.observed)) {
		note("something is noted as observed");
		good = false;
	}
	touch(state);
	return good & strangers_hold(runner->filter.strangers, state);
}
