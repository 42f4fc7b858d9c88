/* SPDX-License-Identifier: GPL-2.0 */
/* Checks that the caller has the privileges that a command needs. */
#ifndef PORTCULLIS_OBJECT_PRIVILEGE_H
#define PORTCULLIS_OBJECT_PRIVILEGE_H

/*
 * Checks for the capabilities that loading and attaching need, and for access to the pins. -EPERM
 * or -EACCES with a message that names what is missing.
 */
int kernel_privileged(const char *command);
/* As above, for a command that only reads: members of the administrators' group may, too
 * (admins.h). */
int kernel_readable(const char *command);

#endif
