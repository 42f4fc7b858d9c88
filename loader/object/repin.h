/* SPDX-License-Identifier: GPL-2.0 */
/* Whether users who are not root can pin a descriptor of a map, and so open it for writing. */
#ifndef PORTCULLIS_OBJECT_REPIN_H
#define PORTCULLIS_OBJECT_REPIN_H

#include <stdbool.h>

/*
 * A folder of a bpffs of this mount namespace that is not root's, or that others can write. NULL:
 * there is none. The caller frees.
 */
char *repin_folder(void);

/* Whether any user can mount a bpffs of his own, in a user namespace: Linux 6.9 and newer. */
bool repin_mounts(void);

#endif
