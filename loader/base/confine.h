/* SPDX-License-Identifier: GPL-2.0 */
/* A filter of system calls, for processes that read what strangers made. */
#ifndef PORTCULLIS_BASE_CONFINE_H
#define PORTCULLIS_BASE_CONFINE_H

enum confined {
	CONFINED_STREAM, /* reads and writes descriptors that are open */
	CONFINED_FILES,	 /* opens files, too, and loads libraries */
};

/*
 * From here on any other system call kills the process (SIGSYS); with CONFINED_FILES socket() fails
 * instead, which the C library tries. Cannot be taken back. 0 or -errno;
 * 0 without effect on machines other than x86-64 and arm64, and in builds for AddressSanitizer,
 * which makes calls of its own.
 */
int confine_calls(enum confined to);

#endif
