/* SPDX-License-Identifier: GPL-2.0 */
/* Frames in a sequence, as data: the first ones leave state by which the others are decided. */
#ifndef PORTCULLIS_TEST_SCENES_H
#define PORTCULLIS_TEST_SCENES_H

#include "tests/packet/rows.h"

#define SCENE_STEPS 9

struct scene_step {
	bool out;	     /* run it through the egress program */
	bool other_cpu;	     /* run it on another CPU than the steps before */
	unsigned int passed; /* seconds since the step before */
	unsigned int times;  /* how often, one after the other; 0: once */
	struct frame_spec spec;
	struct frame_patch patch;
	struct model_verdict expect;
};

struct scene {
	const char *name;
	enum test_profile_id profile;
	struct scene_step
		step[SCENE_STEPS]; /* the last row has no protocol, ethertype or expectation */
};

extern const struct scene scene[];
extern const size_t scenes;

#endif
