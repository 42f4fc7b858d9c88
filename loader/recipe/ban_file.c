// SPDX-License-Identifier: GPL-2.0
/* Reads and writes the file that keeps the bans of a network namespace. */
#include "loader/recipe/ban_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/base/clock.h"
#include "loader/base/file.h"

#define FILE_LIMIT ((size_t)1 << 30)
/* bytes of the first line of the file, and of the line that begins a batch */
#define HEAD_LIMIT 128
#define HEAD_FORM  "portcullis-bans 1 %016llx %s\n"
#define BATCH_FORM "batch %zu %016llx %llu %llu\n"
#define SECOND	   1000000000ULL

void ban_clock_now(struct ban_clock *clock)
{
	__free_text char *id = NULL;
	__close_file FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	*clock = (struct ban_clock){.wall = clock_wall() / SECOND, .boot = clock_boot() / SECOND};
	if (!file || fscanf(file, "%39s", clock->boot_id) != 1)
		strcpy(clock->boot_id, "unknown");
}

static unsigned long long sum_of(const char *text, size_t length)
{
	unsigned long long sum = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3ULL;
	return sum;
}

/* Reads the first line; returns its length, or 0 if it has another form. */
static size_t read_head(const char *text, size_t length, __u64 *number, char id[BOOT_ID_TEXT])
{
	const char *end = memchr(text, '\n', length < HEAD_LIMIT ? length : HEAD_LIMIT);
	char line[HEAD_LIMIT + 1];
	unsigned long long read;

	if (!end)
		return 0;
	memcpy(line, text, (size_t)(end - text));
	line[end - text] = '\0';
	if (sscanf(line, "portcullis-bans 1 %16llx %39s", &read, id) != 2)
		return 0;
	*number = read;
	return (size_t)(end - text) + 1;
}

/* The times in the header of the last batch. */
struct stamp {
	unsigned long long wall, boot;
};

/* Reads the batch at `text`; returns its length, or 0 if it is not complete. */
static size_t read_batch(struct ban_file *file, char *text, size_t length, struct stamp *stamp)
{
	const char *end = memchr(text, '\n', length < HEAD_LIMIT ? length : HEAD_LIMIT);
	char line[HEAD_LIMIT + 1];
	struct stamp read;
	unsigned long long sum;
	size_t head, bytes;

	if (!end)
		return 0;
	head = (size_t)(end - text) + 1;
	memcpy(line, text, head - 1);
	line[head - 1] = '\0';
	if (sscanf(line, "batch %zu %16llx %llu %llu", &bytes, &sum, &read.wall, &read.boot) != 4 ||
	    bytes > length - head || sum_of(text + head, bytes) != sum)
		return 0;
	file->bad += ban_lines_read(&file->set, text + head, bytes);
	*stamp = read;
	return head + bytes;
}

/* Converts ends of another boot to this boot's clock. */
static void translate(struct ban_set *set, const struct ban_clock *clock, struct stamp last)
{
	__u64 passed = clock->wall > last.wall ? clock->wall - last.wall : 0;

	for (size_t i = 0; i < set->count; i++) {
		struct ban *ban = &set->ban[i];
		__u64 left = ban->until > last.boot ? ban->until - last.boot : 0;

		if (!ban->until || ban->until == PC_BAN_FOREVER)
			continue;
		ban->until = left > passed ? ban_until(clock->boot, left - passed) : PC_BAN_FREE;
	}
}

int ban_file_read(const char *path, const struct ban_clock *clock, struct ban_file *file)
{
	char id[BOOT_ID_TEXT] = "";
	struct stamp last = {};
	size_t length, at, batch;
	int err;

	*file = (struct ban_file){};
	err = read_file(path, FILE_LIMIT, &file->text, &length);
	if (err)
		return err == -ENOENT ? 0 : err;
	file->size = length;
	at = read_head(file->text, length, &file->number, id);
	if (!at) {
		ban_file_free(file);
		return -EINVAL;
	}
	while ((batch = read_batch(file, file->text + at, length - at, &last)))
		at += batch;
	file->length = at;
	file->old_boot = strcmp(id, clock->boot_id) != 0;
	if (file->old_boot)
		translate(&file->set, clock, last);
	return 0;
}

void ban_file_free(struct ban_file *file)
{
	ban_set_free(&file->set);
	free(file->text);
	*file = (struct ban_file){};
}

int ban_file_head(const char *path, const struct ban_clock *clock, struct ban_file *file)
{
	__close_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[HEAD_LIMIT], id[BOOT_ID_TEXT];
	struct stat st;
	ssize_t length;

	*file = (struct ban_file){};
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	length = pread(fd, text, sizeof(text), 0);
	if (length < 0)
		return -errno;
	file->length = read_head(text, (size_t)length, &file->number, id);
	file->size = (__u64)st.st_size;
	return !file->length ? -EINVAL : strcmp(id, clock->boot_id) ? -ESTALE : 0;
}

static int write_all(int fd, const char *text, size_t length, __u64 at)
{
	while (length) {
		ssize_t done = pwrite(fd, text, length, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -ENOSPC;
		text += done;
		length -= (size_t)done;
		at += (size_t)done;
	}
	return 0;
}

/* A batch of lines as text; the caller frees. */
static char *batch_text(const struct ban_clock *clock, const char *lines, size_t length,
			size_t *bytes)
{
	__free_text char *head =
		xasprintf(BATCH_FORM, length, sum_of(lines, length),
			  (unsigned long long)clock->wall, (unsigned long long)clock->boot);
	char *text = xcalloc(strlen(head) + length, 1);

	memcpy(text, head, strlen(head));
	if (length)
		memcpy(text + strlen(head), lines, length);
	*bytes = strlen(head) + length;
	return text;
}

int ban_file_append(const char *path, const struct ban_clock *clock, struct ban_file *file,
		    const char *lines, size_t length, int *written)
{
	__close_fd int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t bytes;
	__free_text char *text = batch_text(clock, lines, length, &bytes);
	int err;

	if (fd < 0 || (file->size > file->length && ftruncate(fd, (off_t)file->length)))
		return -errno;
	err = write_all(fd, text, bytes, file->length);
	if (err) {
		/* A part that was written does not count: the next command cuts it off. */
		if (ftruncate(fd, (off_t)file->length))
			file->size = file->length + 1;
		return err;
	}
	file->length += bytes;
	file->size = file->length;
	*written = fd;
	fd = -1;
	return 0;
}

int ban_file_cut(int written, __u64 length, struct ban_file *file)
{
	if (ftruncate(written, (off_t)length))
		return -errno;
	file->length = file->size = length;
	return 0;
}

static char *whole_text(const struct ban_clock *clock, const struct ban_set *set, __u64 number,
			size_t *bytes)
{
	__free_text char *lines = NULL, *batch = NULL;
	char *text;
	size_t length = 0, head;
	FILE *to = open_memstream(&lines, &length);

	if (!to)
		return NULL;
	ban_lines_write(set, (__u32)clock->boot, to);
	if (fclose(to))
		return NULL;
	batch = batch_text(clock, lines, length, bytes);
	text = xasprintf(HEAD_FORM, (unsigned long long)number, clock->boot_id);
	head = strlen(text);
	text = xrealloc(text, head + *bytes, 1);
	memcpy(text + head, batch, *bytes);
	*bytes += head;
	return text;
}

/* Makes the folder of a file, and syncs its parent. */
static int sync_folder(const char *path)
{
	__free_text char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	__close_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int make_folder(const char *path)
{
	__free_text char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	return mkdir(folder, 0755) && errno != EEXIST ? -errno : 0;
}

static int write_synced(const char *path, const char *text, size_t bytes)
{
	__close_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, text, bytes, 0);
	return err ? err : fsync(fd) ? -errno : 0;
}

int ban_file_write(const char *path, const struct ban_clock *clock, struct ban_file *file)
{
	__free_text char *fresh = xasprintf("%s.new", path), *text = NULL;
	__u64 number = 0;
	size_t bytes;
	int err;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	number |= 1; /* 0 means that there is no number */
	text = whole_text(clock, &file->set, number, &bytes);
	if (!text)
		return -ENOMEM;
	err = make_folder(path);
	if (!err)
		err = write_synced(fresh, text, bytes);
	if (!err && rename(fresh, path))
		err = -errno;
	if (err) {
		unlink(fresh);
		return err;
	}
	file->number = number;
	file->length = file->size = bytes;
	file->old_boot = false;
	return sync_folder(path);
}
