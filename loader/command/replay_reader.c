// SPDX-License-Identifier: GPL-2.0
/* Reads the records of the process that reads a capture. */
#include "loader/command/replay_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/base/columns.h"
#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/command/replay_child.h"

#define BUFFER (256 << 10)
#define PIPE   (1 << 20)

int replay_reader_start(struct replay_reader *reader, const char *name, int fd, __u32 capture)
{
	int ends[2];

	*reader = (struct replay_reader){.name = name, .fd = -1};
	if (pipe2(ends, O_CLOEXEC)) {
		error("replay: cannot make a pipe: %s", strerror(errno));
		return -errno;
	}
	fcntl(ends[0], F_SETPIPE_SZ, PIPE);
	reader->pid = fork();
	if (!reader->pid)
		replay_child_run(fd, ends[1], capture);
	close(ends[1]);
	reader->fd = ends[0];
	if (reader->pid < 0) {
		error("replay: cannot start a process: %s", strerror(errno));
		return -EAGAIN;
	}
	reader->buffer = xcalloc(1, BUFFER);
	return 0;
}

/* True if the buffer has `size` bytes from `at` on. */
static bool fill(struct replay_reader *reader, size_t size)
{
	if (reader->filled - reader->at >= size)
		return true;
	memmove(reader->buffer, reader->buffer + reader->at, reader->filled - reader->at);
	reader->filled -= reader->at;
	reader->at = 0;
	while (reader->filled < size) {
		ssize_t count =
			read(reader->fd, reader->buffer + reader->filled, BUFFER - reader->filled);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		reader->filled += (size_t)count;
	}
	return true;
}

/* libpcap's message, or a clearer one of our own. */
static int broken(const struct replay_reader *reader, const char *why)
{
	__free_text char *packets = human_count(reader->packets, "packet", "packets");

	if (reader->packets)
		error("%s: is broken or cut off after %s: %s", reader->name, packets, why);
	else if (!strcmp(why, "unknown file format"))
		error("%s: is not a capture: neither pcap nor pcapng; if it is compressed: zcat FILE | portcullis replay -",
		      reader->name);
	else
		error("%s: cannot be read as a capture: %s", reader->name, why);
	return -EINVAL;
}

static int end_of(struct replay_reader *reader)
{
	int status = 0;

	fd_close(&reader->fd);
	if (reader->pid > 0 && waitpid(reader->pid, &status, 0) == reader->pid)
		reader->pid = -1;
	if (WIFSIGNALED(status))
		error("%s: libpcap failed on it (%s) after %llu packets", reader->name,
		      strsignal(WTERMSIG(status)), (unsigned long long)reader->packets);
	else
		error("%s: the process that reads it ended too early; try again", reader->name);
	return -EIO;
}

static int take_text(const struct replay_reader *reader, const struct replay_record *record)
{
	__free_text char *text =
		xstrndup((const char *)reader->buffer + reader->at, record->captured);

	if (record->kind == REPLAY_RECORD_BROKEN)
		return broken(reader, text);
	error("replay: %s", text);
	return -ENOENT;
}

static int take_packet(struct replay_reader *reader, const struct replay_record *record,
		       struct captured *captured)
{
	if (!replay_link_known(record->link)) {
		error("%s: its link type is %u, which replay does not know; it reads " REPLAY_LINK_TYPES,
		      reader->name, record->link);
		return -EINVAL;
	}
	*captured = (struct captured){
		.time = record->time,
		.link = record->link,
		.captured = record->captured,
		.length = record->length < record->captured ? record->captured : record->length,
		.bytes = reader->buffer + reader->at};
	reader->at += record->captured;
	reader->packets++;
	return 1;
}

int replay_reader_next(struct replay_reader *reader, struct captured *captured)
{
	struct replay_record record;

	if (!fill(reader, sizeof(record)))
		return end_of(reader);
	memcpy(&record, reader->buffer + reader->at, sizeof(record));
	if (record.captured > REPLAY_CAPTURE || !fill(reader, sizeof(record) + record.captured))
		return end_of(reader);
	reader->at += sizeof(record);
	switch (record.kind) {
	case REPLAY_RECORD_PACKET: return take_packet(reader, &record, captured);
	case REPLAY_RECORD_END: return 0;
	}
	return take_text(reader, &record);
}

void replay_reader_end(struct replay_reader *reader)
{
	fd_close(&reader->fd);
	if (reader->pid > 0)
		waitpid(reader->pid, NULL, 0);
	reader->pid = -1;
	free(reader->buffer);
	reader->buffer = NULL;
}
