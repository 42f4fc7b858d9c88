// SPDX-License-Identifier: GPL-2.0
/* The rights of the user who called sudo: which ids are set, and that an error ends the command. */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "loader/base/invoker.h"
#include "loader/base/message.h"
#include "tests/unit/expect.h"

#define STRANGER "54321" /* a user without an entry in passwd */
#define NOBODY	 "65534"

/* The ids of this process, as set by the calls below, and the call that fails. */
static struct {
	uid_t effective, saved, files;
	gid_t file_group, group;
	size_t groups;
	bool no_groups, no_saved, no_files, no_file_group;
} ids;

uid_t geteuid(void)
{
	return ids.effective;
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	assert_true(real == (uid_t)-1 && effective == (uid_t)-1);
	errno = EACCES;
	if (!ids.no_saved)
		ids.saved = saved;
	return ids.no_saved ? -1 : 0;
}

int setgroups(size_t count, const gid_t *group)
{
	errno = EACCES;
	ids.groups = count;
	ids.group = *group;
	return ids.no_groups ? -1 : 0;
}

int setfsuid(uid_t uid)
{
	uid_t before = ids.files;

	if (uid != (uid_t)-1 && !ids.no_files)
		ids.files = uid;
	return (int)before;
}

int setfsgid(gid_t gid)
{
	gid_t before = ids.file_group;

	if (gid != (gid_t)-1 && !ids.no_file_group)
		ids.file_group = gid;
	return (int)before;
}

static int become(const char *uid, const char *gid)
{
	const struct message_sink before = messages_to(messages_drop, NULL);
	int result;

	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	if (uid)
		setenv("SUDO_UID", uid, 1);
	if (gid)
		setenv("SUDO_GID", gid, 1);
	result = invoker_become();
	messages_to(before.take, before.context);
	return result;
}

static int start(void **state)
{
	(void)state;
	memset(&ids, 0, sizeof(ids));
	return 0;
}

static void test_taken(void **state)
{
	(void)state;
	assert_int_equal(become(STRANGER, "123"), 1);
	assert_int_equal(ids.saved, 54321);
	assert_int_equal(ids.files, 54321);
	assert_int_equal(ids.file_group, 123);
	assert_int_equal(ids.groups, 1);
	assert_int_equal(ids.group, 123);
	assert_int_equal(invoker_pause(), 54321);
	assert_int_equal(ids.files, 0);
	invoker_resume(54321);
	assert_int_equal(ids.files, 54321);
}

/* A user in passwd gets the group from there, whatever SUDO_GID says. */
static void test_known(void **state)
{
	(void)state;
	assert_int_equal(become(NOBODY, "123"), 1);
	assert_int_equal(ids.files, 65534);
	assert_int_equal(ids.file_group, 65534);
	assert_true(ids.groups > 0);
	assert_int_equal(ids.group, 65534);
}

static void test_none(void **state)
{
	static const char *const none[] = {NULL,  "",	 "0",	"-1",	      "x",	    "5x",
					   "/54", ":54", "+54", "4294967295", "99999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(become(none[i], "123"), 0);
	ids.effective = 7;
	assert_int_equal(become(STRANGER, "123"), 0);
	assert_int_equal(ids.files, 0);
	ids.effective = 0;
	assert_int_equal(become("4294967294", "9"), 1);
	assert_int_equal(ids.files, 4294967294);
}

static void test_refused(void **state)
{
	(void)state;
	ids.no_groups = true;
	assert_int_equal(become(STRANGER, "123"), -EACCES);
	assert_int_equal(ids.files, 0);
	ids.no_groups = false;
	ids.no_saved = true;
	assert_int_equal(become(STRANGER, "123"), -EACCES);
	assert_int_equal(ids.files, 0);
	ids.no_saved = false;
	ids.no_files = true;
	assert_int_equal(become(STRANGER, "123"), -EPERM);
	ids.no_files = false;
	ids.files = 0;
	ids.file_group = 0;
	ids.no_file_group = true;
	assert_int_equal(become(STRANGER, "123"), -EPERM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_taken, start),
		cmocka_unit_test_setup(test_known, start),
		cmocka_unit_test_setup(test_none, start),
		cmocka_unit_test_setup(test_refused, start),
	};

	return cmocka_run_group_tests_name("base/invoker", tests, NULL, NULL);
}
