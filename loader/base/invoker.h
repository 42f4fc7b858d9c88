/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that the user named are read with the rights of the user who called sudo: some commands
 * print lines of files, and a user who may run them with sudo must not be able to read root's files
 * that way.
 */
#ifndef PORTCULLIS_BASE_INVOKER_H
#define PORTCULLIS_BASE_INVOKER_H

#include <sys/types.h>

/*
 * From here on files are opened with the user and groups of SUDO_UID. Nothing changes without
 * SUDO_UID, or if it is root's. Returns 1 if rights were taken, else 0; -errno with a message.
 * Before capabilities are dropped: it needs CAP_SETUID and CAP_SETGID.
 */
int invoker_become(void);

/* Opens files as root again, up to invoker_resume; for files that root's configuration names. */
uid_t invoker_pause(void);
void invoker_resume(uid_t paused);

#endif
