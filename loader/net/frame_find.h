/* SPDX-License-Identifier: GPL-2.0 */
/* What the frames of an interface of this host begin with, as rtnetlink tells. */
#ifndef PORTCULLIS_NET_FRAME_FIND_H
#define PORTCULLIS_NET_FRAME_FIND_H

#include "bpf/abi.h"

/*
 * frame_judge for an interface of the caller's network namespace. Returns 0; -EOPNOTSUPP if it
 * cannot be filtered, with the reason and what to do instead; or -errno with `*why`. The caller
 * frees both.
 */
int frame_find(unsigned int ifindex, enum pc_frame *frame, char **why, char **instead);

/* The same, and it says why not. */
int frame_of(const char *interface, unsigned int ifindex, enum pc_frame *frame);

#endif
