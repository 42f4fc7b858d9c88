/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Builds frames from descriptions, byte by byte: Ethernet, VLAN tags, IPv4, IPv6 and the headers
 * above.
 */
#ifndef PORTCULLIS_TEST_FRAMES_H
#define PORTCULLIS_TEST_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX  80000 /* more than BPF_PROG_TEST_RUN accepts */
#define FRAME_TAGS 4
#define FRAME_EXTS 12

/* The default addresses. */
#define FRAME_SOURCE4 "203.0.113.9"
#define FRAME_SOURCE6 "2001:db8:ffff::9"
#define FRAME_TARGET4 "192.0.2.1"
#define FRAME_TARGET6 "2001:db8::1"

#define FRAGMENT_DF   0x4000 /* flags of the IPv4 fragment field */
#define FRAGMENT_MORE 0x2000

#define FRAME_FIN 0x01 /* flags of TCP */
#define FRAME_SYN 0x02
#define FRAME_RST 0x04
#define FRAME_PSH 0x08
#define FRAME_ACK 0x10

/* An IPv6 extension header: type 0, 43, 60 with (length + 1) * 8 bytes, or 44 with 8. */
struct frame_ext {
	uint8_t type;
	uint8_t length;	 /* the length field of the header; reserved in a fragment header */
	uint16_t offset; /* of a fragment header, in units of 8 bytes */
	bool more;
};

/*
 * One frame. Zero means the usual value: no tags, a correct length, hop limit 64, data offset 5,
 * source port 40000, the default addresses. Lengths fit the built frame; patches make them wrong.
 */
struct frame_spec {
	int family; /* 4, 6; 0: `payload` bytes right behind the ethertype */
	uint8_t tags;
	uint16_t tag_type[FRAME_TAGS]; /* 0: 0x8100 */
	uint16_t ethertype;	       /* 0: that of the family */
	const char *source;	       /* 203.0.113.9, 2001:db8:ffff::9 */
	const char *target;	       /* 192.0.2.1, 2001:db8::1 */
	uint8_t hop_limit;
	uint8_t options;   /* of IPv4, in words of 4 bytes */
	uint16_t fragment; /* of IPv4: FRAGMENT_* and the offset in units of 8 bytes */
	uint32_t id;	   /* id of fragments, which are all in one frame; 0: 0x1234, 0xfeedbeef */
	struct frame_ext ext[FRAME_EXTS];
	unsigned exts;
	uint8_t protocol;
	bool bare; /* no header above IP: `payload` follows IP */
	uint16_t source_port;
	uint16_t port;
	uint8_t doff;	   /* words that are built; TCP options are NOPs */
	uint8_t flags;	   /* of TCP: FRAME_*; 0: SYN */
	uint32_t sequence; /* of TCP; 0: 1 */
	uint32_t acknowledged;
	uint8_t type, code;  /* of ICMP */
	uint16_t mtu;	     /* of an ICMP error: of the next hop */
	uint16_t identifier; /* of an echo */
	size_t payload;	     /* bytes behind the upper header */
	size_t trailer;	     /* bytes after the packet that no length includes */
	bool big;	     /* write IP lengths of 0, as BIG TCP does */

	/* The packet that an ICMP error quotes, before the payload. */
	const struct frame_spec *quote;
	size_t quoted; /* bytes of it; 0: all */
};

struct frame {
	uint8_t data[FRAME_MAX];
	size_t length;
	size_t ip;    /* offset of the header after the Ethernet header and the tags */
	size_t upper; /* offset of the header above IP */
	size_t quote; /* offset of a quoted packet, or else of the payload */
	size_t end;   /* offset at which the packet ends and a trailer begins */
};

/* The place from which a patch counts. */
enum frame_part {
	FROM_FRAME,
	FROM_IP,
	FROM_UPPER,
	FROM_QUOTE,
};

/* Overwrites `width` (1, 2 or 4) bytes with `value`, big-endian; width 0 is no patch. */
struct frame_patch {
	enum frame_part from;
	uint16_t at;
	uint8_t width;
	uint32_t value;
};

/* Builds the frame. A frame longer than FRAME_MAX is an error of the test, and ends the process. */
void frame_build(const struct frame_spec *spec, struct frame *frame);
void frame_patch(struct frame *frame, const struct frame_patch *patch);

/* Cuts the frame to `length` bytes, and leaves the lengths in it unchanged. */
void frame_cut(struct frame *frame, size_t length);

/*
 * Sets the IP length field so that the packet ends with the frame. A frame that is too short for
 * that field is left alone.
 */
void frame_fit(struct frame *frame, int family);

/* Removes everything before IP: a frame of an interface without an Ethernet header. */
void frame_bare(struct frame *frame);

void frame_print(const struct frame *frame);

#endif
