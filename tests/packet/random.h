/* SPDX-License-Identifier: GPL-2.0 */
/* Random frames, repeatable by seed: valid ones of every kind, and valid ones broken somewhere. */
#ifndef PORTCULLIS_TEST_RANDOM_H
#define PORTCULLIS_TEST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "tests/packet/frames.h"

struct random {
	uint64_t state;
};

/* The generator of frame `index` of a run: each frame can be made again from seed and index
 * alone. */
struct random random_of(uint64_t seed, uint64_t index);
uint32_t random_below(struct random *random, uint32_t limit);

struct random_tuple {
	uint8_t family;
	uint8_t protocol;
	uint16_t remote;
	uint16_t local; /* of an echo: the identifier */
};

/* What the frames aim at, so that more of them reach the port table than by chance. */
struct random_aims {
	bool outward;			  /* frames that this host sends */
	/* ports of PEER and of the default target: live ones and others */
	const struct random_tuple *tuple;
	size_t tuples;
	const uint32_t *id; /* of fragments */
	size_t ids;
	const uint16_t *listed[PC_TRANSPORTS]; /* at least one each */
	size_t listeds[PC_TRANSPORTS];
	const uint16_t *port; /* other interesting ports: closed ones, those of another profile.. */
	size_t ports;
	const uint16_t *source_port;
	size_t source_ports;
	const char *const *source4;
	size_t sources4;
	const char *const *source6;
	size_t sources6;
	/* NULL in the list: the default address; an empty list: only that */
	const char *const *target4;
	size_t targets4;
	const char *const *target6;
	size_t targets6;
	const uint8_t *protocol;
	size_t protocols;
};

void random_frame(struct random *random, const struct random_aims *aims, struct frame *frame);

#endif
