/* SPDX-License-Identifier: GPL-2.0 */
/* Finds out by rtnetlink which header the frames of an interface of this host begin with. */
#ifndef PORTCULLIS_NET_FRAME_FIND_H
#define PORTCULLIS_NET_FRAME_FIND_H

#include "bpf/abi.h"

/*
 * frame_classify for an interface of the caller's network namespace. Returns 0; -EOPNOTSUPP if it
 * cannot be filtered, with the reason and what to do instead; or -errno with `*why`. The caller
 * frees both.
 */
int frame_find(unsigned int ifindex, enum pc_frame *frame, char **why, char **instead);

/* Calls frame_find, and reports an error with its reason. */
int frame_of(const char *interface, unsigned int ifindex, enum pc_frame *frame);

#endif
