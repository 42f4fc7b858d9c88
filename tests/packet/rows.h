/* SPDX-License-Identifier: GPL-2.0 */
/* The rules of portcullis(8), VERDICTS, as data: a name, a frame, a profile, the verdict. */
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
	enum pc_outbound outbound;
	bool forward;
};

enum test_profile_id {
	OPEN,
	GROUPS,
	WORLD,
	PROTOCOLS,
	OBSERVE,
	STATE,
	STATE_OBSERVE,
	OUTBOUND,
	OUTBOUND_OBSERVE,
	FORWARD,
	TEST_PROFILES,
};

extern const struct test_profile test_profile[TEST_PROFILES];

struct row {
	const char *name;
	enum test_profile_id profile;
	struct frame_spec spec;
	struct frame_patch patch[3];
	size_t cut; /* bytes removed from the end, with the lengths unchanged */
	bool fit;   /* after that, the IP length is set to that of the frame */
	struct model_verdict expect;
};

/* Rows, written by hand. Each row starts with the state of fixture.h. */
struct row_list {
	const struct row *row;
	size_t rows;
};
extern const struct row_list rows_stateless; /* all rules but `reply`, without state */
extern const struct row_list rows_reply;     /* rule `reply` */
extern const struct row_list rows_icmp;	     /* rule `icmp`: errors and echo */
extern const struct row_list rows_fragment;  /* rule `fragment` */

#define ROW_LISTS 4
extern const struct row_list *const row_list[ROW_LISTS];

/* Builds a row's frame, patched and cut. */
void row_build(const struct row *row, struct frame *frame);

#endif
