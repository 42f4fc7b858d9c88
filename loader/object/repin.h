/* SPDX-License-Identifier: GPL-2.0 */
/* Whether users who are not root can pin a descriptor of a map, and so open it for writing. */
#ifndef PORTCULLIS_OBJECT_REPIN_H
#define PORTCULLIS_OBJECT_REPIN_H

/*
 * A folder of a bpffs of this mount namespace that is not root's, or that others can write. NULL:
 * there is none. The caller frees. Nobody but root can mount one more: in a user namespace, too,
 * that needs CAP_SYS_ADMIN of the host.
 */
char *repin_folder(void);

/* The command that closes such a folder. The caller frees. */
char *repin_fix(const char *folder);

#endif
