// SPDX-License-Identifier: GPL-2.0
/* Updates a map-in-map in a thread. */
#include "loader/object/slot_update.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/object/pin.h"

struct slot_update {
	pthread_t thread;
	int outer, inner; /* duplicated descriptors of both maps */
	__u32 slot;
	atomic_int result; /* PENDING until the system call has returned */
};

#define PENDING 1

static void *update_slot(void *argument)
{
	struct slot_update *update = argument;
	int err = bpf_map_update_elem(update->outer, &update->slot, &update->inner, BPF_ANY);

	atomic_store(&update->result, err ? -errno : 0);
	return NULL;
}

static void update_free(struct slot_update *update)
{
	fd_close(&update->outer);
	fd_close(&update->inner);
	free(update);
}

int slot_update_begin(int outer, __u32 slot, int inner, struct slot_update **update)
{
	struct slot_update *begun = xcalloc(1, sizeof(*begun));
	struct bpf_map_info info;
	__u32 id = object_map(inner, &info) ? 0 : info.id, seen = 0;
	int err;

	begun->outer = fcntl(outer, F_DUPFD_CLOEXEC, 3);
	begun->inner = fcntl(inner, F_DUPFD_CLOEXEC, 3);
	begun->slot = slot;
	atomic_init(&begun->result, PENDING);
	err = -pthread_create(&begun->thread, NULL, update_slot, begun);
	if (err) {
		update_free(begun);
		return err;
	}
	while (atomic_load(&begun->result) == PENDING) {
		if (!bpf_map_lookup_elem(outer, &slot, &seen) && seen == id)
			break;
		sched_yield();
	}
	*update = begun;
	err = atomic_load(&begun->result);
	if (err < 0) {
		slot_update_end(update);
		return err;
	}
	return 0;
}

void slot_update_end(struct slot_update **update)
{
	if (!*update)
		return;
	pthread_join((*update)->thread, NULL);
	update_free(*update);
	*update = NULL;
}
