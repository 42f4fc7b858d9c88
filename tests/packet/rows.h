/* SPDX-License-Identifier: GPL-2.0 */
/* The verdict table as data: a name, a frame, a profile, and what the contract says of it. */
#ifndef PORTCULLIS_TEST_ROWS_H
#define PORTCULLIS_TEST_ROWS_H

#include "tests/packet/frames.h"
#include "tests/packet/model.h"

/* A profile in the catalog's language, with the groups and the policy it is compiled with. */
struct test_profile {
	const char *name;
	const char *yaml;
	const char *const *group; /* NAME=PREFIX.., NULL-ended */
	enum pc_policy policy;
};

enum test_profile_id {
	OPEN,
	GROUPS,
	WORLD,
	PROTOCOLS,
	OBSERVE,
	TEST_PROFILES,
};

extern const struct test_profile test_profile[TEST_PROFILES];

struct row {
	const char *name;
	enum test_profile_id profile;
	struct frame_spec spec;
	struct frame_patch patch[3];
	size_t cut; /* bytes taken off the end, lengths left as they are */
	bool fit;   /* then the IP length made that of the frame */
	struct model_verdict expect;
};

extern const struct row row[];
extern const size_t rows;

/* Builds a row's frame, patched and cut. */
void row_build(const struct row *row, struct frame *frame);

#endif
