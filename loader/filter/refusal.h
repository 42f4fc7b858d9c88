/* SPDX-License-Identifier: GPL-2.0 */
/* Explains why a driver refuses an XDP program, and how to fix it. */
#ifndef PORTCULLIS_FILTER_REFUSAL_H
#define PORTCULLIS_FILTER_REFUSAL_H

#include <linux/types.h>

/*
 * Asks the kernel why it refused to link the program. bpf_link_create gives only `err`, but the
 * same attachment by netlink, with the XDP_FLAGS_* mode, is answered with a message. If the kernel
 * accepts it, it is undone at once. The caller frees.
 */
char *refusal_words(int program, unsigned int ifindex, __u32 flags, int err);

/* Returns the command that fixes it, NULL if the message is not known. The caller frees. */
char *refusal_fix(const char *words, const char *interface);

/* Returns the fix for a virtio-net device that merges frames and cannot stop it. The caller frees.
 */
char *refusal_virtio(const char *interface);

/* Warns that the interface has generic mode, and names the driver's reason to refuse native
 * mode. */
void refusal_warn(const char *interface, const char *words);

#endif
