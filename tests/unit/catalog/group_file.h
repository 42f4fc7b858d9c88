/* SPDX-License-Identifier: GPL-2.0 */
/* A group from a file. */
#ifndef PORTCULLIS_TEST_CATALOG_GROUP_FILE_H
#define PORTCULLIS_TEST_CATALOG_GROUP_FILE_H

#include <unistd.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "loader/catalog/group.h"
#include "tests/unit/expect.h"

/* Writes a file, defines group "g" from it and removes it. */
static inline int define_file(struct groups *groups, const char *content, size_t length,
			      char path[32], struct diag *diag)
{
	__free_text char *definition = NULL;
	int fd, result;

	strcpy(path, "/tmp/pc-group-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, length), length);
	close(fd);
	definition = xasprintf("g=@%s", path);
	result = groups_define(groups, definition, diag);
	unlink(path);
	return result;
}

#endif
