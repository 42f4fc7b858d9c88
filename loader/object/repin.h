/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds folders in which users who are not root could pin a map anew, and so open it for writing.
 */
#ifndef PORTCULLIS_OBJECT_REPIN_H
#define PORTCULLIS_OBJECT_REPIN_H

/*
 * Returns a folder of a bpffs of this mount namespace that is not root's, or that others can write;
 * NULL: there is none. The caller frees. Only root can mount another bpffs: even in a user
 * namespace, that needs CAP_SYS_ADMIN of the host.
 */
char *repin_folder(void);

/* The command that closes such a folder. The caller frees. */
char *repin_fix(const char *folder);

#endif
