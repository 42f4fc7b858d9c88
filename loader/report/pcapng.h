/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes pcapng (draft-ietf-opsawg-pcapng), with the options that libpcap does not write: verdicts,
 * comments and names of interfaces.
 */
#ifndef PORTCULLIS_REPORT_PCAPNG_H
#define PORTCULLIS_REPORT_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* The link types of frames (www.tcpdump.org/linktypes.html). */
#define PCAPNG_ETHERNET 1
#define PCAPNG_RAW	101

#define PCAPNG_COMMENT_LIMIT 1024 /* bytes of a comment or name; longer ones are cut */

/* A file that is being written. Only complete blocks are written from the buffer, so that the file
 * never ends within a block. */
struct pcapng {
	int fd;
	__u8 *buffer;
	size_t used;
};

/* Closed, because a function below failed: the file has all blocks before that, and accepts no
 * more. */
#define PCAPNG_NONE ((struct pcapng){.fd = -1})

struct pcapng_packet {
	__u32 interface; /* the number of the interface, in the order of pcapng_interface */
	__u64 time;	 /* ns since 1970 */
	const __u8 *frame;
	__u32 captured, length; /* bytes of `frame`; bytes of the packet */
	bool out;
	/*
	 * The return value of the hook: XDP_* for an incoming packet, TC_ACT_* for an outgoing one.
	 */
	__s64 verdict;
	const char *comment;
};

/*
 * All return 0 or -errno. pcapng_begin takes the descriptor, but does not close it; the functions
 * that follow buffer blocks, and write them when the buffer is full. If a write fails half way, a
 * regular file is cut behind its last whole block.
 */
int pcapng_begin(struct pcapng *file, int fd);
/* Adds an interface of this link type; its number is one more than that of the previous one. */
int pcapng_interface(struct pcapng *file, const char *name, __u16 link_type, __u32 capture,
		     const char *filter);
int pcapng_packet(struct pcapng *file, const struct pcapng_packet *packet);
/* Writes how many packets of an interface were lost until `time`. */
int pcapng_lost(struct pcapng *file, __u32 interface, __u64 time, __u64 lost);
int pcapng_flush(struct pcapng *file);
/* Frees the buffer; data that was not flushed is lost. */
void pcapng_free(struct pcapng *file);

#endif
