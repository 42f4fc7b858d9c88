// SPDX-License-Identifier: GPL-2.0
/* Frames from descriptions. Checksums are left zero: the filter verifies none. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packet/frames.h"

static void put(struct frame *frame, const void *bytes, size_t count)
{
	if (count > FRAME_MAX - frame->length) {
		fprintf(stderr, "frame of more than %d bytes\n", FRAME_MAX);
		abort();
	}
	memcpy(frame->data + frame->length, bytes, count);
	frame->length += count;
}

static void put8(struct frame *frame, uint8_t value)
{
	put(frame, &value, 1);
}

static void put16(struct frame *frame, uint16_t value)
{
	uint16_t wire = htons(value);

	put(frame, &wire, sizeof(wire));
}

static void put32(struct frame *frame, uint32_t value)
{
	uint32_t wire = htonl(value);

	put(frame, &wire, sizeof(wire));
}

static void put_many(struct frame *frame, uint8_t value, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put8(frame, value);
}

static void put_address(struct frame *frame, int family, const char *text)
{
	uint8_t address[16];

	if (inet_pton(family, text, address) != 1) {
		fprintf(stderr, "'%s' is no address\n", text);
		abort();
	}
	put(frame, address, family == AF_INET ? 4 : 16);
}

static void set16(struct frame *frame, size_t at, size_t value)
{
	uint16_t wire = htons((uint16_t)value);

	memcpy(frame->data + at, &wire, sizeof(wire));
}

static void put_ethernet(struct frame *frame, const struct frame_spec *spec)
{
	uint16_t type = spec->ethertype;

	if (!type)
		type = spec->family == 4 ? 0x0800 : spec->family == 6 ? 0x86dd : 0x88b5;
	put(frame, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02", 12);
	for (unsigned i = 0; i < spec->tags; i++) {
		put16(frame, spec->tag_type[i] ? spec->tag_type[i] : 0x8100);
		put16(frame, (uint16_t)(100 + i));
	}
	put16(frame, type);
	frame->ip = frame->length;
}

static void put_ipv4(struct frame *frame, const struct frame_spec *spec)
{
	put8(frame, (uint8_t)(0x40 | (5 + spec->options)));
	put8(frame, 0);
	put16(frame, 0); /* the total length, if it is known */
	put16(frame, spec->id ? (uint16_t)spec->id : 0x1234);
	put16(frame, spec->fragment);
	put8(frame, spec->hop_limit ? spec->hop_limit : 64);
	put8(frame, spec->protocol);
	put16(frame, 0);
	put_address(frame, AF_INET, spec->source ? spec->source : FRAME_SOURCE4);
	put_address(frame, AF_INET, spec->target ? spec->target : FRAME_TARGET4);
	put_many(frame, 1, 4 * (size_t)spec->options); /* no-operation */
}

static void put_ext(struct frame *frame, const struct frame_spec *spec, const struct frame_ext *ext,
		    uint8_t next)
{
	put8(frame, next);
	put8(frame, ext->length);
	if (ext->type == 44) {
		put16(frame, (uint16_t)(ext->offset << 3 | ext->more));
		put32(frame, spec->id ? spec->id : 0xfeedbeef);
		return;
	}
	/* One PadN over the remainder; for a routing header: type 1, unknown, no segments left. */
	put8(frame, 1);
	put8(frame, ext->type == 43 ? 0 : 4);
	put_many(frame, 0, 4 + 8 * (size_t)ext->length);
}

static void put_ipv6(struct frame *frame, const struct frame_spec *spec)
{
	put32(frame, 0x60000000);
	put16(frame, 0); /* the payload length, if it is known */
	put8(frame, spec->exts ? spec->ext[0].type : spec->protocol);
	put8(frame, spec->hop_limit ? spec->hop_limit : 64);
	put_address(frame, AF_INET6, spec->source ? spec->source : FRAME_SOURCE6);
	put_address(frame, AF_INET6, spec->target ? spec->target : FRAME_TARGET6);
	for (unsigned i = 0; i < spec->exts; i++) {
		bool last = i + 1 == spec->exts;

		put_ext(frame, spec, &spec->ext[i], last ? spec->protocol : spec->ext[i + 1].type);
	}
}

static void put_upper(struct frame *frame, const struct frame_spec *spec)
{
	uint8_t doff = spec->doff ? spec->doff : 5;

	switch (spec->bare ? 59 : spec->protocol) {
	case 6:
		put16(frame, spec->source_port ? spec->source_port : 40000);
		put16(frame, spec->port);
		put32(frame, spec->sequence ? spec->sequence : 1);
		put32(frame, spec->acknowledged);
		put8(frame, (uint8_t)(doff << 4));
		put8(frame, spec->flags ? spec->flags : FRAME_SYN);
		put16(frame, 65535);
		put32(frame, 0);
		put_many(frame, 1, doff > 5 ? 4 * (size_t)(doff - 5) : 0);
		break;
	case 17:
		put16(frame, spec->source_port ? spec->source_port : 40000);
		put16(frame, spec->port);
		put16(frame, (uint16_t)(8 + spec->payload));
		put16(frame, 0);
		break;
	case 1:
	case 58:
		put8(frame, spec->type);
		put8(frame, spec->code);
		put16(frame, 0);
		put16(frame, spec->identifier);
		put16(frame, spec->mtu);
		break;
	default: break;
	}
}

/* Builds the packet from its IP header on, with its lengths. */
static void put_packet(struct frame *frame, const struct frame_spec *spec)
{
	frame->ip = frame->length;
	if (spec->family == 4)
		put_ipv4(frame, spec);
	if (spec->family == 6)
		put_ipv6(frame, spec);
	frame->upper = frame->length;
	if (spec->family)
		put_upper(frame, spec);
}

/* Filler that a parser at a wrong offset reads as TCP to port 25, or as type 8. */
static void put_payload(struct frame *frame, size_t payload)
{
	for (size_t i = 0; i < payload; i++)
		put8(frame, (uint8_t)(i & 1 ? 25 : 0));
}

static void put_quote(struct frame *frame, const struct frame_spec *spec)
{
	size_t ip = frame->ip, upper = frame->upper;

	frame->quote = frame->length;
	put_packet(frame, spec->quote);
	put_payload(frame, spec->quote->payload);
	frame_fit(frame, spec->quote->family);
	if (spec->quoted && frame->quote + spec->quoted < frame->length)
		frame->length = frame->quote + spec->quoted;
	frame->ip = ip;
	frame->upper = upper;
}

void frame_build(const struct frame_spec *spec, struct frame *frame)
{
	frame->length = 0;
	put_ethernet(frame, spec);
	put_packet(frame, spec);
	frame->quote = frame->length;
	if (spec->quote)
		put_quote(frame, spec);
	put_payload(frame, spec->payload);
	frame->end = frame->length;
	if (!spec->big)
		frame_fit(frame, spec->family);
	put_many(frame, 0xee, spec->trailer);
}

void frame_patch(struct frame *frame, const struct frame_patch *patch)
{
	size_t from = patch->from == FROM_IP	? frame->ip :
		      patch->from == FROM_UPPER ? frame->upper :
		      patch->from == FROM_QUOTE ? frame->quote :
						  0;

	for (unsigned i = 0; i < patch->width; i++) {
		size_t at = from + patch->at + i;

		if (at >= frame->length) {
			fprintf(stderr, "patch past the frame\n");
			abort();
		}
		frame->data[at] = (uint8_t)(patch->value >> (8 * (patch->width - 1 - i)));
	}
}

void frame_cut(struct frame *frame, size_t length)
{
	if (length < frame->length)
		frame->length = length;
	if (length < frame->end)
		frame->end = length;
}

void frame_fit(struct frame *frame, int family)
{
	if (family == 4 && frame->length >= frame->ip + 4)
		set16(frame, frame->ip + 2, frame->length - frame->ip);
	if (family == 6 && frame->length >= frame->ip + 40)
		set16(frame, frame->ip + 4, frame->length - frame->ip - 40);
}

void frame_bare(struct frame *frame)
{
	size_t front = frame->ip < frame->length ? frame->ip : frame->length;

	memmove(frame->data, frame->data + front, frame->length - front);
	frame->length -= front;
	frame->ip -= front;
	frame->upper -= front;
	frame->quote -= front;
	frame->end -= front;
}

void frame_print(const struct frame *frame)
{
	size_t shown = frame->length < 512 ? frame->length : 512;

	printf("# %zu bytes:", frame->length);
	for (size_t i = 0; i < shown; i++)
		printf("%s%02x", i % 32 ? i % 8 ? "" : " " : "\n#   ", frame->data[i]);
	printf("%s\n", shown < frame->length ? " ..." : "");
}
