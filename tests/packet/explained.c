// SPDX-License-Identifier: GPL-2.0
/* Asks the programs that only explain, and compares their answers with what the filter does. */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "loader/base/memory.h"
#include "loader/filter/load.h"
#include "loader/object/pin.h"
#include "tests/packet/arrays.h"
#include "tests/packet/check.h"
#include "tests/packet/explained.h"

int explained_open(const struct runner *live, struct filter *explaining)
{
	return filter_load_explaining(explaining, &live->filter, live->kind);
}

int explained_run(const struct filter *explaining, const struct frame *frame, size_t linear,
		  bool egress, struct pc_explained *explained)
{
	struct xdp_md context = {.data_end = (__u32)linear};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->data,
		    .data_size_in = (__u32)frame->length, .repeat = 1);
	__u32 zero = 0;

	memset(explained, 0, sizeof(*explained));
	bpf_map_update_elem(explaining->fd[FILTER_EXPLAINED], &zero, explained, BPF_ANY);
	if (!egress && linear < frame->length) {
		options.ctx_in = &context;
		options.ctx_size_in = sizeof(context);
	}
	if (bpf_prog_test_run_opts(explaining->fd[egress ? FILTER_EGRESS : FILTER_PROGRAM],
				   &options))
		return -errno;
	if (bpf_map_lookup_elem(explaining->fd[FILTER_EXPLAINED], &zero, explained))
		return -errno;
	return (int)options.retval;
}

/* Whether the ports in an event are those for which the frame was counted. */
static bool ports_agree(const struct pc_event *event, const struct model_verdict *verdict)
{
	unsigned int transport = event->protocol == IPPROTO_UDP ? PC_UDP : PC_TCP;

	if (verdict->port < 0 || event->how & PC_EVENT_LATER)
		return true;
	return event->how & PC_EVENT_PORTS &&
	       (__u32)verdict->port ==
		       PC_PORT(transport,
			       event->how & PC_EVENT_OUT ? event->remote_port : event->local_port);
}

bool explained_agrees(int action, const struct pc_explained *explained,
		      const struct outcome *outcome, size_t length, bool egress)
{
	const struct pc_event *event = &explained->event;
	struct model_verdict enforced = outcome->verdict;
	bool drop = enforced.action != MODEL_PASS;
	__u8 how = (drop ? PC_EVENT_DROP : 0) |
		   (enforced.action == MODEL_WOULD_DROP ? PC_EVENT_WOULD : 0) |
		   (egress ? PC_EVENT_OUT : 0);
	int want = enforced.action == MODEL_DROP ? (egress ? TC_ACT_SHOT : XDP_DROP) :
		   egress			 ? TC_ACT_UNSPEC :
						   XDP_PASS;

	if (enforced.action == MODEL_WOULD_DROP)
		enforced.action = MODEL_DROP;
	if (action == want && event->cell == model_cell(&enforced) && event->length == length &&
	    (event->how & (PC_EVENT_DROP | PC_EVENT_WOULD | PC_EVENT_OUT)) == how &&
	    ports_agree(event, &outcome->verdict))
		return true;
	note("explained: action %d, cell %u, how %#x, %u bytes, ports %u %u; expected %d, %u, %#x",
	     action, event->cell, event->how, event->length, event->remote_port, event->local_port,
	     want, model_cell(&enforced), how);
	return false;
}

/* Like FNV-1a, but word by word, because the maps have megabytes. */
static uint64_t digest(uint64_t hash, const void *bytes, size_t size)
{
	uint64_t word;

	for (; size; size -= size < sizeof(word) ? size : sizeof(word)) {
		word = 0;
		memcpy(&word, bytes, size < sizeof(word) ? size : sizeof(word));
		bytes = (const char *)bytes + sizeof(word);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash;
}

static uint64_t digest_array(uint64_t hash, int map, const struct bpf_map_info *info)
{
	size_t size = (size_t)info->max_entries * ((info->value_size + 7) / 8 * 8);
	char *values = xcalloc(1, size);
	int err = array_read(map, info, values);

	if (err)
		note("the map %s is not read: %s", info->name, strerror(-err));
	hash = digest(hash, values, size);
	free(values);
	return hash;
}

static uint64_t digest_map(uint64_t hash, int map)
{
	struct bpf_map_info info;
	size_t size;
	char *key, *next, *value;
	bool more;

	if (map < 0 || object_map(map, &info) || info.type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return hash;
	if (info.type == BPF_MAP_TYPE_ARRAY)
		return digest_array(hash, map, &info);
	size = (info.value_size + 7) / 8 * 8;
	if (info.type == BPF_MAP_TYPE_PERCPU_ARRAY)
		size *= (size_t)libbpf_num_possible_cpus();
	key = xcalloc(1, info.key_size);
	next = xcalloc(1, info.key_size);
	value = xcalloc(1, size);
	for (more = !bpf_map_get_next_key(map, NULL, next); more;
	     more = !bpf_map_get_next_key(map, key, next)) {
		memcpy(key, next, info.key_size);
		if (bpf_map_lookup_elem(map, key, value))
			memset(value, 0, size);
		hash = digest(digest(hash, key, info.key_size), value, size);
	}
	free(key);
	free(next);
	free(value);
	return hash;
}

uint64_t explained_digest(const struct filter *filter)
{
	uint64_t hash = digest_map(0xcbf29ce484222325ULL, filter->current.generation);
	int i;

	for (i = 0; i < FILTER_FDS; i++)
		if (filter_descriptor[i].map)
			hash = digest_map(hash, filter->fd[i]);
	return hash;
}
