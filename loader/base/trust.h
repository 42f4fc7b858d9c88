/* SPDX-License-Identifier: GPL-2.0 */
/* Whether only those who may decide for the host can have written a file. */
#ifndef PORTCULLIS_BASE_TRUST_H
#define PORTCULLIS_BASE_TRUST_H

/*
 * The file or folder `path`, every folder on the way to it and every symbolic link that is followed
 * belong to root, to the caller (behind sudo: SUDO_UID), or to the owner of the running executable,
 * and no other user can write them; a folder that others can write in must be sticky. Once this
 * holds, no other user can replace the file, so it may be opened by its path afterwards.
 * Returns 0, -EPERM with `*why` (the caller frees: what is wrong, and the command that fixes it),
 * or another -errno, of looking, and no `*why`.
 */
int file_trusted(const char *path, char **why);

#endif
