/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the parts that filters of every layout version have. */
#ifndef PORTCULLIS_FILTER_ANY_LAYOUT_H
#define PORTCULLIS_FILTER_ANY_LAYOUT_H

#include "loader/filter/filter.h"

/*
 * Opens a filter of any layout version (pins and the head of the header are the same in all): the
 * descriptors that the version has, and the active generation's head and recipe. Prints no message.
 */
struct any_layout {
	struct filter filter;
	__u32 version;
	__u64 number, attached_at;
	char *recipe;
	bool waits;    /* a change is to be confirmed; past its deadline the fallback is read */
	bool stand_in; /* the generation is the stand-in of an attach */
	char program_version[PC_VERSION_TEXT]; /* set only for our own layout */
};

int any_layout_open(const char *id, struct any_layout *other);
void any_layout_close(struct any_layout *other);

#endif
