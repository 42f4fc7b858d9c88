/* SPDX-License-Identifier: GPL-2.0 */
/* A filter of system calls, for processes that read files from untrusted sources. */
#ifndef PORTCULLIS_BASE_CONFINE_H
#define PORTCULLIS_BASE_CONFINE_H

enum confined {
	CONFINED_STREAM, /* only reads and writes open descriptors */
	CONFINED_FILES,	 /* also opens files and loads libraries */
};

/*
 * From here on any other system call kills the process (SIGSYS); except socket() with
 * CONFINED_FILES, which fails, because the C library tries it. Cannot be taken back. 0 or -errno; 0
 * without effect on machines other than x86-64 and arm64, and in builds for AddressSanitizer, which
 * makes calls of its own.
 */
int confine_calls(enum confined to);

#endif
