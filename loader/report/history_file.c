// SPDX-License-Identifier: GPL-2.0
/* Reads and appends the file of the history. */
#include "loader/report/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loader/base/file.h"
#include "loader/base/memory.h"
#include "loader/base/message.h"
#include "loader/recipe/kept_machines.h"
#include "loader/recipe/state.h"

#define SPARE	     "/run/portcullis"
#define LOCK_NAME    HISTORY_NAME ".lock"
#define NEW_NAME     HISTORY_NAME ".new"
#define LOCK_SECONDS 5
#define READ_LIMIT   (64 << 20) /* bytes; a larger file is not ours */
#define HEADER	     "{\"portcullis_history\":1}\n"
#define NUMBERED     "{\"number\":"
#define UNNUMBERED   "{\"number\":0,"
#define DIGEST	     "{\"digest\":\""
#define MORE	     "{\"more\":\""
#define ID	     ",\"id\":\""

const struct history_place history_host = {
	.folder = STATE,
	.spare = SPARE,
	.limit = HISTORY_LIMIT,
};

/* One of the two files, open and locked. */
struct history_file {
	const char *folder;
	int folder_fd, lock, fd;
	char *text; /* its content when it was opened */
	size_t length;
};

#define FILE_NONE ((struct history_file){.folder_fd = -1, .lock = -1, .fd = -1})

static void unmap_text(struct history_file *file)
{
	if (file->text)
		munmap(file->text, file->length + 1);
	file->text = NULL;
	file->length = 0;
}

static void file_end(struct history_file *file)
{
	fd_close(&file->fd);
	fd_close(&file->lock);
	fd_close(&file->folder_fd);
	unmap_text(file);
	*file = FILE_NONE;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* The line at `*at`, without its newline, and its length. Moves `*at` to the next line. */
static const char *next_line(const char *text, size_t length, size_t *at, size_t *line_length)
{
	const char *line = text + *at, *end;

	if (*at >= length)
		return NULL;
	end = memchr(line, '\n', length - *at);
	*line_length = end ? (size_t)(end - line) : length - *at;
	*at += *line_length + 1;
	return line;
}

/* Returns 0 for a history (also an empty file); -EINVAL: not a history; -EPROTO: of another
 * version. */
static int check_header(const char *text, size_t length)
{
	if (!length || begins(text, HEADER))
		return 0;
	return begins(text, "{\"portcullis_history\":") ? -EPROTO : -EINVAL;
}

static const char *why_text(int err)
{
	switch (err) {
	case -EINVAL: return "it is not a history of portcullis";
	case -EPROTO: return "it was written by another version of portcullis";
	case -EPERM: return "others than root can write it";
	case -ELOOP: return "it is a symbolic link";
	case -EFBIG: return "it is too large";
	case -EBUSY: return "another process holds its lock";
	}
	return strerror(-err);
}

/* True if the file must be moved away before a new one can be used. */
static bool is_foreign(int err)
{
	return err == -EINVAL || err == -EPROTO || err == -EPERM || err == -ELOOP || err == -EFBIG;
}

/* --- opening --- */

/* The folder must belong to root, because a user who can write to it decides what is read there. */
static int open_folder(const struct history_place *place, const char *path, int *folder)
{
	__close_fd int fd = -1;
	struct stat st;

	if (mkdir(path, path == place->spare ? 0755 : 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	/* Members of the group can pass through it, but not list it. */
	if (place->readers && !(st.st_mode & S_IXOTH) &&
	    (st.st_gid != place->readers || !(st.st_mode & S_IXGRP)) &&
	    !fchown(fd, -1, place->readers))
		fchmod(fd, (st.st_mode & 0700) | S_IXGRP);
	*folder = fd;
	fd = -1;
	return 0;
}

/* The file must be a regular one of root's that no other user can write. */
static int check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH) ? -EPERM : 0;
}

/* The lock is a separate file, because members of the group can open the history, and so lock
 * it. */
static int take_lock(struct history_file *file)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	int i;

	file->lock = openat(file->folder_fd, LOCK_NAME,
			    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (file->lock < 0)
		return -errno;
	for (i = 0; flock(file->lock, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (i == LOCK_SECONDS * 100)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/*
 * Maps the text, which takes a fifth of the time of reading 16 MB. A zero byte follows it: the file
 * is mapped over the start of zeroed memory that is one byte longer. Under the lock no other
 * process shortens the file.
 */
static int map_text(struct history_file *file)
{
	struct stat st;
	size_t size;
	char *text;

	if (fstat(file->fd, &st))
		return -errno;
	if (st.st_size > READ_LIMIT)
		return -EFBIG;
	size = (size_t)st.st_size;
	text = mmap(NULL, size + 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (text == MAP_FAILED)
		return -errno;
	file->text = text;
	file->length = size;
	if (size && mmap(text, size, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, file->fd,
			 0) == MAP_FAILED)
		return -errno;
	return check_header(file->text, file->length);
}

/* `create`: make the file if it is missing, else -ENOENT. */
static int file_begin(const struct history_place *place, const char *path, bool create,
		      struct history_file *file)
{
	int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int err;

	*file = FILE_NONE;
	file->folder = path;
	err = open_folder(place, path, &file->folder_fd);
	if (!err)
		err = take_lock(file);
	if (!err) {
		file->fd =
			openat(file->folder_fd, HISTORY_NAME, flags | (create ? O_CREAT : 0), 0600);
		err = file->fd < 0 ? -errno : check_file(file->fd);
	}
	if (!err)
		err = map_text(file);
	if (err)
		file_end(file);
	return err;
}

/* --- the lines to append --- */

struct addition {
	FILE *to;
	char *text;
	size_t length;
};

static void addition_free(struct addition *addition)
{
	if (addition->to)
		fclose(addition->to);
	free(addition->text);
}

/* The text as a JSON string of the file, which has no NUL. */
static bool has_text(const struct history_file *file, const char *text)
{
	return file->length && memmem(file->text, file->length, text, strlen(text));
}

/* True if the file has a line that begins with `start`. JSON strings cannot contain these
 * characters. */
static bool has_line(const struct history_file *file, const char *start)
{
	__free_text char *line = xasprintf("\n%s", start);

	return has_text(file, line);
}

static void add_json(struct addition *addition, const json_t *json)
{
	json_dumpf(json, addition->to, JSON_COMPACT);
	fputc('\n', addition->to);
}

/* The line of a text, unless the file has a line with the same digest. */
static void add_text(const struct history_file *file, struct addition *addition, const char *line)
{
	__free_text char *start =
		xstrndup(line, strlen(DIGEST) + strcspn(line + strlen(DIGEST), "\"") + 1);

	fflush(addition->to);
	if (!has_line(file, start) && !strstr(addition->text ?: "", start))
		fprintf(addition->to, "%s\n", line);
}

/* The number of the last change. Any line in the middle may be damaged, so search from the end. */
static unsigned long long last_number(const struct history_file *file)
{
	unsigned long long last = 0, number;
	const char *line;
	size_t at = 0, length;

	while ((line = next_line(file->text, file->length, &at, &length)))
		if (begins(line, NUMBERED)) {
			number = strtoull(line + strlen(NUMBERED), NULL, 10);
			last = number > last ? number : last;
		}
	return last;
}

/* "0f3a.." of a change's line, with the text around it; the caller frees. */
static char *id_of(const char *line, size_t length)
{
	const char *id = memmem(line, length, ID, strlen(ID));
	const char *end =
		id ? memchr(id + strlen(ID), '"', length - (id + strlen(ID) - line)) : NULL;

	return end ? xstrndup(id, (size_t)(end + 1 - id)) : NULL;
}

/* Moves a line of the spare file, unless a killed command moved it but did not remove it there. */
static void move_line(const struct history_file *file, const char *line, size_t length,
		      struct addition *addition, unsigned long long *last)
{
	__free_text char *copy = xstrndup(line, length);
	__free_text char *id = begins(line, UNNUMBERED) ? id_of(line, length) : NULL;
	json_t *json;

	if (id) {
		if (!has_text(file, id))
			fprintf(addition->to, NUMBERED "%llu%s\n", ++*last, strchr(copy, ','));
		return;
	}
	if (begins(line, MORE) && !has_line(file, copy))
		fprintf(addition->to, "%s\n", copy);
	json = begins(line, DIGEST) ? json_loads(copy, 0, NULL) : NULL;
	if (json)
		add_text(file, addition, copy);
	json_decref(json);
}

static void move_spare(const struct history_file *file, const struct history_file *spare,
		       struct addition *addition, unsigned long long *last)
{
	const char *line;
	size_t at = 0, length;

	while ((line = next_line(spare->text, spare->length, &at, &length)))
		move_line(file, line, length, addition, last);
}

/* Writes the header to an empty file; ends a torn line before the appended ones. */
static int addition_begin(const struct history_file *file, struct addition *addition)
{
	addition->to = open_memstream(&addition->text, &addition->length);
	if (!addition->to)
		return -ENOMEM;
	if (!file->length)
		fputs(HEADER, addition->to);
	else if (file->text[file->length - 1] != '\n')
		fputc('\n', addition->to);
	return 0;
}

/* The number is the first key of a line, which marks the line as a change's. */
static void add_change(const struct history_file *file, json_t *change, const struct names *texts,
		       unsigned long long number, struct addition *addition)
{
	json_t *line;

	for (size_t i = 0; texts && i < texts->count; i++)
		add_text(file, addition, texts->name[i]);
	if (json_object_get(change, "more")) {
		add_json(addition, change);
		return;
	}
	line = json_pack("{s:I}", "number", (json_int_t)number);
	json_object_update(line, change);
	add_json(addition, line);
	json_decref(line);
}

/* --- writing --- */

/* If the disk is full, a partly written line is removed. */
static int write_addition(struct history_file *file, struct addition *addition)
{
	ssize_t written;
	int err = 0;

	if (fflush(addition->to) || ferror(addition->to))
		return -ENOMEM;
	if (!addition->length)
		return 0;
	written = write(file->fd, addition->text, addition->length);
	if (written < 0)
		err = -errno;
	else if ((size_t)written < addition->length)
		err = -ENOSPC;
	else if (fsync(file->fd) || (!file->length && fsync(file->folder_fd)))
		err = -errno;
	if (err && ftruncate(file->fd, (off_t)file->length))
		warning("%s/" HISTORY_NAME ": cannot take back a part of a line: %s", file->folder,
			strerror(errno));
	return err;
}

static void share(const struct history_file *file, gid_t readers)
{
	struct stat st;

	if (!readers || fstat(file->fd, &st) ||
	    (st.st_gid == readers && (st.st_mode & 0777) == 0640))
		return;
	if (fchown(file->fd, -1, readers) || fchmod(file->fd, 0640))
		warning("%s/" HISTORY_NAME ": cannot give it to the group of administrators: %s",
			file->folder, strerror(errno));
}

/* --- leaving out what is old --- */

/* Notes the digests to which a change's or a rule set's line refers. */
static void note_digests(const json_t *json, json_t *wanted)
{
	const json_t *interface, *digest;
	const char *name;
	size_t i;

	json_array_foreach (json_object_get(json, "interfaces"), i, interface) {
		const char *before = json_string_value(json_object_get(interface, "before"));
		const char *after = json_string_value(json_object_get(interface, "after"));

		if (before)
			json_object_set_new(wanted, before, json_true());
		if (after)
			json_object_set_new(wanted, after, json_true());
	}
	json_object_foreach ((json_t *)json_object_get(json, "profiles"), name, digest)
		if (json_is_string(digest))
			json_object_set_new(wanted, json_string_value(digest), json_true());
}

/* Reads the lines of the file from its end to its beginning. */
struct kept_lines {
	const char **line;
	size_t *length;
	size_t count, bytes;
};

static void keep(struct kept_lines *kept, const char *line, size_t length)
{
	kept->line = grow(kept->line, kept->count, sizeof(*kept->line));
	kept->length = grow(kept->length, kept->count, sizeof(*kept->length));
	kept->line[kept->count] = line;
	kept->length[kept->count++] = length;
	kept->bytes += length + 1;
}

static void kept_free(struct kept_lines *kept)
{
	free(kept->line);
	free(kept->length);
}

static bool is_wanted(const json_t *json, const json_t *wanted)
{
	const char *digest = json_string_value(json_object_get(json, "digest"));

	return digest && json_object_get(wanted, digest);
}

/*
 * Goes from the last line to the first, because a text is before the first change that refers to
 * it. The last change is kept whatever its length, because the next number follows from it.
 */
static void choose(const char *text, size_t length, size_t limit, struct kept_lines *kept)
{
	__cleanup(kept_free) struct kept_lines all = {};
	json_t *wanted = json_object();
	size_t at = 0, size, changes = 0;
	const char *line;

	while ((line = next_line(text, length, &at, &size)))
		keep(&all, line, size);
	while (all.count--) {
		json_t *json;
		bool is_change =
			begins(all.line[all.count], NUMBERED) || begins(all.line[all.count], MORE);

		if (is_change && changes && kept->bytes + all.length[all.count] > limit)
			limit = 0; /* then no older change is kept either */
		json = json_loadb(all.line[all.count], all.length[all.count], 0, NULL);
		if (json && (is_change ? limit > 0 : is_wanted(json, wanted))) {
			note_digests(json, wanted);
			keep(kept, all.line[all.count], all.length[all.count]);
			changes += is_change && !begins(all.line[all.count], MORE);
		}
		json_decref(json);
	}
	json_decref(wanted);
}

static int write_new(const struct history_file *file, const struct kept_lines *kept, gid_t readers)
{
	struct history_file new = {
		.folder = file->folder, .folder_fd = file->folder_fd, .lock = -1};
	FILE *to;
	int err = 0;

	if (unlinkat(file->folder_fd, NEW_NAME, 0) && errno != ENOENT)
		return -errno;
	new.fd = openat(file->folder_fd, NEW_NAME,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	to = new.fd < 0 ? NULL : fdopen(new.fd, "w");
	if (!to)
		return -errno;
	fputs(HEADER, to);
	for (size_t i = kept->count; i--;)
		fprintf(to, "%.*s\n", (int)kept->length[i], kept->line[i]);
	share(&new, readers);
	if (fflush(to) || ferror(to) || fsync(new.fd))
		err = -EIO;
	fclose(to);
	if (!err && (renameat(file->folder_fd, NEW_NAME, file->folder_fd, HISTORY_NAME) ||
		     fsync(file->folder_fd)))
		err = -errno;
	if (err)
		unlinkat(file->folder_fd, NEW_NAME, 0);
	return err;
}

/* The change is already recorded: a failure here is tried again after the next change. */
static void leave_out_old(const struct history_place *place, struct history_file *file)
{
	__cleanup(kept_free) struct kept_lines kept = {};
	struct stat st;

	if (fstat(file->fd, &st) || (size_t)st.st_size <= place->limit)
		return;
	unmap_text(file);
	if (map_text(file))
		return;
	choose(file->text, file->length, place->limit / 2, &kept);
	write_new(file, &kept, place->readers);
}

/* --- appending --- */

static void say_foreign(const char *folder, int err)
{
	__free_text char *fix =
		xasprintf("mv %s/" HISTORY_NAME " %s/" HISTORY_NAME "-old", folder, folder);

	warning_fix(fix, "%s/" HISTORY_NAME ": is not used: %s", folder, why_text(err));
}

/* Opens the spare file if it exists; its errors must not prevent the change from being written to
 * the main file. */
static void open_spare(const struct history_place *place, struct history_file *spare)
{
	__free_text char *path = xasprintf("%s/" HISTORY_NAME, place->spare);
	struct stat st;
	int err;

	*spare = FILE_NONE;
	if (lstat(path, &st))
		return;
	err = file_begin(place, place->spare, false, spare);
	if (is_foreign(err))
		say_foreign(place->spare, err);
}

static int append_here(const struct history_place *place, json_t *change, const struct names *texts,
		       unsigned long long *number)
{
	__cleanup(file_end) struct history_file file, spare = FILE_NONE;
	__cleanup(addition_free) struct addition addition = {};
	unsigned long long last;
	int err = file_begin(place, place->folder, true, &file);

	if (err)
		return err;
	open_spare(place, &spare);
	err = addition_begin(&file, &addition);
	if (err)
		return err;
	last = last_number(&file);
	if (spare.fd >= 0)
		move_spare(&file, &spare, &addition, &last);
	if (change)
		add_change(&file, change, texts, last + 1, &addition);
	err = write_addition(&file, &addition);
	if (err)
		return err;
	*number = json_object_get(change, "more") ? 0 : last + 1;
	if (spare.fd >= 0)
		unlinkat(spare.folder_fd, HISTORY_NAME, 0);
	share(&file, place->readers);
	leave_out_old(place, &file);
	return 0;
}

static int append_to_spare(const struct history_place *place, json_t *change,
			   const struct names *texts)
{
	__cleanup(file_end) struct history_file file;
	__cleanup(addition_free) struct addition addition = {};
	int err = file_begin(place, place->spare, true, &file);

	if (!err)
		err = addition_begin(&file, &addition);
	if (err)
		return err;
	add_change(&file, change, texts, 0, &addition);
	err = write_addition(&file, &addition);
	if (!err) {
		share(&file, place->readers);
		leave_out_old(place, &file);
	}
	return err;
}

void history_append(const struct history_place *place, json_t *change, const struct names *texts,
		    unsigned long long *number)
{
	int err, spare;

	*number = 0;
	err = append_here(place, change, texts, number);
	if (!err)
		return;
	if (is_foreign(err))
		say_foreign(place->folder, err);
	if (!change)
		return;
	spare = append_to_spare(place, change, texts);
	if (is_foreign(spare))
		say_foreign(place->spare, spare);
	if (!spare)
		warning("%s: cannot record the change: %s: it is in %s/" HISTORY_NAME
			", until the next boot or the next command that can move it",
			place->folder, why_text(err), place->spare);
	else
		warning("%s: cannot record the change: %s; neither in %s: %s: only the journal has it",
			place->folder, why_text(err), place->spare, why_text(spare));
}

/* --- reading --- */

static void add_more(json_t *changes, const json_t *more)
{
	const char *id = json_string_value(json_object_get(more, "more"));
	json_t *change;
	size_t i;

	json_array_foreach (changes, i, change) {
		const char *own = json_string_value(json_object_get(change, "id"));
		json_t *list = json_object_get(change, "interfaces");

		if (own && id && !strcmp(own, id) && json_is_array(list))
			json_array_extend(list, json_object_get(more, "interfaces"));
	}
}

static bool has_change(const json_t *changes, const char *id)
{
	const json_t *change;
	size_t i;

	json_array_foreach (changes, i, change) {
		const char *own = json_string_value(json_object_get(change, "id"));

		if (own && !strcmp(own, id))
			return true;
	}
	return false;
}

static bool is_change(const json_t *json)
{
	return json_is_integer(json_object_get(json, "number")) &&
	       json_is_string(json_object_get(json, "id")) &&
	       json_is_array(json_object_get(json, "interfaces"));
}

/* An incomplete rule set is treated as none. */
static void take_text(struct history_lines *lines, const char *digest, json_t *json)
{
	json_t *kept = json_object_get(json, "kept");

	if (kept && !kept_expand(kept))
		lines->damaged++;
	else
		json_object_set(lines->texts, digest, json);
}

static void take_json(struct history_lines *lines, json_t *json, bool spare,
		      unsigned long long *last)
{
	const char *digest = json_string_value(json_object_get(json, "digest"));
	const char *id = json_string_value(json_object_get(json, "id"));

	if (digest) {
		take_text(lines, digest, json);
	} else if (json_is_string(json_object_get(json, "more"))) {
		add_more(lines->changes, json);
	} else if (is_change(json)) {
		/* The command that moved it will remove it from the spare file. */
		if (spare && has_change(lines->changes, id))
			return;
		lines->spare |= spare;
		if (spare)
			json_object_set_new(json, "number", json_integer((json_int_t)++ * last));
		else
			*last = (unsigned long long)json_integer_value(
				json_object_get(json, "number"));
		json_array_append(lines->changes, json);
	} else if (!json_object_get(json, "portcullis_history")) {
		lines->damaged++;
	}
}

static void take_lines(struct history_lines *lines, const char *text, size_t length, bool spare,
		       unsigned long long *last)
{
	const char *line;
	size_t at = 0, size;

	while ((line = next_line(text, length, &at, &size))) {
		json_t *json = json_loadb(line, size, 0, NULL);

		if (json)
			take_json(lines, json, spare, last);
		/* the last line may be incomplete, because it is being written */
		else if (size && at <= length)
			lines->damaged++;
		json_decref(json);
	}
}

/* Reads without the lock. A missing file counts as empty. */
static int read_one(const char *folder, char **text, size_t *length)
{
	__free_text char *path = xasprintf("%s/" HISTORY_NAME, folder);
	int err = read_file(path, READ_LIMIT, text, length);

	if (err == -ENOENT) {
		*text = xstrdup("");
		*length = 0;
		return 0;
	}
	if (!err)
		err = check_header(*text, *length);
	if (is_foreign(err)) {
		__free_text char *fix = xasprintf("mv %s %s-old", path, path);

		error_fix(fix, "%s: cannot be read: %s", path, why_text(err));
	} else if (err) {
		error("%s: %s", path, strerror(-err));
	}
	return err;
}

int history_lines_read(const struct history_place *place, struct history_lines *lines)
{
	__free_text char *spare = NULL, *text = NULL;
	size_t spare_length, length;
	unsigned long long last = 0;
	int err;

	*lines = (struct history_lines){};
	/* Reads the spare file first: a line that is moved meanwhile is seen twice, but not
	 * missed. */
	err = read_one(place->spare, &spare, &spare_length);
	if (!err)
		err = read_one(place->folder, &text, &length);
	if (err)
		return err;
	lines->changes = json_array();
	lines->texts = json_object();
	take_lines(lines, text, length, false, &last);
	take_lines(lines, spare, spare_length, true, &last);
	return 0;
}

void history_lines_free(struct history_lines *lines)
{
	json_decref(lines->changes);
	json_decref(lines->texts);
	*lines = (struct history_lines){};
}
