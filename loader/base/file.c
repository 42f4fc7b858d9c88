// SPDX-License-Identifier: GPL-2.0
/* Files and descriptors: closed at the end of a scope, read whole. */
#include "loader/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

void file_close(FILE **file)
{
	if (*file)
		fclose(*file);
	*file = NULL;
}

/* The size of a file is only a hint: files in /proc have none, and others may grow meanwhile. */
static int read_whole(int fd, size_t limit, char **text, size_t *length)
{
	__free_text char *buffer = NULL;
	size_t used = 0, room = 0;
	ssize_t got;

	do {
		if (used + 1 >= room) {
			room = room ? 2 * room : 16384;
			buffer = xrealloc(buffer, room, 1);
		}
		got = read(fd, buffer + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		used += (size_t)got;
		if (used > limit)
			return -EFBIG;
	} while (got);
	buffer[used] = '\0';
	*text = buffer;
	*length = used;
	buffer = NULL;
	return 0;
}

int read_open_file(int fd, size_t limit, char **text, size_t *length)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > 0 && (unsigned long long)status.st_size > limit)
		return -EFBIG;
	return read_whole(fd, limit, text, length);
}

int read_file(const char *path, size_t limit, char **text, size_t *length)
{
	/* O_NONBLOCK: opening a FIFO would wait for a writer; regular files do not mind. */
	__close_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : read_open_file(fd, limit, text, length);
}

int read_input(size_t limit, const char **text, size_t *length)
{
	static char *input;
	static size_t input_length;
	int err = input ? 0 : read_whole(STDIN_FILENO, limit, &input, &input_length);

	if (err)
		return err;
	*text = input;
	*length = input_length;
	return 0;
}
