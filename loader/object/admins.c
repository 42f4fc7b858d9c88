// SPDX-License-Identifier: GPL-2.0
/* The administrators' group, whose members may read some pins without being root. */
#include "loader/object/admins.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/object/paths.h"
#include "loader/object/repin.h"

/* If every user may load programs, a user's program can write each map that the user may read. */
static bool bpf_is_roots(void)
{
	__close_file FILE *file = fopen("/proc/sys/kernel/unprivileged_bpf_disabled", "re");

	return file && fgetc(file) != '0';
}

bool admins_exist(gid_t *gid)
{
	const struct group *group = getgrnam(ADMINS);

	if (!group || !bpf_is_roots())
		return false;
	*gid = group->gr_gid;
	return true;
}

bool admins_read(const char *pin)
{
	static const char *const names[] = {
		"generations", "filter", "counters",	"totals",  "carries", "rare",	"past",
		"cleared",     "flows",	 "connections", "streams", "drops",   "tallies"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(pin, names[i]))
			return true;
	return !strncmp(pin, "generation-", 11) || !strncmp(pin, "recipe-", 7);
}

/* Sets group and mode of a pin: its mode at creation comes from the umask. */
static void set(const char *path, gid_t gid, mode_t mode)
{
	struct stat st;

	if (lstat(path, &st))
		return; /* the pin has just been removed */
	if ((st.st_gid != gid && lchown(path, -1, gid)) ||
	    ((st.st_mode & 07777) != mode && chmod(path, mode)))
		if (errno != ENOENT)
			warning("%s: cannot give it to the group " ADMINS " to read: %s", path,
				strerror(errno));
}

static void share(const char *path, gid_t gid)
{
	struct stat st;

	if (!lstat(path, &st) && !st.st_uid && !S_ISLNK(st.st_mode))
		set(path, gid, S_ISDIR(st.st_mode) ? 0750 : 0640);
}

gid_t admins_group(void)
{
	struct stat st = {};

	lstat(PINS, &st);
	return st.st_mode & 0040 ? st.st_gid : 0;
}

/*
 * Gives a pin to the group of the folder of pins. Only pins_lock asks the name service, once a
 * command: to ask for each pin would take longer than a swap.
 */
void admins_share(const char *path)
{
	gid_t gid = admins_group();

	if (gid)
		share(path, gid);
}

static void share_folder(const char *id, gid_t gid)
{
	__free_text char *folder = xasprintf(PINS "/%s", id);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir)
		share(folder, gid);
	while (dir && (entry = readdir(dir))) {
		__free_text char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (admins_read(entry->d_name))
			share(path, gid);
	}
	if (dir)
		closedir(dir);
}

/*
 * Lets members of the group pass through the mount point, which systemd mounts with mode 0700. They
 * can neither list it nor write there, and other tools' pins keep their modes.
 */
static void share_way(gid_t gid)
{
	struct stat st;

	if (!stat(BPFFS, &st) && !st.st_uid && (!st.st_gid || st.st_gid == gid) &&
	    !(st.st_mode & 0011))
		set(BPFFS, gid, (st.st_mode & 07700) | 0010);
}

/*
 * False, with a warning, if members of the group could write to the maps that they may read: a user
 * can pin a descriptor again in a folder of a bpffs where the user may write, and open that pin for
 * writing (bpf(2), BPF_OBJ_PIN).
 */
static bool is_safe(void)
{
	__free_text char *folder = repin_folder();
	__free_text char *fix = folder ? repin_fix(folder) : NULL;

	if (folder)
		warning("%s: others can write to this folder of a bpffs: the group " ADMINS
			" gets no read access, because its members could write to the maps; close it (bpffs is best mounted with mode=0700): %s",
			folder, fix);
	return !folder;
}

void admins_share_all(const gid_t *gid)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (!gid || !is_safe()) {
		if (!lstat(PINS, &st) && st.st_mode & 0077)
			set(PINS, 0, 0700);
		return;
	}
	share_way(*gid);
	share(PINS, *gid);
	dir = opendir(PINS);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && entry->d_type == DT_DIR &&
		    strcmp(entry->d_name, LOCK_NAME))
			share_folder(entry->d_name, *gid);
	if (dir)
		closedir(dir);
}
