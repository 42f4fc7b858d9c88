/* SPDX-License-Identifier: GPL-2.0 */
/* Checks that only root, the caller or the owner of this program can have written a file. */
#ifndef PORTCULLIS_BASE_TRUST_H
#define PORTCULLIS_BASE_TRUST_H

/*
 * The file or folder `path`, every folder on the way to it and every symbolic link that is followed
 * belong to root, to the caller (behind sudo: SUDO_UID), or to the owner of the running executable,
 * and no other user can write them; a folder that others can write in must be sticky. Once this
 * holds, no other user can replace the file, so it may be opened by its path afterwards.
 * Returns 0; -EPERM with `*why` and `*fix`, the command that fixes it (the caller frees both); or
 * -errno of a failed look-up, with both NULL.
 */
int file_trusted(const char *path, char **why, char **fix);

#endif
