/* SPDX-License-Identifier: GPL-2.0 */
/* The network namespace of the caller. */
#ifndef PORTCULLIS_NET_NETNS_H
#define PORTCULLIS_NET_NETNS_H

#include <linux/types.h>

/* The inode of the namespace, which identifies it; 0: unknown. */
__u64 netns_inode(void);

/* The name of the namespace under /run/netns, or NULL. The caller frees. */
char *netns_name(void);

#endif
