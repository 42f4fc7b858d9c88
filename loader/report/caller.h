/* SPDX-License-Identifier: GPL-2.0 */
/* The user who gave this command, for the journal and the history. */
#ifndef PORTCULLIS_REPORT_CALLER_H
#define PORTCULLIS_REPORT_CALLER_H

#include <sys/types.h>

/* The user who gave the command. Texts are printable; NULL: unknown. */
struct caller {
	uid_t login; /* loginuid of the audit system, which survives su and sudo; -1: none */
	char *name;
	char *sudo_user; /* SUDO_USER */
	char *client;	 /* address of the SSH session */
	char *command;	 /* the command as it was given, "apply --boot" */
};

void caller_find(struct caller *caller);
void caller_free(struct caller *caller);

#endif
