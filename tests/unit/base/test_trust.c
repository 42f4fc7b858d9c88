// SPDX-License-Identifier: GPL-2.0
/* Which files are trusted: owner and mode of a file, of the folders on the way, of symbolic
 * links. */
#include "tests/unit/expect.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/trust.h"

#define OTHER 54321 /* a user who is neither root nor the caller */

/* For each test a folder like /tmp, with in/file and link -> in/./../in/file. */
static char *sticky, *in, *file, *through;

static int set_up(void **state)
{
	(void)state;
	sticky = xstrdup("/tmp/portcullis-trust-XXXXXX");
	if (!mkdtemp(sticky))
		return -1;
	in = xasprintf("%s/in", sticky);
	file = xasprintf("%s/file", in);
	through = xasprintf("%s/link", sticky);
	if (chmod(sticky, 01777) || mkdir(in, 0755) || symlink("in/./../in/file", through))
		return -1;
	return mknod(file, S_IFREG | 0644, 0);
}

static int tear_down(void **state)
{
	int err = unlink(file) || unlink(through) || rmdir(in) || rmdir(sticky);

	(void)state;
	unsetenv("SUDO_UID");
	free(sticky);
	free(in);
	free(file);
	free(through);
	return err;
}

static int fail_readlink; /* errno of readlink, as for a link that disappears meanwhile */

ssize_t readlink(const char *path, char *buffer, size_t size)
{
	if (!fail_readlink)
		return syscall(SYS_readlinkat, AT_FDCWD, path, buffer, size);
	errno = fail_readlink;
	return -1;
}

static void trusts(const char *path)
{
	char *why = NULL, *fix = NULL;

	assert_int_equal(file_trusted(path, &why, &fix), 0);
	assert_null(why);
	assert_null(fix);
}

/* `command`: the start of the fix. */
static void refuses(const char *path, const char *what, const char *command)
{
	__free_text char *why = NULL, *fix = NULL;

	assert_int_equal(file_trusted(path, &why, &fix), -EPERM);
	assert_non_null(why);
	assert_non_null(fix);
	if (!strstr(why, what) || strstr(why, command))
		fail_msg("'%s' has no '%s', or has the fix", why, what);
	if (strncmp(fix, command, strlen(command)))
		fail_msg("'%s' does not begin with '%s'", fix, command);
}

static void test_plain(void **state)
{
	__free_text char *dots = xasprintf("%s//in/../in/./file", sticky);
	__free_text char *above = xasprintf("/../../%s", file);

	(void)state;
	trusts(file);
	trusts(in);
	trusts(dots);
	trusts(above);
	trusts(through);
	trusts("/");
}

static void test_relative(void **state)
{
	char cwd[4096];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(in), 0);
	trusts("file");
	trusts("../link");
	assert_int_equal(chmod(in, 0777), 0);
	refuses("file", in, "chmod go-w");
	assert_int_equal(chdir(cwd), 0);
}

static void test_modes(void **state)
{
	(void)state;
	assert_int_equal(chmod(file, 0646), 0);
	refuses(file, "mode 0646", "chmod go-w");
	refuses(through, "mode 0646", "chmod go-w");
	assert_int_equal(chmod(file, 0664), 0);
	refuses(file, "mode 0664", "chmod go-w");
	assert_int_equal(chmod(file, 0600), 0);
	trusts(file);
	assert_int_equal(chmod(in, 0775), 0);
	refuses(file, in, "chmod go-w");
	assert_int_equal(chmod(in, 01775), 0);
	trusts(file);
	/* The bit means nothing for a file. */
	assert_int_equal(chmod(file, 01666), 0);
	refuses(file, "others can write", "chmod go-w");
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(chmod(sticky, 0777), 0);
	refuses(file, sticky, "chmod go-w");
}

static void test_owners(void **state)
{
	const char *of[] = {file, in, sticky};

	(void)state;
	if (geteuid()) {
		print_message("SKIP: only root gives files away\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		__free_text char *fix = xasprintf("chown root %s", of[i]);

		assert_int_equal(chown(of[i], OTHER, -1), 0);
		refuses(file, "belongs to user 54321", fix);
		refuses(through, "belongs to user 54321", fix);
		setenv("SUDO_UID", "54321", 1);
		trusts(file);
		setenv("SUDO_UID", "54322", 1);
		refuses(file, "belongs to user 54321", fix);
		setenv("SUDO_UID", "54321x", 1);
		refuses(file, "belongs to user 54321", fix);
		unsetenv("SUDO_UID");
		assert_int_equal(chown(of[i], 0, -1), 0);
		trusts(file);
	}
	assert_int_equal(lchown(through, OTHER, -1), 0);
	trusts(file);
	refuses(through, "belongs to user 54321", "chown -h root");
}

static void test_absent(void **state)
{
	__free_text char *nowhere = xasprintf("%s/nowhere/file", in);
	__free_text char *below = xasprintf("%s/file", file);
	__free_text char *round = xasprintf("%s/round", in);
	char *why = NULL;
	char *fix = NULL;

	(void)state;
	assert_int_equal(file_trusted(nowhere, &why, &fix), -ENOENT);
	assert_int_equal(file_trusted(below, &why, &fix), -ENOTDIR);
	assert_int_equal(symlink("round", round), 0);
	assert_int_equal(file_trusted(round, &why, &fix), -ELOOP);
	assert_int_equal(unlink(round), 0);
	assert_null(why);
}

static void test_gone_between(void **state)
{
	char *why = NULL;
	char *fix = NULL;

	(void)state;
	fail_readlink = EINVAL;
	assert_int_equal(file_trusted(through, &why, &fix), -EINVAL);
	fail_readlink = 0;
	assert_null(why);
	trusts(through);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_relative, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_modes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_absent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone_between, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
