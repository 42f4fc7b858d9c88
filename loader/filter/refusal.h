/* SPDX-License-Identifier: GPL-2.0 */
/* Explains why a driver refuses an XDP program, and how to fix it. */
#ifndef PORTCULLIS_FILTER_REFUSAL_H
#define PORTCULLIS_FILTER_REFUSAL_H

#include <linux/types.h>

/*
 * The reason of a refused link, which gives a bare errno (`err`): the same program by netlink with
 * the XDP_FLAGS_* mode, where the kernel answers in words. Should it succeed, it is undone at once.
 * The caller frees.
 */
char *refusal_words(int program, unsigned int ifindex, __u32 flags, int err);

/*
 * "; to fix it: COMMAND" for words that are known, else empty. A driver without native XDP cannot
 * be mended. The caller frees.
 */
char *refusal_fix(const char *words, const char *interface);

/*
 * What mends a virtio-net device that glues frames together, and cannot stop it. The caller frees.
 */
char *refusal_virtio(const char *interface);

#endif
