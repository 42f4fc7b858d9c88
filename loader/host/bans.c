// SPDX-License-Identifier: GPL-2.0
/* The bans of this network namespace: the file that keeps them, and the tables of its filters. */
#include "loader/host/bans.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/flags.h"
#include "loader/filter/open.h"
#include "loader/net/netns.h"
#include "loader/object/pin.h"
#include "loader/recipe/state.h"

#define RUN	      "/run/portcullis"
#define NEIGHBOURS    "neighbours" /* files, of protect.h */
#define ADMINS	      "administrators"
#define COMPACT_LEAST (1 << 20)	   /* bytes up to which a file is not rewritten to save space */
#define IN_PLACE      10000	   /* prefixes up to which a table is changed in place */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

/* --- the file --- */

/*
 * A number that only this network namespace has in this boot; before Linux 5.14 the inode, which
 * another one may get later.
 */
static unsigned long long netns_number(void)
{
	__close_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned long long cookie = 0;
	socklen_t length = sizeof(cookie);

	if (fd >= 0 && !getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length))
		return cookie;
	return netns_inode();
}

/*
 * True in the network namespace of the host or the container, which is that of process 1. If
 * process 1 cannot be read, any namespace without a name counts as that.
 */
static bool is_first_namespace(void)
{
	__free_text char *name = NULL;
	struct stat own, first;

	if (stat("/proc/1/ns/net", &first) || stat("/proc/self/ns/net", &own)) {
		name = netns_name();
		return !name;
	}
	return own.st_ino == first.st_ino && own.st_dev == first.st_dev;
}

/* No name of another namespace survives a reboot, so its bans are kept for this boot only. */
char *bans_file_path(const char *name)
{
	if (is_first_namespace())
		return xasprintf(STATE "/%s", name);
	return xasprintf(RUN "/%s-%llx", name, netns_number());
}

static int file_failed(const struct bans *bans, int err)
{
	error("%s: %s", bans->path,
	      err == -EINVAL ? "is not a file of bans, or its start is damaged; move it away" :
			       strerror(-err));
	return err;
}

static void warn_of_lines(const struct bans *bans)
{
	if (bans->file.bad)
		warning("%s: %zu lines cannot be read and are ignored", bans->path, bans->file.bad);
}

int bans_load(struct bans *bans)
{
	__u64 number = bans->file.number;
	int err;

	if (bans->loaded)
		return 0;
	err = ban_file_read(bans->path, &bans->clock, &bans->file);
	if (err)
		return file_failed(bans, err);
	warn_of_lines(bans);
	bans->loaded = true;
	return number && bans->file.number != number ? -ESTALE : 0;
}

/* Rewrites the file if it is new, of another boot, or longer than it needs to be. */
static int write_anew(struct bans *bans)
{
	int err = bans_load(bans);

	if (err)
		return err;
	err = ban_file_write(bans->path, &bans->clock, &bans->file);
	return err ? file_failed(bans, err) : 0;
}

/* --- the filters --- */

/* `reads`: leaves out a filter of another version. */
static int open_filters(const struct hooks *hooks, bool reads, struct bans *bans)
{
	bans->filter = xcalloc(hooks->count + 1, sizeof(*bans->filter));
	for (size_t i = 0; i < hooks->count; i++) {
		struct filter *filter = &bans->filter[bans->filters];
		int err;

		*filter = FILTER_NONE;
		err = filter_try_open(hooks->hook[i].id, filter);
		if (err == -ENOENT)
			continue;
		if (err == -EPROTO || (!err && filter->fd[FILTER_BANS] < 0)) {
			filter_close(filter);
			if (reads)
				continue;
			error_fix(
				"portcullis takeover",
				"%s: its filter was attached by another version, which knows no bans",
				hooks->hook[i].name);
			return -EPROTO;
		}
		if (err) {
			error("%s: cannot open its filter: %s", hooks->hook[i].name,
			      strerror(-err));
			return err;
		}
		bans->filters++;
	}
	return 0;
}

static __u32 map_id(int map)
{
	struct bpf_map_info info;

	return object_map(map, &info) ? 0 : info.id;
}

/*
 * True if an earlier filter in the list has the same maps. Only an interface that was moved here
 * has others.
 */
static bool shares_earlier(const struct bans *bans, size_t at)
{
	__u32 id = map_id(bans->filter[at].fd[FILTER_BANS]);

	for (size_t i = 0; i < at; i++)
		if (map_id(bans->filter[i].fd[FILTER_BANS]) == id)
			return true;
	return false;
}

static int each_failed(int err)
{
	error("cannot put the bans in place: %s", strerror(-err));
	return err;
}

/* --- the table --- */

/* Notes up to which byte of the file the table is complete. */
static void note_file(struct bans *bans)
{
	if (bans->table.map < 0)
		return;
	bans->table.head->file = bans->file.number;
	__atomic_store_n(&bans->table.head->file_length, bans->file.length, __ATOMIC_RELEASE);
}

static bool agrees(const struct bans *bans)
{
	return bans->table.head->file == bans->file.number &&
	       bans->table.head->file_length == bans->file.length;
}

/* Makes the next command rebuild the table, unless note_file() is called before. */
static void doubt_table(struct bans *bans)
{
	if (bans->table.map >= 0)
		__atomic_store_n(&bans->table.head->file_length, 0, __ATOMIC_RELEASE);
}

static int read_denied(struct bans *bans)
{
	int err = 0;

	if (bans->never_known)
		return 0;
	for (size_t i = 0; i < bans->filters && !err; i++)
		err = denied_read(&bans->filter[i], &bans->denied);
	bans->never_known = !err;
	return err;
}

static bool is_never(const struct bans *bans, const struct prefix *prefix)
{
	return prefix_enclosing(bans->denied.never, bans->denied.nevers, prefix);
}

const struct prefix *bans_never(struct bans *bans, const struct prefix *prefix)
{
	return read_denied(bans) ?
		       NULL :
		       prefix_enclosing(bans->denied.never, bans->denied.nevers, prefix);
}

const struct prefix *bans_denied(struct bans *bans, const struct prefix *prefix)
{
	return read_denied(bans) ? NULL :
				   prefix_enclosing(bans->denied.deny, bans->denied.denies, prefix);
}

bool bans_never_group(const struct bans *bans, const char *group)
{
	for (size_t i = 0; i < bans->filters; i++) {
		const struct pc_generation *generation = bans->filter[i].current.copy;

		for (int bit = 0; generation && bit < PC_GROUPS; bit++)
			if (generation->never_ban >> bit & 1 &&
			    generation->group[0][bit] == pc_group_id(group))
				return true;
	}
	return false;
}

/* Fills a table with the set: the latest end of each prefix. -ENOSPC: the table is too small. */
static int fill(const struct bans *bans, struct ban_table *table)
{
	const struct ban_set *set = &bans->file.set;
	__u32 now = (__u32)bans->clock.boot;
	int err = 0;

	for (size_t i = 0; i < set->count && !err;) {
		const struct prefix *prefix = &set->ban[i].prefix;
		__u32 until = PC_BAN_FREE;

		for (; i < set->count && !prefix_compare(prefix, &set->ban[i].prefix); i++)
			if (ban_holds(&set->ban[i], now) && set->ban[i].until > until)
				until = set->ban[i].until;
		if (until && !is_never(bans, prefix))
			err = ban_table_set(table, prefix, until, now);
	}
	return err;
}

/* Adds members of `never-ban`, which pass in any ban, and the marks of what is denied. */
static int fill_denied(const struct bans *bans, struct ban_table *table)
{
	const struct denied *denied = &bans->denied;
	int err = 0;

	for (size_t i = 0; i < denied->nevers && !err; i++)
		err = ban_table_set(table, &denied->never[i], PC_BAN_NEVER,
				    (__u32)bans->clock.boot);
	for (size_t i = 0; i < denied->denies && !err; i++)
		ban_table_mark(table, &denied->deny[i]);
	return err;
}

static bool same_host(const struct prefix *prefix, const struct protected_host *host)
{
	return prefix->family == host->family &&
	       prefix->length == (host->family == AF_INET ? 32 : 128) &&
	       !memcmp(prefix->address, host->address, sizeof(host->address));
}

/* The end value for a prefix that passes in wider bans once its own ban has ended. */
static __u32 sparing(__u32 until)
{
	return !until ? PC_BAN_NEVER : until < PC_BAN_NEVER ? until | PC_BAN_PASSES : until;
}

/* Lets a prefix pass that a wider ban contains; if it is banned itself, it passes when that ban
 * ends. */
static int spare(struct ban_table *table, const struct prefix *prefix, __u32 now)
{
	__u32 until = ban_table_find(table, prefix, NULL);

	if (pc_ban_end(until) <= now)
		until = PC_BAN_FREE;
	return ban_table_set(table, prefix, sparing(until), now);
}

static struct prefix prefix_of_host(const struct protected_host *host)
{
	struct prefix prefix = {.family = host->family,
				.length = host->family == AF_INET ? 32 : 128};

	memcpy(prefix.address, host->address, sizeof(host->address));
	return prefix;
}

static bool is_link_local(const struct prefix *prefix)
{
	for (size_t i = 0; i < LINK_LOCALS; i++)
		if (!prefix_compare(prefix, &group_link_local[i]))
			return true;
	return false;
}

/* Lets a prefix pass if one of these is wider and contains it. */
static int spare_within(const struct bans *bans, struct ban_table *table,
			const struct prefix *prefix, const struct prefix *wider, size_t count)
{
	struct prefix around = *prefix;

	around.length--;
	return prefix_enclosing(wider, count, &around) ?
		       spare(table, prefix, (__u32)bans->clock.boot) :
		       0;
}

/* Lets the hosts and link-local prefixes pass that are within one of these, wider, prefixes. */
static int spare_all(const struct bans *bans, struct ban_table *table, const struct prefix *prefix,
		     size_t count)
{
	int err = 0;

	for (size_t i = 0; bans->hosts && i < bans->hosts->count && !err; i++) {
		const struct prefix host = prefix_of_host(&bans->hosts->host[i]);

		err = spare_within(bans, table, &host, prefix, count);
	}
	/*
	 * DHCPv6 and the queries of multicast listener discovery come from link-local addresses;
	 * without these queries switches forget where this host is.
	 */
	for (size_t i = 0; i < LINK_LOCALS && !err; i++)
		err = spare_within(bans, table, &group_link_local[i], prefix, count);
	return err;
}

/* The prefixes of the set whose bans hold, in its order; the caller frees. */
static struct prefix *prefixes_in_force(const struct bans *bans, size_t *count)
{
	const struct ban_set *set = &bans->file.set;
	struct prefix *prefix = xcalloc(set->count + bans->denied.denies + 1, sizeof(*prefix));

	*count = 0;
	for (size_t i = 0; i < set->count; i++)
		if (ban_holds(&set->ban[i], (__u32)bans->clock.boot))
			prefix[(*count)++] = set->ban[i].prefix;
	return prefix;
}

static int spare_of_set(const struct bans *bans, struct ban_table *table)
{
	size_t count;
	struct prefix *prefix = prefixes_in_force(bans, &count);
	int err = spare_all(bans, table, prefix, count);

	free(prefix);
	return err;
}

/* The present hosts that neither a ban nor `deny` should cut off. */
static void find_hosts(const struct bans *bans, struct protected_hosts *hosts)
{
	__free_text char *path = bans_file_path(NEIGHBOURS);
	__free_text char *admins = bans_file_path(ADMINS);
	size_t count;
	struct prefix *prefix = prefixes_in_force(bans, &count);

	for (size_t i = 0; i < bans->denied.denies; i++)
		prefix[count++] = bans->denied.deny[i];
	prefixes_sort_once(prefix, &count);
	protected_find(prefix, count, hosts);
	protected_add_kept(path, bans->clock.boot_id, hosts);
	protected_add_administrators(admins, bans->clock.wall, hosts);
	free(prefix);
}

/* Makes a table of the set, with room for more. */
static int make_table(const struct bans *bans, struct ban_table *table)
{
	size_t live[2] = {};
	int err = -ENOSPC;

	for (size_t i = 0; i < bans->file.set.count; i++)
		live[bans->file.set.ban[i].prefix.family == AF_INET6]++;
	for (size_t i = 0; bans->hosts && i < bans->hosts->count; i++)
		live[bans->hosts->host[i].family == AF_INET6]++;
	for (size_t i = 0; i < bans->denied.nevers; i++)
		live[bans->denied.never[i].family == AF_INET6]++;
	for (size_t i = 0; i < LINK_LOCALS; i++)
		live[group_link_local[i].family == AF_INET6]++;
	for (int tries = 0; err == -ENOSPC && tries < 4; tries++) {
		err = ban_table_make(live[0] + live[0] / 8 * (size_t)(tries + 1),
				     live[1] + live[1] / 8 * (size_t)(tries + 1), table);
		if (err)
			return err;
		err = fill(bans, table);
		if (!err)
			err = fill_denied(bans, table);
		if (!err)
			err = spare_of_set(bans, table);
		if (!err)
			err = spare_all(bans, table, bans->denied.deny, bans->denied.denies);
		if (err)
			ban_table_close(table);
	}
	return err;
}

static int set_ban_flags(const struct bans *bans, bool on)
{
	int err = 0;

	for (size_t i = 0; i < bans->filters && !err; i++)
		err = ban_flag_set(&bans->filter[i], on);
	return err;
}

/* Sets the flags first, because they mean nothing without a table: installing that is the last step
 * that can fail. */
static int install_all(struct bans *bans, struct ban_table *table)
{
	__u32 first = bans->table.map >= 0 && !bans->table.head->slot ? PC_BAN_CHUNKS : 0;
	int err = set_ban_flags(bans, true);

	for (size_t i = 0; i < bans->filters && !err; i++)
		if (!shares_earlier(bans, i))
			err = ban_table_install(&bans->filter[i], table, first);
	for (size_t i = 0; i < bans->filters && !err; i++)
		if (!shares_earlier(bans, i))
			ban_table_forget(&bans->filter[i], table);
	return err;
}

static int remove_all(struct bans *bans)
{
	int err = 0;

	for (size_t i = 0; i < bans->filters && !err; i++)
		if (!shares_earlier(bans, i))
			err = ban_table_remove(&bans->filter[i]);
	if (err)
		return err;
	set_ban_flags(bans, false); /* what is left of them only costs time */
	ban_table_close(&bans->table);
	return 0;
}

static bool holds_any(const struct bans *bans)
{
	for (size_t i = 0; i < bans->file.set.count; i++)
		if (ban_holds(&bans->file.set.ban[i], (__u32)bans->clock.boot))
			return true;
	return false;
}

/* As make_table, with the present hosts that pass in wider bans. */
static int make_table_sparing(struct bans *bans, struct ban_table *table)
{
	const struct protected_hosts *given = bans->hosts;
	int err;

	protected_free(&bans->found);
	find_hosts(bans, &bans->found);
	bans->hosts = &bans->found;
	err = make_table(bans, table);
	bans->hosts = given;
	return err;
}

/* Rebuilds the table from the set. */
static int table_anew(struct bans *bans)
{
	struct ban_table table = BAN_TABLE_NONE;
	int err;

	if (!bans->filters)
		return 0;
	ban_set_expire(&bans->file.set, (__u32)bans->clock.boot);
	ban_set_sort(&bans->file.set);
	err = read_denied(bans);
	if (err)
		return err;
	if (!holds_any(bans) && !bans->denied.denies)
		return bans->table.map < 0 ? 0 : remove_all(bans);
	err = make_table_sparing(bans, &table);
	if (err)
		return err;
	table.head->file = bans->file.number;
	table.head->file_length = bans->file.length;
	if (bans->table.map >= 0)
		ban_table_keep_counts(&table, &bans->table);
	err = install_all(bans, &table);
	if (err) {
		ban_table_close(&table);
		return err;
	}
	ban_table_close(&bans->table);
	bans->table = table;
	return 0;
}

/*
 * Makes the table agree with the file. They differ if a command was killed between writing one and
 * the other, or if another boot wrote the file.
 */
static int agree(struct bans *bans)
{
	int err;

	if (bans->table.map >= 0 && !ban_file_head(bans->path, &bans->clock, &bans->file)) {
		bans->file.length = bans->file.size;
		if (agrees(bans))
			return 0;
	}
	bans->file = (struct ban_file){};
	err = bans_load(bans);
	if (!err && bans->file.old_boot)
		err = write_anew(bans);
	if (err)
		return err;
	err = table_anew(bans);
	return err ? each_failed(err) : 0;
}

int bans_open(const struct hooks *hooks, struct bans *bans)
{
	int err;

	*bans = (struct bans){.path = bans_file_path("bans"), .table = BAN_TABLE_NONE};
	ban_clock_now(&bans->clock);
	err = open_filters(hooks, false, bans);
	if (err)
		return err;
	if (bans->filters) {
		err = ban_table_open(&bans->filter[0], true, &bans->table);
		if (err && err != -ENOENT)
			return each_failed(err);
	}
	return agree(bans);
}

int bans_read(const struct hooks *hooks, struct bans *bans)
{
	int err;

	*bans = (struct bans){.path = bans_file_path("bans"), .table = BAN_TABLE_NONE};
	ban_clock_now(&bans->clock);
	err = open_filters(hooks, true, bans);
	if (!err && bans->filters)
		ban_table_open(&bans->filter[0], false, &bans->table);
	return err ? err : bans_load(bans);
}

void bans_close(struct bans *bans)
{
	for (size_t i = 0; i < bans->filters; i++)
		filter_close(&bans->filter[i]);
	free(bans->filter);
	ban_table_close(&bans->table);
	denied_free(&bans->denied);
	ban_file_free(&bans->file);
	protected_free(&bans->found);
	free(bans->text);
	free(bans->path);
	*bans = (struct bans){.table = BAN_TABLE_NONE};
}

/* --- changes --- */

/* Appends to the file, which had `*before` bytes. The caller syncs `*written`. */
static int append(struct bans *bans, const char *lines, size_t length, __u64 *before, int *written)
{
	int err = bans->file.number ? 0 : write_anew(bans);

	*before = bans->file.length;
	if (!err) {
		err = ban_file_append(bans->path, &bans->clock, &bans->file, lines, length,
				      written);
		if (err)
			file_failed(bans, err);
	}
	return err;
}

/* The change stays in force, even if it may not survive a power cut. */
static void sync_file(struct bans *bans, int written)
{
	if (fdatasync(written))
		warning("%s: cannot be synced: %s; a power cut may undo this change", bans->path,
			strerror(errno));
}

/* Rewrites the file if it has grown to twice the bytes that it needs. */
static void compact(struct bans *bans)
{
	__u64 needed = 0;
	char *text = NULL;
	size_t length;
	FILE *to;

	if (!bans->loaded || bans->file.size < COMPACT_LEAST)
		return;
	to = open_memstream(&text, &length);
	if (!to)
		return;
	ban_lines_write(&bans->file.set, (__u32)bans->clock.boot, to);
	if (!fclose(to))
		needed = length;
	free(text);
	if (bans->file.size > 2 * needed + COMPACT_LEAST && !write_anew(bans))
		note_file(bans);
}

/* Whether a prefix of more than one address is banned or denied. */
static bool has_wide(const struct bans *bans)
{
	const struct pc_bans *head = bans->table.head;

	if (bans->table.map < 0)
		return false;
	for (int i = 0; i < 2; i++)
		if ((head->lengths4[i] && head->lengths4[i] != PC_BAN_KIND4(32)) ||
		    (head->lengths6[i] && head->lengths6[i] != PC_BAN_KIND6(128)))
			return true;
	return bans->denied.denies;
}

static void keep_neighbours(const struct bans *bans)
{
	__free_text char *path = has_wide(bans) ? bans_file_path(NEIGHBOURS) : NULL;

	if (path)
		protected_keep(path, bans->clock.boot_id);
}

/* Whether exactly this host is banned without an end. */
static bool is_banned_for_good(const struct bans *bans, const struct prefix *host)
{
	const struct ban_set *set = &bans->file.set;

	if (bans->table.map >= 0)
		return ban_table_find(&bans->table, host, NULL) == PC_BAN_FOREVER;
	for (size_t i = 0; i < set->count; i++)
		if (set->ban[i].until == PC_BAN_FOREVER && !set->ban[i].parked &&
		    !prefix_compare(&set->ban[i].prefix, host))
			return true;
	return false;
}

/* Whether a wider prefix is banned or denied, or is in a list that is parked. */
static bool is_within_wider(const struct bans *bans, const struct prefix *host)
{
	const struct ban_set *set = &bans->file.set;
	__u32 now = (__u32)bans->clock.boot;

	if ((bans->table.map >= 0 && ban_table_covers(&bans->table, host, now)) ||
	    prefix_enclosing(bans->denied.deny, bans->denied.denies, host))
		return true;
	for (size_t i = 0; i < set->count; i++)
		if (set->ban[i].prefix.length < host->length && set->ban[i].until > now &&
		    prefix_contains(&set->ban[i].prefix, host->family, host->address))
			return true;
	return false;
}

static void see_administrators(const struct bans *bans, const struct protected_hosts *hosts,
			       struct administrators *list)
{
	for (size_t i = 0; hosts && i < hosts->count; i++) {
		const struct prefix host = prefix_of_host(&hosts->host[i]);

		if (hosts->host[i].login && is_within_wider(bans, &host))
			administrators_see(list, &host, bans->clock.wall);
	}
}

/*
 * Keeps the administrators that a change found connected, because they pass in wider bans. Forgets
 * those that are banned themselves without an end, and, if all bans are known, those that are in
 * no wider ban.
 */
static void keep_administrators(const struct bans *bans)
{
	__free_text char *path = bans_file_path(ADMINS);
	struct administrators list;
	bool all = bans->loaded && bans->filters;

	administrators_read(path, bans->clock.wall, &list);
	see_administrators(bans, bans->hosts, &list);
	see_administrators(bans, &bans->found, &list);
	for (size_t i = list.count; i--;)
		if (is_banned_for_good(bans, &list.one[i].host) ||
		    (all && !is_within_wider(bans, &list.one[i].host)))
			administrators_remove(&list, i);
	if (list.changed)
		protected_keep_administrators(path, &list);
}

/*
 * Ends a change that begins at byte `before` of the file. A change that could not be put in place
 * is removed from the file.
 */
static int finish(struct bans *bans, __u64 before, int *written, int err)
{
	if (!err) {
		note_file(bans);
		sync_file(bans, *written);
	} else {
		int cut = ban_file_cut(*written, before, &bans->file);

		doubt_table(bans);
		if (!cut)
			error("cannot put the bans in place: %s; nothing was changed",
			      strerror(-err));
		else
			error("cannot put the bans in place: %s; %s has this change (%s), and the next ban or unban puts it in force",
			      strerror(-err), bans->path, strerror(-cut));
	}
	fd_close(written);
	if (!err)
		compact(bans);
	if (!err) {
		keep_neighbours(bans);
		keep_administrators(bans);
	}
	return err;
}

/* The latest end of a prefix in all lists. */
static __u32 end_of(const struct bans *bans, const struct names *lists, const struct prefix *prefix)
{
	__u32 until = PC_BAN_FREE;

	for (size_t i = 0; i < lists->count; i++) {
		const struct ban *ban = ban_set_find(&bans->file.set, lists->name[i], prefix);

		if (ban && ban_holds(ban, (__u32)bans->clock.boot) && ban->until > until)
			until = ban->until;
	}
	return until;
}

/* Whether a prefix that may pass is in a wider one that is banned or denied. */
static bool is_within(const struct bans *bans, const struct prefix *prefix)
{
	return (is_link_local(prefix) ||
		prefix->length == (prefix->family == AF_INET ? 32 : 128)) &&
	       (ban_table_covers(&bans->table, prefix, (__u32)bans->clock.boot) ||
		prefix_enclosing(bans->denied.deny, bans->denied.denies, prefix));
}

/* Finds which of these prefixes are hosts that pass, if any is within a wider ban or `deny`. */
static void find_hosts_within(const struct bans *bans, const struct prefix *prefix, size_t count,
			      struct protected_hosts *hosts)
{
	struct prefix *within = xcalloc(count + 1, sizeof(*within));
	size_t withins = 0;

	for (size_t i = 0; i < count; i++)
		if (is_within(bans, &prefix[i]))
			within[withins++] = prefix[i];
	prefixes_sort_once(within, &withins);
	if (withins)
		protected_find(within, withins, hosts);
	free(within);
}

static bool is_protected(const struct protected_hosts *hosts, const struct prefix *prefix)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (same_host(prefix, &hosts->host[i]))
			return true;
	return false;
}

/*
 * Sets the ends of the prefixes that the lines change. A protected host whose own ban ends passes
 * in a wider ban.
 */
static int change_in_place(struct bans *bans, const struct prefix *prefix, size_t count)
{
	__cleanup(protected_free) struct protected_hosts hosts = {};
	__cleanup(names_free) struct names lists = {};
	int err = 0;

	ban_set_lists(&bans->file.set, &lists);
	err = read_denied(bans);
	if (!err)
		find_hosts_within(bans, prefix, count, &hosts);
	for (size_t i = 0; i < count && !err; i++) {
		__u32 until = end_of(bans, &lists, &prefix[i]);

		if (is_protected(&hosts, &prefix[i]) ||
		    (is_link_local(&prefix[i]) && is_within(bans, &prefix[i])))
			until = sparing(until);
		if (!is_never(bans, &prefix[i]))
			err = ban_table_set(&bans->table, &prefix[i], until,
					    (__u32)bans->clock.boot);
	}
	return err;
}

/* The prefixes that the lines remove from a list; the caller frees. */
static size_t changed_prefixes(const char *lines, size_t length, struct prefix **prefix)
{
	__free_text char *copy = xstrndup(lines, length);
	size_t count = 0;

	for (char *line = copy, *next; line && *line; line = next) {
		char *first, *second;
		char *why = NULL;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		first = strchr(line, '\t');
		second = first ? strchr(first + 1, '\t') : NULL;
		if (*line != '-' || !second)
			continue;
		*prefix = grow(*prefix, count, sizeof(**prefix));
		if (!prefix_parse(second + 1, &(*prefix)[count], &why))
			count++;
		free(why);
	}
	return count;
}

int bans_change(struct bans *bans, const char *lines, size_t length, bool anew)
{
	struct prefix *prefix = NULL;
	int written = -1, err = bans_load(bans);
	__u64 before;
	size_t count;

	if (!err)
		err = append(bans, lines, length, &before, &written);
	if (err)
		return err;
	free(bans->text);
	bans->text = xstrndup(lines, length);
	count = anew ? 0 : changed_prefixes(lines, length, &prefix);
	ban_lines_read(&bans->file.set, bans->text, length);
	err = -ENOSPC;
	if (!anew && bans->table.map >= 0 && count <= IN_PLACE)
		err = change_in_place(bans, prefix, count);
	if (err == -ENOSPC)
		err = table_anew(bans);
	free(prefix);
	return finish(bans, before, &written, err);
}

/* The prefixes that are not in the table yet. */
static size_t fresh_ones(const struct bans *bans, const struct ban *ban, size_t count)
{
	size_t fresh = 0;

	for (size_t i = 0; i < count; i++)
		fresh += !ban_table_find(&bans->table, &ban[i].prefix, NULL);
	return fresh;
}

/* 0: the table has room; 1: a larger table is needed; -ENOSPC with a message: there are too
 * many. */
static int check_room(struct bans *bans, const struct ban *ban, size_t count)
{
	size_t fresh = count;
	int err;

	if (bans->table.map >= 0) {
		fresh = fresh_ones(bans, ban, count);
		if (bans->table.head->used + fresh <= PC_BANS)
			return 0;
	}
	err = bans_load(bans);
	if (err)
		return err;
	ban_set_expire(&bans->file.set, (__u32)bans->clock.boot);
	if (bans->file.set.count + fresh <= PC_BANS)
		return 1;
	error("the table of bans is full: it has %zu of %u prefixes, and %zu more do not fit; nothing was banned. To make room: portcullis unban --list NAME --all, or bans with an end (--for)",
	      bans->file.set.count, PC_BANS, fresh);
	return -ENOSPC;
}

/* Whether an entry is that of a host that passes in wider bans, by its own ban or without one. */
static bool passes_in_wider(__u32 until)
{
	return until <= PC_BAN_NEVER && until & PC_BAN_PASSES;
}

/* Adds all bans to the present table, or none. -ENOSPC: a larger table is needed. */
static int add_in_place(struct bans *bans, const struct ban *ban, size_t count)
{
	struct prefix *prefix = xcalloc(count + 1, sizeof(*prefix));
	__u32 *old = xcalloc(count + 1, sizeof(*old));
	__u32 now = (__u32)bans->clock.boot;
	size_t i = 0;
	int err;

	for (; i < count; i++)
		prefix[i] = ban[i].prefix;
	/* Hosts that pass are added first, so that no host is cut off for a moment. */
	err = spare_all(bans, &bans->table, prefix, count);
	if (!err)
		err = read_denied(bans);
	for (i = 0; i < count && !err; i++) {
		old[i] = ban_table_find(&bans->table, &prefix[i], NULL);
		if ((old[i] == PC_BAN_NEVER || pc_ban_end(old[i]) < ban[i].until) &&
		    !is_never(bans, &prefix[i]))
			err = ban_table_set(&bans->table, &prefix[i],
					    passes_in_wider(old[i]) ? sparing(ban[i].until) :
								      ban[i].until,
					    now);
	}
	while (err && i--)
		ban_table_set(&bans->table, &prefix[i], old[i], now);
	free(old);
	free(prefix);
	return err;
}

int bans_add(struct bans *bans, const struct ban *ban, size_t count)
{
	char *lines = NULL;
	size_t length = 0;
	int written = -1, err = check_room(bans, ban, count);
	__u64 before;
	FILE *to = err < 0 ? NULL : open_memstream(&lines, &length);
	bool anew = err || bans->table.map < 0;

	if (err < 0)
		return err;
	for (size_t i = 0; to && i < count; i++)
		ban_line_add(&ban[i], to);
	if (!to || fclose(to))
		return -ENOMEM;
	err = append(bans, lines, length, &before, &written);
	if (err) {
		free(lines);
		return err;
	}
	err = anew ? -ENOSPC : add_in_place(bans, ban, count);
	for (size_t i = 0; bans->loaded && i < count; i++)
		ban_set_add(&bans->file.set, &ban[i]);
	if (err == -ENOSPC) {
		err = bans_load(bans);
		if (!err)
			err = table_anew(bans);
	}
	err = finish(bans, before, &written, err);
	free(lines);
	return err;
}

bool bans_end_later(struct bans *bans, struct ban *ban)
{
	const struct ban *known;

	/* The file may have a million lines, so it is read only if a list has a later end. */
	if (bans->table.map >= 0 && !bans->loaded &&
	    (pc_ban_end(ban_table_find(&bans->table, &ban->prefix, NULL)) <= ban->until ||
	     bans_load(bans)))
		return false;
	known = ban_set_find(&bans->file.set, ban->list, &ban->prefix);
	if (!known || known->until <= ban->until)
		return false;
	*ban = *known;
	return true;
}

long long bans_count(const struct filter *filter)
{
	__cleanup(ban_table_close) struct ban_table table = BAN_TABLE_NONE;
	struct ban_clock clock;
	int err;

	if (filter->fd[FILTER_BANS] < 0)
		return -1;
	err = ban_table_open(filter, false, &table);
	if (err)
		return err == -ENOENT ? 0 : -1;
	ban_clock_now(&clock);
	return (long long)ban_table_count(&table, (__u32)clock.boot);
}

/* --- what generations deny --- */

static bool never_in_place(const struct bans *bans)
{
	for (size_t i = 0; i < bans->denied.nevers; i++)
		if (ban_table_find(&bans->table, &bans->denied.never[i], NULL) != PC_BAN_NEVER)
			return false;
	return true;
}

/* Adds to the present table. -ENOSPC: a larger table is needed. */
static int deny_in_place(struct bans *bans)
{
	int err;

	/* A new member of `never-ban` may be banned itself, or a part of it may be. */
	if (bans->table.map < 0 || !never_in_place(bans))
		return -ENOSPC;
	protected_free(&bans->found);
	find_hosts(bans, &bans->found);
	bans->hosts = &bans->found;
	err = spare_all(bans, &bans->table, bans->denied.deny, bans->denied.denies);
	bans->hosts = NULL;
	for (size_t i = 0; i < bans->denied.denies && !err; i++)
		ban_table_mark(&bans->table, &bans->denied.deny[i]);
	return err;
}

static int follow(struct bans *bans, bool anew)
{
	int err = bans_load(bans);

	if (!err && bans->file.old_boot)
		err = write_anew(bans);
	if (err)
		return err;
	err = anew ? -ENOSPC : deny_in_place(bans);
	if (err == -ENOSPC)
		err = table_anew(bans);
	if (!err) {
		keep_neighbours(bans);
		keep_administrators(bans);
	}
	return err ? each_failed(err) : 0;
}

static int set_flags(const struct bans *bans)
{
	int err = 0;

	for (size_t i = 0; i < bans->filters && !err; i++) {
		struct denied denied = {};

		err = denied_read(&bans->filter[i], &denied);
		if (!err)
			err = filter_flag_set(&bans->filter[i], PC_FILTER_DENIED, denied.denies);
		denied_free(&denied);
	}
	return err ? each_failed(err) : 0;
}

int bans_follow(const struct hooks *hooks, struct filter *const *filter, size_t count, bool anew)
{
	struct bans bans = {.path = bans_file_path("bans"), .table = BAN_TABLE_NONE};
	size_t opened;
	int err;

	ban_clock_now(&bans.clock);
	err = open_filters(hooks, true, &bans);
	opened = bans.filters;
	bans.filter = xrealloc(bans.filter, opened + count + 1, sizeof(*bans.filter));
	for (size_t i = 0; i < count; i++)
		bans.filter[bans.filters++] = *filter[i];
	if (!err && bans.filters)
		err = ban_table_open(&bans.filter[0], true, &bans.table);
	err = err == -ENOENT ? 0 : err;
	if (!err)
		err = read_denied(&bans);
	if (!err && (anew || bans.denied.denies || bans.denied.nevers))
		err = follow(&bans, anew);
	if (!err)
		err = set_flags(&bans);
	bans.filters = opened; /* the other filters are the caller's */
	bans_close(&bans);
	return err;
}

int bans_imagine(const struct filter *filter, bool kept)
{
	struct bans bans = {.path = bans_file_path("bans"), .table = BAN_TABLE_NONE, .filters = 1};
	int err;

	bans.filter = xcalloc(1, sizeof(*bans.filter));
	*bans.filter = *filter;
	ban_clock_now(&bans.clock);
	err = kept ? bans_load(&bans) : 0;
	if (!err)
		err = read_denied(&bans);
	if (!err && (bans.file.set.count || bans.denied.denies)) {
		err = table_anew(&bans);
		err = err ? each_failed(err) : set_flags(&bans);
	}
	bans.filters = 0; /* the filter is the caller's */
	bans_close(&bans);
	return err;
}

/* --- a new filter --- */

/* Reads the file into a table of a namespace that had no filter. */
static int restore(struct bans *bans)
{
	int err = bans_load(bans);

	if (err || !bans->file.set.count)
		return err;
	if (bans->file.old_boot)
		write_anew(bans);
	err = table_anew(bans);
	if (!err)
		keep_administrators(bans);
	return err;
}

void bans_restore(const struct filter *filter)
{
	struct bans bans = {.path = bans_file_path("bans"), .table = BAN_TABLE_NONE, .filters = 1};
	int err;

	bans.filter = xcalloc(1, sizeof(*bans.filter));
	*bans.filter = *filter;
	ban_clock_now(&bans.clock);
	err = ban_table_open(filter, true, &bans.table);
	err = err == -ENOENT ? restore(&bans) : err ? err : ban_flag_set(filter, true);
	if (err)
		warning("bans are not in force at the new filter: %s; the next ban or unban tries again",
			strerror(-err));
	bans.filters = 0; /* the filter is the caller's */
	bans_close(&bans);
}
