// SPDX-License-Identifier: GPL-2.0
/* The host's state of a frame's flow: real sockets of this namespace, or an entry in `flows`. */
#include <bpf/bpf.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/base/names.h"
#include "tests/bench/bench.h"

static socklen_t address(const struct pc_flow *flow, bool local, struct sockaddr_storage *to)
{
	struct sockaddr_in *ipv4 = (void *)to;
	struct sockaddr_in6 *ipv6 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (flow->family == 4) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_addr.s_addr = local ? flow->ipv4.local : flow->ipv4.remote;
		ipv4->sin_port = local ? flow->ipv4.local_port : flow->ipv4.remote_port;
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	memcpy(&ipv6->sin6_addr, local ? flow->ipv6.local : flow->ipv6.remote, 16);
	ipv6->sin6_port = local ? flow->ipv6.local_port : flow->ipv6.remote_port;
	return sizeof(*ipv6);
}

/* A socket at one side of the flow, open until the process ends; -errno. */
static int socket_at(const struct pc_flow *flow, int type, bool local)
{
	struct sockaddr_storage where;
	socklen_t length = address(flow, local, &where);
	int fd = socket(where.ss_family, type | SOCK_CLOEXEC, 0), on = 1;

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
	    !bind(fd, (void *)&where, length))
		return fd;
	return -errno;
}

static int make_connected(const struct pc_flow *flow, int type)
{
	struct sockaddr_storage where;
	socklen_t length = address(flow, false, &where);
	int fd = socket_at(flow, type, true);

	if (fd < 0)
		return fd;
	return connect(fd, (void *)&where, length) ? -errno : 0;
}

static int make_listening(const struct pc_flow *flow, bool local)
{
	int fd = socket_at(flow, SOCK_STREAM, local);

	if (fd < 0)
		return fd;
	return listen(fd, 8) ? -errno : 0;
}

/* Marks the local ports of flows, as Portcullis does when it learns one. */
static int mark(int program, const struct pc_flow *flow, size_t flows)
{
	__close_fd int map = program_map(program, "learned");
	struct pc_learned learned;
	__u32 zero = 0;
	size_t i;

	if (map < 0)
		return map == -ENOENT ? 0 : map;
	if (bpf_map_lookup_elem(map, &zero, &learned))
		return -errno;
	for (i = 0; i < flows; i++, flow++) {
		__be16 port = flow->family == 4 ? flow->ipv4.local_port : flow->ipv6.local_port;

		learned.port[pc_learned_index(flow->protocol, ntohs(port))] = 1;
	}
	return bpf_map_update_elem(map, &zero, &learned, BPF_ANY) ? -errno : 0;
}

/* The marks of a program; NULL: it has no such map. */
static struct pc_marks *marks_of(int program)
{
	__close_fd int map = program_map(program, "marks");
	void *memory = map < 0 ? MAP_FAILED :
				 mmap(NULL, sizeof(struct pc_marks), PROT_READ | PROT_WRITE,
				      MAP_SHARED, map, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Marks the local port of a socket whose packets go over lo, as egress does on other interfaces. */
static void mark_socket(const struct pc_flow *flow, int program)
{
	__be16 port = flow->family == 4 ? flow->ipv4.local_port : flow->ipv6.local_port;
	struct pc_marks *marks = marks_of(program);

	if (!marks)
		return;
	marks->port[PC_PORT(flow->protocol == IPPROTO_TCP ? PC_TCP : PC_UDP, ntohs(port))] = 1;
	munmap(marks, sizeof(*marks));
}

/* bench mark PLACE COUNT: marks so many local ports of TCP and of UDP, spread over all. */
int bench_mark(int argc, char **argv)
{
	__close_fd int program = program_open(argv[0]);
	struct pc_marks *marks = program < 0 ? NULL : marks_of(program);
	unsigned int count = atoi(argv[1]), i;

	(void)argc;
	for (i = 0; marks && i < count; i++) {
		__u16 port = (__u64)i * 65536 / count;

		marks->port[PC_PORT(PC_TCP, port)] = marks->port[PC_PORT(PC_UDP, port)] = 1;
	}
	if (!marks)
		error("bench: %s: no marks", argv[0]);
	return !marks;
}

/* A program without the map has nothing to learn. */
static int make_learned(const struct pc_flow *flow, int program)
{
	struct pc_flow_state state = {.seen = clock_ns(CLOCK_MONOTONIC), .flags = PC_FLOW_REPLIED};
	__close_fd int map = program_map(program, "flows");

	if (map < 0)
		return map == -ENOENT ? 0 : map;
	if (bpf_map_update_elem(map, flow, &state, BPF_ANY))
		return -errno;
	return mark(program, flow, 1);
}

static int make(const char *state, const struct pc_flow *flow)
{
	int err;

	if (!strcmp(state, "listening"))
		return make_listening(flow, true);
	if (!strcmp(state, "connected"))
		return make_connected(flow, SOCK_DGRAM);
	if (strcmp(state, "established"))
		return -EINVAL;
	err = make_listening(flow, false);
	return err ? err : make_connected(flow, SOCK_STREAM);
}

static unsigned int netns_number(const struct place *place)
{
	struct stat status = {};

	return place->netns < 0 || fstat(place->netns, &status) ? 0 : status.st_ino;
}

/* Once for each process, place and frame: a later line uses the sockets of an earlier one. */
static int make_once(const char *name, const char *state, const struct pc_flow *flow,
		     const struct place *place)
{
	static struct names made;
	int err;

	if (names_have(&made, name))
		return 0;
	names_add(&made, name);
	err = place_enter(place);
	if (err)
		return err;
	err = make(state, flow);
	place_leave(place);
	return err;
}

int state_make(const char *state, const struct frame *frame, const struct place *place, int program)
{
	const struct pc_flow *flow = &frame->flow;
	__free_text char *name =
		xasprintf("%s %u:%u:%u %u", state, flow->protocol, flow->family,
			  ntohs(flow->family == 4 ? flow->ipv4.local_port : flow->ipv6.local_port),
			  netns_number(place));
	int err = 0;

	if (!strcmp(state, "learned"))
		err = make_learned(flow, program);
	else if (strcmp(state, "none"))
		err = make_once(name, state, flow, place);
	if (!err && (!strcmp(state, "established") || !strcmp(state, "connected")))
		mark_socket(flow, program);
	if (err)
		error("bench: %s: %s", name, strerror(-err));
	return err;
}

/* bench fill PLACE COUNT: adds so many learned flows, which are not those of the frames. */
int bench_fill(int argc, char **argv)
{
	__close_fd int program = program_open(argv[0]);
	__close_fd int map = program < 0 ? -1 : program_map(program, "flows");
	struct pc_flow_state state = {.seen = clock_ns(CLOCK_MONOTONIC), .flags = PC_FLOW_REPLIED};
	unsigned int count = atoi(argv[1]), i;
	struct pc_flow *flow = xcalloc(count, sizeof(*flow));
	int err = map < 0 ? map : 0;

	(void)argc;
	for (i = 0; i < count && !err; i++) {
		flow[i] = (struct pc_flow){.protocol = IPPROTO_UDP, .family = 4};
		inet_pton(AF_INET, "198.51.100.1", &flow[i].ipv4.local);
		flow[i].ipv4.remote = htonl(0x0a000000 + i);
		flow[i].ipv4.remote_port = htons(1024 + i % 60000);
		flow[i].ipv4.local_port = htons(1024 + i * 7 % 60000);
		if (bpf_map_update_elem(map, &flow[i], &state, BPF_ANY))
			err = -errno;
	}
	if (!err)
		err = mark(program, flow, count);
	if (err)
		error("bench: %s: %s", argv[0], strerror(-err));
	free(flow);
	return !!err;
}
