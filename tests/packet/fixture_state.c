// SPDX-License-Identifier: GPL-2.0
/* The host's state in every test, for the model and for the maps. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "loader/base/memory.h"
#include "loader/filter/flow_enter.h"
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

#define TALKED (PC_FLOW_REPLIED | PC_FLOW_ASSURED)

/* Flows of PEER. Ages in seconds, at the limits of the lifetimes in abi_flows.h. */
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
	{4, 17, 53, 41003, TALKED, 119},
	{6, 17, 53, 41004, TALKED, 121},
	{4, 17, 5300, 41005, PC_FLOW_REPLIED, 5},
	{4, 17, 5300, 41006, PC_FLOW_REPLIED, 29},
	{6, 17, 5300, 41007, PC_FLOW_REPLIED, 31},
	{4, 6, 993, 42000, 0, 0},
	{6, 6, 993, 42000, TALKED, 100},
	{4, 6, 993, 42001, 0, 119},
	{4, 6, 993, 42002, 0, 121},
	{4, 6, 993, 42003, TALKED, 5 * DAY - 1},
	{4, 6, 993, 42004, TALKED, 5 * DAY + 1},
	{4, 6, 993, 42005, TALKED | PC_FLOW_FIN_IN, 7439},
	{4, 6, 993, 42006, TALKED | PC_FLOW_FIN_IN, 7441},
	{6, 6, 993, 42007, TALKED | PC_FLOW_FIN_OUT, 119},
	{6, 6, 993, 42008, TALKED | PC_FLOW_FIN_OUT, 121},
	{4, 6, 993, 42009, TALKED | PC_FLOW_RESET, 9},
	{4, 6, 993, 42010, TALKED | PC_FLOW_RESET, 11},
	{4, 6, 993, 42015, PC_FLOW_REPLIED, 119},
	{6, 6, 993, 42016, PC_FLOW_REPLIED, 121},
	{4, 6, 5300, 42011, TALKED | PC_FLOW_FIN_IN | PC_FLOW_FIN_OUT, 60},
	{4, 6, 993, 42013, TALKED | PC_FLOW_RESET_IN, 7439},
	{6, 6, 993, 42014, TALKED | PC_FLOW_RESET_IN, 7441},
	{4, 1, 0, 7, 0, 0},
	{6, 58, 0, 7, 0, 0},
	{4, 1, 0, 8, 0, 31},
	{4, 1, 0, 9, PC_FLOW_REPLIED, 29},
	{6, 58, 0, 10, PC_FLOW_REPLIED, 31},
	{6, 58, 0, 11, 0, 29},
};

#define REPLY(cell)                                    \
	{                                              \
		MODEL_PASS, MODEL_PASS_REPLY, -1, cell \
	}

/* Direction: from PEER to the host; at egress the opposite. */
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
	for (size_t i = 0; i < ARRAY_SIZE(socket_row); i++)
		state->socket[state->sockets++] = (struct model_socket){
			tuple_of(socket_row[i].family, socket_row[i].protocol, socket_row[i].remote,
				 socket_row[i].remote_port, socket_row[i].local_port),
			socket_row[i].state};
	for (size_t i = 0; i < ARRAY_SIZE(flow_row); i++) {
		struct model_flow *flow = &state->flow[state->flows++];

		*flow = (struct model_flow){
			.tuple = tuple_of(flow_row[i].family, flow_row[i].protocol,
					  flow_row[i].family == 4 ? FRAME_SOURCE4 : FRAME_SOURCE6,
					  flow_row[i].remote_port, flow_row[i].local_port),
			.flags = flow_row[i].flags,
			.age = flow_row[i].age * PC_SECOND,
			.begun = flow_row[i].age * PC_SECOND};
		flow->kept = flow->flags & PC_FLOW_ASSURED && !pc_flow_closed(flow->flags);
	}
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

/* --- what came in: a table of cells, of which few are ever set --- */

static void came_in_forget(const struct runner *runner)
{
	struct pc_came_in *table = runner->came_in;

	memset(table->by_port, 0, sizeof(table->by_port));
	memset(table->by_tuple, 0, sizeof(table->by_tuple));
}

static bool is_in_cells(const struct runner *runner, const struct pc_flow *tuple, bool behind)
{
	const struct pc_came_in *table = runner->came_in;
	uint32_t by_port, by_tuple;
	uint16_t epoch = pc_came_epoch(clock_now());

	pc_came_cells(tuple, behind, table->secret, &by_port, &by_tuple);
	return pc_came_within(table->by_port[by_port], epoch, PC_CAME_LATELY) &&
	       pc_came_within(table->by_tuple[by_tuple], epoch, PC_CAME_LATELY);
}

/* As a machine's, or as any: packets of a banned source to a machine are noted as any. */
static bool has_come_in(const struct runner *runner, const struct pc_flow *tuple)
{
	bool ipv4 = tuple->family == 4;
	const void *local = ipv4 ? (const void *)&tuple->ipv4.local : tuple->ipv6.local;

	return is_in_cells(runner, tuple, false) ||
	       (model_machine(ipv4 ? AF_INET : AF_INET6, local) &&
		is_in_cells(runner, tuple, true));
}

static bool nothing_has_come_in(const struct runner *runner)
{
	const struct pc_came_in *table = runner->came_in;

	const uint16_t *cell = table->by_port;
	uint16_t any = 0;

	_Static_assert(offsetof(struct pc_came_in, by_tuple) ==
			       offsetof(struct pc_came_in, by_port) + sizeof(table->by_port),
		       "both rows are one");
	for (size_t i = 0; i < 2 * PC_CAME_CELLS; i++)
		any |= cell[i];
	return !any;
}

static void age_cells(uint16_t *cell, uint16_t epochs)
{
	for (size_t i = 0; i < PC_CAME_CELLS; i++)
		if (cell[i])
			cell[i] = cell[i] > epochs ? (uint16_t)(cell[i] - epochs) : 0;
}

/* The number of epochs in that time, rounded up. */
static void came_in_age(const struct runner *runner, uint64_t by)
{
	struct pc_came_in *table = runner->came_in;

	age_cells(table->by_port, (uint16_t)(by >> PC_CAME_SHIFT));
	age_cells(table->by_tuple, (uint16_t)(by >> PC_CAME_SHIFT));
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

static int map_of_flow(const struct runner *runner, const struct model_flow *flow)
{
	if (!flow->kept)
		return runner->filter.fd[FILTER_FLOWS];
	return flow->tuple.protocol == 6 ? runner->filter.fd[FILTER_CONNECTIONS] :
					   runner->filter.fd[FILTER_STREAMS];
}

void fixture_install(const struct runner *runner, const struct model_state *state)
{
	static const struct pc_learned nothing;
	struct pc_flow key, next;
	__u32 zero = 0;
	uint64_t now;

	now = installed_at = clock_now();
	wipe(runner->filter.fd[FILTER_FLOWS], &key, &next);
	wipe(runner->filter.fd[FILTER_CONNECTIONS], &key, &next);
	wipe(runner->filter.fd[FILTER_STREAMS], &key, &next);
	came_in_forget(runner);
	put(runner->filter.fd[FILTER_LEARNED], &zero, &nothing);
	wipe(runner->filter.fd[FILTER_FRAGMENTS], &key, &next);
	for (size_t i = 0; i < state->flows; i++) {
		const struct model_flow *flow = &state->flow[i];
		/* This may wrap, because the machine may have been up for less than five days. */
		struct pc_flow_state value = {.seen = now - flow->age, .flags = flow->flags};

		if (!flow->kept)
			value.slot = flow->tuple.protocol == 6 ?
					     flow->heard >> PC_HEARD_SHIFT :
					     (now - flow->begun) >> PC_SINCE_SHIFT & PC_SLOT_MASK;
		flow_mark(&runner->filter, &flow->tuple);
		put(map_of_flow(runner, flow), &flow->tuple, &value);
	}
	for (size_t i = 0; i < state->fragments; i++) {
		const struct model_fragment *fragment = &state->fragment[i];
		struct pc_fragment_state value = {.seen = now - fragment->age,
						  .cell = model_cell(&fragment->first),
						  .second = fragment->first.out};

		put(runner->filter.fd[FILTER_FRAGMENTS], &fragment->key, &value);
	}
	wipe(runner->filter.fd[FILTER_LARGE], &key, &next);
	for (size_t i = 0; i < state->larges; i++)
		put(runner->filter.fd[FILTER_LARGE], &state->large[i], &now);
}

#define KEYS 4096 /* keys of a map, at most */

/*
 * The keys of a map that is to be updated. They are collected first: an update moves its key to the
 * front of the bucket, so that a walk over a bucket with two keys would not end.
 */
static size_t keys_of(int map, struct pc_flow key[KEYS])
{
	size_t keys = 0;

	while (keys < KEYS && !bpf_map_get_next_key(map, keys ? &key[keys - 1] : NULL, &key[keys]))
		keys++;
	return keys;
}

/*
 * Every map's value begins with the time. `spare`: bits of it with another meaning (pc_looked),
 * which are kept.
 */
static void age_map(int map, uint64_t by, uint64_t spare)
{
	static struct pc_flow key[KEYS];
	size_t keys = keys_of(map, key);
	uint64_t value[4];

	for (size_t i = 0; i < keys; i++) {
		if (bpf_map_lookup_elem(map, &key[i], value))
			continue;
		value[0] = ((value[0] - by) & ~spare) | (value[0] & spare);
		put(map, &key[i], value);
	}
}

#define SLOTS_COME_AGAIN (15 * 86400 * PC_SECOND) /* longer than 2^24 slots at HZ 1000 */

/*
 * The program trusts an assured flow's age for a moment after it has read the clock. After a long
 * time the lower part of the slot repeats.
 */
static void forget_slots(int map, bool assured, uint64_t by)
{
	static struct pc_flow key[KEYS];
	size_t keys = keys_of(map, key);
	struct pc_flow_state value;

	for (size_t i = 0; i < keys; i++) {
		if (bpf_map_lookup_elem(map, &key[i], &value))
			continue;
		if (assured && by >= SLOTS_COME_AGAIN)
			pc_look(&value,
				((value.seen & PC_SEEN_SPARE) - 1) << PC_SLOT_BITS | value.slot,
				value.seen);
		else if (assured)
			value.slot = 0;
		else if (key[i].protocol != 6)
			value.slot = (value.slot - (by >> PC_SINCE_SHIFT)) & PC_SLOT_MASK;
		put(map, &key[i], &value);
	}
}

void fixture_elapse(const struct runner *runner, struct model_state *state, unsigned int seconds)
{
	const int map[] = {runner->filter.fd[FILTER_FLOWS], runner->filter.fd[FILTER_CONNECTIONS],
			   runner->filter.fd[FILTER_STREAMS]};
	uint64_t by = seconds * PC_SECOND;

	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		age_map(map[i], by, i > 0 ? PC_SEEN_SPARE : 0);
		forget_slots(map[i], i > 0, by);
	}
	came_in_age(runner, by);
	age_map(runner->filter.fd[FILTER_FRAGMENTS], by, 0);
	for (size_t i = 0; i < state->flows; i++) {
		state->flow[i].age += by;
		state->flow[i].begun += by;
	}
	for (size_t i = 0; i < state->fragments; i++)
		state->fragment[i].age += by;
	state->elapsed += seconds;
	if (state->elapsed >= MODEL_FORGETS)
		state->observeds = 0;
	age_map(runner->filter.fd[FILTER_LARGE], by, 0);
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

/* A flow is in the map, but not in the model. */
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

	if (bpf_map_lookup_elem(map_of_flow(runner, flow), &flow->tuple, &value)) {
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
	size_t count;

	for (size_t i = 0; i < state->flows; i++)
		good &= flow_holds(runner, &state->flow[i], now);
	count = count_keys(runner->filter.fd[FILTER_FLOWS]) +
		count_keys(runner->filter.fd[FILTER_CONNECTIONS]) +
		count_keys(runner->filter.fd[FILTER_STREAMS]);
	if (count != state->flows) {
		note("%zu flows, the model has %zu", count, state->flows);
		print_stray(runner->filter.fd[FILTER_FLOWS], state);
		print_stray(runner->filter.fd[FILTER_CONNECTIONS], state);
		print_stray(runner->filter.fd[FILTER_STREAMS], state);
		good = false;
	}
	for (size_t i = 0; i < observed; i++) {
		if (has_come_in(runner, &state->observed[i]))
			continue;
		print_tuple(&state->observed[i], "not noted as observed");
		good = false;
	}
	for (size_t i = 0; i < state->larges; i++) {
		uint64_t seen;

		if (!bpf_map_lookup_elem(runner->filter.fd[FILTER_LARGE], &state->large[i], &seen))
			continue;
		print_tuple(&state->large[i], "not noted as large");
		good = false;
	}
	if (!state->elapsed && count_keys(runner->filter.fd[FILTER_LARGE]) != state->larges) {
		note("%zu large datagrams, the model has %zu",
		     count_keys(runner->filter.fd[FILTER_LARGE]), state->larges);
		good = false;
	}
	if (!observed && !state->elapsed && !nothing_has_come_in(runner)) {
		note("something is noted as observed");
		good = false;
	}
	return good;
}
