// SPDX-License-Identifier: GPL-2.0
/* Finds the filters of this host, and the program at an interface's XDP hook. */
#include "loader/filter/hook.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/shell.h"
#include "loader/base/utf8.h"
#include "loader/filter/installed.h"
#include "loader/net/link.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

const char *hook_mode_name(enum hook_mode mode)
{
	return mode == HOOK_GENERIC ? "generic" : "native";
}

/* Reads the id of the program in a folder. `*id` is left alone if the folder has none. */
static int read_program(const char *folder, __u32 *id)
{
	__close_fd int fd = object_get(folder, "program");
	int err = fd < 0 ? fd : object_program(fd, id);

	if (err == -EACCES && geteuid())
		return filter_program(folder, id);
	return err == -ENOENT || err == -ENOTDIR ? 0 : err;
}

/* Reads the link of a folder. A folder without a link is not an error. */
static int read_pinned(const char *id, struct pinned *pinned)
{
	__free_text char *path = xasprintf(PINS "/%s/link", id);
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	__close_fd int fd = -1;
	int err;

	*pinned = (struct pinned){};
	memcpy(pinned->id, id, strlen(id)); /* list_pinned takes no longer ones */
	err = read_program(id, &pinned->program_id);
	if (err) {
		error(PINS "/%s/program: cannot read: %s", id, strerror(-err));
		return err;
	}
	fd = bpf_obj_get(path);
	/* the folder has no link, or is not ours */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 && (errno == EACCES || errno == EPERM) && geteuid()) {
		pinned->unseen = true;
		return 0;
	}
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length)) {
		err = -errno;
		error("%s: cannot read: %s", path, strerror(-err));
		return err;
	}
	pinned->link = true;
	pinned->ifindex = info.xdp.ifindex;
	pinned->held = info.prog_id;
	return 0;
}

/*
 * While a takeover replaces a filter, its link is pinned in two folders. It belongs to the folder
 * whose program it holds.
 */
static void drop_replaced(struct pinned *list, size_t count)
{
	size_t i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < count && list[i].link; j++)
			if (i != j && list[i].held != list[i].program_id &&
			    list[j].program_id == list[i].held)
				list[i].link = false;
}

/* Another tool removed the XDP program; the egress program still filters and learns. */
static void warn_egress_alone(const struct pinned *pinned)
{
	__close_fd int egress = -1;
	char name[IF_NAMESIZE];
	unsigned int ifindex;

	if (!pinned->link || pinned->ifindex)
		return;
	egress = object_get(pinned->id, "egress_link");
	ifindex = object_interface(egress);
	if (ifindex && if_indextoname(ifindex, name))
		warning("%s: its XDP program was taken off, and the egress program is still there; the next attach, swap or detach of any interface removes it",
			name);
}

static int list_pinned(struct pinned **list, size_t *count)
{
	DIR *dir = opendir(PINS);
	struct dirent *entry;
	int err = 0;

	*list = NULL;
	*count = 0;
	/* Without privilege the folder cannot be listed. Commands without privilege change
	 * nothing. */
	if (!dir && errno != ENOENT && errno != EACCES) {
		err = -errno;
		error(PINS ": cannot read: %s", strerror(-err));
	}
	while (!err && dir && (entry = readdir(dir))) {
		struct pinned pinned;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof(pinned.id) ||
		    !strcmp(entry->d_name, LOCK_NAME))
			continue;
		if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
			continue;
		err = read_pinned(entry->d_name, &pinned);
		if (!err)
			warn_egress_alone(&pinned);
		*list = xrealloc(*list, *count + 1, sizeof(**list));
		(*list)[(*count)++] = pinned;
	}
	if (dir)
		closedir(dir);
	drop_replaced(*list, *count);
	if (err) {
		free(*list);
		*list = NULL;
		*count = 0;
	}
	return err;
}

int hook_query(unsigned int ifindex, const struct pinned *list, size_t count, struct hook *hook)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, found);
	size_t i;
	int err;

	*hook = (struct hook){.ifindex = ifindex};
	if (!if_indextoname(ifindex, hook->name))
		return -errno;
	err = bpf_xdp_query(ifindex, 0, &found);
	if (err)
		return err;
	if (found.attach_mode == XDP_ATTACHED_NONE)
		return 0;
	hook->mode = found.attach_mode == XDP_ATTACHED_SKB ? HOOK_GENERIC : HOOK_NATIVE;
	hook->program_id = found.drv_prog_id ? found.drv_prog_id :
			   found.hw_prog_id  ? found.hw_prog_id :
			   found.skb_prog_id ? found.skb_prog_id :
					       found.prog_id;
	for (i = 0; i < count; i++)
		if ((list[i].link || list[i].unseen) && list[i].program_id == hook->program_id)
			memcpy(hook->id, list[i].id, sizeof(hook->id));
	return 0;
}

int hook_find(const struct hooks *hooks, const char *interface, struct hook *hook)
{
	char real[IF_NAMESIZE];
	__free_text char *name = text_printable(interface);
	int ifindex = link_find(interface, real), err;

	if (ifindex < 0) {
		error("%s: cannot look up the interface: %s", name, strerror(-ifindex));
		return ifindex;
	}
	if (!ifindex) {
		__free_text char *there = links_there(interface);

		error("%s: no such interface in this network namespace%s", name, there);
		return -ENODEV;
	}
	err = hook_query(ifindex, hooks->pinned, hooks->pins, hook);
	if (err == -ENXIO || err == -ENODEV)
		error("%s: no such interface in this network namespace",
		      interface); /* the interface was deleted meanwhile */
	else if (err)
		link_failed(interface, err, "cannot read its XDP program");
	return err;
}

/* True if a filter may be at the interface. Querying every interface of a large host takes long. */
static bool pinned_at(const struct pinned *list, size_t count, unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i].unseen || (list[i].link && list[i].ifindex == ifindex))
			return true;
	return false;
}

/* Queries the interface, and adds it if one of `hooks->pinned` is attached there. */
static int add_hook(struct hooks *hooks, const struct if_nameindex *interface)
{
	struct hook hook;
	int err;

	if (!pinned_at(hooks->pinned, hooks->pins, interface->if_index))
		return 0;
	err = hook_query(interface->if_index, hooks->pinned, hooks->pins, &hook);
	if (err == -ENODEV || err == -ENXIO)
		return 0; /* the interface was deleted after it was listed */
	if (err) {
		error("%s: cannot read its XDP program: %s", interface->if_name, strerror(-err));
		return err;
	}
	if (!hook.id[0])
		return 0;
	hooks->hook = xrealloc(hooks->hook, hooks->count + 1, sizeof(*hooks->hook));
	hooks->hook[hooks->count++] = hook;
	return 0;
}

int hooks_read(struct hooks *hooks)
{
	struct if_nameindex *all;
	size_t i;
	int err;

	hooks_free(hooks);
	err = list_pinned(&hooks->pinned, &hooks->pins);
	if (err || !hooks->pins)
		return err;
	all = if_nameindex();
	if (!all) {
		err = -errno;
		error("cannot list the interfaces: %s", strerror(-err));
	}
	for (i = 0; !err && all[i].if_index; i++)
		err = add_hook(hooks, &all[i]);
	if (all)
		if_freenameindex(all);
	if (err)
		hooks_free(hooks);
	return err;
}

void hooks_free(struct hooks *hooks)
{
	free(hooks->pinned);
	free(hooks->hook);
	*hooks = (struct hooks){};
}

bool hook_there(const struct hook *hook)
{
	struct hook now;

	return !hook_query(hook->ifindex, NULL, 0, &now) && now.program_id == hook->program_id &&
	       !(hook->id[0] && filter_is_empty(hook->id));
}

/* The program must be the same, too: in other network namespaces another interface has that
 * index. */
__u32 hook_link(const struct hook *hook)
{
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		__close_fd int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = {};
		__u32 length = sizeof(info);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    info.type == BPF_LINK_TYPE_XDP && info.prog_id == hook->program_id &&
		    info.xdp.ifindex == hook->ifindex)
			return id;
	}
	return 0;
}

int hook_missing(const struct hook *hook, const char *command)
{
	__free_text char *word = shell_word(hook->name);

	/* The filter is still there, but a pin is missing. */
	if (hook->id[0] && hook_there(hook)) {
		error("%s: %s: pins of its filter are missing below " PINS
		      "/%s; portcullis detach %s, then attach again",
		      command, hook->name, hook->id, word);
		return -EIO;
	}
	error("%s: %s: no filter of portcullis is attached; to attach one: portcullis attach %s -p PROFILE",
	      command, hook->name, word);
	return -ENOENT;
}

int hook_free(const struct hook *hook)
{
	/* the word that ip-link(8) uses */
	const char *kind = hook->mode == HOOK_GENERIC ? "xdpgeneric" : "xdp";
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);
	__close_fd int fd = -1;

	if (!hook->program_id)
		return 0;
	if (geteuid()) {
		error("%s: an XDP program is attached: id %u; only root can tell whose it is",
		      hook->name, hook->program_id);
		return -EBUSY;
	}
	fd = bpf_prog_get_fd_by_id(hook->program_id);
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) && info.name[0])
		error("%s: another XDP program is attached: '%s', id %u (%s); portcullis leaves it alone. Detach it with its own tool, or: ip link set dev %s %s off",
		      hook->name, info.name, hook->program_id, hook_mode_name(hook->mode),
		      hook->name, kind);
	else
		error("%s: another XDP program is attached: id %u (%s); portcullis leaves it alone. Detach it with its own tool, or: ip link set dev %s %s off",
		      hook->name, hook->program_id, hook_mode_name(hook->mode), hook->name, kind);
	return -EBUSY;
}
