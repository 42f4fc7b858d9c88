// SPDX-License-Identifier: GPL-2.0
/* The egress program's hook: tcx where the kernel has it (6.6), else clsact. */
#include "loader/filter/egress.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/clsact.h"
#include "loader/net/link.h"
#include "loader/net/netns.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"

/* Constants that the build's headers are too old to have. */
#define TCX_EGRESS ((enum bpf_attach_type)47) /* BPF_TCX_EGRESS */
/* BPF_F_BEFORE; without another program: before all others */
#define TCX_BEFORE (1U << 3)

/* Returns 1 if the link runs the program at the interface, 0 if not, or -errno. */
static int link_holds(int link, __u32 program, unsigned int ifindex)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(link, &info, &length))
		return -errno;
	/*
	 * Reads xdp.ifindex, because tcx.ifindex is the first field, too. The link has another
	 * program if a command was killed while it replaced the filter.
	 */
	return info.xdp.ifindex == ifindex && info.prog_id == program;
}

int egress_state(const struct filter *filter, unsigned int ifindex)
{
	__u32 id;
	int err = object_program(filter->fd[FILTER_EGRESS], &id);

	if (err)
		return err;
	if (filter->fd[FILTER_EGRESS_LINK] >= 0) {
		err = link_holds(filter->fd[FILTER_EGRESS_LINK], id, ifindex);
		return err > 0 ? EGRESS_TCX : err;
	}
	err = clsact_find(ifindex, id);
	return err > 0 ? EGRESS_CLSACT : err;
}

/* The errors of a kernel without tcx. */
static bool unsupported(int err)
{
	return err == -EINVAL || err == -EOPNOTSUPP || err == -ENOSYS;
}

static int attach_tcx(struct filter *filter, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = TCX_BEFORE);
	int link = bpf_link_create(filter->fd[FILTER_EGRESS], ifindex, TCX_EGRESS, &options);

	if (link < 0)
		return -errno;
	filter->fd[FILTER_EGRESS_LINK] = link;
	return 0;
}

/* The pin that says that we made the clsact of this interface. It is made before the clsact. */
static char *made_path(const struct filter *filter, unsigned int ifindex)
{
	return xasprintf(PINS "/%s/clsact-%u-%llu", filter->id, ifindex, netns_inode());
}

static int attach_clsact(const struct filter *filter, const char *interface, unsigned int ifindex)
{
	__free_text char *made = made_path(filter, ifindex);
	__u32 id;
	int missing = clsact_missing(ifindex);
	int err = missing < 0 ? missing : object_program(filter->fd[FILTER_EGRESS], &id);

	if (!err && missing && bpf_obj_pin(filter->fd[FILTER_EGRESS], made) && errno != EEXIST)
		err = -errno;
	if (err)
		return link_failed(interface, err, "cannot attach the egress program");
	return clsact_attach(filter->fd[FILTER_EGRESS], id, interface, ifindex);
}

int egress_attach(struct filter *filter, const char *interface, unsigned int ifindex)
{
	int err = attach_tcx(filter, ifindex);

	if (unsupported(err))
		return attach_clsact(filter, interface, ifindex);
	if (err == -ERANGE)
		error("%s: cannot attach the egress program: other programs take all places there; to list them: bpftool net show dev %s; then detach one",
		      interface, interface);
	else if (err)
		return link_failed(interface, err, "cannot attach the egress program");
	return err;
}

static int replace_clsact(struct filter *filter, const struct filter *old, const char *interface,
			  unsigned int ifindex)
{
	__free_text char *made_by_old = made_path(old, ifindex);
	__free_text char *made = made_path(filter, ifindex);
	__u32 id;
	int err = object_program(old->fd[FILTER_EGRESS], &id);

	if (!err && !access(made_by_old, F_OK) && bpf_obj_pin(filter->fd[FILTER_EGRESS], made) &&
	    errno != EEXIST)
		err = -errno;
	if (!err)
		err = attach_clsact(filter, interface, ifindex);
	if (err)
		return err;
	err = clsact_remove(ifindex, id, false);
	if (err && !object_program(filter->fd[FILTER_EGRESS], &id))
		clsact_remove(ifindex, id, false);
	return err;
}

int egress_replace(struct filter *filter, const struct filter *old, const char *interface,
		   unsigned int ifindex)
{
	int err = old->fd[FILTER_EGRESS] < 0 ? EGRESS_MISSING : egress_state(old, ifindex);

	if (err == EGRESS_MISSING)
		return egress_attach(filter, interface, ifindex);
	if (err > 0 && old->fd[FILTER_EGRESS_LINK] < 0) {
		err = replace_clsact(filter, old, interface, ifindex);
	} else if (err > 0) {
		err = bpf_link_update(old->fd[FILTER_EGRESS_LINK], filter->fd[FILTER_EGRESS],
				      NULL) ?
			      -errno :
			      0;
		if (!err && filter->fd[FILTER_EGRESS_LINK] < 0)
			filter->fd[FILTER_EGRESS_LINK] = fd_dup(old->fd[FILTER_EGRESS_LINK]);
	}
	return err ? link_failed(interface, err, "cannot replace the egress program") : 0;
}

int egress_detach(struct filter *filter, unsigned int ifindex)
{
	__free_text char *made = made_path(filter, ifindex);
	int err = 0;
	__u32 id;

	if (filter->fd[FILTER_EGRESS_LINK] >= 0) {
		/* Detaches at once, not when the kernel frees the link later. */
		if (bpf_link_detach(filter->fd[FILTER_EGRESS_LINK]) && errno != ENOLINK)
			err = -errno;
	} else if (filter->fd[FILTER_EGRESS] >= 0 && ifindex) {
		err = object_program(filter->fd[FILTER_EGRESS], &id);
		if (!err)
			err = clsact_remove(ifindex, id, !access(made, F_OK));
	}
	if (err)
		warning("cannot take the egress program off, though everything passes: %s",
			strerror(-err));
	return err;
}

/* Reads the pin of made_path, left by an earlier command. */
static struct clsact_made find_made(const char *id)
{
	__free_text char *folder = object_path(id, NULL);
	struct clsact_made made = {}, none = {};
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = sscanf(entry->d_name, "clsact-%u-%llu", &made.ifindex, &made.netns) == 2;
	if (dir)
		closedir(dir);
	return found ? made : none;
}

int egress_sweep(const char *id)
{
	__free_text char *link = object_path(id, "link");
	__close_fd int tcx = object_get(id, "egress_link");
	__close_fd int program = -1;
	struct clsact_made made;
	__u32 number;
	int err;

	if (tcx >= 0)
		return 0; /* a tcx link goes with its pin */
	program = object_get(id, "egress");
	if (program < 0)
		return 0; /* nothing was attached yet */
	err = object_program(program, &number);
	made = find_made(id);
	made.whole = !access(link, F_OK);
	if (!err)
		err = clsact_sweep(number, &made);
	if (err)
		error(PINS "/%s: cannot remove its filters from clsact: %s", id, strerror(-err));
	return err;
}
