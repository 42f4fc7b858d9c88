// SPDX-License-Identifier: GPL-2.0
/* Checks the host: kernel, BTF, JIT, bpffs, privilege. */
#include "loader/doctor/host.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/doctor/site_file.h"
#include "loader/filter/load.h"
#include "loader/object/admins.h"
#include "loader/object/folder.h"
#include "loader/object/paths.h"
#include "loader/object/privilege.h"
#include "loader/object/repin.h"

#define BTF    "/sys/kernel/btf/vmlinux"
#define JIT    "/proc/sys/net/core/bpf_jit_enable"
#define HARDEN "/proc/sys/net/core/bpf_jit_harden"
#define STATS  "/proc/sys/kernel/bpf_stats_enabled"

#define VERSION(major, minor) ((major) << 16 | (minor))

static void check_privilege(struct doctor *doctor)
{
	doctor->privileged = !kernel_privileged("doctor");
	if (doctor->privileged)
		doctor_say(doctor, "privilege", DOCTOR_OK, NULL,
			   "all capabilities that attach needs");
	else if (geteuid())
		doctor_say(
			doctor, "privilege", DOCTOR_WARNING, DOCTOR_SUDO,
			kernel_readable("doctor") ?
				"without root, filters and the programs of others cannot be seen" :
				"without root, the programs of others and the egress side cannot be seen");
	else
		doctor_heard(doctor, "privilege");
	doctor_unhear(doctor);
}

/* Parses the version in "6.1.0-28-amd64"; 0: it has none. */
static unsigned int kernel_version(const char *release)
{
	unsigned int major, minor;

	return sscanf(release, "%u.%u", &major, &minor) == 2 ? VERSION(major, minor) : 0;
}

static void check_kernel(struct doctor *doctor)
{
	struct utsname name;
	unsigned int version;

	uname(&name);
	version = kernel_version(name.release);
	if (!version)
		doctor_say(doctor, "kernel", DOCTOR_WARNING, NULL,
			   "cannot tell the version of '%s'; " KERNEL_OLDEST " is the oldest",
			   name.release);
	else if (version < VERSION(5, 10))
		doctor_say(doctor, "kernel", DOCTOR_PROBLEM,
			   "boot Linux " KERNEL_OLDEST " or newer", "Linux %s is too old",
			   name.release);
	else
		doctor_say(doctor, "kernel", DOCTOR_OK, NULL, "Linux %s%s", name.release,
			   version < VERSION(5, 18) ?
				   "; native XDP of jumbo frames and LRO needs 5.18" :
				   "");
}

/* Global functions take a context, whose type the verifier looks up in the kernel's BTF. */
static void check_btf(struct doctor *doctor)
{
	if (!access(BTF, R_OK))
		doctor_say(doctor, "btf", DOCTOR_OK, NULL, "the kernel has BTF");
	else if (errno == ENOENT && !access("/sys/kernel", X_OK))
		doctor_say(doctor, "btf", DOCTOR_PROBLEM,
			   "boot a kernel that is built with CONFIG_DEBUG_INFO_BTF=y",
			   "this kernel has no " BTF ", without which it refuses the program");
	else
		doctor_say(doctor, "btf", DOCTOR_WARNING, "mount -t sysfs sysfs /sys",
			   BTF ": cannot see: %s", strerror(errno));
}

/* -1: the file is missing or unreadable. */
static int read_sysctl(const char *path)
{
	__close_file FILE *file = fopen(path, "re");
	int value;

	return file && fscanf(file, "%d", &value) == 1 ? value : -1;
}

/*
 * Tries whether the kernel compiles programs, because only the first network namespace has the
 * sysctl. -1: unknown.
 */
static int probe_jit(void)
{
	/* a program that returns 0 */
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	__close_fd int fd =
		bpf_prog_load(BPF_PROG_TYPE_XDP, "pc_doctor", "GPL", code, ARRAY_SIZE(code), NULL);
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return -1;
	return info.jited_prog_len > 0;
}

static void check_jit(struct doctor *doctor)
{
	int jit = read_sysctl(JIT);
	/* The first network namespace is usually that of process 1. */
	const char *where = jit < 0 ? "nsenter --target 1 --net " : "";
	__free_text char *fix = xasprintf("%ssysctl -w net.core.bpf_jit_enable=1", where);

	if (jit < 0 && doctor->privileged)
		jit = probe_jit();
	if (jit < 0)
		doctor_say(doctor, "jit", DOCTOR_WARNING, DOCTOR_SUDO,
			   "cannot see whether it is on: not from this network namespace");
	else if (!jit)
		doctor_say(doctor, "jit", DOCTOR_WARNING, fix,
			   "is off: the programs are interpreted, which is many times slower");
	else if (jit == 2)
		doctor_say(doctor, "jit", DOCTOR_WARNING, fix,
			   "is on, and writes each program to the kernel's log");
	else
		doctor_say(doctor, "jit", DOCTOR_OK, NULL, "is on");
	if (read_sysctl(HARDEN) == 2)
		doctor_say(
			doctor, "jit", DOCTOR_WARNING, "sysctl -w net.core.bpf_jit_harden=1",
			"is on with constant blinding for root's programs, which makes them slower");
	if (read_sysctl(STATS) == 1)
		doctor_say(
			doctor, "jit", DOCTOR_WARNING, "sysctl -w kernel.bpf_stats_enabled=0",
			"is on, but the kernel times each run of a program, which takes longer than the run");
}

static bool bpffs_mounted(void)
{
	struct statfs fs;

	return !statfs(BPFFS, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* Warns if members of the administrators' group could write to the maps that they may read. */
static bool check_admins(struct doctor *doctor)
{
	__free_text char *folder = repin_folder();
	__free_text char *fix = folder ? repin_fix(folder) : NULL;
	struct stat st;

	if (!folder)
		return false;
	if (!lstat(PINS, &st) && st.st_mode & 0070)
		doctor_say(doctor, "bpffs", DOCTOR_PROBLEM, fix,
			   "%s: others can write to it: a member of the group " ADMINS
			   " could pin there the maps it may read, and write to them",
			   folder);
	else
		doctor_say(doctor, "bpffs", DOCTOR_WARNING, fix,
			   "%s: others can write to it: the group " ADMINS
			   " gets no read access, because its members could write to the maps",
			   folder);
	return true;
}

/* Warns if other users can create the folder of pins, or move it away. */
static bool check_way(struct doctor *doctor)
{
	__free_text char *fix = repin_fix(BPFFS);
	struct stat st;

	if (!bpffs_mounted() || stat(BPFFS, &st))
		return false;
	if (st.st_uid || (st.st_mode & 0022 && !(st.st_mode & S_ISVTX)))
		doctor_say(doctor, "bpffs", DOCTOR_PROBLEM, fix,
			   BPFFS
			   ": others can move the pins of the filters away (owner %u, mode %04o)",
			   st.st_uid, st.st_mode & 07777);
	else if (st.st_mode & 0022)
		doctor_say(
			doctor, "bpffs", DOCTOR_WARNING, fix,
			BPFFS
			": others can write to it (mode %04o): a user who creates " PINS
			" before the first attach would block every command; mount it with mode=0700",
			st.st_mode & 07777);
	else
		return false;
	return true;
}

/* True, after a finding, if other users can write to the folder of bpffs. */
static bool check_writers(struct doctor *doctor)
{
	gid_t gid;
	bool admins = admins_exist(&gid) && check_admins(doctor);

	return check_way(doctor) || admins;
}

static void check_bpffs(struct doctor *doctor)
{
	int ready = pins_ready(false);
	bool writers = ready >= 0 && check_writers(doctor);

	if (ready == -EACCES && !doctor->privileged)
		doctor_say(doctor, "bpffs", DOCTOR_WARNING, DOCTOR_SUDO,
			   "cannot see " PINS " without root");
	else if (ready < 0)
		doctor_heard(doctor, "bpffs");
	else if (writers)
		;
	else if (ready)
		doctor_say(doctor, "bpffs", DOCTOR_OK, NULL, PINS ": only root can write to it");
	else if (bpffs_mounted())
		doctor_say(doctor, "bpffs", DOCTOR_OK, NULL,
			   BPFFS ": is mounted; nothing was attached yet");
	else
		doctor_say(doctor, "bpffs", DOCTOR_OK, NULL,
			   BPFFS ": is not mounted yet; attach mounts it");
	doctor_unhear(doctor);
}

void doctor_host(struct doctor *doctor)
{
	check_privilege(doctor);
	check_kernel(doctor);
	check_btf(doctor);
	check_jit(doctor);
	check_bpffs(doctor);
	doctor_site(doctor);
}
