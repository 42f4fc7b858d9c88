/* SPDX-License-Identifier: GPL-2.0 */
/* The network namespace of the caller. */
#ifndef PORTCULLIS_NET_NETNS_H
#define PORTCULLIS_NET_NETNS_H

#include <linux/types.h>

/* Its inode, by which it is known again; 0: unknown. */
__u64 netns_inode(void);

/* Its name under /run/netns, or NULL. The caller frees. */
char *netns_name(void);

#endif
