/* SPDX-License-Identifier: GPL-2.0 */
/* Files and descriptors: closed at the end of a scope, read whole. */
#ifndef PORTCULLIS_BASE_FILE_H
#define PORTCULLIS_BASE_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "loader/base/memory.h"

#define __close_fd   __cleanup(fd_close)
#define __close_file __cleanup(file_close)

void fd_close(int *fd); /* -1 is no descriptor */
void file_close(FILE **file);

/* A second descriptor of the same open file, or -errno. */
int fd_dup(int fd);

/*
 * Reads a regular file whole, at most `limit` bytes. The text ends with a NUL that `*length` does
 * not count. Returns 0, or -errno (-EFBIG past the limit, -EINVAL if it is not a regular file) and
 * leaves the outputs alone.
 */
int read_file(const char *path, size_t limit, char **text, size_t *length);
/* As read_file, of a file that is open. */
int read_open_file(int fd, size_t limit, char **text, size_t *length);

/*
 * Reads stdin to its end, as read_file does. A second call gives the same text again, because more
 * than one part of a command may ask for it; it is never freed.
 */
int read_input(size_t limit, const char **text, size_t *length);

#endif
