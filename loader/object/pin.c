// SPDX-License-Identifier: GPL-2.0
/* BPF objects: their pins in the folder of a filter, and their info from the kernel. */
#include "loader/object/pin.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/object/admins.h"
#include "loader/object/paths.h"

char *object_path(const char *id, const char *name)
{
	return name ? xasprintf(PINS "/%s/%s", id, name) : xasprintf(PINS "/%s", id);
}

int object_pin(const char *id, const char *name, int fd)
{
	__free_text char *path = object_path(id, name);
	int err;

	if (!bpf_obj_pin(fd, path)) {
		if (admins_read(name))
			admins_share(path);
		return 0;
	}
	err = -errno;
	error("%s: cannot pin: %s", path, strerror(-err));
	return err;
}

int object_get(const char *id, const char *name)
{
	/* A user who is not root can at most read maps. */
	LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = geteuid() ? BPF_F_RDONLY : 0);
	__free_text char *path = object_path(id, name);
	int fd = bpf_obj_get_opts(path, &options);

	return fd < 0 ? -errno : fd;
}

int object_map(int map, struct bpf_map_info *info)
{
	__u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(map, info, &length) ? -errno : 0;
}

int object_program(int program, __u32 *id)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &length))
		return -errno;
	*id = info.id;
	return 0;
}

unsigned int object_interface(int link)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);

	/* Reads xdp.ifindex for both: tcx.ifindex is the first field, too. */
	return link < 0 || bpf_obj_get_info_by_fd(link, &info, &length) ? 0 : info.xdp.ifindex;
}
