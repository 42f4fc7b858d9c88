/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that the user named are read with the rights of the user who called sudo: a user who may
 * run a command as root that prints lines of files must not read root's files by it.
 */
#ifndef PORTCULLIS_BASE_INVOKER_H
#define PORTCULLIS_BASE_INVOKER_H

#include <sys/types.h>

/*
 * From here on files are opened with the user and groups of SUDO_UID. Without it, or if the caller
 * is root all the same, nothing changes. Returns 1 if rights were taken, else 0; -errno with a
 * message. Before capabilities are dropped: it needs CAP_SETUID and CAP_SETGID.
 */
int invoker_become(void);

/* Opens files as root again, up to invoker_resume; for the files that the configuration names. */
uid_t invoker_pause(void);
void invoker_resume(uid_t paused);

#endif
