/* SPDX-License-Identifier: GPL-2.0 */
/* A folder for the files of a test. */
#ifndef PORTCULLIS_TEST_FILES_H
#define PORTCULLIS_TEST_FILES_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/diag.h"
#include "loader/base/memory.h"
#include "tests/unit/expect.h"

static char root[] = "/tmp/portcullis-test-XXXXXX";

static inline int remove_entry(const char *path, const struct stat *status, int type,
			       struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline int make_root(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static inline int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes a file below the test's folder, and makes its folder. */
static inline void put_bytes(const char *file, const char *bytes, size_t length)
{
	__free_text char *path = xasprintf("%s/%s", root, file);
	char *slash = strrchr(path, '/');
	FILE *to;

	*slash = '\0';
	mkdir(path, 0755);
	*slash = '/';
	to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(length, fwrite(bytes, 1, length, to));
	fclose(to);
}

static inline void put(const char *file, const char *text)
{
	put_bytes(file, text, strlen(text));
}

/* As expect_said, with ROOT in place of the test's folder. */
static inline void expect_said_of_files(struct diag *diag, const char *expected)
{
	__free_text char *text = said(diag), *plain = xcalloc(strlen(text) + 1, 1);
	char *to = plain;

	for (const char *from = text; *from;) {
		if (!strncmp(from, root, strlen(root))) {
			to = stpcpy(to, "ROOT");
			from += strlen(root);
		} else {
			*to++ = *from++;
		}
	}
	assert_string_equal(plain, expected);
}

#endif
