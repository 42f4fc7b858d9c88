// SPDX-License-Identifier: GPL-2.0
/* Writes pcapng in this host's byte order, which readers detect by the magic number. */
#include "loader/report/pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/memory.h"

#define PCAPNG_BUFFER (1 << 20)
#define BLOCK_LIMIT   (PCAPNG_BUFFER / 4) /* bytes of one block: a frame has at most 64 KiB */

/* Types of blocks, and the codes of options in them. */
#define BLOCK_SECTION	 0x0a0d0d0aU
#define BLOCK_INTERFACE	 1U
#define BLOCK_STATISTICS 5U
#define BLOCK_PACKET	 6U
#define BYTE_ORDER_MAGIC 0x1a2b3c4dU

#define OPTION_END	   0
#define OPTION_COMMENT	   1
#define SECTION_USERAPPL   4
#define INTERFACE_NAME	   2
#define INTERFACE_TSRESOL  9
#define INTERFACE_FILTER   11
#define PACKET_FLAGS	   2
#define PACKET_VERDICT	   7
#define STATISTICS_OS_DROP 7

#define TSRESOL_NS	9 /* a power of ten */
#define FILTER_STRING	0
#define FLAGS_INBOUND	1U
#define FLAGS_OUTBOUND	2U
#define VERDICT_EBPF_TC 1
#define VERDICT_XDP	2

/* --- building a block in the buffer --- */

static void put(struct pcapng *file, const void *bytes, size_t length)
{
	if (length)
		memcpy(file->buffer + file->used, bytes, length);
	file->used += length;
}

static void put_16(struct pcapng *file, __u16 value)
{
	put(file, &value, sizeof(value));
}

static void put_32(struct pcapng *file, __u32 value)
{
	put(file, &value, sizeof(value));
}

/* Adds zeros up to a multiple of 4 bytes, the unit of every block's length. */
static void pad(struct pcapng *file)
{
	static const __u8 zero[4];

	put(file, zero, -file->used % 4);
}

static void put_option(struct pcapng *file, __u16 code, const void *value, size_t length)
{
	put_16(file, code);
	put_16(file, (__u16)length);
	put(file, value, length);
	pad(file);
}

static void put_text(struct pcapng *file, __u16 code, const char *text)
{
	if (text)
		put_option(file, code, text, strnlen(text, PCAPNG_COMMENT_LIMIT));
}

/* An option whose value begins with a byte for the type of the rest. */
static void put_kind(struct pcapng *file, __u16 code, __u8 kind, const void *value, size_t length)
{
	put_16(file, code);
	put_16(file, (__u16)(1 + length));
	put(file, &kind, 1);
	put(file, value, length);
	pad(file);
}

/* Nanoseconds since 1970, the unit given by TSRESOL_NS. */
static void put_time(struct pcapng *file, __u64 time)
{
	put_32(file, (__u32)(time >> 32));
	put_32(file, (__u32)time);
}

/* --- writing --- */

/* The bytes of the complete blocks among the first `length` bytes. */
static size_t whole_blocks(const struct pcapng *file, size_t length)
{
	size_t at = 0;
	__u32 block;

	while (at + 8 <= length) {
		memcpy(&block, file->buffer + at + 4, sizeof(block));
		if (at + block > length)
			break;
		at += block;
	}
	return at;
}

/* After a write that ended within a block: cuts the part off, if the file can be cut. */
static void cut(const struct pcapng *file, size_t written)
{
	off_t part = (off_t)(written - whole_blocks(file, written));
	struct stat st;
	off_t end;

	if (!part || fstat(file->fd, &st) || !S_ISREG(st.st_mode))
		return;
	end = lseek(file->fd, 0, SEEK_CUR);
	if (end < part || ftruncate(file->fd, end - part))
		return;
	lseek(file->fd, end - part, SEEK_SET);
}

int pcapng_flush(struct pcapng *file)
{
	size_t written = 0;
	int err = 0;

	if (file->fd < 0)
		return -EBADF;
	while (written < file->used && !err) {
		ssize_t part = write(file->fd, file->buffer + written, file->used - written);

		if (part > 0)
			written += (size_t)part;
		else if (!part || errno != EINTR)
			err = part ? -errno : -EIO;
	}
	if (err) {
		cut(file, written);
		file->fd = -1;
	}
	file->used = 0;
	return err;
}

/* A block has its length at both ends; block_end sets both. */
static int block_begin(struct pcapng *file, __u32 type, size_t *start)
{
	int err = 0;

	if (file->fd < 0)
		return -EBADF;
	if (file->used > PCAPNG_BUFFER - BLOCK_LIMIT)
		err = pcapng_flush(file);
	*start = file->used;
	if (!err) {
		put_32(file, type);
		put_32(file, 0);
	}
	return err;
}

static void block_end(struct pcapng *file, size_t start)
{
	__u32 length = (__u32)(file->used - start + sizeof(length));

	put_32(file, length);
	memcpy(file->buffer + start + sizeof(__u32), &length, sizeof(length));
}

int pcapng_begin(struct pcapng *file, int fd)
{
	const __u64 unknown_length = ~0ULL;
	size_t start;
	int err;

	*file = (struct pcapng){.fd = fd, .buffer = xcalloc(1, PCAPNG_BUFFER)};
	err = block_begin(file, BLOCK_SECTION, &start);
	if (err)
		return err;
	put_32(file, BYTE_ORDER_MAGIC);
	put_16(file, 1); /* version 1.0 */
	put_16(file, 0);
	put(file, &unknown_length, sizeof(unknown_length));
	put_text(file, SECTION_USERAPPL, "portcullis " PORTCULLIS_VERSION);
	put_option(file, OPTION_END, NULL, 0);
	block_end(file, start);
	return 0;
}

int pcapng_interface(struct pcapng *file, const char *name, __u16 link_type, __u32 capture,
		     const char *filter)
{
	const __u8 resolution = TSRESOL_NS;
	size_t start;
	int err = block_begin(file, BLOCK_INTERFACE, &start);

	if (err)
		return err;
	put_16(file, link_type);
	put_16(file, 0);
	put_32(file, capture);
	put_text(file, INTERFACE_NAME, name);
	put_option(file, INTERFACE_TSRESOL, &resolution, sizeof(resolution));
	if (filter)
		put_kind(file, INTERFACE_FILTER, FILTER_STRING, filter,
			 strnlen(filter, PCAPNG_COMMENT_LIMIT));
	put_option(file, OPTION_END, NULL, 0);
	block_end(file, start);
	return 0;
}

int pcapng_packet(struct pcapng *file, const struct pcapng_packet *packet)
{
	__u32 flags = packet->out ? FLAGS_OUTBOUND : FLAGS_INBOUND;
	size_t start;
	int err;

	if (packet->captured > BLOCK_LIMIT / 2)
		return -EMSGSIZE;
	err = block_begin(file, BLOCK_PACKET, &start);
	if (err)
		return err;
	put_32(file, packet->interface);
	put_time(file, packet->time);
	put_32(file, packet->captured);
	put_32(file, packet->length);
	put(file, packet->frame, packet->captured);
	pad(file);
	put_option(file, PACKET_FLAGS, &flags, sizeof(flags));
	put_kind(file, PACKET_VERDICT, packet->out ? VERDICT_EBPF_TC : VERDICT_XDP,
		 &packet->verdict, sizeof(packet->verdict));
	put_text(file, OPTION_COMMENT, packet->comment);
	put_option(file, OPTION_END, NULL, 0);
	block_end(file, start);
	return 0;
}

int pcapng_lost(struct pcapng *file, __u32 interface, __u64 time, __u64 lost)
{
	size_t start;
	int err = block_begin(file, BLOCK_STATISTICS, &start);

	if (err)
		return err;
	put_32(file, interface);
	put_time(file, time);
	put_option(file, STATISTICS_OS_DROP, &lost, sizeof(lost));
	put_option(file, OPTION_END, NULL, 0);
	block_end(file, start);
	return 0;
}

void pcapng_free(struct pcapng *file)
{
	free(file->buffer);
	*file = PCAPNG_NONE;
}
