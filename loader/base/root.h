/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads files below a folder as if it were /. The folder may be a mounted disk, whose symbolic
 * links must not lead to this host's files.
 */
#ifndef PORTCULLIS_BASE_ROOT_H
#define PORTCULLIS_BASE_ROOT_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/base/names.h"

#define ROOT_MATCHES 64 /* files that a pattern finds at most; others are left out */

struct root {
	int fd;	      /* of the folder; -1: there is none */
	bool windows; /* names of files match whatever their case */
	char *only;   /* only this file exists; NULL: all of the folder does */
};

/* Opens the folder; a file is opened as a folder that has only this file. 0 or -errno. */
int root_open(const char *path, struct root *root);
void root_close(struct root *root);

/*
 * The paths below the root that match a pattern of glob(7): sorted, at most ROOT_MATCHES. Wildcards
 * match within one folder. For "{a,b}" the matches of a come first. Backslashes of a Windows path
 * separate parts; a drive and a part in brackets ("[CE Install Directory]") stand for the root.
 */
void root_find(const struct root *root, const char *pattern, struct names *paths);

/* As read_file, of a path below the root; also -ELOOP, -EXDEV. */
int root_read(const struct root *root, const char *path, size_t limit, char **text, size_t *length);

#endif
