/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds folders in which users who are not root could pin a map again, and so open it for writing.
 */
#ifndef PORTCULLIS_OBJECT_REPIN_H
#define PORTCULLIS_OBJECT_REPIN_H

/*
 * Returns a folder of a mounted bpffs of this mount namespace that does not belong to root, or that
 * others can write; NULL: none. The caller frees. Only root can mount another bpffs, because even
 * in a user namespace that needs CAP_SYS_ADMIN of the host.
 */
char *repin_folder(void);

/* The command that takes write access to such a folder away. The caller frees. */
char *repin_fix(const char *folder);

#endif
