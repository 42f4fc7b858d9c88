// SPDX-License-Identifier: GPL-2.0
/* The folder of pins on bpffs, and the lock of the commands that change it. */
#include "loader/object/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/process.h"
#include "loader/net/netns.h"
#include "loader/object/admins.h"
#include "loader/object/paths.h"

#define LOCK_WAIT_SECONDS 30

/* The mount namespace of the nearest ancestor that has another one than this process; 0: none is
 * known. */
static pid_t ancestor_outside(void)
{
	char own[64] = "", theirs[64];
	pid_t pid = getpid();
	int i;

	if (readlink("/proc/self/ns/mnt", own, sizeof(own) - 1) < 0)
		return 0;
	for (i = 0; i < PROCESS_ANCESTORS && (pid = process_parent("/proc", pid)) > 0; i++) {
		__free_text char *path = xasprintf("/proc/%d/ns/mnt", pid);
		ssize_t length = readlink(path, theirs, sizeof(theirs) - 1);

		if (length < 0)
			continue;
		theirs[length] = '\0';
		if (strcmp(own, theirs))
			return pid;
	}
	return 0;
}

static bool is_bpffs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/*
 * `ip netns exec` gives its command a mount namespace with a new /sys. A bpffs mounted there
 * disappears with the command, and with it every filter pinned in it.
 */
static int refuse_private_mounts(void)
{
	pid_t outside = ancestor_outside();
	struct stat own, other;
	__free_text char *path = NULL;
	__free_text char *name = NULL;
	__free_text char *fix = NULL;

	if (!outside)
		return 0;
	path = xasprintf("/proc/%d/root" BPFFS, outside);
	if (is_bpffs(BPFFS) && !stat(BPFFS, &own) && !stat(path, &other) &&
	    own.st_dev == other.st_dev)
		return 0;
	name = netns_name();
	fix = xasprintf("nsenter --net=/run/netns/%s portcullis ...", name ? name : "NAME");
	error_fix(
		fix,
		"%s: this is a mount namespace without the host's bpffs, as `ip netns exec` makes one; what is pinned here would vanish with the command",
		BPFFS);
	return -ENOTSUP;
}

/* 1 if PINS exists and is ours; 0 if it does not exist. */
static int check_folder(void)
{
	struct stat st;

	if (lstat(PINS, &st)) {
		if (errno == ENOENT)
			return 0;
		error("%s: %s", PINS, strerror(errno));
		return -errno;
	}
	/* 0750, so that the administrators' group can read it. */
	if (S_ISDIR(st.st_mode) && !st.st_uid && (st.st_mode & 07727) == 0700)
		return 1;
	error_fix(
		"mv " PINS " " PINS "-old",
		"%s: is not a folder of root's with mode 0700 or 0750 (owner %u, mode %04o): its owner could remove the filter; check first what is in it",
		PINS, st.st_uid, st.st_mode & 07777);
	return -EPERM;
}

/* Locks while it mounts: a second mount would hide the pins of the first. */
static int lock_mount(int *lock)
{
	static const struct timespec pause = {.tv_nsec = 20000000};
	int i;

	*lock = open(BPFFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*lock < 0)
		return -errno;
	/* Any user can hold this lock, so do not wait for ever. */
	for (i = 0; flock(*lock, LOCK_EX | LOCK_NB) && i < LOCK_WAIT_SECONDS * 50; i++)
		nanosleep(&pause, NULL);
	return 0;
}

static int mount_bpffs(void)
{
	__close_fd int lock = -1;
	int err = lock_mount(&lock);

	if (!err && is_bpffs(BPFFS))
		return 0;
	if (!mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return 0;
	err = -errno;
	error_fix("mount -t bpf -o mode=0700 bpf " BPFFS, "%s: cannot mount bpffs: %s", BPFFS,
		  strerror(-err));
	return err;
}

int pins_ready(bool create)
{
	int err = refuse_private_mounts();

	if (err)
		return err;
	if (!is_bpffs(BPFFS)) {
		err = create ? mount_bpffs() : 0;
		if (err || !create)
			return err;
	}
	err = check_folder();
	if (err || !create)
		return err;
	if (mkdir(PINS, 0700) && errno != EEXIST) {
		err = -errno;
		error("%s: %s", PINS, strerror(-err));
		return err;
	}
	return check_folder(); /* another command may have made it first */
}

static int lock_once(const char *path, int *lock)
{
	__close_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && !mkdir(path, 0700))
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	*lock = fd;
	fd = -1;
	return 0;
}

/* `admins`: members of the administrators' group can open the folder of pins, and so could lock
 * it. */
static int lock_within_time(bool admins, int *lock)
{
	static const struct timespec pause = {.tv_nsec = 20000000};
	const char *path = admins ? PINS "/" LOCK_NAME : PINS;
	int err = lock_once(path, lock);
	int i;

	if (err == -EAGAIN)
		warning("another portcullis command is running; waiting for it");
	for (i = 0; err == -EAGAIN && i < LOCK_WAIT_SECONDS * 50; i++) {
		nanosleep(&pause, NULL);
		err = lock_once(path, lock);
	}
	if (err == -EAGAIN)
		error("%s: another portcullis command has held the lock for %d seconds; try again when it has ended",
		      PINS, LOCK_WAIT_SECONDS);
	else if (err)
		error("%s: cannot lock: %s", PINS, strerror(-err));
	return err;
}

int pins_lock_only(int *lock)
{
	gid_t gid;

	return lock_within_time(admins_exist(&gid), lock);
}

int pins_lock(int *lock)
{
	gid_t gid;
	bool admins = admins_exist(&gid);
	int err = lock_within_time(admins, lock);

	if (!err)
		admins_share_all(admins ? &gid : NULL);
	return err;
}
