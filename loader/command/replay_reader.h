/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads a capture with libpcap, in a process of its own without privileges, because a capture may
 * be made to attack its reader.
 */
#ifndef PORTCULLIS_COMMAND_REPLAY_READER_H
#define PORTCULLIS_COMMAND_REPLAY_READER_H

#include <sys/types.h>

#include "loader/report/replay_packet.h"

#define REPLAY_CAPTURE 9216 /* bytes of a frame that are passed on; a jumbo frame fits */

struct replay_reader {
	const char *name; /* name of the file, for messages */
	pid_t pid;
	int fd;
	__u64 packets; /* read so far */
	__u8 *buffer;
	size_t at, filled;
};

/*
 * Starts to read the file `fd`, of each frame at most `capture` bytes. Call it before opening
 * anything that the process should not have. Returns 0 or -errno with a message.
 */
int replay_reader_start(struct replay_reader *reader, const char *name, int fd, __u32 capture);

/*
 * Reads the next packet, whose bytes are valid until the next call. Returns 1; 0 at the end;
 * -errno with a message if the file is broken, or of a link type that replay does not know.
 */
int replay_reader_next(struct replay_reader *reader, struct captured *captured);

void replay_reader_end(struct replay_reader *reader);

#endif
