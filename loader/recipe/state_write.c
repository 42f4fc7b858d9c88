// SPDX-License-Identifier: GPL-2.0
/*
 * Writes snapshots and the list of tried files: each file whole and synced before it takes its
 * place.
 */
#include "loader/recipe/state_write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/message.h"
#include "loader/recipe/state.h"

#define SNAPSHOT "snapshot-"
#define PROFILES "profiles"
#define GROUPS	 "groups"

/* A file of a snapshot. */
struct saved {
	char *name; /* path below the snapshot's folder */
	char *text;
	size_t length;
};

struct saving {
	struct saved *file;
	size_t count;
};

static void saving_free(struct saving *saving)
{
	size_t i;

	for (i = 0; i < saving->count; i++) {
		free(saving->file[i].name);
		free(saving->file[i].text);
	}
	free(saving->file);
}

/* Adds a file; the list takes over name and text. */
static void add(struct saving *saving, char *name, char *text, size_t length)
{
	saving->file = grow(saving->file, saving->count, sizeof(*saving->file));
	saving->file[saving->count++] = (struct saved){name, text, length};
}

/* Writes a group without DNS answers: the names are in the site file. */
static char *group_text(const struct group *group, size_t *length)
{
	size_t i, count;
	const struct prefix *list = group_fixed(group, &count);
	char *text = NULL, prefix[PREFIX_TEXT];
	FILE *to = open_memstream(&text, length);

	for (i = 0; to && i < count; i++)
		fprintf(to, "%s\n", prefix_format(&list[i], prefix));
	return to && !fclose(to) ? text : NULL;
}

static int add_groups(struct saving *saving, const struct site *site)
{
	size_t i, length;

	for (i = 0; i < site->group_file.count; i++) {
		const char *name = site->group_file.name[i];
		const struct group *group = site_group(site, name);
		char *text = group ? group_text(group, &length) : NULL;

		if (!text)
			return -ENOMEM;
		add(saving, xasprintf(GROUPS "/%s", name), text, length);
	}
	return 0;
}

/* Copies profiles with all that they include, except those in `known`. */
static int add_profiles_of(struct saving *saving, const struct names *names,
			   struct catalog *catalog, struct names *known)
{
	__cleanup(diag_free) struct diag unused = {};
	const struct profile **list;
	size_t i, count;

	if (catalog_resolve(catalog, names, &list, &count, &unused))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		if (names_have(known, list[i]->name))
			continue;
		names_add(known, list[i]->name);
		add(saving, xasprintf(PROFILES "/%s.yaml", list[i]->name), xstrdup(list[i]->text),
		    strlen(list[i]->text));
	}
	free(list);
	return 0;
}

/* Copies the profiles that the interfaces and the machines behind them name. */
static int add_profiles(struct saving *saving, const struct site *site, struct catalog *catalog)
{
	__cleanup(names_free) struct names known = {};
	size_t i, j;
	int err = 0;

	for (i = 0; i < site->interfaces + site->patterns && !err; i++) {
		const struct recipe *recipe = i < site->interfaces ?
						      &site->interface[i].recipe :
						      &site->pattern[i - site->interfaces].recipe;

		err = add_profiles_of(saving, &recipe->profiles, catalog, &known);
		for (j = 0; j < recipe->machines && !err; j++)
			err = add_profiles_of(saving, &recipe->machine[j].own.profiles, catalog,
					      &known);
	}
	return err;
}

static int add_all(struct saving *saving, const struct site *site, struct catalog *catalog)
{
	int err;

	add(saving, xstrdup("site.yaml"), xstrdup(site->text), strlen(site->text));
	err = add_groups(saving, site);
	return err ? err : add_profiles(saving, site, catalog);
}

static void content_digest(const struct saving *saving, char text[SHA256_TEXT])
{
	struct sha256 sha;
	size_t i;

	sha256_start(&sha);
	for (i = 0; i < saving->count; i++) {
		sha256_add(&sha, saving->file[i].name, strlen(saving->file[i].name) + 1);
		sha256_add(&sha, &saving->file[i].length, sizeof(saving->file[i].length));
		sha256_add(&sha, saving->file[i].text, saving->file[i].length);
	}
	sha256_end(&sha, text);
}

static int add_about(struct saving *saving, const char *content, const struct names *interfaces)
{
	json_t *list = json_array(), *about;
	char *text;
	size_t i;

	for (i = 0; i < interfaces->count; i++)
		json_array_append_new(list, json_string(interfaces->name[i]));
	about = json_pack("{s:i, s:s, s:o}", "version", STATE_VERSION, "content", content,
			  "interfaces", list);
	text = json_dumps(about, JSON_INDENT(1));
	json_decref(about);
	if (!text)
		return -ENOMEM;
	add(saving, xstrdup("about.json"), text, strlen(text));
	return 0;
}

/* --- files --- */

static int write_file(int folder, const char *name, const char *text, size_t length)
{
	__close_fd int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t written;

	if (fd < 0)
		return -errno;
	for (; length; text += written, length -= written) {
		written = write(fd, text, length);
		if (written < 0)
			return -errno;
	}
	return fsync(fd) ? -errno : 0;
}

static int sync_folder(int parent, const char *name)
{
	__close_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

int state_folder(int *folder)
{
	__close_fd int fd = -1;
	struct stat st;

	if (mkdir(STATE, 0700) && errno != EEXIST)
		return -errno;
	fd = open(STATE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	*folder = fd;
	fd = -1;
	return 0;
}

int state_replace(int folder, const char *name, const char *text, size_t length)
{
	__free_text char *fresh = xasprintf("%s.new", name);
	int err;

	if (unlinkat(folder, fresh, 0) && errno != ENOENT)
		return -errno;
	/* Without a text only the deletion is left, which needs no room on a full disk. */
	if (!length)
		return (unlinkat(folder, name, 0) && errno != ENOENT) || fsync(folder) ? -errno : 0;
	err = write_file(folder, fresh, text, length);
	if (err)
		return err;
	return renameat(folder, fresh, folder, name) || fsync(folder) ? -errno : 0;
}

/* Deletes a folder of files, and of folders with files. */
static void remove_folder(int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) && errno == EISDIR && depth)
			remove_folder(fd, entry->d_name, depth - 1);
	}
	if (folder)
		closedir(folder);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static bool leads_to(int state, const char *link, const char *name)
{
	char target[64];
	ssize_t length = readlinkat(state, link, target, sizeof(target) - 1);

	return length > 0 && strlen(name) == (size_t)length && !memcmp(target, name, length);
}

/* Removes snapshots to which no link leads, and files of an interrupted command. */
static void sweep(int state)
{
	int fd = openat(state, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (!strncmp(entry->d_name, SNAPSHOT, strlen(SNAPSHOT)) &&
		    !leads_to(state, "confirmed", entry->d_name) &&
		    !leads_to(state, "trying", entry->d_name) &&
		    !leads_to(state, "pending", entry->d_name))
			remove_folder(state, entry->d_name, 1);
	if (folder)
		closedir(folder);
	unlinkat(state, "link.new", 0);
	unlinkat(state, "tried.new", 0);
}

/* Moves the link to `target`. At every moment it leads to a snapshot. */
static int put_link(int state, const char *target, const char *link)
{
	if (unlinkat(state, "link.new", 0) && errno != ENOENT)
		return -errno;
	if (symlinkat(target, state, "link.new") || renameat(state, "link.new", state, link) ||
	    fsync(state))
		return -errno;
	return 0;
}

static int write_files(int folder, const struct saving *saving)
{
	size_t i;
	int err;

	if (mkdirat(folder, GROUPS, 0700) || mkdirat(folder, PROFILES, 0700))
		return -errno;
	for (i = 0; i < saving->count; i++) {
		err = write_file(folder, saving->file[i].name, saving->file[i].text,
				 saving->file[i].length);
		if (err)
			return err;
	}
	err = sync_folder(folder, GROUPS);
	if (!err)
		err = sync_folder(folder, PROFILES);
	return err || !fsync(folder) ? err : -errno;
}

static int write_snapshot(int state, const struct saving *saving, const char *link)
{
	__free_text char *name = NULL;
	__close_fd int folder = -1;
	unsigned int id;
	int err;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return -EIO;
	name = xasprintf(SNAPSHOT "%08x", id);
	if (mkdirat(state, name, 0700))
		return -errno;
	folder = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = folder < 0 ? -errno : write_files(folder, saving);
	if (!err)
		err = put_link(state, name, link);
	sweep(state);
	return err;
}

/* --- the list of tried files --- */

/* Adds a digest at the end of the list, or removes it. */
static int change_tried(int state, const char *digest, bool tried)
{
	__free_text char *text = NULL, *lines = NULL;
	size_t length, kept = 0, count = 0;
	char *line, *rest, *to;

	if (read_file(STATE_TRIED, STATE_TRIES * SHA256_TEXT, &text, &length))
		text = xstrdup("");
	to = lines = xcalloc(strlen(text) + SHA256_TEXT + 1, 1);
	for (line = text; *line; line++)
		count += *line == '\n';
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (strlen(line) == SHA256_TEXT - 1 && strcmp(line, digest) &&
		    ++kept + STATE_TRIES > count + 1)
			to += sprintf(to, "%s\n", line);
	if (tried)
		to += sprintf(to, "%s\n", digest);
	return state_replace(state, "tried", lines, (size_t)(to - lines));
}

static const char *why(int err)
{
	return err == -EPERM ? "others than root can write the folder" : strerror(-err);
}

/* Warns that the change is made but not kept, and says what boots. */
static void warn_of_boot(const char *done, const char *digest, int err)
{
	if (err)
		warning(STATE
			": cannot keep the site file that was %s: %s: the next boot applies %s; once that is fixed, portcullis apply keeps it",
			done, why(err),
			state_tried(digest) ? "the one that was confirmed before" :
					      "the site file as it is then");
}

static bool is_kept(const char *content)
{
	__cleanup(diag_free) struct diag unused = {};
	__cleanup(snapshot_free) struct snapshot confirmed = {};

	return !snapshot_open(STATE_CONFIRMED, &confirmed, &unused) && confirmed.there &&
	       !strcmp(confirmed.content, content);
}

/* --- entry points --- */

static int save(int state, const struct site *site, struct catalog *catalog,
		const struct names *interfaces, const char *link)
{
	__cleanup(saving_free) struct saving saving = {};
	char content[SHA256_TEXT];
	int err = add_all(&saving, site, catalog);

	if (err)
		return err;
	content_digest(&saving, content);
	if (!strcmp(link, "confirmed") && is_kept(content))
		return 0;
	err = add_about(&saving, content, interfaces);
	return err ? err : write_snapshot(state, &saving, link);
}

/*
 * Writes the digest first, so that the file does not boot if the command is killed after that. If
 * the copy cannot be made, removes the digest again, because otherwise the file would not boot even
 * after a confirm.
 */
void state_try(const struct site *site, struct catalog *catalog, const struct names *interfaces)
{
	char digest[SHA256_TEXT];
	__close_fd int state = -1;
	int err = state_folder(&state);
	bool before;

	site_digest(site, digest);
	before = state_tried(digest);
	if (!err)
		err = change_tried(state, digest, true);
	if (!err) {
		err = save(state, site, catalog, interfaces, "trying");
		if (err && !before)
			change_tried(state, digest, false);
	}
	if (err)
		warning(STATE ": cannot keep the site file that is tried: %s: the next boot %s",
			why(err),
			state_tried(digest) ?
				"applies the one that was confirmed before, even if this one is confirmed, until portcullis apply keeps it" :
				"applies it even if it is not confirmed");
}

static int remove_link(int state, const char *link)
{
	return unlinkat(state, link, 0) && errno != ENOENT ? -errno : 0;
}

void state_pend(void)
{
	__close_fd int state = -1;
	int err = state_folder(&state);

	if (!err && renameat(state, "trying", state, "pending") && errno != ENOENT)
		err = -errno;
	if (!err) {
		sweep(state);
		err = fsync(state) ? -errno : 0;
	}
	if (err)
		warning(STATE ": cannot keep the pending change for boot: %s; once that is fixed and the change is confirmed, portcullis apply keeps it", why(err));
}

void state_untry(const char *digest)
{
	__close_fd int state = -1;
	int err = state_folder(&state);

	if (!err && digest && state_tried(digest))
		err = change_tried(state, digest, false);
	if (!err)
		err = remove_link(state, "trying");
	if (!err)
		sweep(state);
	if (err)
		warning(STATE ": cannot remove the site file that was tried: %s", why(err));
}

/* A final change removes the pending state of this digest, even if it cannot be kept. */
static int forget(int state, const char *digest)
{
	int tried = state_tried(digest) ? change_tried(state, digest, false) : 0;
	int trying = remove_link(state, "trying"), pending = remove_link(state, "pending");

	sweep(state);
	return tried ? tried : trying ? trying : pending;
}

void state_keep(const struct site *site, struct catalog *catalog)
{
	static const struct names all = {};
	char digest[SHA256_TEXT];
	__close_fd int state = -1;
	int err = state_folder(&state), forgotten;

	site_digest(site, digest);
	if (!err) {
		err = save(state, site, catalog, &all, "confirmed");
		forgotten = forget(state, digest);
		err = err ? err : forgotten;
	}
	warn_of_boot("applied", digest, err);
}

static int promote(int state, const char *link)
{
	char target[64] = "";

	if (readlinkat(state, link, target, sizeof(target) - 1) < 0)
		return -errno;
	return put_link(state, target, "confirmed");
}

void state_promote(const struct snapshot *waited, const char *link)
{
	__close_fd int state = -1;
	int err = state_folder(&state), forgotten;

	if (!err) {
		err = waited->interfaces.count ? 0 : promote(state, link);
		forgotten = forget(state, waited->digest);
		err = err ? err : forgotten;
	}
	warn_of_boot("confirmed", waited->digest, err);
}
