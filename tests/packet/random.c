// SPDX-License-Identifier: GPL-2.0
/*
 * Random frames: a description by weighted dice, which is built, and then perhaps broken in one to
 * three places.
 */
#include <string.h>

#include "tests/packet/random.h"

/* splitmix64: any state is valid, so a frame's own state can be hashed from seed and index. */
static uint64_t next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

struct random random_of(uint64_t seed, uint64_t index)
{
	struct random random = {seed};

	random.state = next(&random) ^ index;
	random.state = next(&random);
	return random;
}

uint32_t random_below(struct random *random, uint32_t limit)
{
	return (uint32_t)((next(random) >> 32) * limit >> 32);
}

static bool chance(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

static void choose_tags(struct random *random, struct frame_spec *spec)
{
	static const uint8_t tags[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 0};

	spec->tags = tags[random_below(random, sizeof(tags))];
	for (unsigned i = 0; i < spec->tags; i++) {
		/* 0x9100 is not a tag for the filter: the next two bytes are another ethertype. */
		spec->tag_type[i] = chance(random, 40) ? 0x88a8 :
				    chance(random, 5)  ? 0x9100 :
							 0x8100;
	}
}

static uint16_t any_ethertype(struct random *random)
{
	static const uint16_t type[] = {0x0806, 0x88cc, 0x8847, 0x8864, 0x9100, 0x0040, 0x05dc,
					0x8100, 0x88a8, 0x0800, 0x86dd, 0x0801, 0x0008, 0xdd86};

	if (chance(random, 30))
		return (uint16_t)next(random);
	return type[random_below(random, sizeof(type) / sizeof(type[0]))];
}

static uint8_t choose_protocol(struct random *random, const struct random_aims *aims, int family)
{
	static const uint8_t odd[] = {0, 1, 2, 6, 17, 43, 44, 50, 51, 58, 59, 60, 132, 135, 255};

	switch (random_below(random, 20)) {
	case 0 ... 7: return 6;
	case 8 ... 13: return 17;
	case 14 ... 15: return family == 4 ? 1 : 58;
	case 16 ... 17: return aims->protocol[random_below(random, (uint32_t)aims->protocols)];
	case 18: return odd[random_below(random, sizeof(odd))];
	default: return (uint8_t)next(random);
	}
}

static void choose_ports(struct random *random, const struct random_aims *aims,
			 struct frame_spec *spec)
{
	enum pc_transport transport = spec->protocol == 6 ? PC_TCP : PC_UDP;
	uint32_t listeds = (uint32_t)aims->listeds[transport];

	spec->port = aims->port[random_below(random, (uint32_t)aims->ports)];
	if (chance(random, 60))
		spec->port = aims->listed[transport][random_below(random, listeds)];
	if (chance(random, 10)) /* the ports next to a listed port or range */
		spec->port = (uint16_t)(spec->port + random_below(random, 5) - 2);
	else if (chance(random, 10))
		spec->port = (uint16_t)next(random);
	spec->source_port = aims->source_port[random_below(random, (uint32_t)aims->source_ports)];
	if (chance(random, 10))
		spec->source_port = (uint16_t)(spec->source_port + random_below(random, 5) - 2);
	else if (chance(random, 20))
		spec->source_port = (uint16_t)next(random);
}

static void choose_fragment(struct random *random, struct frame_spec *spec)
{
	static const uint16_t offset[] = {1, 1, 1, 2, 3, 185, 0x1fff};

	spec->fragment = chance(random, 50) ? FRAGMENT_DF : 0;
	if (!chance(random, 15))
		return;
	spec->fragment = 0;
	if (chance(random, 60))
		spec->fragment = offset[random_below(random, 7)];
	if (!spec->fragment || chance(random, 50))
		spec->fragment |= FRAGMENT_MORE;
	if (chance(random, 10))
		spec->fragment |= (uint16_t)(FRAGMENT_DF | random_below(random, 2) << 15);
}

static void choose_exts(struct random *random, struct frame_spec *spec)
{
	static const uint8_t type[] = {0, 43, 60, 60, 44};

	if (chance(random, 55))
		return;
	spec->exts = 1 + random_below(random, chance(random, 50) ? 3 : 10);
	for (unsigned i = 0; i < spec->exts; i++) {
		struct frame_ext *ext = &spec->ext[i];

		ext->type = type[random_below(random, sizeof(type))];
		if (chance(random, 30))
			ext->length = (uint8_t)random_below(random, chance(random, 90) ? 4 : 256);
		if (ext->type == 44 && chance(random, 35))
			ext->offset =
				(uint16_t)(chance(random, 50) ? 1 : random_below(random, 8192));
		ext->more = chance(random, 30);
	}
}

static void choose_payload(struct random *random, struct frame_spec *spec)
{
	static const uint32_t top[] = {1, 16, 16, 64, 200};

	spec->payload = random_below(random, top[random_below(random, 5)]);
	if (random_below(random, 200) == 0)
		spec->payload = random_below(random, 9000);
	if (random_below(random, 2000) == 0) {
		spec->payload = 65000 + random_below(random, 1500);
		spec->big = chance(random, 80);
	}
	if (chance(random, 20))
		spec->trailer = random_below(random, 40);
}

static void choose_type(struct random *random, struct frame_spec *spec)
{
	static const uint8_t type4[] = {0, 3, 8, 11, 12, 4, 5, 13, 17};
	static const uint8_t type6[] = {1,   2,	  3,   4,   128, 129, 130,
					133, 134, 135, 136, 137, 143, 144};

	if (chance(random, 25))
		spec->type = (uint8_t)next(random);
	else if (spec->family == 4)
		spec->type = type4[random_below(random, sizeof(type4))];
	else
		spec->type = type6[random_below(random, sizeof(type6))];
	spec->hop_limit = chance(random, 50) ? 255 : (uint8_t)next(random);
}

static void choose_flags(struct random *random, struct frame_spec *spec)
{
	static const uint8_t flags[] = {FRAME_SYN,
					FRAME_ACK,
					FRAME_ACK,
					FRAME_SYN | FRAME_ACK,
					FRAME_FIN | FRAME_ACK,
					FRAME_RST,
					FRAME_PSH | FRAME_ACK};

	spec->flags = flags[random_below(random, sizeof(flags))];
	if (chance(random, 5))
		spec->flags = (uint8_t)next(random);
}

/* Ports and addresses of a socket or a flow that the host has, or had. */
static const struct random_tuple *choose_tuple(struct random *random,
					       const struct random_aims *aims, int family)
{
	const struct random_tuple *tuple = aims->tuple;

	for (int tries = 0; tries < 20; tries++) {
		tuple = &aims->tuple[random_below(random, (uint32_t)aims->tuples)];
		if (tuple->family == family)
			break;
	}
	return tuple;
}

static void aim_at_tuple(struct random *random, const struct random_aims *aims,
			 struct frame_spec *spec)
{
	const struct random_tuple *tuple = choose_tuple(random, aims, spec->family);

	if (tuple->family != spec->family)
		return;
	spec->source = NULL;
	spec->protocol = tuple->protocol;
	spec->source_port = tuple->remote;
	spec->port = tuple->local;
	spec->identifier = tuple->local;
	if (tuple->protocol == 1)
		spec->type = chance(random, 70) ? 0 : 8;
	if (tuple->protocol == 58)
		spec->type = chance(random, 70) ? 129 : 128;
}

/* Exchanges source and destination: as this host, or a machine behind it, would have sent it. */
static void turn(struct frame_spec *spec)
{
	bool ipv4 = spec->family == 4;
	uint16_t port = spec->port;
	const char *target = spec->target ? spec->target : ipv4 ? FRAME_TARGET4 : FRAME_TARGET6;

	spec->target = spec->source ? spec->source : ipv4 ? FRAME_SOURCE4 : FRAME_SOURCE6;
	spec->source = target;
	spec->port = spec->source_port ? spec->source_port : 40000;
	spec->source_port = port;
	if (spec->protocol == 1 && (spec->type == 0 || spec->type == 8))
		spec->type = spec->type ? 0 : 8;
	if (spec->protocol == 58 && (spec->type == 128 || spec->type == 129))
		spec->type = spec->type == 128 ? 129 : 128;
}

static void choose_target(struct random *random, const struct random_aims *aims,
			  struct frame_spec *spec)
{
	if (spec->family == 4 && aims->targets4)
		spec->target = aims->target4[random_below(random, (uint32_t)aims->targets4)];
	else if (spec->family == 6 && aims->targets6)
		spec->target = aims->target6[random_below(random, (uint32_t)aims->targets6)];
}

static void choose_quote(struct random *random, const struct random_aims *aims,
			 struct frame_spec *spec, struct frame_spec *quote)
{
	static const uint8_t type4[] = {3, 11, 12, 3}, type6[] = {1, 2, 3, 4};

	*quote = (struct frame_spec){.family = spec->family, .payload = 8};
	quote->protocol = choose_protocol(random, aims, spec->family);
	choose_ports(random, aims, quote);
	choose_flags(random, quote);
	quote->target = spec->target;
	if (aims->targets4 && chance(random, 15)) /* of another machine */
		choose_target(random, aims, quote);
	if (chance(random, 70))
		aim_at_tuple(random, aims, quote);
	turn(quote);
	if (chance(random, 15) && spec->family == 4)
		choose_fragment(random, quote);
	if (chance(random, 20) && spec->family == 6)
		choose_exts(random, quote);
	if (chance(random, 10) && spec->family == 4)
		quote->options = (uint8_t)random_below(random, 11);
	spec->protocol = spec->family == 4 ? 1 : 58;
	spec->type = (spec->family == 4 ? type4 : type6)[random_below(random, 4)];
	spec->quote = quote;
	spec->quoted = chance(random, 20) ? random_below(random, 80) : 0;
	spec->payload = random_below(random, 30);
	spec->big = false;
}

static void choose(struct random *random, const struct random_aims *aims, struct frame_spec *spec,
		   struct frame_spec *quote)
{
	choose_tags(random, spec);
	choose_payload(random, spec);
	spec->family = chance(random, 5) ? 0 : chance(random, 50) ? 4 : 6;
	if (!spec->family) {
		spec->ethertype = any_ethertype(random);
		return;
	}
	spec->protocol = choose_protocol(random, aims, spec->family);
	choose_ports(random, aims, spec);
	choose_type(random, spec);
	if (chance(random, 15))
		spec->doff = (uint8_t)(5 + random_below(random, 11));
	if (spec->family == 4) {
		spec->source = aims->source4[random_below(random, (uint32_t)aims->sources4)];
		spec->options = chance(random, 20) ? (uint8_t)random_below(random, 11) : 0;
		choose_fragment(random, spec);
	} else {
		spec->source = aims->source6[random_below(random, (uint32_t)aims->sources6)];
		choose_exts(random, spec);
	}
	choose_target(random, aims, spec);
	choose_flags(random, spec);
	spec->id = aims->id[random_below(random, (uint32_t)aims->ids)];
	if (chance(random, 20))
		aim_at_tuple(random, aims, spec);
	if (aims->outward)
		turn(spec);
	else if (chance(random, 8))
		choose_quote(random, aims, spec, quote);
}

/* An address just inside or just outside the prefix. */
static void nudge(struct random *random, const struct frame_spec *spec, size_t at,
		  struct frame *frame)
{
	uint32_t bits = spec->family == 4 ? 32 : 128;
	uint32_t bit = random_below(random, bits);

	frame->data[at + bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	if (chance(random, 50)) /* all bits below that one are random, too */
		for (uint32_t below = bit / 8 + 1; below < bits / 8; below++)
			frame->data[at + below] = (uint8_t)next(random);
}

static void nudge16(struct random *random, struct frame *frame, size_t at)
{
	uint16_t value;

	if (at + 2 > frame->length)
		return;
	value = (uint16_t)(frame->data[at] << 8 | frame->data[at + 1]);
	switch (random_below(random, 4)) {
	case 0: value = (uint16_t)(value + random_below(random, 17) - 8); break;
	case 1: value = (uint16_t)random_below(random, 80); break;
	case 2: value = chance(random, 50) ? 0 : 0xffff; break;
	default: value = (uint16_t)next(random); break;
	}
	frame->data[at] = (uint8_t)(value >> 8);
	frame->data[at + 1] = (uint8_t)value;
}

/* Bytes that decide more than others: ethertype, version and ihl, flags, next header, doff. */
static size_t header_byte(struct random *random, const struct frame *frame)
{
	if (frame->quote > frame->upper + 8 - 1 && frame->length > frame->quote + 30 &&
	    chance(random, 30))
		return frame->quote + random_below(random, 30);
	switch (random_below(random, 8)) {
	case 0: return 12 + random_below(random, (uint32_t)(frame->ip - 12));
	case 1: return frame->ip;
	case 2: return frame->ip + 6 + random_below(random, 4);
	case 3: return frame->upper + random_below(random, 4);
	case 4: return frame->upper + 12;
	default: return 12 + random_below(random, (uint32_t)(frame->upper - 12 + 20));
	}
}

static void cut(struct random *random, const struct frame_spec *spec, struct frame *frame)
{
	size_t limit = frame->length;

	if (chance(random, 80) && limit > frame->upper + 24)
		limit = frame->upper + 24;
	if (chance(random, 30) && limit > frame->upper) /* around the upper header */
		frame_cut(frame,
			  frame->upper + random_below(random, (uint32_t)(limit - frame->upper)));
	else
		frame_cut(frame, random_below(random, (uint32_t)limit + 1));
	if (chance(random, 50)) /* not cut on the way, but sent with this length */
		frame_fit(frame, spec->family);
}

static void mutate(struct random *random, const struct frame_spec *spec, struct frame *frame)
{
	size_t at;

	switch (random_below(random, 6)) {
	case 0:
		at = header_byte(random, frame);
		if (at < frame->length)
			frame->data[at] ^= (uint8_t)(1 << random_below(random, 8));
		break;
	case 1:
		at = header_byte(random, frame);
		if (at < frame->length)
			frame->data[at] = (uint8_t)next(random);
		break;
	case 2: nudge16(random, frame, frame->ip + (spec->family == 6 ? 4 : 2)); break;
	case 3: cut(random, spec, frame); break;
	case 4: /* a data offset, or the length of another header there */
		at = frame->upper + (chance(random, 70) ? 12 : 1);
		if (at < frame->length)
			frame->data[at] = (uint8_t)next(random);
		break;
	default:
		if (frame->ip < frame->length) /* ihl */
			frame->data[frame->ip] = (uint8_t)((frame->data[frame->ip] & 0xf0) |
							   random_below(random, 16));
		break;
	}
}

/* The place of the local address. */
static size_t local_at(const struct random_aims *aims, const struct frame_spec *spec,
		       const struct frame *frame)
{
	if (spec->family == 4)
		return frame->ip + (aims->outward ? 12 : 16);
	return frame->ip + (aims->outward ? 8 : 24);
}

void random_frame(struct random *random, const struct random_aims *aims, struct frame *frame)
{
	struct frame_spec spec = {0}, quote;

	choose(random, aims, &spec, &quote);
	frame_build(&spec, frame);
	if (spec.family && !aims->outward && chance(random, 25))
		nudge(random, &spec, frame->ip + (spec.family == 4 ? 12 : 8), frame);
	if (spec.family && aims->targets4 && chance(random, 25))
		nudge(random, &spec, local_at(aims, &spec, frame), frame);
	if (!chance(random, 35))
		return;
	for (unsigned rounds = 1 + random_below(random, 3); rounds; rounds--)
		mutate(random, &spec, frame);
}
