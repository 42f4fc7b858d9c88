/* SPDX-License-Identifier: GPL-2.0 */
/* The process that reads a capture for `replay` with libpcap. It has no privileges. */
#ifndef PORTCULLIS_COMMAND_REPLAY_CHILD_H
#define PORTCULLIS_COMMAND_REPLAY_CHILD_H

#include <linux/types.h>

/* Do not include "bpf/abi.h" here: libpcap has a struct bpf_insn, too. */

/* A record from that process: this struct, then `captured` bytes. */
struct replay_record {
	__u64 time;
	__u32 captured, length;
	__u16 link;
	__u16 kind;
	__u32 pad;
};

enum replay_record_kind {
	REPLAY_RECORD_PACKET,
	REPLAY_RECORD_END,
	REPLAY_RECORD_BROKEN, /* the bytes are the reason as text */
	REPLAY_RECORD_LIBRARY,
};

/*
 * Reads the file, and writes records into the pipe, with at most `capture` bytes of each packet.
 * Ends the process.
 */
void replay_child_run(int file, int pipe, __u32 capture) __attribute__((noreturn));

#endif
