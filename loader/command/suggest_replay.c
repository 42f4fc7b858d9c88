// SPDX-License-Identifier: GPL-2.0
/* The evidence of a capture, for `suggest --replay`. */
#include "loader/command/suggest_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/replay_local.h"
#include "loader/command/replay_reader.h"
#include "loader/report/suggest_capture.h"

static int open_capture(const char *file)
{
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;

	if (fd < 0)
		error("%s: %s", file, strerror(errno));
	return fd;
}

/* Returns how many packets belong to this host, or -errno with a message. */
static long read_all(struct replay_reader *reader, struct replay_reading *reading,
		     struct suggest_capture *capture)
{
	struct replay_packet *packet = xcalloc(1, sizeof(*packet));
	struct captured captured;
	long count = 0;
	int more;

	while ((more = replay_reader_next(reader, &captured)) > 0) {
		replay_packet_read(reading, &captured, packet);
		if (packet->way != REPLAY_IN && packet->way != REPLAY_OUT)
			continue;
		suggest_capture_take(capture, packet, captured.time);
		count += packet->tuple.ports; /* ARP and the like do not count */
	}
	free(packet);
	return more ? more : count;
}

int suggest_replay(const char *file, const char *local, struct suggest_evidence *evidence)
{
	__close_fd int fd = open_capture(file);
	struct replay_reading reading = {.frame = PC_FRAME_ETHERNET};
	__cleanup(suggest_capture_free) struct suggest_capture *capture = NULL;
	__free_text struct prefix *list = NULL;
	struct replay_reader reader;
	long count;
	int err;

	if (fd < 0)
		return -ENOENT;
	err = replay_reader_start(&reader, file, fd, REPLAY_FRAME);
	if (!err)
		err = replay_local_read(local, "suggest", &list, &reading.locals);
	reading.local = list;
	capture = suggest_capture_new();
	count = err ? err : read_all(&reader, &reading, capture);
	replay_reader_end(&reader);
	if (!count)
		error("%s: no packet in it is from or to %s; name the addresses of the host by --local",
		      file, local ?: "this host");
	if (count <= 0)
		return count ? (int)count : -EINVAL;
	suggest_capture_evidence(capture, evidence);
	return 0;
}
