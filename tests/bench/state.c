// SPDX-License-Identifier: GPL-2.0
/* What the host knows of a frame's flow: real sockets of this namespace, or an entry in `flows`. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/util.h"
#include "tests/bench/bench.h"

#define MAPS_MAX 64

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

/* The map of that name that a program uses; -ENOENT, -errno. */
static int map_of(int program, const char *name)
{
	__u32 id[MAPS_MAX], i, length;
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)id};

	length = sizeof(info);
	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	for (i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++) {
		struct bpf_map_info map = {};
		int fd = bpf_map_get_fd_by_id(id[i]);

		length = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &length) &&
		    !strcmp(map.name, name))
			return fd;
		fd_close(&fd);
	}
	return -ENOENT;
}

/* A program without the map has nothing to learn. */
static int make_learned(const struct pc_flow *flow, int program)
{
	struct pc_flow_state state = {.seen = clock_ns(CLOCK_MONOTONIC), .flags = PC_FLOW_REPLIED};
	__close_fd int map = map_of(program, "flows");

	if (map < 0)
		return map == -ENOENT ? 0 : map;
	return bpf_map_update_elem(map, flow, &state, BPF_ANY) ? -errno : 0;
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

int state_make(const char *state, const struct frame *frame, const char *frame_name, int program)
{
	static struct names made;
	__free_text char *name = xasprintf("%s %s", state, frame_name);
	int err = 0;

	if (!strcmp(state, "learned"))
		err = make_learned(&frame->flow, program);
	else if (strcmp(state, "none") && !names_have(&made, name))
		err = make(state, &frame->flow);
	if (err)
		error("bench: %s: %s", name, strerror(-err));
	names_add_once(&made, name);
	return err;
}
