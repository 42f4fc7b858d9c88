// SPDX-License-Identifier: GPL-2.0
/*
 * Interfaces: whose program holds the XDP hook, attaching to it, and clearing up after what is
 * gone.
 */
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

#include "loader/base/clock.h"
#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/base/utf8.h"
#include "loader/kernel.h"
#include "loader/net/link.h"
#include "loader/object/folder.h"
#include "loader/object/paths.h"
#include "loader/object/pin.h"
#include "loader/refusal.h"
#include "loader/report/record.h"
#include "loader/seed.h"

const char *hook_mode_name(enum hook_mode mode)
{
	return mode == HOOK_GENERIC ? "generic" : "native";
}

/* A folder below PINS, and what its link holds. */
struct pinned {
	char id[20];
	bool link;	      /* false: a folder without one, half made or replaced */
	bool unseen;	      /* without privilege: whether there is one, is not known */
	unsigned int ifindex; /* 0: its interface is gone */
	__u32 held;	      /* the program that the link holds */
	__u32 program_id;     /* that of the folder */
};

/* `*id` is 0 if the folder has no program. */
static int read_program(const char *folder, __u32 *id)
{
	__close_fd int fd = object_get(folder, "program");
	int err = fd < 0 ? fd : object_program(fd, id);

	if (err == -EACCES && geteuid())
		return filter_program(folder, id);
	return err == -ENOENT || err == -ENOTDIR ? 0 : err;
}

/*
 * What the link in a folder holds. That there is none, is no error; that it cannot be told, is one.
 */
static int read_pinned(const char *id, struct pinned *pinned)
{
	__free_text char *path = xasprintf(PINS "/%s/link", id);
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	__close_fd int fd = -1;
	int err;

	*pinned = (struct pinned){};
	memcpy(pinned->id, id, strlen(id)); /* shorter, as list_pinned sees to */
	err = read_program(id, &pinned->program_id);
	if (err) {
		error(PINS "/%s/program: cannot read: %s", id, strerror(-err));
		return err;
	}
	fd = bpf_obj_get(path);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) /* none; or no folder of ours */
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
 * While a filter is replaced, its link is pinned in two folders. It is that one's whose program it
 * holds.
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

/* Somebody took the XDP program off, and the egress program judges and learns on. */
static void warn_bereft(const struct pinned *pinned)
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
	/* Without privilege nothing can be seen, and nothing is changed either. */
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
			warn_bereft(&pinned);
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

/* Removes folders without a link, or whose link lost its interface. */
static void collect_dead(const struct pinned *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct filter dead = FILTER_NONE;

		if (list[i].unseen || (list[i].link && list[i].ifindex))
			continue;
		memcpy(dead.id, list[i].id, sizeof(dead.id));
		if (!egress_sweep(dead.id)) /* while the program's pin still tells which */
			filter_unpin(&dead);
	}
}

/* Fills what holds the hook of `ifindex`. */
static int query(unsigned int ifindex, const struct pinned *list, size_t count, struct hook *hook)
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
	hook->mode = found.skb_prog_id && !found.drv_prog_id && !found.hw_prog_id ? HOOK_GENERIC :
										    HOOK_NATIVE;
	hook->program_id = found.drv_prog_id ? found.drv_prog_id :
			   found.hw_prog_id  ? found.hw_prog_id :
			   found.skb_prog_id ? found.skb_prog_id :
					       found.prog_id;
	for (i = 0; i < count; i++)
		if ((list[i].link || list[i].unseen) && list[i].program_id == hook->program_id)
			memcpy(hook->id, list[i].id, sizeof(hook->id));
	return 0;
}

/* The name of a pinned filter's interface for a message; another namespace's has a number only. */
static char *interface_of(const struct pinned *pinned)
{
	struct hook hook;

	if (!query(pinned->ifindex, pinned, 1, &hook) && hook.id[0])
		return xstrdup(hook.name);
	return xasprintf("interface %u of another network namespace", pinned->ifindex);
}

/* What judges at a pinned filter. */
struct judging {
	bool known; /* false: another version's, or just going away */
	__u64 batch;
};

/* Whether another interface is judged by a generation of this batch already. */
static bool batch_judges(const struct judging *judging, size_t count, __u64 batch)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (batch && judging[i].known && judging[i].batch == batch)
			return true;
	return false;
}

static int look_at(const struct pinned *pinned, struct judging *judging)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	int err;

	if (!pinned->link || !pinned->ifindex)
		return 0;
	err = filter_try_open(pinned->id, &filter);
	if (err == -ENOENT || err == -EPROTO)
		return 0;
	if (err) {
		error(PINS "/%s: cannot read: %s", pinned->id, strerror(-err));
		return err;
	}
	judging->known = true;
	judging->batch = filter.current.copy->batch;
	return 0;
}

/* What was attached to be confirmed and never was, or whose command was killed. */
static int take_off(const struct pinned *pinned, struct filter *filter, const char *what)
{
	struct hook hook;
	int err;

	if (query(pinned->ifindex, pinned, 1, &hook) || !hook.id[0])
		return 0; /* of another network namespace: left to a command there */
	filter->ifindex = hook.ifindex;
	err = filter_detach(filter);
	if (err)
		return err;
	record_change(
		&(struct record){.action = RECORD_REVERT, .interface = hook.name, .what = what});
	warning("%s: %s: detached; everything passes", hook.name, what);
	return 0;
}

static int settle_reverted(const struct pinned *pinned, struct filter *filter)
{
	__free_text char *name = NULL;
	int err;

	if (filter->current.copy->stand_in)
		return take_off(pinned, filter, "the attach was not confirmed in time");
	name = interface_of(pinned);
	err = filter_settle_reverted(filter);
	if (err)
		return err;
	record_change(&(struct record){.action = RECORD_REVERT,
				       .interface = name,
				       .generation = filter->current.copy->number,
				       .what = "the swap was not confirmed in time"});
	warning("%s: the swap was not confirmed in time: generation %llu judges again", name,
		filter->current.copy->number);
	return 0;
}

/* A generation that was prepared and is not in place, or was replaced and is still there. */
static int settle_left_over(const struct pinned *pinned, struct filter *filter, bool complete)
{
	__free_text char *name = interface_of(pinned);
	const char *what = filter->current.copy->stand_in ? "attach" : "swap";
	int err;

	if (complete) {
		err = filter_commit(filter);
		if (err)
			return err;
		record_change(&(struct record){
			.action = filter->next.copy && filter->next.copy->stand_in ? RECORD_ATTACH :
										     RECORD_SWAP,
			.interface = name,
			.generation = filter->current.copy->number,
			.what = "completed what a killed command had left half done",
			.seconds = seconds_left(filter->current.copy),
		});
		warning("%s: completed the %s that a killed command had left half done", name,
			what);
	} else if (filter->current.copy->stand_in) {
		return take_off(pinned, filter, "a killed command had only prepared the attach");
	} else {
		warning("%s: took back the swap that a killed command had only prepared", name);
	}
	return 0;
}

/* To complete what would fall back at once helps nobody. */
static bool is_over(const struct pc_generation *generation)
{
	return generation->deadline && clock_boot() >= generation->deadline;
}

/* Completes what the killed command had begun elsewhere; else clears away what it had prepared. */
static int settle(const struct pinned *pinned, const struct judging *judging, size_t count)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;
	__u64 batch;
	int err = filter_open(pinned->id, &filter);

	if (!err && filter.reverted.copy)
		return settle_reverted(pinned, &filter);
	if (!err)
		err = filter_left_over(&filter, &batch);
	if (!err && filter.next.copy && filter.next.copy->number > filter.current.copy->number)
		err = settle_left_over(pinned, &filter,
				       batch_judges(judging, count, batch) &&
					       !is_over(filter.next.copy));
	else if (!err && filter.current.copy->stand_in)
		err = take_off(pinned, &filter, "a killed command had only begun to attach");
	if (err || !filter.current.copy)
		return err == -ENOENT ? 0 : err;
	filter_finish(&filter);
	return 0;
}

/* A command was killed while it detached: everything passes already. */
static void settle_empty(const struct pinned *pinned)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	if (pinned->link && filter_is_empty(pinned->id)) {
		memcpy(filter.id, pinned->id, sizeof(filter.id));
		take_off(pinned, &filter, "completed a detach that was left half done");
	}
}

int hook_settle(void)
{
	struct judging *judging;
	struct pinned *list;
	size_t count, i;
	int err = list_pinned(&list, &count);

	if (err)
		return err;
	collect_dead(list, count);
	judging = xcalloc(count, sizeof(*judging));
	for (i = 0; i < count && !err; i++)
		err = look_at(&list[i], &judging[i]);
	for (i = 0; i < count && !err; i++)
		if (judging[i].known)
			err = settle(&list[i], judging, count);
		else
			settle_empty(&list[i]);
	free(judging);
	free(list);
	return err;
}

static void mend(const struct hook *hook)
{
	__cleanup(filter_close) struct filter filter = FILTER_NONE;

	if (filter_try_open(hook->id, &filter) ||
	    egress_state(&filter, hook->ifindex) != EGRESS_MISSING)
		return;
	fd_close(&filter.fd[FILTER_EGRESS_LINK]);
	if (egress_attach(&filter, hook->name, hook->ifindex) || filter_repin_egress(&filter)) {
		warning("%s: its egress program is missing: what this host sends is neither learned nor judged; portcullis detach %s, then attach again",
			hook->name, hook->name);
		return;
	}
	warning("%s: its egress program was missing, and is attached again: what this host sent meanwhile was not learned",
		hook->name);
	seed_live(&filter, hook->ifindex, filter.current.copy->forward);
}

void hook_mend(void)
{
	struct hook *hook;
	size_t count, i;

	if (hook_list(&hook, &count))
		return;
	for (i = 0; i < count; i++)
		mend(&hook[i]);
	free(hook);
}

int hook_collect(void)
{
	int err = hook_settle();

	if (!err)
		hook_mend();
	return err;
}

int hook_find(const char *interface, struct hook *hook)
{
	char real[IF_NAMESIZE];
	__free_text char *name = text_printable(interface);
	int ifindex = link_find(interface, real), err;
	struct pinned *list;
	size_t count;

	if (ifindex < 0) {
		error("%s: cannot look for it: %s", name, strerror(-ifindex));
		return ifindex;
	}
	if (!ifindex) {
		error("%s: no such interface in this network namespace", name);
		return -ENODEV;
	}
	err = list_pinned(&list, &count);
	if (err)
		return err;
	err = query(ifindex, list, count, hook);
	free(list);
	if (err == -ENXIO || err == -ENODEV)
		error("%s: no such interface in this network namespace", interface); /* any more */
	else if (err)
		error("%s: cannot ask for its XDP program: %s", interface, strerror(-err));
	return err;
}

/* Whether a link of ours may be there. Asking the kernel of each interface takes long. */
static bool pinned_at(const struct pinned *list, size_t count, unsigned int ifindex)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (list[i].unseen || (list[i].link && list[i].ifindex == ifindex))
			return true;
	return false;
}

int hook_list(struct hook **list, size_t *count)
{
	struct if_nameindex *all = if_nameindex();
	struct pinned *pinned;
	size_t pins, i;
	int err;

	if (!all) {
		err = -errno;
		error("cannot list the interfaces: %s", strerror(-err));
		return err;
	}
	*list = NULL;
	*count = 0;
	err = list_pinned(&pinned, &pins);
	for (i = 0; pins && all[i].if_index; i++) {
		struct hook hook;

		if (err || !pinned_at(pinned, pins, all[i].if_index))
			continue;
		err = query(all[i].if_index, pinned, pins, &hook);
		if (err == -ENODEV || err == -ENXIO)
			err = 0; /* gone since */
		else if (err)
			error("%s: cannot ask for its XDP program: %s", all[i].if_name,
			      strerror(-err));
		if (err || !hook.id[0])
			continue;
		*list = xrealloc(*list, *count + 1, sizeof(**list));
		(*list)[(*count)++] = hook;
	}
	if_freenameindex(all);
	free(pinned);
	if (err) {
		free(*list);
		*list = NULL;
		*count = 0;
	}
	return err;
}

bool hook_there(const struct hook *hook)
{
	struct hook now;

	return !query(hook->ifindex, NULL, 0, &now) && now.program_id == hook->program_id &&
	       !(hook->id[0] && filter_is_empty(hook->id));
}

int hook_missing(const struct hook *hook, const char *command)
{
	/* Still there, but it could not be opened: a pin is missing. */
	if (hook->id[0] && hook_there(hook)) {
		error("%s: %s: pins of its filter are missing below " PINS
		      "/%s; portcullis detach %s, then attach again",
		      command, hook->name, hook->id, hook->name);
		return -EIO;
	}
	error("%s: %s: no filter of portcullis is attached; portcullis attach %s -p PROFILE attaches one",
	      command, hook->name, hook->name);
	return -ENOENT;
}

int hook_free(const struct hook *hook)
{
	const char *kind = hook->mode == HOOK_GENERIC ? "xdpgeneric" : "xdp"; /* to ip-link(8) */
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

static int link_xdp(struct filter *filter, unsigned int ifindex, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int link = bpf_link_create(filter->fd[FILTER_PROGRAM], ifindex, BPF_XDP, &options);

	if (link < 0)
		return -errno;
	filter->fd[FILTER_LINK] = link;
	return 0;
}

int hook_attach(struct filter *filter, const struct hook *hook, enum hook_mode *mode)
{
	__free_text char *native_words = NULL;
	__free_text char *fix = NULL;
	__free_text char *generic_words = NULL;
	struct hook now;
	int err = -EOPNOTSUPP, gone;

	if (*mode != HOOK_GENERIC) {
		err = link_xdp(filter, hook->ifindex, XDP_FLAGS_DRV_MODE);
		if (!err) {
			*mode = HOOK_NATIVE;
			return 0;
		}
		gone = query(hook->ifindex, NULL, 0, &now);
		if (gone == -ENODEV || gone == -ENXIO) {
			error("%s: the interface is gone", hook->name);
			return -ENODEV;
		}
		if (now.program_id)
			return hook_free(&now); /* somebody was faster */
		native_words = refusal_words(filter->fd[FILTER_PROGRAM], hook->ifindex,
					     XDP_FLAGS_DRV_MODE, err);
		fix = refusal_fix(native_words, hook->name);
		if (*mode == HOOK_NATIVE) {
			error("%s: no native XDP: %s%s; or leave out --mode native to use generic mode",
			      hook->name, native_words, fix);
			return err;
		}
	}
	err = link_xdp(filter, hook->ifindex, XDP_FLAGS_SKB_MODE);
	if (!err) {
		if (native_words)
			warning("%s: native XDP refused: %s; attached in generic mode, which is slower%s",
				hook->name, native_words, fix);
		*mode = HOOK_GENERIC;
		return 0;
	}
	generic_words =
		refusal_words(filter->fd[FILTER_PROGRAM], hook->ifindex, XDP_FLAGS_SKB_MODE, err);
	if (native_words)
		error("%s: native XDP refused: %s; generic XDP refused: %s", hook->name,
		      native_words, generic_words);
	else
		error("%s: generic XDP refused: %s", hook->name, generic_words);
	return err;
}

int filter_of(const char *interface, const char *command, struct filter *filter)
{
	struct hook hook;
	int err = pins_ready(false);

	if (err < 0)
		return err;
	err = hook_find(interface, &hook);
	if (err)
		return err;
	err = hook.id[0] ? filter_open(hook.id, filter) : -ENOENT;
	return err == -ENOENT ? hook_missing(&hook, command) : err;
}
