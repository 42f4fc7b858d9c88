// SPDX-License-Identifier: GPL-2.0
/* Members of groups for a time: the file that keeps them, and the tries of the filters. */
#include "loader/host/grants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/filter/grant_map.h"
#include "loader/filter/open.h"
#include "loader/host/bans.h"

#define COMPACT_LEAST (1 << 18) /* bytes above which the file may be rewritten */

static int file_failed(const struct grants *grants, int err)
{
	error("%s: %s", grants->path,
	      err == -EINVAL ? "is not a file of grants, or its start is damaged; move it away" :
			       strerror(-err));
	return err;
}

static int read_file_of(struct grants *grants)
{
	int err;

	grants->path = bans_file_path("grants");
	ban_clock_now(&grants->clock);
	err = ban_file_read(grants->path, &grants->clock, &grants->file);
	if (!err && grants->file.bad)
		warning("%s: %zu lines cannot be read and are ignored", grants->path,
			grants->file.bad);
	return err;
}

/* `reads`: leaves out a filter of another version. */
static int open_filters(const struct hooks *hooks, bool reads, struct grants *grants)
{
	grants->filter = xcalloc(hooks->count + 1, sizeof(*grants->filter));
	grants->trie = xcalloc(hooks->count + 1, sizeof(*grants->trie));
	for (size_t i = 0; i < hooks->count; i++) {
		struct filter *filter = &grants->filter[grants->filters];
		int err;

		*filter = FILTER_NONE;
		err = (reads ? filter_open_shared : filter_try_open)(hooks->hook[i].id, filter);
		if (err == -ENOENT)
			continue;
		if (!err && filter->fd[FILTER_GRANTS] >= 0) {
			grants->trie[grants->filters++] = grant_map_open(filter);
			continue;
		}
		filter_close(filter);
		if (reads)
			continue;
		if (err && err != -EPROTO) {
			error("%s: cannot open its filter: %s", hooks->hook[i].name,
			      strerror(-err));
			return err;
		}
		error_fix("portcullis takeover",
			  "%s: its filter was attached by another version, which knows no grants",
			  hooks->hook[i].name);
		return -EPROTO;
	}
	return 0;
}

static int fill_all(const struct grants *grants)
{
	return grant_map_fill(grants->filter, grants->filters, &grants->file,
			      (__u32)grants->clock.boot);
}

/* Rewrites the file if it is new, of another boot, or much longer than it needs to be. */
static int write_anew(struct grants *grants)
{
	int err = ban_file_write(grants->path, &grants->clock, &grants->file);

	return err ? file_failed(grants, err) : 0;
}

/* The tries differ from the file if a command was killed in between, or if another boot wrote the
 * file. */
static bool agrees(const struct grants *grants)
{
	for (size_t i = 0; i < grants->filters; i++)
		if (!grant_map_agrees(grants->trie[i], &grants->file, (__u32)grants->clock.boot))
			return false;
	return true;
}

static int agree(struct grants *grants)
{
	int err = grants->file.old_boot ? write_anew(grants) : 0;

	if (err || agrees(grants))
		return err;
	err = fill_all(grants);
	if (err)
		error("cannot put the grants in place: %s", strerror(-err));
	return err;
}

int grants_open(const struct hooks *hooks, struct grants *grants)
{
	int err;

	*grants = (struct grants){};
	err = open_filters(hooks, false, grants);
	if (err)
		return err;
	err = read_file_of(grants);
	if (err)
		return file_failed(grants, err);
	return agree(grants);
}

int grants_read(const struct hooks *hooks, struct grants *grants)
{
	int err;

	*grants = (struct grants){};
	err = hooks ? open_filters(hooks, true, grants) : 0;
	if (!err)
		err = read_file_of(grants);
	return err && err != -EACCES ? file_failed(grants, err) : err;
}

void grants_close(struct grants *grants)
{
	for (size_t i = 0; i < grants->filters; i++) {
		fd_close(&grants->trie[i]);
		filter_close(&grants->filter[i]);
	}
	free(grants->filter);
	free(grants->trie);
	ban_file_free(&grants->file);
	free(grants->text);
	free(grants->path);
	*grants = (struct grants){};
}

/* Appends to the file, which had `*before` bytes. */
static int append(struct grants *grants, const char *lines, size_t length, __u64 *before,
		  int *written)
{
	int err = grants->file.number ? 0 : write_anew(grants);

	if (err)
		return err;
	*before = grants->file.length;
	err = ban_file_append(grants->path, &grants->clock, &grants->file, lines, length, written);
	return err ? file_failed(grants, err) : 0;
}

/* Removes a change from the file that could not be put in place. */
static void undo(struct grants *grants, int written, __u64 before, int err)
{
	int cut = ban_file_cut(written, before, &grants->file);

	if (!cut)
		error("cannot put the grants in place: %s; nothing was changed", strerror(-err));
	else
		error("cannot put the grants in place: %s; %s has this change (%s), and the next grant or revoke puts it in force",
		      strerror(-err), grants->path, strerror(-cut));
}

/* Rewrites the file if it has grown much, and notes that the tries are those of the new file. */
static void compact(struct grants *grants)
{
	if (grants->file.size <= COMPACT_LEAST || write_anew(grants))
		return;
	for (size_t i = 0; i < grants->filters; i++) {
		__close_fd int trie = grant_map_open(&grants->filter[i]);

		grant_map_note(trie, &grants->file);
	}
}

int grants_change(struct grants *grants, const char *lines, size_t length)
{
	__close_fd int written = -1;
	__u64 before;
	int err = append(grants, lines, length, &before, &written);

	if (err)
		return err;
	free(grants->text);
	grants->text = xstrndup(lines, length);
	ban_lines_read(&grants->file.set, grants->text, length);
	ban_set_expire(&grants->file.set, (__u32)grants->clock.boot);
	err = fill_all(grants);
	if (err) {
		undo(grants, written, before, err);
		return err;
	}
	/* The change stays in force, even if it may not survive a power cut. */
	if (fdatasync(written))
		warning("%s: cannot be synced: %s; a power cut may undo this change", grants->path,
			strerror(errno));
	compact(grants);
	return 0;
}

bool grants_hold(const struct grants *grants, const struct ban *grant)
{
	bool holds = ban_holds(grant, (__u32)grants->clock.boot);

	for (size_t i = 0; i < grants->filters && holds; i++)
		holds = grant_map_has(grants->trie[i], grant);
	return holds;
}

int grants_imagine(const struct filter *filter)
{
	struct grants grants = {};
	int err = read_file_of(&grants);

	if (!err)
		err = grant_map_fill(filter, 1, &grants.file, (__u32)grants.clock.boot);
	if (err)
		error("cannot read the grants: %s", strerror(-err));
	grants_close(&grants);
	return err;
}

void grants_restore(const struct filter *filter)
{
	struct grants grants = {};
	int err = read_file_of(&grants);

	if (!err && grants.file.old_boot)
		write_anew(&grants);
	if (!err)
		err = grant_map_fill(filter, 1, &grants.file, (__u32)grants.clock.boot);
	if (err)
		warning("grants are not in force at the new filter: %s; the next grant or revoke tries again",
			strerror(-err));
	grants_close(&grants);
}
