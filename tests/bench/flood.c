// SPDX-License-Identifier: GPL-2.0
/*
 * Floods: BPF_PROG_TEST_RUN makes live frames and redirects them into one end of a veth pair; the
 * other end's NAPI runs the filter on them on the same CPU, and its driver counts what became of
 * them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "tests/bench/bench.h"
#include "tests/bench/send.h"

#define BATCH 64 /* frames between two flushes: a NAPI budget */

static struct send_settings *settings; /* the program's memory */

/*
 * The program that sends. It is attached to an interface without traffic: to run a program that is
 * attached nowhere, the kernel rewrites its dispatcher and waits for RCU, twice for each burst.
 */
static int sender(void)
{
	static int fd = -1;
	struct bpf_object *object;
	struct bpf_map *map;
	struct place idle;
	int err;

	if (fd >= 0)
		return fd;
	object = object_open("send.bpf.o");
	if (!object)
		return -errno;
	fd = object_load(object, "send");
	map = bpf_object__find_map_by_name(object, ".bss");
	if (fd < 0 || !map)
		return fd < 0 ? fd : -ENOENT;
	settings = mmap(NULL, sizeof(*settings), PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(map), 0);
	if (settings == MAP_FAILED)
		return -errno;
	err = place_open("p-idle", &idle);
	if (!err)
		err = bpf_xdp_attach(idle.ifindex, fd, XDP_FLAGS_DRV_MODE, NULL);
	return err ? err : fd;
}

void flood_choose(const struct flood *flood)
{
	const struct frame *frame = &flood->frame;

	*settings = (struct send_settings){
		.ifindex = flood->sender,
		.ip = frame->ip,
		.upper = frame->upper,
		.tagged = frame->ip == sizeof(settings->ethernet),
		.random = frame->random,
		.high = frame->high,
		.to_one = frame->to_one,
		.sources = frame->sources,
		.ipv6 = frame->flow.family == 6,
		.tcp = frame->flow.protocol == IPPROTO_TCP,
	};
	memcpy(settings->ethernet, frame->data, sizeof(settings->ethernet));
}

int flood_burst(const struct flood *flood, unsigned int count)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = flood->frame.data,
		    .data_size_in = flood->frame.length, .repeat = count,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	return bpf_prog_test_run_opts(sender(), &run) ? -errno : 0;
}

/* In a flood to all ports, packets to listed ports pass: up to a twentieth of them may. */
void flood_judge(struct flood *flood, uint64_t packets, uint64_t drops)
{
	if (packets &&
	    (flood->action < 0 ||
	     (flood->action == XDP_DROP ? drops * 20 >= packets * 19 : drops * 20 <= packets)))
		return;
	flood->wrong = xasprintf("%s: dropped %llu of %llu frames", flood->work,
				 (unsigned long long)drops, (unsigned long long)packets);
}

static int flood_open(struct flood *flood, char **word, unsigned int rounds)
{
	__close_fd int program = -1;
	struct place from;
	int err;

	flood->work = word[0];
	flood->name = word[1];
	flood->frame_name = word[4];
	flood->action = -1;
	flood->cores = atoi(word[7]);
	err = place_open(word[2], &from);
	if (err || (err = place_open(word[3], &flood->receiver)))
		return err;
	if (frame_build(word[4], &flood->frame) || flood->cores < 1 || flood->cores > CORES_MAX)
		return -EINVAL;
	if (strcmp(word[5], "stack")) {
		if (action_of(word[5], &flood->action))
			return -EINVAL;
		program = program_open(word[3]);
		if (program < 0)
			return program;
	}
	flood->sender = from.ifindex;
	flood->sample = xcalloc(rounds, sizeof(double));
	err = sender();
	if (err < 0)
		return err;
	return state_make(word[6], &flood->frame, &flood->receiver, program);
}

int floods_read(struct flood *flood, unsigned int rounds)
{
	static char *row[LINES_MAX][WORDS_MAX];
	size_t lines = rows_read(row, LINES_MAX, 8), i;

	for (i = 0; i < lines; i++) {
		int err = flood_open(&flood[i], row[i], rounds);

		if (!err)
			continue;
		error("bench: %s, %s: %s", row[i][0], row[i][1], strerror(-err));
		return err;
	}
	return lines;
}

void floods_print(const char *kind, const char *unit, const struct flood *flood, int floods,
		  unsigned int rounds)
{
	int i;

	for (i = 0; i < floods; i++, flood++) {
		if (flood->wrong) {
			wrong_print(flood->work, flood->name, flood->wrong);
			continue;
		}
		printf("{\"kind\": \"%s\", \"work\": \"%s\", \"name\": \"%s\", \"frame\": \"%s\", \"length\": %zu, \"cores\": %u, \"frames\": %llu",
		       kind, flood->work, flood->name, flood->frame_name, flood->frame.length,
		       flood->cores, (unsigned long long)flood->frames);
		samples_print(unit, flood->sample, rounds);
		printf("}\n");
	}
}
